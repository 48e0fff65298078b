"""Create a store, open one, and upgrade one to this program's version."""

import os
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
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
    RecoveryResult,
    SignedTree,
    Standby,
)
from makul.app.ports.notifications import OutboxState
from makul.domain.identifiers import MemberCode
from makul.domain.usage import DOCUMENTS_A_DAY
from makul.language.translation import translate, translate_cause
from makul.store.admin import person_upgrade
from makul.store.admin.act_recorder import StoreActRecorder
from makul.store.admin.corrections import StoreCorrectionDesk
from makul.store.admin.key_rotation import StoreRotation
from makul.store.admin.month_questions import StoreQuestions
from makul.store.admin.notification_outbox import StoreOutbox, read_outbox_state
from makul.store.admin.registry import StoreOperatorRegistry
from makul.store.admin.unit_of_work import RegistryUnitOfWork
from makul.store.db.base import Database
from makul.store.db.location import DatabaseLocation, PostgresLocation
from makul.store.db.postgres import PostgresDatabase
from makul.store.db.sqlite import SqliteDatabase
from makul.store.encryption.compression import Compressor
from makul.store.encryption.fields import FieldCipher, field_associated_data
from makul.store.encryption.master_keys import StoreKeys
from makul.store.log.baseline import write_baseline
from makul.store.log.recovery import recover
from makul.store.log.sequencer import StoreLedger
from makul.store.log.verify import LedgerCheck, LedgerVerificationOptions
from makul.store.reads.corrections import StoreCorrectionReader
from makul.store.reads.endings import StoreEndings
from makul.store.reads.monthly_decisions import MonthReader
from makul.store.reads.officers import StoreActRegister
from makul.store.reads.registry import StoreRegister
from makul.store.reads.subject_record import StoreSubjectRecord
from makul.store.records.audit_log import AuditLog
from makul.store.records.recorder import StoreRecorder
from makul.store.records.retention import RetentionResult, housekeep
from makul.store.schema.identity_table import store_identity
from makul.store.schema.version import assert_schema, migrate

_IDENTITY = select(
    store_identity.c.store_id, store_identity.c.index_check, store_identity.c.sealed_check
)
_BASELINE = select(store_identity.c.baseline_at).where(store_identity.c.baseline_at.is_not(None))
_ADD_IDENTITY = insert(store_identity)
_CHECK = b"makul"


@dataclass(frozen=True, slots=True)
class Store:
    """An open store: the ports that it implements, and its maintenance.

    Many threads of one process may share it. It may be built before a fork if it was not used or
    was closed: each process opens its own connections at first use.
    """

    register: Register
    recorder: Recorder
    registry: StoreOperatorRegistry
    ledger: StoreLedger
    acts: StoreActRecorder
    oversight: StoreActRegister
    outbox: StoreOutbox
    questions: StoreQuestions
    subject: StoreSubjectRecord
    corrections: StoreCorrectionReader
    correction_desk: StoreCorrectionDesk
    endings: StoreEndings
    _database: Database
    _office: RegistryUnitOfWork

    def month_reader(self, recipient: MemberCode) -> MonthReader:
        """Return a reader for processes that share the work of `registry.read_month`.

        That method has recorded the act.
        """
        return MonthReader(self._database, self._office.cipher, recipient)

    def check_ledger(
        self, question: LedgerVerificationOptions, report: Callable[[int, int], None]
    ) -> LedgerReport:
        """Verify every record against the ledger.

        `report` receives the number of verified records and the total.
        """
        return LedgerCheck(self._database, self._office.cipher, question, report).run()

    def recover_ledger(
        self, promised: SignedTree, leaves: Sequence[bytes], lease: Lease, *, at: datetime
    ) -> RecoveryResult | Standby:
        """Add published leaves to a store that was restored from an older copy.

        The module `store.log.recovery` explains how.
        """
        return self._database.run_transaction(
            lambda transaction: recover(
                transaction, self._office.log, promised, leaves, lease, at=at
            )
        )

    def log_restore(self, facts: Mapping[str, object], *, at: datetime) -> None:
        """Write to the operator's log that this store was restored from a copy."""
        self._database.run_transaction(
            lambda transaction: self._office.log.write(
                transaction, "store.restore", "", facts, at=at
            )
        )

    def housekeep(self, *, at: datetime) -> RetentionResult:
        """Delete what is past its retention period; one call is a bounded piece of work.

        The caller must repeat it from time to time.
        """
        return housekeep(self._database, at=at)

    def samples_to_move(self) -> int:
        """Return how many versions of persons' records still contain their samples."""
        return person_upgrade.count_rows(self._database)

    def move_samples(self, *, at: datetime) -> Iterator[person_upgrade.MovedSamples]:
        """Move samples to rows of their own, and yield the result of each batch."""
        return person_upgrade.move_samples(self._office, at=at)

    def rotation(self, key_file: Path) -> KeyRotation:
        """Return the rotation of the master key.

        `key_file` is the file of the keys that opened the store.
        """
        return StoreRotation(self._office, key_file)

    def close(self) -> None:
        """Close every connection; the next use opens new ones."""
        self._database.close()


