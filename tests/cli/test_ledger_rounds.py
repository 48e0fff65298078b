"""The rounds of `makul ledger run`: what is collected meanwhile waits, and not without end."""

import time
from contextlib import suppress
from threading import Event
from types import SimpleNamespace
from typing import cast

from makul import keeping
from makul.app.ports import StoreUnavailableError
from makul.app.ports.ledger import Cosigned
from makul.app.sequencing import Sequencer
from makul.keeping import MOST_WAITING
from makul.ledger.checkpoints import Checkpoint
from makul.trust.cosignatures import Collector

PATIENCE = 60.0
"""Seconds."""


def cosigned(number: int) -> Cosigned:
    checkpoint = Checkpoint("log.example/makul", number, bytes(32))
    return Cosigned(checkpoint=checkpoint, witness="w", line=str(number))


class Taking:
    """A sequencer that takes what was collected, once its store is there."""

    def __init__(self) -> None:
        self.away = True
        self.kept: list[int] = []

    def keep(self, lines: list[Cosigned]) -> int:
        if self.away:
            raise StoreUnavailableError("away")
        self.kept += [each.checkpoint.size for each in lines]
        return len(lines)


def test_what_waits_to_be_kept_is_bounded() -> None:
    """Who stands by for months collects all the while, and its first turn must not go on that."""
    sequencer = Taking()
    shown = [cosigned(number) for number in range(MOST_WAITING + 30)]
    collector = cast("Collector", SimpleNamespace(collect=lambda: [shown.pop(0)] if shown else []))
    stopped = Event()
    with keeping.collected(collector, stopped, pause_seconds=0.0005) as waiting:
        rounds = keeping._Rounds(cast("Sequencer", sequencer), stopped, 0, waiting)
        until = time.monotonic() + PATIENCE
        while shown:
            assert time.monotonic() < until
            with suppress(StoreUnavailableError):
                rounds._keep()
        stopped.set()
    time.sleep(0.1)  # what was taken last may be on its way into the queue
    sequencer.away = False
    rounds._keep()

    assert len(sequencer.kept) == MOST_WAITING
    assert max(sequencer.kept) == MOST_WAITING + 29
