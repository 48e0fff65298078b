"""The record store, on SQLite or PostgreSQL: one schema for both.

Everything else in this package is its own affair; the ports say what it does.
"""

from makul.store.housekeeping import Housekept
from makul.store.keys import StoreKeys, StoreKeysError
from makul.store.opening import (
    Store,
    create_store,
    log_at,
    log_state_of,
    open_store,
    samples_to_move,
    upgrade_store,
)

__all__ = [
    "Housekept",
    "Store",
    "StoreKeys",
    "StoreKeysError",
    "create_store",
    "log_at",
    "log_state_of",
    "open_store",
    "samples_to_move",
    "upgrade_store",
]
