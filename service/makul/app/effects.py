"""Effects of a decision: other rows that it creates or uses up.

The statement of its leaf names them, so that `makul ledger verify` finds a row that was deleted,
moved or changed later. A deleted revocation would otherwise let a revoked consent allow disclosures
again (docs/architecture.md, invariant 13).
"""

from typing import TYPE_CHECKING

from makul.domain.disclosures import GroundRef

if TYPE_CHECKING:
    from makul.app.ports import ConsentRevocation
    from makul.app.recording import PendingDecision


def state_effects(draft: "PendingDecision", *, answer_until: str | None) -> dict[str, object]:
    """Return the effects of a decision as plain values, for the statement of its leaf.

    `answer_until` is the time until which the stored answer is kept, if one is stored.
    """
    kept = draft.meter or draft.register_consent
    return {
        "answerUntil": answer_until,
        "failedAttempt": draft.failed_attempt,
        "ground": _state_ground(draft.ground) if draft.ground is not None and kept else None,
        "meters": draft.meter,
        "paper": draft.paper.official.hex() if draft.paper is not None else None,
        "quota": draft.daily_quota is not None,
        "registers": draft.register_consent,
        "revokes": _state_revocation(draft.revokes) if draft.revokes is not None else None,
    }


def _state_ground(ground: GroundRef) -> list[object]:
    """Return the columns of a ground's row other than its id and digest, and its representative."""
    giver = ground.representative
    return [
        ground.max_disclosures,
        ground.valid_from.isoformat(),
        ground.valid_to.isoformat(),
        giver.digits if giver is not None else None,
    ]


def _state_revocation(revoked: "ConsentRevocation") -> list[object]:
    document = revoked.document
    return [
        str(revoked.consent_id),
        revoked.subject.digits,
        document.hex() if document is not None else None,
    ]
