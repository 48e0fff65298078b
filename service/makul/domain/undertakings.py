"""Undertakings of secrecy by the persons who learn biometric data (Procedure, cl. 15 and 16).

The person signs. An undertaking counts from the commit that records it, never for an earlier
request. When the person stops working with the data it is ended, and the obligations last: an
ended undertaking stays in the record. A person who returns signs a new one.
"""

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from makul.domain.calendar import has_begun, legal_day
from makul.domain.disclosures import Outcome, Proof, ProofStatus
from makul.domain.identifiers import MemberCode, Pin
from makul.domain.reasons import Code, Reason
from makul.domain.signature_proof import judge_proof


@dataclass(frozen=True, slots=True, kw_only=True)
class Undertaking:
    """An undertaking as the person signed it."""

    undertaking_id: UUID
    person: Pin
    name: str
    recipient: MemberCode
    employee: str
    """The identifier by which the requests of the recipient name the person."""
    text: str
    """The reference of the text to which the person agreed, with its version."""
    valid_from: datetime
    valid_to: datetime | None
    lasts_after: bool
    """True: the obligations last after the work ends (cl. 16)."""
    signed_at: datetime

    def in_force_from(self, recorded_at: datetime) -> datetime:
        """Return the first instant for which it counts: not before it was recorded."""
        return max(self.valid_from, recorded_at)


@dataclass(frozen=True, slots=True, kw_only=True)
class EmployeeRecord:
    """What the register holds about an employee and an undertaking id."""

    id_used: bool
    """True if the recipient recorded an undertaking of this id."""
    bound_other: bool
    """True if another person has an undertaking in force under this employee identifier."""
    last_end: datetime | None
    """When an undertaking under this employee identifier was ended last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedUndertaking:
    """An undertaking in the register, as far as its end needs it."""

    recorded_at: datetime
    ended: bool


def judge_signed_undertaking(
    undertaking: Undertaking | None, proof: Proof, recipient: MemberCode, *, at: datetime
) -> tuple[Outcome, tuple[Reason, ...]]:
    """Judge whether the person signed an undertaking for this recipient (RCP-05)."""
    signer = proof.signer.pin if proof.signer is not None else None
    ruling = judge_proof(
        Code.RCP_05,
        proof,
        readable=undertaking is not None,
        signed_by_party=undertaking is not None and signer == undertaking.person,
    )
    if ruling.reasons:
        undetermined = proof.status is ProofStatus.INDETERMINATE
        return Outcome.UNDETERMINED if undetermined else Outcome.REFUSED, ruling.reasons
    if undertaking is None:
        raise TypeError("a passed proof has a readable document")
    wrong = {
        "recipient": undertaking.recipient != recipient,
        "lastsAfter": not undertaking.lasts_after,
        "signedAt": not has_begun(undertaking.signed_at, at=at),
        "validTo": undertaking.valid_to is not None
        and undertaking.valid_to <= undertaking.in_force_from(at),
    }
    reasons = tuple(Reason(code=Code.RCP_05, field=field) for field in wrong if wrong[field])
    return (Outcome.REFUSED if reasons else Outcome.DONE), reasons


def judge_undertaking(undertaking: Undertaking, known: EmployeeRecord) -> tuple[Reason, ...]:
    """Return why an undertaking cannot be recorded; empty if it can.

    One identifier names one person at a time. What was signed before the work ended does not count
    when the person returns.
    """
    if known.id_used:
        return (Reason(code=Code.OVR_02, field="undertakingId"),)
    if known.bound_other:
        return (Reason(code=Code.OVR_02, field="employee"),)
    if known.last_end is not None and undertaking.signed_at <= known.last_end:
        return (Reason(code=Code.RCP_05, field="signedAt"),)
    return ()


def judge_undertaking_end(
    recorded: RecordedUndertaking | None, ended_on: date, *, at: datetime
) -> tuple[Reason, ...]:
    """Return why an undertaking cannot be ended; empty if it can.

    The end counts from its commit. The stated day is not in the future, so that no right outlives
    the work.
    """
    if recorded is None:
        return (Reason(code=Code.OVR_06, field="undertakingId"),)
    if recorded.ended:
        return (Reason(code=Code.OVR_02, field="undertakingId"),)
    if not legal_day(recorded.recorded_at) <= ended_on <= legal_day(at):
        return (Reason(code=Code.OVR_02, field="endedOn"),)
    return ()
