"""The store of an installation, opened beside its commands."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from makul.config.settings import load_settings
from makul.store import Store, StoreKeys, open_store


@contextmanager
def store_of(config: Path) -> Iterator[Store]:
    """Open the store by the settings in this file; it is closed at the end."""
    settings = load_settings(config)
    store = open_store(settings.store.database, StoreKeys.load(settings.store.keys), who="test")
    try:
        yield store
    finally:
        store.close()
