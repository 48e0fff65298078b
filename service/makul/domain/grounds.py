"""Judge the ground of a request: a consent (cl. 4) or a basis in law (cl. 5).

`trust` has already verified who signed which bytes; this module judges only what they say. A
document fits one request: its subject, recipient, agreement, purpose, methods and result form are
those of the request (docs/architecture.md, invariant 11).
"""

from datetime import datetime

from makul.domain.agreements import Agreement
from makul.domain.consent_rules import CONSENT_RULES, ConsentCase
from makul.domain.consents import Consent
from makul.domain.disclosures import (
    BasisGround,
    ConsentGround,
    DisclosureRequest,
    Ground,
)
from makul.domain.identifiers import MemberCode
from makul.domain.legal_bases import BasisStatement
from makul.domain.legal_basis_rules import BASIS_RULES, BasisCase, covered_by
from makul.domain.reasons import Code
from makul.domain.recipients import Recipient
from makul.domain.rules import Ruling, holds
from makul.domain.signature_proof import judge_proof


def judge_ground(
    request: DisclosureRequest,
    recipient: Recipient | None,
    agreement: Agreement | None,
    ground: Ground,
    *,
    operator: MemberCode,
    at: datetime,
) -> tuple[Ruling, ...]:
    """Judge every rule on the ground. A missing ground is CNS-01 (cl. 4)."""
    match ground:
        case ConsentGround():
            return _judge_consent(request, agreement, ground, operator, at)
        case BasisGround():
            return _judge_basis(request, recipient, agreement, ground, at)
    return (holds(Code.CNS_01, False, "ground"),)


def _judge_consent(
    request: DisclosureRequest,
    agreement: Agreement | None,
    ground: ConsentGround,
    operator: MemberCode,
    at: datetime,
) -> tuple[Ruling, ...]:
    presented = holds(Code.CNS_01, True)
    if ground.consent is None:
        return presented, judge_proof(Code.CNS_02, ground.proof, readable=False)
    case = ConsentCase(
        request=request,
        ground=ground,
        consent=ground.consent,
        agreement=agreement,
        operator=operator,
        at=at,
    )
    return presented, *(rule.judge(case) for rule in CONSENT_RULES)


def _judge_basis(
    request: DisclosureRequest,
    recipient: Recipient | None,
    agreement: Agreement | None,
    ground: BasisGround,
    at: datetime,
) -> tuple[Ruling, ...]:
    if ground.statement is None:
        return (judge_proof(Code.LAW_09, ground.proof, readable=False),)
    case = BasisCase(
        request=request,
        ground=ground,
        statement=ground.statement,
        recipient=recipient,
        agreement=agreement,
        at=at,
    )
    return tuple(rule.judge(case) for rule in BASIS_RULES)


def granted(
    request: DisclosureRequest,
    recipient: Recipient | None,
    agreement: Agreement | None,
    ground: Ground,
    *,
    at: datetime,
) -> frozenset[str]:
    """Return the attributes that the ground itself covers; empty if there is no ground."""
    match ground:
        case ConsentGround(consent=Consent() as consent):
            return consent.attributes
        case BasisGround(statement=BasisStatement() as statement):
            case_ = BasisCase(
                request=request,
                ground=ground,
                statement=statement,
                recipient=recipient,
                agreement=agreement,
                at=at,
            )
            return covered_by(case_)
    return frozenset()
