"""Rules on recipient and agreement, judged before any document is opened (cl. 3 and 7)."""

from dataclasses import dataclass, field
from datetime import datetime

from makul.domain.agreements import Agreement, AgreementState, Delivery
from makul.domain.attributes import Attribute
from makul.domain.consents import ResultForm
from makul.domain.delivery_encryption import EncryptionCertificate
from makul.domain.disclosures import DisclosureRequest
from makul.domain.reasons import Code, Reason
from makul.domain.recipients import Recipient, RecipientState
from makul.domain.rules import Rule, Ruling, fails, holds, not_applicable, unknown


@dataclass(frozen=True, slots=True, kw_only=True)
class EligibilityCase:
    """A request with the recipient and agreement that it names, as the record holds them."""

    request: DisclosureRequest
    recipient: Recipient | None
    agreement: Agreement | None
    at: datetime
    encryption_certificate: EncryptionCertificate | None = None
    """The encryption certificate, looked up if the agreement's delivery is `SEALED`.

    None means that no certificate is registered.
    """
    bound_to_secrecy: bool = False
    """True if the employee of the request has an undertaking in force (cl. 16).

    It is looked up only if the agreement requires undertakings.
    """

    usable_agreement: Agreement | None = field(init=False, repr=False, compare=False)
    """The agreement if it is the one named and belongs to this recipient; otherwise None."""

    def __post_init__(self) -> None:
        agreement, request = self.agreement, self.request
        usable = (
            agreement is not None
            and agreement.number == request.agreement_number
            and agreement.recipient == request.recipient
        )
        object.__setattr__(self, "usable_agreement", agreement if usable else None)


def _registered(case: EligibilityCase) -> Recipient | None:
    """Return the recipient, unless it was removed from the register."""
    recipient = case.recipient
    return recipient if recipient is not None and recipient.is_registered else None


def _recipient_known(case: EligibilityCase) -> Ruling:
    known = _registered(case)
    return holds(Code.RCP_01, known is not None and known.code == case.request.recipient)


def _not_on_hold(case: EligibilityCase) -> Ruling:
    recipient = _registered(case)
    if recipient is None:
        return not_applicable(Code.RCP_02)
    # An unknown state also counts as a hold. A cut-off recipient has a reason of its own (RCP-03).
    going = recipient.state in (RecipientState.ACTIVE, RecipientState.CUT_OFF)
    return holds(Code.RCP_02, going)


def _not_cut_off(case: EligibilityCase) -> Ruling:
    recipient = _registered(case)
    if recipient is None:
        return not_applicable(Code.RCP_03)
    return holds(Code.RCP_03, recipient.state != RecipientState.CUT_OFF)


def _agreement_in_force(case: EligibilityCase) -> Ruling:
    agreement = case.usable_agreement
    if agreement is not None and agreement.state is AgreementState.TERMINATED:
        return not_applicable(Code.AGR_01)
    return holds(
        Code.AGR_01, agreement is not None and agreement.covers(case.at), "agreementNumber"
    )


def _agreement_not_terminated(case: EligibilityCase) -> Ruling:
    agreement = case.usable_agreement
    if agreement is None:
        return not_applicable(Code.AGR_02)
    return holds(Code.AGR_02, agreement.state is not AgreementState.TERMINATED, "agreementNumber")


def _channel_agreed(case: EligibilityCase) -> Ruling:
    agreement = case.usable_agreement
    if agreement is None:
        return not_applicable(Code.REQ_08)
    return holds(Code.REQ_08, case.request.channel in agreement.channels)


def _purpose_agreed(case: EligibilityCase) -> Ruling:
    agreement = case.usable_agreement
    if agreement is None:
        return not_applicable(Code.AGR_03)
    return holds(Code.AGR_03, case.request.purpose in agreement.purposes, "purpose")


def _competence_stated(case: EligibilityCase) -> Ruling:
    """Judge whether the agreement names the act of law for this purpose (cl. 3 a to c and e).

    Any act counts that the three parties have signed. An agreement that is older than this rule
    names none, so it gives nothing to these kinds until a new one is concluded.
    """
    agreement, recipient = case.usable_agreement, case.recipient
    purpose = case.request.purpose
    if agreement is None or recipient is None or purpose not in agreement.purposes:
        return not_applicable(Code.AGR_07)
    return holds(
        Code.AGR_07,
        purpose not in agreement.purposes_without_competence(recipient.kind),
        "purpose",
    )


def _attributes_agreed(case: EligibilityCase) -> Ruling:
    agreement = case.usable_agreement
    if agreement is None:
        return not_applicable(Code.AGR_04)
    if case.request.operation.result_form is ResultForm.DATA and not case.request.attributes:
        return holds(Code.AGR_04, False, "requestedAttributes")
    return within(Code.AGR_04, case.request.attributes, agreement.attributes)


