"""The state of the witness, in a directory of its own that survives every crash.

    head.json     the largest tree cosigned, and the cosigned checkpoint itself: authoritative
    checkpoint    that checkpoint as served; written after the head, and restored from it
    evidence/     two signed checkpoints that cannot both be of one log, a pair in each directory
    lock          held while a witness runs

The head is on the disk before its cosignature is shown to anybody. A witness killed at any step
therefore never shows cosignatures over two trees of one size.
"""

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from makul.language.translation import DeferredMessage, translate, translate_cause
from makul.ledger.checkpoint import parse_checkpoint_unsafe
from makul.ledger.signed_note import MAX_NOTE, parse_note
from makul.net.files import (
    FileError,
    MissingFileError,
    make_directories,
    read_bounded,
    replace_file,
    sync_directory,
)
from makul.trust.tlog.note_keys import CosignatureVerifier, NoteVerifier
from makul.witness.consistency import CosignedTree

MAX_EVIDENCE = 1000
"""Maximum number of pairs kept, of a few hundred bytes each.

One pair proves a fork, and a log must not be able to fill the disk.
"""

_MAX_HEAD = 2 * MAX_NOTE


class StateError(Exception):
    """The state directory cannot be used. The message says what to do."""


@dataclass(frozen=True, slots=True)
class Head:
    """The checkpoint that the witness last cosigned."""

    log: str
    """The log's verifier key: the state belongs to this log and no other."""
    witness: str
    """The witness's own verifier key."""
    note: bytes
    """The cosigned checkpoint."""

    @property
    def cosigned_tree(self) -> CosignedTree:
        """The tree of the checkpoint.

        It was verified when it was cosigned and when it was read.
        """
        checkpoint = parse_checkpoint_unsafe(parse_note(self.note).text)
        return CosignedTree(checkpoint.size, checkpoint.root)


@dataclass(frozen=True, slots=True)
class WitnessStateDir:
    """The state directory. Every write replaces a file completely or not at all."""

    directory: Path

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold the exclusive lock on the directory.

        Raises `StateError` if another witness runs on it.
        """
        try:
            self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(self.directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StateError(f"{self.directory}: {translate_cause(error.strerror)}") from None
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                raise StateError(
                    translate("{path}: another witness runs on it", path=self.directory)
                ) from None
            yield
        finally:
            os.close(handle)

    def head(self, log: NoteVerifier, witness: CosignatureVerifier) -> Head | None:
        """Return the checkpoint cosigned last; None if there is none. Raises `StateError`.

        A head that cannot be read, or is not signed by log and witness, stops the witness. Without
        its head it would cosign any tree.
        """
        path = self.directory / "head.json"
        try:
            content = read_bounded(path, _MAX_HEAD)
        except MissingFileError:
            return None
        except FileError as error:
            raise StateError(str(error)) from None
        try:
            fields = json.loads(content)
            head = Head(fields["log"], fields["witness"], fields["note"].encode())
            others = (head.log, head.witness) != (str(log.key), str(witness.key))
            if not others:
                witness.verify(head.note)
                parse_checkpoint_unsafe(log.verify(head.note))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
            raise StateError(
                translate(
                    "{path}: cannot be read. Never go on without it: make a new key and a new"
                    " state directory, and give the log's operator the new key.",
                    path=path,
                )
            ) from None
        if others:
            raise StateError(
                translate("{path}: the state of another log or of another key", path=self.directory)
            )
        return head

    def advance(self, head: Head) -> None:
        """Store a head and then show it; raises `StateError`.

        The order matters: a witness that crashes must not have shown a cosignature that it does not
        remember.
        """
        fields = {"log": head.log, "witness": head.witness, "note": head.note.decode()}
        octets = json.dumps(fields, ensure_ascii=False, indent=1).encode()
        with _state_errors(self.directory):
            replace_file(self.directory / "head.json", octets, mode=0o644)
        self.show(head)

    def show(self, head: Head) -> None:
        """Write the served checkpoint unless it is already there; raises `StateError`."""
        path = self.directory / "checkpoint"
        with _state_errors(self.directory):
            try:
                published = read_bounded(path, MAX_NOTE)
            except FileError:  # an unreadable or missing file is replaced
                published = b""
            if published != head.note:
                replace_file(path, head.note, mode=0o644)

    def shown(self) -> bytes | None:
        """Return the cosigned checkpoint as it is served; None before the first."""
        with suppress(FileError):
            return read_bounded(self.directory / "checkpoint", MAX_NOTE)
        return None

    def keep_evidence(self, ours: bytes, theirs: bytes, why: DeferredMessage) -> Path | None:
        """Store two checkpoints that contradict each other; raises `StateError`.

        The reason is stored in English, because the evidence is for everybody.
        A pair that is already stored is not stored again. Return None if the limit is reached.
        """
        name = sha256(ours + theirs).hexdigest()[:32]
        pair = self.directory / "evidence" / name
        with _state_errors(self.directory):
            if pair.is_dir():
                return pair
            for directory in make_directories(pair.parent, mode=0o700):
                sync_directory(directory)
            if sum(1 for _ in pair.parent.iterdir()) >= MAX_EVIDENCE:
                return None
            aside = pair.with_name(f".{name}.new")
            if aside.exists():  # left by a witness that was killed
                shutil.rmtree(aside)
            aside.mkdir(mode=0o700)
            for file, octets in (
                ("seen.note", ours),
                ("shown.note", theirs),
                ("why.txt", f"{why.english}\n".encode()),
            ):
                replace_file(aside / file, octets, mode=0o644)
            aside.rename(pair)
            sync_directory(pair.parent)
        return pair

    def evidence(self) -> int:
        """Return the number of pairs kept; 0 if it cannot be read."""
        with suppress(OSError):
            pairs = (self.directory / "evidence").iterdir()
            return sum(1 for each in pairs if not each.name.startswith("."))
        return 0


@contextmanager
def _state_errors(directory: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise StateError(
            translate(
                "{path}: {cause}; nothing was cosigned",
                path=directory,
                cause=translate_cause(error.strerror),
            )
        ) from None
