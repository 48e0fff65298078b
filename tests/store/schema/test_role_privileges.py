"""Each duty's role can do its own work on PostgreSQL, and no other's.

The work of all three runs on one store, each part by its own role. The privileges that the
statements used are compared with the granted ones.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from alembic import command
from psycopg import errors
from sqlalchemy import column, insert, table

from makul.app.ports import Duty
from makul.domain.identifiers import MemberCode
from makul.store import Store, StoreKeys, create_store, open_store, upgrade_store
from makul.store.db.location import DatabaseLocation, PostgresLocation
from makul.store.schema.append_only_triggers import APPEND_ONLY
from makul.store.schema.role_privileges import RIGHTS, VERSION_TABLE, Right
from makul.store.schema.tables import metadata
from makul.store.schema.version import assert_schema
from makul_testing import correction_workload as corrections
from makul_testing import role_workloads as work
from makul_testing.builders.records import NOON
from makul_testing.database_roles import UsedPrivileges, create_duty_roles, privileges_noted
from makul_testing.external.postgres import Cluster
from makul_testing.raw_sql import raw
from makul_testing.tlog.builder import a_note_signer

Places = Mapping[Duty, PostgresLocation]
"""Connect each duty's role to one store."""


@pytest.fixture(scope="module")
def places(server: Cluster, server_template: str) -> Iterator[Places]:
    name = server.create(template=server_template)
    yield create_duty_roles(server.place(name))
    server.drop(name)


@pytest.fixture(scope="module")
def played(
    places: Places, keys: StoreKeys, tmp_path_factory: pytest.TempPathFactory
) -> Mapping[Duty, UsedPrivileges]:
    """Return the privileges that all the work of each duty used, in a possible order."""
    noted = {duty: UsedPrivileges() for duty in Duty}
    signer = a_note_signer(tmp_path_factory.mktemp("log"))

    @contextmanager
    def by(duty: Duty) -> Iterator[Store]:
        with privileges_noted(noted[duty]):
            store = open_store(places[duty], keys, who=duty.value)
            yield store
            store.close()

    with by(Duty.DESK) as store:
        work.registers(store.registry)
    with by(Duty.SERVING) as store:
        work.decides(store)
    with by(Duty.SEQUENCING) as store:
        work.recovers(store, signer, places[Duty.SEQUENCING])
        work.sequences(store, signer)
    with by(Duty.DESK) as store:
        work.holds_the_record_against_the_log(store, signer)
    with by(Duty.SERVING) as store:
        work.serves(store)
        corrections.reports(store)
    with by(Duty.NOTIFYING) as store:
        work.notifies(store)
    with by(Duty.DESK) as store:
        work.answers_the_contested_line(store.registry)
        work.asks_subjects(store)
    with by(Duty.OVERSIGHT) as store:
        work.oversees(store)
        work.opens_a_case(store)
    with by(Duty.DESK) as store:
        work.attaches_evidence(store.registry)
    with by(Duty.OVERSIGHT) as store:
        work.refers_the_case(store)
    with by(Duty.SUBJECT) as store:
        work.answers_citizens(store)
        corrections.reports_as_citizen(store)
    with by(Duty.DESK) as store:
        corrections.corrects(store)
    with by(Duty.OVERSIGHT) as store:
        corrections.resolves(store)
    with by(Duty.SERVING) as store:
        corrections.acknowledges(store)
    with by(Duty.DESK) as store:
        work.looks(store.registry)
        work.takes_away(store.registry)
    return noted


# --- what was asked, and what was granted -------------------------------------------------------


@pytest.mark.parametrize("duty", Duty)
def test_a_duty_has_exactly_the_privileges_of_its_work(
    played: Mapping[Duty, UsedPrivileges], duty: Duty
) -> None:
    """Each privilege was used; one that no statement needs is one too many."""
    granted = RIGHTS[duty]

    assert played[duty].needed(granted) == granted


