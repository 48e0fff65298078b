"""The languages of the operator's messages, and the translation of one message.

A message is an English template in the code, with named fields:

    raise OperatorError(translate("{file}: there is no such file", file=file))

The template is looked up in the catalog of the language in use and formatted afterwards. A message
without a translation remains English. English is in use unless the command line calls
`use_language`. The catalogs are read on first use.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum
from functools import cache
from typing import Final


class Language(StrEnum):
    """The languages of messages and help."""

    KY = "ky"
    RU = "ru"
    EN = "en"


_IN_USE: Final[ContextVar[Language]] = ContextVar("language", default=Language.EN)


def current_language() -> Language:
    """Return the language in use."""
    return _IN_USE.get()


@contextmanager
def use_language(language: Language) -> Iterator[None]:
    """Use a language for the messages of this thread until the block ends."""
    token = _IN_USE.set(language)
    try:
        yield
    finally:
        _IN_USE.reset(token)


def translate(template: str, /, *, context: str = "", **fields: object) -> str:
    """Return a message in the language in use.

    `context` distinguishes equal English words that have different translations.
    """
    return translate_to(current_language(), template, context=context, **fields)


def translate_to(
    language: Language, template: str, /, *, context: str = "", **fields: object
) -> str:
    """Return a message in this language."""
    if language is not Language.EN:
        template = load_catalog(language).get((context, template), template)
    return template.format_map(fields) if fields else template


def mark(template: str) -> str:
    """Return the template itself. The call marks it for the catalogs, for use by `translate`."""
    return template


@cache
def load_catalog(language: Language) -> Mapping[tuple[str, str], str]:
    """Return the translations into a language other than English."""
    # Imported here, because `--help` in English needs neither.
    from importlib.resources import files  # noqa: PLC0415

    from makul.language.catalog import parse_catalog  # noqa: PLC0415

    catalog = files("makul.language") / "catalogs" / f"{language}.po"
    return parse_catalog(catalog.read_text(encoding="utf-8"))
