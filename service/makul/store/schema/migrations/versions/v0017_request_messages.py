"""Signed messages of requests that disclosed something.

Revision ID: 0017
"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

# The triggers are written out: a released migration must not change with the program.
_SQLITE = (
    (
        "CREATE TRIGGER request_message_no_update BEFORE UPDATE ON request_message WHEN NOT "
        "(NEW.disclosure_id IS OLD.disclosure_id AND NEW.decided_at IS OLD.decided_at AND "
        "substr(NEW.sealed, 1, 1) IS substr(OLD.sealed, 1, 1) AND substr(NEW.sealed, 50) IS "
        "substr(OLD.sealed, 50) AND length(NEW.sealed) > 49 AND substr(NEW.sealed, 2, 8) IS NOT "
        "substr(OLD.sealed, 2, 8)) BEGIN SELECT RAISE(ABORT, 'request_message is "
        "append-only'); END"
    ),
    (
        "CREATE TRIGGER request_message_no_delete BEFORE DELETE ON request_message BEGIN "
        "SELECT RAISE(ABORT, 'request_message is append-only'); END"
    ),
    (
        "CREATE TRIGGER request_message_no_insert BEFORE INSERT ON request_message WHEN EXISTS "
        "(SELECT 1 FROM request_message WHERE disclosure_id = NEW.disclosure_id) BEGIN SELECT "
        "RAISE(ABORT, 'request_message is append-only'); END"
    ),
)
_POSTGRES = (
    (
        "CREATE TRIGGER request_message_no_change BEFORE DELETE OR UPDATE ON request_message "
        "FOR EACH ROW EXECUTE FUNCTION makul_rewrapped_only()"
    ),
    (
        "CREATE TRIGGER request_message_no_truncate BEFORE TRUNCATE ON request_message FOR EACH "
        "STATEMENT EXECUTE FUNCTION makul_append_only()"
    ),
)


def upgrade() -> None:
    """Create the table and the triggers."""
    op.create_table(
        "request_message",
        sa.Column("disclosure_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("disclosure_id", name=op.f("pk_request_message")),
        sqlite_with_rowid=False,
    )
    sqlite = op.get_bind().dialect.name == "sqlite"
    for sql in _SQLITE if sqlite else _POSTGRES:
        op.execute(sql)
