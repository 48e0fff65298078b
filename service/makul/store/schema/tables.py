"""The tables of the store (docs/decisions/0021-postgresql.md), equal on SQLite and PostgreSQL.

There are no serial keys. Instants are BIGINT microseconds and UUIDs are 16 bytes (see
`store.db.codecs`). Only the store's keys decrypt the columns `sealed`, `subject` and `answer`. Only
they compute the columns whose names end in `_index` (see `store.encryption.fields`).

Records of decisions have no foreign keys. They stay valid when registrations change, and can be
partitioned and sharded by recipient.

On SQLite, records are kept in clustered tables (`WITHOUT ROWID`). Each needs one tree instead of
two, and has no hidden row number by which an append-only row could be replaced.

Persons are in `store.schema.person_tables`, the ledger's tables in `store.schema.ledger_tables`.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    and_,
)

from makul.store.schema.columns import (
    AGREEMENT,
    DIGEST,
    MEMBER,
    PURPOSE,
    UUID,
    WORD,
    metadata,
    to_lock,
)

# --- the registry: recipients, certificates, officials, agreements, notices -------------------

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

# --- usage and limits: what changes with each decision ----------------------------------------

ground_use = Table(
    "ground_use",
    metadata,
    Column("recipient", MEMBER, primary_key=True),
    Column("kind", WORD, primary_key=True),
    Column("ground_id", UUID, primary_key=True),
    Column("digest", DIGEST, nullable=False),
    Column("allowed", Integer, nullable=False),
    Column("used", Integer, nullable=False),
    Column("valid_from", BigInteger, nullable=False),
    Column("valid_to", BigInteger, nullable=False),
    Column("subject", LargeBinary),
    Column("registered_at", BigInteger),
    Column("revoked_at", BigInteger),
    CheckConstraint("used >= 0 AND used <= allowed", name="within"),
    sqlite_with_rowid=False,
)
"""The usage and state of a consent or basis statement.

`revoked_at` is set only by the operator. Consent revocations by subjects are in `revocation`.
"""

request_key = Table(
    "request_key",
    metadata,
    Column("recipient", MEMBER, primary_key=True),
    Column("space", WORD, primary_key=True),
    Column("request_id", UUID, primary_key=True),
    Column("disclosure_id", UUID, nullable=False),
    Column("answer", LargeBinary),
    Column("answer_until", BigInteger),
    Column("decided_at", BigInteger),
    Index(None, "answer_until"),
    sqlite_with_rowid=False,
)
"""A closed request id.

The row is its tombstone: `answer` and `answer_until` become NULL, the row stays.

`decided_at` is that of the disclosure and finds it in the partition of its month.
"""

attempt = Table(
    "attempt",
    metadata,
    Column("disclosure_id", UUID, primary_key=True),
    Column("recipient", MEMBER, nullable=False),
    Column("pin_index", DIGEST, nullable=False),
    Column("employee_index", DIGEST),
    Column("at", BigInteger, nullable=False),
    Index(None, "pin_index", "recipient", "at"),
    Index(None, "recipient", "at", "pin_index"),
    Index(None, "employee_index", "at"),
    Index(None, "at"),
    sqlite_with_rowid=False,
)

gate = Table(
    "gate",
    metadata,
    Column("kind", WORD, primary_key=True),
    Column("key", DIGEST, primary_key=True),
    sqlite_with_rowid=False,
)
"""Rows that exist only to be locked (see `store.records.locks`)."""

daily_use = Table(
    "daily_use",
    metadata,
    Column("recipient", MEMBER, primary_key=True),
    Column("agreement_number", AGREEMENT, primary_key=True),
    Column("space", WORD, primary_key=True),
    Column("day", Integer, primary_key=True),
    Column("used", Integer, nullable=False),
    sqlite_with_rowid=False,
)
"""The daily usage of an agreement.

The recipient is part of the key, so that a recipient cannot use up the quota of another by naming
its agreement.
"""

paper_use = Table(
    "paper_use",
    metadata,
    Column("recipient", MEMBER, primary_key=True),
    Column("official", DIGEST, primary_key=True),
    Column("day", Integer, primary_key=True),
    Column("used", Integer, nullable=False),
    sqlite_with_rowid=False,
)
"""The number of consents on paper that an official took, by UTC day and certificate fingerprint."""

evidence_use = Table(
    "evidence_use",
    metadata,
    Column("recipient", MEMBER, primary_key=True),
    Column("day", Integer, primary_key=True),
    Column("bytes", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""The number of bytes of evidence stored for a recipient, by UTC day."""

