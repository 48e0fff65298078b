"""An index that holds what a month's statistics count (Procedure, cl. 11), in place of one by time.

It begins with what the former held, so whatever was found by that is found by this.

Revision ID: 0006
"""

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the wider index, then let go of the narrower."""
    op.create_index(
        "ix_disclosure_month",
        "disclosure",
        ["decided_at", "disclosure_id", "recipient", "purpose", "outcome", "ground_kind"],
        unique=False,
        if_not_exists=True,
    )
    op.drop_index("ix_disclosure_decided_at", table_name="disclosure", if_exists=True)
