"""The sequencing transaction: every leaf has one place, whoever is killed and whoever races."""

import os
import random
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from datetime import timedelta
from multiprocessing.synchronize import Event
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from alembic import command

from makul.app.ports import Committed, StoreUnavailableError
from makul.app.ports.ledger import Lease, LedgerBrokenError, Sequenced, StandingBy
from makul.ledger.checkpoints import parse_checkpoint_unsafe
from makul.ledger.merkle import EMPTY_ROOT, verify_consistency, verify_inclusion
from makul.ledger.proofs import TileTree
from makul.store import Store, StoreKeys, open_store, upgrade_store
from makul.store.engine import Transaction
from makul.store.ledger import StoreLedger
from makul.store.opening import database_at
from makul.store.places import Place, PostgresPlace
from makul.store.schema import migrate
from makul.store.sqlite import SqliteDatabase
from makul.trust.notes import NoteSigner, NoteVerifier
from support.killed import FORK, killed_after
from support.ledger import (
    DELAY,
    LEASE,
    ORIGIN,
    a_note_signer,
    checked,
    leaf_ids,
    recording,
    sequence,
    some_drafts,
)
from support.records import NOON, a_release
from support.sql import count, everything, raw

LATER = NOON + timedelta(seconds=11)
OTHER = Lease(holder=UUID(int=2), length=LEASE.length)
KILLS = 30
PATIENCE = 60.0
"""Seconds for a process to start."""

Property = Callable[[str, object], None]


def kind(place: Place) -> str:
    """Which database it is."""
    return "postgresql" if isinstance(place, PostgresPlace) else "sqlite"


@pytest.fixture
def signer(tmp_path: Path) -> NoteSigner:
    return a_note_signer(tmp_path)


def record(store: Store, number: int) -> list[UUID]:
    """So many decisions, in an order that is not that of their ids."""
    ids = [uuid4() for _ in range(number)]
    for disclosure_id in ids:
        assert store.recorder.record(a_release(disclosure_id=disclosure_id)) == Committed()
    return ids


def positions(place: Place) -> list[int]:
    with raw(place) as connection:
        rows = connection.execute("SELECT position FROM ledger_position ORDER BY position")
        return [position for (position,) in rows]


def test_every_leaf_gets_a_place_that_can_be_proved(store: Store, signer: NoteSigner) -> None:
    """Its audit path leads to the root that was signed (RFC 9162, 2.1.3.2)."""
    ids = record(store, 300)

    assert sequence(store, signer) == Sequenced(taken=300, size=300, more=False)

    leaves = {row.disclosure_id: row.leaf_hash for row in _rows(store)}
    places = set()
    for disclosure_id in ids:
        found = store.ledger.inclusion(disclosure_id)
        assert found is not None
        signed = parse_checkpoint_unsafe(NoteVerifier(key=signer.key).verify(found.note))
        assert (signed.origin, signed.size) == (ORIGIN, found.size)
        assert verify_inclusion(
            leaves[disclosure_id],
            index=found.index,
            size=found.size,
            proof=found.proof,
            root=signed.root,
        )
        places.add(found.index)
    assert places == set(range(300))


def _rows(store: Store) -> list[object]:
    return list(store.desk.disclosures(recipient=None, since=None, limit=10_000))


def test_what_waits_has_no_proof_yet(store: Store, signer: NoteSigner) -> None:
    """Neither a leaf in the queue nor a decision that there is not."""
    (waiting,) = record(store, 1)

    assert store.ledger.inclusion(waiting) is None
    sequence(store, signer)
    assert store.ledger.inclusion(waiting) is not None
    assert store.ledger.inclusion(uuid4()) is None


def test_the_empty_log_is_signed_as_well(store: Store, signer: NoteSigner) -> None:
    """Witnesses can begin before the first decision."""
    sequence(store, signer)

    latest = store.ledger.latest()
    assert latest is not None
    assert (latest.size, latest.root) == (0, EMPTY_ROOT)


def test_a_batch_is_bounded(store: Store, signer: NoteSigner) -> None:
    """Each is a transaction and a checkpoint of its own; `more` says whether to go on."""
    record(store, 5)

    done = [store.ledger.sequence(signer, LEASE, at=NOON, batch=2) for _ in range(4)]

    assert done == [
        Sequenced(taken=2, size=2, more=True),
        Sequenced(taken=2, size=4, more=True),
        Sequenced(taken=1, size=5, more=False),
        Sequenced(taken=0, size=5, more=False),
    ]


