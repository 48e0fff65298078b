"""The translation of the operator's messages, by the catalogs of this package."""

from typing import Final

from makul_language.translation import Catalogs, Language, current_language, mark, use_language

__all__ = (
    "CATALOGS",
    "Language",
    "current_language",
    "mark",
    "translate",
    "translate_cause",
    "translate_to",
    "use_language",
)

CATALOGS: Final = Catalogs("makul.language")

translate = CATALOGS.translate
translate_to = CATALOGS.translate_to
translate_cause = CATALOGS.translate_cause
