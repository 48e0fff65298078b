"""All tables of the store (docs/decisions/0021-postgresql.md), equal on SQLite and PostgreSQL.

There are no serial keys. Instants are BIGINT microseconds and UUIDs are 16 bytes (see
`store.db.codecs`). Only the store's keys decrypt the columns `sealed`, `subject` and `answer`. Only
they compute the columns whose names end in `_index` (see `store.encryption.fields`).

Records of decisions have no foreign keys. They stay valid when registrations change, and can be
partitioned and sharded by recipient.

On SQLite, records are kept in clustered tables (`WITHOUT ROWID`). Each needs one tree instead of
two, and has no hidden row number by which an append-only row could be replaced.

Each module that is imported here adds its tables to `metadata`. A caller that needs all tables
imports `metadata` from here.
"""

from makul.store.schema import (
    correction_tables,
    identity_table,
    ledger_tables,
    notification_tables,
    person_tables,
    record_tables,
    registry_tables,
    secrecy_tables,
    usage_tables,
)
from makul.store.schema.columns import metadata

__all__ = [
    "correction_tables",
    "identity_table",
    "ledger_tables",
    "metadata",
    "notification_tables",
    "person_tables",
    "record_tables",
    "registry_tables",
    "secrecy_tables",
    "usage_tables",
]
