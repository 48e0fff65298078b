"""A subject's consent is compared with the request (Procedure, cl. 4)."""

from datetime import datetime, timedelta
from typing import Any, cast

import pytest

from makul.domain.attributes import Attribute
from makul.domain.calendar import CLOCK_TOLERANCE
from makul.domain.consents import ConsentState, ResultForm, consent_state
from makul.domain.disclosures import (
    ConsentGround,
    DocumentSigner,
    GroundKind,
    GroundUse,
    Operation,
    Outcome,
    Proof,
    ProofStatus,
    reference,
)
from makul.domain.identifiers import AgreementNumber
from makul.domain.reasons import Code, Reason, leaves_open
from makul_testing.builders.cases import (
    AT,
    BODY_CODE,
    BY_CONSENT,
    CONSENT,
    CONSENT_GROUND,
    DAY,
    FORGED,
    MARKETING,
    REVOCATION_UNKNOWN,
    SIGNED_BY_SUBJECT,
    SOMEONE_ELSE,
    STRANGER_CODE,
)

INSTANT = timedelta(microseconds=1)


def test_a_complete_consent_permits_the_request() -> None:
    """Procedure, cl. 4: with the subject's consent, data may be given."""
    assert BY_CONSENT.against() == set()
    assert BY_CONSENT.decide().permitted


def test_a_missing_document_is_no_consent() -> None:
    """Procedure, cl. 4: data need the subject's consent."""
    assert BY_CONSENT.but(ground=None).against() == {("CNS-01", "ground")}


# --- who signed it ----------------------------------------------------------------------------


def test_a_forged_signature_fails_with_its_cause() -> None:
    """Procedure, cl. 4: a consent has the subject's signature."""
    decision = BY_CONSENT.on(proof=FORGED).decide()

    assert decision.reasons == (Reason(code=Code.CNS_02, because=Code.SIG_02),)
    assert decision.outcome_if_not_permitted is Outcome.REFUSED


def test_an_unknown_revocation_status_is_neither_yes_nor_no() -> None:
    """ETSI EN 319 102-1, 5.1.3: the result is indeterminate; nothing is disclosed, the id stays
    open.
    """
    decision = BY_CONSENT.on(proof=REVOCATION_UNKNOWN).decide()

    assert not decision.permitted
    assert decision.outcome_if_not_permitted is Outcome.UNDETERMINED
    assert decision.reasons == (Reason(code=Code.CNS_02, because=Code.SIG_07),)
    assert leaves_open(decision.reasons)


def test_an_indeterminate_proof_without_a_cause_says_that_status_is_unknown() -> None:
    """A negative verdict always has a reason."""
    proof = Proof(status=ProofStatus.INDETERMINATE, signer=SIGNED_BY_SUBJECT.signer)

    assert BY_CONSENT.on(proof=proof).decide().reasons[0].because is Code.SIG_07


def test_an_indeterminate_proof_names_its_causes() -> None:
    """The reason names every cause that was found, and no other."""
    proof = Proof(
        status=ProofStatus.INDETERMINATE,
        reasons=(Code.SIG_09, Code.SIG_07),
        signer=SIGNED_BY_SUBJECT.signer,
    )
    causes = [reason.because for reason in BY_CONSENT.on(proof=proof).decide().reasons]

    assert causes == [Code.SIG_09, Code.SIG_07]


@pytest.mark.parametrize(
    "signer",
    [
        DocumentSigner(fingerprint=bytes(32), pin=SOMEONE_ELSE),
        DocumentSigner(fingerprint=bytes(32), pin=None),
        DocumentSigner(fingerprint=bytes(32), pin=None, official="official-1"),
    ],
    ids=["another citizen", "no PIN in the certificate", "an official"],
)
def test_only_the_subject_signs_a_consent(signer: DocumentSigner) -> None:
    """Procedure, cl. 4: the subject signs; a bank cannot sign for its customer."""
    proof = Proof(status=ProofStatus.PASSED, signer=signer)

    assert BY_CONSENT.on(proof=proof).decide().reasons == (
        Reason(code=Code.CNS_02, because=Code.SIG_08),
    )


@pytest.mark.parametrize(
    "proof",
    [
        Proof(status=ProofStatus.PASSED),
        Proof(status=ProofStatus.PASSED, reasons=(Code.SIG_04,), signer=SIGNED_BY_SUBJECT.signer),
        Proof(status=ProofStatus.FAILED, signer=SIGNED_BY_SUBJECT.signer),
        Proof(status=cast("Any", "FAILED"), signer=SIGNED_BY_SUBJECT.signer),
        Proof(status=cast("Any", "TOTAL-PASSED"), signer=SIGNED_BY_SUBJECT.signer),
    ],
    ids=["no signer", "passed with a reason", "no reason", "plain text", "a word of its own"],
)
def test_a_proof_that_contradicts_itself_proves_nothing(proof: Proof) -> None:
    """Only PASSED, with a signer and without a reason, is a proof."""
    assert BY_CONSENT.on(proof=proof).codes() == {"CNS-02"}


