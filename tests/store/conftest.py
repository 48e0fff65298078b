"""Fixtures: a furnished store for each test and database, made once a session and copied."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from makul.store import Store, StoreKeys, create_store, open_store
from makul.store.db.location import DatabaseLocation
from makul.store.schema.partitions import make_months
from makul.trust.tlog.note_keys import NoteSigner
from makul_testing.builders.records import NOON, register_parties
from makul_testing.external.postgres import Cluster, cluster
from makul_testing.tlog.builder import a_note_signer, begin_empty_log

MONTHS = 15
"""Tests move forward and back in time from `NOON`."""


@pytest.fixture(scope="session")
def keys() -> StoreKeys:
    return StoreKeys.generate()


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory, keys: StoreKeys) -> Path:
    """Build a store with the bank, its agreement and certificate, and one citizen."""
    path = tmp_path_factory.mktemp("store") / "makul.db"
    store = create_store(path, keys, who="operator", at=NOON)
    register_parties(store.registry)
    store.close()
    return path


@pytest.fixture(scope="session")
def server() -> Iterator[Cluster]:
    """Run a PostgreSQL server."""
    with cluster() as running:
        yield running


@pytest.fixture(scope="session")
def server_template(server: Cluster, keys: StoreKeys) -> str:
    """Build the same store as a database of the server."""
    name = server.create()
    store = create_store(server.place(name), keys, who="operator", at=NOON)
    make_months(server.place(name), at=NOON, ahead=MONTHS)
    register_parties(store.registry)
    store.close()
    return name


@pytest.fixture
def path(tmp_path: Path, template: Path) -> Path:
    """Return the file of a furnished store."""
    copy = tmp_path / "makul.db"
    shutil.copy(template, copy)
    return copy


@pytest.fixture(params=["sqlite", "postgresql"])
def place(request: pytest.FixtureRequest) -> Iterator[DatabaseLocation]:
    """Return the location of a furnished store, in either database."""
    if request.param == "sqlite":
        yield request.getfixturevalue("path")
        return
    server: Cluster = request.getfixturevalue("server")
    name = server.create(template=request.getfixturevalue("server_template"))
    yield server.place(name)
    server.drop(name)


@pytest.fixture
def store(place: DatabaseLocation, keys: StoreKeys) -> Iterator[Store]:
    opened = open_store(place, keys, who="operator")
    yield opened
    opened.close()


@pytest.fixture
def empty_log(place: DatabaseLocation) -> None:
    """Return the furnished store with an empty ledger: the template's acts have no leaves in it."""
    begin_empty_log(place)


@pytest.fixture
def signer(tmp_path: Path) -> NoteSigner:
    """Return the ledger's signer with a new key."""
    return a_note_signer(tmp_path)
