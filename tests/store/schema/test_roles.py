"""Granting a role what its duty takes on PostgreSQL, and finding who may do more, or less."""

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
    """A store, and a role that was granted what serving takes."""

    server: Cluster
    owner: PostgresLocation
    role: str

    @property
    def place(self) -> PostgresLocation:
        """As the role comes to it."""
        return as_role(self.owner, self.role)

    def execute(self, sql: str) -> None:
        """Run something as the superuser; `{role}` is the role."""
        name = psycopg.conninfo.conninfo_to_dict(self.owner.url)["dbname"]
        self.server.execute(sql.format(role=self.role), database=str(name))

    def weaknesses(self, duty: Duty = Duty.SERVING) -> list[str]:
        """But for that of the tests' own server, which does not write to disk, for haste."""
        return [each for each in weaknesses(self.place, duty) if "fsync" not in each]


@pytest.fixture
def granted(server: Cluster, server_template: str) -> Iterator[Granted]:
    name = server.create(template=server_template)
    role = f"granted{next(ROLES)}"
    server.execute(f"CREATE ROLE {role} LOGIN")
    made = Granted(server, server.place(name), role)
    grant(made.owner, role, Duty.SERVING)
    yield made
    server.drop(name)
    server.execute(f"DROP ROLE {role}")


@pytest.mark.parametrize("duty", Duty)
def test_a_role_is_fit_for_what_it_was_granted(granted: Granted, duty: Duty) -> None:
    """Granted for another duty, it loses what it had for the one before."""
    grant(granted.owner, granted.role, duty)

    assert granted.weaknesses(duty) == []


@pytest.mark.parametrize(("own", "other"), list(permutations(Duty, 2)))
def test_a_role_is_not_fit_for_another_duty(granted: Granted, own: Duty, other: Duty) -> None:
    """Too much and too little is told, and the command by which that is mended."""
    grant(granted.owner, granted.role, own)

    more, less = granted.weaknesses(other)

    assert f"may do more than {other.value} takes" in more
    assert f"may not do what {other.value} takes" in less
    command = f"makul store grant {granted.role} --for {other.value} --apply"
    assert more.endswith(command)
    assert less.endswith(command)


def test_one_role_for_all_is_fit_for_nothing(granted: Granted) -> None:
    """As it was before duties were parted: a worker that may release a recipient does not serve."""
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
    ("given", "told"),
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
def test_one_right_more_is_told_and_taken_by_granting_anew(
    granted: Granted, given: str, told: str
) -> None:
    """To a column alone, to one month past the whole: each is one too many."""
    granted.execute(given)
    (found,) = granted.weaknesses()
    assert told in found

    grant(granted.owner, granted.role, Duty.SERVING)

    assert granted.weaknesses() == []


def test_one_right_less_is_told(granted: Granted) -> None:
    """Before the first request fails of it."""
    granted.execute("REVOKE INSERT ON evidence FROM {role}")

    (found,) = granted.weaknesses()

    assert "may not do what serving takes (INSERT evidence)" in found


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("ALTER ROLE {role} CREATEROLE", "may make roles"),
        ("ALTER ROLE {role} BYPASSRLS", "superuser"),
        ("ALTER ROLE {role} SUPERUSER", "superuser"),
        ("GRANT pg_execute_server_program TO {role}", "files or programs"),
        ("GRANT CREATE ON SCHEMA public TO {role}", "may make tables"),
        ("ALTER TABLE ground_use OWNER TO {role}", "owns tables"),
    ],
)
def test_a_power_that_no_grant_of_ours_gives_is_told(
    granted: Granted, given: str, told: str
) -> None:
    """Any of these leads to all the rest."""
    granted.execute(given)
    try:
        (found,) = granted.weaknesses()
    finally:
        granted.execute("ALTER TABLE ground_use OWNER TO postgres")
        granted.execute("REVOKE CREATE ON SCHEMA public FROM {role}")

    assert told in found


@pytest.mark.parametrize("how", ["INHERIT TRUE", "INHERIT FALSE, SET TRUE"])
def test_what_the_role_may_act_as_counts_as_its_own(granted: Granted, how: str) -> None:
    """Also where that takes a SET ROLE."""
    desk = f"desk{next(ROLES)}"
    granted.server.execute(f"CREATE ROLE {desk}")
    grant(granted.owner, desk, Duty.DESK)
    granted.execute(f"GRANT {desk} TO {{role}} WITH {how}")
    try:
        (*_, found) = granted.weaknesses()
        granted.execute(f"REVOKE {desk} FROM {{role}}")
        assert granted.weaknesses() == []
    finally:
        granted.execute(f"DROP OWNED BY {desk}")
        granted.server.execute(f"DROP ROLE {desk}")

    assert "UPDATE agreement.changed_at" in found
    assert found.endswith(f"REVOKE {desk} FROM {granted.role}")


def owned(server: Cluster, *options: str) -> tuple[PostgresLocation, str]:
    """A store as docs/operators.md has it made: its owner is no superuser, and made the role."""
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


def test_who_may_not_grant_is_told_who_may(server: Cluster) -> None:
    place, role = owned(server)
    with pytest.raises(StoreUnavailableError, match=f"no role {role}"):
        grant(place, role, Duty.SERVING)
    server.execute(f"CREATE ROLE {role} LOGIN")
    with pytest.raises(StoreUnavailableError, match="CREATEROLE"):
        grant(place, role, Duty.SERVING)


def test_a_superuser_is_fit_for_nothing(granted: Granted) -> None:
    """Nor is a server that does not write to disk, as the tests' own, for haste."""
    fsync, found = weaknesses(granted.owner, Duty.SERVING)

    assert "fsync" in fsync
    assert "the role is a superuser" in found


@pytest.mark.parametrize("duty", Duty)
def test_the_statements_say_what_the_duty_takes(duty: Duty) -> None:
    """A table's rights in one GRANT, an UPDATE by column alone, and nothing WITH GRANT OPTION."""
    said = [each for each in grants("service", duty) if each.startswith("GRANT")]

    assert len(said) == len({right.table for right in RIGHTS[duty]})
    assert not any("OPTION" in each or "ALL" in each for each in said)
    assert all("UPDATE (" in each for each in said if "UPDATE" in each)


@pytest.mark.parametrize("role", ["", "A", "a b", "a;b", 'a"', "1a", "ä", "a" * 64])
def test_a_name_that_needs_quoting_is_none(role: str) -> None:
    with pytest.raises(ValueError, match="small letters"):
        grants(role, Duty.SERVING)


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
    assert rows_in(place, "disclosure") == 1
    assert rows_in(place, "ledger_leaf") == rows_in(place, "act") + 1
    server.drop(name)


def test_a_file_has_no_months(path: DatabaseLocation) -> None:
    assert make_months(path, at=NOON) == []
    assert all(weaknesses(path, duty) == [] for duty in Duty)
