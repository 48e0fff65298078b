"""Statistics of a month's decisions, against which consents are audited (Procedure, cl. 11).

The index `ix_disclosure_month` contains everything that is counted. So no record is read, and a
million decisions are counted in one or two seconds.
"""

from collections.abc import Sequence

from sqlalchemy import bindparam, func, select

from makul.app.ports import MonthCount
from makul.domain.disclosures import Outcome
from makul.domain.identifiers import MemberCode
from makul.domain.months import Month
from makul.language.translation import translate
from makul.store.db.base import Database
from makul.store.db.codecs import CodecError, micros
from makul.store.records.repetitions import MONTH_REPETITIONS
from makul.store.schema.record_tables import disclosure

_ALIKE = (
    disclosure.c.recipient,
    disclosure.c.purpose,
    disclosure.c.outcome,
    disclosure.c.ground_kind,
)
MONTH_COUNTS = (
    select(*_ALIKE, func.count())
    .where(
        disclosure.c.decided_at >= bindparam("begins"), disclosure.c.decided_at < bindparam("ends")
    )
    .group_by(*_ALIKE)
)
"""Counts all decisions of a month in one statement, and so in one snapshot.

The statement has no condition on the recipient. With one, the database would choose an index that
lacks the other columns, and would read a record for each row.
"""


def of_month(database: Database, month: Month) -> Sequence[MonthCount]:
    """Return the counts recorded so far for a month, sorted. Groups without a record are absent."""
    values = {"begins": micros(month.begins), "ends": micros(month.ends)}
    repeated = {row[:4]: row[4] for row in database.fetch_all(MONTH_REPETITIONS, values)}
    decided = {row[:4]: row[4] for row in database.fetch_all(MONTH_COUNTS, values)}
    # An answer of an earlier month may be repeated in this month. Then the group has no decision.
    counts = [
        _count_from_row(*alike, decisions=decided.get(alike, 0), repetitions=repeated.get(alike, 0))
        for alike in decided.keys() | repeated.keys()
    ]
    return sorted(counts, key=_sort_key)


def _sort_key(count: MonthCount) -> tuple[str, ...]:
    return (count.recipient, count.purpose or "", count.outcome, count.ground_kind or "")


def _count_from_row(
    recipient: str,
    purpose: str | None,
    outcome: str,
    ground_kind: str | None,
    *,
    decisions: int,
    repetitions: int,
) -> MonthCount:
    try:
        return MonthCount(
            recipient=MemberCode(recipient),
            purpose=purpose,
            outcome=Outcome(outcome),
            ground_kind=ground_kind,
            decisions=decisions,
            repetitions=repetitions,
        )
    except ValueError:
        raise CodecError(translate("a decision does not read back")) from None
