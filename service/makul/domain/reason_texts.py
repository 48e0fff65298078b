"""Texts of reasons for the official or employee who reads them, in Kyrgyz, Russian and English.

Each has one or two plain sentences: what is wrong, and what to do next. They never contain a value,
so that they reveal nothing about a person. The terms are those of the Procedure: алуучу, макулдук,
макулдашуу, ыйгарым укуктуу орган, иштеп чыгуучу (here: the operator).
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
    """One statement in the three languages."""

    ky: str
    ru: str
    en: str


def text(code: Code) -> Text:
    """Return the text of a code; every code has one."""
    return _TEXTS[code]


def text_of_cause(cause: Cause) -> Text:
    """Return the text of a cause: what is wrong, and what is expected."""
    return _CAUSES[cause]


def text_of(reason: Reason) -> Text:
    """Return the text of a reason.

    The text of a cause replaces the text of the code. For a reason about a document, it follows the
    text of the code.
    """
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
    """Parse a table of texts by code or cause.

    A code starts at the margin. The three languages follow, indented by two. Lines indented by five
    or more continue the text.
    """
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
