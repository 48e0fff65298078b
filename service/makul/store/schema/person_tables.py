"""The tables of persons: the record that matching reads, and samples apart from it."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, text

from makul.store.schema.columns import DIGEST, metadata

person = Table(
    "person",
    metadata,
    Column("pin_index", DIGEST, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("content_index", DIGEST, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Column("format", Integer, nullable=False, server_default="1"),
    Index(
        "ix_person_to_upgrade",
        *("pin_index", "version"),
        sqlite_where=text("format = 1"),
        postgresql_where=text("format = 1"),
    ),
)
"""A version of a person's record. Every version is kept; the highest is current.

`content_index` shows whether a new version would differ. Matching reads this row, and the row
contains no biometric sample. In `format` 1 it did. The index finds rows that
`store.admin.person_upgrade` must still convert.

On PostgreSQL the whole record is stored in the row itself (STORAGE MAIN, toast_tuple_target), and
never in the TOAST table.
"""

person_sample = Table(
    "person_sample",
    metadata,
    Column("pin_index", DIGEST, primary_key=True),
    Column("sample_index", DIGEST, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
)
"""A photograph, template or image. It is read only if it is released.

A version of a person's record names its samples by digest. So versions that have a sample in common
share its row.
"""