def test_a_document_that_could_not_be_read_is_no_consent() -> None:
    """docs/architecture.md, invariant 2: an unread document grants nothing, with any signature."""
    decision = BY_CONSENT.on(consent=None).decide()

    assert {reason.code for reason in decision.reasons} == {Code.CNS_02}
    assert decision.releasable == frozenset()


def test_the_same_id_on_other_bytes_is_another_document() -> None:
    """The usage of a consent is counted for its own bytes, so nobody can exchange them
    under an id.
    """
    swapped = BY_CONSENT.on(use=GroundUse(digest_differs=True))

    assert swapped.decide().reasons == (
        Reason(code=Code.CNS_02, because=Code.REQ_04, field="consentId"),
    )


# --- its term and its use ---------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "codes"),
    [
        (CONSENT.valid_from - CLOCK_TOLERANCE - INSTANT, {"CNS-03"}),
        (CONSENT.valid_from - CLOCK_TOLERANCE, set()),
        (CONSENT.valid_from, set()),
        (CONSENT.valid_to - INSTANT, set()),
        (CONSENT.valid_to, {"CNS-04"}),
    ],
)
def test_term_of_a_consent_is_half_open(at: datetime, codes: set[str]) -> None:
    """Procedure, cl. 4: a consent is in force from its first instant until before its last.

    The signer's clock may be ahead by as much as a message's.
    """
    assert BY_CONSENT.but(at=at).codes() == codes


def test_a_consent_does_not_reach_back_before_it_was_given() -> None:
    """A term that begins before the signature covers nothing before it."""
    given_at = AT + CLOCK_TOLERANCE + INSTANT
    backdated = BY_CONSENT.saying(given_at=given_at, valid_from=AT - 30 * DAY)

    assert backdated.codes() == {"CNS-03"}
    assert backdated.but(at=AT + INSTANT).codes() == set()


@pytest.mark.parametrize(
    "term",
    [
        {"valid_from": AT + DAY, "valid_to": AT - DAY},
        {"valid_from": AT, "valid_to": AT},
        {"given_at": AT + DAY, "valid_to": AT + DAY},
    ],
    ids=["ends before it begins", "empty", "given when it ends"],
)
def test_a_reversed_term_is_never_in_force(term: dict[str, datetime]) -> None:
    """Such a consent gives data at no instant."""
    case = BY_CONSENT.saying(**term)

    moments = [timedelta(hours=hours) for hours in range(-72, 73, 6)]
    moments += [shift - CLOCK_TOLERANCE / 2 for shift in (-DAY, timedelta(), DAY)]
    for moment in moments:
        assert not case.but(at=AT + moment).decide().permitted


def test_a_revoked_consent_gives_nothing() -> None:
    """Procedure, cl. 4: a revoked consent is no consent."""
    assert BY_CONSENT.on(use=GroundUse(revoked=True)).codes() == {"CNS-05"}


@pytest.mark.parametrize(
    ("used", "allowed", "codes"),
    [
        (0, 1, set()),
        (1, 1, {"CNS-06"}),
        (2, 1, {"CNS-06"}),
        (2, 3, set()),
        (0, 0, {"CNS-06"}),
        (0, -1, {"CNS-06"}),
    ],
)
def test_a_consent_has_a_number_of_uses(used: int, allowed: int, codes: set[str]) -> None:
    """Procedure, cl. 4: consent to one disclosure is not consent to two."""
    case = BY_CONSENT.saying(max_disclosures=allowed).on(use=GroundUse(used=used))

    assert case.codes() == codes


@pytest.mark.parametrize(
    ("changes", "state"),
    [
        ({}, ConsentState.IN_FORCE),
        ({"at": CONSENT.valid_from - CLOCK_TOLERANCE - INSTANT}, ConsentState.PENDING),
        ({"at": CONSENT.valid_from - CLOCK_TOLERANCE}, ConsentState.IN_FORCE),
        ({"at": CONSENT.valid_from}, ConsentState.IN_FORCE),
        ({"at": CONSENT.valid_from, "valid_to": CONSENT.valid_from}, ConsentState.EXPIRED),
        ({"at": CONSENT.valid_to}, ConsentState.EXPIRED),
        ({"at": CONSENT.valid_to - INSTANT}, ConsentState.IN_FORCE),
        ({"used": 1}, ConsentState.USED_UP),
        ({"used": 1, "at": CONSENT.valid_to}, ConsentState.USED_UP),
        ({"used": 1, "revoked": True}, ConsentState.REVOKED),
        ({"revoked": True, "at": CONSENT.valid_from - INSTANT}, ConsentState.REVOKED),
        ({"allowed": 0}, ConsentState.USED_UP),
    ],
)
def test_state_of_a_consent_is_reported(changes: dict[str, Any], state: ConsentState) -> None:
    """GetConsentStatus reports the strongest state of a consent."""
    now: dict[str, Any] = {
        "valid_from": CONSENT.valid_from,
        "valid_to": CONSENT.valid_to,
        "used": 0,
        "allowed": 1,
        "revoked": False,
        "at": AT,
    }

    assert consent_state(**(now | changes)) is state