def create_store(location: DatabaseLocation, keys: StoreKeys, *, who: str, at: datetime) -> Store:
    """Create a new store and open it; only the owner of a new file may read it.

    `who` is the name under which the registry's changes are logged. A PostgreSQL database must
    exist and be empty; its partitions are created separately (`store.schema.partitions`).

    Raises `StoreUnavailableError`, also if a store exists already. A file that cannot be completed
    is removed.
    """
    if isinstance(location, PostgresLocation):
        migrate(location, new=True)
        _identify(location, FieldCipher(keys))
        _record_baseline(location, keys, who=who, at=at)
        return open_store(location, keys, who=who)
    try:
        os.close(os.open(location, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except OSError as error:
        raise StoreUnavailableError(
            translate("cannot make the store: {cause}", cause=translate_cause(error.strerror))
        ) from None
    try:
        migrate(location, new=True)
        _identify(location, FieldCipher(keys))
        _record_baseline(location, keys, who=who, at=at)
    except BaseException:
        location.unlink(missing_ok=True)
        raise
    return open_store(location, keys, who=who)


def open_store(
    location: DatabaseLocation,
    keys: StoreKeys,
    *,
    who: str,
    retried: Callable[[], None] | None = None,
    documents_a_day: int = DOCUMENTS_A_DAY,
    mapped: bool = False,
) -> Store:
    """Open an existing store; leaves no connection open.

    `retried` is called each time that work is repeated because it lost a race. `documents_a_day` is
    the maximum number of bytes of documents that are stored for a recipient in one UTC day.
    `mapped` is for a process that only reads much (`store.db.sqlite`).

    Raises `StoreUnavailableError` if the store is missing, has another version, lacks a trigger, or
    does not belong to these keys.
    """
    assert_schema(location)
    database = database_at(location, retried, mapped=mapped)
    cipher = FieldCipher(keys, Compressor(database))
    try:
        _assert_keys(database, cipher)
        if database.fetch_one(_BASELINE, {}) is None:
            raise StoreUnavailableError(
                translate(
                    "the store's acts have no baseline: its upgrade was not finished."
                    " Run: makul store upgrade --apply"
                )
            )
    finally:
        database.close()
    office = RegistryUnitOfWork(database, cipher, AuditLog(cipher, who))
    return Store(
        register=StoreRegister(database, cipher),
        recorder=StoreRecorder(database, cipher, evidence_a_day=documents_a_day),
        registry=StoreOperatorRegistry(database, cipher, who),
        ledger=StoreLedger(database),
        acts=StoreActRecorder(database, cipher),
        oversight=StoreActRegister(database, cipher),
        outbox=StoreOutbox(office),
        questions=StoreQuestions(office),
        subject=StoreSubjectRecord(database, cipher),
        corrections=StoreCorrectionReader(database, cipher),
        correction_desk=StoreCorrectionDesk(office),
        endings=StoreEndings(database, cipher),
        _database=database,
        _office=office,
    )


@contextmanager
def log_at(location: DatabaseLocation) -> Iterator[StoreLedger]:
    """Yield the log of an existing store, for a sequencer that has no key of the store.

    Raises `StoreUnavailableError` if the store is missing, has another version, or lacks a trigger.
    """
    assert_schema(location)
    database = database_at(location)
    try:
        yield StoreLedger(database)
    finally:
        database.close()


def build_log_state_reader(location: DatabaseLocation) -> Callable[[], LedgerState]:
    """Return a function that reads the state of the log, for a process that only monitors it.

    It needs no key of the store. The function raises `StoreUnavailableError`, also for a log that
    is inconsistent.
    """
    ledger = StoreLedger(database_at(location))

    def state() -> LedgerState:
        try:
            return ledger.state()
        except LedgerBrokenError as error:
            raise StoreUnavailableError(str(error)) from None

    return state


def build_outbox_reader(location: DatabaseLocation) -> Callable[[datetime], OutboxState]:
    """Return a function that reads the state of the outbox, and needs no key of the store.

    The function raises `StoreUnavailableError`.
    """
    database = database_at(location)
    return lambda at: read_outbox_state(database, at=at)


def upgrade_store(location: DatabaseLocation, keys: StoreKeys, *, who: str, at: datetime) -> None:
    """Upgrade an existing store to this program's version. The operator must make a copy first.

    A store from before acts gets their baseline, which is recorded under the name `who`. If an
    upgrade is interrupted, another call completes it.
    """
    if isinstance(location, Path) and not location.is_file():
        raise StoreUnavailableError(translate("the store is not there"))
    migrate(location)
    assert_schema(location)
    _record_baseline(location, keys, who=who, at=at)


def samples_to_move(location: DatabaseLocation) -> int:
    """Return how many versions of persons' records still contain their samples; needs no key."""
    database = database_at(location)
    try:
        return person_upgrade.count_rows(database)
    finally:
        database.close()


def database_at(
    location: DatabaseLocation, retried: Callable[[], None] | None = None, *, mapped: bool = False
) -> Database:
    """Return the database at a location; opens nothing yet. SQLite never retries work."""
    if not isinstance(location, PostgresLocation):
        return SqliteDatabase(location, mapped=mapped)
    return PostgresDatabase(location) if retried is None else PostgresDatabase(location, retried)


def _identify(location: DatabaseLocation, cipher: FieldCipher) -> None:
    store_id = uuid.uuid4().bytes
    database = database_at(location)
    try:
        with database.transaction() as transaction:
            if transaction.fetch_one(_IDENTITY, {}) is not None:
                raise StoreUnavailableError(translate("there is a store already: nothing was made"))
            transaction.execute(
                _ADD_IDENTITY,
                {
                    "store_id": store_id,
                    "index_check": cipher.content_index("store", store_id),
                    "sealed_check": cipher.encrypt(_CHECK, _check_associated_data(store_id)),
                    "baseline_at": None,
                },
            )
    finally:
        database.close()


def _record_baseline(
    location: DatabaseLocation, keys: StoreKeys, *, who: str, at: datetime
) -> None:
    """Record the baseline of acts, after a check that the keys belong to this store."""
    database, cipher = database_at(location), FieldCipher(keys)
    try:
        _assert_keys(database, cipher)
        write_baseline(database, cipher, who=who, at=at)
    finally:
        database.close()


def _assert_keys(database: Database, cipher: FieldCipher) -> None:
    """Refuse wrong keys.

    A store that is opened with wrong keys would find no person and count no use. Raises
    `StoreUnavailableError`.
    """
    rows = database.fetch_all(_IDENTITY, {})
    if len(rows) != 1:
        raise StoreUnavailableError(
            translate("the store was not completely created: create it again")
        )
    store_id, index_check, sealed_check = rows[0]
    if cipher.content_index("store", store_id) != index_check:
        raise StoreUnavailableError(translate("the store's index key is another one"))
    cipher.decrypt(sealed_check, _check_associated_data(store_id))


def _check_associated_data(store_id: bytes) -> bytes:
    return field_associated_data("store_identity", "sealed_check", store_id)
