"""The sequencing transaction gives every leaf one index, at any kill and in any race."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from alembic import command

from makul.app.ports import StoreUnavailableError
from makul.app.ports.ledger import Lease, LedgerBrokenError, Sequenced
from makul.ledger.checkpoint import parse_checkpoint_unsafe
from makul.ledger.merkle import EMPTY_ROOT, verify_consistency, verify_inclusion
from makul.ledger.tile_proofs import TileTree
from makul.store import Store, build_log_state_reader
from makul.store.db.base import Transaction
from makul.store.db.location import DatabaseLocation, PostgresLocation
from makul.store.db.sqlite import SqliteDatabase
from makul.store.log.sequencer import StoreLedger
from makul.store.open import database_at
from makul.store.schema.version import migrate
from makul.trust.tlog.note_keys import NoteSigner, NoteVerifier
from makul_testing.builders.entries import a_release
from makul_testing.builders.records import NOON
from makul_testing.raw_sql import raw, read_all_rows
from makul_testing.tlog.builder import (
    DELAY,
    LEASE,
    ORIGIN,
    build_recording,
    check_ledger,
    leaf_ids,
    move_draft,
    positions,
    record_decisions,
    sequence,
    some_drafts,
)

LATER = NOON + timedelta(seconds=11)
OTHER = Lease(holder=UUID(int=2), length=LEASE.length)
KILLS = 30
PATIENCE = 60.0
"""The seconds that a process may take to start."""

Property = Callable[[str, object], None]


@pytest.mark.usefixtures("empty_log")
def test_every_leaf_gets_a_provable_index(store: Store, signer: NoteSigner) -> None:
    """RFC 9162, 2.1.3.2: the audit path leads to the signed root."""
    ids = record_decisions(store, 300)

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
    return list(store.registry.disclosures(recipient=None, since=None, limit=10_000))


def test_a_waiting_leaf_has_no_proof_yet(store: Store, signer: NoteSigner) -> None:
    """A leaf in the queue and an unknown decision have no proof."""
    (waiting,) = record_decisions(store, 1)

    assert store.ledger.inclusion(waiting) is None
    sequence(store, signer)
    assert store.ledger.inclusion(waiting) is not None
    assert store.ledger.inclusion(uuid4()) is None


@pytest.mark.usefixtures("empty_log")
def test_the_empty_ledger_is_signed_too(store: Store, signer: NoteSigner) -> None:
    """Witnesses can begin before the first decision."""
    sequence(store, signer)

    latest = store.ledger.latest()
    assert latest is not None
    assert (latest.size, latest.root) == (0, EMPTY_ROOT)


@pytest.mark.usefixtures("empty_log")
def test_a_batch_is_bounded(store: Store, signer: NoteSigner) -> None:
    """Each batch is a transaction and a checkpoint; `more` says whether to continue."""
    record_decisions(store, 5)

    results = [store.ledger.sequence(signer, LEASE, at=NOON, batch=2) for _ in range(4)]

    assert results == [
        Sequenced(taken=2, size=2, more=True),
        Sequenced(taken=2, size=4, more=True),
        Sequenced(taken=1, size=5, more=False),
        Sequenced(taken=0, size=5, more=False),
    ]


def test_each_tree_only_appends_to_the_one_before(store: Store, signer: NoteSigner) -> None:
    """RFC 9162, 2.1.4.2: trees are consistent while tiles fill up."""
    known = []
    for number in (1, 254, 1, 1, 255, 40):
        record_decisions(store, number)
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


def test_nothing_is_written_if_no_leaf_waits(
    store: Store, place: DatabaseLocation, signer: NoteSigner
) -> None:
    """Rounds come every second, and an idle one does not delay other writers."""
    record_decisions(store, 3)
    sequence(store, signer)
    before = read_all_rows(place)

    assert sequence(store, signer, at=NOON + timedelta(seconds=4)).taken == 0

    assert read_all_rows(place) == before


@pytest.mark.usefixtures("empty_log")
def test_a_round_writes_after_a_commit_of_unknown_outcome(
    store: Store, place: DatabaseLocation, signer: NoteSigner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The round after a commit of unknown outcome writes again.

    The interrupted commit may be visible on one copy. It is published after another commit has
    reached the replica, and not because nothing seems to be left.
    """
    record_decisions(store, 1)
    database = database_at(place)
    ledger, perform, reports = StoreLedger(database), database.run_transaction, [False, True, True]

    def cut_off(work: Callable[[Transaction], object], **more: Any) -> object:
        results = perform(work, **more)
        if not reports.pop(0):
            raise StoreUnavailableError("the connection broke after the commit")
        return results

    monkeypatch.setattr(database, "run_transaction", cut_off)
    with pytest.raises(StoreUnavailableError):
        ledger.sequence(signer, LEASE, at=NOON, batch=10)

    for _ in range(3):
        assert ledger.sequence(signer, LEASE, at=NOON, batch=10) == Sequenced(
            taken=0, size=1, more=False
        )
    database.close()

    assert len(reports) == 1


@pytest.mark.usefixtures("empty_log")
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
def test_an_inconsistent_ledger_is_not_extended(
    store: Store, place: DatabaseLocation, signer: NoteSigner, spoil: str, why: str
) -> None:
    """A signature then would make a second history; nothing changes, and a person must
    examine it.
    """
    record_decisions(store, 5)
    sequence(store, signer)
    record_decisions(store, 1)
    by_hand(place, spoil, *([bytes(5 * 32)] if "$" in spoil else []))
    before = read_all_rows(place)

    with pytest.raises(LedgerBrokenError, match=why):
        store.ledger.sequence(signer, LEASE, at=LATER, batch=10)

    assert read_all_rows(place) == before


