"""On what ground? A consent (cl. 4) or a basis in law (cl. 5), held against the request.

`trust` has already proved who signed which bytes; here we judge what those bytes say. A document
fits one request: its subject, recipient, agreement, purpose, methods and result form are the
request's.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from unicodedata import normalize

from makul.domain.agreements import Agreement
from makul.domain.attributes import Attribute
from makul.domain.bases import BasisStatement, Provision
from makul.domain.consents import AuthorityKind, Consent, Representation
from makul.domain.disclosures import (
    BasisGround,
    ConsentGround,
    DisclosureRequest,
    Ground,
    Proof,
    ProofStatus,
)
from makul.domain.identifiers import MemberCode, Pin, PurposeCode
from makul.domain.reasons import Code, Reason
from makul.domain.recipients import Recipient
from makul.domain.standing import within
from makul.domain.verdicts import Rule, Ruling, fails, holds, holds_each, not_applicable, unknown

FULL_AGE = 18
"""Years: full legal capacity (Civil Code of the Kyrgyz Republic)."""

_BISHKEK = timezone(timedelta(hours=6))


def legal_day(at: datetime) -> date:
    """The day in the Kyrgyz Republic, which keeps one time all year round."""
    return at.astimezone(_BISHKEK).date()


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentCase:
    """A request beside the consent it presents."""

    request: DisclosureRequest
    ground: ConsentGround
    consent: Consent
    agreement: Agreement | None
    operator: MemberCode
    at: datetime

    @property
    def today(self) -> date:
        """The day in the Kyrgyz Republic, by which papers and ages are told."""
        return legal_day(self.at)


@dataclass(frozen=True, slots=True, kw_only=True)
class BasisCase:
    """A request beside the basis statement it presents."""

    request: DisclosureRequest
    ground: BasisGround
    statement: BasisStatement
    recipient: Recipient | None
    agreement: Agreement | None
    at: datetime

    @property
    def provision(self) -> Provision | None:
        """The provision invoked, if cl. 5 knows it."""
        written = self.statement.provision
        return Provision(written) if written in _PROVISIONS else None

    @property
    def powers(self) -> Mapping[PurposeCode, frozenset[Attribute]] | None:
        """The body's powers, which bound an official request (cl. 5.3); None for others."""
        if self.provision is not Provision.OFFICIAL_REQUEST:
            return None
        return self.agreement.powers if self.agreement is not None else {}


_PROVISIONS = frozenset(provision.value for provision in Provision)


def judge_ground(
    request: DisclosureRequest,
    recipient: Recipient | None,
    agreement: Agreement | None,
    ground: Ground,
    *,
    operator: MemberCode,
    at: datetime,
) -> tuple[Ruling, ...]:
    """Every rule on the ground, answered. No ground at all is CNS-01 (cl. 4)."""
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
        return presented, proven(Code.CNS_02, ground.proof, readable=False)
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
        return (proven(Code.LAW_09, ground.proof, readable=False),)
    case = BasisCase(
        request=request,
        ground=ground,
        statement=ground.statement,
        recipient=recipient,
        agreement=agreement,
        at=at,
    )
    return tuple(rule.judge(case) for rule in BASIS_RULES)


def proven(
    code: Code, proof: Proof, *, readable: bool = True, signed_by_party: bool = True
) -> Ruling:
    """Did its supposed signer sign it? Passes only with a signer and a readable document."""
    reasons = tuple(Reason(code=code, because=because) for because in proof.reasons)
    if proof.status is ProofStatus.INDETERMINATE:
        return unknown(code, *(reasons or (Reason(code=code, because=Code.SIG_07),)))
    passed = proof.status is ProofStatus.PASSED and not proof.reasons
    if not passed or not readable or proof.signer is None:
        return fails(code, *(reasons or (Reason(code=code),)))
    if not signed_by_party:
        return fails(code, Reason(code=code, because=Code.SIG_08))
    return holds(code, True)


# --- consents (cl. 4) -------------------------------------------------------------------------


def _consent_signed_by_party(case: ConsentCase) -> Ruling:
    if case.ground.use.digest_differs:
        return fails(Code.CNS_02, Reason(code=Code.CNS_02, because=Code.REQ_04, field="consentId"))
    return proven(Code.CNS_02, case.ground.proof, signed_by_party=_signed_by_party(case))


def _signed_by_party(case: ConsentCase) -> bool:
    """The subject; or who gave it for them; or, on paper, the official who took it."""
    signer, consent = case.ground.proof.signer, case.consent
    if signer is None:
        return False
    if consent.paper is not None:
        return signer.official is not None and signer.official == consent.paper.official
    if consent.representative is not None:
        return signer.pin is not None and signer.pin == consent.representative.pin
    return signer.pin == consent.subject


def _consent_begun(case: ConsentCase) -> Ruling:
    return holds(Code.CNS_03, case.at >= case.consent.begins_at, "validFrom")


