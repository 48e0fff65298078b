"""Append-only tables let a data key be wrapped anew, and nothing else.

Revision ID: 0005
"""

from alembic import op

from makul.store import rewrap_guard

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Put the triggers on updates in place of those that let nothing through."""
    if op.get_bind().dialect.name == "sqlite":
        for name, sql in rewrap_guard.sqlite_triggers(rewrap_guard.SINCE_0005).items():
            op.execute(f"DROP TRIGGER {name}")
            op.execute(sql)
        return
    op.execute(rewrap_guard.create_postgres_function())
    for table, (name, sql) in zip(
        rewrap_guard.SINCE_0005,
        rewrap_guard.postgres_triggers(rewrap_guard.SINCE_0005).items(),
        strict=True,
    ):
        op.execute(f"DROP TRIGGER {name} ON {table}")
        op.execute(sql)
