"""Verify a presented document and build the ground that the domain judges (cl. 4 and 5)."""

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from makul.app.attachments import judge_attachments
from makul.app.ports import (
    DocumentError,
    Documents,
    DocumentVerifier,
    Evidence,
    Register,
    VerifiedDocument,
)
from makul.app.requests import Presented, PresentedBasis, PresentedConsent, RegisteredConsent
from makul.domain.consents import Consent
from makul.domain.disclosures import (
    HIDDEN_AT_MOST,
    BasisGround,
    ConsentGround,
    Ground,
    GroundKind,
    GroundUse,
    Proof,
    ProofStatus,
    consent_reference,
    reference,
)
from makul.domain.identifiers import MemberCode
from makul.domain.legal_bases import BasisStatement
from makul.domain.reasons import Code

_ENDED = frozenset({Code.SIG_04, Code.SIG_05, Code.SIG_06})
"""Failures that can occur after signing (expiry, revocation, weak algorithm).

If the operator registered the document earlier, the record proves that the signature predates them
(ETSI EN 319 102-1, 5.5.4 and 5.6.2).
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundVerifier:
    """Verifies a presented document, then reads only what was verified."""

    verifier: DocumentVerifier
    documents: Documents
    register: Register
    hidden_at_most: timedelta = HIDDEN_AT_MOST
    """The longest time for which a statement may be kept from its subject (cl. 5.1).

    The settings define it.
    """

    def verify_ground(
        self, presented: Presented, recipient: MemberCode, *, at: datetime
    ) -> tuple[Ground, tuple[Evidence, ...]]:
        """Return the ground and the evidence of how it was judged.

        A bad document is kept as well.
        """
        match presented:
            case PresentedConsent(document):
                return self._consent(document, recipient, at, presented)
            case RegisteredConsent(consent_id):
                registered = self.register.registered_consent(recipient, consent_id)
                if registered is None:
                    return None, ()
                return self._consent(
                    registered.document, recipient, at, held_since=registered.registered_at
                )
            case PresentedBasis(document):
                return self._basis(document, recipient, at)
        return None, ()

    def _consent(
        self,
        document: bytes,
        recipient: MemberCode,
        at: datetime,
        presented: PresentedConsent | None = None,
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
                proof = _unreadable_proof(proof, error)
        evidence = (_evidence(GroundKind.CONSENT, digest, document, verified),)
        if consent is None:
            return ConsentGround(proof=proof, consent=None, digest=digest), evidence
        use = self.register.use(recipient, consent_reference(consent, digest))
        registered = use.registered_at is not None
        attachments = judge_attachments(consent, presented, self.documents, registered=registered)
        ground = ConsentGround(
            proof=self._name_paper_official(consent, proof, recipient, use),
            consent=consent,
            digest=digest,
            use=use,
            scan_held=attachments.scan_held,
            authority_held=attachments.authority_held,
            notice_approved=self._notice_approved(consent),
        )
        return ground, evidence + attachments.evidence

    def _name_paper_official(
        self, consent: Consent, proof: Proof, recipient: MemberCode, use: GroundUse
    ) -> Proof:
        """Name the official who signed a consent on paper.

        The official counts if they were registered when the consent was registered.
        """
        if consent.paper is None:
            return proof
        return self._name_official(proof, recipient, as_of=use.registered_at)

    def _basis(
        self, document: bytes, recipient: MemberCode, at: datetime
    ) -> tuple[BasisGround, tuple[Evidence, ...]]:
        digest = hashlib.sha256(document).digest()
        verified = self.verifier.verify(document, at=at)
        proof, statement = verified.proof, None
        if verified.signed is not None:
            proof = self._name_official(proof, recipient)
            try:
                statement = self.documents.read_basis(verified.signed)
            except DocumentError as error:
                proof = _unreadable_proof(proof, error)
        ground = BasisGround(
            proof=proof, statement=statement, digest=digest, hidden_at_most=self.hidden_at_most
        )
        if isinstance(statement, BasisStatement):
            ground = replace(ground, use=self._read_use(recipient, ground))
        return ground, (_evidence(GroundKind.BASIS, digest, document, verified),)

    def _read_use(self, recipient: MemberCode, ground: Ground) -> GroundUse:
        ref = reference(ground)
        return self.register.use(recipient, ref) if ref is not None else GroundUse()

    def _notice_approved(self, consent: Consent) -> bool:
        return self.register.notice_approved(
            consent.notice_ref, consent.notice_digest, consent.language
        )

    def _name_official(
        self, proof: Proof, recipient: MemberCode, *, as_of: datetime | None = None
    ) -> Proof:
        """Name the official of this same recipient who owns the signer's certificate."""
        if proof.signer is None:
            return proof
        official = self.register.official(recipient, proof.signer.fingerprint, as_of=as_of)
        return replace(proof, signer=replace(proof.signer, official=official))


def _unreadable_proof(proof: Proof, error: DocumentError) -> Proof:
    """Return a failed proof, because a signature over an unreadable document proves nothing."""
    return replace(proof, status=ProofStatus.FAILED, reasons=(error.reason.code,))


def _evidence(
    kind: GroundKind, digest: bytes, document: bytes, verified: VerifiedDocument
) -> Evidence:
    return Evidence(digest=digest, kind=kind.value, document=document, report=verified.report)
