"""What parting the rights of those who serve, of the desk and of the sequencer needs.

A column by which a row may be locked by whoever may change nothing else of it, and triggers by
which meters count up alone. Rights are granted anew afterwards, as after every migration.

Revision ID: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

# The triggers are written out: a released migration must not change with the program.
_SQLITE = (
    (
        "CREATE TRIGGER daily_use_counts_up BEFORE UPDATE ON daily_use WHEN NEW.used < OLD.used"
        " BEGIN SELECT RAISE(ABORT, 'daily_use counts up'); END"
    ),
    (
        "CREATE TRIGGER evidence_use_counts_up BEFORE UPDATE ON evidence_use WHEN NEW.bytes <"
        " OLD.bytes BEGIN SELECT RAISE(ABORT, 'evidence_use counts up'); END"
    ),
    (
        "CREATE TRIGGER ground_use_counts_up BEFORE UPDATE ON ground_use WHEN NEW.used <"
        " OLD.used BEGIN SELECT RAISE(ABORT, 'ground_use counts up'); END"
    ),
    (
        "CREATE TRIGGER paper_use_counts_up BEFORE UPDATE ON paper_use WHEN NEW.used < OLD.used"
        " BEGIN SELECT RAISE(ABORT, 'paper_use counts up'); END"
    ),
)
_POSTGRES = (
    (
        "CREATE FUNCTION makul_counts_up() RETURNS trigger LANGUAGE plpgsql AS $makul$ BEGIN"
        " RAISE EXCEPTION '% counts up', TG_TABLE_NAME USING ERRCODE ="
        " 'integrity_constraint_violation'; END $makul$"
    ),
    (
        "CREATE TRIGGER daily_use_counts_up BEFORE UPDATE ON daily_use FOR EACH ROW WHEN"
        " (new.used < old.used) EXECUTE FUNCTION makul_counts_up()"
    ),
    (
        "CREATE TRIGGER evidence_use_counts_up BEFORE UPDATE ON evidence_use FOR EACH ROW WHEN"
        " (new.bytes < old.bytes) EXECUTE FUNCTION makul_counts_up()"
    ),
    (
        "CREATE TRIGGER ground_use_counts_up BEFORE UPDATE ON ground_use FOR EACH ROW WHEN"
        " (new.used < old.used) EXECUTE FUNCTION makul_counts_up()"
    ),
    (
        "CREATE TRIGGER paper_use_counts_up BEFORE UPDATE ON paper_use FOR EACH ROW WHEN"
        " (new.used < old.used) EXECUTE FUNCTION makul_counts_up()"
    ),
)

_LOCKED = ("agreement", "certificate", "recipient", "sealing_certificate")


def upgrade() -> None:
    """Add the columns, which are NULL for good, then the triggers."""
    for table in _LOCKED:
        nothing = sa.CheckConstraint("to_lock_by IS NULL", name=op.f(f"ck_{table}_only_locked"))
        op.add_column(table, sa.Column("to_lock_by", sa.Integer(), nothing))
    sqlite = op.get_bind().dialect.name == "sqlite"
    for sql in _SQLITE if sqlite else _POSTGRES:
        op.execute(sql)
