"""Houses on both databases: a file, and a server that writes to disk as a real one does."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from support import house as houses
from support.aftermath import Count
from support.house import InProcess, build_house
from support.postgres import Cluster, cluster

DATABASES = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def server() -> Iterator[Cluster]:
    """A PostgreSQL server that outlives being killed."""
    with cluster(durable=True, track_commit_timestamp="on") as running:
        yield running


def house_in(directory: Path, database: str, server: Callable[[], Cluster]) -> InProcess:
    """A house whose record lies in one of the databases, whatever `--database` says."""
    before = houses.new_database
    houses.new_database = (lambda: server().url(server().create())) if database != "sqlite" else None
    try:
        return build_house(directory)
    finally:
        houses.new_database = before


@pytest.fixture(scope="session", params=DATABASES)
def database(request: pytest.FixtureRequest) -> str:
    """On which database a fault is made."""
    name: str = request.param
    return name


@pytest.fixture(scope="session")
def house(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, database: str
) -> Iterator[InProcess]:
    """One on each database. A test leaves it as it found it: nobody on hold, nothing broken."""
    directory = tmp_path_factory.mktemp(database)
    built = house_in(directory, database, lambda: request.getfixturevalue("server"))
    yield built
    built.close()


@pytest.fixture
def count(request: pytest.FixtureRequest, record_property: Callable[[str, object], None]) -> Count:
    """Tell a line of counts at the end of the run."""

    def tell(line: str) -> None:
        record_property("faults", line)

    return tell
