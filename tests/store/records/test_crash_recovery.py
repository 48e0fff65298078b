"""Acknowledged records survive a kill -9 at any moment, and no record is half written."""

import os
import random
import signal
import time
from collections.abc import Iterator
from multiprocessing.connection import Connection
from uuid import UUID

import pytest

from makul.app.ports import Committed, Entry, QuotaUse, Replay
from makul.domain.disclosures import GroundUse
from makul.store import StoreKeys, open_store
from makul.store.db.location import DatabaseLocation
from makul_testing.builders.entries import a_comparison, a_metered_release, receipt_from
from makul_testing.builders.records import (
    BANK,
    FINGERPRINT,
    a_caller,
    a_consent,
    a_mark,
    an_evidence,
)
from makul_testing.faults.killed_process import FORK, die, killed_after
from makul_testing.raw_sql import count, raw, read_all_rows

ROUNDS = 12


@pytest.fixture
def entry() -> Entry:
    """Build an entry that writes to every table."""
    return a_metered_release(
        a_consent(),
        QuotaUse(quota=10),
        a_comparison(),
        evidence=(an_evidence(),),
        certificate=FINGERPRINT,
        mark=a_mark(),
    )


def record_until_killed(
    place: DatabaseLocation, keys: StoreKeys, acknowledgements: Connection
) -> None:
    store = open_store(place, keys, who="operator")
    while True:
        entry = a_metered_release(a_consent(), evidence=(an_evidence(),))
        if store.recorder.record(entry) == Committed():
            acknowledgements.send(entry.disclosure_id)


def acknowledged(acknowledgements: Connection) -> Iterator[UUID]:
    """Return what a worker had acknowledged before it died."""
    try:
        while True:
            yield acknowledgements.recv()
    except EOFError:
        return


def test_acknowledged_records_survive(place: DatabaseLocation, keys: StoreKeys) -> None:
    """No acknowledged record is lost, and no disclosure lacks its leaf, key or usage."""
    dice = random.Random(20261102)  # noqa: S311 -- the moments of the kills, not a secret
    known: set[UUID] = set()
    for _ in range(ROUNDS):
        mine, theirs = FORK.Pipe(duplex=False)
        worker = FORK.Process(target=record_until_killed, args=(place, keys, theirs))
        worker.start()
        theirs.close()
        known.add(mine.recv())
        time.sleep(dice.uniform(0, 0.01))
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGKILL)
        known.update(acknowledged(mine))
        worker.join()

    with raw(place) as connection:
        rows = connection.execute("SELECT disclosure_id FROM disclosure").fetchall()
    recorded = {UUID(bytes=disclosure_id) for (disclosure_id,) in rows}
    assert known <= recorded
    assert len(recorded) - len(known) <= ROUNDS
    for table in ("request_key", "ground_use"):
        assert count(place, table) == len(recorded)
    for table in ("ledger_leaf", "ledger_queue"):
        assert count(place, table) == len(recorded) + count(place, "act")


def record_and_die(place: DatabaseLocation, keys: StoreKeys, entry: Entry, after: int) -> None:
    """Record in a child that is killed after its nth change, or after the commit.

    The dictionary that compresses the record is stored first, in a separate transaction.
    """

    def work() -> None:
        open_store(place, keys, who="operator").recorder.record(entry)
        die()

    keep_dictionary(place, keys, entry)

    assert killed_after(after, work)


def keep_dictionary(place: DatabaseLocation, keys: StoreKeys, entry: Entry) -> None:
    store = open_store(place, keys, who="operator")
    compressor = store.recorder._cipher.compressor
    assert compressor is not None
    compressor.dictionary_for(entry.receipt)
    compressor.dictionary_for(entry.receipt, entry.answer)
    store.close()


CHANGES = 13
"""Mark, request key, budget of evidence (tried, then created), ground usage (likewise), quota
(likewise), disclosure, leaf, its wait, evidence, use of the service.
"""


@pytest.mark.parametrize("after", range(1, CHANGES + 1))
def test_a_kill_before_the_commit_leaves_nothing(
    place: DatabaseLocation, keys: StoreKeys, entry: Entry, after: int
) -> None:
    """No row of any table differs after a kill at each change of the transaction."""
    before = read_all_rows(place)

    record_and_die(place, keys, entry, after)

    assert read_all_rows(place) == before
    store = open_store(place, keys, who="operator")
    assert store.recorder.record(entry) == Committed()
    store.close()


def test_a_kill_after_the_commit_loses_nothing(
    place: DatabaseLocation, keys: StoreKeys, entry: Entry
) -> None:
    """The commit is the moment: a store opened afterwards holds the whole decision."""
    record_and_die(place, keys, entry, CHANGES + 1)

    store = open_store(place, keys, who="operator")
    assert store.register.receipt(BANK, entry.key.request_id) == receipt_from(entry)
    assert store.recorder.replay(entry.key, a_caller(), at=entry.facts.at) == Replay(entry.answer)
    ground = entry.decision.ground
    assert ground is not None
    assert store.register.use(BANK, ground) == GroundUse(used=1)
    store.close()
