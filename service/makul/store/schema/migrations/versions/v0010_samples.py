"""Samples of the body in rows of their own, which demographic matching never reads.

The samples that are there cannot be moved here: what is sealed opens only with the store's keys,
which a migration does not have. They stay in their rows, marked by `format` 1, and are read there
until `makul store upgrade` has moved them, a batch at a time.

Revision ID: 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Mark what is to be moved, and make the table it is moved to."""
    op.create_table(
        "person_sample",
        sa.Column("pin_index", sa.LargeBinary(32), nullable=False),
        sa.Column("sample_index", sa.LargeBinary(32), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("pin_index", "sample_index", name=op.f("pk_person_sample")),
    )
    op.add_column("person", sa.Column("format", sa.Integer(), server_default="1", nullable=False))
    op.create_index(
        "ix_person_to_upgrade",
        "person",
        ["pin_index", "version"],
        unique=False,
        sqlite_where=sa.text("format = 1"),
        postgresql_where=sa.text("format = 1"),
    )
    if op.get_bind().dialect.name == "postgresql":
        # A record is read in every comparison: nothing of it may lie in the TOAST table. Without
        # the target, a row of 2 KB or more has its short columns moved there first.
        op.execute("ALTER TABLE person SET (toast_tuple_target = 8160)")
        op.execute("ALTER TABLE person ALTER COLUMN sealed SET STORAGE MAIN")
