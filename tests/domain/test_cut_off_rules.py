"""The rules of a cut-off, of its end, and of the end of an agreement (Procedure, cl. 12)."""

from dataclasses import replace

import pytest

from makul.domain.agreements import Agreement, AgreementState
from makul.domain.cut_off_rules import (
    ReinstatementCase,
    TerminationCase,
    judge_cut_off,
    judge_reinstatement,
    judge_termination,
)
from makul.domain.officers import Officer, OfficerRole
from makul.domain.oversight_cases import CaseState
from makul.domain.reasons import Code, Reason
from makul.domain.recipients import RecipientState
from makul_testing.builders.oversight import an_officer
from makul_testing.builders.records import a_recipient, an_agreement

FIRST, SECOND = an_officer(1), an_officer(2)
HEAD = an_officer(3, OfficerRole.BODY_HEAD)
STOPPED = a_recipient(state=RecipientState.CUT_OFF)


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


@pytest.mark.parametrize(
    ("officer", "proposed_by", "reasons"),
    [
        (FIRST, (), []),
        (HEAD, (), []),
        (HEAD, (FIRST,), []),
        (FIRST, (HEAD,), []),
        (FIRST, (SECOND, HEAD), []),
        (FIRST, (FIRST, HEAD), []),
        (SECOND, (FIRST,), [(Code.OVR_01, "head")]),
        (FIRST, (FIRST,), [(Code.OVR_05, None)]),
        (HEAD, (HEAD,), [(Code.OVR_05, None)]),
        (HEAD, (replace(FIRST, identifier=HEAD.identifier),), [(Code.OVR_05, None)]),
        (replace(FIRST, key_digest=HEAD.key_digest), (HEAD,), [(Code.OVR_05, None)]),
    ],
)
def test_a_stop_is_ended_by_two_persons_of_whom_one_is_the_head(
    officer: Officer, proposed_by: tuple[Officer, ...], reasons: list[tuple[Code, str | None]]
) -> None:
    """The head alone does not suffice, and neither do two officers without the head."""
    case = ReinstatementCase(officer=officer, recipient=STOPPED, proposed_by=proposed_by)

    assert [(each.code, each.field) for each in judge_reinstatement(case)] == reasons


@pytest.mark.parametrize(
    "state", [RecipientState.ACTIVE, RecipientState.ON_HOLD, RecipientState.REMOVED, None]
)
def test_only_a_complete_stop_is_ended(state: RecipientState | None) -> None:
    """A hold is the operator's to release."""
    recipient = a_recipient(state=state) if state is not None else None
    case = ReinstatementCase(officer=HEAD, recipient=recipient, proposed_by=(FIRST,))

    registered = state in (RecipientState.ACTIVE, RecipientState.ON_HOLD)
    code = Code.OVR_02 if registered else Code.OVR_06
    assert judge_reinstatement(case) == (Reason(code=code, field="recipient"),)


@pytest.mark.parametrize("state", CaseState)
@pytest.mark.parametrize("proposed_by", [(), (FIRST,)])
def test_no_stop_ends_while_a_case_is_undecided(
    state: CaseState, proposed_by: tuple[Officer, ...]
) -> None:
    """Neither the proposal nor the second act. One undecided case among decided ones counts."""
    states = frozenset({CaseState.DISMISSED, state})
    case = ReinstatementCase(
        officer=HEAD, recipient=STOPPED, case_states=states, proposed_by=proposed_by
    )

    decided = state in (CaseState.DISMISSED, CaseState.ACKNOWLEDGED)
    expected = () if decided else (Reason(code=Code.OVR_02, field="case"),)
    assert judge_reinstatement(case) == expected
