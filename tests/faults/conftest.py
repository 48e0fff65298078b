"""Fixtures: services on both databases, a file and a server that writes to disk."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from makul.store import StoreKeys, create_store
from makul.store.db.location import DatabaseLocation
from makul.store.schema.partitions import make_months
from makul_testing.builders.records import NOON, register_parties
from makul_testing.external.postgres import Cluster, cluster
from makul_testing.faults.record_audit import Count
from makul_testing.in_process_service import InProcessService, build_installation_on

DATABASES = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def server() -> Iterator[Cluster]:
    """Run a PostgreSQL server that survives kills."""
    with cluster(durable=True, track_commit_timestamp="on") as running:
        yield running


@pytest.fixture(scope="session", params=DATABASES)
def database(request: pytest.FixtureRequest) -> str:
    """Return the database on which a fault occurs."""
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def installation(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, database: str
) -> Iterator[InProcessService]:
    """Build one service on each database.

    A test restores it: no recipient on hold, nothing broken.
    """
    directory = tmp_path_factory.mktemp(database)
    built = build_installation_on(directory, database, lambda: request.getfixturevalue("server"))
    yield built
    built.close()


@pytest.fixture
def count(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> Count:
    """Print a line of counts at the end of the run."""

    def tell(line: str) -> None:
        record_property("faults", line)

    return tell


@pytest.fixture(scope="session")
def keys() -> StoreKeys:
    return StoreKeys.generate()


@pytest.fixture
def place(
    request: pytest.FixtureRequest, tmp_path: Path, keys: StoreKeys, database: str
) -> DatabaseLocation:
    """Build a store with the bank, its agreement and one citizen, for one test."""
    place: DatabaseLocation = tmp_path / "makul.db"
    if database != "sqlite":
        server: Cluster = request.getfixturevalue("server")
        place = server.place(server.create())
    store = create_store(place, keys, who="operator", at=NOON)
    make_months(place, at=NOON)
    register_parties(store.registry)
    store.close()
    return place
