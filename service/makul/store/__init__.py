"""The record store: SQLite and PostgreSQL share one schema.

Other packages import only the names below. The ports in `app.ports` describe what they do.
"""

from makul.store.admin.act_rights import ActRights
from makul.store.encryption.master_keys import StoreKeys, StoreKeysError
from makul.store.open import (
    Store,
    build_log_state_reader,
    build_outbox_reader,
    create_store,
    log_at,
    open_store,
    samples_to_move,
    upgrade_store,
)
from makul.store.reads.endings import StoreEndings
from makul.store.reads.evidence_files import EvidenceDirectory
from makul.store.reads.officers import StoreActRegister
from makul.store.reads.statement_files import StatementDirectory
from makul.store.reads.subject_record import StoreSubjectRecord
from makul.store.records.retention import RetentionResult

__all__ = [
    "ActRights",
    "EvidenceDirectory",
    "RetentionResult",
    "StatementDirectory",
    "Store",
    "StoreActRegister",
    "StoreEndings",
    "StoreKeys",
    "StoreKeysError",
    "StoreSubjectRecord",
    "build_log_state_reader",
    "build_outbox_reader",
    "create_store",
    "log_at",
    "open_store",
    "samples_to_move",
    "upgrade_store",
]
