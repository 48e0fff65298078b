"""Texts of reasons for the official or employee who reads them, in Kyrgyz, Russian and English.

Each has one or two plain sentences: what is wrong, and what to do next. They never contain a value,
so that they reveal nothing about a person. The terms are those of the Procedure: алуучу, макулдук,
макулдашуу, ыйгарым укуктуу орган, иштеп чыгуучу (here: the operator). The texts themselves are in
`texts/*.toml`, which a translator edits. They are read and checked when this module is imported, so
that a service with a missing text does not start.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Final, TypeVar

from makul.domain.causes import Cause
from makul.domain.reasons import Code, Reason

KeyT = TypeVar("KeyT")

LANGUAGES: Final = ("ky", "ru", "en")
_PLACEHOLDER: Final = re.compile(r"\{[^}]*\}")


class ReasonTextError(ValueError):
    """The error of a file of texts that is incomplete. The message names the file and the entry."""


@dataclass(frozen=True, slots=True)
class Text:
    """One statement in the three languages."""

    ky: str
    ru: str
    en: str

    def followed_by(self, other: "Text") -> "Text":
        """Return this statement and then the other, in each language."""
        return Text(
            ky=f"{self.ky} {other.ky}", ru=f"{self.ru} {other.ru}", en=f"{self.en} {other.en}"
        )


def text(code: Code) -> Text:
    """Return the text of a code; every code has one."""
    return _TEXTS[code]


def text_of_cause(cause: Cause) -> Text:
    """Return the text of a cause: what is wrong, and what is expected."""
    return _CAUSES[cause]


def find_text(reason: Reason) -> Text:
    """Return the text of a reason.

    The text of a cause replaces the text of the code. For a reason about a document, it follows the
    text of the code.
    """
    main = text(reason.text_code)
    if reason.cause is None:
        return main
    cause = text_of_cause(reason.cause)
    return cause if reason.because is None else main.followed_by(cause)


def with_expectation(text: Text, reason: Reason) -> Text:
    """Return the text with what is expected of the part of HTTP that a reason names, if any.

    The expectation replaces the text of the code, which is about more than HTTP. If the reason has
    a cause, the expectation follows the cause's text.
    """
    expected = _EXPECTATIONS.get((reason.code, reason.field or ""))
    if expected is None:
        return text
    return expected if reason.cause is None else text.followed_by(expected)


def parse_texts(name: str, content: str, kind: Callable[[str], KeyT]) -> dict[KeyT, Text]:
    """Return the texts in a TOML file by their keys. Raises `ReasonTextError`."""
    try:
        tables = tomllib.loads(content)
    except tomllib.TOMLDecodeError as error:
        raise ReasonTextError(f"{name}: {error}") from None
    return {_key(name, key, kind): _text(name, key, table) for key, table in tables.items()}


def require_each(name: str, texts: Mapping[KeyT, Text], keys: Iterable[KeyT]) -> None:
    """Raise `ReasonTextError` unless each key has a text."""
    missing = [str(key) for key in keys if key not in texts]
    if missing:
        raise ReasonTextError(f"{name}: no text for {', '.join(missing)}")


def _key(name: str, key: str, kind: Callable[[str], KeyT]) -> KeyT:
    try:
        return kind(key)
    except ValueError:
        raise ReasonTextError(f"{name}: there is no {key}") from None


def _text(name: str, key: str, table: object) -> Text:
    """Return the text in a table: the three languages, with the same placeholders in each."""
    if not isinstance(table, dict) or set(table) != set(LANGUAGES):
        raise ReasonTextError(f"{name}: {key} must have exactly ky, ru and en")
    for language, sentence in table.items():
        if not isinstance(sentence, str) or not sentence or sentence != " ".join(sentence.split()):
            raise ReasonTextError(f"{name}: {key}, {language}: must be one line of text")
    if len({frozenset(_PLACEHOLDER.findall(sentence)) for sentence in table.values()}) > 1:
        raise ReasonTextError(f"{name}: {key}: the placeholders differ")
    return Text(**table)


def load_texts(
    name: str, kind: Callable[[str], KeyT], keys: Iterable[KeyT] = ()
) -> dict[KeyT, Text]:
    """Return the texts in a file of this package, checked. Raises `ReasonTextError`."""
    content = (files("makul.domain") / "texts" / name).read_text(encoding="utf-8")
    texts = parse_texts(name, content, kind)
    require_each(name, texts, keys)
    return texts


def _parse_key(key: str) -> tuple[Code, str]:
    """Return the code and the part of HTTP in a key such as `REQ-01 Content-Length`."""
    code, _, part = key.partition(" ")
    return Code(code), part


_TEXTS: Final = load_texts("codes.toml", Code, Code)
_CAUSES: Final = load_texts("causes.toml", Cause, Cause)
_EXPECTATIONS: Final = load_texts("expectations.toml", _parse_key)
