"""Rules that judge whether a basis statement permits data without consent (Procedure, cl. 5)."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from makul.domain.agreements import Agreement
from makul.domain.attributes import Attribute
from makul.domain.calendar import has_begun
from makul.domain.disclosures import (
    BasisGround,
    DisclosureRequest,
)
from makul.domain.eligibility import within
from makul.domain.identifiers import PurposeCode
from makul.domain.legal_bases import SECRECY_CLAUSE, BasisStatement, Provision
from makul.domain.reasons import Code, Reason
from makul.domain.recipients import Recipient
from makul.domain.rules import Rule, Ruling, fails, holds, holds_each, not_applicable
from makul.domain.signature_proof import judge_proof


@dataclass(frozen=True, slots=True, kw_only=True)
class BasisCase:
    """A request with the basis statement that it presents."""

    request: DisclosureRequest
    ground: BasisGround
    statement: BasisStatement
    recipient: Recipient | None
    agreement: Agreement | None
    at: datetime

    @property
    def provision(self) -> Provision | None:
        """The provision invoked; None if cl. 5 does not contain it."""
        provision = self.statement.provision
        return Provision(provision) if provision in _PROVISIONS else None

    @property
    def powers(self) -> Mapping[PurposeCode, frozenset[Attribute]] | None:
        """The body's powers, which bound an official request; None for other provisions.

        See the Procedure, cl. 5.3.
        """
        if self.provision is not Provision.OFFICIAL_REQUEST:
            return None
        return self.agreement.powers if self.agreement is not None else {}


_PROVISIONS = frozenset(provision.value for provision in Provision)


def _basis_signed_by_official(case: BasisCase) -> Ruling:
    signer = case.ground.proof.signer
    official = signer.official if signer is not None else None
    by_official = official is not None and official == case.statement.official
    if case.ground.use.digest_differs:
        reason = Reason(code=Code.LAW_09, because=Code.REQ_04, field="statementId")
        return fails(Code.LAW_09, reason)
    return judge_proof(Code.LAW_09, case.ground.proof, signed_by_party=by_official)


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
    """Return whether the disclosure may be kept from the subject.

    Only a provision of cl. 5.1 allows this, and for no longer than the settings allow.
    """
    issued_at, hidden_until = case.statement.issued_at, case.statement.hidden_until
    if hidden_until is None:
        return True
    return (
        provision.clause == SECRECY_CLAUSE
        and hidden_until - issued_at <= case.ground.hidden_at_most
    )


def _basis_complete(case: BasisCase) -> Ruling:
    statement, act = case.statement, case.statement.act
    return holds_each(
        Code.LAW_03,
        citation=_is_stated(statement.citation),
        authorisingAct=_is_stated(act.issuer)
        and _is_stated(act.number)
        and act.issued_on <= statement.issued_on,
        caseNumber=_is_stated(statement.case_number),
        official=_is_stated(statement.official),
        justification=_is_stated(statement.justification),
    )


def _is_stated(text: str) -> bool:
    return bool(text.strip())


def _basis_attributes_within_powers(case: BasisCase) -> Ruling:
    if case.statement.result_form is not case.request.operation.result_form:
        return holds(Code.LAW_04, False, "resultForm")
    if case.powers is not None and case.request.purpose not in case.powers:
        return holds(Code.LAW_04, False, "purpose")
    return within(Code.LAW_04, case.request.attributes, covered_by(case))


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
    issued_at = case.statement.issued_at
    ended = max(case.at, issued_at) >= case.statement.valid_to
    return holds(Code.LAW_07, has_begun(issued_at, at=case.at) and not ended)


def _basis_not_used_up(case: BasisCase) -> Ruling:
    spent = case.ground.use.revoked or case.ground.use.used >= case.statement.max_disclosures
    return holds(Code.LAW_08, not spent)


def covered_by(case: BasisCase) -> frozenset[str]:
    """Return the attributes that the statement lists.

    For an official request they are limited to the powers (cl. 5.3).
    """
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
