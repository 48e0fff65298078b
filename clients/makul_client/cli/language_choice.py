"""The choice of the language by the profile, before the arguments are parsed."""

from pathlib import Path
from typing import Final

from makul_client.errors import MakulError
from makul_language.language_choice import LanguageChoice


def read_language(profile: Path) -> object:
    """Return the key `language` of a profile, or empty text if it cannot be read."""
    from makul_client.toml_table import read_tables  # noqa: PLC0415 - most runs need no TOML here

    try:
        return read_tables(profile).get("language", "")
    except (OSError, MakulError):
        return ""


CHOICE: Final = LanguageChoice(
    options=("--profile", "-p"), variable="MAKUL_PROFILE", read_language=read_language
)
