"""The client's results, its errors, and its retries."""

from datetime import date
from pathlib import Path
from uuid import uuid4

import pytest

from makul_client import (
    ConsentDocument,
    ConsentId,
    Context,
    Demographic,
    FaultError,
    FingerSample,
    InvalidRequestError,
    Language,
    NotMatchedError,
    Probe,
    ReceiptError,
    RecipientFaultError,
    RefusedError,
    RequestFaultError,
    Retry,
    ServiceFaultError,
    SignatureFaultError,
    TransportError,
    UndeterminedError,
)
from makul_testing.client.world import (
    GROUND,
    PROBE,
    ask,
    client_for,
    operator,
    write_profile,
)
from makul_testing.servers.fake_service import (
    PERSON,
    ReceivedRequest,
    answer,
    envelope,
    fault,
    hang_up,
    reason,
    run_fake_service,
)

RULE = (
    "<rule><code>AGR-01</code><clause>7</clause><verdict>PASSED</verdict><text>"
    "<t:ky>к</t:ky><t:ru>р</t:ru><t:en>e</t:en></text></rule>"
)


def test_data_are_typed(tmp_path: Path) -> None:
    """Released attributes have types, and an attribute that was not released is None."""
    data, (request,) = ask(tmp_path, operator().decide("RELEASED", person=PERSON))

    assert data.person.birth_date == date(1990, 1, 1)
    assert data.person.address is None
    assert dict(data.person.given()).keys() == {"pin", "surname", "birthDate"}
    assert request.text("purpose") == "ACCOUNT_OPENING"
    assert request.text("agreementNumber") == "TEST-2026/001"


@pytest.mark.parametrize(
    ("outcome", "kind"),
    [
        ("REFUSED", RefusedError),
        ("NOT_MATCHED", NotMatchedError),
        ("UNDETERMINED", UndeterminedError),
    ],
)
def test_a_refusal_is_raised(tmp_path: Path, outcome: str, kind: type[RefusedError]) -> None:
    """A refusal has code, clause, side, advice, all three texts, and its receipt."""
    refused, _ = ask(tmp_path, operator().decide(outcome, codes=("CNS-01", "AGR-04")))

    assert type(refused) is kind
    assert (refused.code, refused.clause, refused.side) == ("CNS-01", "4", "R")
    assert refused.retry is Retry.AFTER_FIXING
    assert refused.texts[Language.KY] == "CNS-01 кыргызча"
    assert [each.code for each in refused.reasons] == ["CNS-01", "AGR-04"]
    assert str(refused).startswith("CNS-01, п. 4: CNS-01 по-русски; AGR-04")
    assert refused.decision.receipt.outcome == outcome
    assert refused.request_id == refused.decision.request_id


def test_a_no_is_an_answer_to_verify_person(tmp_path: Path) -> None:
    """Procedure, cl. 10: the answer to a comparison is yes or no, and neither is an error."""
    with (
        run_fake_service(
            operator().decide("MATCHED"), operator().decide("NOT_MATCHED", codes=("MAT-01",))
        ) as service,
        client_for(write_profile(tmp_path, service.url)) as client,
    ):
        yes = client.verify_person(PROBE, ground=GROUND)
        no = client.verify_person(PROBE, ground=GROUND)

    assert yes.matched is True
    assert no.matched is False
    with pytest.raises(TypeError, match="matched"):
        bool(no)


def test_an_unsuitable_outcome_is_no_answer(tmp_path: Path) -> None:
    """MATCHED is no answer to GetPersonData, even with a genuine receipt."""
    answer, _ = ask(tmp_path, operator().decide("MATCHED"))

    assert isinstance(answer, TransportError)
    assert answer.passing is False


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("REQ-01", RequestFaultError),
        ("SIG-02", SignatureFaultError),
        ("RCP-03", RecipientFaultError),
        ("OPS-99", ServiceFaultError),
        ("NEW-01", FaultError),
    ],
)
def test_faults_have_an_error_for_each_family(
    tmp_path: Path, code: str, kind: type[FaultError]
) -> None:
    """A refused message is a typed fault, and unknown families stay readable."""
    answer, requests = ask(tmp_path, fault(code))

    assert type(answer) is kind
    assert answer.code == code
    assert answer.reasons[0].describe(Language.EN) == f"{code}, cl. 4: {code} in English"
    assert len(requests) == 1