def _methods_agreed(case: EligibilityCase) -> Ruling:
    agreement = case.usable_agreement
    if agreement is None:
        return not_applicable(Code.AGR_05)
    methods = case.request.methods
    return holds(Code.AGR_05, bool(methods) and methods <= agreement.methods, "methods")


def _employee_bound(case: EligibilityCase) -> Ruling:
    """Judge the employee only by the agreement: the person who is asked about changes nothing."""
    agreement = case.usable_agreement
    if agreement is None or not agreement.undertakings_required:
        return not_applicable(Code.RCP_05)
    named = bool(case.request.employee)
    return holds(Code.RCP_05, named and case.bound_to_secrecy, "employee")


def can_be_encrypted(case: EligibilityCase) -> Ruling:
    """Judge whether data that must be encrypted have a valid certificate at this moment."""
    agreement = case.usable_agreement
    data = case.request.operation.result_form is ResultForm.DATA
    if agreement is None or agreement.delivery is not Delivery.SEALED or not data:
        return not_applicable(Code.RCP_04)
    if case.encryption_certificate is None:
        return holds(Code.RCP_04, False, SEALED_FIELD)
    code = case.encryption_certificate.against
    if code is None:
        return holds(Code.RCP_04, True)
    reason = Reason(code=Code.RCP_04, because=code, field=SEALED_FIELD)
    if code is Code.SIG_07:
        return unknown(Code.RCP_04, reason)
    return fails(Code.RCP_04, reason)


SEALED_FIELD = "sealed"
"""The answer's element that could not be made.

It distinguishes this RCP-04 from one about a message.
"""

ENTRY_RULES: tuple[Rule[EligibilityCase], ...] = (
    Rule(Code.RCP_01, _recipient_known),
    Rule(Code.RCP_02, _not_on_hold),
    Rule(Code.RCP_03, _not_cut_off),
    Rule(Code.AGR_01, _agreement_in_force),
    Rule(Code.AGR_02, _agreement_not_terminated, ("7",)),
    Rule(Code.REQ_08, _channel_agreed, ("9",)),
)
"""Rules on the recipient, agreement and channel, which do not depend on what is requested."""

ELIGIBILITY_RULES: tuple[Rule[EligibilityCase], ...] = (
    *ENTRY_RULES,
    Rule(Code.AGR_03, _purpose_agreed, ("2",)),
    Rule(Code.AGR_07, _competence_stated, ("7",)),
    Rule(Code.AGR_04, _attributes_agreed),
    Rule(Code.AGR_05, _methods_agreed),
    Rule(Code.RCP_04, can_be_encrypted),
    Rule(Code.RCP_05, _employee_bound, ("15",)),
)


def find_stop(recipient: Recipient | None, agreement: Agreement | None = None) -> Reason | None:
    """Return why this recipient gets nothing about earlier decisions any longer.

    The reason is RCP-02 on hold, RCP-03 if cut off, and AGR-02 if `agreement`, under which the
    decision was made, is terminated (cl. 12). An expired term stops nothing: the recipient needs
    its receipts for the monthly check of its last month (cl. 11).
    """
    if recipient is None or not recipient.is_registered:
        return Reason(code=Code.RCP_01)
    if recipient.state == RecipientState.CUT_OFF:
        return Reason(code=Code.RCP_03)
    if recipient.state != RecipientState.ACTIVE:
        return Reason(code=Code.RCP_02)
    if agreement is None or agreement.recipient != recipient.code:
        return None
    terminated = agreement.state is AgreementState.TERMINATED
    return Reason(code=Code.AGR_02) if terminated else None


def judge_entry(case: EligibilityCase) -> tuple[Ruling, ...]:
    """Judge the rules that can be answered before the requested content is read."""
    return tuple(rule.judge(case) for rule in ENTRY_RULES)


def judge_eligibility(case: EligibilityCase) -> tuple[Ruling, ...]:
    """Judge every rule on recipient and agreement."""
    return tuple(rule.judge(case) for rule in ELIGIBILITY_RULES)


def within(code: Code, requested: frozenset[str], allowed: frozenset[str]) -> Ruling:
    """Pass if everything requested is allowed; otherwise fail with one reason for each excess name.

    A name that is no attribute is reported without being repeated.
    """
    beyond = requested - allowed
    if not beyond:
        return holds(code, True)
    names = {name if name in _ATTRIBUTE_NAMES else "requestedAttributes" for name in beyond}
    return fails(code, *(Reason(code=code, field=name) for name in sorted(names)))


_ATTRIBUTE_NAMES = frozenset(attribute.value for attribute in Attribute)
