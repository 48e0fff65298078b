"""The reader of translation catalogs: GNU gettext files (`.po`), as translators edit them.

Only this part of the format is read: `msgctxt`, `msgid` and `msgstr` with their continuation lines
and comments. Entries that are marked as fuzzy or have no translation are left out.
"""

import json
import re
from collections.abc import Mapping
from typing import Final

Key = tuple[str, str]
"""The context of a message, most often empty, and its English text."""

_LINE: Final = re.compile(r'(?:(msgctxt|msgid|msgstr)\s+)?("(?:[^"\\]|\\.)*")')


class CatalogError(ValueError):
    """The error of a line that this reader does not understand. The message gives its number."""


def parse_catalog(content: str) -> Mapping[Key, str]:
    """Return the translations in a catalog. Raises `CatalogError`."""
    translations: dict[Key, str] = {}
    entry: dict[str, str] = {}
    part, is_fuzzy = "", False
    lines = [*map(str.strip, content.splitlines()), ""]
    for number, line in enumerate(lines, start=1):
        if not line:
            if entry and not is_fuzzy:
                _add(translations, entry, number)
            entry, part, is_fuzzy = {}, "", False
        elif line.startswith("#"):
            is_fuzzy = is_fuzzy or (line.startswith("#,") and "fuzzy" in line)
        else:
            part = _add_line(entry, part, line, number)
    return translations


def _add_line(entry: dict[str, str], part: str, line: str, number: int) -> str:
    """Add one line to an entry. Return the part of the entry to which it belongs."""
    match = _LINE.fullmatch(line)
    part = (match and match[1]) or part
    if match is None or not part or (match[1] and part in entry):
        raise CatalogError(f"line {number}: not a line of a catalog, or no empty line before it")
    text = match[2][1:-1]
    if "\\" in text:  # few texts have an escape, and `json.loads` takes longer than the pattern
        try:
            text = json.loads(match[2])  # catalogs use only escapes that JSON has too
        except ValueError:
            raise CatalogError(f"line {number}: unknown escape") from None
    entry[part] = entry.get(part, "") + text
    return part


def _add(translations: dict[Key, str], entry: Mapping[str, str], number: int) -> None:
    if "msgid" not in entry or "msgstr" not in entry:
        raise CatalogError(f"line {number}: an entry without msgid or msgstr ends here")
    key = entry.get("msgctxt", ""), entry["msgid"]
    if key in translations:
        raise CatalogError(f"line {number}: a message that is in the catalog already ends here")
    if key[1] and entry["msgstr"]:
        translations[key] = entry["msgstr"]