recipient_use = Table(
    "recipient_use",
    metadata,
    Column("recipient", MEMBER, primary_key=True),
    Column("span", WORD, primary_key=True),
    Column("begins", BigInteger, primary_key=True, autoincrement=False),
    Column("slot", Integer, primary_key=True, autoincrement=False),
    Column("requests", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""The usage of a recipient in a span: a minute (`MINUTE`, `INQUIRY`) or a UTC day (`DAY`).

`begins` is the number of such spans since 1970. A use is counted in one of several slots, so that
concurrent transactions do not wait for one row. The usage is the sum of the slots.
"""

seen_message = Table(
    "seen_message",
    metadata,
    Column("digest", DIGEST, primary_key=True),
    Column("forget_after", BigInteger, nullable=False),
    Index(None, "forget_after"),
    sqlite_with_rowid=False,
)

# --- the record: append-only ------------------------------------------------------------------

disclosure = Table(
    "disclosure",
    metadata,
    Column("disclosure_id", UUID, primary_key=True),
    Column("recipient", MEMBER, nullable=False),
    Column("space", WORD, nullable=False),
    Column("request_id", UUID, nullable=False),
    Column("operation", WORD, nullable=False),
    Column("channel", WORD, nullable=False),
    Column("certificate", DIGEST),
    Column("agreement_number", AGREEMENT),
    Column("purpose", PURPOSE),
    Column("subject_index", DIGEST),
    Column("outcome", WORD, nullable=False),
    Column("reasons", Text, nullable=False),
    Column("released", Text, nullable=False),
    Column("ground_kind", WORD),
    Column("ground_id", UUID),
    Column("ground_digest", DIGEST),
    Column("decided_at", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("sealed_to", DIGEST),
    Index(None, "recipient", "request_id", "decided_at"),
    Index(None, "recipient", "decided_at"),
    Index(
        "ix_disclosure_month",
        *("decided_at", "disclosure_id", "recipient", "purpose", "outcome", "ground_kind"),
    ),
    sqlite_with_rowid=False,
    postgresql_partition_by="RANGE (decided_at)",
)
"""A decision.

On PostgreSQL, `store.schema.partitions` stores it by month, and the key includes `decided_at`.

`sealed` is encrypted: subject, employee, case, request digest, receipt, reports, and the leaf's
salt and statement. The salt must be encrypted: together with the leaf's hash it would let an
attacker guess the PIN. `sealed_to` is the certificate to which the released data were encrypted, if
they were.

The last index contains every column that monthly statistics count, so that no record is read.
"""

CLOSED_BY = and_(
    disclosure.c.disclosure_id == request_key.c.disclosure_id,
    disclosure.c.decided_at == request_key.c.decided_at,
    disclosure.c.recipient == request_key.c.recipient,
    disclosure.c.space == request_key.c.space,
    disclosure.c.request_id == request_key.c.request_id,
)
"""Joins a request id to the decision that closed it. The decision must belong to the same request.

A row written by hand that names a decision of another request joins nothing.
"""

repetition = Table(
    "repetition",
    metadata,
    Column("repetition_id", UUID, primary_key=True),
    Column("recipient", MEMBER, nullable=False),
    Column("space", WORD, nullable=False),
    Column("request_id", UUID, nullable=False),
    Column("disclosure_id", UUID, nullable=False),
    Column("decided_at", BigInteger, nullable=False),
    Column("channel", WORD, nullable=False),
    Column("certificate", DIGEST),
    Column("repeated_at", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Index(None, "disclosure_id", "repeated_at"),
    Index(None, "recipient", "repeated_at"),
    Index(None, "repeated_at"),
    sqlite_with_rowid=False,
)
"""A repetition: a stored answer that was given again, with the recipient, the time and the channel.

`disclosure_id` and `decided_at` are those of the decision. `sealed` is encrypted: subsystem,
employee, case, request digest, and the leaf's salt and statement.
"""

dictionary = Table(
    "dictionary",
    metadata,
    Column("dictionary_id", DIGEST, primary_key=True),
    Column("content", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
"""A dictionary that compresses records before encryption, stored under its SHA-256.

It contains boilerplate and the operator's receipt certificate. Without it, the records that name it
cannot be read.
"""

ledger_leaf = Table(
    "ledger_leaf",
    metadata,
    Column("disclosure_id", UUID, primary_key=True),
    Column("leaf_hash", DIGEST, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Index(None, "recorded_at"),
    sqlite_with_rowid=False,
)
"""A leaf of the ledger. The sequencer assigns its leaf index later, in `ledger_position`."""

evidence = Table(
    "evidence",
    metadata,
    Column("recipient", MEMBER, primary_key=True),
    Column("digest", DIGEST, primary_key=True),
    Column("kind", WORD, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("kept_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""The exact bytes of a document, stored once.

Its validation report is stored with each decision.
"""

revocation = Table(
    "revocation",
    metadata,
    Column("recipient", MEMBER, primary_key=True),
    Column("consent_id", UUID, primary_key=True),
    Column("subject_index", DIGEST, primary_key=True),
    Column("document", DIGEST),
    Column("revoked_at", BigInteger, nullable=False),
    Index(None, "recipient", "revoked_at"),
    sqlite_with_rowid=False,
)
"""A consent revocation by a subject (cl. 4). The consent may still be unknown here.

It revokes a consent of that id *and* that subject, so that a person cannot revoke the consent of
another subject.
"""

consent_giver = Table(
    "consent_giver",
    metadata,
    Column("recipient", MEMBER, primary_key=True),
    Column("consent_id", UUID, primary_key=True),
    Column("giver_index", DIGEST, nullable=False),
    sqlite_with_rowid=False,
)
"""The representative who gave a consent for its subject, and so may revoke it."""

desk_log = Table(
    "desk_log",
    metadata,
    Column("entry_id", UUID, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("who", Text, nullable=False),
    Column("action", WORD, nullable=False),
    Column("target", Text, nullable=False),
    Column("subject_index", DIGEST),
    Column("sealed", LargeBinary, nullable=False),
    Index(None, "at"),
    sqlite_with_rowid=False,
)
"""The operator's log: what the operator changed or viewed (cl. 13 and 16).

`sealed` is encrypted: the facts, reasons and names.
"""

# --- the store itself -------------------------------------------------------------------------

store_identity = Table(
    "store_identity",
    metadata,
    Column("store_id", UUID, primary_key=True),
    Column("index_check", DIGEST, nullable=False),
    Column("sealed_check", LargeBinary, nullable=False),
    Column("baseline_at", BigInteger),
)
"""One row, which shows at opening whether the keys belong to this store.

`baseline_at` is NULL until the baseline of acts is recorded (`store.log.baseline`).
"""
