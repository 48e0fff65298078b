"""Effects of a decision: other rows that it creates or uses up.

The statement of its leaf names them, so that `makul ledger verify` finds a row that was deleted,
moved or changed later. A deleted revocation would otherwise let a revoked consent allow disclosures
again (docs/architecture.md, invariant 13).
"""

from collections.abc import Iterable
from typing import assert_never

from makul.app.ports import (
    Comparison,
    ConsentRegistration,
    ConsentRevocation,
    DecisionEffect,
    FailedMatch,
    MeteredUse,
    QuotaUse,
    SubjectNotification,
)
from makul.domain.disclosures import GroundRef


def state_effects(
    effects: Iterable[DecisionEffect], *, answer_until: str | None
) -> dict[str, object]:
    """Return the effects of a decision as plain values, for the statement of its leaf.

    `answer_until` is the time until which the stored answer is kept, if one is stored. The
    statement names every effect that a decision could have, so that a missing effect is stated too.
    """
    stated: dict[str, object] = {
        "answerUntil": answer_until,
        "failedAttempt": False,
        "ground": None,
        "meters": False,
        "paper": None,
        "quota": False,
        "registers": False,
        "revokes": None,
    }
    for effect in effects:
        stated |= _state_effect(effect)
    return stated


def _state_effect(effect: DecisionEffect) -> dict[str, object]:
    match effect:
        case Comparison() | SubjectNotification():
            return {}
        case FailedMatch():
            return {"failedAttempt": True}
        case MeteredUse():
            return {"meters": True, "ground": _state_ground(effect.ground)}
        case QuotaUse():
            return {"quota": True}
        case ConsentRegistration():
            paper = effect.paper
            return {
                "registers": True,
                "ground": _state_ground(effect.ground),
                "paper": paper.official.hex() if paper is not None else None,
            }
        case ConsentRevocation():
            return {"revokes": _state_revocation(effect)}
    assert_never(effect)


def _state_ground(ground: GroundRef) -> list[object]:
    """Return the columns of a ground's row other than its id and digest, and its representative."""
    giver = ground.representative
    return [
        ground.max_disclosures,
        ground.valid_from.isoformat(),
        ground.valid_to.isoformat(),
        giver.digits if giver is not None else None,
    ]


def _state_revocation(revoked: ConsentRevocation) -> list[object]:
    return [str(revoked.consent_id), revoked.subject.digits, revoked.document.digest.hex()]
