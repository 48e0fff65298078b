"""The record store: SQLite and PostgreSQL share one schema.

Other packages import only the names below. The ports in `app.ports` describe what they do.
"""

from makul.store.admin.oversight_rights import OversightRights
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
from makul.store.reads.officers import StoreOversightRegister
from makul.store.records.retention import RetentionResult

__all__ = [
    "OversightRights",
    "RetentionResult",
    "Store",
    "StoreKeys",
    "StoreKeysError",
    "StoreOversightRegister",
    "create_store",
    "log_at",
    "log_state_of",
    "open_store",
    "samples_to_move",
    "upgrade_store",
]
