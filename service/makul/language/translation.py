"""The translation of the operator's messages, by the catalogs of this package."""

from collections.abc import Mapping
from typing import Any, Final, Protocol, runtime_checkable

from makul_language.translation import Catalogs, Language, current_language, mark, use_language

__all__ = (
    "CATALOGS",
    "DeferredMessage",
    "Language",
    "current_language",
    "mark",
    "translate",
    "translate_cause",
    "translate_error",
    "translate_to",
    "use_language",
)

CATALOGS: Final = Catalogs("makul.language")

translate = CATALOGS.translate
translate_to = CATALOGS.translate_to
translate_cause = CATALOGS.translate_cause


class DeferredMessage:
    """A message that is worded when it is shown: to a person, or in English in a record."""

    def __init__(self, template: str = "", /, **fields: Any) -> None:
        """Take the template, which this call marks for the catalogs, and its fields.

        A field may be a message itself. Without a template the message is empty.
        """
        self._template = template
        self._fields = fields

    def __str__(self) -> str:
        """Return the message in the language in use."""
        return translate(self._template, **self._fields)

    @property
    def english(self) -> str:
        """The message for a log or a record, which are in English for every operator."""
        with use_language(Language.EN):
            return str(self)


@runtime_checkable
class TemplateError(Protocol):
    """An error of a package that knows no language: it holds its template and the fields of it."""

    template: str
    fields: Mapping[str, Any]


def translate_error(error: Exception) -> str:
    """Return the message of an error in the language in use.

    An error without a template has its message in that language already.
    """
    if isinstance(error, TemplateError):
        return translate(error.template, **error.fields)
    return str(error)
