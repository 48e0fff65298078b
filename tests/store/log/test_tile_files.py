"""The ledger as files: published files are whole at any moment (C2SP tlog-tiles)."""

import os
import random
import shutil
import signal
import zipfile
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import pytest

from makul.app.log_recovery import find_unstored_leaves
from makul.app.ports.ledger import (
    Lease,
    LedgerBrokenError,
    LedgerStore,
    PublishedLog,
    RecoveryResult,
    Sequenced,
    SignedTree,
    Standby,
)
from makul.app.sequencer import Sequencer, read_published, write_log
from makul.ledger.checkpoint import Checkpoint, parse_checkpoint_unsafe
from makul.ledger.tile_proofs import TileTree
from makul.store import Store, StoreKeys, open_store
from makul.store.log.sequencer import StoreLedger
from makul.store.log.tile_files import LogBundle, LogDirectory
from makul.trust.tlog.note_keys import NoteSigner, NoteVerifier
from makul_testing.builders.entries import a_release
from makul_testing.builders.records import NOON
from makul_testing.raw_sql import raw, read_all_rows
from makul_testing.tlog.builder import LEASE, ORIGIN, a_note_signer, record_decisions, sequence

pytestmark = pytest.mark.usefixtures("empty_log")

FORK = get_context("fork")
KILLS = 15
OTHER = Lease(holder=uuid4(), length=LEASE.length)


@pytest.fixture
def place(path: Path) -> Path:
    """Return a location in a file, because these tests are about files."""
    return path


@pytest.fixture
def published(tmp_path: Path) -> LogDirectory:
    return LogDirectory(tmp_path / "published")


@dataclass(frozen=True)
class Site:
    """A store, a ledger key, and the directory of publication."""

    store: Store
    path: Path
    keys: StoreKeys
    signer: NoteSigner
    directory: Path

    @property
    def published(self) -> LogDirectory:
        return LogDirectory(self.directory / "published")


@pytest.fixture
def site(store: Store, path: Path, keys: StoreKeys, signer: NoteSigner, tmp_path: Path) -> Site:
    return Site(store, path, keys, signer, tmp_path)


def a_sequencer(
    store: Store, signer: NoteSigner, published: PublishedLog, lease: Lease = LEASE
) -> Sequencer:
    return Sequencer(
        store=store.ledger,
        signer=signer,
        checker=NoteVerifier(key=signer.key),
        published=published,
        lease=lease,
        batch=100,
        clock=lambda: NOON,
    )


def published_tree(published: PublishedLog, signer: NoteSigner) -> int:
    """Return the size of the published tree, which must be whole and signed."""
    note = published.checkpoint()
    assert note is not None
    signed = read_published(note, NoteVerifier(key=signer.key), ORIGIN)
    tree = TileTree(signed.size, published.tile)
    assert tree.root() == signed.root
    for index in range(signed.size):
        tree.leaf(index)
    return signed.size


def test_a_round_publishes_what_it_sequenced(
    store: Store, signer: NoteSigner, published: LogDirectory, tmp_path: Path
) -> None:
    """The round has several batches; a round without new leaves writes nothing."""
    sequencer = a_sequencer(store, signer, published)
    assert sequencer.run_once().published
    assert published_tree(published, signer) == 0
    record_decisions(store, 250)

    recovery = sequencer.run_once()

    assert (recovery.taken, recovery.size, recovery.published) == (250, 250, True)
    assert published_tree(published, signer) == 250
    assert (tmp_path / "published/tile/0/000.p/250").stat().st_size == 250 * 32
    assert not sequencer.run_once().published


def test_partial_tiles_are_deleted_when_unneeded(
    store: Store, signer: NoteSigner, published: LogDirectory, tmp_path: Path
) -> None:
    """Those of a full tile stay until the next is full, so that present readers find them."""
    sequencer = a_sequencer(store, signer, published)
    for number in (200, 100, 100, 150):
        record_decisions(store, number)
        sequencer.run_once()
        published_tree(published, signer)

    names = sorted(path.name for path in (tmp_path / "published/tile/0").iterdir())
    assert names == ["000", "001", "001.p", "002.p"]


def test_a_late_reader_finds_its_tree(
    store: Store, signer: NoteSigner, published: LogDirectory
) -> None:
    """C2SP tlog-tiles: a missing partial tile is read out of the full one."""
    sequencer = a_sequencer(store, signer, published)
    record_decisions(store, 100)
    sequencer.run_once()
    note = published.checkpoint()
    assert note is not None
    known = parse_checkpoint_unsafe(note.partition(b"\n\n")[0] + b"\n")
    record_decisions(store, 500)
    sequencer.run_once()

    assert TileTree(100, published.tile).root() == known.root


def publish_slowly(site: Site) -> None:
    """Run rounds in a process that is about to be killed."""
    store = open_store(site.path, site.keys, who="sequencer")
    lease = Lease(holder=uuid4(), length=timedelta(0))
    sequencer = a_sequencer(store, site.signer, site.published, lease)
    while True:
        sequencer.run_once()
        store.recorder.record(a_release())


