"""Concurrent and killed sequencers: one works, and every leaf has one index."""

import os
import random
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import timedelta
from multiprocessing.synchronize import Event
from uuid import UUID, uuid4

import pytest

from makul.app.ports.ledger import Lease, Sequenced, Standby
from makul.ledger.tile_proofs import TileTree
from makul.store import Store, StoreKeys, open_store
from makul.store.db.location import DatabaseLocation, PostgresLocation
from makul.trust.tlog.note_keys import NoteSigner
from makul_testing.builders.entries import a_release
from makul_testing.builders.records import NOON
from makul_testing.exhaustive import rounds
from makul_testing.faults.killed_process import FORK, killed_after
from makul_testing.raw_sql import count, raw, read_all_rows
from makul_testing.tlog.builder import (
    LEASE,
    build_recording,
    check_ledger,
    positions,
    record_decisions,
    sequence,
    some_drafts,
)

LATER = NOON + timedelta(seconds=11)
OTHER = Lease(holder=UUID(int=2), length=LEASE.length)
KILLS = rounds(12, exhaustive=30)
PATIENCE = 60.0
"""The seconds that a process may take to start."""

Property = Callable[[str, object], None]


def kind(place: DatabaseLocation) -> str:
    """Return the kind of database."""
    return "postgresql" if isinstance(place, PostgresLocation) else "sqlite"


def test_a_lease_is_renewed_before_it_ends(store: Store, signer: NoteSigner) -> None:
    """It is renewed after half its time, even if nothing waits."""
    sequence(store, signer)
    sequence(store, signer, at=NOON + timedelta(seconds=6))

    assert store.ledger.state().held_until == NOON + timedelta(seconds=16)


@pytest.mark.usefixtures("empty_log")
def test_one_sequencer_works_and_the_other_stands_by(store: Store, signer: NoteSigner) -> None:
    """The second one waits until the lease has expired or was given up."""
    sequence(store, signer)
    record_decisions(store, 1)

    waits = store.ledger.sequence(signer, OTHER, at=NOON, batch=10)
    assert waits == Standby(until=NOON + LEASE.length)
    store.ledger.release(OTHER)
    assert isinstance(store.ledger.sequence(signer, OTHER, at=NOON, batch=10), Standby)
    store.ledger.release(LEASE)
    assert store.ledger.sequence(signer, OTHER, at=NOON, batch=10) == Sequenced(
        taken=1, size=1, more=False
    )
    record_decisions(store, 1)
    assert isinstance(store.ledger.sequence(signer, LEASE, at=NOON, batch=10), Standby)
    assert sequence(store, signer, at=LATER).size == 2


@pytest.mark.usefixtures("empty_log")
def test_two_active_sequencers_are_still_correct(
    store: Store, place: DatabaseLocation, signer: NoteSigner
) -> None:
    """The lease only chooses; the head's lock decides, so clocks that differ by a day
    are harmless.
    """
    ids = iter([uuid4() for _ in range(240)])
    guard = threading.Lock()
    leaf_counts: list[int] = []

    def take(clock: int, lease: Lease) -> None:
        for turn in range(60):
            with guard:
                disclosure_ids = [next(ids) for _ in range(2)]
            for disclosure_id in disclosure_ids:
                store.recorder.record(a_release(disclosure_id=disclosure_id))
            at = NOON + timedelta(days=clock * turn)
            result = store.ledger.sequence(signer, lease, at=at, batch=7)
            leaf_counts.append(result.taken if isinstance(result, Sequenced) else 0)

    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(take, 1, LEASE), pool.submit(take, 2, OTHER)]:
            future.result()
    store.ledger.release(LEASE)
    store.ledger.release(OTHER)
    leaf_counts.append(sequence(store, signer, at=NOON).taken)

    assert sum(leaf_counts) == 240
    assert positions(place) == list(range(240))
    assert count(place, "ledger_queue") == 0


@dataclass(frozen=True)
class Bell:
    """A signal between a test and the process of a sequencer."""

    started: Event = field(default_factory=FORK.Event)
    stop: Event = field(default_factory=FORK.Event)


def keep_sequencing(
    place: DatabaseLocation, keys: StoreKeys, signer: NoteSigner, lease: Lease, bell: Bell
) -> None:
    """Sequence like a separate process, without waiting between rounds."""
    store = open_store(place, keys, who="sequencer")
    at = NOON
    while not bell.stop.is_set():
        store.ledger.sequence(signer, lease, at=at, batch=3)
        bell.started.set()
        at += timedelta(seconds=1)
    store.close()


