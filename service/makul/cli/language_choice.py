"""The choice of the language by the settings, before the arguments are parsed."""

from pathlib import Path
from typing import Final

from makul_language.language_choice import LanguageChoice

MAX_SETTINGS_BYTES: Final = 1024 * 1024


def _read_language(settings: Path) -> object:
    from makul.net.files import FileError
    from makul.net.toml import read_toml

    try:
        return read_toml(settings, MAX_SETTINGS_BYTES).get("language", "")
    except (OSError, FileError):
        return ""


CHOICE: Final = LanguageChoice(
    options=("--config",),
    variable="MAKUL_CONFIG",
    read_language=_read_language,
    default="makul.toml",
    options_precede_command=True,
)