def test_published_files_are_whole_after_any_kill(
    site: Site, capsys: pytest.CaptureFixture[str]
) -> None:
    """A checkpoint never names missing tiles, and the next process catches up."""
    store, signer, published = site.store, site.signer, site.published
    dice = random.Random(20261128)  # noqa: S311 -- the moments of the kills, not a secret
    a_sequencer(store, signer, published).run_once()
    store.ledger.release(LEASE)
    sizes = []
    for _ in range(KILLS):
        store.close()
        worker = FORK.Process(target=publish_slowly, args=(site,))
        worker.start()
        worker.join(dice.uniform(0.02, 0.2))
        assert worker.pid is not None
        os.kill(worker.pid, signal.SIGKILL)
        worker.join()
        sizes.append(published_tree(published, signer))
    a_sequencer(store, signer, published, Lease(holder=uuid4(), length=timedelta(0))).run_once()

    assert sizes == sorted(sizes)
    latest = store.ledger.latest()
    assert latest is not None
    assert published_tree(published, signer) == latest.size
    with capsys.disabled():
        print(f"\npublisher killed {KILLS} times: {latest.size} leaves, never half a tree")


def test_a_store_older_than_the_published_tree_is_not_extended(site: Site) -> None:
    """It was restored from a copy, so another leaf at the same index would be a second history."""
    store, signer, published = site.store, site.signer, site.published
    sequencer = a_sequencer(store, signer, published)
    record_decisions(store, 3)
    sequencer.run_once()
    store.close()
    backup = site.directory / "backup.db"
    backup.write_bytes(site.path.read_bytes())
    record_decisions(store, 2)
    sequencer.run_once()
    store.close()
    restored = open_store(backup, site.keys, who="operator")
    record_decisions(restored, 4)

    with pytest.raises(LedgerBrokenError, match="5 leaves are published and the store has 3"):
        a_sequencer(restored, signer, published).run_once()

    assert restored.ledger.state().size == 3
    assert published_tree(published, signer) == 5
    restored.close()


@dataclass(frozen=True)
class FailedOver:
    """The ledger of a store whose server fails over to an older copy during sequencing."""

    before: StoreLedger
    after: StoreLedger

    def sequence(self, *args: Any, **more: Any) -> Sequenced | Standby:
        return self.after.sequence(*args, **more)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.before, name)


def test_a_store_that_became_older_during_the_round_is_not_extended(site: Site) -> None:
    """A store that became older during the round is not extended.

    The failover to a lagging replica came after the comparison with the published files. The leaves
    that wait in it would take the indexes of leaves that witnesses know.
    """
    store, signer, published = site.store, site.signer, site.published
    sequencer = a_sequencer(store, signer, published)
    record_decisions(store, 3)
    sequencer.run_once()
    store.close()
    lagging = site.directory / "lagging.db"
    lagging.write_bytes(site.path.read_bytes())
    record_decisions(store, 2)
    sequencer.run_once()
    replica = open_store(lagging, site.keys, who="operator")
    record_decisions(replica, 4)
    before = read_all_rows(lagging)
    sequencer._store = cast("LedgerStore", FailedOver(store.ledger, replica.ledger))

    with pytest.raises(LedgerBrokenError, match="5 leaves are published and the store has 3"):
        sequencer.run_once()

    assert read_all_rows(lagging) == before
    assert published_tree(published, signer) == 5
    replica.close()


def test_a_store_with_another_history_is_not_extended(site: Site) -> None:
    """It has as many leaves as were published, or more, but others."""
    store, signer, published = site.store, site.signer, site.published
    store.close()
    fork = site.directory / "fork.db"
    fork.write_bytes(site.path.read_bytes())
    record_decisions(store, 3)
    a_sequencer(store, signer, published).run_once()
    other = open_store(fork, site.keys, who="operator")
    record_decisions(other, 4)
    sequence(other, signer)

    with pytest.raises(LedgerBrokenError, match="is another than the store's"):
        a_sequencer(other, signer, published).run_once()
    with pytest.raises(LedgerBrokenError, match="is another than the store's"):
        find_unstored_leaves(other.ledger, published, NoteVerifier(key=signer.key), ORIGIN, at=NOON)
    other.close()


