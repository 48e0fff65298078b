"""Documents in full: notices and their approval, signatures of agreements, revocations, sealing.

Notices are entered anew: before, nobody had approved them, and each had one language. Agreements
that the operator alone had brought into force are drafts again, until three have signed (cl. 7).

Revision ID: 0002
"""

import sqlalchemy as sa
from alembic import op

from makul.store.append_only import SINCE_0002, triggers_for

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create what is new."""
    op.drop_table("notice")
    _notices()
    _agreements()
    _certificates()
    _meters()
    _revocations()
    op.add_column("disclosure", sa.Column("sealed_to", sa.LargeBinary(length=32)))
    for sql in triggers_for(op.get_bind().dialect.name, SINCE_0002):
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
