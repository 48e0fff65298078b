"""What a recipient may contest, and which receipt proves something about its month (cl. 11)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from makul.domain.identifiers import MemberCode
from makul.domain.month_closing import (
    Contest,
    IssuedMonth,
    MonthState,
    OwnReceipt,
    judge_contest,
    judge_receipt,
)
from makul.domain.months import Month
from makul.domain.reasons import Code

BANK = MemberCode("COM/60000001")
OCTOBER = Month(2026, 10)
LINE, OTHER = UUID(int=1), UUID(int=2)
DEADLINE = datetime(2026, 11, 11, tzinfo=UTC)
RECEIPT = OwnReceipt(
    receipt_id=LINE, recipient=BANK, operation="GetPersonData", decided_at=OCTOBER.begins
)
ISSUED = IssuedMonth(
    recipient=BANK,
    month=OCTOBER,
    state=MonthState.ISSUED,
    head=bytes(32),
    content=bytes(32),
    issued_at=DEADLINE - timedelta(days=10),
    confirm_by=DEADLINE,
)


@pytest.mark.parametrize(
    ("receipt", "code"),
    [
        (RECEIPT, None),
        (replace(RECEIPT, decided_at=OCTOBER.ends - timedelta(microseconds=1)), None),
        (None, Code.OVR_03),
        (replace(RECEIPT, receipt_id=OTHER), Code.OVR_03),
        (replace(RECEIPT, recipient="COM/60000002"), Code.OVR_06),
        (replace(RECEIPT, decided_at=OCTOBER.ends), Code.OVR_06),
        (replace(RECEIPT, decided_at=OCTOBER.begins - timedelta(microseconds=1)), Code.OVR_06),
        (replace(RECEIPT, operation="ConfirmMonth"), Code.OVR_06),
    ],
)
def test_a_receipt_proves_something_about_its_own_month(
    receipt: OwnReceipt | None, code: Code | None
) -> None:
    """It is ours, of this id, recipient and month, and of a decision."""
    reasons = judge_receipt(LINE, receipt, BANK, OCTOBER)
    assert [each.code for each in reasons] == ([] if code is None else [code])


def contest(line: UUID = LINE, receipt: bytes | None = None) -> Contest:
    return Contest(disclosure_id=line, reason="not ours", receipt=receipt)


@pytest.mark.parametrize(
    ("contests", "known", "contested", "code"),
    [
        ([contest()], [LINE], [], None),
        ([contest()], [], [], Code.OVR_06),
        ([contest(receipt=b"r")], [], [], None),
        ([contest(receipt=b"r")], [LINE], [], None),
        ([contest(), contest(OTHER)], [LINE], [], Code.OVR_06),
        ([contest(), contest(OTHER, b"r")], [LINE], [], None),
        ([contest(), contest(receipt=b"r")], [LINE], [], Code.OVR_02),
        ([contest(), contest()], [LINE], [], Code.OVR_02),
        ([contest()], [LINE], [LINE], Code.OVR_02),
        ([contest(receipt=b"r")], [], [LINE], Code.OVR_02),
    ],
)
def test_a_line_is_known_and_contested_once(
    contests: list[Contest], known: list[UUID], contested: list[UUID], code: Code | None
) -> None:
    """A receipt needs no line. A decision is contested once, as a line or by its receipt."""
    reasons = judge_contest(ISSUED, contests, known, contested, at=DEADLINE)
    assert [each.code for each in reasons] == ([] if code is None else [code])


@pytest.mark.parametrize("receipt", [None, b"r"])
@pytest.mark.parametrize(
    ("issued", "at", "code"),
    [
        (None, DEADLINE, Code.OVR_06),
        (replace(ISSUED, state=MonthState.CONFIRMED), DEADLINE, Code.OVR_02),
        (replace(ISSUED, state=MonthState.SIGNED), DEADLINE, Code.OVR_02),
        (ISSUED, DEADLINE + timedelta(microseconds=1), Code.OVR_04),
    ],
)
def test_a_receipt_does_not_reopen_a_month(
    issued: IssuedMonth | None, at: datetime, code: Code, receipt: bytes | None
) -> None:
    """State and deadline hold for receipts too."""
    reasons = judge_contest(issued, [contest(receipt=receipt)], [LINE], [], at=at)
    assert [each.code for each in reasons] == [code]
