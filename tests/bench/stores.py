"""The databases that a house and the peer are measured on."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import psycopg

from bench.crowd import SealedCrowd
from makul.store import StoreKeys
from makul.store.db.location import PostgresLocation
from makul_testing.external.postgres import Cluster, cluster
from makul_testing.in_process_service import InProcess, RecordDatabase, build_house

_COPY = "COPY person (pin_index, version, content_index, sealed, recorded_at, format) FROM STDIN"


class Database(Protocol):
    """One kind of database."""

    @property
    def name(self) -> str:
        """As the report calls it."""

    def house(self, directory: Path, *, people: int, keys: StoreKeys | None = None) -> InProcess:
        """A house in an empty directory, over a new database of this kind."""

    def fill(self, house: InProcess, crowd: SealedCrowd) -> None:
        """Put a crowd into a house that was made with its keys."""

    def peer_url(self, directory: Path) -> str:
        """Where the peer keeps its own."""


class Sqlite:
    """Files in the directories of those who use them."""

    name = "sqlite"

    def house(self, directory: Path, *, people: int, keys: StoreKeys | None = None) -> InProcess:
        """A house in an empty directory."""
        directory.mkdir(parents=True)
        return build_house(directory, people=people, keys=keys)

    def fill(self, house: InProcess, crowd: SealedCrowd) -> None:
        """Into the file itself."""
        crowd.pour_into(house.settings.store.database)

    def peer_url(self, directory: Path) -> str:
        """A file beside the peer's others."""
        return f"sqlite:///{directory.absolute()}/peer.db"


class Postgres:
    """Databases of one server of our own, which puts every commit on the disk."""

    name = "postgresql"

    def __init__(self, server: Cluster) -> None:
        self._server = server

    def house(self, directory: Path, *, people: int, keys: StoreKeys | None = None) -> InProcess:
        """A house in an empty directory; its record in a new database."""
        directory.mkdir(parents=True)
        database = RecordDatabase(lambda: self._server)
        return build_house(directory, database=database, people=people, keys=keys)

    def fill(self, house: InProcess, crowd: SealedCrowd) -> None:
        """By COPY, and then looked over, as a server does by itself sooner or later."""
        place = house.settings.place
        assert isinstance(place, PostgresLocation)
        with psycopg.connect(place.url, autocommit=True) as connection:
            cursor = connection.cursor()
            with cursor.copy(_COPY) as copy:
                for row in crowd.rows():
                    copy.write_row(row)
            connection.execute("VACUUM ANALYZE person")

    def peer_url(self, directory: Path) -> str:
        """A database of the peer's own."""
        del directory
        return self._new().replace("postgresql://", "postgresql+psycopg://", 1)

    def _new(self) -> str:
        return self._server.url(self._server.create())


@contextmanager
def databases() -> Iterator[Mapping[str, Database]]:
    """Every kind there is, by name, until the block ends."""
    with cluster(durable=True) as server:
        kinds: tuple[Database, ...] = (Sqlite(), Postgres(server))
        yield {kind.name: kind for kind in kinds}