# --- what it fits (invariant 11) --------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "against"),
    [
        ({"recipient": STRANGER_CODE}, {("CNS-07", "recipient")}),
        ({"controller": BODY_CODE}, {("CNS-07", "controller")}),
        (
            {"recipient": STRANGER_CODE, "controller": BODY_CODE},
            {("CNS-07", "recipient"), ("CNS-07", "controller")},
        ),
        ({"purpose": MARKETING}, {("CNS-08", "purpose")}),
        ({"agreement_number": AgreementNumber("TEST-9")}, {("CNS-15", "agreementNumber")}),
        ({"methods": frozenset({"face"})}, {("CNS-16", "matchMethods")}),
        ({"methods": frozenset()}, {("CNS-16", "matchMethods")}),
        ({"methods": frozenset({"*"})}, {("CNS-16", "matchMethods")}),
        ({"result_form": ResultForm.YES_NO}, {("CNS-16", "resultForm")}),
        (
            {"attributes": frozenset({"surname"})},
            {("CNS-09", "givenName"), ("CNS-09", "birthDate")},
        ),
        (
            {"attributes": frozenset({"*"})},
            {("CNS-09", "surname"), ("CNS-09", "givenName"), ("CNS-09", "birthDate")},
        ),
    ],
)
def test_a_consent_fits_one_request(changes: dict[str, Any], against: set[tuple[str, str]]) -> None:
    """Procedure, cl. 4: the consent is to this recipient, purpose, data and result form."""
    assert BY_CONSENT.saying(**changes).against() == against


def test_a_consent_covers_only_its_own_subject() -> None:
    """Procedure, cl. 4: the consent must be that of the subject of the data."""
    assert BY_CONSENT.asking(subject=SOMEONE_ELSE).against() == {("CNS-14", "subject")}


def test_a_consent_to_data_is_not_spent_on_a_yes_or_no() -> None:
    """docs/architecture.md, invariant 11: result forms are equal, not only compatible."""
    verify = BY_CONSENT.asking(operation=Operation.VERIFY_PERSON, attributes=frozenset())

    assert verify.against() == {("CNS-16", "resultForm")}
    assert verify.saying(result_form=ResultForm.YES_NO).against() == set()


@pytest.mark.parametrize("operation", [Operation.EXPLAIN_DECISION, Operation.REGISTER_CONSENT])
@pytest.mark.parametrize("form", ResultForm)
def test_no_consent_fits_an_operation_without_data(operation: Operation, form: ResultForm) -> None:
    """An operation that discloses nothing about a person needs no permission."""
    case = BY_CONSENT.asking(operation=operation).saying(result_form=form)

    assert ("CNS-16", "resultForm") in case.against()


def test_an_attribute_outside_the_agreement_is_not_released() -> None:
    """docs/architecture.md, invariant 3: consent widens no agreement."""
    generous = BY_CONSENT.saying(attributes=frozenset(Attribute)).asking(
        attributes=frozenset({"faceImage"})
    )

    assert generous.against() == {("AGR-04", "faceImage")}
    assert generous.decide().releasable == frozenset()


def test_the_notice_must_be_approved() -> None:
    """Procedure, cl. 4: the subject knew the content, in approved words."""
    assert BY_CONSENT.on(notice_approved=False).against() == {("CNS-10", "notice")}
    assert not ConsentGround(
        proof=SIGNED_BY_SUBJECT, consent=CONSENT, digest=bytes(32)
    ).notice_approved


def test_a_dry_run_without_a_pin_skips_the_subject() -> None:
    """ExplainDecision may name no PIN, and then the rule about the subject does not apply."""
    dry = BY_CONSENT.asking(subject=None)

    assert dry.decide().permitted
    assert dry.conclude().outcome is Outcome.NOT_MATCHED


# --- how records name it ----------------------------------------------------------------------


def test_records_name_a_consent_by_id_and_digest() -> None:
    """Procedure, cl. 11: each disclosure is compared with its consent, month by month."""
    ref = reference(CONSENT_GROUND)

    assert ref is not None
    assert (ref.kind, ref.id) == (GroundKind.CONSENT, CONSENT.consent_id)
    assert ref.digest == CONSENT_GROUND.digest
    assert (ref.valid_from, ref.valid_to) == (CONSENT.valid_from, CONSENT.valid_to)
    assert ref.max_disclosures == 1


def test_an_unreadable_document_has_no_name() -> None:
    """No record cites an unreadable document."""
    unread = ConsentGround(proof=FORGED, consent=None, digest=bytes(32))

    assert reference(unread) is None
    assert reference(None) is None


def test_a_proof_refuses_truth_testing() -> None:
    """`if proof:` would accept a forged signature."""
    with pytest.raises(TypeError, match="no truth of"):
        bool(FORGED)
