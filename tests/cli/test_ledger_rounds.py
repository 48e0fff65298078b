"""The rounds of `makul ledger run`: cosignatures that wait to be stored are bounded."""

from threading import Event
from typing import cast

import pytest

from makul.admin.sequencer_rounds import MOST_WAITING, SequencerRounds, Waiting
from makul.app.ports import StoreUnavailableError
from makul.app.ports.ledger import Cosigned
from makul.app.sequencer import Sequencer
from makul.ledger.checkpoint import Checkpoint


def cosigned(number: int) -> Cosigned:
    checkpoint = Checkpoint("log.example/makul", number, bytes(32))
    return Cosigned(checkpoint=checkpoint, witness="w", line=str(number))


class Taking:
    """A sequencer that stores the collected lines when its store is reachable."""

    def __init__(self, waiting: Waiting) -> None:
        self.away = True
        self.sizes: list[int] = []
        self.meanwhile: list[int] = []
        self._waiting = waiting

    def keep(self, lines: list[Cosigned]) -> int:
        for number in self.meanwhile:
            self._waiting.add(cosigned(number))
        if self.away:
            raise StoreUnavailableError("away")
        self.sizes += [each.checkpoint.size for each in lines]
        return len(lines)


def rounds() -> tuple[Waiting, Taking, SequencerRounds]:
    waiting = Waiting()
    sequencer = Taking(waiting)
    return waiting, sequencer, SequencerRounds(cast("Sequencer", sequencer), Event(), 0, waiting)


def test_waiting_cosignatures_are_bounded() -> None:
    """A standby collects for months, and must not spend its first turn on all lines."""
    waiting, sequencer, turn = rounds()
    for number in range(MOST_WAITING + 30):
        waiting.add(cosigned(number))
        with pytest.raises(StoreUnavailableError):
            turn._keep()
    sequencer.away = False
    turn._keep()
    turn._keep()

    assert sequencer.sizes == list(range(30, MOST_WAITING + 30))


def test_the_newest_cosignature_is_kept() -> None:
    """It is not replaced by older lines that could not be stored."""
    waiting, sequencer, turn = rounds()
    for number in range(MOST_WAITING):
        waiting.add(cosigned(number))
    sequencer.meanwhile = [MOST_WAITING, MOST_WAITING + 1]
    with pytest.raises(StoreUnavailableError):
        turn._keep()
    sequencer.away, sequencer.meanwhile = False, []
    turn._keep()

    assert sequencer.sizes == list(range(2, MOST_WAITING + 2))
