"""What many transactions side by side need: when a key's disclosure was decided, and gates.

A request key tells the month in which its disclosure lies, so that PostgreSQL looks into one
partition. Gates are rows to be locked by those who must go one at a time.

Revision ID: 0003
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_FILL = """
UPDATE request_key SET decided_at = (
    SELECT decided_at FROM disclosure WHERE disclosure.disclosure_id = request_key.disclosure_id
)
"""


def upgrade() -> None:
    """Add what is new, and fill it in."""
    op.add_column("request_key", sa.Column("decided_at", sa.BigInteger()))
    op.execute(_FILL)
    op.create_table(
        "gate",
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("key", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("kind", "key", name=op.f("pk_gate")),
        sqlite_with_rowid=False,
    )
