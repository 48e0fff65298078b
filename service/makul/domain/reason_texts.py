"""What each reason says to the official or employee who reads it, in Kyrgyz, Russian and English.

One or two plain sentences: what is the matter, and what to do next. They never carry a value, so
that nothing about a person can travel in them. Terms are those of the Procedure: алуучу,
макулдук, макулдашуу, ыйгарым укуктуу орган, иштеп чыгуучу (here: the operator).
"""

from dataclasses import dataclass

from makul.domain.reason_texts_documents import DOCUMENT_TEXTS
from makul.domain.reason_texts_messages import MESSAGE_TEXTS
from makul.domain.reasons import Code


@dataclass(frozen=True, slots=True)
class Text:
    """The same statement in the three languages."""

    ky: str
    ru: str
    en: str


def text(code: Code) -> Text:
    """What this code says; every code has a text."""
    return _TEXTS[code]


def _read(table: str) -> dict[Code, Text]:
    """A code at the margin, then its three languages, indented; lines further in go on."""
    said: dict[Code, dict[str, str]] = {}
    sentences: dict[str, str] = {}
    language = ""
    for line in table.strip().splitlines():
        if line.startswith(" " * 5):
            sentences[language] += " " + line.strip()
        elif line.startswith(" "):
            language, sentences[language] = line.strip().split(" ", 1)
        else:
            sentences = said.setdefault(Code(line), {})
    return {code: Text(**sentences) for code, sentences in said.items()}


_TEXTS = _read(MESSAGE_TEXTS) | _read(DOCUMENT_TEXTS)
