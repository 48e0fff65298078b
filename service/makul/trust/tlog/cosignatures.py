"""Collect the cosignatures of our log that witnesses publish.

A witness is read at the URL, or from the file, that the operator configured. It publishes one of
our own checkpoints with its line beneath. Both signatures are verified, ours first, before anything
is stored. Nothing that a witness states stops the log, but a statement that our own key signed may
stop it.
"""

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from makul.app.ports.ledger import CosignedCheckpoint
from makul.language.translation import translate, translate_error
from makul.ledger.checkpoint import parse_checkpoint_unsafe
from makul.ledger.signed_note import MAX_NOTE, parse_note
from makul.net.fetcher import Fetcher, FetchError
from makul.net.files import FileError, read_bounded
from makul.trust.tlog.note_keys import CosignatureVerifier, NoteVerifier

log = logging.getLogger(__name__)

WITNESS_SECONDS = 10.0
"""The time limit for one witness and at most 64 KiB. Witnesses are asked one after the other, apart
from sequencing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessEndpoint:
    """A witness whose cosignatures are collected, and the URL or file that publishes them."""

    verifier: CosignatureVerifier
    url: str | None = None
    """The URL of its cosigned checkpoint, such as `https://witness.example/checkpoint`."""
    file: Path | None = None

    @property
    def name(self) -> str:
        """The name under which its lines are stored.

        It includes the key id, so a renewed key of the same name is another witness.
        """
        key = self.verifier.key
        return f"{key.name}+{key.key_id.hex()}"


class Collector:
    """The collector that asks each witness in turn, and skips what has not changed."""

    def __init__(
        self,
        ours: NoteVerifier,
        witnesses: Sequence[WitnessEndpoint],
        *,
        seconds: float = WITNESS_SECONDS,
    ) -> None:
        """Prepare to collect; `seconds` is the time limit for one witness."""
        self._ours = ours
        self._witnesses = witnesses
        self._fetch = Fetcher(seconds)
        self._shown: dict[str, bytes] = {}
        self._reported: dict[str, str] = {}

    def collect(self) -> Iterator[CosignedCheckpoint]:
        """Yield the new cosignatures. If a witness publishes nothing good, log the reason once."""
        for witness in self._witnesses:
            try:
                document = self._fetch_lines(witness)
                if document == self._shown.get(witness.name):
                    continue
                cosigned = verified(document, self._ours, witness)
            except (FetchError, ValueError) as error:
                # The thread that collects speaks English, as the log does.
                self._report_once(witness.name, translate_error(error))
                continue
            self._shown[witness.name] = document
            self._report_once(witness.name, "")
            yield cosigned

    def _fetch_lines(self, witness: WitnessEndpoint) -> bytes:
        """Return what a witness publishes; raise `FetchError` if it cannot be read."""
        if witness.url is not None:
            return self._fetch(witness.url, None, MAX_NOTE)
        if witness.file is None:
            raise FetchError(translate("neither an address nor a file"))
        try:
            return read_bounded(witness.file, MAX_NOTE)
        except FileError as error:
            raise FetchError(str(error)) from None

    def _report_once(self, name: str, why: str) -> None:
        if why and self._reported.get(name) != why:
            log.warning("witness %s: %s", name, why)
        self._reported[name] = why


def verified(document: bytes, ours: NoteVerifier, witness: WitnessEndpoint) -> CosignedCheckpoint:
    """Return a checkpoint of ours that this witness cosigned, with its line.

    Raises `ValueError` if the document is not such a checkpoint.
    """
    note = parse_note(document)
    ours.check(note)
    checkpoint = parse_checkpoint_unsafe(note.text)
    if checkpoint.origin != ours.key.name:
        raise ValueError(translate("a checkpoint of another log"))
    witness.verifier.check(note)
    line = witness.verifier.key.find_lines(note)[-1]
    return CosignedCheckpoint(checkpoint=checkpoint, witness=witness.name, line=str(line))
