"""Export of decisions while they are read: CSV for spreadsheets, NDJSON for programs."""

import csv
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import TextIO

from makul.admin.errors import OperatorError
from makul.cli.output import Facts, Value
from makul.language.translation import translate, translate_cause
from makul.net.files import sync_directory

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

COLUMNS = (
    "disclosure_id",
    "decided_at",
    "recipient",
    "request_id",
    "operation",
    "outcome",
    "codes",
    "released",
    "subject",
    "purpose",
    "agreement",
    "ground",
    "ground_id",
    "leaf",
)
"""The order is fixed, and new columns are added only at the end, because programs read them."""


class ExportFormat(StrEnum):
    """The format of the exported rows."""

    CSV = "csv"
    """RFC 4180 in UTF-8 with a heading. Lists are joined by spaces; a missing value is empty."""
    NDJSON = "ndjson"
    """One JSON object on each line."""


@contextmanager
def destination(path: Path | None) -> Iterator[TextIO]:
    """Open standard output, or a new file that only its owner can read.

    The file appears under its name only when it is complete.
    """
    if path is None:
        yield sys.stdout
        sys.stdout.flush()
        return
    if os.path.lexists(path):
        raise OperatorError(translate("{path} exists; name a new file", path=path))
    part = path.with_name(f"{path.name}.part")
    try:
        opened = os.open(part, _NEW_FILE, 0o600)
    except OSError as error:
        raise OperatorError(
            translate(
                "cannot write {path}: {cause}", path=part, cause=translate_cause(error.strerror)
            )
        ) from None
    try:
        with os.fdopen(opened, "w", encoding="utf-8", newline="") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        part.rename(path)
        sync_directory(path.parent)
    except OSError as error:
        raise OperatorError(
            translate(
                "cannot write {path}: {cause}", path=part, cause=translate_cause(error.strerror)
            )
        ) from None
    finally:
        part.unlink(missing_ok=True)


def write_all(rows: Iterable[Facts], file: TextIO, form: ExportFormat) -> int:
    """Write every row and return their number. No row is kept in memory."""
    written = 0
    write = _csv(file) if form is ExportFormat.CSV else _ndjson(file)
    for row in rows:
        write(row)
        written += 1
    return written


def _csv(file: TextIO) -> Callable[[Facts], object]:
    writer = csv.writer(file)
    writer.writerow(COLUMNS)
    return lambda row: writer.writerow([_cell(row[name]) for name in COLUMNS])


def _ndjson(file: TextIO) -> Callable[[Facts], object]:
    encode = json.JSONEncoder(ensure_ascii=False).encode
    return lambda row: file.write(encode({name: row[name] for name in COLUMNS}) + "\n")


def _cell(value: Value) -> str:
    if isinstance(value, list):
        return " ".join(value)
    return "" if value is None else str(value)
