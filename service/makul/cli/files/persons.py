"""Citizens from another register: CSV or JSON Lines, one person on each line.

The CSV heading contains `pin` and the names of other attributes. Names have columns for three
scripts: `surname.ky`, `surname.ru`, `surname.latin`. Biometric samples are in base64. `disputed`
contains names separated by spaces; `locked` is `true` or `false`. JSON Lines has the same fields,
with names as objects (`"surname": {"ky": …}`) and `disputed` as a list.

A bad line is reported by its number and cause. Its contents are never reported.
"""

import codecs
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from makul.admin.errors import OperatorError
from makul.cli.files.person_csv import csv_parser, is_separator_line, parse_heading
from makul.cli.files.person_fields import BadFieldError, person_from_fields
from makul.domain.persons import Person
from makul.language.translation import translate

MAX_LINE = 4 * 1024 * 1024
"""Bytes. A face, ten templates and ten images in base64 are about 2 MiB."""

MAX_HEADING = 16 * 1024
"""Bytes. All columns take less than 1 KiB."""

_BOM = "\N{BYTE ORDER MARK}"
_OTHER_ENCODINGS = {
    codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
    codecs.BOM_UTF32_BE: "UTF-32",
}


class Format(StrEnum):
    """The format of the file."""

    CSV = "csv"
    JSON_LINES = "jsonl"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the file: a person, or the reason why there is none."""

    number: int
    end: int
    """The byte offset after the line."""
    person: Person | None
    fault: str | None = None


def detect_format(path: Path) -> Format:
    """Return the format that the file name indicates. Raises `OperatorError` for other names."""
    match path.suffix.lower():
        case ".csv" | ".tsv":
            return Format.CSV
        case ".jsonl" | ".ndjson":
            return Format.JSON_LINES
    raise OperatorError(
        translate("{file}: name it .csv or .jsonl, so that its format is known", file=path.name)
    )


def read_people(file: BinaryIO, form: Format, *, offset: int, number: int) -> Iterator[Line]:
    """Yield every person from `offset` on, where line `number` ended, in constant memory.

    Offset 0 is the beginning. A CSV heading is always read from the beginning. Raises
    `OperatorError` if no line of the file can be read.
    """
    file.seek(0)
    _refuse_other_text(file.read(MAX_HEADING))
    file.seek(0)
    parse: Callable[[str], Person | None] = _json_person
    if form is Format.CSV:
        parse, heading_number = _csv_person(file)
        offset, number = max(offset, file.tell()), max(number, heading_number)
    file.seek(offset)
    while raw := file.readline(MAX_LINE + 1):
        number += 1
        if len(raw) > MAX_LINE:
            _skip_line(file, raw)
            yield Line(
                number,
                file.tell(),
                None,
                translate("longer than {max_bytes} bytes", max_bytes=MAX_LINE),
            )
        elif raw.strip():
            line = _read_line(raw, number, file.tell(), parse)
            if line.person is not None or line.fault is not None:
                yield line


def _refuse_other_text(beginning: bytes) -> None:
    """Raise `OperatorError` for an encoding or line ending with which no line could be read."""
    for mark, name in _OTHER_ENCODINGS.items():
        if beginning.startswith(mark):
            raise OperatorError(
                translate("The file is {name}: it must be UTF-8. Save it as UTF-8", name=name)
            )
    if b"\x00" in beginning[:4]:  # a file begins with ASCII, so this is UTF-16 or UTF-32
        raise OperatorError(
            translate("The file begins with NUL bytes, as UTF-16 does. Save it as UTF-8")
        )
    if b"\r" in beginning and b"\n" not in beginning:
        raise OperatorError(
            translate(
                "Lines end with a carriage return alone: they must end with a line feed (LF or"
                " CRLF). Save the file with such line ends",
            )
        )


def _csv_person(file: BinaryIO) -> tuple[Callable[[str], Person | None], int]:
    """Return the parser for the lines after the heading, and the line number of the heading."""
    text, number = _heading_line(file), 1
    if is_separator_line(text):
        text, number = _heading_line(file), 2
    return csv_parser(parse_heading(text)), number


def _heading_line(file: BinaryIO) -> str:
    raw = file.readline(MAX_HEADING + 1)
    if len(raw) > MAX_HEADING:
        raise OperatorError(
            translate(
                "The heading is longer than {max_bytes} bytes: it names the columns",
                max_bytes=MAX_HEADING,
            )
        )
    if b"\x00" in raw:
        raise OperatorError(translate("The heading holds NUL bytes. Save it as UTF-8"))
    try:
        return raw.decode().removeprefix(_BOM)
    except UnicodeDecodeError:
        raise OperatorError(translate("The heading is not UTF-8. Save it as UTF-8")) from None


def _read_line(raw: bytes, number: int, end: int, parse: Callable[[str], Person | None]) -> Line:
    if b"\x00" in raw:
        return Line(number, end, None, translate("holds NUL bytes"))
    try:
        return Line(number, end, parse(raw.decode().removeprefix(_BOM)))
    except UnicodeDecodeError:
        return Line(number, end, None, translate("not UTF-8"))
    except BadFieldError as error:
        return Line(number, end, None, str(error))


def _skip_line(file: BinaryIO, raw: bytes) -> None:
    while raw and not raw.endswith(b"\n"):
        raw = file.readline(MAX_LINE)


def _json_person(text: str) -> Person:
    try:
        fields = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError):  # a number of 5,000 digits raises a plain ValueError
        raise BadFieldError(translate("not JSON: write one object a line")) from None
    if not isinstance(fields, dict):
        raise BadFieldError(translate("not a JSON object: write one a line"))
    return person_from_fields({name: value for name, value in fields.items() if value is not None})


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return the object. Raises `BadFieldError` if a name occurs twice.

    A second value of a name would be ambiguous.
    """
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise BadFieldError(translate("a field occurs in it twice"))
    return fields
