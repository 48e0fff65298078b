"""The rounds of `makul ledger run`: cosignatures that wait to be stored are bounded."""

from threading import Event
from typing import cast

import pytest

from makul.admin.sequencer_rounds import MAX_BUFFERED, CosignatureBuffer, SequencerRounds
from makul.app.ports import StoreUnavailableError
from makul.app.ports.ledger import CosignedCheckpoint
from makul.app.sequencer import Sequencer
from makul.ledger.checkpoint import Checkpoint


def cosigned(number: int) -> CosignedCheckpoint:
    checkpoint = Checkpoint("log.example/makul", number, bytes(32))
    return CosignedCheckpoint(checkpoint=checkpoint, witness="w", line=str(number))


class FakeSequencer:
    """A sequencer that stores the collected lines when its store is reachable."""

    def __init__(self, buffer: CosignatureBuffer) -> None:
        self.away = True
        self.sizes: list[int] = []
        self.meanwhile: list[int] = []
        self._buffer = buffer

    def keep(self, lines: list[CosignedCheckpoint]) -> int:
        for number in self.meanwhile:
            self._buffer.add(cosigned(number))
        if self.away:
            raise StoreUnavailableError("away")
        self.sizes += [each.checkpoint.size for each in lines]
        return len(lines)


def rounds() -> tuple[CosignatureBuffer, FakeSequencer, SequencerRounds]:
    buffer = CosignatureBuffer()
    sequencer = FakeSequencer(buffer)
    return buffer, sequencer, SequencerRounds(cast("Sequencer", sequencer), Event(), 0, buffer)


def test_waiting_cosignatures_are_bounded() -> None:
    """A standby collects for months, and must not spend its first turn on all lines."""
    buffer, sequencer, turn = rounds()
    for number in range(MAX_BUFFERED + 30):
        buffer.add(cosigned(number))
        with pytest.raises(StoreUnavailableError):
            turn._store_cosignatures()
    sequencer.away = False
    turn._store_cosignatures()
    turn._store_cosignatures()

    assert sequencer.sizes == list(range(30, MAX_BUFFERED + 30))


def test_the_newest_cosignature_is_kept() -> None:
    """It is not replaced by older lines that could not be stored."""
    buffer, sequencer, turn = rounds()
    for number in range(MAX_BUFFERED):
        buffer.add(cosigned(number))
    sequencer.meanwhile = [MAX_BUFFERED, MAX_BUFFERED + 1]
    with pytest.raises(StoreUnavailableError):
        turn._store_cosignatures()
    sequencer.away, sequencer.meanwhile = False, []
    turn._store_cosignatures()

    assert sequencer.sizes == list(range(2, MAX_BUFFERED + 2))