@pytest.mark.usefixtures("empty_log")
def test_two_sequencers_run_beside_writers(
    store: Store,
    place: DatabaseLocation,
    keys: StoreKeys,
    signer: NoteSigner,
    record_property: Property,
) -> None:
    """The leases are too short to exclude each other; no leaf is lost or sequenced twice."""
    bell = Bell()
    store.close()
    leases = [Lease(holder=uuid4(), length=timedelta(0)) for _ in range(2)]
    workers = [
        FORK.Process(target=keep_sequencing, args=(place, keys, signer, lease, bell))
        for lease in leases
    ]
    for worker in workers:
        worker.start()
    with ThreadPoolExecutor(4) as pool:
        for _ in pool.map(lambda _: record_decisions(store, 25), range(8)):
            pass
    bell.stop.set()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    sequence(store, signer, at=NOON + timedelta(days=365))

    assert positions(place) == list(range(200))
    assert count(place, "ledger_queue") == 0
    with raw(place) as connection:
        (holders,) = connection.execute("SELECT count(*) FROM checkpoint").fetchone()
    assert holders > 2
    record_property(
        "faults",
        f"two sequencers at once beside writers [{kind(place)}]: 200 leaves in {holders} trees,"
        " 0 lost, 0 doubled",
    )


@pytest.mark.usefixtures("empty_log")
def test_leaves_are_sequenced_in_any_order_of_commits(
    store: Store, place: DatabaseLocation, signer: NoteSigner
) -> None:
    """Ids come from many clocks; an older one that commits late must not be skipped."""
    ids = sorted(uuid4() for _ in range(40))
    dice = random.Random(6962)  # noqa: S311 -- an order, not a secret
    dice.shuffle(ids)
    for start in range(0, 40, 5):
        for disclosure_id in ids[start : start + 5]:
            store.recorder.record(a_release(disclosure_id=disclosure_id))
        assert sequence(store, signer).taken == 5

    assert positions(place) == list(range(40))
    assert all(store.ledger.inclusion(each) is not None for each in ids)


def sequence_and_die(
    place: DatabaseLocation, keys: StoreKeys, signer: NoteSigner, after: int
) -> bool:
    """Sequence in a child that is killed after its nth change; return whether there was an nth."""

    def work() -> None:
        opened = open_store(place, keys, who="sequencer")
        lease = Lease(holder=uuid4(), length=timedelta(0))
        opened.ledger.sequence(signer, lease, at=LATER, batch=1_000)

    return killed_after(after, work)


@pytest.mark.usefixtures("empty_log")
def test_a_killed_sequencer_changes_nothing(
    store: Store, place: DatabaseLocation, keys: StoreKeys, signer: NoteSigner
) -> None:
    """No row of any table differs after a kill at each change, also over the edge of a tile."""
    record_decisions(store, 250)
    sequence(store, signer)
    record_decisions(store, 20)
    store.close()
    before = read_all_rows(place)
    after = 1
    while sequence_and_die(place, keys, signer, after):
        assert read_all_rows(place) == before
        after += 1

    assert after > 6  # indexes, three tiles, queue, head, checkpoint
    assert positions(place) == list(range(270))


def test_kills_lose_no_leaf(
    place: DatabaseLocation, keys: StoreKeys, signer: NoteSigner, record_property: Property
) -> None:
    """Kill -9 comes at random moments under load; no leaf is lost, and none has two indexes."""
    dice = random.Random(20261127)  # noqa: S311 -- the moments of the kills, not a secret
    store = open_store(place, keys, who="operator")
    office = build_recording(store)
    roots: dict[int, bytes] = {}
    for _ in range(KILLS):
        for draft in some_drafts():
            office.record_and_render(draft)
        store.close()
        bell = Bell()
        lease = Lease(holder=uuid4(), length=timedelta(0))
        worker = FORK.Process(target=keep_sequencing, args=(place, keys, signer, lease, bell))
        worker.start()
        assert bell.started.wait(PATIENCE)
        worker.join(dice.uniform(0, 0.02))
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGKILL)
        worker.join()
        latest = store.ledger.latest()
        if latest is not None:
            roots[latest.size] = latest.root
    recorded = KILLS * len(some_drafts()) + count(place, "act")
    waited = store.ledger.state().waiting
    sequence(store, signer, at=NOON + timedelta(days=365))

    report = check_ledger(store, signer)
    assert report.finding is None
    assert (report.size, report.checked) == (recorded, recorded)
    assert positions(place) == list(range(recorded))
    for size, root in roots.items():
        assert TileTree(size, store.ledger.tile).root() == root
    record_property(
        "faults",
        f"kill -9 of a sequencer x{KILLS} [{kind(place)}]: {recorded} leaves,"
        f" {recorded - waited} placed meanwhile, {len(roots)} trees seen; 0 lost, 0 doubled",
    )
