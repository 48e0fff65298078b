"""What the service's role may do on PostgreSQL: add to the record, and change nothing of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg
import pytest
from psycopg import errors

from makul.app.ports import Committed, StoreUnavailableError
from makul.app.ports.ledger import Sequenced
from makul.domain.attempts import AttemptLimits
from makul.domain.disclosures import GroundKind
from makul.domain.recipients import RecipientState
from makul.store import StoreKeys, open_store
from makul.store.append_only import APPEND_ONLY
from makul.store.columns import metadata
from makul.store.granting import _CHANGED, grant, grants, weaknesses
from makul.store.months import make_months, missing_months, months_around
from makul.store.places import Place, PostgresPlace
from makul.store.schema import migrate
from support.ledger import a_note_signer, sequence
from support.postgres import Cluster
from support.records import (
    BANK,
    FINGERPRINT,
    NOON,
    a_consent,
    a_failed_match,
    a_mark,
    a_recipient,
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
        "UPDATE request_key SET disclosure_id = disclosure_id",
        "UPDATE person SET sealed = sealed",
        "UPDATE official SET fingerprint = fingerprint",
        "UPDATE certificate SET recipient = recipient",
        "UPDATE ground_use SET allowed = allowed",
        "UPDATE attempt SET at = at",
        "UPDATE seen_message SET forget_after = forget_after",
        "UPDATE ledger_queue SET disclosure_id = disclosure_id",
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


def test_a_right_to_one_column_is_one_too_many(granted: Granted, server: Cluster) -> None:
    """A decision is changed by its outcome alone."""
    database = psycopg.conninfo.conninfo_to_dict(granted.owner.url)["dbname"]
    server.execute(
        f"GRANT UPDATE (outcome) ON disclosure TO {granted.role}", database=str(database)
    )
    assert "disclosure" in " ".join(weaknesses(granted.service))

    grant(granted.owner, granted.role)

    assert of_the_role(granted.service) == []


def test_columns_that_may_be_changed_are_there_and_in_no_record() -> None:
    """A name that is written wrongly would be found by whoever installs."""
    for table, columns in _CHANGED.items():
        assert set(columns) <= set(metadata.tables[table].columns.keys())
    assert not _CHANGED.keys() & APPEND_ONLY.keys()


def test_the_role_sequences_holds_and_withdraws(
    granted: Granted, keys: StoreKeys, tmp_path: Path
) -> None:
    """All that the service's user does with it: what is changed where it stands may be changed."""
    signer = a_note_signer(tmp_path)
    store = open_store(granted.service, keys, who="service")
    ground = a_consent()
    store.recorder.record(a_release(ground=ground, meter=True))

    assert isinstance(sequence(store, signer), Sequenced)
    store.recorder.record(a_release())
    done = sequence(store, signer)
    store.desk.revoke_ground(BANK, GroundKind.CONSENT, ground.id, reason="test", at=NOON)
    store.desk.withdraw_certificate(BANK, FINGERPRINT, reason="test", at=NOON)
    store.desk.set_state(a_recipient(state=RecipientState.ON_HOLD), reason="test", at=NOON)
    store.close()

    assert isinstance(done, Sequenced)
    assert (done.taken, done.size) == (1, 2)


def owned(server: Cluster, *options: str) -> tuple[PostgresPlace, str]:
    """A store as docs/operators.md has it made: its owner is no superuser, and made the role."""
    number = next(ROLES)
    owner, role = f"owner{number}", f"served{number}"
    server.execute(f"CREATE ROLE {owner} LOGIN {' '.join(options)}")
    name = server.create()
    server.execute(f"ALTER DATABASE {name} OWNER TO {owner}")
    place = PostgresPlace(url=server.url(name, user=owner))
    migrate(place)
    return place, role


def test_an_owner_grants_to_a_role_that_it_made(server: Cluster) -> None:
    place, role = owned(server, "CREATEROLE")
    with psycopg.connect(place.url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN".encode())

    grant(place, role)

    service = PostgresPlace(url=place.url.replace("user=owner", "user=served"))
    assert of_the_role(service) == []


def test_who_may_not_grant_is_told_who_may(server: Cluster) -> None:
    place, role = owned(server)
    with pytest.raises(StoreUnavailableError, match=f"no role {role}"):
        grant(place, role)
    server.execute(f"CREATE ROLE {role} LOGIN")
    with pytest.raises(StoreUnavailableError, match="CREATEROLE"):
        grant(place, role)


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
