"""Citizens as another register hands them over: CSV or JSON Lines, one person a line.

CSV has a heading: `pin`, the other attributes by their names, names in three scripts as
`surname.ky`, `surname.ru`, `surname.latin`, samples of the body in base64, `disputed` (names apart
by spaces) and `locked` (`true`, `false`). JSON Lines has the same, names as objects
(`"surname": {"ky": …}`) and `disputed` as a list.

A line that is wrong is told by its number and cause; what stands in it is never told.
"""

import base64
import binascii
import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import BinaryIO

from makul.cli.house import HouseError
from makul.domain.attributes import BIOMETRIC, NAMES, Attribute
from makul.domain.identifiers import MalformedIdentifierError, Pin
from makul.domain.persons import AttributeValue, LocalizedName, Person
from makul.domain.samples import UnknownSampleError, require_known

MAX_LINE = 4 * 1024 * 1024
"""Bytes. A face, ten templates and ten images in base64 are about 2 MiB."""

SCRIPTS = ("ky", "ru", "latin")


class Format(StrEnum):
    """How the file is written."""

    CSV = "csv"
    JSON_LINES = "jsonl"


class BadLineError(Exception):
    """A line cannot be read. The message tells the cause and the field, never a value."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the file: a person, or why there is none."""

    number: int
    end: int
    """The byte offset after it."""
    person: Person | None
    fault: str | None = None


def format_of(path: Path) -> Format:
    """By the file's name; raises `HouseError` where it does not tell."""
    match path.suffix.lower():
        case ".csv":
            return Format.CSV
        case ".jsonl" | ".ndjson":
            return Format.JSON_LINES
    raise HouseError(f"{path.name}: name it .csv or .jsonl, so that its format is known")


def read_people(file: BinaryIO, form: Format, *, offset: int, number: int) -> Iterator[Line]:
    """Every person from `offset` on, where line `number` ended; constant memory.

    Offset 0 is the beginning. A CSV heading is read from there in any case and raises `HouseError`
    where it cannot serve.
    """
    file.seek(0)
    parse: Callable[[str], Person] = _json_person
    if form is Format.CSV:
        parse = _csv_parser(_heading(file))
        offset, number = max(offset, file.tell()), max(number, 1)
    file.seek(offset)
    while raw := file.readline(MAX_LINE + 1):
        number += 1
        if len(raw) > MAX_LINE:
            _skip_line(file, raw)
            yield Line(number, file.tell(), None, f"longer than {MAX_LINE} bytes")
            continue
        if raw.strip():
            yield _read_line(raw, number, file.tell(), parse)


def _read_line(raw: bytes, number: int, end: int, parse: Callable[[str], Person]) -> Line:
    try:
        return Line(number, end, parse(raw.decode().lstrip("\N{BYTE ORDER MARK}")))
    except UnicodeDecodeError:
        return Line(number, end, None, "not UTF-8")
    except BadLineError as error:
        return Line(number, end, None, str(error))


def _skip_line(file: BinaryIO, raw: bytes) -> None:
    while raw and not raw.endswith(b"\n"):
        raw = file.readline(MAX_LINE)


# --- CSV --------------------------------------------------------------------------------------


def _heading(file: BinaryIO) -> list[str]:
    try:
        text = file.readline(MAX_LINE).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise HouseError("the heading is not UTF-8; save the file as UTF-8") from None
    columns = [name.strip() for name in text.strip("\r\n").split(",")]
    unknown = sorted(set(columns) - _COLUMNS)
    if unknown:
        raise HouseError(
            f"column {columns.index(unknown[0]) + 1} of the heading is no attribute;"
            " see: makul person import --help"
        )
    if len(set(columns)) != len(columns):
        raise HouseError("the heading names a column twice")
    if Attribute.PIN not in columns:
        raise HouseError("the heading has no column pin")
    return columns


_COLUMNS = (
    {name.value for name in Attribute if name not in NAMES}
    | {f"{name.value}.{script}" for name in NAMES for script in SCRIPTS}
    | {"disputed", "locked"}
)


def _csv_parser(columns: list[str]) -> Callable[[str], Person]:
    """A quoted field ends on its line, so that a stray quote cannot swallow the next person."""

    def parse(text: str) -> Person:
        try:
            (cells,) = csv.reader([text.rstrip("\r\n")], strict=True)
        except (csv.Error, ValueError):
            raise BadLineError("quotes do not close") from None
        if len(cells) != len(columns):
            raise BadLineError(f"{len(cells)} fields where the heading has {len(columns)}")
        filled = {name: cell for name, cell in zip(columns, cells, strict=True) if cell.strip()}
        return _person(_nested(filled))

    return parse


