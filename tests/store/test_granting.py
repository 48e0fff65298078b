"""What the service's role may do on PostgreSQL: add to the record, and change nothing of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import psycopg
import pytest
from psycopg import errors

from makul.app.ports import Committed, StoreUnavailableError
from makul.domain.attempts import AttemptLimits
from makul.store import StoreKeys, open_store
from makul.store.append_only import APPEND_ONLY
from makul.store.granting import grant, grants, weaknesses
from makul.store.months import make_months, missing_months, months_around
from makul.store.places import Place, PostgresPlace
from makul.store.tables import metadata
from support.postgres import Cluster
from support.records import (
    NOON,
    a_consent,
    a_failed_match,
    a_mark,
    a_release,
    an_evidence,
)
from support.sql import count as rows_in

ROLES = count(1)


@dataclass(frozen=True, slots=True)
class Granted:
    """A store, and how a role that was granted what serving needs comes to it."""

    owner: PostgresPlace
    service: PostgresPlace
    role: str


@pytest.fixture
def granted(server: Cluster, server_template: str) -> Iterator[Granted]:
    name = server.create(template=server_template)
    role = f"service{next(ROLES)}"
    server.execute(f"CREATE ROLE {role} LOGIN")
    owner = server.place(name)
    grant(owner, role)
    yield Granted(owner, PostgresPlace(url=server.url(name, user=role)), role)
    server.drop(name)
    server.execute(f"DROP ROLE {role}")


def of_the_role(place: Place) -> list[str]:
    return [each for each in weaknesses(place) if "fsync" not in each]


def test_the_role_serves(granted: Granted, keys: StoreKeys) -> None:
    """Every kind of entry, a replay, housekeeping and the desk."""
    store = open_store(granted.service, keys, who="service")
    entry = a_release(
        ground=a_consent(),
        meter=True,
        evidence=(an_evidence(),),
        daily_quota=3,
        attempt_limits=AttemptLimits(),
        mark=a_mark(),
    )

    assert store.recorder.record(entry) == Committed()
    assert store.recorder.record(a_failed_match(attempt_limits=AttemptLimits())) == Committed()
    store.housekeep(at=NOON)
    assert len(store.desk.recipients()) == 1
    store.close()
    assert of_the_role(granted.service) == []


@pytest.mark.parametrize("table", sorted(APPEND_ONLY))
@pytest.mark.parametrize("verb", ["UPDATE {table} SET {column} = {column}", "DELETE FROM {table}"])
def test_the_role_changes_no_record(granted: Granted, table: str, verb: str) -> None:
    """Refused by the right that is missing, before any trigger."""
    statement = verb.format(table=table, column=APPEND_ONLY[table][0])

    with (
        psycopg.connect(granted.service.url) as connection,
        pytest.raises(errors.InsufficientPrivilege),
    ):
        connection.execute(statement.encode())


@pytest.mark.parametrize(
    "statement",
    [
        "TRUNCATE disclosure",
        "DROP TABLE disclosure",
        "ALTER TABLE disclosure DISABLE TRIGGER ALL",
        "DROP TRIGGER disclosure_no_truncate ON disclosure",
        "SET session_replication_role = replica",
        "DELETE FROM disclosure_2026_11",
        "UPDATE disclosure_2026_11 SET outcome = 'REFUSED'",
        "INSERT INTO alembic_version VALUES ('9999')",
        "UPDATE store_identity SET store_id = store_id",
        "DELETE FROM recipient",
        "DELETE FROM request_key",
        "CREATE TABLE mine (a int)",
    ],
)
def test_nor_what_guards_it(granted: Granted, statement: str) -> None:
    """Nor a partition past its parent."""
    with (
        psycopg.connect(granted.service.url) as connection,
        pytest.raises(errors.InsufficientPrivilege),
    ):
        connection.execute(statement.encode())


def test_what_a_role_had_more_is_taken(granted: Granted, server: Cluster) -> None:
    database = psycopg.conninfo.conninfo_to_dict(granted.owner.url)["dbname"]
    server.execute(f"GRANT ALL ON disclosure TO {granted.role}", database=str(database))
    assert "disclosure" in " ".join(weaknesses(granted.service))

    grant(granted.owner, granted.role)

    assert of_the_role(granted.service) == []


def test_the_owner_is_not_fit_to_serve(granted: Granted) -> None:
    """Nor is a server that does not write to disk, as the tests' own, for haste."""
    found = " ".join(weaknesses(granted.owner))

    assert "fsync" in found
    assert "superuser" in found
    assert "may change" in found


def test_every_table_is_granted_something() -> None:
    """A new table is not forgotten."""
    given = " ".join(grants("service"))

    assert all(f" ON {table} TO service" in given for table in metadata.tables)


@pytest.mark.parametrize("role", ["", "A", "a b", "a;b", 'a"', "1a", "ä", "a" * 64])
def test_a_name_that_needs_quoting_is_none(role: str) -> None:
    with pytest.raises(ValueError, match="small letters"):
        grants(role)


# --- months -----------------------------------------------------------------------------------


def test_months_are_made_once(server: Cluster, server_template: str) -> None:
    """By cron, every day; and told while they are missing."""
    name = server.create(template=server_template)
    place = server.place(name)
    later = NOON.replace(year=NOON.year + 5)

    missing = missing_months(place, at=later)
    made = make_months(place, at=later)

    assert list(missing) == list(made) == list(months_around(later))
    assert make_months(place, at=later) == missing_months(place, at=later) == []
    server.drop(name)


def test_a_year_ends(server: Cluster) -> None:
    december = NOON.replace(month=12)

    assert list(months_around(december, 2)) == [(2026, 11), (2026, 12), (2027, 1), (2027, 2)]
    assert next(iter(months_around(NOON.replace(month=1), 1))) == (2025, 12)


def test_without_its_month_nothing_is_recorded(
    server: Cluster, server_template: str, keys: StoreKeys
) -> None:
    """Fail closed: no partition, no record, no answer; as soon as it is there, all goes on."""
    name = server.create(template=server_template)
    place = server.place(name)
    server.execute("DROP TABLE disclosure_2026_11", database=name)
    store = open_store(place, keys, who="operator")

    with pytest.raises(StoreUnavailableError):
        store.recorder.record(a_release())
    make_months(place, at=NOON)
    assert store.recorder.record(a_release()) == Committed()

    store.close()
    assert rows_in(place, "disclosure") == rows_in(place, "ledger_leaf") == 1
    server.drop(name)


def test_a_file_has_no_months(path: Place) -> None:
    assert make_months(path, at=NOON) == []
    assert weaknesses(path) == []
