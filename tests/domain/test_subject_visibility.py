"""The time from which a subject sees a decision (Procedure, cl. 5.1)."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from makul.domain.disclosures import Operation, Outcome
from makul.domain.subject_visibility import (
    ALWAYS,
    NEVER,
    DecisionInView,
    Hiding,
    find_visible_from,
)

AT = datetime(2026, 12, 1, tzinfo=UTC)
LATER = AT + timedelta(days=30)
AT_MOST = timedelta(days=365)


def visible_from(hiding: Hiding | None, **changes: Any) -> datetime:
    facts: dict[str, Any] = {
        "operation": Operation.GET_PERSON_DATA,
        "outcome": Outcome.RELEASED,
        "codes": (),
        "ground_kind": "BASIS",
        "decided_at": AT,
        "may_hide": True,
    }
    return find_visible_from(DecisionInView(**facts | changes), hiding, hidden_at_most=AT_MOST)


REFUSED: dict[str, Any] = {"outcome": Outcome.REFUSED, "ground_kind": None}


@pytest.mark.parametrize(
    ("hiding", "changes", "expected"),
    [
        (Hiding(LATER), {}, LATER),
        (Hiding(None), {}, ALWAYS),
        (None, {}, NEVER),
        (Hiding(LATER), {"ground_kind": "CONSENT"}, ALWAYS),
        (None, {"ground_kind": "CONSENT"}, ALWAYS),
        (Hiding(LATER), {"outcome": Outcome.REFUSED, "codes": ("LAW-07",)}, LATER),
        (Hiding(LATER), {"outcome": Outcome.REFUSED, "codes": ("LAW-02",)}, LATER),
        (
            Hiding(LATER),
            {"outcome": Outcome.REFUSED, "codes": ("LAW-02",), "may_hide": False},
            ALWAYS,
        ),
        (Hiding(LATER), {"may_hide": False}, LATER),
        (None, REFUSED | {"codes": ("LAW-09",)}, AT + AT_MOST),
        (None, REFUSED | {"codes": ("RCP-02",)}, AT + AT_MOST),
        (None, REFUSED | {"codes": ("LAW-09",), "may_hide": False}, ALWAYS),
        (None, REFUSED | {"codes": ("CNS-01",)}, ALWAYS),
        (None, REFUSED | {"codes": ("AGR-04", "CNS-02")}, ALWAYS),
        (None, REFUSED | {"operation": Operation.REVOKE_CONSENT}, ALWAYS),
        (None, REFUSED | {"operation": Operation.REGISTER_CONSENT}, ALWAYS),
        (Hiding(LATER), {"operation": Operation.EXPLAIN_DECISION}, LATER),
    ],
)
def test_the_beginning_of_visibility(
    hiding: Hiding | None, changes: dict[str, Any], expected: datetime
) -> None:
    """What cannot be proved visible stays hidden, but a body without cl. 5.1 hides nothing."""
    assert visible_from(hiding, **changes) == expected
