"""Statement of a decision: the facts that its leaf in the ledger commits to."""

import hashlib
from datetime import datetime
from uuid import UUID

from makul.app.effects import state_effects
from makul.app.ports import DecisionFacts, PendingDecision, Release, UsageStatement
from makul.domain.reasons import Reason
from makul.ledger.leaf_statement import write_statement


def state_decision(
    decision: PendingDecision,
    disclosure_id: UUID,
    *,
    payload_digest: bytes | None,
    keep_answer_until: datetime,
) -> bytes:
    """Return the facts that the leaf commits to (`ledger.leaf_statement`)."""
    # Only the answer of a closed id is kept.
    answer_until = keep_answer_until.isoformat() if decision.closes_request_id else None
    ground = decision.ground
    release = decision if isinstance(decision, Release) else None
    return write_statement(
        {
            "disclosureId": str(disclosure_id),
            **_state_request(decision.facts),
            "subject": decision.subject.digits if decision.subject is not None else None,
            "outcome": decision.outcome.value,
            "reasons": [_state_reason(reason) for reason in decision.reasons],
            "released": sorted(release.released) if release is not None else [],
            "payloadDigest": _hex(payload_digest),
            "sealedTo": _hex(release.sealed_to) if release is not None else None,
            "ground": [ground.kind.value, str(ground.id), ground.digest.hex()] if ground else None,
            "evidence": [
                [piece.kind, piece.digest.hex(), hashlib.sha256(piece.report).hexdigest()]
                for piece in decision.evidence
            ],
            "closes": decision.closes_request_id,
            "effects": state_effects(decision.effects, answer_until=answer_until),
        }
    )


def _state_request(facts: DecisionFacts) -> dict[str, object]:
    key = facts.key
    return {
        "requestId": str(key.request_id),
        "requestDigest": key.digest.hex(),
        "space": key.space.value,
        "operation": facts.operation.value,
        "recipient": key.recipient,
        "agreement": facts.agreement_number,
        "purpose": facts.purpose,
        "channel": facts.caller.channel.value,
        "certificate": _hex(facts.caller.certificate),
        "subsystem": key.asker.subsystem,
        "employee": key.asker.employee,
        "case": key.asker.case_number,
        "decidedAt": facts.at.isoformat(),
        **_state_usage(facts.caller.usage),
    }


def _state_usage(usage: UsageStatement | None) -> dict[str, object]:
    """Return what the client said to the subject; a decision without it states nothing."""
    return {} if usage is None else {"usage": usage.state()}


def _state_reason(reason: Reason) -> list[object]:
    because = reason.because
    return [
        reason.code.value,
        because.value if because is not None else None,
        reason.field,
        reason.retry_after,
    ]


def _hex(digest: bytes | None) -> str | None:
    return digest.hex() if digest is not None else None
