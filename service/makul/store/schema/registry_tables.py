"""The tables of the registry: recipients, certificates, officials, agreements and notices."""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, Table, Text

from makul.store.schema.columns import AGREEMENT, DIGEST, MEMBER, UUID, WORD, metadata, to_lock

recipient = Table(
    "recipient",
    metadata,
    Column("code", MEMBER, primary_key=True),
    Column("kind", WORD, nullable=False),
    Column("name", Text, nullable=False),
    Column("state", WORD, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    to_lock(),
)


certificate = Table(
    "certificate",
    metadata,
    Column("fingerprint", DIGEST, primary_key=True),
    Column("recipient", MEMBER, ForeignKey("recipient.code"), nullable=False),
    Column("der", LargeBinary, nullable=False),
    Column("added_at", BigInteger, nullable=False),
    Column("withdrawn_at", BigInteger),
    to_lock(),
)


official = Table(
    "official",
    metadata,
    Column("recipient", MEMBER, ForeignKey("recipient.code"), primary_key=True),
    Column("fingerprint", DIGEST, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("added_at", BigInteger, nullable=False),
)


agreement = Table(
    "agreement",
    metadata,
    Column("number", AGREEMENT, primary_key=True),
    Column("recipient", MEMBER, ForeignKey("recipient.code"), nullable=False),
    Column("state", WORD, nullable=False),
    Column("valid_from", BigInteger, nullable=False),
    Column("valid_to", BigInteger, nullable=False),
    Column("terms", Text, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    to_lock(),
    Index(None, "recipient"),
)


AGREEMENT_COLUMNS = (
    agreement.c.number,
    agreement.c.recipient,
    agreement.c.state,
    agreement.c.valid_from,
    agreement.c.valid_to,
    agreement.c.terms,
)
"""The columns from which an agreement is read (`store.db.codecs.AgreementRow`)."""

notice_text = Table(
    "notice_text",
    metadata,
    Column("ref", Text, primary_key=True),
    Column("language", WORD, primary_key=True),
    Column("digest", DIGEST, nullable=False),
    Column("text", Text, nullable=False),
    Column("added_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""A consent notice in one language. A changed text is another notice with another number."""


notice_approval = Table(
    "notice_approval",
    metadata,
    Column("ref", Text, primary_key=True),
    Column("texts_digest", DIGEST, nullable=False),
    Column("document", DIGEST, nullable=False),
    Column("signer", DIGEST, nullable=False),
    Column("approved_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""The authorised body's approval of a notice in all its languages.

`document` is the digest of the signed approval.
"""


signatory = Table(
    "signatory",
    metadata,
    Column("member", MEMBER, primary_key=True),
    Column("fingerprint", DIGEST, primary_key=True),
    Column("role", WORD, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("added_at", BigInteger, nullable=False),
    Column("withdrawn_at", BigInteger),
)
"""A signatory of agreements and approvals for a party: AUTHORISED_BODY, OPERATOR or RECIPIENT."""


agreement_draft = Table(
    "agreement_draft",
    metadata,
    Column("number", AGREEMENT, primary_key=True),
    Column("terms_digest", DIGEST, primary_key=True),
    Column("drafted_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""A draft of terms for the three parties to sign. The newest draft of a number is the valid one."""


agreement_signature = Table(
    "agreement_signature",
    metadata,
    Column("number", AGREEMENT, primary_key=True),
    Column("terms_digest", DIGEST, primary_key=True),
    Column("role", WORD, primary_key=True),
    Column("signer", DIGEST, primary_key=True),
    Column("member", MEMBER, nullable=False),
    Column("document", DIGEST, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""The signature of one party under exactly these terms (cl. 7).

One signature of each role makes an agreement. A party may sign again with another signatory if the
first one is withdrawn.
"""


desk_document = Table(
    "desk_document",
    metadata,
    Column("digest", DIGEST, primary_key=True),
    Column("kind", WORD, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("kept_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""A signed agreement or approval: its exact bytes and its validation result."""


sealing_certificate = Table(
    "sealing_certificate",
    metadata,
    Column("recipient", MEMBER, ForeignKey("recipient.code"), primary_key=True),
    Column("fingerprint", DIGEST, primary_key=True),
    Column("der", LargeBinary, nullable=False),
    Column("added_at", BigInteger, nullable=False),
    Column("withdrawn_at", BigInteger),
    to_lock(),
)
"""A certificate to which a recipient's answers may be encrypted.

The newest one that is not withdrawn is used.
"""


official_withdrawal = Table(
    "official_withdrawal",
    metadata,
    Column("recipient", MEMBER, primary_key=True),
    Column("fingerprint", DIGEST, primary_key=True),
    Column("withdrawn_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""The withdrawal of an official. Signatures of this official from then on do not count."""


officer = Table(
    "officer",
    metadata,
    Column("fingerprint", DIGEST, primary_key=True),
    Column("member", MEMBER, nullable=False),
    Column("role", WORD, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("added_at", BigInteger, nullable=False),
    Column("withdrawn_at", BigInteger),
)
"""An officer of a supervising body (`domain.officers`), by certificate (Procedure, cl. 11, 12)."""


termination_proposal = Table(
    "termination_proposal",
    metadata,
    Column("number", AGREEMENT, primary_key=True),
    Column("agreement_changed_at", BigInteger, primary_key=True, autoincrement=False),
    Column("officer", DIGEST, primary_key=True),
    Column("proposed_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""An officer's proposal to terminate an agreement, which a second officer carries out (cl. 12).

`agreement_changed_at` is that of the agreement: a proposal does not outlive a change of the terms.
"""


reinstatement_proposal = Table(
    "reinstatement_proposal",
    metadata,
    Column("recipient", MEMBER, primary_key=True),
    Column("recipient_changed_at", BigInteger, primary_key=True, autoincrement=False),
    Column("officer", DIGEST, primary_key=True),
    Column("proposed_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""An officer's proposal to end a complete stop, which a second officer carries out (cl. 12).

`recipient_changed_at` is that of the recipient: a proposal does not outlive the stop that it ends.
"""


monthly_statement = Table(
    "monthly_statement",
    metadata,
    Column("recipient", MEMBER, ForeignKey("recipient.code"), primary_key=True),
    Column("month", WORD, primary_key=True),
    Column("state", WORD, nullable=False),
    Column("head", DIGEST, nullable=False),
    Column("content", DIGEST, nullable=False),
    Column("issued_at", BigInteger, nullable=False),
    Column("confirm_by", BigInteger, nullable=False),
    Column("confirmation", DIGEST),
    Column("closing", DIGEST),
    Column("changed_at", BigInteger, nullable=False),
)
"""A month of a recipient that the operator issued, and how far it is closed (cl. 11).

`head`, `confirmation` and `closing` are digests in `month_document`: the statement as the operator,
the recipient and the authorised body signed it.
"""


month_document = Table(
    "month_document",
    metadata,
    Column("digest", DIGEST, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("kept_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""A statement as one party signed it. `sealed` is encrypted: its bytes, and the report on it."""


contested_line = Table(
    "contested_line",
    metadata,
    Column("recipient", MEMBER, primary_key=True),
    Column("month", WORD, primary_key=True),
    Column("disclosure_id", UUID, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("contested_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""A line of a statement that the recipient contests. `sealed` is encrypted: the reason."""


contested_answer = Table(
    "contested_answer",
    metadata,
    Column("recipient", MEMBER, primary_key=True),
    Column("month", WORD, primary_key=True),
    Column("disclosure_id", UUID, primary_key=True),
    Column("answer", WORD, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("answered_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""The operator's answer to a contested line. `sealed` is encrypted: the reason of the answer."""


oversight_case = Table(
    "oversight_case",
    metadata,
    Column("case_id", UUID, primary_key=True),
    Column("recipient", MEMBER, ForeignKey("recipient.code"), nullable=False),
    Column("first_day", WORD, nullable=False),
    Column("end_day", WORD, nullable=False),
    Column("scope", WORD, nullable=False),
    Column("state", WORD, nullable=False),
    Column("evidence", DIGEST),
    Column("evidence_bytes", BigInteger),
    Column("evidence_parts", LargeBinary),
    Column("changed_at", BigInteger, nullable=False),
)
"""A case about a recipient (`domain.oversight_cases`), and its state (Procedure, cl. 12).

`evidence` is the digest of its evidence file; `evidence_parts` are the digests of the file's parts,
one after another.
"""


oversight_case_step = Table(
    "oversight_case_step",
    metadata,
    Column("case_id", UUID, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("kind", WORD, nullable=False),
    Column("party", WORD, nullable=False),
    Column("evidence", DIGEST),
    Column("sealed", LargeBinary, nullable=False),
    Column("taken_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""A step of a case, numbered from 1. `sealed` is encrypted: the justification or reason."""
matching_lock = Table(
    "matching_lock",
    metadata,
    Column("subject_index", DIGEST, primary_key=True),
    Column("state", WORD, nullable=False),
    Column("document", DIGEST),
    Column("changed_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""The lock by which a subject stops matching on the ground of consents (cl. 4), by blind index.

It is apart from the person's record, because the role of the subject port reads no such record.
`document` is the digest of the signed order that removed it, in `evidence`.
"""