def test_each_tree_only_appends_to_the_one_before(store: Store, signer: NoteSigner) -> None:
    """Over tiles that fill up (RFC 9162, 2.1.4.2)."""
    known = []
    for number in (1, 254, 1, 1, 255, 40):
        record(store, number)
        sequence(store, signer)
        known.append(store.ledger.latest())
    newest = known[-1]
    assert newest is not None
    tree = TileTree(newest.size, store.ledger.tile)
    for old in known:
        assert old is not None
        assert verify_consistency(
            old_size=old.size,
            old_root=old.root,
            new_size=newest.size,
            new_root=newest.root,
            proof=tree.consistency_proof(old.size),
        )


def test_where_nothing_waits_nothing_is_written(
    store: Store, place: Place, signer: NoteSigner
) -> None:
    """Rounds come every second: an idle one takes nobody's turn to write."""
    record(store, 3)
    sequence(store, signer)
    before = everything(place)

    assert sequence(store, signer, at=NOON + timedelta(seconds=4)).taken == 0

    assert everything(place) == before


def test_after_a_transaction_that_could_not_be_told_the_next_round_writes(
    store: Store, place: Place, signer: NoteSigner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A commit that was cut off may be seen, and lie on one copy: it is published once another has
    followed it to the replica, and not because nothing seems to be left to do.
    """
    record(store, 1)
    database = database_at(place)
    ledger, perform, told = StoreLedger(database), database.perform, [False, True, True]

    def cut_off(work: Callable[[Transaction], object], **more: Any) -> object:
        done = perform(work, **more)
        if not told.pop(0):
            raise StoreUnavailableError("the connection broke after the commit")
        return done

    monkeypatch.setattr(database, "perform", cut_off)
    with pytest.raises(StoreUnavailableError):
        ledger.sequence(signer, LEASE, at=NOON, batch=10)

    for _ in range(3):
        assert ledger.sequence(signer, LEASE, at=NOON, batch=10) == Sequenced(
            taken=0, size=1, more=False
        )
    database.close()

    assert len(told) == 1


def test_a_lease_is_renewed_before_it_ends(store: Store, signer: NoteSigner) -> None:
    """Past its half, though nothing waits."""
    sequence(store, signer)
    sequence(store, signer, at=NOON + timedelta(seconds=6))

    assert store.ledger.state().held_until == NOON + timedelta(seconds=16)


def test_one_works_and_the_other_stands_by(store: Store, signer: NoteSigner) -> None:
    """Until the lease has run out, or was given up."""
    sequence(store, signer)
    record(store, 1)

    waits = store.ledger.sequence(signer, OTHER, at=NOON, batch=10)
    assert waits == StandingBy(until=NOON + LEASE.length)
    store.ledger.release(OTHER)
    assert isinstance(store.ledger.sequence(signer, OTHER, at=NOON, batch=10), StandingBy)
    store.ledger.release(LEASE)
    assert store.ledger.sequence(signer, OTHER, at=NOON, batch=10) == Sequenced(
        taken=1, size=1, more=False
    )
    record(store, 1)
    assert isinstance(store.ledger.sequence(signer, LEASE, at=NOON, batch=10), StandingBy)
    assert sequence(store, signer, at=LATER).size == 2


def test_two_that_both_think_it_is_their_turn_are_still_correct(
    store: Store, place: Place, signer: NoteSigner
) -> None:
    """The lease chooses, the head's lock decides: clocks that differ by a day change nothing."""
    ids = iter([uuid4() for _ in range(240)])
    guard = threading.Lock()
    taken: list[int] = []

    def take(clock: int, lease: Lease) -> None:
        for turn in range(60):
            with guard:
                wanted = [next(ids) for _ in range(2)]
            for disclosure_id in wanted:
                store.recorder.record(a_release(disclosure_id=disclosure_id))
            at = NOON + timedelta(days=clock * turn)
            done = store.ledger.sequence(signer, lease, at=at, batch=7)
            taken.append(done.taken if isinstance(done, Sequenced) else 0)

    with ThreadPoolExecutor(2) as pool:
        for future in [pool.submit(take, 1, LEASE), pool.submit(take, 2, OTHER)]:
            future.result()
    store.ledger.release(LEASE)
    store.ledger.release(OTHER)
    taken.append(sequence(store, signer, at=NOON).taken)

    assert sum(taken) == 240
    assert positions(place) == list(range(240))
    assert count(place, "ledger_queue") == 0


@dataclass(frozen=True)
class Bell:
    """Between a test and the process of a sequencer."""

    started: Event = field(default_factory=FORK.Event)
    stop: Event = field(default_factory=FORK.Event)


def keep_sequencing(
    place: Place, keys: StoreKeys, signer: NoteSigner, lease: Lease, bell: Bell
) -> None:
    """As a process of its own would, without waiting between rounds."""
    store = open_store(place, keys, who="sequencer")
    at = NOON
    while not bell.stop.is_set():
        store.ledger.sequence(signer, lease, at=at, batch=3)
        bell.started.set()
        at += timedelta(seconds=1)
    store.close()


def test_two_processes_beside_writers(
    store: Store, place: Place, keys: StoreKeys, signer: NoteSigner, record_property: Property
) -> None:
    """Each with a lease too short to keep the other out: no leaf is lost, none comes twice."""
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
        for _ in pool.map(lambda _: record(store, 25), range(8)):
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


def test_leaves_are_taken_whatever_order_they_commit_in(
    store: Store, place: Place, signer: NoteSigner
) -> None:
    """Ids come from many clocks: an older one that commits late must not fall behind the head."""
    ids = sorted(uuid4() for _ in range(40))
    dice = random.Random(6962)  # noqa: S311 -- an order, not a secret
    dice.shuffle(ids)
    for start in range(0, 40, 5):
        for disclosure_id in ids[start : start + 5]:
            store.recorder.record(a_release(disclosure_id=disclosure_id))
        assert sequence(store, signer).taken == 5

    assert positions(place) == list(range(40))
    assert all(store.ledger.inclusion(each) is not None for each in ids)


def sequence_and_die(place: Place, keys: StoreKeys, signer: NoteSigner, after: int) -> bool:
    """Sequence in a child that is killed after its nth change; was there an nth?"""

    def work() -> None:
        opened = open_store(place, keys, who="sequencer")
        lease = Lease(holder=uuid4(), length=timedelta(0))
        opened.ledger.sequence(signer, lease, at=LATER, batch=1_000)

    return killed_after(after, work)


def test_killed_in_the_middle_nothing_is_done(
    store: Store, place: Place, keys: StoreKeys, signer: NoteSigner
) -> None:
    """After each change in turn, over the edge of a tile: not a row of any table differs."""
    record(store, 250)
    sequence(store, signer)
    record(store, 20)
    store.close()
    before = everything(place)
    after = 1
    while sequence_and_die(place, keys, signer, after):
        assert everything(place) == before
        after += 1

    assert after > 6  # places, three tiles, queue, head, checkpoint
    assert positions(place) == list(range(270))


def test_killed_thirty_times_under_way(
    place: Place, keys: StoreKeys, signer: NoteSigner, record_property: Property
) -> None:
    """Kill -9 at random moments while decisions come in: none is lost, none has two places."""
    dice = random.Random(20261127)  # noqa: S311 -- the moments of the kills, not a secret
    store = open_store(place, keys, who="operator")
    office = recording(store)
    roots: dict[int, bytes] = {}
    for _ in range(KILLS):
        for draft in some_drafts():
            office.settle(draft)
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
    recorded = KILLS * len(some_drafts())
    waited = store.ledger.state().waiting
    sequence(store, signer, at=NOON + timedelta(days=365))

    report = checked(store, signer)
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


@pytest.mark.parametrize(
    ("spoil", "why"),
    [
        ("UPDATE ledger_tile SET hashes = $", "root of its head"),
        ("UPDATE ledger_tile SET hashes = substr(hashes, 1, 32)", "another length"),
        ("DELETE FROM ledger_tile", "not there"),
        ("UPDATE ledger_head SET size = size - 1", "root of its head"),
        ("UPDATE ledger_head SET root = $", "root of its head"),
        ("DELETE FROM ledger_head", "no head"),
    ],
)
def test_a_log_that_does_not_fit_itself_is_not_appended_to(
    store: Store, place: Place, signer: NoteSigner, spoil: str, why: str
) -> None:
    """Whatever was signed then would be a second history. Nothing changes; somebody must look."""
    record(store, 5)
    sequence(store, signer)
    record(store, 1)
    by_hand(place, spoil, *([bytes(5 * 32)] if "$" in spoil else []))
    before = everything(place)

    with pytest.raises(LedgerBrokenError, match=why):
        store.ledger.sequence(signer, LEASE, at=LATER, batch=10)

    assert everything(place) == before


@pytest.mark.parametrize(
    "spoil", ["DELETE FROM ledger_tile", "UPDATE ledger_tile SET hashes = substr(hashes, 1, 32)"]
)
def test_a_log_that_gives_no_proof_is_told_apart_from_a_store_that_is_away(
    store: Store, place: Place, signer: NoteSigner, spoil: str
) -> None:
    """GetReceipt then gives a receipt without its proof; of a store that is away it gives none."""
    first, *_ = record(store, 5)
    sequence(store, signer)
    by_hand(place, spoil)

    with pytest.raises(LedgerBrokenError):
        store.ledger.inclusion(first)


def by_hand(place: Place, sql: str, *values: object) -> None:
    """As a superuser would, on either database."""
    with raw(place) as connection:
        mark = "%s" if isinstance(place, PostgresPlace) else "?"
        assert connection.execute(sql.replace("$", mark), values).rowcount > 0


def test_a_place_beyond_the_end_stops_the_log(
    store: Store, place: Place, signer: NoteSigner
) -> None:
    """Somebody wrote it by hand: the next leaf would get a place that is taken, or leave a gap."""
    record(store, 2)
    by_hand(place, "INSERT INTO ledger_position SELECT disclosure_id, 7 FROM ledger_leaf LIMIT 1")

    with pytest.raises(LedgerBrokenError, match="beyond the log's end"):
        sequence(store, signer)


def test_strays_in_the_queue_do_not_stop_the_log(
    store: Store, place: Place, signer: NoteSigner
) -> None:
    """A leaf that has its place, and one that there is not: both stay, and both are told of."""
    record(store, 2)
    sequence(store, signer)
    by_hand(place, "INSERT INTO ledger_queue SELECT disclosure_id FROM ledger_leaf LIMIT 1")
    by_hand(place, "INSERT INTO ledger_queue VALUES ($)", bytes(16))
    record(store, 3)

    assert sequence(store, signer).size == 5
    assert positions(place) == list(range(5))
    assert store.ledger.state().waiting == 2


def test_the_state_tells_what_waits_and_since_when(store: Store, signer: NoteSigner) -> None:
    """For whoever watches the lag."""
    sequence(store, signer)
    store.recorder.record(a_release(decided_at=NOON + timedelta(seconds=9)))
    store.recorder.record(a_release(decided_at=NOON + timedelta(seconds=5)))

    state = store.ledger.state()

    assert (state.size, state.waiting) == (0, 2)
    assert state.waiting_since == NOON + timedelta(seconds=5)
    assert (state.checkpoint_size, state.checkpoint_at) == (0, NOON)
    assert state.holder == LEASE.holder


def test_a_proof_comes_with_the_tree_that_most_witnesses_cosigned(
    store: Store, signer: NoteSigner
) -> None:
    """Of the late ones that hold the leaf; before any is cosigned, the newest."""
    first, *_ = record(store, 2)
    sequence(store, signer)
    second, *_ = record(store, 1)
    sequence(store, signer)
    last, *_ = record(store, 1)
    sequence(store, signer)
    sizes: Callable[[UUID], int | None] = lambda each: getattr(  # noqa: E731
        store.ledger.inclusion(each), "size", None
    )
    assert [sizes(each) for each in (first, second, last)] == [4, 4, 4]

    kept = store.ledger.keep_cosignatures(2, {"a": "\u2014 a AA==", "b": "\u2014 b AA=="}, at=NOON)
    assert kept == 2
    assert store.ledger.keep_cosignatures(3, {"a": "\u2014 a AA=="}, at=NOON) == 1
    assert store.ledger.keep_cosignatures(3, {"a": "\u2014 a AB=="}, at=NOON) == 0

    assert [sizes(each) for each in (first, second, last)] == [2, 3, 4]
    found = store.ledger.inclusion(first)
    assert found is not None
    assert found.note.endswith("\n\u2014 a AA==\n\u2014 b AA==\n".encode())
    assert store.ledger.state().cosigned_size == 3


def test_leaves_of_before_the_ledger_wait_like_new_ones(
    tmp_path: Path, signer: NoteSigner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An older store that is brought up to date loses nothing."""
    path = tmp_path / "old.db"
    path.touch()
    newest = command.upgrade
    with monkeypatch.context() as before:
        before.setattr(command, "upgrade", lambda config, _: newest(config, "0003"))
        migrate(path)
    with raw(path) as connection:
        for number in range(3):
            row = (uuid4().bytes, bytes([number]) * 32, number)
            connection.execute("INSERT INTO ledger_leaf VALUES (?, ?, ?)", row)

    upgrade_store(path)

    database = SqliteDatabase(path)
    done = StoreLedger(database).sequence(signer, LEASE, at=NOON, batch=10)
    database.close()
    assert done == Sequenced(taken=3, size=3, more=False)


def test_a_late_leaf_is_told_apart_from_one_that_may_wait(store: Store, signer: NoteSigner) -> None:
    """The maximum merge delay is a promise: whoever waits longer is a finding."""
    recording(store).settle(replace(some_drafts()[0], at=NOON))

    in_time = checked(store, signer, at=NOON + DELAY)
    late = checked(store, signer, at=NOON + DELAY + timedelta(microseconds=1))

    assert (in_time.finding, in_time.waiting, in_time.checked) == (None, 1, 1)
    assert late.finding is not None
    assert late.finding.where == "ledger_leaf"
    assert late.finding.record == str(leaf_ids(store)[0])
    assert "max_merge_delay" in late.finding.what
