"""Deletions of data when their term ends (Procedure, cl. 15)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from makul.domain.causes import Cause
from makul.domain.deletions import GivenData, erase_by, judge_attestation
from makul.domain.reasons import Code, Reason
from makul_testing.builders.records import NOON

FIRST, SECOND = UUID(int=1), UUID(int=2)
GIVEN = GivenData(decided_at=NOON - timedelta(days=9), released=True, attested=False, held=False)
KNOWN = {FIRST: GIVEN, SECOND: GIVEN}
TODAY = NOON.date()


@pytest.mark.parametrize(
    ("decided_at", "term", "ends"),
    [
        (datetime(2026, 1, 31, 10, tzinfo=UTC), "P1M", datetime(2026, 2, 28, 10, tzinfo=UTC)),
        (datetime(2024, 2, 29, 10, tzinfo=UTC), "P1Y", datetime(2025, 2, 28, 10, tzinfo=UTC)),
        (datetime(2026, 11, 1, 10, tzinfo=UTC), "P1Y6M", datetime(2028, 5, 1, 10, tzinfo=UTC)),
        (datetime(2026, 11, 1, 10, tzinfo=UTC), "P90D", datetime(2027, 1, 30, 10, tzinfo=UTC)),
        (datetime(2026, 11, 1, 10, tzinfo=UTC), "P0D", datetime(2026, 11, 1, 10, tzinfo=UTC)),
        # in Bishkek it is the last of the month already
        (datetime(2026, 1, 30, 20, tzinfo=UTC), "P1M", datetime(2026, 2, 27, 20, tzinfo=UTC)),
    ],
)
def test_a_term_is_of_the_calendar_of_the_republic(
    decided_at: datetime, term: str, ends: datetime
) -> None:
    """Procedure, cl. 15: data are kept no longer than the subject consented to."""
    assert erase_by(decided_at, term) == ends


@pytest.mark.parametrize("term", ["", "P", "1Y", "P1W", "PT1H", "P-1D", "P1Y ", "P999Y999M9999D9"])
def test_another_form_is_no_term(term: str) -> None:
    """A term that cannot be read ends never by itself."""
    with pytest.raises(ValueError, match="term"):
        erase_by(NOON, term)


def test_the_longest_term_has_an_end() -> None:
    """The largest values of the schema stay within the calendar."""
    assert erase_by(NOON, "P999Y999M9999D").year > 3000


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        ({"released": False}, Cause.NOTHING_RELEASED),
        ({"attested": True}, Cause.ALREADY_ATTESTED),
        ({"held": True}, Cause.HELD_BY_CASE),
    ],
)
def test_what_cannot_be_attested(changes: dict[str, bool], cause: Cause) -> None:
    """Procedure, cl. 15 and 12: nothing to erase, erased already, or evidence of an open case."""
    known = {**KNOWN, SECOND: replace(GIVEN, **changes)}  # type: ignore[arg-type]

    (reason,) = judge_attestation([FIRST, SECOND], known, TODAY, at=NOON)

    assert (reason.code, reason.field, reason.cause) == (Code.OVR_02, "disclosureId", cause)
    assert judge_attestation([FIRST], known, TODAY, at=NOON) == ()


def test_data_of_another_are_unknown() -> None:
    """The answer to a decision of another recipient is that to an unknown id."""
    refused = (Reason(code=Code.OVR_06, field="disclosureId"),)

    assert judge_attestation([FIRST, UUID(int=9)], KNOWN, TODAY, at=NOON) == refused


@pytest.mark.parametrize("attested", [[], [FIRST, FIRST]])
def test_each_decision_is_attested_once(attested: list[UUID]) -> None:
    """No decision, or one twice, is no attestation."""
    refused = (Reason(code=Code.OVR_02, field="disclosureId"),)

    assert judge_attestation(attested, KNOWN, TODAY, at=NOON) == refused


@pytest.mark.parametrize("days", [1, -10])
def test_an_erasure_is_after_the_decision_and_not_in_the_future(days: int) -> None:
    """OVR-02: what was not given yet was not erased, and what is planned is not done."""
    refused = (Reason(code=Code.OVR_02, field="erasedOn"),)

    assert judge_attestation([FIRST], KNOWN, TODAY + timedelta(days=days), at=NOON) == refused
