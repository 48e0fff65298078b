"""Builders of verified statements for reports. Everybody in them is invented."""

import calendar
from collections.abc import Mapping
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from makul.domain.identifiers import MemberCode
from makul.domain.monthly_statements import (
    ExceptionFact,
    ExceptionKind,
    LineException,
    MonthlyStatement,
    StatementTotals,
)
from makul.domain.months import Month
from makul.domain.report_tables import ListedException, VerifiedStatement
from makul.domain.sample_answers import AnswerList, AnswerState
from makul_testing.builders.months import OCTOBER
from makul_testing.builders.records import BANK

SEPTEMBER = Month(2026, 9)

CHECKPOINT = b"ledger.example/makul\n123456\n" + b"A" * 43 + b"=\n\n\xe2\x80\x94 x AAAAAAAA\n"

COUNTS: Mapping[str, Mapping[str, int]] = {
    "operations": {"GetPersonData": 700, "VerifyPerson": 300},
    "outcomes": {"RELEASED": 600, "MATCHED": 250, "REFUSED": 147, "UNDETERMINED": 3},
    "grounds": {"CONSENT": 986, "BASIS": 4, "none": 10},
    "purposes": {"ACCOUNT_OPENING": 900, "LOAN": 60, "SCORING": 38, "other": 2},
    "attributes": {"surname": 600, "givenName": 580, "faceImage": 2},
    "refusals": {"CNS-04": 140, "OPS-01": 3, "MAT-01": 7},
    "exceptions": {"NO_GROUND": 1, "PAPER_TO_INSPECT": 30},
}
"""The totals of a month of 1000 decisions, 850 of them disclosures."""


def a_verified_statement(**changes: Any) -> VerifiedStatement:
    """A statement of the bank's October with the numbers of `COUNTS`, and changes of any field."""
    month: Month = changes.get("month", OCTOBER)
    recipient = MemberCode(changes.get("recipient", BANK))
    counts = {name: changes.get(name, COUNTS[name]) for name in COUNTS}
    days: Mapping[str, int] = changes.get("days", _days(month))
    outcomes = counts["outcomes"]
    statement = MonthlyStatement(
        month=month,
        draft=changes.get("draft", False),
        operator=MemberCode(changes.get("operator", "GOV/70000001")),
        recipient=recipient,
        recipient_name=changes.get("name", "Үлгү банк"),
        agreements=("2026/118", "2026/119"),
        built_at=month.ends + timedelta(hours=3),
        checkpoint=changes.get("checkpoint", CHECKPOINT),
        totals=StatementTotals(
            lines=sum(outcomes.values()),
            disclosures=outcomes.get("RELEASED", 0) + outcomes.get("MATCHED", 0),
            subjects=changes.get("subjects", 500),
            repetitions=changes.get("repetitions", 41),
            days=tuple(sorted(days.items())),
            **{name: tuple(sorted(found.items())) for name, found in counts.items()},
        ),
        exceptions=(),
        pages=(),
    )
    return VerifiedStatement(
        statement=statement,
        digest=sha256(repr(statement).encode()).digest(),
        listed=changes.get("listed", tuple(a_listed_exception(number) for number in range(3))),
    )


def _days(month: Month) -> dict[str, int]:
    """Return 1000 decisions by day; the first days have few."""
    last = calendar.monthrange(month.year, month.number)[1]
    days = {f"{month}-{day:02d}": 40 for day in range(3, 27)}
    days |= {f"{month}-01": 3, f"{month}-02": 0}
    days[f"{month}-{last}"] = 1000 - sum(days.values())
    return days


def a_listed_exception(number: int, **changes: Any) -> ListedException:
    """A release by a consent on paper."""
    return ListedException(
        recipient=MemberCode(BANK),
        disclosure_id=UUID(int=number + 1),
        request_id=UUID(int=2**100 + number),
        decided_at=OCTOBER.begins + timedelta(hours=number),
        operation="GetPersonData",
        outcome="RELEASED",
        found=changes.get(
            "found",
            LineException(kind=ExceptionKind.PAPER_TO_INSPECT, fact=ExceptionFact.CONSENT_ON_PAPER),
        ),
    )


def answers_of_a_sample(*, yes: int = 0, no: int = 0, silent: int = 0) -> AnswerList:
    """Build a list of so many answers of each kind."""
    kinds = {AnswerState.YES: yes, AnswerState.NO: no, AnswerState.SILENT: silent}
    states = [state for state, count in kinds.items() for _ in range(count)]
    answers = {UUID(int=number): state for number, state in enumerate(states)}
    return AnswerList(digest=sha256(repr(kinds).encode()).digest(), answers=answers)
