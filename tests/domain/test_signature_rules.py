"""Which signatures under agreements and notices count (cl. 4, 7)."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from makul.domain.agreements import AgreementRole, AgreementState
from makul.domain.identifiers import MemberCode
from makul.domain.signature_rules import (
    AgreementStanding,
    ApprovalCase,
    ApprovalFault,
    SigningCase,
    SigningFault,
    is_concluded,
    judge_approval,
    judge_signing,
    reason_of_approval,
    reason_of_signing,
)

NOON = datetime(2026, 11, 2, 12, tzinfo=UTC)
BANK, BODY = MemberCode("COM/60000001"), MemberCode("GOV/70000009")
STANDING = AgreementStanding(
    recipient=BANK,
    state=AgreementState.DRAFT,
    valid_to=NOON + timedelta(days=1),
    newest_draft=b"d",
)
GOOD = SigningCase(
    agreement=STANDING,
    role=AgreementRole.AUTHORISED_BODY,
    member=BODY,
    draft=b"d",
    is_signatory=True,
    signed_before=False,
    at=NOON,
)
TEXTS = {"ky": b"1", "ru": b"2", "en": b"3"}
APPROVAL = ApprovalCase(
    registered=TEXTS, approved=dict(TEXTS), approved_before=False, is_signatory=True
)


def test_the_newest_draft_is_signed_by_a_signatory() -> None:
    """One changed fact is one fault."""
    assert judge_signing(GOOD) is None
    terminated = replace(STANDING, state=AgreementState.TERMINATED)
    for changed, fault in (
        (replace(GOOD, agreement=None), SigningFault.UNKNOWN),
        (replace(GOOD, agreement=terminated), SigningFault.NOT_A_DRAFT),
        (replace(GOOD, at=STANDING.valid_to), SigningFault.TERM_OVER),
        (replace(GOOD, draft=b"older"), SigningFault.NOT_NEWEST),
        (replace(GOOD, role=AgreementRole.RECIPIENT), SigningFault.OTHER_RECIPIENT),
        (replace(GOOD, is_signatory=False), SigningFault.NOT_SIGNATORY),
        (replace(GOOD, signed_before=True), SigningFault.SIGNED_BEFORE),
        (
            replace(GOOD, agreement=replace(STANDING, lacks_competence=True)),
            SigningFault.NO_COMPETENCE,
        ),
    ):
        assert judge_signing(changed) is fault


def test_three_roles_by_three_signers_conclude() -> None:
    """One certificate counts for one role, so it cannot conclude alone."""
    roles = list(AgreementRole)
    assert is_concluded({bytes([number]): role for number, role in enumerate(roles)})
    assert not is_concluded({bytes([number]): role for number, role in enumerate(roles[:2])})
    assert not is_concluded(dict.fromkeys((b"1",), roles[2]))


def test_exactly_the_registered_texts_are_approved_once() -> None:
    """A missing language is another text."""
    assert judge_approval(APPROVAL) is None
    for changed, fault in (
        (replace(APPROVAL, registered={}), ApprovalFault.UNKNOWN),
        (replace(APPROVAL, approved={"ky": b"1", "ru": b"2"}), ApprovalFault.OTHER_TEXTS),
        (replace(APPROVAL, approved_before=True), ApprovalFault.APPROVED_BEFORE),
        (replace(APPROVAL, is_signatory=False), ApprovalFault.NOT_SIGNATORY),
    ):
        assert judge_approval(changed) is fault


@pytest.mark.parametrize("fault", [*SigningFault, *ApprovalFault])
def test_every_fault_has_a_reason(fault: SigningFault | ApprovalFault) -> None:
    """A fault of an act is never answered without a code."""
    of = reason_of_signing if isinstance(fault, SigningFault) else reason_of_approval
    assert of(fault).code.value.startswith(("OVR-", "AGR-07"))  # type: ignore[operator]
