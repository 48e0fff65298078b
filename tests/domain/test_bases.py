"""Disclosure without consent needs a basis in law (Procedure, cl. 5)."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from makul.domain.attributes import Attribute
from makul.domain.calendar import CLOCK_TOLERANCE
from makul.domain.consents import ResultForm
from makul.domain.disclosures import (
    BasisGround,
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
from makul.domain.legal_bases import Provision
from makul.domain.reasons import Code, Reason
from makul.domain.recipients import PUBLIC_BODIES, STATE_BODIES, RecipientKind
from makul_testing.builders.cases import (
    ACCOUNT_OPENING,
    AT,
    BASIS_GROUND,
    BY_LAW,
    DAY,
    FORGED,
    NAME_AND_BIRTH,
    REGISTER_UPKEEP,
    REVOCATION_UNKNOWN,
    SIGNED_BY_OFFICIAL,
    SIGNED_BY_SUBJECT,
    SOMEONE_ELSE,
    STATEMENT,
    STRANGER_CODE,
    Case,
)

INSTANT = timedelta(microseconds=1)

WHO_MAY = {
    "5.1": STATE_BODIES,
    "5.2": PUBLIC_BODIES,
    "5.3": PUBLIC_BODIES,
    "5.4": frozenset(RecipientKind),
}
CLAUSE_OF = {
    Provision.JUDICIAL: "5.1",
    Provision.NATIONAL_SECURITY: "5.1",
    Provision.COUNTER_TERRORISM: "5.1",
    Provision.COUNTER_CORRUPTION: "5.1",
    Provision.OPERATIONAL_SEARCH: "5.1",
    Provision.VITAL_INTEREST: "5.2",
    Provision.OFFICIAL_REQUEST: "5.3",
    Provision.LAW: "5.4",
}


def invoking(provision: Provision) -> Case:
    """Return a case of a body of state power that invokes this provision."""
    return BY_LAW.saying(provision=provision.value)


@pytest.mark.parametrize("provision", Provision)
def test_each_provision_of_clause_5_gives_data_without_consent(provision: Provision) -> None:
    """Procedure, cl. 5.1 to 5.4: the body must be entitled, and its agreement must name the
    provision.
    """
    case = invoking(provision)

    assert case.against() == set()
    assert case.conclude().released == NAME_AND_BIRTH
    assert not case.decide().by_consent


# --- who may invoke what ----------------------------------------------------------------------


@pytest.mark.parametrize("kind", RecipientKind)
@pytest.mark.parametrize("provision", Provision)
def test_each_provision_is_open_to_its_recipients(
    provision: Provision, kind: RecipientKind
) -> None:
    """Procedure, cl. 5: each kind of recipient may invoke only its own provisions.

    5.1 is for bodies of state power, 5.2 and 5.3 are for public bodies, 5.4 is for every recipient
    whom a law entitles. A bank can never invoke 5.1, for any agreement.
    """
    clause = CLAUSE_OF[provision]
    case = invoking(provision).by(kind=kind)

    assert provision.clause == clause
    expected = set() if kind in WHO_MAY[clause] else {("LAW-02", "provision")}
    assert case.against() == expected


@pytest.mark.parametrize("provision", Provision)
def test_the_agreement_must_name_the_provision(provision: Provision) -> None:
    """Procedure, cl. 5 and 7: no body invokes a provision that its agreement does not name."""
    others = frozenset(Provision) - {provision}

    assert invoking(provision).under(provisions=others).against() == {("LAW-02", "provision")}


@pytest.mark.parametrize("missing", ["recipient", "agreement"])
def test_no_provision_is_open_without_recipient_and_agreement(missing: str) -> None:
    """Procedure, cl. 5 and 7: an unknown caller invokes nothing; that is an answer, not
    an error.
    """
    case = BY_LAW.but(**{missing: None})

    assert ("LAW-02", "provision") in case.against()
    assert case.conclude().outcome is Outcome.REFUSED


@pytest.mark.parametrize(
    "written", ["", "*", "judicial", "JUDICIAL ", "5.1", "OTHER_CASES", "CONSENT"]
)
def test_an_unknown_provision_is_refused(written: str) -> None:
    """Procedure, cl. 5: an unknown provision is an answer, not an error."""
    assert BY_LAW.saying(provision=written).against() == {("LAW-01", "provision")}


@pytest.mark.parametrize("provision", Provision)
def test_only_disclosures_of_5_1_are_hidden_from_the_subject(provision: Provision) -> None:
    """Procedure, cl. 5.1: only justice, security and operational search may hide a disclosure."""
    hidden = invoking(provision).saying(hidden_until=AT + DAY)
    expected = set() if provision.clause == "5.1" else {("LAW-02", "hiddenUntil")}

    assert hidden.against() == expected


@pytest.mark.parametrize(
    ("most", "hidden_for", "hides"),
    [
        (timedelta(days=30), timedelta(days=30), True),
        (timedelta(days=30), timedelta(days=30, microseconds=1), False),
        (timedelta(), timedelta(microseconds=1), False),
        (timedelta(), timedelta(), True),
    ],
)
def test_nothing_is_hidden_for_longer_than_is_allowed(
    most: timedelta, hidden_for: timedelta, hides: bool
) -> None:
    """The operator's settings set the maximum, counted from the statement's issue."""
    case = invoking(Provision.JUDICIAL)
    assert isinstance(case.ground, BasisGround)
    assert case.ground.statement is not None
    issued_at = case.ground.statement.issued_at
    judged = case.saying(hidden_until=issued_at + hidden_for).on(hidden_at_most=most)

    assert judged.against() == (set() if hides else {("LAW-02", "hiddenUntil")})


# --- powers (cl. 5.3) -------------------------------------------------------------------------


def test_an_official_request_keeps_within_the_bodys_powers() -> None:
    """Procedure, cl. 5.3: the requested attributes must lie within the powers of the body."""
    powers = {REGISTER_UPKEEP: frozenset({Attribute.SURNAME})}
    case = BY_LAW.under(powers=powers)

    assert case.against() == {("LAW-04", "givenName"), ("LAW-04", "birthDate")}
    assert case.asking(attributes=frozenset({"surname"})).against() == set()


@pytest.mark.parametrize("operation", [Operation.GET_PERSON_DATA, Operation.VERIFY_PERSON])
@pytest.mark.parametrize("powers", [{}, {ACCOUNT_OPENING: NAME_AND_BIRTH}])
def test_without_a_power_for_the_purpose_there_is_no_official_request(
    operation: Operation, powers: dict[Any, Any]
) -> None:
    """Procedure, cl. 5.3: without a power there is not even a yes or no."""
    case = BY_LAW.under(powers=powers).asking(operation=operation)
    if operation is Operation.VERIFY_PERSON:
        case = case.asking(attributes=frozenset()).saying(result_form=ResultForm.YES_NO)

    assert case.against() == {("LAW-04", "purpose")}


def test_powers_limit_only_official_requests() -> None:
    """Procedure, cl. 5.1: a court's ruling lists its data itself."""
    assert invoking(Provision.JUDICIAL).under(powers={}).against() == set()


