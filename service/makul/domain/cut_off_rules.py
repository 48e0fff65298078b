"""Rules for the stop of a recipient, its end, and the end of agreements (Procedure, cl. 12)."""

from dataclasses import dataclass

from makul.domain.agreements import Agreement, AgreementState
from makul.domain.officers import Officer, OfficerRole
from makul.domain.oversight_cases import CaseState
from makul.domain.reasons import Code, Reason
from makul.domain.recipients import Recipient, RecipientState


def judge_cut_off(recipient: Recipient | None) -> tuple[Reason, ...]:
    """Return why a recipient cannot be cut off; empty if it can.

    One officer of the authorised body is enough, because a wrong cut-off can be ended and a late
    one cannot be undone.
    """
    if recipient is None:
        return (Reason(code=Code.OVR_06, field="recipient"),)
    if recipient.state is RecipientState.CUT_OFF:
        return (Reason(code=Code.OVR_02, field="recipient"),)
    return ()


@dataclass(frozen=True, slots=True, kw_only=True)
class TerminationCase:
    """The facts by which the termination of an agreement is judged."""

    officer: Officer
    agreement: Agreement | None
    proposed_by: Officer | None = None
    """The officer who proposed this termination.

    None if nobody did, or if that officer has been withdrawn since.
    """


def judge_termination(case: TerminationCase) -> tuple[Reason, ...]:
    """Return why an officer may neither propose nor carry out a termination; empty if allowed.

    Two persons are necessary, because a termination cannot be undone. One person with two
    registrations counts once.
    """
    if case.agreement is None:
        return (Reason(code=Code.OVR_06, field="agreementNumber"),)
    if case.agreement.state is AgreementState.TERMINATED:
        return (Reason(code=Code.OVR_02, field="agreementNumber"),)
    if case.proposed_by is not None and case.proposed_by.is_same_person(case.officer):
        return (Reason(code=Code.OVR_05),)
    return ()


UNDECIDED_CASES = frozenset({CaseState.PROPOSED, CaseState.OPEN, CaseState.REFERRED})
"""The states of a case in which a body still examines whether data were obtained without consent.

A proposed case counts, because the authorised body can dismiss it with a reason. A referred case
counts until the body for the protection of personal data has acknowledged it.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReinstatementCase:
    """The facts by which the end of a complete stop is judged."""

    officer: Officer
    recipient: Recipient | None
    case_states: frozenset[CaseState] = frozenset()
    """The states of all cases about the recipient."""
    proposed_by: tuple[Officer, ...] = ()
    """The officers in office who proposed the end of the stop that lasts now."""


def judge_reinstatement(case: ReinstatementCase) -> tuple[Reason, ...]:
    """Return why an officer may neither propose nor carry out the end of a stop; empty if allowed.

    Two persons are necessary, one of them the head of the body, because a wrong end discloses data
    and cannot be undone. A stop does not end while a case about the recipient is undecided.
    """
    if case.recipient is None or not case.recipient.is_registered:
        return (Reason(code=Code.OVR_06, field="recipient"),)
    if case.recipient.state is not RecipientState.CUT_OFF:
        return (Reason(code=Code.OVR_02, field="recipient"),)
    if case.case_states & UNDECIDED_CASES:
        return (Reason(code=Code.OVR_02, field="case"),)
    return _judge_persons(case) if case.proposed_by else ()


def _judge_persons(case: ReinstatementCase) -> tuple[Reason, ...]:
    others = [each for each in case.proposed_by if not each.is_same_person(case.officer)]
    if not others:
        return (Reason(code=Code.OVR_05),)
    if not any(each.role is OfficerRole.BODY_HEAD for each in (case.officer, *others)):
        return (Reason(code=Code.OVR_01, field="head"),)
    return ()
