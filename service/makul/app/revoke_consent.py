"""RevokeConsent: revoke a consent on behalf of the person who gave it (cl. 4).

The revocation takes effect from the moment at which it is recorded.
"""

import hashlib
from dataclasses import dataclass, replace

from makul.app.intake import RequestIntake
from makul.app.ports import (
    Caller,
    ConsentRevocation,
    DocumentError,
    Documents,
    DocumentVerifier,
    Evidence,
    PendingDecision,
    Register,
    RevocationAcceptance,
    RevocationFacts,
    refuse_by_rulings,
)
from makul.app.recording import Recording
from makul.app.requests import RevocationRequest
from makul.domain.consent_revocations import Revocation, RevocationCase, judge_revocation
from makul.domain.disclosures import Proof, ProofStatus
from makul.domain.identifiers import MemberCode

EVIDENCE_KIND = "REVOCATION"


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeConsent:
    """Accepts a consent revocation from any known recipient, whether or not it is active."""

    reception: RequestIntake
    verifier: DocumentVerifier
    documents: Documents
    register: Register
    recording: Recording

    def __call__(self, revocation_request: RevocationRequest, caller: Caller) -> bytes:
        """Judge who signed the revocation and record it; the consent is revoked at commit."""
        received = self.reception.receive(revocation_request, caller, RevocationFacts)
        facts, snapshot = received.facts, received.snapshot
        if received.excess is not None:
            return self.recording.record_and_render(received.excess)
        if snapshot.known is not None:
            return self.recording.replay_or_refuse(facts, snapshot.known)
        verified = self.verifier.verify(revocation_request.document, at=facts.at)
        proof, revocation = verified.proof, None
        if verified.signed is not None:
            try:
                revocation = self.documents.read_revocation(verified.signed)
            except DocumentError as error:
                proof = replace(proof, status=ProofStatus.FAILED, reasons=(error.reason.code,))
        piece = Evidence(
            digest=hashlib.sha256(revocation_request.document).digest(),
            kind=EVIDENCE_KIND,
            document=revocation_request.document,
            report=verified.report,
        )
        return self.recording.record_and_render(self._judge(facts, revocation, proof, piece))

    def _judge(
        self, facts: RevocationFacts, revocation: Revocation | None, proof: Proof, piece: Evidence
    ) -> PendingDecision:
        facts = replace(facts, evidence=(piece,))
        rulings = judge_revocation(self._case(facts.caller.recipient, revocation, proof))
        if revocation is None or any(ruling.reasons for ruling in rulings):
            return refuse_by_rulings(facts, rulings)
        return RevocationAcceptance(
            facts=facts,
            revocation=ConsentRevocation(
                consent_id=revocation.consent_id, subject=revocation.subject, document=piece
            ),
        )

    def _case(
        self, recipient: MemberCode, revocation: Revocation | None, proof: Proof
    ) -> RevocationCase:
        if revocation is None:
            return RevocationCase(revocation=None, proof=proof, handed_in_by=recipient)
        consent_id = revocation.consent_id
        known = self.register.consent_status(recipient, consent_id)
        signer = proof.signer.pin if proof.signer is not None else None
        return RevocationCase(
            revocation=revocation,
            proof=proof,
            handed_in_by=recipient,
            consent_subject=known.subject if known is not None else None,
            signed_by_giver=signer is not None
            and self.register.given_by(recipient, consent_id, signer),
        )