def test_a_power_widens_no_statement_and_no_agreement() -> None:
    """docs/architecture.md, invariant 3: requested ∩ basis ∩ agreement ∩ powers."""
    powers = {REGISTER_UPKEEP: frozenset(Attribute)}
    case = BY_LAW.under(powers=powers).asking(attributes=frozenset({"address", "faceImage"}))

    assert case.against() == {
        ("LAW-04", "address"),
        ("LAW-04", "faceImage"),
        ("AGR-04", "faceImage"),
    }
    assert case.decide().releasable == frozenset()


def test_a_basis_lists_the_permitted_attributes() -> None:
    """Procedure, cl. 5: an attribute beyond the statement refuses the whole request."""
    case = invoking(Provision.JUDICIAL).saying(attributes=frozenset({"surname", "*"}))

    assert case.against() == {("LAW-04", "givenName"), ("LAW-04", "birthDate")}


def test_a_basis_for_a_yes_or_no_gives_no_data() -> None:
    """docs/architecture.md, invariant 11: the result form must equal the request's."""
    assert BY_LAW.saying(result_form=ResultForm.YES_NO).against() == {("LAW-04", "resultForm")}


# --- who signed it ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("proof", "because"),
    [
        (FORGED, Code.SIG_02),
        (SIGNED_BY_SUBJECT, Code.SIG_08),
        (Proof(status=ProofStatus.PASSED), None),
        (
            Proof(
                status=ProofStatus.PASSED,
                signer=DocumentSigner(fingerprint=bytes(32), pin=None, official="official-2"),
            ),
            Code.SIG_08,
        ),
        (replace(SIGNED_BY_OFFICIAL, reasons=(Code.SIG_04,)), Code.SIG_04),
    ],
    ids=["forged", "a citizen", "nobody", "another official", "passed with a reason"],
)
def test_only_the_official_named_signs_a_basis(proof: Proof, because: Code | None) -> None:
    """Procedure, cl. 5: a registered official of that body answers for the statement by name."""
    assert BY_LAW.on(proof=proof).decide().reasons == (Reason(code=Code.LAW_09, because=because),)


