"""Forgetting what has served its time: marks of messages, stored answers, old failed matches.

Nothing here touches the record: disclosures, leaves, evidence and the tombstones of request ids
stay. Each call does a bounded piece of work, for writers wait meanwhile.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import bindparam, delete, null, select, tuple_, update

from makul.app.ports import MessageMark
from makul.store.db.base import Database, Transaction
from makul.store.db.codecs import micros
from makul.store.records.locks import purge_stale_announcements
from makul.store.records.service_usage import forget_use
from makul.store.schema.tables import attempt, request_key, seen_message

ROWS_A_CALL = 1_000
"""Rows of each kind forgotten in one call: some milliseconds of the writers' time."""

KEEP_ATTEMPTS = timedelta(days=7)
"""Failed matches are kept a week: `domain.attempts` looks back a day, an inquiry further."""

MARKS_LINGER = timedelta(minutes=10)
"""How long a mark outlives its message. A replay that was found timely a moment before the end may
be recorded long after it: writers queue, and clocks are set back."""

_SWEEP_ONE_IN = 256
"""How often a new mark also forgets stale ones; by the mark's first byte, so without a counter."""

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
    """How many rows were forgotten; where any is `ROWS_A_CALL`, there may be more."""

    marks: int
    answers: int
    attempts: int
    uses: int = 0

    @property
    def more(self) -> bool:
        """May there be more to forget?"""
        return ROWS_A_CALL in (self.marks, self.answers, self.attempts, self.uses)


def housekeep(database: Database, *, at: datetime) -> RetentionResult:
    """Forget what is due, in one short transaction."""
    now = micros(at)

    def work(transaction: Transaction) -> RetentionResult:
        purge_stale_announcements(transaction)
        return RetentionResult(
            marks=transaction.run(_FORGET_MARKS, {"now": micros(at - MARKS_LINGER)}),
            answers=transaction.run(_FORGET_ANSWERS, {"now": now}),
            attempts=transaction.run(_FORGET_ATTEMPTS, {"before": micros(at - KEEP_ATTEMPTS)}),
            uses=forget_use(transaction, ROWS_A_CALL, at=at),
        )

    return database.perform(work)


def purge_replay_guards(database: Database, mark: MessageMark | None, *, at: datetime) -> None:
    """Now and then, forget stale marks where new ones come: the table keeps within bounds.

    Never within a decision: whoever sweeps holds what others sweep as well, so it must not go on to
    wait for anybody. Which marks come is for the senders of messages to choose.
    """
    if mark is not None and mark.digest[0] % _SWEEP_ONE_IN == 0:
        now = {"now": micros(at - MARKS_LINGER)}
        database.perform(lambda transaction: transaction.run(_FORGET_MARKS, now))
