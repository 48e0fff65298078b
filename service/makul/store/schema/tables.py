"""The tables (ARCHITECTURE, "Data at rest"), written to lie alike on SQLite and PostgreSQL.

No serial keys; instants are BIGINT microseconds and UUIDs 16 bytes (see `codecs`). Columns named
`sealed`, `subject` and `answer` hold what only the store's keys open, columns ending in `_index`
what only they compute (see `crypto`). Records of decisions refer to nobody by foreign key: they
stand on their own, whoever is registered later, and can be partitioned and sharded by recipient.

Records are kept in clustered tables (`WITHOUT ROWID`) on SQLite: one tree instead of two, and no
hidden row number by which an append-only row could be replaced.

Persons are in `person_tables`, the log's own tables in `ledger_tables`.
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

# --- the register: who may ask, under what terms, and who is in the database ------------------

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
"""A consent notice in one language. A changed text is another notice, of another number."""

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
"""The authorised body's approval of a notice in all its languages; `document` is what it signed."""

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
"""Who may sign agreements and approvals for a party: AUTHORISED_BODY, OPERATOR or RECIPIENT."""

agreement_draft = Table(
    "agreement_draft",
    metadata,
    Column("number", AGREEMENT, primary_key=True),
    Column("terms_digest", DIGEST, primary_key=True),
    Column("drafted_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""What was laid before the three parties to sign; the newest of a number is what counts."""

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
"""One party's signature under exactly these terms (cl. 7); one of each role makes an agreement.
A party may sign once more by another hand, where the first is withdrawn meanwhile."""

desk_document = Table(
    "desk_document",
    metadata,
    Column("digest", DIGEST, primary_key=True),
    Column("kind", WORD, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("kept_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""Signed agreements and approvals: the exact bytes and how they were judged."""

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
"""To which certificate a recipient's answers are encrypted: its newest that is not withdrawn."""

official_withdrawal = Table(
    "official_withdrawal",
    metadata,
    Column("recipient", MEMBER, primary_key=True),
    Column("fingerprint", DIGEST, primary_key=True),
    Column("withdrawn_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""An official who signs no more: what they sign from then on does not count."""

# --- meters and limits: what changes with each decision ---------------------------------------

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
"""The meter and state of a consent or basis statement. `revoked_at` is the operator's own doing;
what subjects take back stands in `revocation`."""

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
"""A closed request id. The row is its tombstone: answer and its term become NULL, the row stays.
`decided_at` is the disclosure's, by which it is found in its month."""

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
"""Nothing but rows to lock (see `gates`)."""

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
"""The recipient is part of the key, so that nobody eats another's quota by naming its agreement."""

paper_use = Table(
    "paper_use",
    metadata,
    Column("recipient", MEMBER, primary_key=True),
    Column("official", DIGEST, primary_key=True),
    Column("day", Integer, primary_key=True),
    Column("used", Integer, nullable=False),
    sqlite_with_rowid=False,
)
"""Paper consents that an official took, by UTC day and the fingerprint of the certificate."""

evidence_use = Table(
    "evidence_use",
    metadata,
    Column("recipient", MEMBER, primary_key=True),
    Column("day", Integer, primary_key=True),
    Column("bytes", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""How much a recipient has had kept as evidence, by UTC day."""

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
"""What a recipient uses of the service in a span: a minute (`MINUTE`) or a UTC day (`DAY`), which
begins so many spans after 1970. One use is counted in one of several slots, so that transactions
which run side by side do not wait for one row; the use is the sum of the slots."""

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
"""A decision. On PostgreSQL it lies in partitions by month (`months`), and its key holds
`decided_at` too. Sealed: subject, employee, case, request digest, receipt, reports, and the leaf's
salt and statement. The salt must be: beside the leaf's hash it would let the PIN be guessed.
`sealed_to` is the certificate to which the data given were encrypted, if they were. The last index
holds all that a month's statistics count, so that they are counted without reading a record."""

CLOSED_BY = and_(
    disclosure.c.disclosure_id == request_key.c.disclosure_id,
    disclosure.c.decided_at == request_key.c.decided_at,
    disclosure.c.recipient == request_key.c.recipient,
    disclosure.c.space == request_key.c.space,
    disclosure.c.request_id == request_key.c.request_id,
)
"""Joins a request id to the decision that closed it: one of this very request. A row that names a
decision of another request, written by hand, joins nothing."""

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
"""A stored answer that was given again: of which decision, to whom, when and by which channel.
`disclosure_id` and `decided_at` are the decision's. Encrypted: subsystem, employee, case, request
digest, and the leaf's salt and statement."""

dictionary = Table(
    "dictionary",
    metadata,
    Column("dictionary_id", DIGEST, primary_key=True),
    Column("content", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
"""A text by which records are compressed before they are encrypted, under its SHA-256: boilerplate
and the operator's receipt certificate. Without it the records that name it cannot be read."""

ledger_leaf = Table(
    "ledger_leaf",
    metadata,
    Column("disclosure_id", UUID, primary_key=True),
    Column("leaf_hash", DIGEST, nullable=False),
    Column("recorded_at", BigInteger, nullable=False),
    Index(None, "recorded_at"),
    sqlite_with_rowid=False,
)
"""What the ledger is built from; a leaf's place in the tree is assigned later, elsewhere."""

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
"""A document's exact bytes, once; how it was judged stands with each decision."""

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
"""A consent taken back by its subject (cl. 4), known here or not yet. It counts for a consent of
that id *and* that subject, so that nobody can take back what another gave."""

consent_giver = Table(
    "consent_giver",
    metadata,
    Column("recipient", MEMBER, primary_key=True),
    Column("consent_id", UUID, primary_key=True),
    Column("giver_index", DIGEST, nullable=False),
    sqlite_with_rowid=False,
)
"""Which representative gave a consent for its subject, and so may take it back."""

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
"""What the operator changed or looked at (cl. 13 and 16). Sealed: the facts, reasons and names."""

# --- the store itself -------------------------------------------------------------------------

store_identity = Table(
    "store_identity",
    metadata,
    Column("store_id", UUID, primary_key=True),
    Column("index_check", DIGEST, nullable=False),
    Column("sealed_check", LargeBinary, nullable=False),
    Column("baseline_at", BigInteger),
)
"""One row, by which keys that do not belong to this store are known when it is opened.
`baseline_at` is NULL until the baseline of acts is recorded (`baseline`)."""
