"""Import of a file of citizens into the register, in batches and with resumption.

After each batch is committed, a position file beside the source stores the progress. It belongs to
exactly that source (size and SHA-256). A batch that was committed just before a crash is imported
again, which changes nothing.
"""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BufferedReader
from pathlib import Path

from makul.admin.errors import OperatorError
from makul.cli.files.persons import Format, Line, read_people
from makul.domain.identifiers import Pin
from makul.domain.persons import Person
from makul.language.translation import mark, translate, translate_cause
from makul.net.files import MissingFileError, open_regular, read_bounded, replace_file

BATCH = 500
"""Persons in one transaction. They share the cost of a commit; a writer waits milliseconds."""

MAX_SOURCE_BYTES = 64 * 1024**3
"""Some 60 million persons without samples. The whole file is hashed before it is read."""

_MAX_POSITION = 1024 * 1024

SHOWN_FAULTS = 20
"""The number of bad lines that are reported one by one. All of them are counted by cause."""

MAX_CAUSES = 100
"""The maximum number of causes that are counted separately.

A cause may contain a number of fields, so without a limit there could be any number of causes.
"""
OTHER_CAUSES = mark("other causes")

Put = Callable[[list[Person]], int]


@dataclass(slots=True)
class Tally:
    """The progress of an import."""

    line: int = 0
    offset: int = 0
    read: int = 0
    changed: int = 0
    skipped: int = 0
    faults: list[tuple[int, str]] = field(default_factory=list)
    """The first bad lines of the file, by number and cause, including those before a resumption."""
    causes: Counter[str] = field(default_factory=Counter)

    def note(self, line: Line) -> None:
        """Count a line that was read."""
        if line.fault is None:
            self.read += 1
            return
        self.skipped += 1
        known = line.fault in self.causes or len(self.causes) < MAX_CAUSES
        self.causes[line.fault if known else OTHER_CAUSES] += 1
        if len(self.faults) < SHOWN_FAULTS:
            self.faults.append((line.number, line.fault))


@dataclass(frozen=True, slots=True)
class Position:
    """The position file of one source."""

    path: Path
    source_size: int
    source_sha256: str

    @classmethod
    def beside(cls, source: Path) -> "Position":
        """Return the position file of a source, whose bytes are hashed for it."""
        with open_source(source) as file:
            size = os.fstat(file.fileno()).st_size
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return cls(source.with_name(f"{source.name}.position"), size, digest)

    def load(self) -> Tally:
        """Return the stored progress, or that of the beginning if there is no position file.

        Raises `OperatorError` if the file is damaged or belongs to other contents.
        """
        try:
            kept = json.loads(read_bounded(self.path, _MAX_POSITION))
            mine = (kept["size"], kept["sha256"]) == (self.source_size, self.source_sha256)
            line, offset, read, changed, skipped = (_count(kept[name]) for name in _KEPT)
            faults = [(int(number), str(cause)) for number, cause in kept.get("faults", [])]
            causes = Counter({str(cause): int(n) for cause, n in kept.get("causes", {}).items()})
            mine = mine and offset <= self.source_size
        except MissingFileError:
            return Tally()
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise OperatorError(
                translate("{file} is damaged; delete it to begin again", file=self.path.name)
            ) from None
        if not mine:
            raise OperatorError(
                translate(
                    "{file} belongs to other contents; delete it to begin again",
                    file=self.path.name,
                )
            )
        return Tally(line, offset, read, changed, skipped, faults, causes)

    def save(self, tally: Tally) -> None:
        """Store the progress atomically."""
        kept: dict[str, object] = {name: getattr(tally, name) for name in _KEPT}
        kept |= {"faults": tally.faults, "causes": tally.causes}
        kept |= {"size": self.source_size, "sha256": self.source_sha256}
        try:
            replace_file(self.path, json.dumps(kept).encode())
        except OSError as error:
            raise OperatorError(
                translate(
                    "{path}: {cause}. Put the source into a directory of your own.",
                    path=self.path,
                    cause=translate_cause(error.strerror),
                )
            ) from None


@contextmanager
def open_source(path: Path) -> Iterator[BufferedReader]:
    """Open a file of citizens.

    Raises `OperatorError` if the file is too long, or `FileError`.
    """
    with open_regular(path) as file:
        if os.fstat(file.fileno()).st_size > MAX_SOURCE_BYTES:
            raise OperatorError(
                translate(
                    "{path}: longer than {max_bytes} bytes. Split it into several files.",
                    path=path,
                    max_bytes=MAX_SOURCE_BYTES,
                )
            )
        yield file


def _count(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value <= MAX_SOURCE_BYTES:
        raise ValueError
    return value


_KEPT = ("line", "offset", "read", "changed", "skipped")


def import_people(
    source: Path, form: Format, tally: Tally, put: Put, committed: Callable[[Tally], None]
) -> Tally:
    """Import every person from the position in `tally`, and call `committed` after each batch."""
    with open_source(source) as file:
        lines = read_people(file, form, offset=tally.offset, number=tally.line)
        for batch in _batches(lines):
            people = [line.person for line in batch if line.person is not None]
            if people:
                tally.changed += put(people)
            for line in batch:
                tally.note(line)
            tally.line, tally.offset = batch[-1].number, batch[-1].end
            committed(tally)
    return tally


def _batches(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Yield the lines in batches, in order, with no PIN twice in one batch.

    Of two lines with one PIN, the later line must become the later version.
    """
    batch: list[Line] = []
    pins: set[Pin] = set()
    for line in lines:
        pin = line.person.pin if line.person is not None else None
        if len(batch) >= BATCH or (pin is not None and pin in pins):
            yield batch
            batch, pins = [], set()
        batch.append(line)
        if pin is not None:
            pins.add(pin)
    if batch:
        yield batch
