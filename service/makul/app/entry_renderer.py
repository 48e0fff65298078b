"""Render a decision: payload digest, leaf, answer and signed receipt, in that order."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from uuid import UUID

from makul.app.decision_statement import state_decision
from makul.app.ports import (
    Answer,
    ConsentAcceptance,
    DeliveryEncryptor,
    DisclosureFacts,
    Documents,
    DryRunFacts,
    Entry,
    Leaf,
    Match,
    NoMatch,
    PendingDecision,
    PersonDelivery,
    Receipt,
    ReceiptSigner,
    Release,
    RevocationAcceptance,
)
from makul.domain.identifiers import MemberCode
from makul.ledger.leaf import commit

KEEP_ANSWERS = timedelta(hours=24)
"""The time for which a retry gets the stored answer.

Afterwards the answer is deleted and the id stays closed.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Payload:
    """The payload of a release, with the salt of its digest."""

    release: Release
    salt: bytes

    @property
    def digest(self) -> bytes:
        """The salted digest, by which the receipt names the payload."""
        return hashlib.sha256(self.salt + self.release.payload).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryRenderer:
    """Renders decisions as entries of the record."""

    documents: Documents
    signer: ReceiptSigner
    encryptor: DeliveryEncryptor
    operator: MemberCode
    new_id: Callable[[], UUID]
    new_salt: Callable[[], bytes]

    def render(self, decision: PendingDecision) -> Entry:
        """Return a decision with its answer, receipt and leaf; nothing is recorded yet."""
        facts, disclosure_id = decision.facts, self.new_id()
        keep_answer_until = facts.at + KEEP_ANSWERS
        payload = None
        if isinstance(decision, Release):
            payload = _Payload(release=decision, salt=self.new_salt())
        payload_digest = payload.digest if payload is not None else None
        salt = self.new_salt()
        statement = state_decision(
            decision,
            disclosure_id,
            payload_digest=payload_digest,
            keep_answer_until=keep_answer_until,
        )
        leaf = Leaf(salt=salt, statement=statement, hash=commit(salt, statement))
        answer = self.documents.answer(self._answer(decision, disclosure_id, payload))
        unsigned = self._receipt(
            decision,
            disclosure_id,
            payload_digest=payload_digest,
            answer_digest=answer.digest,
            leaf_hash=leaf.hash,
        )
        receipt = self.signer.sign(self.documents.receipt(unsigned), at=facts.at)
        return Entry(
            disclosure_id=disclosure_id,
            decision=decision,
            leaf=leaf,
            receipt=receipt,
            answer=answer.with_receipt(receipt),
            keep_answer_until=keep_answer_until,
        )

    def _answer(
        self, decision: PendingDecision, disclosure_id: UUID, payload: _Payload | None
    ) -> Answer:
        facts = decision.facts
        answer = Answer(
            operation=facts.operation,
            request_id=facts.request_id,
            outcome=decision.outcome,
            reasons=decision.reasons,
            disclosure_id=disclosure_id,
            decided_at=facts.at,
            rulings=facts.rulings if isinstance(facts, DryRunFacts) else (),
            corrections=facts.corrections if isinstance(facts, DisclosureFacts) else (),
        )
        if payload is not None:
            answer = self._add_payload(answer, payload)
        match decision:
            case Release() | Match() | NoMatch():
                return replace(answer, matches=decision.matches)
            case ConsentAcceptance():
                return replace(answer, consent=decision.status)
            case RevocationAcceptance():
                return replace(answer, revoked=decision.revocation.consent_id)
        return answer

    def _add_payload(self, answer: Answer, payload: _Payload) -> Answer:
        """Add the payload to an answer; encrypted if the release names a certificate.

        The encrypted form is the payload bound to request and recipient, signed, then encrypted, in
        that order. The signature is inside the encryption and proves to the recipient what it was
        given. A recipient that decrypts it cannot pass it on as meant for another, because it names
        its recipient.
        """
        release = payload.release
        if release.encrypt_to is None:
            return replace(answer, payload=release.payload, payload_salt=payload.salt)
        delivery = self.documents.delivery(
            PersonDelivery(
                request_id=answer.request_id,
                disclosure_id=answer.disclosure_id,
                recipient=release.facts.caller.recipient,
                operator=self.operator,
                decided_at=answer.decided_at,
                person=release.payload,
                payload_salt=payload.salt,
            )
        )
        signed = self.signer.sign(delivery, at=answer.decided_at)
        return replace(answer, sealed=self.encryptor.encrypt(signed, release.encrypt_to))

    def _receipt(
        self,
        decision: PendingDecision,
        disclosure_id: UUID,
        *,
        payload_digest: bytes | None,
        answer_digest: bytes,
        leaf_hash: bytes,
    ) -> Receipt:
        facts = decision.facts
        return Receipt(
            receipt_id=disclosure_id,
            request_id=facts.request_id,
            request_digest=facts.request_digest,
            operation=facts.operation,
            recipient=facts.caller.recipient,
            agreement_number=facts.agreement_number,
            outcome=decision.outcome,
            reasons=decision.reasons,
            released=decision.released if isinstance(decision, Release) else frozenset(),
            payload_digest=payload_digest,
            answer_digest=answer_digest,
            ground=decision.ground,
            decided_at=facts.at,
            leaf_hash=leaf_hash,
            operator=self.operator,
        )
