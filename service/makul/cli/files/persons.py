"""Citizens as another register hands them over: CSV or JSON Lines, one person a line.

CSV has a heading: `pin`, the other attributes by their names, names in three scripts as
`surname.ky`, `surname.ru`, `surname.latin`, samples of the body in base64, `disputed` (names apart
by spaces) and `locked` (`true`, `false`). JSON Lines has the same, names as objects
(`"surname": {"ky": …}`) and `disputed` as a list.

A line that is wrong is told by its number and cause; what stands in it is never told.
"""

import codecs
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from makul.admin.models import OperatorError
from makul.cli.files.person_csv import csv_parser, is_separator_line, parse_heading
from makul.cli.files.person_fields import BadFieldError, person_from_fields
from makul.domain.persons import Person

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
_SAVE = "Save it as UTF-8"


class Format(StrEnum):
    """How the file is written."""

    CSV = "csv"
    JSON_LINES = "jsonl"


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the file: a person, or why there is none."""

    number: int
    end: int
    """The byte offset after it."""
    person: Person | None
    fault: str | None = None


def format_of(path: Path) -> Format:
    """By the file's name; raises `OperatorError` where it does not tell."""
    match path.suffix.lower():
        case ".csv" | ".tsv":
            return Format.CSV
        case ".jsonl" | ".ndjson":
            return Format.JSON_LINES
    raise OperatorError(f"{path.name}: name it .csv or .jsonl, so that its format is known")


def read_people(file: BinaryIO, form: Format, *, offset: int, number: int) -> Iterator[Line]:
    """Every person from `offset` on, where line `number` ended; constant memory.

    Offset 0 is the beginning. A CSV heading is read from there in any case. Raises `OperatorError`
    where no line of the file can be read.
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
            yield Line(number, file.tell(), None, f"longer than {MAX_LINE} bytes")
        elif raw.strip():
            line = _read_line(raw, number, file.tell(), parse)
            if line.person is not None or line.fault is not None:
                yield line


def _refuse_other_text(beginning: bytes) -> None:
    """Raise `OperatorError` for encodings and line ends by which no line could be read."""
    for mark, name in _OTHER_ENCODINGS.items():
        if beginning.startswith(mark):
            raise OperatorError(f"The file is {name}: it must be UTF-8. {_SAVE}")
    if b"\x00" in beginning[:4]:  # whatever it begins with is ASCII: this is UTF-16 or UTF-32
        raise OperatorError(f"The file begins with NUL bytes, as UTF-16 does. {_SAVE}")
    if b"\r" in beginning and b"\n" not in beginning:
        raise OperatorError(
            "Lines end with a carriage return alone: they must end with a line feed (LF or CRLF)."
            " Save the file with such line ends"
        )


def _csv_person(file: BinaryIO) -> tuple[Callable[[str], Person | None], int]:
    """Return what reads the lines behind the heading, and the heading's number."""
    text, number = _heading_line(file), 1
    if is_separator_line(text):
        text, number = _heading_line(file), 2
    return csv_parser(parse_heading(text)), number


def _heading_line(file: BinaryIO) -> str:
    raw = file.readline(MAX_HEADING + 1)
    if len(raw) > MAX_HEADING:
        raise OperatorError(f"The heading is longer than {MAX_HEADING} bytes: it names the columns")
    if b"\x00" in raw:
        raise OperatorError(f"The heading holds NUL bytes. {_SAVE}")
    try:
        return raw.decode().removeprefix(_BOM)
    except UnicodeDecodeError:
        raise OperatorError(f"The heading is not UTF-8. {_SAVE}") from None


def _read_line(raw: bytes, number: int, end: int, parse: Callable[[str], Person | None]) -> Line:
    if b"\x00" in raw:
        return Line(number, end, None, "holds NUL bytes")
    try:
        return Line(number, end, parse(raw.decode().removeprefix(_BOM)))
    except UnicodeDecodeError:
        return Line(number, end, None, "not UTF-8")
    except BadFieldError as error:
        return Line(number, end, None, str(error))


def _skip_line(file: BinaryIO, raw: bytes) -> None:
    while raw and not raw.endswith(b"\n"):
        raw = file.readline(MAX_LINE)


def _json_person(text: str) -> Person:
    try:
        fields = json.loads(text, object_pairs_hook=_once)
    except (ValueError, RecursionError):  # a number of 5,000 digits is a plain ValueError
        raise BadFieldError("not JSON: write one object a line") from None
    if not isinstance(fields, dict):
        raise BadFieldError("not a JSON object: write one a line")
    return person_from_fields({name: value for name, value in fields.items() if value is not None})


def _once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """Return the object; of a name that stands in it twice, nobody could say which counts."""
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise BadFieldError("a field stands in it twice")
    return fields
