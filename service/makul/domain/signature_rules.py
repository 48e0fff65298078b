"""Rules on signatures under agreements and under approvals of notices (Procedure, cl. 4 and 7).

The operator's command and the operation of the authorised body are judged by the same rules.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from makul.domain.agreements import AgreementRole, AgreementState
from makul.domain.disclosures import Outcome, Proof, ProofStatus
from makul.domain.identifiers import MemberCode
from makul.domain.reasons import Code, Reason

SIGNED_FIELD = "document"
"""The element of SignAgreement that carries the signed agreement."""

APPROVAL_FIELD = "approval"
"""The element of ApproveNotice that carries the signed approval."""


class SigningFault(StrEnum):
    """Why a party's valid signature under an agreement does not count."""

    UNKNOWN = "UNKNOWN"
    NOT_A_DRAFT = "NOT_A_DRAFT"
    TERM_OVER = "TERM_OVER"
    NOT_NEWEST = "NOT_NEWEST"
    OTHER_RECIPIENT = "OTHER_RECIPIENT"
    NOT_SIGNATORY = "NOT_SIGNATORY"
    SIGNED_BEFORE = "SIGNED_BEFORE"
    NO_COMPETENCE = "NO_COMPETENCE"


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementStanding:
    """An agreement that waits for signatures, as the register holds it."""

    recipient: MemberCode
    state: AgreementState
    valid_to: datetime
    newest_draft: bytes | None
    """SHA-256 of the newest draft."""
    lacks_competence: bool = False
    """True if the terms name no act of law for a purpose that needs one (cl. 3).

    An earlier release accepted such a draft.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningCase:
    """A verified signature under a draft, and the locked rows by which it is judged."""

    agreement: AgreementStanding | None
    role: AgreementRole
    member: MemberCode
    draft: bytes
    """SHA-256 of what was signed."""
    is_signatory: bool
    """True if the signer may sign for this member in this role now."""
    signed_before: bool
    at: datetime


def judge_signing(case: SigningCase) -> SigningFault | None:
    """Return why a signature does not count; None if it does (cl. 7)."""
    agreement = case.agreement
    if agreement is None:
        return SigningFault.UNKNOWN
    checks = (
        (SigningFault.NOT_A_DRAFT, agreement.state is AgreementState.DRAFT),
        (SigningFault.TERM_OVER, case.at < agreement.valid_to),
        (SigningFault.NOT_NEWEST, agreement.newest_draft == case.draft),
        (
            SigningFault.OTHER_RECIPIENT,
            case.role is not AgreementRole.RECIPIENT or case.member == agreement.recipient,
        ),
        (SigningFault.NOT_SIGNATORY, case.is_signatory),
        (SigningFault.SIGNED_BEFORE, not case.signed_before),
        (SigningFault.NO_COMPETENCE, not agreement.lacks_competence),
    )
    return next((fault for fault, passed in checks if not passed), None)


def is_concluded(roles_by_signer: Mapping[bytes, AgreementRole]) -> bool:
    """Return whether all three parties have signed; one certificate counts for one role (cl. 7)."""
    return frozenset(roles_by_signer.values()) == frozenset(AgreementRole)


class ApprovalFault(StrEnum):
    """Why a valid signature under an approval of a notice does not count."""

    UNKNOWN = "UNKNOWN"
    OTHER_TEXTS = "OTHER_TEXTS"
    APPROVED_BEFORE = "APPROVED_BEFORE"
    NOT_SIGNATORY = "NOT_SIGNATORY"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalCase:
    """A verified approval, and the locked rows of the notice by which it is judged."""

    registered: Mapping[str, bytes]
    """The digests of the registered texts, by language; empty for an unknown notice."""
    approved: Mapping[str, bytes]
    """The digests that the approval names."""
    approved_before: bool
    is_signatory: bool


def judge_approval(case: ApprovalCase) -> ApprovalFault | None:
    """Return why an approval does not count; None if it does (cl. 4)."""
    checks = (
        (ApprovalFault.UNKNOWN, bool(case.registered)),
        (ApprovalFault.OTHER_TEXTS, dict(case.registered) == dict(case.approved)),
        (ApprovalFault.APPROVED_BEFORE, not case.approved_before),
        (ApprovalFault.NOT_SIGNATORY, case.is_signatory),
    )
    return next((fault for fault, passed in checks if not passed), None)


def reason_of_signing(fault: SigningFault) -> Reason:
    """Return the reason that an act is refused with for a fault of a signature."""
    match fault:
        case SigningFault.UNKNOWN:
            return Reason(code=Code.OVR_06, field="agreementNumber")
        case SigningFault.NOT_A_DRAFT | SigningFault.SIGNED_BEFORE:
            return Reason(code=Code.OVR_02, field="agreementNumber")
        case SigningFault.NO_COMPETENCE:
            return Reason(code=Code.AGR_07, field="agreementNumber")
        case SigningFault.TERM_OVER:
            return Reason(code=Code.OVR_04, field="agreementNumber")
        case SigningFault.NOT_NEWEST:
            return differs(SIGNED_FIELD)
        case SigningFault.OTHER_RECIPIENT | SigningFault.NOT_SIGNATORY:
            return differs(SIGNED_FIELD, because=Code.SIG_08)


def reason_of_approval(fault: ApprovalFault) -> Reason:
    """Return the reason that an act is refused with for a fault of an approval."""
    match fault:
        case ApprovalFault.UNKNOWN:
            return Reason(code=Code.OVR_06, field="ref")
        case ApprovalFault.OTHER_TEXTS:
            return differs(APPROVAL_FIELD)
        case ApprovalFault.APPROVED_BEFORE:
            return Reason(code=Code.OVR_02, field="ref")
        case ApprovalFault.NOT_SIGNATORY:
            return differs(APPROVAL_FIELD, because=Code.SIG_08)


def judge_signed_document(proof: Proof, field: str) -> tuple[Outcome, Collection[Reason]]:
    """Return the outcome of an act whose document must be signed, by the document's proof."""
    if proof.status is ProofStatus.PASSED:
        return Outcome.DONE, ()
    undetermined = proof.status is ProofStatus.INDETERMINATE
    outcome = Outcome.UNDETERMINED if undetermined else Outcome.REFUSED
    return outcome, tuple(differs(field, because=code) for code in proof.reasons)


def differs(field: str, *, because: Code | None = None) -> Reason:
    """Return the reason that a signed document is not what the operator issued."""
    return Reason(code=Code.OVR_03, because=because, field=field)
