"""ApproveNotice: the authorised body approves the texts of a notice itself (Procedure, cl. 4)."""

from dataclasses import dataclass
from hashlib import sha256
from typing import ClassVar, Protocol

from makul.app.acts import ActRequest, OversightOperation, require_officer
from makul.app.agreements import signed_bytes
from makul.app.notices import SignedApproval
from makul.app.ports import DocumentError, NoticeApproval, SignedBytes
from makul.app.ports.acts import ActDecision, ActFacts, Decide, refuse_act
from makul.domain.disclosures import Outcome
from makul.domain.officers import AUTHORISED_BODY, Officer
from makul.domain.reasons import Code
from makul.domain.signature_rules import (
    APPROVAL_FIELD,
    ApprovalCase,
    differs,
    judge_approval,
    judge_signed_document,
    reason_of_approval,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRequest(ActRequest):
    """The signature of the authorised body under the approval of a notice."""

    ref: str
    approval: bytes


class ApprovalRights(Protocol):
    """The rows of a notice, locked."""

    def approval_case(self, approval: NoticeApproval, signer: bytes) -> ApprovalCase:
        """Return the rows by which an approval is judged."""

    def approve_notice(self, approval: NoticeApproval, signer: bytes, signed: SignedBytes) -> None:
        """Record an approval. From this commit on consents may cite the notice."""


class ApproveNotice(OversightOperation[ApprovalRequest, ApprovalRights]):
    """Records the approval of exactly the registered texts."""

    name = "ApproveNotice"
    request: ClassVar[type[ActRequest]] = ApprovalRequest
    roles = AUTHORISED_BODY

    def target(self, request: ApprovalRequest) -> str:
        """Return the number of the notice."""
        return request.ref

    def prepare(self, request: ApprovalRequest, facts: ActFacts) -> Decide[ApprovalRights]:
        """Verify the signature, and then record the approval on the locked rows."""
        services, officer = self._services, require_officer(facts)
        verified = services.verifier.verify(request.approval, at=facts.at)
        outcome, reasons = judge_signed_document(verified.proof, APPROVAL_FIELD)
        signed, signer = verified.signed, verified.proof.signer
        if outcome is not Outcome.DONE or signed is None or signer is None:
            return lambda _: ActDecision(outcome=outcome, reasons=tuple(reasons))
        try:
            approval = services.signed_documents.read_approval(signed)
        except DocumentError as error:
            refusal = refuse_act((differs(APPROVAL_FIELD, because=error.reason.code),))
            return lambda _: refusal
        judged = SignedApproval(
            approval=approval,
            signer=signer.fingerprint,
            signed=signed_bytes(request.approval, verified),
        )
        return lambda rights: _record(request, officer, rights, judged)


def _record(
    request: ApprovalRequest, officer: Officer, rights: ApprovalRights, judged: SignedApproval
) -> ActDecision:
    approval = judged.approval
    if approval.ref != request.ref:
        return refuse_act((differs(APPROVAL_FIELD),))
    if approval.authorised_body.code != officer.member:
        return refuse_act((differs(APPROVAL_FIELD, because=Code.SIG_08),))
    fault = judge_approval(rights.approval_case(approval, judged.signer))
    if fault is not None:
        return refuse_act((reason_of_approval(fault),))
    rights.approve_notice(approval, judged.signer, judged.signed)
    stated = {
        "signer": judged.signer.hex(),
        "documentDigest": sha256(judged.signed.document).hexdigest(),
    }
    return ActDecision(outcome=Outcome.DONE, stated=stated)
