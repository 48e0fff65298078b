"""The record store, on SQLite or PostgreSQL: one schema for both.

Everything else in this package is its own affair; the ports say what it does.
"""

from makul.store.encryption.master_keys import StoreKeys, StoreKeysError
from makul.store.open import (
    Store,
    create_store,
    log_at,
    log_state_of,
    open_store,
    samples_to_move,
    upgrade_store,
)
from makul.store.records.retention import RetentionResult

__all__ = [
    "RetentionResult",
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