def test_all_duties_together_cover_the_program() -> None:
    """A new table is not forgotten, and no role may change append-only tables."""
    together = frozenset().union(*RIGHTS.values())

    assert {right.table for right in together} == {*metadata.tables, VERSION_TABLE}
    added = {right.table for right in together if right.verb == "INSERT"}
    assert added == {*metadata.tables} - {"store_identity", "ledger_head"}
    changed = {right.table for right in together if right.verb in {"UPDATE", "DELETE"}}
    assert not changed & APPEND_ONLY.keys()


def test_columns_of_privileges_exist() -> None:
    """Otherwise an operator would find a misspelt name at installation."""
    for right in frozenset().union(*RIGHTS.values()):
        if right.column:
            assert right.column in metadata.tables[right.table].columns


def statement_for(right: Right) -> str:
    """Return a statement that needs only this privilege, and would change nothing important."""
    return {
        "SELECT": f"SELECT 1 FROM {right.table}",  # noqa: S608
        "INSERT": f"INSERT INTO {right.table} DEFAULT VALUES",
        "UPDATE": f"UPDATE {right.table} SET {right.column} = NULL",  # noqa: S608
        "DELETE": f"DELETE FROM {right.table}",  # noqa: S608
    }[right.verb]


@pytest.mark.parametrize("duty", Duty)
def test_privileges_of_another_duty_are_refused(places: Places, duty: Duty) -> None:
    """Each privilege of another duty is refused to plain SQL, before any trigger or check."""
    others = frozenset().union(*RIGHTS.values()) - RIGHTS[duty]

    with psycopg.connect(places[duty].url, autocommit=True) as connection:
        for right in sorted(others):
            with pytest.raises(errors.InsufficientPrivilege):
                connection.execute(statement_for(right).encode())
    assert len(others) > 30


