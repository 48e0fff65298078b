"""Answers of the recipient port are valid by recipient.xsd, canonical, and reveal nothing more."""

from base64 import b64decode
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makul.app.ports import (
    Answer,
    Inclusion,
    LedgerInfo,
    RecordedSignature,
    ServiceLimit,
    ServiceStatus,
)
from makul.documents import UnwritableError, XmlDocuments
from makul.domain.agreements import Agreement, AgreementRole, AgreementState, Channel
from makul.domain.attributes import Attribute
from makul.domain.disclosures import Operation, Outcome
from makul.domain.legal_bases import Provision
from makul.domain.matches import MatchMethod, MatchResult, MethodVerdict
from makul.domain.reason_texts import text
from makul.domain.reasons import CATALOGUE, Code, Reason, Side
from makul.domain.rules import Ruling, Verdict, fails, not_applicable, unknown
from makul_testing.builders.documents import (
    AGREEMENT,
    ANSWER,
    AT,
    BANK,
    CONSENT_STATUS,
    INSTANTS,
    OPERATOR,
    PURPOSE,
    REQUEST_ID,
    canonical,
    local_names,
    valid,
)
from makul_testing.builders.people import PERSON

DOCUMENTS = XmlDocuments(OPERATOR)
NAMESPACES = {"r": "urn:makul:recipient:1", "t": "urn:makul:types:1"}
SALT = bytes(range(32))
PAYLOAD = DOCUMENTS.person(PERSON, frozenset({Attribute.SURNAME}))
RECEIPT = b"<Receipt/>"

MATCH = MethodVerdict(
    method=MatchMethod.DEMOGRAPHIC,
    result=MatchResult.MATCH,
    algorithm="icao9303-fold+jaro-winkler",
    version="1",
)

AGREEMENT_TERMS = Agreement(
    number=AGREEMENT,
    recipient=BANK,
    state=AgreementState.IN_FORCE,
    valid_from=AT,
    valid_to=AT + timedelta(days=365),
    purposes=frozenset({PURPOSE}),
    attributes=frozenset({Attribute.SURNAME, Attribute.GIVEN_NAME}),
    methods=frozenset({MatchMethod.DEMOGRAPHIC}),
    channels=frozenset({Channel.WSSE, Channel.XROAD}),
    provisions=frozenset({Provision.LAW}),
    powers={PURPOSE: frozenset({Attribute.SURNAME})},
    daily_quota=1000,
)

STATUS = ServiceStatus(
    environment="SANDBOX",
    software_version="0.1.0",
    contract_version="1.0",
    time=AT,
    limits=(ServiceLimit(name="documentBytes", value=262144, unit="byte"),),
)

REASONS = st.builds(
    Reason,
    code=st.sampled_from(Code),
    because=st.none() | st.sampled_from(Code),
    field=st.none() | st.sampled_from([name.value for name in Attribute]),
    retry_after=st.none() | st.integers(0, 86_400),
)

RULINGS = st.sampled_from(Code).flatmap(
    lambda code: st.sampled_from(
        [
            Ruling(code, Verdict.PASSED),
            not_applicable(code),
            fails(code, Reason(code=code)),
            unknown(code, Reason(code=code, because=Code.SIG_07)),
        ]
    )
)

ANSWERS = st.builds(
    Answer,
    operation=st.sampled_from(Operation),
    request_id=st.uuids(),
    outcome=st.sampled_from([one for one in Outcome if one is not Outcome.RELEASED]),
    reasons=st.lists(REASONS, max_size=4).map(tuple),
    disclosure_id=st.uuids(),
    decided_at=INSTANTS,
    matches=st.lists(
        st.builds(
            MethodVerdict,
            method=st.sampled_from(MatchMethod),
            result=st.sampled_from(MatchResult),
            algorithm=st.just("icao9303-fold+jaro-winkler"),
            version=st.just("1"),
            score=st.none() | st.floats(0, 1),
            threshold=st.none() | st.floats(0, 1),
        ),
        max_size=2,
    ).map(tuple),
    rulings=st.lists(RULINGS, max_size=4).map(tuple),
    consent=st.none() | st.just(CONSENT_STATUS),
)