def _consent_not_expired(case: ConsentCase) -> Ruling:
    return holds(Code.CNS_04, case.at < case.consent.valid_to, "validTo")


def _consent_not_revoked(case: ConsentCase) -> Ruling:
    return holds(Code.CNS_05, not case.ground.use.revoked)


def _consent_not_used_up(case: ConsentCase) -> Ruling:
    return holds(Code.CNS_06, case.ground.use.used < case.consent.max_disclosures)


def _consent_for_recipient(case: ConsentCase) -> Ruling:
    return holds_each(
        Code.CNS_07,
        recipient=case.consent.recipient == case.request.recipient,
        controller=case.consent.controller == case.operator,
    )


def _consent_for_purpose(case: ConsentCase) -> Ruling:
    return holds(Code.CNS_08, case.consent.purpose == case.request.purpose, "purpose")


def _consent_for_attributes(case: ConsentCase) -> Ruling:
    return within(Code.CNS_09, case.request.attributes, case.consent.attributes)


def _consent_notice_known(case: ConsentCase) -> Ruling:
    return holds(Code.CNS_10, case.ground.notice_approved, "notice")


def _consent_representative_proven(case: ConsentCase) -> Ruling:
    said = case.consent.representative
    if said is None:
        return holds(Code.CNS_11, True)
    return holds_each(
        Code.CNS_11,
        agreementNumber=case.agreement is not None and case.agreement.representatives_allowed,
        representative=said.pin is not None and said.pin != case.consent.subject,
        authority=_has_authority(said, case.consent.subject, case.today),
        authorityDocument=case.ground.authority_held,
    )


def _has_authority(said: Representation, subject: Pin, today: date) -> bool:
    """Who speaks for a minor is of age, and does so until the minor is; else, while it lasts."""
    lasts = said.valid_to is not None and today <= said.valid_to
    match said.kind:
        case AuthorityKind.PARENT | AuthorityKind.GUARDIAN:
            of_age = said.pin is not None and said.pin.age_on(today) >= FULL_AGE
            ended = said.valid_to is not None and not lasts
            return of_age and subject.age_on(today) < FULL_AGE and not ended
        case AuthorityKind.POWER_OF_ATTORNEY:
            return lasts
    return False


def _consent_paper_allowed(case: ConsentCase) -> Ruling:
    said = case.consent.paper
    if said is None:
        return holds(Code.CNS_12, True)
    employee = case.request.employee
    signed_on = legal_day(case.consent.given_at)
    return holds_each(
        Code.CNS_12,
        paper=case.agreement is not None and case.agreement.paper_allowed,
        employee=employee is not None and not _same_person(employee, said.official),
        date=said.date <= signed_on and said.date <= case.today,
    )


def _same_person(employee: str, official: str) -> bool:
    """However it is typed: by case, spaces, or what looks alike by design (Unicode TR 15, NFKC)."""
    return _plain(employee) == _plain(official)


def _plain(identifier: str) -> str:
    return "".join(normalize("NFKC", identifier).casefold().split())


def _consent_scan_held(case: ConsentCase) -> Ruling:
    if case.consent.paper is None:
        return not_applicable(Code.CNS_13)
    return holds(Code.CNS_13, case.ground.scan_held, "scan")


def _consent_for_subject(case: ConsentCase) -> Ruling:
    if case.request.subject is None:
        return not_applicable(Code.CNS_14)
    return holds(Code.CNS_14, case.consent.subject == case.request.subject, "subject")


def _consent_for_agreement(case: ConsentCase) -> Ruling:
    same = case.consent.agreement_number == case.request.agreement_number
    return holds(Code.CNS_15, same, "agreementNumber")


def _consent_for_method_and_form(case: ConsentCase) -> Ruling:
    return holds_each(
        Code.CNS_16,
        matchMethods=case.request.methods <= case.consent.methods,
        resultForm=case.consent.result_form is case.request.operation.result_form,
    )


CONSENT_RULES: tuple[Rule[ConsentCase], ...] = (
    Rule(Code.CNS_02, _consent_signed_by_party),
    Rule(Code.CNS_03, _consent_begun),
    Rule(Code.CNS_04, _consent_not_expired),
    Rule(Code.CNS_05, _consent_not_revoked),
    Rule(Code.CNS_06, _consent_not_used_up),
    Rule(Code.CNS_07, _consent_for_recipient),
    Rule(Code.CNS_08, _consent_for_purpose, ("2",)),
    Rule(Code.CNS_09, _consent_for_attributes),
    Rule(Code.CNS_10, _consent_notice_known),
    Rule(Code.CNS_11, _consent_representative_proven),
    Rule(Code.CNS_12, _consent_paper_allowed),
    Rule(Code.CNS_13, _consent_scan_held),
    Rule(Code.CNS_14, _consent_for_subject),
    Rule(Code.CNS_15, _consent_for_agreement, ("7",)),
    Rule(Code.CNS_16, _consent_for_method_and_form),
)


