"""Locks by which a subject stops matching on the ground of consents (Procedure, cl. 4).

A lock never stops a disclosure that cl. 5 allows without consent (MAT-05). To set it, a login is
enough; to remove it, the subject signs, so that no one who took over a login can do it.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from makul.domain.disclosures import Outcome, Proof, ProofStatus
from makul.domain.identifiers import Pin
from makul.domain.reasons import Code, Reason
from makul.domain.signature_proof import judge_proof


class MatchingState(StrEnum):
    """The state that a subject set."""

    LOCKED = "LOCKED"
    UNLOCKED = "UNLOCKED"


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlockOrder:
    """A document by which a subject orders to remove the lock."""

    unlock_id: UUID
    """The id of the request that presents it. So the document serves one request."""
    subject: Pin
    signed_at: datetime
    """The time of signing, as the signer states it. No decision depends on it."""


def judge_lock(state: MatchingState | None) -> tuple[Reason, ...]:
    """Return why a subject cannot lock; empty if nothing is locked yet."""
    if state is MatchingState.LOCKED:
        return (Reason(code=Code.OVR_02),)
    return ()


def judge_unlock(state: MatchingState | None) -> tuple[Reason, ...]:
    """Return why a subject cannot unlock; empty if there is a lock of the subject's own."""
    if state is not MatchingState.LOCKED:
        return (Reason(code=Code.OVR_02),)
    return ()


def judge_unlock_order(
    order: UnlockOrder | None, proof: Proof | None, citizen: Pin, request_id: UUID
) -> tuple[Outcome, tuple[Reason, ...]]:
    """Judge whether a citizen signed an order to unlock, for this request (SUB-03).

    `proof` is None if no document was sent.
    """
    if proof is None:
        return Outcome.REFUSED, (Reason(code=Code.SUB_03, field="document"),)
    signer = proof.signer.pin if proof.signer is not None else None
    ruling = judge_proof(
        Code.SUB_03,
        proof,
        readable=order is not None,
        signed_by_party=signer == citizen and order is not None and order.subject == citizen,
    )
    if ruling.reasons:
        undetermined = proof.status is ProofStatus.INDETERMINATE
        return Outcome.UNDETERMINED if undetermined else Outcome.REFUSED, ruling.reasons
    if order is None or order.unlock_id != request_id:
        return Outcome.REFUSED, (Reason(code=Code.SUB_03, field="unlockId"),)
    return Outcome.DONE, ()
