"""The translation of this library's messages, by its own catalogs."""

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

CATALOGS: Final = Catalogs("makul_client")

translate = CATALOGS.translate
translate_to = CATALOGS.translate_to
translate_cause = CATALOGS.translate_cause
