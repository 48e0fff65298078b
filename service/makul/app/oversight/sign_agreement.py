"""SignAgreement: the authorised body signs an agreement itself (Procedure, cl. 7)."""

from dataclasses import dataclass
from hashlib import sha256
from typing import ClassVar, Protocol

from makul.app.acts import ActRequest, OversightOperation, require_officer
from makul.app.agreements import signed_bytes
from makul.app.ports import AgreementSignature, DocumentError
from makul.app.ports.acts import ActDecision, ActFacts, Decide, refuse_act
from makul.domain.agreements import AgreementRole, AgreementState
from makul.domain.disclosures import Outcome
from makul.domain.identifiers import AgreementNumber, MemberCode
from makul.domain.officers import AUTHORISED_BODY, Officer
from makul.domain.reasons import Code
from makul.domain.signature_rules import (
    SIGNED_FIELD,
    SigningCase,
    differs,
    judge_signed_document,
    judge_signing,
    reason_of_signing,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementSigningRequest(ActRequest):
    """The signature of the authorised body under the draft of an agreement."""

    agreement_number: AgreementNumber
    document: bytes


class SigningRights(Protocol):
    """The rows of an agreement that waits for signatures, locked."""

    def signing_case(self, signature: AgreementSignature) -> SigningCase:
        """Return the rows by which a signature is judged."""

    def sign_agreement(self, signature: AgreementSignature) -> AgreementState:
        """Record a signature, and return the state of the agreement after it."""


class SignAgreement(OversightOperation[AgreementSigningRequest, SigningRights]):
    """Records the signature. The agreement is in force once all three parties have signed."""

    name = "SignAgreement"
    request: ClassVar[type[ActRequest]] = AgreementSigningRequest
    roles = AUTHORISED_BODY

    def target(self, request: AgreementSigningRequest) -> str:
        """Return the number of the agreement."""
        return request.agreement_number

    def recipient_to_lock(self, request: AgreementSigningRequest) -> MemberCode | None:
        """Return the recipient: no decision sees an agreement that is half concluded."""
        return self._services.register.agreement_owner(request.agreement_number)

    def prepare(self, request: AgreementSigningRequest, facts: ActFacts) -> Decide[SigningRights]:
        """Verify the signature, and then record it on the locked rows."""
        judged = self._read_signature(request, facts, require_officer(facts))
        if isinstance(judged, ActDecision):
            return lambda _: judged
        return lambda rights: _record(rights, judged)

    def _read_signature(
        self, request: AgreementSigningRequest, facts: ActFacts, officer: Officer
    ) -> AgreementSignature | ActDecision:
        """Return the signature under a draft of this number, or why it is none."""
        services = self._services
        verified = services.verifier.verify(request.document, at=facts.at)
        outcome, reasons = judge_signed_document(verified.proof, SIGNED_FIELD)
        signed, signer = verified.signed, verified.proof.signer
        if outcome is not Outcome.DONE or signed is None or signer is None:
            return ActDecision(outcome=outcome, reasons=tuple(reasons))
        try:
            draft = services.signed_documents.read_agreement(signed)
        except DocumentError as error:
            return refuse_act((differs(SIGNED_FIELD, because=error.reason.code),))
        if draft.terms.number != request.agreement_number:
            return refuse_act((differs(SIGNED_FIELD),))
        if draft.authorised_body.code != officer.member:
            return refuse_act((differs(SIGNED_FIELD, because=Code.SIG_08),))
        return AgreementSignature(
            number=request.agreement_number,
            terms_digest=services.signed_documents.content_digest(signed),
            role=AgreementRole.AUTHORISED_BODY,
            member=officer.member,
            signer=signer.fingerprint,
            signed=signed_bytes(request.document, verified),
        )


def _record(rights: SigningRights, signature: AgreementSignature) -> ActDecision:
    fault = judge_signing(rights.signing_case(signature))
    if fault is not None:
        return refuse_act((reason_of_signing(fault),))
    state = rights.sign_agreement(signature)
    return ActDecision(
        outcome=Outcome.DONE,
        results={"agreementState": state.value},
        stated={
            "signer": signature.signer.hex(),
            "draftDigest": signature.terms_digest.hex(),
            "documentDigest": sha256(signature.signed.document).hexdigest(),
        },
    )
