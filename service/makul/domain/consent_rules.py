"""Rules that judge whether a consent covers a request at a given moment (Procedure, cl. 4)."""

from dataclasses import dataclass
from datetime import date, datetime
from unicodedata import normalize

from makul.domain.agreements import Agreement
from makul.domain.calendar import CLOCK_TOLERANCE, has_begun, legal_day
from makul.domain.consents import AuthorityKind, Consent, Representation
from makul.domain.disclosures import (
    ConsentGround,
    DisclosureRequest,
)
from makul.domain.eligibility import within
from makul.domain.identifiers import MemberCode, Pin
from makul.domain.reasons import Code, Reason
from makul.domain.rules import Rule, Ruling, fails, holds, holds_each, not_applicable
from makul.domain.signature_proof import judge_proof

FULL_AGE = 18
"""The age in years of full legal capacity (Civil Code of the Kyrgyz Republic)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentCase:
    """A request with the consent that it presents."""

    request: DisclosureRequest
    ground: ConsentGround
    consent: Consent
    agreement: Agreement | None
    operator: MemberCode
    at: datetime

    @property
    def today(self) -> date:
        """The day in the Kyrgyz Republic, by which documents and ages are dated."""
        return legal_day(self.at)


def _consent_signed_by_party(case: ConsentCase) -> Ruling:
    if case.ground.use.digest_differs:
        return fails(Code.CNS_02, Reason(code=Code.CNS_02, because=Code.REQ_04, field="consentId"))
    return judge_proof(Code.CNS_02, case.ground.proof, signed_by_party=_signed_by_party(case))


def _signed_by_party(case: ConsentCase) -> bool:
    """Return whether the right party signed.

    That party is the subject, the representative, or, for a consent on paper, the official who took
    it.
    """
    signer, consent = case.ground.proof.signer, case.consent
    if signer is None:
        return False
    if consent.paper is not None:
        return signer.official is not None and signer.official == consent.paper.official
    if consent.representative is not None:
        return signer.pin is not None and signer.pin == consent.representative.pin
    return signer.pin == consent.subject


def _consent_begun(case: ConsentCase) -> Ruling:
    return holds(Code.CNS_03, has_begun(case.consent.begins_at, at=case.at), "validFrom")


def _consent_not_expired(case: ConsentCase) -> Ruling:
    # A term that ends when it begins contains no instant, even within the clock tolerance.
    latest = max(case.at, case.consent.begins_at)
    return holds(Code.CNS_04, latest < case.consent.valid_to, "validTo")


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
    representation = case.consent.representative
    if representation is None:
        return holds(Code.CNS_11, True)
    return holds_each(
        Code.CNS_11,
        agreementNumber=case.agreement is not None and case.agreement.representatives_allowed,
        representative=representation.pin is not None
        and representation.pin != case.consent.subject,
        authority=_has_authority(representation, case.consent.subject, case.today),
        authorityDocument=case.ground.authority_held,
    )


def _has_authority(representation: Representation, subject: Pin, today: date) -> bool:
    """Return whether the representative has authority on this day.

    A parent or guardian must be of age and the subject a minor. A stated last day must not have
    passed. A power of attorney must state its last day.
    """
    lasts = representation.valid_to is not None and today <= representation.valid_to
    match representation.kind:
        case AuthorityKind.PARENT | AuthorityKind.GUARDIAN:
            of_age = representation.pin is not None and representation.pin.age_on(today) >= FULL_AGE
            ended = representation.valid_to is not None and not lasts
            return of_age and subject.age_on(today) < FULL_AGE and not ended
        case AuthorityKind.POWER_OF_ATTORNEY:
            return lasts
    return False


def _consent_paper_allowed(case: ConsentCase) -> Ruling:
    paper = case.consent.paper
    if paper is None:
        return holds(Code.CNS_12, True)
    employee = case.request.employee
    signed_on = legal_day(case.consent.given_at)
    return holds_each(
        Code.CNS_12,
        paper=case.agreement is not None and case.agreement.paper_allowed,
        employee=employee is not None and not _same_person(employee, paper.official),
        date=paper.date <= signed_on and paper.date <= legal_day(case.at + CLOCK_TOLERANCE),
    )


def _same_person(employee: str, official: str) -> bool:
    """Return whether two identifiers name the same person, regardless of how they are typed.

    Case, spaces and compatibility characters are ignored (Unicode TR 15, NFKC).
    """
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
