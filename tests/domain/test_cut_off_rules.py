"""The rules of a cut-off and of the end of an agreement (Procedure, cl. 12)."""

from dataclasses import replace

import pytest

from makul.domain.agreements import Agreement, AgreementState
from makul.domain.cut_off_rules import TerminationCase, judge_cut_off, judge_termination
from makul.domain.officers import Officer
from makul.domain.reasons import Code, Reason
from makul.domain.recipients import RecipientState
from makul_testing.builders.oversight import an_officer
from makul_testing.builders.records import a_recipient, an_agreement

FIRST, SECOND = an_officer(1), an_officer(2)


@pytest.mark.parametrize("state", [RecipientState.ACTIVE, RecipientState.ON_HOLD])
def test_a_recipient_in_any_other_state_can_be_cut_off(state: RecipientState) -> None:
    """The operator's hold is no protection from the authorised body."""
    assert judge_cut_off(a_recipient(state=state)) == ()


def test_what_cannot_be_cut_off() -> None:
    """OVR-06 for an unknown recipient, OVR-02 for one that is cut off already."""
    stopped = a_recipient(state=RecipientState.CUT_OFF)

    assert judge_cut_off(None) == (Reason(code=Code.OVR_06, field="recipient"),)
    assert judge_cut_off(stopped) == (Reason(code=Code.OVR_02, field="recipient"),)


@pytest.mark.parametrize(
    ("agreement", "proposed_by", "codes"),
    [
        (None, None, [Code.OVR_06]),
        (None, SECOND, [Code.OVR_06]),
        (an_agreement(state=AgreementState.TERMINATED), SECOND, [Code.OVR_02]),
        (an_agreement(state=AgreementState.DRAFT), None, []),
        (an_agreement(), None, []),
        (an_agreement(), SECOND, []),
        (an_agreement(), FIRST, [Code.OVR_05]),
        (an_agreement(), replace(SECOND, identifier=FIRST.identifier), [Code.OVR_05]),
        (an_agreement(), replace(SECOND, key_digest=FIRST.key_digest), [Code.OVR_05]),
        (an_agreement(), replace(SECOND, name=FIRST.name), []),
    ],
)
def test_a_termination_needs_two_persons(
    agreement: Agreement | None, proposed_by: Officer | None, codes: list[Code]
) -> None:
    """One person with two registrations, by identifier or by key, counts once."""
    case = TerminationCase(officer=FIRST, agreement=agreement, proposed_by=proposed_by)

    assert [reason.code for reason in judge_termination(case)] == codes