def _nested(cells: Mapping[str, str]) -> dict[str, object]:
    fields: dict[str, object] = {}
    for column, cell in cells.items():
        name, _, script = column.partition(".")
        if script:
            forms = fields.setdefault(name, {})
            if isinstance(forms, dict):
                forms[script] = cell
        elif name == "disputed":
            fields[name] = cell.split()
        elif name == "locked":
            fields[name] = {"true": True, "false": False}.get(cell.strip().lower(), cell)
        else:
            fields[name] = cell
    return fields


# --- JSON Lines -------------------------------------------------------------------------------


def _json_person(text: str) -> Person:
    try:
        fields = json.loads(text)
    except (ValueError, RecursionError):  # a number of 5,000 digits is a `ValueError`
        raise BadLineError("not JSON") from None
    if not isinstance(fields, dict):
        raise BadLineError("not a JSON object")
    return _person({name: value for name, value in fields.items() if value is not None})


# --- a person ---------------------------------------------------------------------------------


def _person(fields: Mapping[str, object]) -> Person:
    if fields.keys() - _FIELDS:
        raise BadLineError("a field that is no attribute")
    pin = _pin(fields.get(Attribute.PIN))
    values = {name: _value(name, fields[name.value]) for name in Attribute if name.value in fields}
    return Person(
        pin=pin,
        values=values,
        disputed=_disputed(fields.get("disputed", [])),
        locked=_locked(fields.get("locked", False)),
    )


_FIELDS = {name.value for name in Attribute} | {"disputed", "locked"}


def _pin(value: object) -> Pin:
    if not isinstance(value, str):
        raise BadLineError("pin: missing")
    try:
        return Pin(value)
    except MalformedIdentifierError as error:
        raise BadLineError(f"pin: {error}") from None


def _value(name: Attribute, value: object) -> AttributeValue:
    if name in NAMES:
        return _name(name, value)
    if not isinstance(value, str):
        raise BadLineError(f"{name.value}: not text")
    if name in BIOMETRIC:
        return _sample(name, value)
    if name in _DATES:
        try:
            return date.fromisoformat(value)
        except ValueError:
            raise BadLineError(f"{name.value}: not a date as YYYY-MM-DD") from None
    return _text(name, value)


_DATES = {Attribute.BIRTH_DATE, Attribute.DOCUMENT_ISSUED, Attribute.DOCUMENT_EXPIRES}


def _name(name: Attribute, value: object) -> LocalizedName:
    if not isinstance(value, dict) or value.keys() - set(SCRIPTS):
        raise BadLineError(f"{name.value}: not a name by script (ky, ru, latin)")
    forms: dict[str, str] = {}
    for script, form in value.items():
        if not isinstance(form, str):
            raise BadLineError(f"{name.value}.{script}: not text")
        forms[script] = _text(name, form)
    if not forms:
        raise BadLineError(f"{name.value}: in no script")
    return LocalizedName(ky=forms.get("ky"), ru=forms.get("ru"), latin=forms.get("latin"))


def _sample(name: Attribute, value: str) -> bytes:
    try:
        sample = base64.b64decode(value, validate=True)
    except (binascii.Error, ValueError):
        raise BadLineError(f"{name.value}: not base64") from None
    try:
        require_known(name, sample)
    except UnknownSampleError as error:
        raise BadLineError(f"{name.value}: {error}") from None
    return sample


def _text(name: Attribute, value: str) -> str:
    """Text as the published schema (types.xsd) lets it out: else the answer could not be sent."""
    collapsed = " ".join(value.split())
    pattern = _PATTERNS.get(name, _TEXT)
    if not pattern.fullmatch(collapsed) or not collapsed.isprintable():
        raise BadLineError(f"{name.value}: not of its form")
    return collapsed


_TEXT = re.compile(r"[^<>]{1,500}")
_CODE = re.compile(r"[A-Z][A-Z0-9_]{1,31}")
_PATTERNS = {
    **dict.fromkeys(NAMES, re.compile(r"[^<>]{1,100}")),
    Attribute.PIN: re.compile(r"[0-9]{14}"),
    Attribute.SEX: re.compile(r"[MF]"),
    Attribute.CITIZENSHIP: re.compile(r"[A-Z]{3}"),
    Attribute.DOCUMENT_TYPE: _CODE,
    Attribute.DOCUMENT_STATE: _CODE,
    Attribute.PERSON_STATE: _CODE,
    Attribute.DOCUMENT_NUMBER: re.compile(r"[0-9A-Z-]{3,20}"),
    Attribute.DOCUMENT_ISSUER: re.compile(r"[^<>]{1,300}"),
}


def _disputed(value: object) -> frozenset[Attribute]:
    if not isinstance(value, list):
        raise BadLineError("disputed: not a list of attributes")
    try:
        return frozenset(Attribute(name) for name in value)
    except ValueError:
        raise BadLineError("disputed: not a list of attributes") from None


def _locked(value: object) -> bool:
    if not isinstance(value, bool):
        raise BadLineError("locked: neither true nor false")
    return value