@pytest.mark.parametrize(
    "spoil", ["DELETE FROM ledger_tile", "UPDATE ledger_tile SET hashes = substr(hashes, 1, 32)"]
)
def test_a_broken_ledger_is_distinguished_from_an_unreachable_store(
    store: Store, place: DatabaseLocation, signer: NoteSigner, spoil: str
) -> None:
    """GetReceipt then gives a receipt without its proof; if the store is unreachable, it gives
    none.
    """
    first, *_ = record_decisions(store, 5)
    sequence(store, signer)
    by_hand(place, spoil)

    with pytest.raises(LedgerBrokenError):
        store.ledger.inclusion(first)


def by_hand(place: DatabaseLocation, sql: str, *values: object) -> None:
    """Run SQL like a superuser, on either database."""
    with raw(place) as connection:
        mark = "%s" if isinstance(place, PostgresLocation) else "?"
        assert connection.execute(sql.replace("$", mark), values).rowcount > 0


@pytest.mark.usefixtures("empty_log")
def test_an_index_beyond_the_end_stops_the_sequencer(
    store: Store, place: DatabaseLocation, signer: NoteSigner
) -> None:
    """It was written by hand; the next leaf would get a used index, or leave a gap."""
    record_decisions(store, 2)
    by_hand(place, "INSERT INTO ledger_position SELECT disclosure_id, 7 FROM ledger_leaf LIMIT 1")

    with pytest.raises(LedgerBrokenError, match="beyond the log's end"):
        sequence(store, signer)


@pytest.mark.usefixtures("empty_log")
def test_stray_queue_entries_do_not_stop_the_sequencer(
    store: Store, place: DatabaseLocation, signer: NoteSigner
) -> None:
    """One has its index already, one does not exist; both stay, and both are reported."""
    record_decisions(store, 2)
    sequence(store, signer)
    by_hand(place, "INSERT INTO ledger_queue SELECT disclosure_id FROM ledger_leaf LIMIT 1")
    by_hand(place, "INSERT INTO ledger_queue VALUES ($)", bytes(16))
    record_decisions(store, 3)

    assert sequence(store, signer).size == 5
    assert positions(place) == list(range(5))
    assert store.ledger.state().waiting == 2


def test_an_unreadable_ledger_is_reported_to_metrics(place: DatabaseLocation) -> None:
    """It is one kind of error, so that all other metrics are still reported."""
    look = build_log_state_reader(place)
    assert look().size == 0
    by_hand(place, "DELETE FROM ledger_head")

    with pytest.raises(StoreUnavailableError, match="no head"):
        look()


@pytest.mark.usefixtures("empty_log")
def test_the_state_shows_the_waiting_leaves(store: Store, signer: NoteSigner) -> None:
    """The monitoring of the delay uses it."""
    sequence(store, signer)
    store.recorder.record(a_release(decided_at=NOON + timedelta(seconds=9)))
    store.recorder.record(a_release(decided_at=NOON + timedelta(seconds=5)))

    state = store.ledger.state()

    assert (state.size, state.waiting) == (0, 2)
    assert state.waiting_since == NOON + timedelta(seconds=5)
    assert (state.checkpoint_size, state.checkpoint_at) == (0, NOON)
    assert state.holder == LEASE.holder


@pytest.mark.usefixtures("empty_log")
def test_a_proof_comes_with_the_tree_that_most_witnesses_cosigned(
    store: Store, signer: NoteSigner
) -> None:
    """Among late trees with the leaf; before any is cosigned, the newest is used."""
    first, *_ = record_decisions(store, 2)
    sequence(store, signer)
    second, *_ = record_decisions(store, 1)
    sequence(store, signer)
    last, *_ = record_decisions(store, 1)
    sequence(store, signer)
    sizes: Callable[[UUID], int | None] = lambda each: getattr(  # noqa: E731
        store.ledger.inclusion(each), "size", None
    )
    assert [sizes(each) for each in (first, second, last)] == [4, 4, 4]

    stored_count = store.ledger.keep_cosignatures(
        2, {"a": "\u2014 a AA==", "b": "\u2014 b AA=="}, at=NOON
    )
    assert stored_count == 2
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
    """An upgrade of an older store loses nothing."""
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

    migrate(path)

    database = SqliteDatabase(path)
    results = StoreLedger(database).sequence(signer, LEASE, at=NOON, batch=10)
    database.close()
    assert results == Sequenced(taken=3, size=3, more=False)


def test_a_late_leaf_is_distinguished_from_a_waiting_one(store: Store, signer: NoteSigner) -> None:
    """The maximum merge delay is a promise, so a leaf that waits longer is a finding."""
    sequence(store, signer)
    build_recording(store).record_and_render(move_draft(some_drafts()[0], NOON))

    in_time = check_ledger(store, signer, at=NOON + DELAY)
    late = check_ledger(store, signer, at=NOON + DELAY + timedelta(microseconds=1))

    assert (in_time.finding, in_time.waiting, in_time.checked) == (None, 1, 11)
    assert late.finding is not None
    assert late.finding.where == "ledger_leaf"
    assert late.finding.record == str(leaf_ids(store)[0])
    assert "max_merge_delay" in late.finding.what
