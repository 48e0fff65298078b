"""The decisions about one subject, found by its blind index and by time.

Revision ID: 0014
"""

from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the index; on PostgreSQL also on every partition."""
    op.create_index(
        op.f("ix_disclosure_subject_index_decided_at"),
        "disclosure",
        ["subject_index", "decided_at"],
        unique=False,
    )