@given(ANSWERS, st.binary(min_size=1, max_size=500))
def test_every_answer_is_valid_canonical_and_ends_with_its_receipt(
    answer: Answer, receipt: bytes
) -> None:
    """The receipt is carried as base64 of its exact bytes."""
    rendered = DOCUMENTS.answer(answer)
    written = rendered.with_receipt(receipt)
    root = valid(written, "recipient")

    assert canonical(root) == written
    assert local_names(root)[-1] == "receipt"
    assert b64decode(root[-1].text or "", validate=True) == receipt
    assert root.findtext("r:requestId", namespaces=NAMESPACES) == str(answer.request_id)
    root.remove(root[-1])
    assert sha256(canonical(root)).digest() == rendered.digest


def test_a_release_holds_the_person_exactly_as_digested() -> None:
    """docs/architecture.md, invariant 1: the payload's bytes are inserted, not written again."""
    released = replace(
        ANSWER,
        operation=Operation.GET_PERSON_DATA,
        outcome=Outcome.RELEASED,
        matches=(MATCH,),
        payload=PAYLOAD,
        payload_salt=SALT,
    )
    written = DOCUMENTS.answer(released).with_receipt(RECEIPT)

    assert PAYLOAD in written
    assert local_names(valid(written, "recipient"))[-4:] == [
        "match",
        "person",
        "payloadSalt",
        "receipt",
    ]


@pytest.mark.parametrize("operation", Operation)
@pytest.mark.parametrize("outcome", Outcome)
def test_a_person_is_present_only_if_the_outcome_is_released(
    outcome: Outcome, operation: Operation
) -> None:
    """An answer with data and another outcome is not written at all."""
    answer = replace(
        ANSWER, operation=operation, outcome=outcome, payload=PAYLOAD, payload_salt=SALT
    )
    releases = outcome is Outcome.RELEASED

    if releases and operation is Operation.GET_PERSON_DATA:
        assert PAYLOAD in DOCUMENTS.answer(answer).with_receipt(RECEIPT)
    else:
        with pytest.raises(UnwritableError):
            DOCUMENTS.answer(answer).with_receipt(RECEIPT)
    if releases:
        with pytest.raises(UnwritableError):
            DOCUMENTS.answer(replace(answer, payload=None, payload_salt=None))
        with pytest.raises(UnwritableError):
            DOCUMENTS.answer(replace(answer, payload_salt=None))


@pytest.mark.parametrize("code", Code)
def test_a_reason_has_its_clause_its_side_and_three_languages(code: Code) -> None:
    """docs/architecture.md, invariant 8: every reason cites its clause."""
    refused = replace(
        ANSWER, outcome=Outcome.REFUSED, reasons=(Reason(code=code, field="purpose"),)
    )
    root = valid(DOCUMENTS.answer(refused).with_receipt(RECEIPT), "recipient")

    def value(name: str) -> str:
        return str(root.xpath(f"string(r:reason/t:{name})", namespaces=NAMESPACES))

    entry = CATALOGUE[code]
    assert (value("code"), value("clause"), value("field")) == (code, entry.clause, "purpose")
    assert value("side") == ("" if entry.side is Side.NOBODY else entry.side)
    assert value("retry") == entry.retry
    words = [value(f"text/t:{language}") for language in ("ky", "ru", "en")]
    assert words == [text(code).ky, text(code).ru, text(code).en]