def test_published_files_that_do_not_continue_the_store_are_not_recovered(site: Site) -> None:
    """The copy was sequenced again, or somebody changed tiles; nothing changes."""
    record_decisions(site.store, 3)
    a_sequencer(site.store, site.signer, site.published).run_once()
    verifier = NoteVerifier(key=site.signer.key)
    site.store.close()
    restored = site.directory / "restored.db"
    shutil.copy(site.path, restored)
    record_decisions(site.store, 2)
    a_sequencer(site.store, site.signer, site.published).run_once()
    site.store.close()
    other = open_store(restored, site.keys, who="operator")
    lacking = find_unstored_leaves(other.ledger, site.published, verifier, ORIGIN, at=NOON)
    assert lacking is not None
    assert (lacking.size, len(lacking.leaves)) == (3, 2)
    busy = other.recover_ledger(lacking.promised, lacking.leaves, OTHER, at=NOON)
    assert isinstance(busy, Standby)
    other.ledger.release(LEASE)
    before = read_all_rows(restored)

    for leaves in ([*lacking.leaves[:1], bytes(32)], lacking.leaves[:1], lacking.leaves[::-1]):
        with pytest.raises(LedgerBrokenError, match="does not continue"):
            other.recover_ledger(lacking.promised, leaves, OTHER, at=NOON)
        assert read_all_rows(restored) == before
    recovery = other.recover_ledger(lacking.promised, lacking.leaves, OTHER, at=NOON)

    assert recovery == RecoveryResult(placed=0, lost=2, size=5)
    assert find_unstored_leaves(other.ledger, site.published, verifier, ORIGIN, at=NOON) is None
    other.close()


@pytest.mark.parametrize("name", [ORIGIN, "another/log"])
def test_files_signed_by_another_key_are_refused(
    store: Store, signer: NoteSigner, published: LogDirectory, tmp_path: Path, name: str
) -> None:
    """The directory is another ledger's, or another party wrote to it."""
    stranger = a_note_signer(tmp_path, name)
    record_decisions(store, 1)
    sequence(store, stranger)
    latest = store.ledger.latest()
    assert latest is not None
    write_log(published, latest, store.ledger.tile)

    with pytest.raises(LedgerBrokenError, match="not by this log's key"):
        a_sequencer(store, signer, published).run_once()


@pytest.mark.parametrize("what", ["checkpoint", "cosignature", "another tree"])
def test_an_unsigned_checkpoint_is_not_published(site: Site, what: str, tmp_path: Path) -> None:
    """A role that may add rows added them; the sequencer stops, and witnesses see the
    former tree.
    """
    record_decisions(site.store, 3)
    sequencer = a_sequencer(site.store, site.signer, site.published)
    sequencer.run_once()
    before = site.published.checkpoint()
    root = b"r" * 32
    signed = site.signer.sign(Checkpoint(ORIGIN, 4, b"s" * 32).body())
    forged = {"another tree": signed, "checkpoint": b"forged\n"}.get(what, b"")
    with raw(site.path) as connection:
        if forged:
            row = (9 if what == "checkpoint" else 4, root, forged, 0)
            connection.execute("INSERT INTO checkpoint VALUES (?, ?, ?, ?)", row)
        else:
            connection.execute("INSERT INTO cosignature VALUES (4, 'w', 'no line of a note', 0)")

    if what == "cosignature":
        record_decisions(site.store, 1)
    with pytest.raises(LedgerBrokenError, match="the store's checkpoint"):
        sequencer.run_once()

    assert site.published.checkpoint() == before
    assert published_tree(site.published, site.signer) == 3


def test_a_smaller_tree_never_replaces_a_larger_one(
    store: Store, signer: NoteSigner, published: LogDirectory
) -> None:
    """The slower of two publishing processes must not turn the ledger back."""
    record_decisions(store, 1)
    sequence(store, signer)
    small = store.ledger.latest()
    record_decisions(store, 1)
    a_sequencer(store, signer, published).run_once()
    assert small is not None

    write_log(published, small, store.ledger.tile)

    assert published_tree(published, signer) == 2


def test_a_bundle_is_one_complete_file(store: Store, signer: NoteSigner, tmp_path: Path) -> None:
    """Equal ledgers give equal bytes, and an existing file is not changed."""
    record_decisions(store, 300)
    sequence(store, signer)
    latest = store.ledger.latest()
    assert latest is not None
    files = [tmp_path / "one.zip", tmp_path / "two.zip"]
    for file in files:
        with LogBundle.create(file) as bundle:
            write_log(bundle, latest, store.ledger.tile)

    assert files[0].read_bytes() == files[1].read_bytes()
    with zipfile.ZipFile(files[0]) as archive:
        assert sorted(archive.namelist()) == [
            "checkpoint",
            "tile/0/000",
            "tile/0/001.p/44",
            "tile/1/000.p/1",
        ]
        assert published_tree(LogBundle(archive), signer) == 300
    with pytest.raises(FileExistsError), LogBundle.create(files[0]):
        pass
    assert files[0].read_bytes() == files[1].read_bytes()


def test_an_incomplete_bundle_is_deleted(tmp_path: Path) -> None:
    """Half a ledger must not be left behind like a whole one."""
    signed = SignedTree(size=1, root=bytes(32), note=b"", made_at=NOON)

    def unread(level: int, index: int, width: int) -> bytes:
        raise LedgerBrokenError("a tile is not there")

    with pytest.raises(LedgerBrokenError), LogBundle.create(tmp_path / "log.zip") as bundle:
        write_log(bundle, signed, unread)

    assert not (tmp_path / "log.zip").exists()
