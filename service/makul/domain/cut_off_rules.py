"""Rules for the cut-off of a recipient and the end of its agreements (Procedure, cl. 12)."""

from dataclasses import dataclass

from makul.domain.agreements import Agreement, AgreementState
from makul.domain.officers import Officer
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
