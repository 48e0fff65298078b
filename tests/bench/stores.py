"""The databases on which the service and the peer are measured."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import psycopg

from bench.population import StoredPopulation
from makul.store import StoreKeys
from makul.store.db.location import PostgresLocation
from makul_testing.external.postgres import Cluster, cluster
from makul_testing.in_process_service import InProcessService, RecordDatabase, build_installation

_COPY = "COPY person (pin_index, version, content_index, sealed, recorded_at, format) FROM STDIN"


class Database(Protocol):
    """One kind of database."""

    @property
    def name(self) -> str:
        """Return its name in the report."""

    def installation(
        self, directory: Path, *, people: int, keys: StoreKeys | None = None
    ) -> InProcessService:
        """Build a service in an empty directory, over a new database of this kind."""

    def fill(self, installation: InProcessService, population: StoredPopulation) -> None:
        """Put a population into a service that was made with its keys."""

    def peer_url(self, directory: Path) -> str:
        """Return the address of the peer's own data."""


class Sqlite:
    """SQLite files in the directories of their users."""

    name = "sqlite"

    def installation(
        self, directory: Path, *, people: int, keys: StoreKeys | None = None
    ) -> InProcessService:
        """Build a service in an empty directory."""
        directory.mkdir(parents=True)
        return build_installation(directory, people=people, keys=keys)

    def fill(self, installation: InProcessService, population: StoredPopulation) -> None:
        """Write into the file itself."""
        population.write_into(installation.settings.store.database)

    def peer_url(self, directory: Path) -> str:
        """Return the address of a file beside the peer's others."""
        return f"sqlite:///{directory.absolute()}/peer.db"


class Postgres:
    """Databases of one server of our own, which puts every commit on the disk."""

    name = "postgresql"

    def __init__(self, server: Cluster) -> None:
        self._server = server

    def installation(
        self, directory: Path, *, people: int, keys: StoreKeys | None = None
    ) -> InProcessService:
        """Build a service in an empty directory, with its records in a new database."""
        directory.mkdir(parents=True)
        database = RecordDatabase(lambda: self._server)
        return build_installation(directory, database=database, people=people, keys=keys)

    def fill(self, installation: InProcessService, population: StoredPopulation) -> None:
        """Fill by COPY, and then analyse, as a server does by itself at some time."""
        place = installation.settings.place
        assert isinstance(place, PostgresLocation)
        with psycopg.connect(place.url, autocommit=True) as connection:
            cursor = connection.cursor()
            with cursor.copy(_COPY) as copy:
                for row in population.rows():
                    copy.write_row(row)
            connection.execute("VACUUM ANALYZE person")

    def peer_url(self, directory: Path) -> str:
        """Return the address of the peer's own database."""
        del directory
        return self._new().replace("postgresql://", "postgresql+psycopg://", 1)

    def _new(self) -> str:
        return self._server.url(self._server.create())


@contextmanager
def databases() -> Iterator[Mapping[str, Database]]:
    """Yield every kind by name, until the block ends."""
    with cluster(durable=True) as server:
        kinds: tuple[Database, ...] = (Sqlite(), Postgres(server))
        yield {kind.name: kind for kind in kinds}