SERVING_MUST_NOT = (
    "UPDATE recipient SET state = 'ACTIVE'",
    "UPDATE recipient SET code = code",
    "UPDATE recipient SET changed_at = 0",
    "INSERT INTO recipient (code) VALUES ('COM/1')",
    "UPDATE agreement SET state = 'IN_FORCE'",
    "UPDATE agreement SET valid_to = 9999999999999999",
    "UPDATE agreement SET terms = terms",
    "INSERT INTO agreement_signature DEFAULT VALUES",
    "UPDATE signatory SET withdrawn_at = NULL",
    "INSERT INTO signatory DEFAULT VALUES",
    "UPDATE certificate SET withdrawn_at = NULL",
    "INSERT INTO certificate DEFAULT VALUES",
    "UPDATE sealing_certificate SET withdrawn_at = NULL",
    "UPDATE sealing_certificate SET added_at = 0",
    "DELETE FROM official_withdrawal",
    "INSERT INTO official DEFAULT VALUES",
    "INSERT INTO notice_approval DEFAULT VALUES",
    "INSERT INTO person DEFAULT VALUES",
    "UPDATE person SET sealed = sealed",
    "UPDATE ground_use SET revoked_at = NULL",
    "INSERT INTO monthly_statement DEFAULT VALUES",
    "UPDATE monthly_statement SET head = head",
    "UPDATE monthly_statement SET closing = NULL",
    "INSERT INTO contested_answer DEFAULT VALUES",
    "DELETE FROM contested_line",
    "UPDATE act SET sealed = sealed",
    "UPDATE ground_use SET allowed = 99",
    "DELETE FROM ground_use",
    "DELETE FROM daily_use",
    "DELETE FROM revocation",
    "DELETE FROM ledger_queue",
    "UPDATE ledger_queue SET disclosure_id = disclosure_id",
    "INSERT INTO ledger_position DEFAULT VALUES",
    "INSERT INTO ledger_tile DEFAULT VALUES",
    "UPDATE ledger_tile SET hashes = hashes",
    "UPDATE ledger_head SET size = 0",
    "SELECT 1 FROM ledger_head FOR UPDATE",
    "INSERT INTO checkpoint DEFAULT VALUES",
    "INSERT INTO cosignature DEFAULT VALUES",
    "INSERT INTO desk_log DEFAULT VALUES",
    "SELECT 1 FROM desk_log",
    "SELECT 1 FROM desk_document",
)
DESK_MUST_NOT = (
    "INSERT INTO disclosure DEFAULT VALUES",
    "UPDATE act SET sealed = sealed",
    "DELETE FROM act",
    "DELETE FROM ledger_leaf",
    "INSERT INTO request_key DEFAULT VALUES",
    "UPDATE request_key SET answer = NULL",
    "UPDATE ground_use SET used = 0",
    "INSERT INTO ground_use DEFAULT VALUES",
    "UPDATE daily_use SET used = 0",
    "DELETE FROM attempt",
    "DELETE FROM seen_message",
    "DELETE FROM ledger_queue",
    "INSERT INTO ledger_position DEFAULT VALUES",
    "UPDATE ledger_head SET size = 0",
    "UPDATE ledger_tile SET hashes = hashes",
    "INSERT INTO checkpoint DEFAULT VALUES",
    "INSERT INTO ledger_lost DEFAULT VALUES",
    "UPDATE agreement SET recipient = recipient",
    "UPDATE certificate SET der = der",
    "DELETE FROM recipient",
    "SELECT 1 FROM desk_log",
)
SEQUENCING_MUST_NOT = (
    "UPDATE recipient SET state = 'ACTIVE'",
    "SELECT 1 FROM recipient FOR SHARE",
    "UPDATE agreement SET state = 'IN_FORCE'",
    "UPDATE ground_use SET used = 0",
    "UPDATE certificate SET withdrawn_at = NULL",
    "INSERT INTO person DEFAULT VALUES",
    "INSERT INTO disclosure DEFAULT VALUES",
    "INSERT INTO ledger_leaf DEFAULT VALUES",
    "INSERT INTO ledger_queue DEFAULT VALUES",
    "UPDATE request_key SET answer = NULL",
    "SELECT 1 FROM person",
    "SELECT 1 FROM disclosure",
    "SELECT 1 FROM disclosure_2026_11",
    "SELECT 1 FROM evidence",
    "SELECT 1 FROM recipient",
)
SUBJECT_MUST_NOT = (
    "SELECT 1 FROM person",
    "SELECT 1 FROM person_sample",
    "SELECT 1 FROM request_key",
    "SELECT 1 FROM official",
    "SELECT 1 FROM officer",
    "SELECT 1 FROM desk_log",
    "INSERT INTO disclosure DEFAULT VALUES",
    "INSERT INTO ground_use DEFAULT VALUES",
    "UPDATE ground_use SET revoked_at = NULL",
    "UPDATE ground_use SET used = 0",
    "DELETE FROM revocation",
    "UPDATE matching_lock SET subject_index = subject_index",
    "DELETE FROM matching_lock",
    "UPDATE recipient SET state = 'ACTIVE'",
    "UPDATE agreement SET state = 'IN_FORCE'",
    "UPDATE act SET sealed = sealed",
    "DELETE FROM evidence",
    "DELETE FROM ledger_queue",
)
NOBODY_MAY = (
    "TRUNCATE disclosure",
    "DROP TABLE disclosure",
    "ALTER TABLE disclosure DISABLE TRIGGER ALL",
    "DROP TRIGGER disclosure_no_truncate ON disclosure",
    "ALTER TABLE recipient DROP CONSTRAINT ck_recipient_only_locked",
    "CREATE TRIGGER mine BEFORE UPDATE ON ground_use EXECUTE FUNCTION makul_append_only()",
    "SET session_replication_role = replica",
    "DELETE FROM disclosure_2026_11",
    "UPDATE disclosure_2026_11 SET outcome = 'REFUSED'",
    "INSERT INTO disclosure_2026_11 DEFAULT VALUES",
    "INSERT INTO alembic_version VALUES ('9999')",
    "UPDATE store_identity SET store_id = store_id",
    "DELETE FROM recipient",
    "DELETE FROM request_key",
    "DELETE FROM ledger_position",
    "DELETE FROM desk_log",
    "UPDATE request_key SET disclosure_id = disclosure_id",
    "UPDATE person SET sealed = sealed",
    "UPDATE official SET fingerprint = fingerprint",
    "UPDATE certificate SET recipient = recipient",
    "UPDATE ground_use SET allowed = allowed",
    "UPDATE attempt SET at = at",
    "UPDATE seen_message SET forget_after = forget_after",
    "UPDATE ledger_queue SET disclosure_id = disclosure_id",
    "CREATE TABLE mine (a int)",
    *(
        verb.format(table=table, column=columns[0])
        for table, columns in sorted(APPEND_ONLY.items())
        for verb in ("UPDATE {table} SET {column} = {column}", "DELETE FROM {table}")
    ),
)


