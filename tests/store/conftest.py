"""A furnished store for each test: migrated once a session, copied for each."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from makul.store import Store, StoreKeys, create_store, open_store
from support.records import furnish


@pytest.fixture(scope="session")
def keys() -> StoreKeys:
    return StoreKeys.generate()


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory, keys: StoreKeys) -> Path:
    """A store with the bank, its agreement and certificate, and one citizen."""
    path = tmp_path_factory.mktemp("store") / "makul.db"
    made = create_store(path, keys, who="operator")
    furnish(made.desk)
    made.close()
    return path


@pytest.fixture
def path(tmp_path: Path, template: Path) -> Path:
    copy = tmp_path / "makul.db"
    shutil.copy(template, copy)
    return copy


@pytest.fixture
def store(path: Path, keys: StoreKeys) -> Iterator[Store]:
    opened = open_store(path, keys, who="operator")
    yield opened
    opened.close()
