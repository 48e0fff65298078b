"""Deletions: a recipient erases data when their term ends, and attests it (Procedure, cl. 15).

The term of data that were given by consent is that of the consent (`retentionAtRecipient`), from
the decision on. The term of data that were given under cl. 5 is that of the basis statement.
"""

import re
from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from uuid import UUID

from makul.domain.calendar import BISHKEK, is_usual_year, legal_day
from makul.domain.causes import Cause
from makul.domain.oversight_cases import CaseState
from makul.domain.reasons import Code, Reason

HOLDING_STATES = frozenset({CaseState.OPEN, CaseState.REFERRED})
"""The states of a case in which the data of its period are evidence and must not be erased."""

_TERM = re.compile(r"P(?:(\d{1,3})Y)?(?:(\d{1,3})M)?(?:(\d{1,4})D)?")
_MONTHS_A_YEAR = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenData:
    """A decision of the recipient, as far as an attestation about it needs it."""

    decided_at: datetime
    released: bool
    """True if data were released; a yes or a refusal leaves nothing to erase."""
    attested: bool
    held: bool
    """True if a case holds the data as evidence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionDue:
    """Data that the recipient must erase, and by when."""

    disclosure_id: UUID
    decided_at: datetime
    erase_by: datetime


def erase_by(decided_at: datetime, term: str) -> datetime:
    """Return the first instant at which data may no longer be kept. Raises `ValueError`.

    `term` is in years, months and days (consent.xsd, Term), in the calendar of the Republic. A day
    that a month does not have is its last day.
    """
    found = _TERM.fullmatch(term)
    if found is None or not any(found.groups()):
        raise ValueError("a term of another form")
    years, months, days = (int(part or 0) for part in found.groups())
    local = decided_at.astimezone(BISHKEK)
    month = local.month - 1 + months + years * _MONTHS_A_YEAR
    year, month = local.year + month // _MONTHS_A_YEAR, month % _MONTHS_A_YEAR + 1
    if not is_usual_year(year):
        raise ValueError("a term that no calendar has")
    day = min(local.day, monthrange(year, month)[1])
    moment = local.replace(year=year, month=month, day=day) + timedelta(days=days)
    return moment.astimezone(UTC)


def judge_attestation(
    attested: Sequence[UUID],
    given: Mapping[UUID, GivenData],
    erased_on: date,
    *,
    at: datetime,
) -> tuple[Reason, ...]:
    """Return why an attestation cannot be recorded; empty if it can. All of it counts, or nothing.

    `given` are those of the decisions that are the recipient's own: what another recipient was
    given is unknown to this one (OVR-06).
    """
    if len(set(attested)) != len(attested) or not attested:
        return (Reason(code=Code.OVR_02, field="disclosureId"),)
    if not set(attested) <= set(given):
        return (Reason(code=Code.OVR_06, field="disclosureId"),)
    data = [given[each] for each in attested]
    causes = {
        Cause.NOTHING_RELEASED: any(not each.released for each in data),
        Cause.ALREADY_ATTESTED: any(each.attested for each in data),
        Cause.HELD_BY_CASE: any(each.held for each in data),
    }
    for cause, applies in causes.items():
        if applies:
            return (Reason(code=Code.OVR_02, field="disclosureId", cause=cause),)
    first = max(legal_day(each.decided_at) for each in data)
    if not first <= erased_on <= legal_day(at):
        return (Reason(code=Code.OVR_02, field="erasedOn"),)
    return ()
