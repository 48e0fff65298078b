"""The languages of this library's messages, and the translation of one message.

A message is an English template in the code, with named fields:

    raise ProfileError(translate("{file}: there is no such file", file=file))

The template is looked up in the catalog of the language in use and formatted afterwards. A message
without a translation remains English. English is in use unless a program calls `use_language`. The
catalogs are read on first use.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from enum import StrEnum
from functools import cache
from typing import Final


class Language(StrEnum):
    """The languages of messages, and of the text of every reason."""

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


def translate_cause(cause: str) -> str:
    """Return the operating system's reason for an error, such as "Permission denied".

    A reason that is not in the catalogs remains English.
    """
    return translate(cause)


SYSTEM_CAUSES: Final = (
    mark("Bad file descriptor"),
    mark("Broken pipe"),
    mark("Cannot allocate memory"),
    mark("Connection refused"),
    mark("Connection reset by peer"),
    mark("Connection timed out"),
    mark("Disk quota exceeded"),
    mark("File name too long"),
    mark("File too large"),
    mark("Input/output error"),
    mark("Invalid argument"),
    mark("Is a directory"),
    mark("Name or service not known"),
    mark("Network is unreachable"),
    mark("No route to host"),
    mark("No space left on device"),
    mark("No such device or address"),
    mark("No such file or directory"),
    mark("Not a directory"),
    mark("Operation not permitted"),
    mark("Permission denied"),
    mark("Read-only file system"),
    mark("Temporary failure in name resolution"),
    mark("Too many levels of symbolic links"),
    mark("Too many open files"),
)
"""The most frequent reasons, so that the catalogs contain them."""


@cache
def load_catalog(language: Language) -> Mapping[tuple[str, str], str]:
    """Return the translations of this library into a language other than English."""
    # Imported here, because `--help` in English needs neither.
    from importlib.resources import files  # noqa: PLC0415

    from makul_client.catalog import parse_catalog  # noqa: PLC0415

    catalog = files("makul_client") / "catalogs" / f"{language}.po"
    return parse_catalog(catalog.read_text(encoding="utf-8"))
