"""Retention: deletion of expired replay guards, stored answers, old failed matches and usage rows.

Nothing here changes the records: disclosures, leaves, evidence and the tombstones of request ids
stay. Each call does a bounded amount of work, because other writers wait during it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, null, select, tuple_, update

from makul.app.ports import MessageMark
from makul.store.db.base import Database, Transaction
from makul.store.db.codecs import micros
from makul.store.records.locks import purge_stale_announcements
from makul.store.records.service_usage import forget_use
from makul.store.schema.usage_tables import attempt, request_key, seen_message

ROWS_A_CALL = 1_000
"""Maximum number of rows of each kind deleted in one call.

One call blocks writers for a few milliseconds.
"""

KEEP_ATTEMPTS = timedelta(days=7)
"""Retention of failed matches: one week.

`domain.match_attempts` uses the last day; an inquiry needs more.
"""

MARKS_LINGER = timedelta(minutes=10)
"""Time for which a replay guard outlives its message.

A replay that was accepted as timely just before the end may be recorded much later, because writers
queue and clocks are set back.
"""

_SWEEP_ONE_IN = 256
"""One in this many new replay guards also deletes expired ones.

The first byte of the guard's digest decides, so no counter is needed.
"""

_FORGET_MARKS = delete(seen_message).where(
    seen_message.c.digest.in_(
        select(seen_message.c.digest)
        .where(seen_message.c.forget_after < bindparam("now"))
        .limit(ROWS_A_CALL)
    )
)
_FORGET_ATTEMPTS = delete(attempt).where(
    attempt.c.disclosure_id.in_(
        select(attempt.c.disclosure_id).where(attempt.c.at < bindparam("before")).limit(ROWS_A_CALL)
    )
)
_FORGET_ANSWERS = (
    update(request_key)
    .where(
        tuple_(request_key.c.recipient, request_key.c.space, request_key.c.request_id).in_(
            select(request_key.c.recipient, request_key.c.space, request_key.c.request_id)
            .where(request_key.c.answer_until <= bindparam("now"))
            .limit(ROWS_A_CALL)
        )
    )
    .values(answer=null(), answer_until=null())
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionResult:
    """The number of rows deleted. If one number is `ROWS_A_CALL`, more rows may be due."""

    marks: int
    answers: int
    attempts: int
    uses: int = 0

    @property
    def more(self) -> bool:
        """Whether more rows may be due."""
        return ROWS_A_CALL in (self.marks, self.answers, self.attempts, self.uses)


def housekeep(database: Database, *, at: datetime) -> RetentionResult:
    """Delete the rows that are due, in one short transaction."""
    now = micros(at)

    def work(transaction: Transaction) -> RetentionResult:
        purge_stale_announcements(transaction)
        return RetentionResult(
            marks=transaction.execute(_FORGET_MARKS, {"now": micros(at - MARKS_LINGER)}),
            answers=transaction.execute(_FORGET_ANSWERS, {"now": now}),
            attempts=transaction.execute(_FORGET_ATTEMPTS, {"before": micros(at - KEEP_ATTEMPTS)}),
            uses=forget_use(transaction, ROWS_A_CALL, at=at),
        )

    return database.run_transaction(work)


def purge_replay_guards(database: Database, mark: MessageMark | None, *, at: datetime) -> None:
    """Delete expired replay guards when some new ones arrive, so that the table stays bounded.

    Call it only outside the transaction of a decision. This deletion locks rows that other
    deletions lock too, so it must not wait for other locks afterwards. The senders of messages
    choose the digests, so they could otherwise cause a deadlock at will.
    """
    if mark is not None and mark.digest[0] % _SWEEP_ONE_IN == 0:
        now = {"now": micros(at - MARKS_LINGER)}
        database.run_transaction(lambda transaction: transaction.execute(_FORGET_MARKS, now))
