"""May this take a consent back? (Procedure, cl. 4)

A revocation gives nothing and takes at once, so it is judged by two things alone: who signed it,
and to whom the consent was given. Recipients on hold, cut off or without an agreement may hand it
in like any other, and nothing stands in its way that would stand in a disclosure's.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from makul.domain.disclosures import Proof
from makul.domain.identifiers import MemberCode, Pin
from makul.domain.reasons import Code
from makul.domain.rules import Rule, Ruling, holds, not_applicable
from makul.domain.signature_proof import proven


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """What was signed to take a consent back."""

    consent_id: UUID
    subject: Pin
    recipient: MemberCode
    revoked_at: datetime
    """When it was signed, as the signer says. It counts from the moment at which it is recorded."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationCase:
    """A revocation beside its proof and what the record knows of the consent."""

    revocation: Revocation | None
    """None where the document could not be read."""
    proof: Proof
    handed_in_by: MemberCode
    consent_subject: Pin | None = None
    """Of the consent of that id that this recipient presented; None where none is known."""
    signed_by_giver: bool = False
    """Is the signer the representative who gave that very consent?"""


def _signed_by_subject_or_giver(case: RevocationCase) -> Ruling:
    said, signer = case.revocation, case.proof.signer
    by_subject = said is not None and signer is not None and signer.pin == said.subject
    return proven(
        Code.CNS_02,
        case.proof,
        readable=said is not None,
        signed_by_party=by_subject or case.signed_by_giver,
    )


def _of_this_recipient(case: RevocationCase) -> Ruling:
    if case.revocation is None:
        return not_applicable(Code.CNS_07)
    return holds(Code.CNS_07, case.revocation.recipient == case.handed_in_by, "recipient")


def _of_the_consents_subject(case: RevocationCase) -> Ruling:
    # Of a consent that is not known yet, the subject is compared when it comes (`store`).
    if case.revocation is None or case.consent_subject is None:
        return not_applicable(Code.CNS_14)
    return holds(Code.CNS_14, case.revocation.subject == case.consent_subject, "subject")


REVOCATION_RULES: tuple[Rule[RevocationCase], ...] = (
    Rule(Code.CNS_02, _signed_by_subject_or_giver),
    Rule(Code.CNS_07, _of_this_recipient),
    Rule(Code.CNS_14, _of_the_consents_subject),
)


def judge_revocation(case: RevocationCase) -> tuple[Ruling, ...]:
    """Every rule on a revocation, answered."""
    return tuple(rule.judge(case) for rule in REVOCATION_RULES)
