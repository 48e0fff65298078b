"""Making a store, opening one, bringing one up to date."""

import os
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import insert, select

from makul.app.ports import KeyRotation, Recorder, Register, StoreUnavailableError
from makul.app.ports.ledger import (
    Lease,
    LedgerBrokenError,
    LedgerReport,
    LedgerState,
    Recovered,
    SignedTree,
    StandingBy,
)
from makul.domain.usage import DOCUMENTS_A_DAY
from makul.store.admin import person_upgrade
from makul.store.admin.key_rotation import StoreRotation
from makul.store.admin.registry import StoreDesk
from makul.store.admin.unit_of_work import RegistryUnitOfWork
from makul.store.db.base import Database
from makul.store.db.location import DatabaseLocation, PostgresLocation
from makul.store.db.postgres import PostgresDatabase
from makul.store.db.sqlite import SqliteDatabase
from makul.store.encryption.compression import Compressor
from makul.store.encryption.fields import FieldCipher, place
from makul.store.encryption.master_keys import StoreKeys
from makul.store.log.baseline import write_baseline
from makul.store.log.recovery import recover
from makul.store.log.sequencer import StoreLedger
from makul.store.log.verify import LedgerCheck, LedgerVerificationOptions
from makul.store.reads.registry import StoreRegister
from makul.store.records.audit_log import DeskLog
from makul.store.records.recorder import StoreRecorder
from makul.store.records.retention import RetentionResult, housekeep
from makul.store.schema.tables import store_identity
from makul.store.schema.version import assert_schema, migrate

_IDENTITY = select(
    store_identity.c.store_id, store_identity.c.index_check, store_identity.c.sealed_check
)
_BASELINE = select(store_identity.c.baseline_at).where(store_identity.c.baseline_at.is_not(None))
_ADD_IDENTITY = insert(store_identity)
_CHECK = b"makul"


@dataclass(frozen=True, slots=True)
class Store:
    """An open store: the ports it fulfils, and its upkeep. For many threads, and one process.

    It may be built before a fork, as long as it was not used or was closed: each process opens
    connections of its own at first use.
    """

    register: Register
    recorder: Recorder
    desk: StoreDesk
    ledger: StoreLedger
    _database: Database
    _office: RegistryUnitOfWork

    def check_ledger(
        self, question: LedgerVerificationOptions, tell: Callable[[int, int], None]
    ) -> LedgerReport:
        """Hold every record against the log; `tell` hears how many of how many are done."""
        return LedgerCheck(self._database, self._office.sealer, question, tell).run()

    def recover_ledger(
        self, promised: SignedTree, leaves: Sequence[bytes], lease: Lease, *, at: datetime
    ) -> Recovered | StandingBy:
        """Take published leaves back, after an older copy was restored (`ledger_recovery`)."""
        return self._database.perform(
            lambda transaction: recover(
                transaction, self._office.log, promised, leaves, lease, at=at
            )
        )

    def housekeep(self, *, at: datetime) -> RetentionResult:
        """Forget what has served its time; a bounded piece of work, to be done now and then."""
        return housekeep(self._database, at=at)

    def samples_to_move(self) -> int:
        """Return how many versions of records still hold their samples."""
        return person_upgrade.count_rows(self._database)

    def move_samples(self, *, at: datetime) -> Iterator[person_upgrade.Moved]:
        """Move samples to rows of their own, and yield what each batch came to."""
        return person_upgrade.move_samples(self._office, at=at)

    def rotation(self, ring: Path) -> KeyRotation:
        """The rotation of the master key; `ring` is the file of the keys that opened the store."""
        return StoreRotation(self._office, ring)

    def close(self) -> None:
        """Close every connection; the next use opens new ones."""
        self._database.close()