def test_an_official_without_a_name_signs_nothing() -> None:
    """An empty name signs no statement, registered or not."""
    proof = Proof(
        status=ProofStatus.PASSED,
        signer=DocumentSigner(fingerprint=bytes(32), pin=None, official=""),
    )

    assert ("LAW-03", "official") in BY_LAW.saying(official="").on(proof=proof).against()


def test_a_revocation_status_unknown_discloses_nothing() -> None:
    """ETSI EN 319 102-1, 5.1.3: the result is indeterminate, for bases like for consents."""
    decision = BY_LAW.on(proof=REVOCATION_UNKNOWN).decide()

    assert decision.outcome_if_not_permitted is Outcome.UNDETERMINED


def test_a_statement_that_could_not_be_read_is_no_basis() -> None:
    """docs/architecture.md, invariant 2: an unread statement grants nothing."""
    unread = BY_LAW.on(statement=None)

    assert unread.codes() == {"LAW-09"}
    assert unread.decide().releasable == frozenset()
    assert reference(BasisGround(proof=FORGED, statement=None, digest=bytes(32))) is None


def test_the_same_id_on_other_bytes_is_another_document() -> None:
    """The usage of a statement is counted for its own bytes."""
    assert BY_LAW.on(use=GroundUse(digest_differs=True)).decide().reasons == (
        Reason(code=Code.LAW_09, because=Code.REQ_04, field="statementId"),
    )


# --- what it says -----------------------------------------------------------------------------


@pytest.mark.parametrize("blank", ["", " ", "\u00a0\t"])
@pytest.mark.parametrize(
    ("part", "field"),
    [
        ("citation", "citation"),
        ("case_number", "caseNumber"),
        ("justification", "justification"),
    ],
)
def test_a_basis_must_state_its_reason(part: str, field: str, blank: str) -> None:
    """Procedure, cl. 5: the statement must contain the law, the case and the reason."""
    assert BY_LAW.saying(**{part: blank}).against() == {("LAW-03", field)}


@pytest.mark.parametrize(
    "act",
    [
        replace(STATEMENT.act, issuer=" "),
        replace(STATEMENT.act, number=""),
        replace(STATEMENT.act, issued_on=date(2026, 11, 2)),
    ],
    ids=["no issuer", "no number", "of tomorrow"],
)
def test_a_basis_rests_on_an_earlier_act(act: Any) -> None:
    """Procedure, cl. 5.1: a judicial act must exist before the statement."""
    assert BY_LAW.saying(act=act).against() == {("LAW-03", "authorisingAct")}


