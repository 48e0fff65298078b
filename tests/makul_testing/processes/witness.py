"""A witness of a ledger in a directory, and what it has cosigned."""

from datetime import UTC, datetime

from makul.ledger.checkpoint import parse_checkpoint_unsafe
from makul.ledger.signed_note import (
    parse_note,
)
from makul.trust.tlog.note_keys import Cosigner
from makul.witness.log_source import open_source
from makul.witness.state import WitnessStateDir
from makul.witness.witness import WitnessProgram
from makul_testing.tlog.published import PublishedLog

AT = datetime(2026, 11, 27, 12, 0, 0, tzinfo=UTC)


def a_witness(
    log: PublishedLog,
    cosigner: Cosigner,
    state: WitnessStateDir,
    *,
    place: str | None = None,
    from_start: bool = False,
) -> WitnessProgram:
    return WitnessProgram(
        source=open_source(place if place is not None else str(log.directory)),
        log=log.verifier,
        cosigner=cosigner,
        state=state,
        clock=lambda: AT,
        from_start=from_start,
    )


def cosigned_size(state: WitnessStateDir) -> int:
    shown = state.shown()
    assert shown is not None
    return parse_checkpoint_unsafe(parse_note(shown).text).size


def assert_not_cosigned(witness: WitnessProgram, before: bytes | None) -> None:
    """Assert that the published and the stored checkpoint are unchanged."""
    assert witness.state.shown() == before
    head = witness.state.head(witness.log, witness.cosigner.verifier)
    assert (head.note if head is not None else None) == before
