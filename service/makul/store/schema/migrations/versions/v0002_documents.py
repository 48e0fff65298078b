"""Documents in full: notices and their approval, signatures of agreements, revocations, sealing.

Notices are entered anew: before, nobody had approved them, and each had one language. Agreements
that the operator alone had brought into force are drafts again, until three have signed (cl. 7).

Revision ID: 0002
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# The triggers are written out: a released migration must not change with the program.
_SQLITE = (
    (
        "CREATE TRIGGER agreement_draft_no_update BEFORE UPDATE ON agreement_draft BEGIN SELECT"
        " RAISE(ABORT, 'agreement_draft is append-only'); END"
    ),
    (
        "CREATE TRIGGER agreement_draft_no_delete BEFORE DELETE ON agreement_draft BEGIN SELECT"
        " RAISE(ABORT, 'agreement_draft is append-only'); END"
    ),
    (
        "CREATE TRIGGER agreement_draft_no_insert BEFORE INSERT ON agreement_draft WHEN EXISTS"
        " (SELECT 1 FROM agreement_draft WHERE number = NEW.number AND terms_digest ="
        " NEW.terms_digest) BEGIN SELECT RAISE(ABORT, 'agreement_draft is append-only'); END"
    ),
    (
        "CREATE TRIGGER agreement_signature_no_update BEFORE UPDATE ON agreement_signature"
        " BEGIN SELECT RAISE(ABORT, 'agreement_signature is append-only'); END"
    ),
    (
        "CREATE TRIGGER agreement_signature_no_delete BEFORE DELETE ON agreement_signature"
        " BEGIN SELECT RAISE(ABORT, 'agreement_signature is append-only'); END"
    ),
    (
        "CREATE TRIGGER agreement_signature_no_insert BEFORE INSERT ON agreement_signature WHEN"
        " EXISTS (SELECT 1 FROM agreement_signature WHERE number = NEW.number AND terms_digest"
        " = NEW.terms_digest AND role = NEW.role AND signer = NEW.signer) BEGIN SELECT"
        " RAISE(ABORT, 'agreement_signature is append-only'); END"
    ),
    (
        "CREATE TRIGGER consent_giver_no_update BEFORE UPDATE ON consent_giver BEGIN SELECT"
        " RAISE(ABORT, 'consent_giver is append-only'); END"
    ),
    (
        "CREATE TRIGGER consent_giver_no_delete BEFORE DELETE ON consent_giver BEGIN SELECT"
        " RAISE(ABORT, 'consent_giver is append-only'); END"
    ),
    (
        "CREATE TRIGGER consent_giver_no_insert BEFORE INSERT ON consent_giver WHEN EXISTS"
        " (SELECT 1 FROM consent_giver WHERE recipient = NEW.recipient AND consent_id ="
        " NEW.consent_id) BEGIN SELECT RAISE(ABORT, 'consent_giver is append-only'); END"
    ),
    (
        "CREATE TRIGGER desk_document_no_update BEFORE UPDATE ON desk_document BEGIN SELECT"
        " RAISE(ABORT, 'desk_document is append-only'); END"
    ),
    (
        "CREATE TRIGGER desk_document_no_delete BEFORE DELETE ON desk_document BEGIN SELECT"
        " RAISE(ABORT, 'desk_document is append-only'); END"
    ),
    (
        "CREATE TRIGGER desk_document_no_insert BEFORE INSERT ON desk_document WHEN EXISTS"
        " (SELECT 1 FROM desk_document WHERE digest = NEW.digest) BEGIN SELECT RAISE(ABORT,"
        " 'desk_document is append-only'); END"
    ),
    (
        "CREATE TRIGGER notice_approval_no_update BEFORE UPDATE ON notice_approval BEGIN SELECT"
        " RAISE(ABORT, 'notice_approval is append-only'); END"
    ),
    (
        "CREATE TRIGGER notice_approval_no_delete BEFORE DELETE ON notice_approval BEGIN SELECT"
        " RAISE(ABORT, 'notice_approval is append-only'); END"
    ),
    (
        "CREATE TRIGGER notice_approval_no_insert BEFORE INSERT ON notice_approval WHEN EXISTS"
        " (SELECT 1 FROM notice_approval WHERE ref = NEW.ref) BEGIN SELECT RAISE(ABORT,"
        " 'notice_approval is append-only'); END"
    ),
    (
        "CREATE TRIGGER notice_text_no_update BEFORE UPDATE ON notice_text BEGIN SELECT"
        " RAISE(ABORT, 'notice_text is append-only'); END"
    ),
    (
        "CREATE TRIGGER notice_text_no_delete BEFORE DELETE ON notice_text BEGIN SELECT"
        " RAISE(ABORT, 'notice_text is append-only'); END"
    ),
    (
        "CREATE TRIGGER notice_text_no_insert BEFORE INSERT ON notice_text WHEN EXISTS (SELECT"
        " 1 FROM notice_text WHERE ref = NEW.ref AND language = NEW.language) BEGIN SELECT"
        " RAISE(ABORT, 'notice_text is append-only'); END"
    ),
    (
        "CREATE TRIGGER official_withdrawal_no_update BEFORE UPDATE ON official_withdrawal"
        " BEGIN SELECT RAISE(ABORT, 'official_withdrawal is append-only'); END"
    ),
    (
        "CREATE TRIGGER official_withdrawal_no_delete BEFORE DELETE ON official_withdrawal"
        " BEGIN SELECT RAISE(ABORT, 'official_withdrawal is append-only'); END"
    ),
    (
        "CREATE TRIGGER official_withdrawal_no_insert BEFORE INSERT ON official_withdrawal WHEN"
        " EXISTS (SELECT 1 FROM official_withdrawal WHERE recipient = NEW.recipient AND"
        " fingerprint = NEW.fingerprint) BEGIN SELECT RAISE(ABORT, 'official_withdrawal is"
        " append-only'); END"
    ),
    (
        "CREATE TRIGGER revocation_no_update BEFORE UPDATE ON revocation BEGIN SELECT"
        " RAISE(ABORT, 'revocation is append-only'); END"
    ),
    (
        "CREATE TRIGGER revocation_no_delete BEFORE DELETE ON revocation BEGIN SELECT"
        " RAISE(ABORT, 'revocation is append-only'); END"
    ),
    (
        "CREATE TRIGGER revocation_no_insert BEFORE INSERT ON revocation WHEN EXISTS (SELECT 1"
        " FROM revocation WHERE recipient = NEW.recipient AND consent_id = NEW.consent_id AND"
        " subject_index = NEW.subject_index) BEGIN SELECT RAISE(ABORT, 'revocation is"
        " append-only'); END"
    ),
)
_POSTGRES = (
    (
        "CREATE TRIGGER agreement_draft_no_change BEFORE DELETE OR UPDATE ON agreement_draft"
        " FOR EACH ROW EXECUTE FUNCTION makul_append_only()"
    ),
    (
        "CREATE TRIGGER agreement_draft_no_truncate BEFORE TRUNCATE ON agreement_draft FOR EACH"
        " STATEMENT EXECUTE FUNCTION makul_append_only()"
    ),
    (
        "CREATE TRIGGER agreement_signature_no_change BEFORE DELETE OR UPDATE ON"
        " agreement_signature FOR EACH ROW EXECUTE FUNCTION makul_append_only()"
    ),
    (
        "CREATE TRIGGER agreement_signature_no_truncate BEFORE TRUNCATE ON agreement_signature"
        " FOR EACH STATEMENT EXECUTE FUNCTION makul_append_only()"
    ),
    (
        "CREATE TRIGGER consent_giver_no_change BEFORE DELETE OR UPDATE ON consent_giver FOR"
        " EACH ROW EXECUTE FUNCTION makul_append_only()"
    ),
    (
        "CREATE TRIGGER consent_giver_no_truncate BEFORE TRUNCATE ON consent_giver FOR EACH"
        " STATEMENT EXECUTE FUNCTION makul_append_only()"
    ),
    (
        "CREATE TRIGGER desk_document_no_change BEFORE DELETE OR UPDATE ON desk_document FOR"
        " EACH ROW EXECUTE FUNCTION makul_append_only()"
    ),
    (
        "CREATE TRIGGER desk_document_no_truncate BEFORE TRUNCATE ON desk_document FOR EACH"
        " STATEMENT EXECUTE FUNCTION makul_append_only()"
    ),
    (
        "CREATE TRIGGER notice_approval_no_change BEFORE DELETE OR UPDATE ON notice_approval"
        " FOR EACH ROW EXECUTE FUNCTION makul_append_only()"
    ),
    (
        "CREATE TRIGGER notice_approval_no_truncate BEFORE TRUNCATE ON notice_approval FOR EACH"
        " STATEMENT EXECUTE FUNCTION makul_append_only()"
    ),
    (
        "CREATE TRIGGER notice_text_no_change BEFORE DELETE OR UPDATE ON notice_text FOR EACH"
        " ROW EXECUTE FUNCTION makul_append_only()"
    ),
    (
        "CREATE TRIGGER notice_text_no_truncate BEFORE TRUNCATE ON notice_text FOR EACH"
        " STATEMENT EXECUTE FUNCTION makul_append_only()"
    ),
    (
        "CREATE TRIGGER official_withdrawal_no_change BEFORE DELETE OR UPDATE ON"
        " official_withdrawal FOR EACH ROW EXECUTE FUNCTION makul_append_only()"
    ),
    (
        "CREATE TRIGGER official_withdrawal_no_truncate BEFORE TRUNCATE ON official_withdrawal"
        " FOR EACH STATEMENT EXECUTE FUNCTION makul_append_only()"
    ),
    (
        "CREATE TRIGGER revocation_no_change BEFORE DELETE OR UPDATE ON revocation FOR EACH ROW"
        " EXECUTE FUNCTION makul_append_only()"
    ),
    (
        "CREATE TRIGGER revocation_no_truncate BEFORE TRUNCATE ON revocation FOR EACH STATEMENT"
        " EXECUTE FUNCTION makul_append_only()"
    ),
)


def upgrade() -> None:
    """Create what is new."""
    op.drop_table("notice")
    _notices()
    _agreements()
    _certificates()
    _meters()
    _revocations()
    op.add_column("disclosure", sa.Column("sealed_to", sa.LargeBinary(length=32)))
    sqlite = op.get_bind().dialect.name == "sqlite"
    for sql in _SQLITE if sqlite else _POSTGRES:
        op.execute(sql)


def _notices() -> None:
    op.create_table(
        "notice_text",
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("language", sa.String(length=32), nullable=False),
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("ref", "language", name=op.f("pk_notice_text")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "notice_approval",
        sa.Column("ref", sa.Text(), nullable=False),
        sa.Column("texts_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("document", sa.LargeBinary(length=32), nullable=False),
        sa.Column("signer", sa.LargeBinary(length=32), nullable=False),
        sa.Column("approved_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("ref", name=op.f("pk_notice_approval")),
        sqlite_with_rowid=False,
    )


def _agreements() -> None:
    op.execute("UPDATE agreement SET state = 'DRAFT' WHERE state = 'IN_FORCE'")
    op.create_table(
        "agreement_draft",
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("terms_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("drafted_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number", "terms_digest", name=op.f("pk_agreement_draft")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "signatory",
        sa.Column("member", sa.String(length=31), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("member", "fingerprint", name=op.f("pk_signatory")),
    )
    op.create_table(
        "agreement_signature",
        sa.Column("number", sa.String(length=64), nullable=False),
        sa.Column("terms_digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("role", sa.String(length=32), nullable=False),
        sa.Column("signer", sa.LargeBinary(length=32), nullable=False),
        sa.Column("member", sa.String(length=31), nullable=False),
        sa.Column("document", sa.LargeBinary(length=32), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "number", "terms_digest", "role", "signer", name=op.f("pk_agreement_signature")
        ),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "desk_document",
        sa.Column("digest", sa.LargeBinary(length=32), nullable=False),
        sa.Column("kind", sa.String(length=32), nullable=False),
        sa.Column("sealed", sa.LargeBinary(), nullable=False),
        sa.Column("kept_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_desk_document")),
        sqlite_with_rowid=False,
    )


def _certificates() -> None:
    op.create_table(
        "sealing_certificate",
        sa.Column("recipient", sa.String(length=31), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("der", sa.LargeBinary(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["recipient"], ["recipient.code"], name=op.f("fk_sealing_certificate_recipient")
        ),
        sa.PrimaryKeyConstraint("recipient", "fingerprint", name=op.f("pk_sealing_certificate")),
    )
    op.create_table(
        "official_withdrawal",
        sa.Column("recipient", sa.String(length=31), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(length=32), nullable=False),
        sa.Column("withdrawn_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("recipient", "fingerprint", name=op.f("pk_official_withdrawal")),
        sqlite_with_rowid=False,
    )


def _meters() -> None:
    op.create_table(
        "paper_use",
        sa.Column("recipient", sa.String(length=31), nullable=False),
        sa.Column("official", sa.LargeBinary(length=32), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("used", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("recipient", "official", "day", name=op.f("pk_paper_use")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "evidence_use",
        sa.Column("recipient", sa.String(length=31), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("recipient", "day", name=op.f("pk_evidence_use")),
        sqlite_with_rowid=False,
    )


def _revocations() -> None:
    op.create_table(
        "consent_giver",
        sa.Column("recipient", sa.String(length=31), nullable=False),
        sa.Column("consent_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("giver_index", sa.LargeBinary(length=32), nullable=False),
        sa.PrimaryKeyConstraint("recipient", "consent_id", name=op.f("pk_consent_giver")),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "revocation",
        sa.Column("recipient", sa.String(length=31), nullable=False),
        sa.Column("consent_id", sa.LargeBinary(length=16), nullable=False),
        sa.Column("subject_index", sa.LargeBinary(length=32), nullable=False),
        sa.Column("document", sa.LargeBinary(length=32), nullable=True),
        sa.Column("revoked_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint(
            "recipient", "consent_id", "subject_index", name=op.f("pk_revocation")
        ),
        sqlite_with_rowid=False,
    )
    op.create_index(
        op.f("ix_revocation_recipient_revoked_at"),
        "revocation",
        ["recipient", "revoked_at"],
        unique=False,
    )
