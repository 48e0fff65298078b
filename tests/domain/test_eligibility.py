"""Eligibility: recipient and agreement before any document is read (Procedure, cl. 3, 7 and 12)."""

from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from makul.domain.agreements import AgreementState, Channel, Delivery
from makul.domain.attributes import Attribute
from makul.domain.delivery_encryption import EncryptionCertificate
from makul.domain.disclosures import Operation
from makul.domain.eligibility import (
    EligibilityCase,
    can_be_encrypted,
    find_stop,
    judge_eligibility,
)
from makul.domain.identifiers import AgreementNumber
from makul.domain.reasons import Code
from makul.domain.recipients import NOTARIES, PUBLIC_BODIES, RecipientKind, RecipientState
from makul.domain.rules import Ruling, Verdict
from makul_testing.builders.cases import (
    ACCOUNT_OPENING,
    AT,
    BANK_AGREEMENT,
    BY_CONSENT,
    BY_LAW,
    MARKETING,
    STRANGER_CODE,
    Case,
)

INSTANT = timedelta(microseconds=1)


def refusals(case: Case) -> set[tuple[str, str | None]]:
    """Return codes and fields that stop the request before any document is read."""
    judged = judge_eligibility(
        EligibilityCase(
            request=case.request, recipient=case.recipient, agreement=case.agreement, at=case.at
        )
    )
    return {(reason.code.value, reason.field) for ruling in judged for reason in ruling.reasons}


@pytest.mark.parametrize("case", [BY_CONSENT, BY_LAW])
def test_a_recipient_with_an_agreement_is_eligible(case: Case) -> None:
    """Procedure, cl. 7: under the terms of the agreement, no rule stops the request."""
    assert refusals(case) == set()


# --- the recipient (cl. 3 and 12) -------------------------------------------------------------


def test_an_unregistered_caller_is_no_recipient() -> None:
    """Procedure, cl. 3: recipients are those named there, as registered."""
    assert ("RCP-01", None) in refusals(BY_CONSENT.but(recipient=None))


def test_the_record_of_another_recipient_does_not_serve() -> None:
    """A recipient that was looked up under another's code is not the caller."""
    assert refusals(BY_CONSENT.by(code=STRANGER_CODE)) == {("RCP-01", None)}


@pytest.mark.parametrize(
    ("state", "code"), [(RecipientState.ON_HOLD, "RCP-02"), (RecipientState.CUT_OFF, "RCP-03")]
)
def test_a_stopped_recipient_gets_nothing(state: RecipientState, code: str) -> None:
    """Procedure, cl. 12: the authorised body stops the recipient completely."""
    assert refusals(BY_CONSENT.by(state=state)) == {(code, None)}


def test_a_removed_recipient_counts_as_unknown() -> None:
    """Procedure, cl. 3: who was removed from the register is no recipient, in any answer."""
    removed = BY_CONSENT.by(state=RecipientState.REMOVED)

    assert ("RCP-01", None) in refusals(removed)
    assert refusals(removed) == refusals(BY_CONSENT.but(recipient=None))
    stop = find_stop(removed.recipient)
    assert stop is not None
    assert stop.code is Code.RCP_01


@pytest.mark.parametrize("state", ["CUT_OFF", "ON_HOLD", "SUSPENDED", ""])
def test_a_state_that_is_no_state_gives_nothing(state: str) -> None:
    """A state that was read as plain text never counts as active."""
    assert refusals(BY_CONSENT.by(state=cast("Any", state)))


def test_every_kind_of_recipient_is_one_of_clause_3() -> None:
    """Procedure, cl. 3 a to e: there are fourteen kinds, each with its sub-clause."""
    clauses = {kind: kind.clause for kind in RecipientKind}

    assert len(clauses) == 14
    assert set(clauses.values()) == {"3a", "3b", "3c", "3d", "3e"}
    assert {kind for kind in clauses if clauses[kind] in {"3a", "3b", "3c"}} == PUBLIC_BODIES
    assert {kind for kind in clauses if clauses[kind] == "3e"} == NOTARIES
    assert clauses[RecipientKind.LAW_ENFORCEMENT] == "3a"
    assert clauses[RecipientKind.SPECIAL_STATUS_BODY] == "3b"
    assert clauses[RecipientKind.GAMING] == "3d"


# --- the agreement (cl. 7) --------------------------------------------------------------------


def test_without_an_agreement_nothing_is_given() -> None:
    """Procedure, cl. 7: data are given only under the terms of an agreement."""
    assert refusals(BY_CONSENT.but(agreement=None)) == {("AGR-01", "agreementNumber")}


