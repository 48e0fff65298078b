"""What each reason says to the official or employee who reads it, in Kyrgyz, Russian and English.

One or two plain sentences: what is the matter, and what to do next. They never carry a value, so
that nothing about a person can travel in them. Terms are those of the Procedure: алуучу,
макулдук, макулдашуу, ыйгарым укуктуу орган, иштеп чыгуучу (here: the operator).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from makul.domain.reason_texts_documents import DOCUMENT_TEXTS
from makul.domain.reason_texts_http import HTTP_EXPECTATIONS
from makul.domain.reason_texts_messages import MESSAGE_TEXTS
from makul.domain.reasons import Code, Reason

KeyT = TypeVar("KeyT")


@dataclass(frozen=True, slots=True)
class Text:
    """The same statement in the three languages."""

    ky: str
    ru: str
    en: str


def text(code: Code) -> Text:
    """What this code says; every code has a text."""
    return _TEXTS[code]


def text_for(reason: Reason) -> Text:
    """What this reason says: its code's text, and what is expected of the field that it names."""
    said = text(reason.spoken)
    expected = _EXPECTATIONS.get((reason.spoken, reason.field or ""))
    if expected is None:
        return said
    return Text(
        ky=f"{said.ky} {expected.ky}", ru=f"{said.ru} {expected.ru}", en=f"{said.en} {expected.en}"
    )


def _read_expectations(tables: dict[Code, str]) -> dict[tuple[Code, str], Text]:
    """Tables in the same form, with the name of a field in the place of the code."""
    return {
        (code, field): said
        for code, table in tables.items()
        for field, said in _read(table, str).items()
    }


def _read(table: str, key: Callable[[str], KeyT]) -> dict[KeyT, Text]:
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
            sentences = said.setdefault(key(line), {})
    return {name: Text(**sentences) for name, sentences in said.items()}


_TEXTS = _read(MESSAGE_TEXTS, Code) | _read(DOCUMENT_TEXTS, Code)
_EXPECTATIONS = _read_expectations(HTTP_EXPECTATIONS)
