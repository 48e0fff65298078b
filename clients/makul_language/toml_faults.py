"""The words for what Python's parser finds wrong in a TOML file that a person wrote.

The parser's own messages are English and for programmers: "Cannot mutate immutable namespace".
"""

import re
from typing import Final

from makul_language.translation import Catalogs, mark

_FAULTS: Final = {
    "Invalid statement": mark("neither a key with its value nor the name of a table"),
    "Expected newline": mark("something follows a value on its line"),
    "Expected '='": mark("the sign = is missing after a key"),
    "Expected ']": mark("the bracket ] is missing after the name of a table"),
    "Expected ": mark("the quotes at the end of a text are missing"),
    "Cannot ": mark("a key or a table stands there a second time"),
    "Duplicate ": mark("a key or a table stands there a second time"),
    "Invalid initial character": mark("a key has a character that needs quotes"),
    "Unclosed array": mark("the bracket ] is missing at the end of a list"),
    "Unclosed inline table": mark("the brace is missing at the end of a table"),
    "Unescaped ": mark("a backslash in a text: write two, or put the text in single quotes"),
    "Invalid hex": mark("a backslash in a text: write two, or put the text in single quotes"),
    "Escaped ": mark("a backslash in a text: write two, or put the text in single quotes"),
    "Unterminated string": mark("the quotes at the end of a text are missing"),
    "Illegal character": mark("a character that is not allowed there"),
    "Found invalid character": mark("a character that is not allowed there"),
    "Invalid date": mark("no such date or time"),
    "Invalid value": mark("not a value: a text needs quotes"),
}
"""The words by the beginning of the parser's message; the longer beginnings come first."""
_OTHER_FAULT: Final = mark("not in the form of TOML")
_POSITION: Final = re.compile(r"at line (?P<line>\d+), column (?P<column>\d+)\)")


def describe_toml_fault(error: ValueError, catalogs: Catalogs) -> str:
    """Return where a `TOMLDecodeError` found its fault, and which, in the language in use."""
    message = str(error)
    fault = catalogs.translate(
        next((text for start, text in _FAULTS.items() if message.startswith(start)), _OTHER_FAULT)
    )
    position = _POSITION.search(message)
    if position is None:
        return catalogs.translate(mark("at the end of the file: {fault}"), fault=fault)
    return catalogs.translate(
        mark("line {line}, column {column}: {fault}"), **position.groupdict(), fault=fault
    )
