"""Dictionaries of compressed records, and the use that each recipient makes of the service.

Revision ID: 0011
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

# The triggers are written out: a released migration must not change with the program.
_SQLITE = (
    (
        "CREATE TRIGGER dictionary_no_update BEFORE UPDATE ON dictionary"
        " BEGIN SELECT RAISE(ABORT, 'dictionary is append-only'); END"
    ),
    (
        "CREATE TRIGGER dictionary_no_delete BEFORE DELETE ON dictionary"
        " BEGIN SELECT RAISE(ABORT, 'dictionary is append-only'); END"
    ),
    (
        "CREATE TRIGGER dictionary_no_insert BEFORE INSERT ON dictionary WHEN EXISTS"
        " (SELECT 1 FROM dictionary WHERE dictionary_id = NEW.dictionary_id)"
        " BEGIN SELECT RAISE(ABORT, 'dictionary is append-only'); END"
    ),
)
_POSTGRES = (
    (
        "CREATE TRIGGER dictionary_no_change BEFORE DELETE OR UPDATE ON dictionary"
        " FOR EACH ROW EXECUTE FUNCTION makul_append_only()"
    ),
    (
        "CREATE TRIGGER dictionary_no_truncate BEFORE TRUNCATE ON dictionary"
        " FOR EACH STATEMENT EXECUTE FUNCTION makul_append_only()"
    ),
)


def upgrade() -> None:
    """Create the tables and the triggers."""
    op.create_table(
        "dictionary",
        sa.Column("dictionary_id", sa.LargeBinary(length=32), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("dictionary_id", name=op.f("pk_dictionary")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "recipient_use",
        sa.Column("recipient", sa.String(length=31), nullable=False),
        sa.Column("span", sa.String(length=32), nullable=False),
        sa.Column("begins", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("slot", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("requests", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "recipient", "span", "begins", "slot", name=op.f("pk_recipient_use")
        ),
        sqlite_with_rowid=False,
    )
    sqlite = op.get_bind().dialect.name == "sqlite"
    for sql in _SQLITE if sqlite else _POSTGRES:
        op.execute(sql)