def test_a_foreign_fault_is_reported_only_by_its_code(tmp_path: Path) -> None:
    """A security server's fault keeps its code, and nobody promises its text."""
    body = envelope(
        "<s:Fault><faultcode>Server.ServerProxy.AccessDenied</faultcode>"
        "<faultstring>Subject 20101199000001 may not</faultstring></s:Fault>"
    )
    answer, _ = ask(tmp_path, lambda _: (500, body))

    assert isinstance(answer, TransportError)
    assert "Server.ServerProxy.AccessDenied" in str(answer)
    assert "20101199000001" not in str(answer)


def test_a_flattened_fault_keeps_its_code(tmp_path: Path) -> None:
    """A security server flattens the detail of a fault; the code is at the beginning of
    the text.
    """
    body = envelope(
        "<s:Fault><faultcode>s:Client</faultcode><faultstring>AGR-01: None in force.</faultstring>"
        "</s:Fault>"
    )
    answer, requests = ask(tmp_path, lambda _: (500, body))

    assert isinstance(answer, TransportError)
    assert "AGR-01" in str(answer)
    assert len(requests) == 1


# ---------------------------------------------------------------------- before it is sent


@pytest.mark.parametrize(
    ("probe", "field"),
    [
        (Probe(demographic=Demographic(pin="20101199000")), "pin"),
        (
            Probe(demographic=Demographic(pin="20101199000001", document_number="№1")),
            "documentNumber",
        ),
        (Probe(demographic=Demographic(pin="20101199000001", surname="\x00")), "types"),
        (
            Probe(
                demographic=Demographic(pin="20101199000001"),
                fingers=(FingerSample(position=11, format="png", data=b"x"),),
            ),
            "position",
        ),
    ],
)
def test_a_bad_request_is_not_sent(tmp_path: Path, probe: Probe, field: str) -> None:
    """The published schema is checked first; the error names the field and not its value."""
    with (
        run_fake_service(hang_up) as service,
        client_for(write_profile(tmp_path, service.url)) as client,
        pytest.raises(InvalidRequestError) as raised,
    ):
        client.verify_person(probe, ground=GROUND)

    assert field in str(raised.value)
    assert "№1" not in str(raised.value)
    assert "20101199000" not in str(raised.value)
    assert service.requests == []


# ---------------------------------------------------------------------- answers that are none


@pytest.mark.parametrize(
    "body",
    [
        b"<html>502</html>",
        b"not xml",
        b"",
        envelope("<x/>"),
        envelope('<StatusResponse xmlns="urn:makul:recipient:1"/><y/>'),
        b'<!DOCTYPE x [<!ENTITY e "v">]>' + envelope("<x>&e;</x>"),
        envelope("<!-- c --><x/>"),
    ],
)
def test_a_malformed_answer_is_not_read(tmp_path: Path, body: bytes) -> None:
    """Only a well-formed answer of the contract is read."""
    answer, requests = ask(tmp_path, lambda _: (200, body))

    assert isinstance(answer, TransportError)
    assert answer.passing is False
    assert len(requests) == 1


def test_an_answer_without_its_receipt_is_not_read(tmp_path: Path) -> None:
    """An unproved answer that looks like the service's is withheld, and not requested again."""
    bare = envelope('<GetPersonDataResponse xmlns="urn:makul:recipient:1"/>')
    answer, requests = ask(tmp_path, lambda _: (200, bare))

    assert isinstance(answer, ReceiptError)
    assert len(requests) == 1


def test_a_value_that_breaks_the_schema_is_not_read(tmp_path: Path) -> None:
    """Zeep alone would treat an unreadable date as absent."""
    person = PERSON.replace(b"1990-01-01", b"1990-13-01")
    answer, _ = ask(tmp_path, operator().decide("RELEASED", person=person))

    assert isinstance(answer, TransportError)
    assert "birthDate" in str(answer)
    assert "1990" not in str(answer)


def test_an_answer_to_another_request_is_not_read(tmp_path: Path) -> None:
    """Inquiries have no receipt, so their request id is compared with ours."""

    def other(request: ReceivedRequest) -> tuple[int, bytes]:
        code, body = answer("GetAgreement", f"<reason>{reason('AGR-01')}</reason>")(request)
        return code, body.replace(request.text("requestId").encode(), str(uuid4()).encode())

    with (
        run_fake_service(other) as service,
        client_for(write_profile(tmp_path, service.url)) as client,
        pytest.raises(TransportError, match="another request"),
    ):
        client.agreement()


