"""On what ground? From the document presented to the ground the domain judges (cl. 4 and 5)."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime

from makul.app.ports import (
    DocumentError,
    Documents,
    DocumentVerifier,
    Evidence,
    Register,
    VerifiedDocument,
)
from makul.app.requests import Presented, PresentedBasis, PresentedConsent, RegisteredConsent
from makul.domain.bases import BasisStatement
from makul.domain.consents import Consent
from makul.domain.disclosures import (
    BasisGround,
    ConsentGround,
    Ground,
    GroundKind,
    GroundUse,
    Proof,
    ProofStatus,
    reference,
)
from makul.domain.identifiers import MemberCode
from makul.domain.reasons import Code

_ENDED = frozenset({Code.SIG_04, Code.SIG_05, Code.SIG_06})
"""What a good signature may come to later. That it existed before then, our own record proves
(ETSI EN 319 102-1, 5.5.4 and 5.6.2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """Verifies a presented document, then reads only what was verified."""

    verifier: DocumentVerifier
    documents: Documents
    register: Register

    def establish(
        self, presented: Presented, recipient: MemberCode, *, at: datetime
    ) -> tuple[Ground, tuple[Evidence, ...]]:
        """The ground and the evidence of how it was judged; a bad document is kept as well."""
        match presented:
            case PresentedConsent(document):
                return self._consent(document, recipient, at)
            case RegisteredConsent(consent_id):
                held = self.register.registered_consent(recipient, consent_id)
                if held is None:
                    return None, ()
                return self._consent(held.document, recipient, at, held_since=held.registered_at)
            case PresentedBasis(document):
                return self._basis(document, recipient, at)
        return None, ()

    def _consent(
        self,
        document: bytes,
        recipient: MemberCode,
        at: datetime,
        held_since: datetime | None = None,
    ) -> tuple[ConsentGround, tuple[Evidence, ...]]:
        digest = hashlib.sha256(document).digest()
        verified = self.verifier.verify(document, at=at)
        if held_since is not None and _ENDED.intersection(verified.proof.reasons):
            verified = self.verifier.verify(document, at=at, existed_at=held_since)
        proof, consent = verified.proof, None
        if verified.signed is not None:
            try:
                consent = self.documents.read_consent(verified.signed)
            except DocumentError as error:
                proof = _unreadable(proof, error)
        ground = ConsentGround(proof=proof, consent=consent, digest=digest)
        if consent is not None:
            ground = replace(
                ground,
                use=self._use(recipient, ground),
                notice_approved=self._notice_approved(consent),
            )
        return ground, (_evidence(GroundKind.CONSENT, digest, document, verified),)

    def _basis(
        self, document: bytes, recipient: MemberCode, at: datetime
    ) -> tuple[BasisGround, tuple[Evidence, ...]]:
        digest = hashlib.sha256(document).digest()
        verified = self.verifier.verify(document, at=at)
        proof, statement = verified.proof, None
        if verified.signed is not None:
            proof = self._by_official(proof, recipient)
            try:
                statement = self.documents.read_basis(verified.signed)
            except DocumentError as error:
                proof = _unreadable(proof, error)
        ground = BasisGround(proof=proof, statement=statement, digest=digest)
        if isinstance(statement, BasisStatement):
            ground = replace(ground, use=self._use(recipient, ground))
        return ground, (_evidence(GroundKind.BASIS, digest, document, verified),)

    def _use(self, recipient: MemberCode, ground: Ground) -> GroundUse:
        ref = reference(ground)
        return self.register.use(recipient, ref) if ref is not None else GroundUse()

    def _notice_approved(self, consent: Consent) -> bool:
        return self.register.notice_approved(consent.notice_ref, consent.notice_digest)

    def _by_official(self, proof: Proof, recipient: MemberCode) -> Proof:
        """Name the official of this very recipient to whom the signer's certificate belongs."""
        if proof.signer is None:
            return proof
        official = self.register.official(recipient, proof.signer.fingerprint)
        return replace(proof, signer=replace(proof.signer, official=official))


def _unreadable(proof: Proof, error: DocumentError) -> Proof:
    """A signature over a document that does not say what its kind must say proves nothing."""
    return replace(proof, status=ProofStatus.FAILED, reasons=(error.reason.code,))


def _evidence(
    kind: GroundKind, digest: bytes, document: bytes, verified: VerifiedDocument
) -> Evidence:
    return Evidence(digest=digest, kind=kind.value, document=document, report=verified.report)