def test_acts_are_dated_by_the_republics_calendar() -> None:
    """The next day begins in Bishkek at 18:00 UTC, so at 20:00 its acts are not of tomorrow."""
    late = datetime(2026, 11, 1, 20, 0, tzinfo=UTC)
    act = replace(STATEMENT.act, issued_on=date(2026, 11, 2))

    assert BY_LAW.saying(issued_at=late, act=act).against() == set()
    assert BY_LAW.saying(issued_at=late - timedelta(hours=3), act=act).codes() == {"LAW-03"}


@pytest.mark.parametrize(
    ("changes", "against"),
    [
        ({"subject": SOMEONE_ELSE}, {("LAW-05", "subject")}),
        ({"subject": None}, {("LAW-05", "subject")}),
        ({"recipient": STRANGER_CODE}, {("LAW-06", "recipient")}),
        ({"agreement_number": AgreementNumber("TEST-9")}, {("LAW-06", "agreementNumber")}),
        ({"purpose": ACCOUNT_OPENING}, {("LAW-06", "purpose")}),
        (
            {"recipient": STRANGER_CODE, "purpose": ACCOUNT_OPENING},
            {("LAW-06", "recipient"), ("LAW-06", "purpose")},
        ),
        ({"max_disclosures": 0}, {("LAW-08", None)}),
        ({"max_disclosures": -1}, {("LAW-08", None)}),
    ],
)
def test_a_basis_fits_one_request(changes: dict[str, Any], against: set[Any]) -> None:
    """docs/architecture.md, invariant 11: subject, recipient, agreement and purpose are the
    request's.
    """
    assert BY_LAW.saying(**changes).against() == against


@pytest.mark.parametrize(
    ("at", "in_term"),
    [
        (STATEMENT.issued_at - CLOCK_TOLERANCE - INSTANT, False),
        (STATEMENT.issued_at - CLOCK_TOLERANCE, True),
        (STATEMENT.issued_at, True),
        (STATEMENT.valid_to - INSTANT, True),
        (STATEMENT.valid_to, False),
    ],
)
def test_term_of_a_basis_is_half_open(at: datetime, in_term: bool) -> None:
    """The statement is valid from its first instant until before its last."""
    assert BY_LAW.but(at=at).against() == (set() if in_term else {("LAW-07", None)})


@pytest.mark.parametrize(
    ("use", "good"),
    [
        (GroundUse(), True),
        (GroundUse(used=1), False),
        (GroundUse(used=9), False),
        (GroundUse(revoked=True), False),
    ],
)
def test_a_basis_has_a_number_of_uses(use: GroundUse, good: bool) -> None:
    """One ruling is no permanent permission, and a withdrawn one is none."""
    assert BY_LAW.on(use=use).against() == (set() if good else {("LAW-08", None)})


def test_a_dry_run_without_a_pin_skips_the_subject() -> None:
    """ExplainDecision may name no PIN, and never releases anything."""
    dry = BY_LAW.asking(subject=None)

    assert dry.decide().permitted
    assert dry.conclude().released == frozenset()


def test_records_name_a_basis_by_id_and_digest() -> None:
    """Procedure, cl. 12: the record shows later what a body invoked."""
    ref = reference(BASIS_GROUND)

    assert ref is not None
    assert (ref.kind, ref.id) == (GroundKind.BASIS, STATEMENT.statement_id)
    assert (ref.valid_from, ref.valid_to) == (STATEMENT.issued_at, STATEMENT.valid_to)


def test_a_statement_does_not_print_its_content() -> None:
    """docs/architecture.md, invariant 7: case, official and justification stay out of logs."""
    statement = replace(
        STATEMENT, justification="SECRET-J", case_number="SECRET-C", official="SECRET-O"
    )

    assert "SECRET" not in repr(statement)
