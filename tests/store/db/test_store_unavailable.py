"""A store that cannot be reached or cannot commit reports OPS-03, and nothing more."""

import secrets
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from makul.app.ports import Committed, StoreUnavailableError
from makul.store import Store, StoreKeys, open_store
from makul_testing.builders.entries import a_metered_release, a_release
from makul_testing.builders.records import (
    AGREEMENT_NUMBER,
    AZAMAT,
    BANK,
    NOON,
    a_caller,
    a_consent,
    a_key,
    a_mark,
    a_person,
)
from makul_testing.raw_sql import count, raw

USES: list[Callable[[Store], Any]] = [
    lambda store: store.recorder.record(a_release()),
    lambda store: store.recorder.replay(a_key(), a_caller(a_mark()), at=NOON),
    lambda store: store.recorder.register_message_id(a_mark(), at=NOON),
    lambda store: store.register.certificate(b"c" * 32),
    lambda store: store.register.recipient(BANK),
    lambda store: store.register.snapshot(a_key(), AGREEMENT_NUMBER, at=NOON),
    lambda store: store.register.official(BANK, b"o" * 32),
    lambda store: store.register.notice_approved("n", b"n" * 32, "ky"),
    lambda store: store.register.use(BANK, a_consent()),
    lambda store: store.register.registered_consent(BANK, a_consent().id),
    lambda store: store.register.consent_status(BANK, a_consent().id),
    lambda store: store.register.person(AZAMAT),
    lambda store: store.register.attempts(BANK, AZAMAT, "e", since=NOON),
    lambda store: store.register.receipt(BANK, a_consent().id),
    lambda store: store.registry.recipients(),
    lambda store: store.registry.put_persons([a_person(locked=True)], at=NOON),
    lambda store: store.registry.disclosures(recipient=BANK, since=None, limit=1),
    lambda store: store.housekeep(at=NOON),
]


@pytest.fixture
def place(path: Path) -> Path:
    """Return a location in a file, because these tests are about files."""
    return path


def deleted(path: Path) -> None:
    path.unlink()


def replace_file(path: Path) -> None:
    """Replace the file, like a restore under a running service."""
    content = path.read_bytes()
    path.rename(path.with_name("old.db"))
    path.write_bytes(content)


def no_database(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("accident", [deleted, replace_file, no_database])
@pytest.mark.parametrize("used_before", [True, False])
def test_a_missing_file_is_noticed_by_every_use(
    store: Store, path: Path, accident: Callable[[Path], None], used_before: bool
) -> None:
    """SQLite would continue to write into a deleted file, and the records would be lost."""
    if used_before:
        store.recorder.record(a_release())
    accident(path)

    if not used_before and accident is replace_file:
        assert store.recorder.record(a_release()) == Committed()
        return
    for use in USES:
        with pytest.raises(StoreUnavailableError):
            use(store)


@pytest.mark.parametrize("table", ["recipient", "agreement", "disclosure", "request_key"])
def test_a_damaged_store_is_unavailable(store: Store, path: Path, table: str) -> None:
    """A missing table represents any error that the driver may raise."""
    with raw(path) as connection:
        connection.execute(f"ALTER TABLE {table} RENAME TO elsewhere")

    with pytest.raises(StoreUnavailableError):
        store.recorder.record(a_release())


def test_a_failed_recording_leaves_nothing_and_the_next_one_works(store: Store, path: Path) -> None:
    """The transaction is all or nothing, even if the last row cannot be written."""
    with raw(path) as connection:
        connection.execute("ALTER TABLE request_key RENAME TO elsewhere")
    with pytest.raises(StoreUnavailableError):
        store.recorder.record(a_metered_release(a_consent()))
    assert count(path, "disclosure") == count(path, "ground_use") == 0

    with raw(path) as connection:
        connection.execute("ALTER TABLE elsewhere RENAME TO request_key")
    assert store.recorder.record(a_metered_release(a_consent())) == Committed()


def test_a_full_disk_is_unavailable(store: Store, path: Path) -> None:
    """The file cannot grow, and nothing of the entry stays."""
    store.recorder.record(a_release())
    connection = store._database._connection()
    (pages,) = connection.execute("PRAGMA page_count").fetchone() or (0,)
    connection.execute(f"PRAGMA max_page_count = {pages}")

    with pytest.raises(StoreUnavailableError):
        store.recorder.record(a_release(receipt=secrets.token_bytes(100_000)))
    assert count(path, "disclosure") == 1


def test_an_endless_writer_makes_the_store_unavailable(
    store: Store, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shell is left open in a transaction; the store waits, then gives up."""
    monkeypatch.setattr("makul.store.db.sqlite.BUSY_SECONDS", 0.05)
    with raw(path) as connection:
        connection.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailableError):
            store.recorder.record(a_release())
        connection.execute("ROLLBACK")

    assert store.recorder.record(a_release()) == Committed()


def test_a_reader_does_not_wait_for_a_writer(store: Store, path: Path) -> None:
    """Reads continue because of the write-ahead log, and see what was committed."""
    with raw(path) as connection:
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("UPDATE recipient SET state = 'CUT_OFF'")

        snapshot = store.register.snapshot(a_key(), AGREEMENT_NUMBER, at=NOON)

        assert snapshot.recipient is not None
        assert snapshot.recipient.state == "ACTIVE"
        connection.execute("ROLLBACK")


def test_the_error_reveals_nothing_about_the_request(store: Store, path: Path) -> None:
    """docs/architecture.md, invariant 7: no bound value is in the message, cause, context or
    traceback.
    """
    with raw(path) as connection:
        connection.execute("ALTER TABLE disclosure RENAME TO elsewhere")

    with pytest.raises(StoreUnavailableError) as caught:
        store.recorder.record(a_release())

    printed = "".join(traceback.format_exception(caught.value))
    assert AZAMAT.digits not in printed
    assert "teller-42" not in printed
    assert "no such table" not in printed
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("content", [b"", b"no database at all" * 300, None])
def test_another_file_is_not_opened(tmp_path: Path, keys: StoreKeys, content: bytes | None) -> None:
    """Opening creates nothing: an absent file stays absent."""
    path = tmp_path / "nothing.db"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(StoreUnavailableError, match="create or migrate"):
        open_store(path, keys, who="operator")
    assert path.exists() is (content is not None)


def test_an_unknown_state_gives_nothing(store: Store, path: Path) -> None:
    """A value that cannot be read back exactly is an error, never a default."""
    with raw(path) as connection:
        connection.execute("UPDATE recipient SET state = 'FINE'")

    with pytest.raises(StoreUnavailableError):
        store.register.snapshot(a_key(), AGREEMENT_NUMBER, at=NOON)
    assert store.recorder.record(a_release()) != Committed()
