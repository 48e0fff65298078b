"""Last steps of every decision: render it, record it, and only then return the answer.

A decision is rendered first (payload, leaf, receipt, answer) and then recorded in one transaction.
Its bytes are returned only after the commit (docs/architecture.md, invariant 1). If the transaction
finds a change that forbids the decision, the rendered bytes are discarded and a refusal is recorded
instead.
"""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from makul.app.effects import state_effects
from makul.app.ports import (
    Answer,
    Caller,
    Committed,
    Conflict,
    ConsentRevocation,
    ConsentStatus,
    DeliverySealer,
    Documents,
    Entry,
    Evidence,
    KnownRequest,
    Leaf,
    PaperUse,
    PersonDelivery,
    Receipt,
    ReceiptSigner,
    Recorder,
    RejectedError,
    Replay,
    RequestKey,
)
from makul.domain.agreements import Agreement
from makul.domain.attributes import Attribute
from makul.domain.decision import Conclusion
from makul.domain.disclosures import TELLS_OF_A_PERSON, GroundRef, Operation, Outcome
from makul.domain.identifiers import AgreementNumber, MemberCode, Pin, PurposeCode
from makul.domain.match_attempts import AttemptLimits
from makul.domain.matches import MethodVerdict
from makul.domain.reasons import Code, Reason, leaves_open
from makul.domain.rules import Ruling
from makul.domain.usage import DEFAULT_LIMITS, Usage, UsageLimits, find_excess
from makul.ledger.leaf import commit
from makul.ledger.leaf_statement import write_statement

ATTEMPTS_TO_RECORD = 3
"""The decision, a refusal if it was overtaken, and one more refusal if that was overtaken too."""