@pytest.mark.parametrize(
    ("duty", "statement"),
    [
        *((Duty.SERVING, each) for each in SERVING_MUST_NOT),
        *((Duty.DESK, each) for each in DESK_MUST_NOT),
        *((Duty.SEQUENCING, each) for each in SEQUENCING_MUST_NOT),
        *((Duty.SUBJECT, each) for each in SUBJECT_MUST_NOT),
        *((duty, each) for each in NOBODY_MAY for duty in Duty),
    ],
)
def test_forbidden_statements_of_a_duty_are_refused(
    places: Places, duty: Duty, statement: str
) -> None:
    """The list is independent of the granted privileges, and the missing privilege is
    the reason.
    """
    with (
        psycopg.connect(places[duty].url, autocommit=True) as connection,
        pytest.raises(errors.InsufficientPrivilege),
    ):
        connection.execute(statement.encode())


LOCKED = ("agreement", "certificate", "recipient", "sealing_certificate")


@pytest.mark.usefixtures("played")  # one row in each of the tables
@pytest.mark.parametrize("table", LOCKED)
def test_the_column_for_locking_is_always_null(places: Places, table: str) -> None:
    """The one column of these tables that the serving role may change is always NULL."""
    ours = {right.column for right in RIGHTS[Duty.SERVING] if right.table == table and right.column}
    with psycopg.connect(places[Duty.SERVING].url, autocommit=True) as connection:
        connection.execute(f"SELECT 1 FROM {table} FOR SHARE".encode())  # noqa: S608
        with pytest.raises(errors.CheckViolation):
            connection.execute(f"UPDATE {table} SET to_lock_by = 1".encode())  # noqa: S608

    assert ours == {"to_lock_by"}


IDENTITY_OF_BEFORE = table(
    "store_identity", column("store_id"), column("index_check"), column("sealed_check")
)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_an_older_store_is_upgraded(
    kind: str, server: Cluster, keys: StoreKeys, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its rows get the column for locking, and roles get their privileges again."""
    place: DatabaseLocation = tmp_path / "makul.db"
    if kind == "postgresql":
        place = server.place(server.create())
    newest = command.upgrade
    with monkeypatch.context() as before:
        before.setattr(command, "upgrade", lambda config, _: newest(config, "0006"))
        before.setattr("makul.store.open.open_store", lambda *_, **__: None)
        before.setattr("makul.store.open.write_baseline", lambda *_, **__: True)
        before.setattr("makul.store.open._ADD_IDENTITY", insert(IDENTITY_OF_BEFORE))
        create_store(place, keys, who="operator", at=NOON)
    with raw(place) as connection:
        connection.execute("INSERT INTO recipient VALUES ('COM/1', 'BANK', 'A bank', 'ACTIVE', 1)")

    upgrade_store(place, keys, who="operator", at=NOON)

    assert_schema(place)
    opened = (
        create_duty_roles(place)[Duty.SERVING] if isinstance(place, PostgresLocation) else place
    )
    with raw(place) as connection:
        assert connection.execute("SELECT to_lock_by FROM recipient").fetchall() == [(None,)]
    store = open_store(opened, keys, who="operator")
    assert store.register.recipient(MemberCode("COM/1")) is not None
    store.close()
