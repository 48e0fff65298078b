"""The table that identifies a store."""

from sqlalchemy import BigInteger, Column, LargeBinary, Table

from makul.store.schema.columns import DIGEST, UUID, metadata

store_identity = Table(
    "store_identity",
    metadata,
    Column("store_id", UUID, primary_key=True),
    Column("index_check", DIGEST, nullable=False),
    Column("sealed_check", LargeBinary, nullable=False),
    Column("baseline_at", BigInteger),
)
"""One row, which shows at opening whether the keys belong to this store.

`baseline_at` is NULL until the baseline of acts is recorded (`store.log.baseline`).
"""