def create_store(place: DatabaseLocation, keys: StoreKeys, *, who: str, at: datetime) -> Store:
    """Make a new store and open it; a file is readable by its owner alone.

    `who` is whom the desk's changes are logged under. A PostgreSQL database is there already, and
    empty; its partitions are made apart (`months`). Raises `StoreUnavailableError`, also where
    there is a store; a file that cannot be finished is taken away again.
    """
    if isinstance(place, PostgresLocation):
        migrate(place, new=True)
        _identify(place, FieldCipher(keys))
        _record_baseline(place, keys, who=who, at=at)
        return open_store(place, keys, who=who)
    try:
        os.close(os.open(place, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreUnavailableError(f"cannot make the store: {error.strerror}") from None
    try:
        migrate(place, new=True)
        _identify(place, FieldCipher(keys))
        _record_baseline(place, keys, who=who, at=at)
    except BaseException:
        place.unlink(missing_ok=True)
        raise
    return open_store(place, keys, who=who)


def open_store(
    place: DatabaseLocation,
    keys: StoreKeys,
    *,
    who: str,
    retried: Callable[[], None] | None = None,
    documents_a_day: int = DOCUMENTS_A_DAY,
) -> Store:
    """Open an existing store; leaves no connection open.

    `retried` is told whenever work is done again because it lost a race. `documents_a_day` is how
    many bytes of documents are kept for a recipient in a UTC day.

    Raises `StoreUnavailableError` where it is not there, not of this version, lacks a trigger, or
    is not these keys'.
    """
    assert_schema(place)
    database = database_at(place, retried)
    sealer = FieldCipher(keys, Compressor(database))
    try:
        _assert_keys(database, sealer)
        if database.one(_BASELINE, {}) is None:
            raise StoreUnavailableError(
                "the store's acts have no baseline: its upgrade was not finished."
                " Run: makul store upgrade --apply"
            )
    finally:
        database.close()
    return Store(
        register=StoreRegister(database, sealer),
        recorder=StoreRecorder(database, sealer, evidence_a_day=documents_a_day),
        desk=StoreDesk(database, sealer, who),
        ledger=StoreLedger(database),
        _database=database,
        _office=RegistryUnitOfWork(database, sealer, DeskLog(sealer, who)),
    )


@contextmanager
def log_at(place: DatabaseLocation) -> Iterator[StoreLedger]:
    """The log of an existing store, for whoever keeps it and holds no key of the store's.

    Raises `StoreUnavailableError` where it is not there, not of this version, or lacks a trigger.
    """
    assert_schema(place)
    database = database_at(place)
    try:
        yield StoreLedger(database)
    finally:
        database.close()


def log_state_of(place: DatabaseLocation) -> Callable[[], LedgerState]:
    """How the log stands, for whoever only watches it and holds no key of the store's.

    What it returns raises `StoreUnavailableError`, for a log that does not fit itself as well.
    """
    ledger = StoreLedger(database_at(place))

    def state() -> LedgerState:
        try:
            return ledger.state()
        except LedgerBrokenError as error:
            raise StoreUnavailableError(str(error)) from None

    return state


def upgrade_store(place: DatabaseLocation, keys: StoreKeys, *, who: str, at: datetime) -> None:
    """Bring an existing store to this program's version. Make a copy of it first.

    A store from before acts gets their baseline; `who` is whom it is recorded under. An upgrade
    that was cut off is finished by another.
    """
    if isinstance(place, Path) and not place.is_file():
        raise StoreUnavailableError("the store is not there")
    migrate(place)
    assert_schema(place)
    _record_baseline(place, keys, who=who, at=at)


def samples_to_move(place: DatabaseLocation) -> int:
    """Return how many versions of records still hold their samples; needs no key."""
    database = database_at(place)
    try:
        return person_upgrade.count_rows(database)
    finally:
        database.close()


def database_at(place: DatabaseLocation, retried: Callable[[], None] | None = None) -> Database:
    """The database of a place; nothing is opened yet. SQLite does nothing again."""
    if not isinstance(place, PostgresLocation):
        return SqliteDatabase(place)
    return PostgresDatabase(place) if retried is None else PostgresDatabase(place, retried)


def _identify(place: DatabaseLocation, sealer: FieldCipher) -> None:
    store_id = uuid.uuid4().bytes
    database = database_at(place)
    try:
        with database.transaction() as transaction:
            if transaction.one(_IDENTITY, {}) is not None:
                raise StoreUnavailableError("there is a store already: nothing was made")
            transaction.run(
                _ADD_IDENTITY,
                {
                    "store_id": store_id,
                    "index_check": sealer.content_index("store", store_id),
                    "sealed_check": sealer.seal(_CHECK, _check_place(store_id)),
                    "baseline_at": None,
                },
            )
    finally:
        database.close()


def _record_baseline(place: DatabaseLocation, keys: StoreKeys, *, who: str, at: datetime) -> None:
    """Record the baseline of acts, by keys that are this store's."""
    database, sealer = database_at(place), FieldCipher(keys)
    try:
        _assert_keys(database, sealer)
        write_baseline(database, sealer, who=who, at=at)
    finally:
        database.close()


def _assert_keys(database: Database, sealer: FieldCipher) -> None:
    """Wrong keys must not open a store: to them, nobody would be known and nothing counted."""
    rows = database.all(_IDENTITY, {})
    if len(rows) != 1:
        raise StoreUnavailableError("the store was not made to its end: make it anew")
    store_id, index_check, sealed_check = rows[0]
    if sealer.content_index("store", store_id) != index_check:
        raise StoreUnavailableError("the store's index key is another one")
    sealer.open(sealed_check, _check_place(store_id))


def _check_place(store_id: bytes) -> bytes:
    return place("store_identity", "sealed_check", store_id)
