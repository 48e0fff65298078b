"""CSV as other registers and spreadsheets write it: the heading, and the cells of a line.

The heading determines the separator: a comma, a semicolon or a tab. A field may be quoted, with
each quote in it doubled (RFC 4180). A field ends on its line, so that a stray quote cannot swallow
the next person.

The module `csv` of the standard library is not used. Its limit on the length of a field applies to
the whole process. Its errors do not name the broken rule.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from makul.admin.errors import OperatorError
from makul.cli.files.person_fields import (
    COLUMNS,
    BadFieldError,
    fields_from_cells,
    person_from_fields,
    suggest,
)
from makul.domain.attributes import Attribute
from makul.domain.persons import Person
from makul.language.translation import mark, translate

SEPARATORS: Mapping[str, str] = {",": "comma", ";": "semicolon", "\t": "tab"}
_OTHER_SEPARATORS: Mapping[str, str] = {
    "|": mark("vertical bar"),
    ":": mark("colon"),
    "^": mark("caret"),
}
_KNOWN = frozenset(COLUMNS)
_CELLS = {
    separator: re.compile(
        rf' *"([^"]*(?:""[^"]*)*)" *({separator}|\Z)'  # a quoted cell; spaces around it are ignored
        rf'|(?! *")([^{separator}]*)({separator}|\Z)'
    )
    for separator in SEPARATORS
}
_SEPARATOR_LINE = re.compile(r"sep=(.)", re.IGNORECASE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Heading:
    """The columns of a file, in order, and their separator."""

    columns: Sequence[str]
    separator: str


def is_separator_line(text: str) -> bool:
    """Return whether the line is `sep=;`, which some spreadsheets write before the heading."""
    return _SEPARATOR_LINE.fullmatch(text.rstrip("\r\n")) is not None


def parse_heading(text: str) -> Heading:
    """Return the heading that a line contains.

    The separator is the one by which most fields are columns. Raises `OperatorError` if the heading
    cannot serve.
    """
    line = text.rstrip("\r\n")
    if not line.strip():
        raise OperatorError(
            translate(
                "The first line is empty: it must name the columns; see: makul person example"
            )
        )
    read = {separator: _columns(line, separator) for separator in SEPARATORS}
    separator = max(SEPARATORS, key=lambda each: len(_KNOWN.intersection(read[each])))
    columns = read[separator]
    _check(line, columns)
    return Heading(columns, separator)


def _columns(line: str, separator: str) -> list[str]:
    """Return the fields of the line without empty ones at its end.

    Return no field if the quotes are wrong.
    """
    try:
        columns = [cell.strip() for cell in split_cells(line, separator)]
    except BadFieldError:
        return []
    while columns and not columns[-1]:
        columns.pop()
    return columns


def _check(line: str, columns: Sequence[str]) -> None:
    if not columns:
        raise OperatorError(
            translate(
                "The heading has a quote that does not close on its line: every column stands on"
                " the"
                " first line; see: makul person example",
            )
        )
    if not _KNOWN.intersection(columns):
        _refuse_unknown(line, columns)
    for number, column in enumerate(columns, start=1):
        if column not in _KNOWN:
            raise OperatorError(
                translate(
                    "column {number} of the heading is no attribute{suggestion}; see: makul person"
                    " example",
                    number=number,
                    suggestion=suggest(column),
                )
            )
        if column in columns[: number - 1]:
            raise OperatorError(
                translate(
                    "the heading names a column twice: {column}; leave one out", column=column
                )
            )
    if Attribute.PIN not in columns:
        raise OperatorError(translate("the heading has no column pin; see: makul person example"))


def _refuse_unknown(line: str, columns: Sequence[str]) -> None:
    """Raise `OperatorError` that explains why no column is known.

    The cause is another separator, or a line of data instead of a heading.
    """
    if any(cell.strip().isdigit() for cell in columns):
        raise OperatorError(
            translate(
                "The first line holds data: it must name the columns; see: makul person example"
            )
        )
    for separator, name in _OTHER_SEPARATORS.items():
        if any(part.strip().strip('"') in _KNOWN for part in line.split(separator)):
            raise OperatorError(
                translate(
                    "The columns are separated by a {separator}: separate them by a comma, a"
                    " semicolon"
                    " or a tab",
                    separator=translate(name),
                )
            )
    raise OperatorError(
        translate(
            "column 1 of the heading is no attribute{suggestion}; see: makul person example",
            suggestion=suggest(columns[0]),
        )
    )


def csv_parser(heading: Heading) -> Callable[[str], Person | None]:
    """Return the parser of lines under this heading. It returns None if all cells are empty."""
    columns = heading.columns

    def parse(text: str) -> Person | None:
        cells = split_cells(text.rstrip("\r\n"), heading.separator)
        if not any(cell.strip() for cell in cells):
            return None
        while len(cells) > len(columns) and not cells[-1].strip():
            cells.pop()
        if len(cells) != len(columns):
            raise BadFieldError(
                translate(
                    "{number} fields where the heading has {expected}",
                    number=len(cells),
                    expected=len(columns),
                )
            )
        filled = {name: cell for name, cell in zip(columns, cells, strict=True) if cell.strip()}
        return person_from_fields(fields_from_cells(filled))

    return parse


def split_cells(line: str, separator: str) -> list[str]:
    """Return the cells of a line. Raises `BadFieldError` if quotes do not close on it."""
    pattern, cells, at = _CELLS[separator], [], 0
    while True:
        match = pattern.match(line, at)
        if match is None:
            raise BadFieldError(
                translate(
                    "quotes do not close: a field ends on its line, and a quote in it is doubled"
                )
            )
        quoted, quoted_end, plain, plain_end = match.groups()
        cells.append(plain if quoted is None else quoted.replace('""', '"'))
        if not (quoted_end or plain_end):
            return cells
        at = match.end()
