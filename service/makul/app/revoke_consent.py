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
    Register,
    Space,
)
from makul.app.recording import PendingDecision, Recording
from makul.app.requests import RevocationRequest
from makul.domain.consent_revocations import Revocation, RevocationCase, judge_revocation
from makul.domain.disclosures import Operation, Outcome, Proof, ProofStatus
from makul.domain.rules import Verdict

EVIDENCE_KIND = "REVOCATION"


@dataclass(frozen=True, slots=True, kw_only=True)
class RevokeConsent:
    """Accepts a consent revocation from any known recipient, whether or not it is active."""

    reception: RequestIntake
    verifier: DocumentVerifier
    documents: Documents
    register: Register
    recording: Recording

    def __call__(self, asked: RevocationRequest, caller: Caller) -> bytes:
        """Judge who signed the revocation and record it; the consent is revoked at commit."""
        received = self.reception.receive(
            asked, caller, space=Space.REVOCATION, operation=Operation.REVOKE_CONSENT
        )
        draft, standing = received.draft, received.standing
        if received.excess is not None:
            return self.recording.record_and_render(draft.refused((received.excess,)))
        if standing.known is not None:
            return self.recording.replay_or_refuse(draft, standing.known)
        digest = hashlib.sha256(asked.document).digest()
        verified = self.verifier.verify(asked.document, at=draft.at)
        proof, revocation = verified.proof, None
        if verified.signed is not None:
            try:
                revocation = self.documents.read_revocation(verified.signed)
            except DocumentError as error:
                proof = replace(proof, status=ProofStatus.FAILED, reasons=(error.reason.code,))
        piece = Evidence(
            digest=digest, kind=EVIDENCE_KIND, document=asked.document, report=verified.report
        )
        draft = replace(draft, evidence=(piece,))
        return self.recording.record_and_render(self._judge(draft, revocation, proof, digest))

    def _judge(
        self, draft: PendingDecision, revocation: Revocation | None, proof: Proof, digest: bytes
    ) -> PendingDecision:
        rulings = judge_revocation(self._case(draft, revocation, proof))
        reasons = tuple(reason for ruling in rulings for reason in ruling.reasons)
        if revocation is None or reasons:
            failed = any(ruling.verdict is Verdict.FAILED for ruling in rulings)
            outcome = Outcome.REFUSED if failed else Outcome.UNDETERMINED
            return replace(draft, outcome=outcome, reasons=reasons)
        return replace(
            draft,
            outcome=Outcome.ACCEPTED,
            subject=revocation.subject,
            revokes=ConsentRevocation(
                consent_id=revocation.consent_id, subject=revocation.subject, document=digest
            ),
        )

    def _case(
        self, draft: PendingDecision, revocation: Revocation | None, proof: Proof
    ) -> RevocationCase:
        recipient = draft.key.recipient
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
