"""Granting a role the privileges of its duty on PostgreSQL, and finding roles with more or less."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count, permutations

import psycopg
import pytest

from makul.app.ports import Committed, Duty, StoreUnavailableError
from makul.store import StoreKeys, open_store
from makul.store.db.location import DatabaseLocation, PostgresLocation
from makul.store.schema.partitions import make_months, missing_months, months_around
from makul.store.schema.role_privileges import RIGHTS
from makul.store.schema.roles import grant, grants, weaknesses
from makul.store.schema.version import migrate
from makul_testing.builders.entries import a_release
from makul_testing.builders.records import NOON
from makul_testing.database_roles import as_role
from makul_testing.external.postgres import Cluster
from makul_testing.raw_sql import count as rows_in

ROLES = count(1)


@dataclass(frozen=True, slots=True)
class Granted:
    """A store, and a role with the privileges of serving."""

    server: Cluster
    owner: PostgresLocation
    role: str

    @property
    def place(self) -> PostgresLocation:
        """Return the location, as the role connects to it."""
        return as_role(self.owner, self.role)

    def execute(self, sql: str) -> None:
        """Run SQL as the superuser; `{role}` is the role."""
        name = psycopg.conninfo.conninfo_to_dict(self.owner.url)["dbname"]
        self.server.execute(sql.format(role=self.role), database=str(name))

    def weaknesses(self, duty: Duty = Duty.SERVING) -> list[str]:
        """Return the weaknesses without that of the tests' server, which does not write to disk."""
        return [each for each in weaknesses(self.place, duty) if "fsync" not in each]


@pytest.fixture
def granted(server: Cluster, server_template: str) -> Iterator[Granted]:
    name = server.create(template=server_template)
    role = f"granted{next(ROLES)}"
    server.execute(f"CREATE ROLE {role} LOGIN")
    granted = Granted(server, server.place(name), role)
    grant(granted.owner, role, Duty.SERVING)
    yield granted
    server.drop(name)
    server.execute(f"DROP ROLE {role}")


@pytest.mark.parametrize("duty", Duty)
def test_a_role_is_fit_for_what_it_was_granted(granted: Granted, duty: Duty) -> None:
    """A role that is granted another duty loses the privileges of the former one."""
    grant(granted.owner, granted.role, duty)

    assert granted.weaknesses(duty) == []


@pytest.mark.parametrize(("own", "other"), list(permutations(Duty, 2)))
def test_a_role_is_not_fit_for_another_duty(granted: Granted, own: Duty, other: Duty) -> None:
    """Additional and missing privileges are reported, with the command that corrects them."""
    grant(granted.owner, granted.role, own)

    more, less = granted.weaknesses(other)

    assert f"may do more than {other.value} takes" in more
    assert f"may not do what {other.value} takes" in less
    command = f"makul store grant {granted.role} --for {other.value} --apply"
    assert more.endswith(command)
    assert less.endswith(command)


def test_one_role_for_all_duties_is_not_fit(granted: Granted) -> None:
    """A worker's role must not be able to release a recipient."""
    statements = [
        each for duty in Duty for each in grants(granted.role, duty) if each.startswith("GRANT")
    ]
    granted.execute(";".join(statements))

    (serving,) = granted.weaknesses(Duty.SERVING)
    (sequencing,) = granted.weaknesses(Duty.SEQUENCING)

    assert "UPDATE agreement.changed_at" in serving
    assert " more): " in serving
    assert "UPDATE agreement.state" in sequencing


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("GRANT ALL ON disclosure TO {role}", "DELETE disclosure"),
        ("GRANT UPDATE (outcome) ON disclosure TO {role}", "UPDATE disclosure.outcome"),
        ("GRANT UPDATE (state) ON recipient TO {role}", "(UPDATE recipient.state)"),
        ("GRANT UPDATE ON recipient TO {role}", "UPDATE recipient.changed_at"),
        ("GRANT DELETE ON ledger_queue TO {role}", "(DELETE ledger_queue)"),
        ("GRANT INSERT (code) ON recipient TO {role}", "(INSERT recipient)"),
        ("GRANT TRIGGER ON ground_use TO {role}", "(TRIGGER ground_use)"),
        ("GRANT TRUNCATE ON gate TO {role}", "(TRUNCATE gate)"),
        ("GRANT SELECT ON desk_log TO {role}", "(SELECT desk_log)"),
        ("GRANT DELETE ON disclosure_2026_11 TO {role}", "(DELETE disclosure_2026_11)"),
        ("GRANT UPDATE (version_num) ON alembic_version TO {role}", "alembic_version.version_num"),
    ],
)
def test_one_additional_privilege_is_reported_and_revoked(
    granted: Granted, statement: str, message: str
) -> None:
    """A privilege on one column, or on one month alone, is one too many."""
    granted.execute(statement)
    (found,) = granted.weaknesses()
    assert message in found

    grant(granted.owner, granted.role, Duty.SERVING)

    assert granted.weaknesses() == []


def test_one_missing_privilege_is_reported(granted: Granted) -> None:
    """It is reported before the first request fails."""
    granted.execute("REVOKE INSERT ON evidence FROM {role}")

    (found,) = granted.weaknesses()

    assert "may not do what serving takes (INSERT evidence)" in found


@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("ALTER ROLE {role} CREATEROLE", "may make roles"),
        ("ALTER ROLE {role} BYPASSRLS", "superuser"),
        ("ALTER ROLE {role} SUPERUSER", "superuser"),
        ("GRANT pg_execute_server_program TO {role}", "files or programs"),
        ("GRANT CREATE ON SCHEMA public TO {role}", "may make tables"),
        ("ALTER TABLE ground_use OWNER TO {role}", "owns tables"),
    ],
)
def test_a_power_outside_our_grants_is_reported(
    granted: Granted, statement: str, message: str
) -> None:
    """Each of these powers leads to all others."""
    granted.execute(statement)
    try:
        (found,) = granted.weaknesses()
    finally:
        granted.execute("ALTER TABLE ground_use OWNER TO postgres")
        granted.execute("REVOKE CREATE ON SCHEMA public FROM {role}")

    assert message in found


