"""The databases that a house and the peer are measured on."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from bench.crowd import SealedCrowd
from makul.store import StoreKeys
from support.house import InProcess, build_house


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


@contextmanager
def databases(directory: Path) -> Iterator[Mapping[str, Database]]:
    """Every kind there is, by name, until the block ends."""
    del directory
    kinds: tuple[Database, ...] = (Sqlite(),)
    yield {kind.name: kind for kind in kinds}
