"""The languages of messages, and the translation of one message.

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
from typing import Final

PACKAGE: Final = "makul_language"
"""This package. Its catalogs hold the messages of typer and of the operating system."""


class Language(StrEnum):
    """The languages of messages and help, and of the text of every reason."""

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


class Catalogs:
    """The catalogs of one program, with those of this package."""

    def __init__(self, package: str) -> None:
        """Take the package whose directory `catalogs` holds one file for each language."""
        self._package = package
        self._loaded: dict[Language, Mapping[tuple[str, str], str]] = {}

    def translate(self, template: str, /, *, context: str = "", **fields: object) -> str:
        """Return a message in the language in use.

        `context` distinguishes equal English words that have different translations.
        """
        return self.translate_to(_IN_USE.get(), template, context=context, **fields)

    def translate_to(
        self, language: Language, template: str, /, *, context: str = "", **fields: object
    ) -> str:
        """Return a message in this language."""
        if language is not Language.EN:
            template = self.load(language).get((context, template), template)
        return template.format_map(fields) if fields else template

    def translate_cause(self, cause: str | None) -> str:
        """Return the operating system's reason for an error, such as "Permission denied".

        A reason that is not in the catalogs remains English.
        """
        return self.translate(cause or "")

    def load(self, language: Language) -> Mapping[tuple[str, str], str]:
        """Return the translations into a language other than English."""
        if language not in self._loaded:
            # Imported here, because `--help` in English needs neither.
            from importlib.resources import files  # noqa: PLC0415

            from makul_language.catalog import parse_catalog  # noqa: PLC0415

            translations: dict[tuple[str, str], str] = {}
            for package in (PACKAGE, self._package):
                catalog = files(package) / "catalogs" / f"{language}.po"
                translations |= parse_catalog(catalog.read_text(encoding="utf-8"))
            self._loaded[language] = translations
        return self._loaded[language]


def mark(template: str) -> str:
    """Return the template itself. The call marks it for the catalogs, for use by `translate`."""
    return template