@pytest.mark.parametrize("how", ["INHERIT TRUE", "INHERIT FALSE, SET TRUE"])
def test_roles_that_the_role_may_assume_count(granted: Granted, how: str) -> None:
    """A SET ROLE counts too."""
    registry = f"desk{next(ROLES)}"
    granted.server.execute(f"CREATE ROLE {registry}")
    grant(granted.owner, registry, Duty.DESK)
    granted.execute(f"GRANT {registry} TO {{role}} WITH {how}")
    try:
        (*_, found) = granted.weaknesses()
        granted.execute(f"REVOKE {registry} FROM {{role}}")
        assert granted.weaknesses() == []
    finally:
        granted.execute(f"DROP OWNED BY {registry}")
        granted.server.execute(f"DROP ROLE {registry}")

    assert "UPDATE agreement.changed_at" in found
    assert found.endswith(f"REVOKE {registry} FROM {granted.role}")


def owned(server: Cluster, *options: str) -> tuple[PostgresLocation, str]:
    """Build a store as in docs/operators.md: its owner is no superuser, and made the role."""
    number = next(ROLES)
    owner, role = f"owner{number}", f"served{number}"
    server.execute(f"CREATE ROLE {owner} LOGIN {' '.join(options)}")
    name = server.create()
    server.execute(f"ALTER DATABASE {name} OWNER TO {owner}")
    place = PostgresLocation(url=server.url(name, user=owner))
    migrate(place)
    return place, role


def test_an_owner_grants_to_a_role_that_it_made(server: Cluster) -> None:
    place, role = owned(server, "CREATEROLE")
    with psycopg.connect(place.url, autocommit=True) as connection:
        connection.execute(f"CREATE ROLE {role} LOGIN".encode())

    grant(place, role, Duty.SERVING)

    service = PostgresLocation(url=place.url.replace("user=owner", "user=served"))
    assert all("fsync" in each for each in weaknesses(service, Duty.SERVING))
    (*_, found) = weaknesses(place, Duty.SERVING)
    assert "owns tables" in found


def test_a_role_that_may_not_grant_gets_an_error(server: Cluster) -> None:
    place, role = owned(server)
    with pytest.raises(StoreUnavailableError, match=f"no role {role}"):
        grant(place, role, Duty.SERVING)
    server.execute(f"CREATE ROLE {role} LOGIN")
    with pytest.raises(StoreUnavailableError, match="CREATEROLE"):
        grant(place, role, Duty.SERVING)


def test_a_superuser_is_fit_for_nothing(granted: Granted) -> None:
    """A server that does not write to disk, like that of the tests, is not fit either."""
    fsync, found = weaknesses(granted.owner, Duty.SERVING)

    assert "fsync" in fsync
    assert "the role is a superuser" in found


@pytest.mark.parametrize("duty", Duty)
def test_the_statements_grant_the_privileges_of_the_duty(duty: Duty) -> None:
    """A table's privileges are in one GRANT, UPDATE only by column, and nothing WITH
    GRANT OPTION.
    """
    statements = [each for each in grants("service", duty) if each.startswith("GRANT")]

    assert len(statements) == len({right.table for right in RIGHTS[duty]})
    assert not any("OPTION" in each or "ALL" in each for each in statements)
    assert all("UPDATE (" in each for each in statements if "UPDATE" in each)


@pytest.mark.parametrize("role", ["", "A", "a b", "a;b", 'a"', "1a", "ä", "a" * 64])
def test_a_name_that_needs_quoting_is_refused(role: str) -> None:
    with pytest.raises(ValueError, match="small letters"):
        grants(role, Duty.SERVING)


# --- months -----------------------------------------------------------------------------------


def test_months_are_made_once(server: Cluster, server_template: str) -> None:
    """A daily timer makes them, and missing ones are reported."""
    name = server.create(template=server_template)
    place = server.place(name)
    later = NOON.replace(year=NOON.year + 5)

    missing = missing_months(place, at=later)
    months = make_months(place, at=later)

    assert list(missing) == list(months) == list(months_around(later))
    assert make_months(place, at=later) == missing_months(place, at=later) == []
    server.drop(name)


def test_months_continue_in_the_next_year(server: Cluster) -> None:
    december = NOON.replace(month=12)

    assert list(months_around(december, 2)) == [(2026, 11), (2026, 12), (2027, 1), (2027, 2)]
    assert next(iter(months_around(NOON.replace(month=1), 1))) == (2025, 12)


def test_nothing_is_recorded_without_a_partition(
    server: Cluster, server_template: str, keys: StoreKeys
) -> None:
    """A missing partition means no record and no answer; when it exists, all continues."""
    name = server.create(template=server_template)
    place = server.place(name)
    server.execute("DROP TABLE disclosure_2026_11", database=name)
    store = open_store(place, keys, who="operator")

    with pytest.raises(StoreUnavailableError):
        store.recorder.record(a_release())
    make_months(place, at=NOON)
    assert store.recorder.record(a_release()) == Committed()

    store.close()
    assert rows_in(place, "disclosure") == 1
    assert rows_in(place, "ledger_leaf") == rows_in(place, "act") + 1
    server.drop(name)


def test_a_file_has_no_months(path: DatabaseLocation) -> None:
    assert make_months(path, at=NOON) == []
    assert all(weaknesses(path, duty) == [] for duty in Duty)
