"""Rules that judge whether a document revokes a consent (Procedure, cl. 4).

A revocation gives nothing and takes effect at once. It is therefore judged only by its signer and
by the recipient of the consent. Recipients on hold, cut off or without an agreement may present it
like any other. No other condition of a disclosure applies
(docs/decisions/0010-consents-in-full.md).
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from makul.domain.disclosures import Proof
from makul.domain.identifiers import MemberCode, Pin
from makul.domain.reasons import Code
from makul.domain.rules import Rule, Ruling, holds, not_applicable
from makul.domain.signature_proof import judge_proof


@dataclass(frozen=True, slots=True, kw_only=True)
class Revocation:
    """A signed document that revokes a consent."""

    consent_id: UUID
    subject: Pin
    recipient: MemberCode
    revoked_at: datetime
    """The time of signing, as the signer states it.

    The revocation counts from when it is recorded.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationCase:
    """A revocation with its proof and with what the record knows of the consent."""

    revocation: Revocation | None
    """The revocation; None if the document could not be read."""
    proof: Proof
    handed_in_by: MemberCode
    consent_subject: Pin | None = None
    """The subject of the consent of that id that this recipient presented.

    None if none is known.
    """
    signed_by_giver: bool = False
    """True if the signer is the representative who gave that same consent."""


def _signed_by_subject_or_giver(case: RevocationCase) -> Ruling:
    revocation, signer = case.revocation, case.proof.signer
    by_subject = revocation is not None and signer is not None and signer.pin == revocation.subject
    return judge_proof(
        Code.CNS_02,
        case.proof,
        readable=revocation is not None,
        signed_by_party=by_subject or case.signed_by_giver,
    )


def _of_this_recipient(case: RevocationCase) -> Ruling:
    if case.revocation is None:
        return not_applicable(Code.CNS_07)
    return holds(Code.CNS_07, case.revocation.recipient == case.handed_in_by, "recipient")


def _of_the_consents_subject(case: RevocationCase) -> Ruling:
    # If the consent is not known yet, `store` compares the subject when the consent arrives.
    if case.revocation is None or case.consent_subject is None:
        return not_applicable(Code.CNS_14)
    return holds(Code.CNS_14, case.revocation.subject == case.consent_subject, "subject")


REVOCATION_RULES: tuple[Rule[RevocationCase], ...] = (
    Rule(Code.CNS_02, _signed_by_subject_or_giver),
    Rule(Code.CNS_07, _of_this_recipient),
    Rule(Code.CNS_14, _of_the_consents_subject),
)


def judge_revocation(case: RevocationCase) -> tuple[Ruling, ...]:
    """Judge every rule on a revocation."""
    return tuple(rule.judge(case) for rule in REVOCATION_RULES)