@pytest.mark.parametrize(
    ("score", "threshold", "names"),
    [
        (None, None, ["method", "result"]),
        (0.987654321, 0.979, ["method", "result", "score", "threshold", "algorithm", "version"]),
        (1e-9, 0.979, ["method", "result", "score", "threshold", "algorithm", "version"]),
    ],
)
def test_scores_are_present_only_if_they_are_given(
    score: float | None, threshold: float | None, names: list[str]
) -> None:
    """Score, threshold, algorithm and version are present only if the agreement permits them."""
    match = replace(MATCH, score=score, threshold=threshold)
    root = valid(
        DOCUMENTS.answer(replace(ANSWER, matches=(match,))).with_receipt(RECEIPT), "recipient"
    )
    (found,) = root.iterfind("r:match", namespaces=NAMESPACES)

    assert local_names(found) == names


def test_a_dry_run_lists_every_rule() -> None:
    """ExplainDecision returns the code, the clause, the verdict and the text of each rule."""
    rulings = (fails(Code.CNS_04, Reason(code=Code.CNS_04)), Ruling(Code.RCP_01, Verdict.PASSED))
    answer = replace(
        ANSWER,
        operation=Operation.EXPLAIN_DECISION,
        outcome=Outcome.REFUSED,
        rulings=rulings,
        matches=(MATCH,),
    )
    root = valid(DOCUMENTS.answer(answer).with_receipt(RECEIPT), "recipient")

    verdicts = root.xpath("r:rule/r:verdict/text()", namespaces=NAMESPACES)
    assert verdicts == ["FAILED", "PASSED"]
    assert "match" not in local_names(root)


@pytest.mark.parametrize(
    ("used", "revoked", "days", "state", "remaining"),
    [
        (1, False, 0, "IN_FORCE", "2"),
        (3, False, 0, "USED_UP", "0"),
        (4, False, 0, "USED_UP", "0"),
        (1, True, 0, "REVOKED", "2"),
        (1, False, -1, "PENDING", "2"),
        (1, False, 365, "EXPIRED", "2"),
    ],
)
def test_consent_status_has_state_and_use(
    used: int, revoked: bool, days: int, state: str, remaining: str
) -> None:
    """Procedure, cl. 4: the answer states the state of a consent at a moment."""
    status = replace(CONSENT_STATUS, used=used, revoked=revoked)
    written = DOCUMENTS.consent_status(REQUEST_ID, status, at=AT + timedelta(days=days))
    root = valid(written, "recipient")

    assert canonical(root) == written
    assert root.findtext("r:state", namespaces=NAMESPACES) == state
    assert root.findtext("r:remaining", namespaces=NAMESPACES) == remaining


NO_CONSENT = Reason(code=Code.CNS_01, field="consentId")
NO_REQUEST = Reason(code=Code.REQ_01, field="ofRequest")


@pytest.mark.parametrize(
    ("written", "code", "field"),
    [
        (DOCUMENTS.consent_status(REQUEST_ID, NO_CONSENT, at=AT), "CNS-01", "consentId"),
        (DOCUMENTS.agreement(REQUEST_ID, None), "AGR-01", "agreementNumber"),
        (DOCUMENTS.receipt_answer(REQUEST_ID, NO_REQUEST), "REQ-01", "ofRequest"),
    ],
)
def test_a_missing_document_is_a_reason(written: bytes, code: str, field: str) -> None:
    """A document of another recipient and an unknown document get the same answer: a reason."""
    root = valid(written, "recipient")

    assert canonical(root) == written
    assert local_names(root) == ["requestId", "reason"]
    assert root.findtext("r:reason/t:code", namespaces=NAMESPACES) == code
    assert root.findtext("r:reason/t:field", namespaces=NAMESPACES) == field


