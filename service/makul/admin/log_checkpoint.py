"""The published checkpoint of the log, on which statements and evidence files rest."""

from dataclasses import dataclass

from makul.admin.error_handling import as_operator_error
from makul.admin.errors import OperatorError, OperatorUnavailableError
from makul.app.ports.ledger import LedgerBrokenError
from makul.app.sequencer import read_published
from makul.config.settings import Settings
from makul.language.translation import translate
from makul.ledger.checkpoint import Checkpoint
from makul.store.log.tile_files import LogDirectory
from makul.trust.tlog.note_keys import NoteVerifier, public_part


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedCheckpoint:
    """The newest published checkpoint, verified by the log's key."""

    note: bytes
    checkpoint: Checkpoint
    log_key: str
    """The log's verifier key (C2SP signed-note)."""


def read_published_log(settings: Settings) -> PublishedCheckpoint:
    """Return the published checkpoint. Raises `OperatorError`."""
    ledger = settings.ledger
    if ledger is None:
        raise OperatorUnavailableError(
            translate("[ledger] is not set: name origin, key and publish in it")
        )
    try:
        with as_operator_error():
            note = LogDirectory(ledger.publish).checkpoint()
            verifier = NoteVerifier.load(public_part(ledger.key), ledger.origin)
        if note is None:
            raise OperatorUnavailableError(
                translate("there is no checkpoint yet; run: makul ledger run")
            )
        checkpoint = read_published(note, verifier, ledger.origin)
        return PublishedCheckpoint(note=note, checkpoint=checkpoint, log_key=verifier.vkey)
    except LedgerBrokenError as error:
        raise OperatorError(f"{ledger.publish}: {error}") from None
