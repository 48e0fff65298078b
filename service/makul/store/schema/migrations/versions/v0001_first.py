"""The first schema.

Revision ID: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# The triggers are written out: a released migration must not change with the program.
_SQLITE = (
    (
        "CREATE TRIGGER desk_log_no_update BEFORE UPDATE ON desk_log BEGIN SELECT RAISE(ABORT,"
        " 'desk_log is append-only'); END"
    ),
    (
        "CREATE TRIGGER desk_log_no_delete BEFORE DELETE ON desk_log BEGIN SELECT RAISE(ABORT,"
        " 'desk_log is append-only'); END"
    ),
    (
        "CREATE TRIGGER desk_log_no_insert BEFORE INSERT ON desk_log WHEN EXISTS (SELECT 1 FROM"
        " desk_log WHERE entry_id = NEW.entry_id) BEGIN SELECT RAISE(ABORT, 'desk_log is"
        " append-only'); END"
    ),
    (
        "CREATE TRIGGER disclosure_no_update BEFORE UPDATE ON disclosure BEGIN SELECT"
        " RAISE(ABORT, 'disclosure is append-only'); END"
    ),
    (
        "CREATE TRIGGER disclosure_no_delete BEFORE DELETE ON disclosure BEGIN SELECT"
        " RAISE(ABORT, 'disclosure is append-only'); END"
    ),
    (
        "CREATE TRIGGER disclosure_no_insert BEFORE INSERT ON disclosure WHEN EXISTS (SELECT 1"
        " FROM disclosure WHERE disclosure_id = NEW.disclosure_id) BEGIN SELECT RAISE(ABORT,"
        " 'disclosure is append-only'); END"
    ),
    (
        "CREATE TRIGGER evidence_no_update BEFORE UPDATE ON evidence BEGIN SELECT RAISE(ABORT,"
        " 'evidence is append-only'); END"
    ),
    (
        "CREATE TRIGGER evidence_no_delete BEFORE DELETE ON evidence BEGIN SELECT RAISE(ABORT,"
        " 'evidence is append-only'); END"
    ),
    (
        "CREATE TRIGGER evidence_no_insert BEFORE INSERT ON evidence WHEN EXISTS (SELECT 1 FROM"
        " evidence WHERE recipient = NEW.recipient AND digest = NEW.digest) BEGIN SELECT"
        " RAISE(ABORT, 'evidence is append-only'); END"
    ),
    (
        "CREATE TRIGGER ledger_leaf_no_update BEFORE UPDATE ON ledger_leaf BEGIN SELECT"
        " RAISE(ABORT, 'ledger_leaf is append-only'); END"
    ),
    (
        "CREATE TRIGGER ledger_leaf_no_delete BEFORE DELETE ON ledger_leaf BEGIN SELECT"
        " RAISE(ABORT, 'ledger_leaf is append-only'); END"
    ),
    (
        "CREATE TRIGGER ledger_leaf_no_insert BEFORE INSERT ON ledger_leaf WHEN EXISTS (SELECT"
        " 1 FROM ledger_leaf WHERE disclosure_id = NEW.disclosure_id) BEGIN SELECT RAISE(ABORT,"
        " 'ledger_leaf is append-only'); END"
    ),
)
_POSTGRES = (
    (
        "CREATE FUNCTION makul_append_only() RETURNS trigger LANGUAGE plpgsql AS $makul$ BEGIN"
        " RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE ="
        " 'integrity_constraint_violation'; END $makul$"
    ),
    (
        "CREATE TRIGGER desk_log_no_change BEFORE DELETE OR UPDATE ON desk_log FOR EACH ROW"
        " EXECUTE FUNCTION makul_append_only()"
    ),
    (
        "CREATE TRIGGER desk_log_no_truncate BEFORE TRUNCATE ON desk_log FOR EACH STATEMENT"
        " EXECUTE FUNCTION makul_append_only()"
    ),
    (
        "CREATE TRIGGER disclosure_no_change BEFORE DELETE OR UPDATE ON disclosure FOR EACH ROW"
        " EXECUTE FUNCTION makul_append_only()"
    ),
    (
        "CREATE TRIGGER disclosure_no_truncate BEFORE TRUNCATE ON disclosure FOR EACH STATEMENT"
        " EXECUTE FUNCTION makul_append_only()"
    ),
    (
        "CREATE TRIGGER evidence_no_change BEFORE DELETE OR UPDATE ON evidence FOR EACH ROW"
        " EXECUTE FUNCTION makul_append_only()"
    ),
    (
        "CREATE TRIGGER evidence_no_truncate BEFORE TRUNCATE ON evidence FOR EACH STATEMENT"
        " EXECUTE FUNCTION makul_append_only()"
    ),
    (
        "CREATE TRIGGER ledger_leaf_no_change BEFORE DELETE OR UPDATE ON ledger_leaf FOR EACH"
        " ROW EXECUTE FUNCTION makul_append_only()"
    ),
    (
        "CREATE TRIGGER ledger_leaf_no_truncate BEFORE TRUNCATE ON ledger_leaf FOR EACH"
        " STATEMENT EXECUTE FUNCTION makul_append_only()"
    ),
)


def upgrade() -> None:
    """Create everything."""
    _register()
    _meters()
    _limits()
    _record()
    _identity()
    sqlite = op.get_bind().dialect.name == "sqlite"
    for sql in _SQLITE if sqlite else _POSTGRES:
        op.execute(sql)


def _register() -> None:
    op.create_table(
        "recipient",
        sa.Column("code", sa.String(length=31), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("code", name=op.f("pk_recipient")),
    )
    op.create_table(
        "certificate",
        sa.Column("fingerprint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("recipient", sa.String(length=31), nullable=False),
        sa.Column("der", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["recipient"], ["recipient.code"], name=op.f("fk_certificate_recipient")
        ),
        sa.PrimaryKeyConstraint("fingerprint", name=op.f("pk_certificate")),
    )
    op.create_table(
        "official",
        sa.Column("recipient", sa.String(length=31), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["recipient"], ["recipient.code"], name=op.f("fk_official_recipient")
        ),
        sa.PrimaryKeyConstraint("recipient", "fingerprint", name=op.f("pk_official")),
    )
    op.create_table(
        "agreement",
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("recipient", sa.String(length=31), nullable=False),
        sa.Column("state", sa.String(length=32), nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("valid_to", sa.BigInteger(), nullable=False),
        sa.Column("terms", sa.Text(), nullable=False),
        sa.Column("changed_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["recipient"], ["recipient.code"], name=op.f("fk_agreement_recipient")
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_agreement")),
    )
    op.create_index(op.f("ix_agreement_recipient"), "agreement", ["recipient"], unique=False)
    op.create_table(
        "notice",
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("texts", sa.Text(), nullable=False),
        sa.Column("approved_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("ref", "digest", name=op.f("pk_notice")),
    )
    op.create_table(
        "person",
        sa.Column("pin_index", sa.LargeBinary(length=32), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content_index", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("pin_index", "version", name=op.f("pk_person")),
    )


def _meters() -> None:
    op.create_table(
        "ground_use",
        sa.Column("recipient", sa.String(length=31), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("ground_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("allowed", sa.Integer(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("valid_to", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.LargeBinary(), nullable=True),
        sa.Column("registered_at", sa.BigInteger(), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=True),
        sa.CheckConstraint("used >= 0 AND used <= allowed", name=op.f("ck_ground_use_within")),
        sa.PrimaryKeyConstraint("recipient", "kind", "ground_id", name=op.f("pk_ground_use")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "request_key",
        sa.Column("recipient", sa.String(length=31), nullable=False),
        sa.Column("space", sa.String(length=32), nullable=False),
        sa.Column("request_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("disclosure_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("answer", sa.LargeBinary(), nullable=True),
        sa.Column("answer_until", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("recipient", "space", "request_id", name=op.f("pk_request_key")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_request_key_answer_until"), "request_key", ["answer_until"], unique=False
    )
    op.create_table(
        "daily_use",
        sa.Column("recipient", sa.String(length=31), nullable=False),
        sa.Column("agreement_number", sa.String(length=64), nullable=False),
        sa.Column("space", sa.String(length=32), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint(
            "recipient", "agreement_number", "space", "day", name=op.f("pk_daily_use")
        ),
        sqlite_with_rowid=False,
    )


def _limits() -> None:
    op.create_table(
        "attempt",
        sa.Column("disclosure_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("recipient", sa.String(length=31), nullable=False),
        sa.Column("pin_index", sa.LargeBinary(length=32), nullable=False),
        sa.Column("employee_index", sa.LargeBinary(length=32), nullable=True),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("disclosure_id", name=op.f("pk_attempt")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_attempt_at"), "attempt", ["at"], unique=False)
    op.create_index(
        op.f("ix_attempt_employee_index_at"), "attempt", ["employee_index", "at"], unique=False
    )
    op.create_index(
        op.f("ix_attempt_pin_index_recipient_at"),
        "attempt",
        ["pin_index", "recipient", "at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_attempt_recipient_at_pin_index"),
        "attempt",
        ["recipient", "at", "pin_index"],
        unique=False,
    )
    op.create_table(
        "seen_message",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("forget_after", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_seen_message")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_seen_message_forget_after"), "seen_message", ["forget_after"], unique=False
    )


def _record() -> None:
    op.create_table(
        "disclosure",
        sa.Column("disclosure_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("recipient", sa.String(length=31), nullable=False),
        sa.Column("space", sa.String(length=32), nullable=False),
        sa.Column("request_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("operation", sa.String(length=32), nullable=False),
        sa.Column("channel", sa.String(length=32), nullable=False),
        sa.Column("certificate", sa.LargeBinary(length=32), nullable=True),
        sa.Column("agreement_number", sa.String(length=64), nullable=True),
        sa.Column("purpose", sa.String(length=64), nullable=True),
        sa.Column("subject_index", sa.LargeBinary(length=32), nullable=True),
        sa.Column("outcome", sa.String(length=32), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("released", sa.Text(), nullable=False),
        sa.Column("ground_kind", sa.String(length=32), nullable=True),
        sa.Column("ground_id", sa.LargeBinary(length=16), nullable=True),
        sa.Column("ground_digest", sa.LargeBinary(length=32), nullable=True),
        sa.Column("decided_at", sa.BigInteger(), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint(*_disclosure_key(), name=op.f("pk_disclosure")),
        sqlite_with_rowid=False,
        postgresql_partition_by="RANGE (decided_at)",
    )
    op.create_index(op.f("ix_disclosure_decided_at"), "disclosure", ["decided_at"], unique=False)
    op.create_index(
        op.f("ix_disclosure_recipient_decided_at"),
        "disclosure",
        ["recipient", "decided_at"],
        unique=False,
    )
    op.create_index(
        op.f("ix_disclosure_recipient_request_id_decided_at"),
        "disclosure",
        ["recipient", "request_id", "decided_at"],
        unique=False,
    )
    op.create_table(
        "ledger_leaf",
        sa.Column("disclosure_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("leaf_hash", sa.LargeBinary(length=32), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("disclosure_id", name=op.f("pk_ledger_leaf")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_ledger_leaf_recorded_at"), "ledger_leaf", ["recorded_at"], unique=False
    )
    op.create_table(
        "evidence",
        sa.Column("recipient", sa.String(length=31), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("kept_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("recipient", "digest", name=op.f("pk_evidence")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "desk_log",
        sa.Column("entry_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("who", sa.Text(), nullable=False),
        sa.Column("action", sa.String(length=32), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("subject_index", sa.LargeBinary(length=32), nullable=True),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("entry_id", name=op.f("pk_desk_log")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_desk_log_at"), "desk_log", ["at"], unique=False)


def _disclosure_key() -> tuple[str, ...]:
    """A partitioned table's key holds what it is partitioned by."""
    partitioned = op.get_bind().dialect.name == "postgresql"
    return ("disclosure_id", "decided_at") if partitioned else ("disclosure_id",)


def _identity() -> None:
    op.create_table(
        "store_identity",
        sa.Column("store_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("index_check", sa.LargeBinary(length=32), nullable=False),
        sa.Column("sealed_check", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("store_id", name=op.f("pk_store_identity")),
    )