# ---------------------------------------------------------------------- the other operations


def test_explain_returns_predicted_refusals(tmp_path: Path) -> None:
    """Procedure, cl. 7: a predicted refusal is the answer, so it is returned."""
    reply = operator().decide("REFUSED", codes=("CNS-04",), content=RULE)
    with (
        run_fake_service(reply) as service,
        client_for(write_profile(tmp_path, service.url)) as client,
    ):
        found = client.explain(
            "GetPersonData", methods=["demographic"], attributes=["surname"], ground=GROUND
        )

    assert found.decision.outcome == "REFUSED"
    assert found.rules[0].verdict == "PASSED"


def test_register_consent_returns_its_id(tmp_path: Path) -> None:
    """Procedure, cl. 4: a registered consent is cited by its id afterwards."""
    consent_id = uuid4()
    content = f"<consentId>{consent_id}</consentId><state>IN_FORCE</state><remaining>1</remaining>"
    with (
        run_fake_service(
            operator().decide("ACCEPTED", content=content), operator().decide("MATCHED")
        ) as service,
        client_for(write_profile(tmp_path, service.url)) as client,
    ):
        held = client.register_consent(ConsentDocument(b"<consent/>"))
        client.verify_person(PROBE, ground=ConsentId(held.consent_id))

    assert (held.consent_id, held.state, held.remaining) == (consent_id, "IN_FORCE", 1)
    assert str(consent_id).encode() in service.requests[1].message


def test_inquiries_return_typed_answers(tmp_path: Path) -> None:
    """Inquiries have types, and their negative answer is a refusal without a receipt."""
    consent_id = uuid4()
    term = "<validFrom>2026-01-01T00:00:00+06:00</validFrom><validTo>2027-01-01T00:00:00Z</validTo>"
    replies = (
        answer(
            "GetConsentStatus",
            f"<consentId>{consent_id}</consentId><state>USED_UP</state><used>1</used>"
            f"<remaining>0</remaining>{term}",
        ),
        answer("GetConsentStatus", f"<reason>{reason('CNS-01')}</reason>"),
        answer(
            "GetAgreement",
            f"<agreement><number>1</number><state>IN_FORCE</state>{term}"
            "<purpose>CASE_REVIEW</purpose><power><purpose>CASE_REVIEW</purpose>"
            "<attribute>surname</attribute></power><delivery>TYPED</delivery></agreement>",
        ),
        answer(
            "GetStatus",
            "<environment>SANDBOX</environment><softwareVersion>1</softwareVersion>"
            "<contractVersion>1</contractVersion><time>2026-11-02T00:00:00Z</time>"
            "<limit><name>message</name><value>5</value><unit>bytes</unit></limit>",
        ),
    )
    with (
        run_fake_service(*replies) as service,
        client_for(write_profile(tmp_path, service.url)) as client,
    ):
        found = client.consent_status(consent_id)
        with pytest.raises(RefusedError) as raised:
            client.consent_status(consent_id)
        agreement = client.agreement()
        status = client.status()

    assert (found.state, found.used) == ("USED_UP", 1)
    assert (raised.value.code, raised.value.decision) == ("CNS-01", None)
    assert agreement.powers[0].attributes == ("surname",)
    assert agreement.daily_quota is None
    assert status.limits[0].value == 5


# ---------------------------------------------------------------------- channels


def test_on_xroad_identity_is_in_the_headers(tmp_path: Path) -> None:
    """The channel xroad has no WS-Security, and xrd:id is the request id."""
    with run_fake_service(operator().decide("MATCHED")) as service:
        file = write_profile(tmp_path, service.url, channel="xroad")
        with client_for(file) as client:
            client.verify_person(
                PROBE, ground=GROUND, context=Context(employee="e-1", case_number="c-1")
            )
    request = service.requests[0]
    head = request.envelope[0]
    header_fields = {child.tag.rpartition("}")[2]: child.text for child in head}

    assert list(header_fields) == ["client", "service", "id", "protocolVersion", "userId", "issue"]
    assert header_fields["id"] == request.text("requestId")
    assert (header_fields["userId"], header_fields["issue"]) == ("e-1", "c-1")
    assert head[1].findtext("{*}serviceCode") == "VerifyPerson"
    assert b"Security" not in request.message
