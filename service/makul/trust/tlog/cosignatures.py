"""What witnesses signed of our log, collected from where they show it.

A witness is asked at the address, or read from the file, that the operator set. What it shows is
one of our own checkpoints with its line beneath: both signatures are verified, ours first, before a
word of it is kept. Nothing that a witness says stops the log; what our own key signed may.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from makul.app.ports.ledger import Cosigned
from makul.ledger.checkpoint import parse_checkpoint_unsafe
from makul.ledger.signed_note import MAX_NOTE, parse_note
from makul.net.fetcher import Fetcher, FetchError
from makul.net.files import FileError, read_bounded
from makul.trust.tlog.note_keys import CosignatureVerifier, NoteVerifier

log = logging.getLogger(__name__)

WITNESS_SECONDS = 10.0
"""For at most 64 KiB. Witnesses are asked one after the other, apart from sequencing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessEndpoint:
    """A witness whose cosignatures are collected, and where it shows them."""

    verifier: CosignatureVerifier
    url: str | None = None
    """Its cosigned checkpoint, such as `https://witness.example/checkpoint`."""
    file: Path | None = None

    @property
    def name(self) -> str:
        """By which its lines are kept: a renewed key of the same name is another witness."""
        key = self.verifier.key
        return f"{key.name}+{key.key_id.hex()}"


class Collector:
    """Asks each witness in turn; what one shows unchanged is not looked at again."""

    def __init__(
        self,
        ours: NoteVerifier,
        witnesses: Sequence[WitnessEndpoint],
        *,
        seconds: float = WITNESS_SECONDS,
    ) -> None:
        """`seconds` for what one shows."""
        self._ours = ours
        self._witnesses = witnesses
        self._fetch = Fetcher(seconds)
        self._shown: dict[str, bytes] = {}
        self._told: dict[str, str] = {}

    def collect(self) -> Iterator[Cosigned]:
        """What is new. Of a witness that shows nothing good it is told why, once."""
        for witness in self._witnesses:
            try:
                document = self._read(witness)
                if document == self._shown.get(witness.name):
                    continue
                cosigned = verified(document, self._ours, witness)
            except (FetchError, ValueError) as error:
                self._tell(witness.name, str(error))
                continue
            self._shown[witness.name] = document
            self._tell(witness.name, "")
            yield cosigned

    def _read(self, witness: WitnessEndpoint) -> bytes:
        """What it shows; raises `FetchError`."""
        if witness.url is not None:
            return self._fetch(witness.url, None, MAX_NOTE)
        if witness.file is None:
            raise FetchError("neither an address nor a file")
        try:
            return read_bounded(witness.file, MAX_NOTE)
        except FileError as error:
            raise FetchError(str(error)) from None

    def _tell(self, name: str, why: str) -> None:
        if why and self._told.get(name) != why:
            log.warning("witness %s: %s", name, why)
        self._told[name] = why


def verified(document: bytes, ours: NoteVerifier, witness: WitnessEndpoint) -> Cosigned:
    """A checkpoint of ours that this witness cosigned, and its line; raises `ValueError`."""
    note = parse_note(document)
    ours.check(note)
    checkpoint = parse_checkpoint_unsafe(note.text)
    if checkpoint.origin != ours.key.name:
        raise ValueError("a checkpoint of another log")
    witness.verifier.check(note)
    line = witness.verifier.key.lines_of(note)[-1]
    return Cosigned(checkpoint=checkpoint, witness=witness.name, line=str(line))