@pytest.mark.parametrize(
    "other",
    [
        replace(BANK_AGREEMENT, recipient=STRANGER_CODE),
        replace(BANK_AGREEMENT, number=AgreementNumber("TEST-9")),
    ],
    ids=["another recipient's", "another number"],
)
def test_only_the_recipients_own_agreement_of_that_number_serves(other: Any) -> None:
    """Procedure, cl. 7: the agreement must be this recipient's."""
    assert refusals(BY_CONSENT.but(agreement=other)) == {("AGR-01", "agreementNumber")}


def test_a_draft_gives_nothing() -> None:
    """Procedure, cl. 7: an agreement must be concluded, not only drawn up."""
    draft = BY_CONSENT.under(state=AgreementState.DRAFT)

    assert refusals(draft) == {("AGR-01", "agreementNumber")}


def test_a_terminated_agreement_has_its_own_reason() -> None:
    """Procedure, cl. 12: the reason is AGR-02 and not only AGR-01."""
    terminated = BY_CONSENT.under(state=AgreementState.TERMINATED)

    assert refusals(terminated) == {("AGR-02", "agreementNumber")}


@pytest.mark.parametrize(
    ("at", "in_force"),
    [
        (BANK_AGREEMENT.valid_from - INSTANT, False),
        (BANK_AGREEMENT.valid_from, True),
        (BANK_AGREEMENT.valid_to - INSTANT, True),
        (BANK_AGREEMENT.valid_to, False),
    ],
)
def test_term_of_an_agreement_is_half_open(at: Any, in_force: bool) -> None:
    """Procedure, cl. 7: an agreement is in force from its first instant until before its last."""
    assert (refusals(BY_CONSENT.but(at=at)) == set()) is in_force


def test_a_naive_time_is_an_error_not_an_answer() -> None:
    """docs/architecture.md, invariant 10: a naive instant cannot be compared, so
    nothing is given.
    """
    with pytest.raises(TypeError):
        refusals(BY_CONSENT.but(at=AT.replace(tzinfo=None)))


@pytest.mark.parametrize("channel", [Channel.XROAD, Channel.MTLS])
def test_the_channel_is_one_that_was_agreed(channel: Channel) -> None:
    """Procedure, cl. 7 and 9: the channel must be one that the parties agreed on."""
    assert refusals(BY_CONSENT.asking(channel=channel)) == {("REQ-08", None)}


def test_the_purpose_is_one_that_was_agreed() -> None:
    """Procedure, cl. 2 and 7: data are given only for an agreed purpose."""
    assert refusals(BY_CONSENT.asking(purpose=MARKETING)) == {("AGR-03", "purpose")}


def test_every_attribute_beyond_the_agreement_is_named() -> None:
    """Procedure, cl. 7; docs/architecture.md, invariant 3: one attribute too many refuses the
    whole.
    """
    greedy = BY_CONSENT.asking(
        attributes=BY_CONSENT.request.attributes | {Attribute.FACE_IMAGE, Attribute.SEX}
    )

    assert refusals(greedy) == {("AGR-04", "faceImage"), ("AGR-04", "sex")}


@pytest.mark.parametrize("name", ["*", "surname ", "Surname", "", "hair", "сurname"])
def test_a_name_that_is_no_attribute_is_refused_and_not_repeated(name: str) -> None:
    """The list is closed, and a stranger's text is not repeated."""
    asking = BY_CONSENT.asking(attributes=frozenset({name}))

    assert refusals(asking) == {("AGR-04", "requestedAttributes")}


@pytest.mark.parametrize("kind", RecipientKind)
def test_public_bodies_and_notaries_act_within_their_competence(kind: RecipientKind) -> None:
    """Procedure, cl. 3 a to c and e: the agreement names the act of law for the purpose."""
    stated = BY_CONSENT.by(kind=kind).under(competences={ACCOUNT_OPENING: "A law, art. 1"})
    bound = kind in PUBLIC_BODIES | NOTARIES

    assert refusals(stated) == set()
    for competences in ({}, {MARKETING: "A law"}, {ACCOUNT_OPENING: " "}):
        refused = refusals(stated.under(competences=competences))
        assert refused == ({("AGR-07", "purpose")} if bound else set())


def test_a_request_for_data_names_attributes() -> None:
    """GetPersonData without an attribute would be a VerifyPerson without consent."""
    assert refusals(BY_CONSENT.asking(attributes=frozenset())) == {
        ("AGR-04", "requestedAttributes")
    }
    assert not refusals(
        BY_CONSENT.asking(attributes=frozenset(), operation=Operation.VERIFY_PERSON)
    )


