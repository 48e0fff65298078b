"""Builders of monthly statements for tests. Everybody in them is invented."""

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from makul.app.monthly_statements import StatementRequest
from makul.app.ports import MonthDecision, RecordedMonth
from makul.documents import render_consent
from makul.domain.consents import Consent
from makul.domain.disclosures import Outcome
from makul.domain.monthly_statements import GroundRecord, RecordedDecision
from makul.domain.months import Month
from makul_testing.builders.documents import CONSENT, CONSENT_DISPLAY
from makul_testing.builders.records import (
    AGREEMENT_NUMBER,
    AZAMAT,
    BANK,
    NOON,
    PURPOSE,
    a_recipient,
    an_agreement,
)

OCTOBER = Month(2026, 10)
IN_OCTOBER = NOON - timedelta(days=20)
AGREED_AT = IN_OCTOBER - timedelta(days=50)
"""Before the decisions of October, so that its terms are those that were in force."""


def a_consent_document(**changes: Any) -> bytes:
    """Azamat's consent for the bank under its agreement, valid around `IN_OCTOBER`."""
    consent: Consent = replace(
        CONSENT,
        subject=AZAMAT,
        recipient=BANK,
        agreement_number=AGREEMENT_NUMBER,
        purpose=PURPOSE,
        given_at=IN_OCTOBER - timedelta(days=1),
        valid_from=IN_OCTOBER - timedelta(days=1),
        valid_to=IN_OCTOBER + timedelta(days=30),
    )
    return render_consent(replace(consent, **changes), CONSENT_DISPLAY)


def month_decisions(count: int, **changes: Any) -> Iterator[MonthDecision]:
    """Yield releases by consent, each a second after the one before."""
    for number in range(count):
        decision = RecordedDecision(
            disclosure_id=UUID(int=number + 1),
            recipient=BANK,
            decided_at=OCTOBER.begins + timedelta(seconds=number),
            request_id=UUID(int=number + 2**64),
            operation="GetPersonData",
            outcome=Outcome.RELEASED,
            codes=(),
            attributes=("givenName", "surname"),
            purpose=PURPOSE,
            agreement_number=AGREEMENT_NUMBER,
            ground_kind="CONSENT",
            ground_digest=b"d" * 32,
            receipt_digest=b"r" * 32,
        )
        yield MonthDecision(
            decision=replace(decision, **changes),
            leaf_index=number,
            ground=GroundRecord(digest=b"d" * 32, revoked_at=None, uses_before=0, allowed=1),
            document=None,
            is_about=lambda subject: subject == AZAMAT,
        )


def a_recorded_month(count: int, **changes: Any) -> RecordedMonth:
    """A month of the bank with that many releases."""
    return RecordedMonth(
        subjects=count,
        repetitions=3,
        decisions=month_decisions(count, **changes),
        agreements_changed_at=defaultdict(lambda: AGREED_AT),
        agreement_versions={},
        answers={},
        read_at=BUILT_AT,
    )


def a_statement_request(**changes: Any) -> StatementRequest:
    """The bank's October, on a log that has all its decisions."""
    request = StatementRequest(
        month=OCTOBER,
        recipient=a_recipient(),
        agreements=(an_agreement(),),
        draft=False,
        checkpoint=b"log\n1\nroot\n",
        tree_size=10**9,
    )
    return replace(request, **changes)


BUILT_AT: datetime = OCTOBER.ends + timedelta(hours=3)
