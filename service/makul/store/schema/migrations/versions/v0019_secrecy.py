"""Undertakings of secrecy, incidents, and attested deletions.

Revision ID: 0019
"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None

# The triggers are written out: a released migration must not change with the program.
_SQLITE = (
    (
        "CREATE TRIGGER deletion_attestation_no_update BEFORE UPDATE ON deletion_attestation "
        "BEGIN SELECT RAISE(ABORT, 'deletion_attestation is append-only'); END"
    ),
    (
        "CREATE TRIGGER deletion_attestation_no_delete BEFORE DELETE ON deletion_attestation "
        "BEGIN SELECT RAISE(ABORT, 'deletion_attestation is append-only'); END"
    ),
    (
        "CREATE TRIGGER deletion_attestation_no_insert BEFORE INSERT ON deletion_attestation WHEN"
        " EXISTS (SELECT 1 FROM deletion_attestation WHERE disclosure_id = NEW.disclosure_id) "
        "BEGIN SELECT RAISE(ABORT, 'deletion_attestation is append-only'); END"
    ),
    (
        "CREATE TRIGGER incident_no_update BEFORE UPDATE ON incident WHEN NOT (NEW.incident_id IS"
        " OLD.incident_id AND NEW.recipient IS OLD.recipient AND NEW.kind IS OLD.kind AND "
        "NEW.case_id IS OLD.case_id AND NEW.reported_at IS OLD.reported_at AND substr(NEW.sealed,"
        " 1, 1) IS substr(OLD.sealed, 1, 1) AND substr(NEW.sealed, 50) IS substr(OLD.sealed, 50) "
        "AND length(NEW.sealed) > 49 AND substr(NEW.sealed, 2, 8) IS NOT substr(OLD.sealed, 2, "
        "8)) BEGIN SELECT RAISE(ABORT, 'incident is append-only'); END"
    ),
    (
        "CREATE TRIGGER incident_no_delete BEFORE DELETE ON incident BEGIN SELECT RAISE(ABORT, "
        "'incident is append-only'); END"
    ),
    (
        "CREATE TRIGGER incident_no_insert BEFORE INSERT ON incident WHEN EXISTS (SELECT 1 FROM "
        "incident WHERE incident_id = NEW.incident_id) BEGIN SELECT RAISE(ABORT, 'incident is "
        "append-only'); END"
    ),
    (
        "CREATE TRIGGER undertaking_no_update BEFORE UPDATE ON undertaking WHEN NOT "
        "(NEW.recipient IS OLD.recipient AND NEW.undertaking_id IS OLD.undertaking_id AND "
        "NEW.employee_index IS OLD.employee_index AND NEW.person_index IS OLD.person_index AND "
        "NEW.valid_from IS OLD.valid_from AND NEW.valid_to IS OLD.valid_to AND NEW.document IS "
        "OLD.document AND NEW.recorded_at IS OLD.recorded_at AND substr(NEW.sealed, 1, 1) IS "
        "substr(OLD.sealed, 1, 1) AND substr(NEW.sealed, 50) IS substr(OLD.sealed, 50) AND "
        "length(NEW.sealed) > 49 AND substr(NEW.sealed, 2, 8) IS NOT substr(OLD.sealed, 2, 8)) "
        "BEGIN SELECT RAISE(ABORT, 'undertaking is append-only'); END"
    ),
    (
        "CREATE TRIGGER undertaking_no_delete BEFORE DELETE ON undertaking BEGIN SELECT "
        "RAISE(ABORT, 'undertaking is append-only'); END"
    ),
    (
        "CREATE TRIGGER undertaking_no_insert BEFORE INSERT ON undertaking WHEN EXISTS (SELECT 1 "
        "FROM undertaking WHERE recipient = NEW.recipient AND undertaking_id = "
        "NEW.undertaking_id) BEGIN SELECT RAISE(ABORT, 'undertaking is append-only'); END"
    ),
    (
        "CREATE TRIGGER undertaking_end_no_update BEFORE UPDATE ON undertaking_end BEGIN SELECT "
        "RAISE(ABORT, 'undertaking_end is append-only'); END"
    ),
    (
        "CREATE TRIGGER undertaking_end_no_delete BEFORE DELETE ON undertaking_end BEGIN SELECT "
        "RAISE(ABORT, 'undertaking_end is append-only'); END"
    ),
    (
        "CREATE TRIGGER undertaking_end_no_insert BEFORE INSERT ON undertaking_end WHEN EXISTS "
        "(SELECT 1 FROM undertaking_end WHERE recipient = NEW.recipient AND undertaking_id = "
        "NEW.undertaking_id) BEGIN SELECT RAISE(ABORT, 'undertaking_end is append-only'); END"
    ),
)
_POSTGRES = (
    (
        "CREATE TRIGGER deletion_attestation_no_change BEFORE DELETE OR UPDATE ON "
        "deletion_attestation FOR EACH ROW EXECUTE FUNCTION makul_append_only()"
    ),
    (
        "CREATE TRIGGER deletion_attestation_no_truncate BEFORE TRUNCATE ON deletion_attestation "
        "FOR EACH STATEMENT EXECUTE FUNCTION makul_append_only()"
    ),
    (
        "CREATE TRIGGER incident_no_change BEFORE DELETE OR UPDATE ON incident FOR EACH ROW "
        "EXECUTE FUNCTION makul_rewrapped_only()"
    ),
    (
        "CREATE TRIGGER incident_no_truncate BEFORE TRUNCATE ON incident FOR EACH STATEMENT "
        "EXECUTE FUNCTION makul_append_only()"
    ),
    (
        "CREATE TRIGGER undertaking_no_change BEFORE DELETE OR UPDATE ON undertaking FOR EACH ROW"
        " EXECUTE FUNCTION makul_rewrapped_only()"
    ),
    (
        "CREATE TRIGGER undertaking_no_truncate BEFORE TRUNCATE ON undertaking FOR EACH STATEMENT"
        " EXECUTE FUNCTION makul_append_only()"
    ),
    (
        "CREATE TRIGGER undertaking_end_no_change BEFORE DELETE OR UPDATE ON undertaking_end FOR "
        "EACH ROW EXECUTE FUNCTION makul_append_only()"
    ),
    (
        "CREATE TRIGGER undertaking_end_no_truncate BEFORE TRUNCATE ON undertaking_end FOR EACH "
        "STATEMENT EXECUTE FUNCTION makul_append_only()"
    ),
)


def upgrade() -> None:
    """Create the tables and the triggers."""
    op.create_table(
        "undertaking",
        sa.Column("recipient", sa.String(length=31), nullable=False),
        sa.Column("undertaking_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("employee_index", sa.LargeBinary(length=32), nullable=False),
        sa.Column("person_index", sa.LargeBinary(length=32), nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("valid_to", sa.BigInteger(), nullable=True),
        sa.Column("document", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("recipient", "undertaking_id", name=op.f("pk_undertaking")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_undertaking_recipient_employee_index"),
        "undertaking",
        ["recipient", "employee_index"],
    )
    op.create_table(
        "undertaking_end",
        sa.Column("recipient", sa.String(length=31), nullable=False),
        sa.Column("undertaking_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("ended_on", sa.String(length=32), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("recipient", "undertaking_id", name=op.f("pk_undertaking_end")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "incident",
        sa.Column("incident_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("recipient", sa.String(length=31), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("case_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("reported_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("incident_id", name=op.f("pk_incident")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_incident_recipient_reported_at"), "incident", ["recipient", "reported_at"]
    )
    op.create_table(
        "deletion_attestation",
        sa.Column("disclosure_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("recipient", sa.String(length=31), nullable=False),
        sa.Column("erased_on", sa.String(length=32), nullable=False),
        sa.Column("attested_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("disclosure_id", name=op.f("pk_deletion_attestation")),
        sqlite_with_rowid=False,
    )
    sqlite = op.get_bind().dialect.name == "sqlite"
    for sql in _SQLITE if sqlite else _POSTGRES:
        op.execute(sql)