@pytest.mark.parametrize(
    "methods", [{"face"}, {"demographic", "face"}, {"demographic", "iris"}, set()]
)
def test_matching_is_by_methods_that_were_agreed(methods: set[str]) -> None:
    """Procedure, cl. 7 and 10: at least one method is needed, and each must be agreed."""
    assert refusals(BY_CONSENT.asking(methods=frozenset(methods))) == {("AGR-05", "methods")}


def test_all_reasons_are_returned_at_once() -> None:
    """A developer corrects a request once, not five times."""
    wrong = BY_CONSENT.asking(
        purpose=MARKETING,
        channel=Channel.XROAD,
        methods=frozenset({"face"}),
        attributes=frozenset({"faceImage"}),
    ).by(state=RecipientState.ON_HOLD)

    assert {code for code, _ in refusals(wrong)} == {
        "RCP-02",
        "REQ-08",
        "AGR-03",
        "AGR-04",
        "AGR-05",
    }


def test_terms_are_revealed_only_to_their_recipient() -> None:
    """Another recipient's agreement number gives only AGR-01, for any content of that agreement."""
    theirs = replace(BANK_AGREEMENT, recipient=STRANGER_CODE, purposes=frozenset({MARKETING}))
    asking = BY_CONSENT.but(agreement=theirs)

    assert refusals(asking) == refusals(asking.asking(purpose=MARKETING))


# --- rulings ----------------------------------------------------------------------------------


def test_a_negative_verdict_always_has_a_reason() -> None:
    """A reader of reasons must not take a failed rule for a pass."""
    code = BY_CONSENT.under(state=AgreementState.DRAFT).decide().reasons[0].code
    for verdict in (Verdict.FAILED, Verdict.UNKNOWN):
        with pytest.raises(ValueError, match="AGR-01"):
            Ruling(code, verdict)


def test_a_ruling_refuses_truth_testing() -> None:
    """`if ruling:` would take a failed rule for a pass."""
    with pytest.raises(TypeError, match="no truth of"):
        bool(BY_CONSENT.decide().rulings[0])


SEALED_TERMS = {"delivery": Delivery.SEALED}
GOOD_CERTIFICATE = EncryptionCertificate(der=b"a certificate", against=None)


@pytest.mark.parametrize(
    ("encryption_certificate", "verdict", "because"),
    [
        (GOOD_CERTIFICATE, Verdict.PASSED, None),
        (None, Verdict.FAILED, None),
        (replace(GOOD_CERTIFICATE, against=Code.SIG_06), Verdict.FAILED, Code.SIG_06),
        (replace(GOOD_CERTIFICATE, against=Code.SIG_07), Verdict.UNKNOWN, Code.SIG_07),
    ],
)
def test_encrypted_delivery_needs_a_good_certificate(
    encryption_certificate: EncryptionCertificate | None, verdict: Verdict, because: Code | None
) -> None:
    """Procedure, cl. 7: delivery is as agreed; an undetermined certificate is no yes."""
    case = BY_CONSENT.under(**SEALED_TERMS)
    ruling = can_be_encrypted(
        EligibilityCase(
            request=case.request,
            recipient=case.recipient,
            agreement=case.agreement,
            at=case.at,
            encryption_certificate=encryption_certificate,
        )
    )

    assert ruling.verdict is verdict
    assert [reason.because for reason in ruling.reasons] == (
        [] if verdict is Verdict.PASSED else [because]
    )
    assert all(reason.field == "sealed" for reason in ruling.reasons)


# --- secrecy (cl. 15 and 16) ------------------------------------------------------------------


@pytest.mark.parametrize("required", [True, False])
@pytest.mark.parametrize("employee", [None, "", "teller-7"])
@pytest.mark.parametrize("bound", [True, False])
def test_an_employee_is_bound_where_the_agreement_demands_it(
    required: bool, employee: str | None, bound: bool
) -> None:
    """Procedure, cl. 16: RCP-05 without an undertaking in force, and without a named employee."""
    case = BY_CONSENT
    terms = replace(BANK_AGREEMENT, undertakings_required=required)
    judged = judge_eligibility(
        EligibilityCase(
            request=replace(case.request, employee=employee),
            recipient=case.recipient,
            agreement=terms,
            at=case.at,
            bound_to_secrecy=bound,
        )
    )

    codes = {reason.code for ruling in judged for reason in ruling.reasons}
    assert codes == ({Code.RCP_05} if required and not (employee and bound) else set())


def test_another_recipients_agreement_says_nothing_about_secrecy() -> None:
    """Procedure, cl. 7: the terms of a foreign agreement are not judged."""
    terms = replace(BANK_AGREEMENT, recipient=STRANGER_CODE, undertakings_required=True)

    assert ("RCP-05", "employee") not in refusals(BY_CONSENT.but(agreement=terms))