@pytest.mark.parametrize(
    "terms",
    [
        AGREEMENT_TERMS,
        replace(AGREEMENT_TERMS, daily_quota=None, powers={}, provisions=frozenset()),
        replace(AGREEMENT_TERMS, state=AgreementState.TERMINATED),
    ],
)
def test_an_agreement_is_returned_in_full(terms: Agreement) -> None:
    """Procedure, cl. 7: the answer lists in a fixed order what the recipient may request."""
    signature = RecordedSignature(
        role=AgreementRole.OPERATOR, member=OPERATOR, signer=bytes(32), recorded_at=AT
    )
    written = DOCUMENTS.agreement(REQUEST_ID, terms, [signature])
    root = valid(written, "recipient")
    attributes = root.xpath("r:agreement/r:attribute/text()", namespaces=NAMESPACES)

    assert canonical(root) == written
    assert attributes == ["givenName", "surname"]
    assert root.findtext("r:agreement/r:signature/r:role", namespaces=NAMESPACES) == "OPERATOR"


def test_receipt_and_status_answers_are_valid() -> None:
    """GetReceipt carries the receipt's exact bytes, and GetStatus names the limits."""
    for written in (
        DOCUMENTS.receipt_answer(REQUEST_ID, RECEIPT),
        DOCUMENTS.status(REQUEST_ID, STATUS),
    ):
        assert canonical(valid(written, "recipient")) == written
    assert valid(DOCUMENTS.receipt_answer(REQUEST_ID, RECEIPT), "recipient")[-1].text == (
        "PFJlY2VpcHQvPg=="
    )


@pytest.mark.parametrize("length", [0, 1, 63])
def test_a_receipt_comes_with_its_inclusion_proof(length: int) -> None:
    """The answer has the whole proof in its order, and the checkpoint byte by byte."""
    note = "log.example/makul\n7\nroot\n\n— log.example/makul AAAA\n".encode()
    proof = tuple(bytes([number]) * 32 for number in range(length))
    inclusion = Inclusion(index=2**62, size=2**63 - 1, proof=proof, note=note)

    written = DOCUMENTS.receipt_answer(REQUEST_ID, RECEIPT, inclusion)

    root = valid(written, "recipient")
    assert canonical(root) == written
    assert local_names(root) == ["requestId", "receipt", "inclusion"]
    proof_element = root[-1]
    assert (proof_element.findtext("r:leafIndex", namespaces=NAMESPACES), len(proof_element)) == (
        str(2**62),
        length + 3,
    )
    assert [b64decode(each.text) for each in proof_element.findall("r:hash", NAMESPACES)] == list(
        proof
    )
    assert b64decode(proof_element.findtext("r:checkpoint", namespaces=NAMESPACES)) == note


def test_status_names_the_ledger_its_key_and_its_promise() -> None:
    """The element comes last, so that clients of an earlier schema read everything before it."""
    notice = LedgerInfo(
        origin="log.example/makul",
        vkey="log.example/makul+00000000+AAAA",
        max_merge_delay=timedelta(minutes=1),
    )

    root = valid(DOCUMENTS.status(REQUEST_ID, replace(STATUS, ledger=notice)), "recipient")

    assert local_names(root)[-1] == "ledger"
    assert [each.text for each in root[-1]] == [notice.origin, notice.vkey, "60"]


def test_a_registered_consent_is_returned_with_its_uses() -> None:
    """RegisterConsent returns the consent's id, its state at the decision, and its
    remaining uses.
    """
    answer = replace(
        ANSWER,
        operation=Operation.REGISTER_CONSENT,
        outcome=Outcome.ACCEPTED,
        consent=CONSENT_STATUS,
    )
    root = valid(DOCUMENTS.answer(answer).with_receipt(RECEIPT), "recipient")

    assert root.findtext("r:consentId", namespaces=NAMESPACES) == str(CONSENT_STATUS.consent_id)
    assert root.findtext("r:state", namespaces=NAMESPACES) == "IN_FORCE"
    assert root.findtext("r:remaining", namespaces=NAMESPACES) == "2"
    assert UUID(root.findtext("r:disclosureId", namespaces=NAMESPACES)) == ANSWER.disclosure_id
