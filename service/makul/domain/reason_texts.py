"""What each reason says to the official or employee who reads it, in Kyrgyz, Russian and English.

One or two plain sentences: what is the matter, and what to do next. They never carry a value, so
that nothing about a person can travel in them. Terms are those of the Procedure: алуучу,
макулдук, макулдашуу, ыйгарым укуктуу орган, иштеп чыгуучу (here: the operator).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from makul.domain.causes import Cause
from makul.domain.reason_texts_causes import CAUSE_TEXTS
from makul.domain.reason_texts_documents import DOCUMENT_TEXTS
from makul.domain.reason_texts_messages import MESSAGE_TEXTS
from makul.domain.reasons import Code, Reason

KeyT = TypeVar("KeyT", Code, Cause)


@dataclass(frozen=True, slots=True)
class Text:
    """The same statement in the three languages."""

    ky: str
    ru: str
    en: str


def text(code: Code) -> Text:
    """What this code says; every code has a text."""
    return _TEXTS[code]


def text_of_cause(cause: Cause) -> Text:
    """What a cause says: what is wrong, and what is expected."""
    return _CAUSES[cause]


def text_of(reason: Reason) -> Text:
    """What a reason says. A cause is said in the code's place; of a document, after the code."""
    spoken = text(reason.spoken)
    if reason.cause is None:
        return spoken
    cause = text_of_cause(reason.cause)
    if reason.because is None:
        return cause
    return Text(
        ky=f"{spoken.ky} {cause.ky}", ru=f"{spoken.ru} {cause.ru}", en=f"{spoken.en} {cause.en}"
    )


def _read(table: str, kind: Callable[[str], KeyT]) -> dict[KeyT, Text]:
    """A code at the margin, then its three languages, indented; lines further in go on."""
    said: dict[KeyT, dict[str, str]] = {}
    sentences: dict[str, str] = {}
    language = ""
    for line in table.strip().splitlines():
        if line.startswith(" " * 5):
            sentences[language] += " " + line.strip()
        elif line.startswith(" "):
            language, sentences[language] = line.strip().split(" ", 1)
        else:
            sentences = said.setdefault(kind(line), {})
    return {code: Text(**sentences) for code, sentences in said.items()}


_TEXTS = _read(MESSAGE_TEXTS, Code) | _read(DOCUMENT_TEXTS, Code)
_CAUSES = _read(CAUSE_TEXTS, Cause)