# --- bases in law (cl. 5) ---------------------------------------------------------------------


def _basis_signed_by_official(case: BasisCase) -> Ruling:
    signer = case.ground.proof.signer
    official = signer.official if signer is not None else None
    by_official = official is not None and official == case.statement.official
    if case.ground.use.digest_differs:
        reason = Reason(code=Code.LAW_09, because=Code.REQ_04, field="statementId")
        return fails(Code.LAW_09, reason)
    return proven(Code.LAW_09, case.ground.proof, signed_by_party=by_official)


def _basis_provision_known(case: BasisCase) -> Ruling:
    return holds(Code.LAW_01, case.provision is not None, "provision")


def _basis_body_entitled(case: BasisCase) -> Ruling:
    provision, recipient, agreement = case.provision, case.recipient, case.agreement
    if provision is None:
        return not_applicable(Code.LAW_02)
    entitled = (
        recipient is not None
        and agreement is not None
        and provision.open_to(recipient.kind)
        and provision in agreement.provisions
    )
    return holds_each(Code.LAW_02, provision=entitled, hiddenUntil=_may_hide(case, provision))


def _may_hide(case: BasisCase, provision: Provision) -> bool:
    """From the subject: only by a provision of 5.1, and for no longer than is allowed at all."""
    issued_at, hidden_until = case.statement.issued_at, case.statement.hidden_until
    if hidden_until is None:
        return True
    return provision.clause == "5.1" and hidden_until - issued_at <= case.ground.hidden_at_most


def _basis_complete(case: BasisCase) -> Ruling:
    said, act = case.statement, case.statement.act
    return holds_each(
        Code.LAW_03,
        citation=_is_said(said.citation),
        authorisingAct=_is_said(act.issuer)
        and _is_said(act.number)
        and act.issued_on <= said.issued_on,
        caseNumber=_is_said(said.case_number),
        official=_is_said(said.official),
        justification=_is_said(said.justification),
    )


def _is_said(text: str) -> bool:
    return bool(text.strip())


def _basis_attributes_within_powers(case: BasisCase) -> Ruling:
    if case.statement.result_form is not case.request.operation.result_form:
        return holds(Code.LAW_04, False, "resultForm")
    if case.powers is not None and case.request.purpose not in case.powers:
        return holds(Code.LAW_04, False, "purpose")
    return within(Code.LAW_04, case.request.attributes, _basis_attributes(case))


def _basis_for_subject(case: BasisCase) -> Ruling:
    if case.request.subject is None:
        return not_applicable(Code.LAW_05)
    return holds(Code.LAW_05, case.statement.subject == case.request.subject, "subject")


def _basis_for_recipient_and_agreement(case: BasisCase) -> Ruling:
    statement, request = case.statement, case.request
    return holds_each(
        Code.LAW_06,
        recipient=statement.recipient == request.recipient,
        agreementNumber=statement.agreement_number == request.agreement_number,
        purpose=statement.purpose == request.purpose,
    )


def _basis_in_term(case: BasisCase) -> Ruling:
    return holds(Code.LAW_07, case.statement.issued_at <= case.at < case.statement.valid_to)


def _basis_not_used_up(case: BasisCase) -> Ruling:
    spent = case.ground.use.revoked or case.ground.use.used >= case.statement.max_disclosures
    return holds(Code.LAW_08, not spent)


def _basis_attributes(case: BasisCase) -> frozenset[str]:
    """What the statement lists; an official request only within the powers (cl. 5.3)."""
    if case.powers is None:
        return case.statement.attributes
    return case.statement.attributes & case.powers.get(case.request.purpose, frozenset())


BASIS_RULES: tuple[Rule[BasisCase], ...] = (
    Rule(Code.LAW_09, _basis_signed_by_official),
    Rule(Code.LAW_01, _basis_provision_known),
    Rule(Code.LAW_02, _basis_body_entitled, ("5.1", "5.2", "5.3", "5.4")),
    Rule(Code.LAW_03, _basis_complete),
    Rule(Code.LAW_04, _basis_attributes_within_powers),
    Rule(Code.LAW_05, _basis_for_subject),
    Rule(Code.LAW_06, _basis_for_recipient_and_agreement, ("7",)),
    Rule(Code.LAW_07, _basis_in_term),
    Rule(Code.LAW_08, _basis_not_used_up),
)


def granted(
    request: DisclosureRequest,
    recipient: Recipient | None,
    agreement: Agreement | None,
    ground: Ground,
    *,
    at: datetime,
) -> frozenset[str]:
    """The attributes that the ground itself covers; empty where there is none."""
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
            return _basis_attributes(case_)
    return frozenset()
