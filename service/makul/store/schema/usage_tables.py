"""The tables of usage and limits: what changes with each decision."""

from sqlalchemy import BigInteger, CheckConstraint, Column, Index, Integer, LargeBinary, Table

from makul.store.schema.columns import AGREEMENT, DIGEST, MEMBER, UUID, WORD, metadata

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
