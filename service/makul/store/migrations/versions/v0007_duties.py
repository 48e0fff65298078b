"""What parting the rights of those who serve, of the desk and of the sequencer needs.

A column by which a row may be locked by whoever may change nothing else of it, and triggers by
which meters count up alone. Rights are granted anew afterwards, as after every migration.

Revision ID: 0007
"""

import sqlalchemy as sa
from alembic import op

from makul.store import meter_guard

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

_LOCKED = ("agreement", "certificate", "recipient", "sealing_certificate")


def upgrade() -> None:
    """Add the columns, which are NULL for good, then the triggers."""
    for table in _LOCKED:
        nothing = sa.CheckConstraint("to_lock_by IS NULL", name=op.f(f"ck_{table}_only_locked"))
        op.add_column(table, sa.Column("to_lock_by", sa.Integer(), nothing))
    for sql in meter_guard.statements(op.get_bind().dialect.name):
        op.execute(sql)