KEEP_ANSWERS = timedelta(hours=24)
"""The time for which a retry gets the stored answer.

Afterwards the answer is deleted and the id stays closed.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingDecision:
    """A decision that is about to be rendered and recorded."""

    key: RequestKey
    caller: Caller
    operation: Operation
    agreement_number: AgreementNumber | None
    outcome: Outcome
    at: datetime
    reasons: tuple[Reason, ...] = ()
    purpose: PurposeCode | None = None
    subject: Pin | None = None
    ground: GroundRef | None = None
    evidence: tuple[Evidence, ...] = ()
    released: frozenset[Attribute] = frozenset()
    payload: bytes | None = None
    seal_to: bytes | None = None
    """The certificate (DER) to which the payload is encrypted; None for an unencrypted payload."""
    matches: tuple[MethodVerdict, ...] = ()
    rulings: tuple[Ruling, ...] = ()
    consent: ConsentStatus | None = None
    misuses_key: bool = False
    """True if the refusal is about the request id itself (REQ-04) or replaces a replay.

    No request key is then kept.
    """
    terms: Agreement | None = None
    meter: bool = False
    daily_quota: int | None = None
    attempt_limits: AttemptLimits | None = None
    failed_attempt: bool = False
    register_consent: bool = False
    paper: PaperUse | None = None
    revokes: ConsentRevocation | None = None
    official: bytes | None = None
    """SHA-256 of the certificate of the official who signed the basis statement."""

    def refused(
        self, reasons: tuple[Reason, ...], *, outcome: Outcome = Outcome.REFUSED
    ) -> "PendingDecision":
        """Return a copy of this decision as a refusal, without personal data and side effects.

        `outcome` may also be `UNDETERMINED`.
        """
        return replace(
            self,
            outcome=outcome,
            reasons=reasons,
            released=frozenset(),
            payload=None,
            seal_to=None,
            matches=(),
            consent=None,
            meter=False,
            daily_quota=None,
            attempt_limits=None,
            failed_attempt=False,
            register_consent=False,
            paper=None,
            revokes=None,
        )

    @property
    def closes(self) -> bool:
        """True if this decision closes the request id (docs/architecture.md, invariant 5)."""
        return not self.misuses_key and not leaves_open(self.reasons)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """Turns drafts into committed answers."""

    documents: Documents
    signer: ReceiptSigner
    sealer: DeliverySealer
    recorder: Recorder
    operator: MemberCode
    new_id: Callable[[], UUID]
    new_salt: Callable[[], bytes]
    limits: UsageLimits = DEFAULT_LIMITS

    def record_and_render(self, draft: PendingDecision) -> bytes:
        """Return the answer that was recorded: this draft's, an earlier one's, or a refusal's.

        Raises `RejectedError` for a repeated message (REQ-09). Also raises it if the record changed
        during every attempt (OPS-03); the caller must then retry with the same id.
        """
        for _ in range(ATTEMPTS_TO_RECORD):
            entry = self._render(draft)
            match self.recorder.record(entry):
                case Committed():
                    return entry.answer
                case Replay(answer):
                    return answer
                case Conflict(reasons):
                    draft = self._refusal(draft, reasons)
        raise RejectedError(Reason(code=Code.OPS_03), request_id=draft.key.request_id)

    def replay_or_refuse(
        self, draft: PendingDecision, known: KnownRequest, *, against: Conclusion | None = None
    ) -> bytes:
        """Handle a request id that is already closed.

        Return the stored answer if it is the same request of the same asker. Otherwise refuse with
        REQ-04. `against` is the reason why the stored answer is not given either, if that is
        already known.
        """
        differs = draft.key.reused_by(known)
        if differs is not None:
            reused = Reason(code=Code.REQ_04, field=differs)
            return self.record_and_render(self._refusal(draft, (reused,)))
        if against is not None:
            refusal = draft.refused(against.reasons, outcome=against.outcome)
            return self.record_and_render(replace(refusal, misuses_key=True))
        return self._replay(draft)

    def _replay(self, draft: PendingDecision) -> bytes:
        """Return the stored answer of a closed id if the rights to it still hold.

        Otherwise return a refusal.
        """
        match self.recorder.replay(draft.key, draft.caller, at=draft.at):
            case Replay(answer):
                return answer
            case Conflict(reasons):
                return self.record_and_render(self._refusal(draft, reasons, misuses_key=True))

    def _refusal(
        self, draft: PendingDecision, reasons: tuple[Reason, ...], *, misuses_key: bool = False
    ) -> PendingDecision:
        codes = {reason.code for reason in reasons}
        if Code.REQ_09 in codes:
            raise RejectedError(*reasons, request_id=draft.key.request_id)
        if Code.REQ_06 in codes:
            # The recipient used up its bytes of the day, so no evidence of this request is kept.
            draft = replace(draft, evidence=())
            # Keep the original reasons of a refusal. Otherwise a recipient could use up its day
            # first and then present forgeries without record (cl. 12). The result of a comparison
            # is dropped, because that attempt is then not counted.
            if draft.outcome is Outcome.REFUSED and draft.attempt_limits is None:
                reasons = (*draft.reasons, *reasons)
        refusal = draft.refused(reasons)
        return replace(refusal, misuses_key=misuses_key or Code.REQ_04 in codes)

    def register_message_id(self, caller: Caller, request_id: UUID, *, at: datetime) -> None:
        """Record a message that leads to no decision.

        Raises `RejectedError` for a repeated message (REQ-09). Also raises it if the recipient
        sends more of them in a minute than its limit allows (REQ-06).
        """
        if caller.mark is not None and not self.recorder.register_message_id(caller.mark, at=at):
            raise RejectedError(Reason(code=Code.REQ_09), request_id=request_id)
        usage = Usage(requests=self.recorder.count_inquiry(caller.recipient, at=at) - 1)
        excess = find_excess(usage, self.limits, at=at)
        if excess is not None:
            raise RejectedError(excess.reason, request_id=request_id)

    def _render(self, draft: PendingDecision) -> Entry:
        disclosure_id = self.new_id()
        payload_salt = self.new_salt() if draft.payload is not None else None
        payload_digest = _payload_digest(payload_salt, draft.payload)
        leaf = self._leaf(draft, disclosure_id, payload_digest)
        answer = self.documents.answer(
            Answer(
                operation=draft.operation,
                request_id=draft.key.request_id,
                outcome=draft.outcome,
                reasons=draft.reasons,
                disclosure_id=disclosure_id,
                decided_at=draft.at,
                matches=draft.matches,
                payload=draft.payload if draft.seal_to is None else None,
                payload_salt=payload_salt if draft.seal_to is None else None,
                sealed=self._sealed(draft, disclosure_id, payload_salt),
                rulings=draft.rulings,
                consent=draft.consent,
                revoked=draft.revokes.consent_id if draft.revokes is not None else None,
            )
        )
        receipt = self.signer.sign(
            self.documents.receipt(
                Receipt(
                    receipt_id=disclosure_id,
                    request_id=draft.key.request_id,
                    request_digest=draft.key.digest,
                    operation=draft.operation,
                    recipient=draft.key.recipient,
                    agreement_number=draft.agreement_number,
                    outcome=draft.outcome,
                    reasons=draft.reasons,
                    released=draft.released,
                    payload_digest=payload_digest,
                    answer_digest=answer.digest,
                    ground=draft.ground,
                    decided_at=draft.at,
                    leaf_hash=leaf.hash,
                    operator=self.operator,
                )
            ),
            at=draft.at,
        )
        return _entry(draft, disclosure_id, leaf, receipt, answer.with_receipt(receipt))

    def _sealed(
        self, draft: PendingDecision, disclosure_id: UUID, payload_salt: bytes | None
    ) -> bytes | None:
        """Return the payload bound to request and recipient, signed, then encrypted, in that order.

        The signature is inside the encryption and proves to the recipient what it was given. A
        recipient that decrypts it cannot pass it on as meant for another, because it names its
        recipient.
        """
        if draft.seal_to is None or draft.payload is None or payload_salt is None:
            return None
        delivery = self.documents.delivery(
            PersonDelivery(
                request_id=draft.key.request_id,
                disclosure_id=disclosure_id,
                recipient=draft.key.recipient,
                operator=self.operator,
                decided_at=draft.at,
                person=draft.payload,
                payload_salt=payload_salt,
            )
        )
        return self.sealer.seal(self.signer.sign(delivery, at=draft.at), draft.seal_to)

    def _leaf(
        self, draft: PendingDecision, disclosure_id: UUID, payload_digest: bytes | None
    ) -> Leaf:
        salt = self.new_salt()
        statement = _statement(draft, disclosure_id, payload_digest)
        return Leaf(salt=salt, statement=statement, hash=commit(salt, statement))


def _entry(
    draft: PendingDecision, disclosure_id: UUID, leaf: Leaf, receipt: bytes, answer: bytes
) -> Entry:
    return Entry(
        disclosure_id=disclosure_id,
        key=draft.key,
        operation=draft.operation,
        channel=draft.caller.channel,
        certificate=draft.caller.certificate,
        agreement_number=draft.agreement_number,
        purpose=draft.purpose,
        subject=draft.subject,
        outcome=draft.outcome,
        reasons=draft.reasons,
        released=draft.released,
        decided_at=draft.at,
        leaf=leaf,
        receipt=receipt,
        answer=answer,
        closes=draft.closes,
        keep_answer_until=draft.at + KEEP_ANSWERS,
        ground=draft.ground,
        evidence=draft.evidence,
        requires_active=_requires_active(draft),
        terms=draft.terms,
        meter=draft.meter,
        daily_quota=draft.daily_quota,
        attempt_limits=draft.attempt_limits,
        failed_attempt=draft.failed_attempt,
        register_consent=draft.register_consent,
        paper=draft.paper,
        revokes=draft.revokes,
        mark=draft.caller.mark,
        sealed_to=_sealed_to(draft),
        official=draft.official,
    )


def _requires_active(draft: PendingDecision) -> bool:
    """Return whether the rights must hold at commit.

    A disclosure or another gain needs them. A revocation only removes rights and needs none.
    """
    if draft.revokes is not None:
        return False
    return draft.outcome in TELLS_OF_A_PERSON or draft.outcome is Outcome.ACCEPTED


def _payload_digest(salt: bytes | None, payload: bytes | None) -> bytes | None:
    if salt is None or payload is None:
        return None
    return hashlib.sha256(salt + payload).digest()


def _statement(draft: PendingDecision, disclosure_id: UUID, payload_digest: bytes | None) -> bytes:
    """Return the facts that the leaf commits to (`ledger.leaf_statement`)."""
    ground = draft.ground
    return write_statement(
        {
            "disclosureId": str(disclosure_id),
            "requestId": str(draft.key.request_id),
            "requestDigest": draft.key.digest.hex(),
            "space": draft.key.space.value,
            "operation": draft.operation.value,
            "recipient": draft.key.recipient,
            "agreement": draft.agreement_number,
            "purpose": draft.purpose,
            "subject": draft.subject.digits if draft.subject is not None else None,
            "channel": draft.caller.channel.value,
            "certificate": _hex(draft.caller.certificate),
            "subsystem": draft.key.asker.subsystem,
            "employee": draft.key.asker.employee,
            "case": draft.key.asker.case_number,
            "outcome": draft.outcome.value,
            "reasons": [
                [
                    reason.code.value,
                    reason.because and reason.because.value,
                    reason.field,
                    reason.retry_after,
                ]
                for reason in draft.reasons
            ],
            "released": sorted(draft.released),
            "payloadDigest": _hex(payload_digest),
            "sealedTo": _hex(_sealed_to(draft)),
            "ground": [ground.kind.value, str(ground.id), ground.digest.hex()] if ground else None,
            "evidence": [
                [piece.kind, piece.digest.hex(), hashlib.sha256(piece.report).hexdigest()]
                for piece in draft.evidence
            ],
            "closes": draft.closes,
            "decidedAt": draft.at.isoformat(),
            "effects": state_effects(draft, answer_until=_answer_until(draft)),
        }
    )


def _answer_until(draft: PendingDecision) -> str | None:
    """Return the time until which the answer is kept; only the answer of a closed id is kept."""
    return (draft.at + KEEP_ANSWERS).isoformat() if draft.closes else None


def _sealed_to(draft: PendingDecision) -> bytes | None:
    """Return the SHA-256 digest of the certificate to which the payload is encrypted."""
    return hashlib.sha256(draft.seal_to).digest() if draft.seal_to is not None else None


def _hex(digest: bytes | None) -> str | None:
    return digest.hex() if digest is not None else None
