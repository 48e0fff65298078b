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
"""Every version is kept; the highest is current. `content_index` tells whether one would differ.

Matching reads this row, and it holds no sample of the body. In `format` 1 it did; the index finds
those that are still to be moved (`person_upgrade`). On PostgreSQL all of it is stored in
the row itself (STORAGE MAIN, toast_tuple_target), never in the TOAST table."""

person_sample = Table(
    "person_sample",
    metadata,
    Column("pin_index", DIGEST, primary_key=True),
    Column("sample_index", DIGEST, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
)
"""Photographs, templates and images. A version of a person's record names its samples by digest, so
versions that have a sample in common share its row. Read only for what is released."""
