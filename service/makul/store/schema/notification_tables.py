"""The tables of notifications to subjects, their links, and what subjects answered (cl. 4, 11)."""

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table, text

from makul.store.schema.columns import DIGEST, MEMBER, UUID, WORD, metadata

_WAITS = "next_at IS NOT NULL"

notification = Table(
    "notification",
    metadata,
    Column("disclosure_id", UUID, primary_key=True),
    Column("kind", WORD, primary_key=True),
    Column("visible_at", BigInteger, nullable=False),
    Column("next_at", BigInteger),
    Column("attempts", Integer, nullable=False),
    Column("delivered_at", BigInteger),
    Column("sealed", LargeBinary),
    Index(
        "ix_notification_to_send",
        *("next_at", "visible_at"),
        sqlite_where=text(_WAITS),
        postgresql_where=text(_WAITS),
    ),
    sqlite_with_rowid=False,
)
"""The outbox: a notification to the subject of a decision, written together with the decision.

`visible_at` is when the subject may learn of the decision. Nothing outside the operator's own
programs may depend on a row before that (docs/architecture.md, invariant 14).

`next_at` is the earliest time of the next attempt: first `visible_at`, then the end of a sender's
claim or of a pause. It is NULL when there is no further attempt. The notification was then
delivered (`delivered_at`) or given up.

`attempts` counts the claims. It is raised before a sender begins, so that a repetition after a
crash is marked. `sealed` is encrypted: the subject, and what the notification says. It is NULL when
the notification was delivered, because then nobody needs it.
"""

notification_link = Table(
    "notification_link",
    metadata,
    Column("digest", DIGEST, primary_key=True),
    Column("disclosure_id", UUID, nullable=False),
    Column("kind", WORD, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Index(None, "expires_at"),
    sqlite_with_rowid=False,
)
"""A single-use link in a notification: the SHA-256 of its token, and the decision it is about.

The token is in the notification only. Each attempt has its own, because the token of an earlier
attempt is not stored. A link is used when the answer that it leads to is recorded.
"""

month_question = Table(
    "month_question",
    metadata,
    Column("disclosure_id", UUID, primary_key=True),
    Column("recipient", MEMBER, nullable=False),
    Column("month", WORD, nullable=False),
    Column("asked_at", BigInteger, nullable=False),
    Column("answer_by", BigInteger, nullable=False),
    Index(None, "recipient", "month"),
    sqlite_with_rowid=False,
)
"""A disclosure of a month's sample about which its subject is asked (cl. 11)."""

subject_answer = Table(
    "subject_answer",
    metadata,
    Column("disclosure_id", UUID, primary_key=True),
    Column("origin", WORD, primary_key=True),
    Column("answer", WORD, nullable=False),
    Column("answered_at", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)
"""What a subject said about a disclosure.

`origin` is REPORT (the subject denied it after a notification) or QUESTION (the subject was asked).
Each is answered once.
"""
