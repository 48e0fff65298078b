"""The tables of the record: decisions and what belongs to them. Rows are only added."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table, Text, and_

from makul.store.schema.columns import AGREEMENT, DIGEST, MEMBER, PURPOSE, UUID, WORD, metadata
from makul.store.schema.usage_tables import request_key

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
    Index(None, "subject_index", "decided_at"),
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


request_message = Table(
    "request_message",
    metadata,
    Column("disclosure_id", UUID, primary_key=True),
    Column("decided_at", BigInteger, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    sqlite_with_rowid=False,
)
"""The signed message of a request that disclosed something, encrypted
(`store.records.request_messages`).

The statement of the decision's leaf has the digest of the Body's child and the certificate that
signed it. So an altered message does not fit its decision.
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
    Index(None, "giver_index"),
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
