"""Each operation turns a verified Body into the request of its use case."""

from base64 import encodebytes
from dataclasses import replace
from datetime import date
from hashlib import sha256
from typing import Any
from uuid import UUID

import pytest
from lxml import etree

from makul.app import requests
from makul.app.ports import Caller
from makul.domain.agreements import Channel as ChannelName
from makul.domain.disclosures import Operation
from makul.soap.operation_input import request_digest
from makul.soap.versions import SOAP_11, SoapVersion
from makul_testing.soap_client import (
    GET_STATUS,
    MEMBER,
    REQUEST_ID,
    VERSIONS,
    FakePort,
    R,
    Response,
    TrustingChannel,
    build,
    enveloped,
    sample,
    send,
)

_FACTOR = "<r:documentNumber>ID1</r:documentNumber>"


def _ask(body: str, version: SoapVersion = SOAP_11) -> tuple[FakePort, Response]:
    fake = FakePort()
    response = send(build(fake), enveloped(body, version), content_type=version.content_type)
    return fake, response


def read_request(body: str) -> Any:
    fake, response = _ask(body)
    assert response.status == 200, response.body.decode()
    ((request, _caller),) = fake.requests
    return request


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_get_person_data_reaches_its_use_case_whole(version: SoapVersion) -> None:
    """Procedure, cl. 10: the whole request reaches the use case, in either SOAP version."""
    body = sample("get-person-data")
    fake, response = _ask(body, version)
    ((request, caller),) = fake.requests
    sent = etree.fromstring(body)

    def text_of(name: str) -> Any:
        return sent.findtext(f".//{{*}}{name}")

    assert response.status == 200
    assert caller.recipient == MEMBER
    assert isinstance(request, requests.PersonRequest)
    assert request.operation is Operation.GET_PERSON_DATA
    assert request.request_id == UUID(text_of("requestId"))
    assert request.agreement_number == text_of("agreementNumber")
    assert request.purpose == text_of("purpose")
    assert request.probe.pin.digits == text_of("pin")
    assert request.attributes == {each.text for each in sent.iter("{*}attribute")}
    assert request.employee == text_of("employee")
    assert request.case_number == text_of("caseNumber")
    assert request.ground is not None


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("verify-person", requests.PersonRequest),
        ("verify-person-without-ground", requests.PersonRequest),
        ("get-person-data-by-law", requests.PersonRequest),
        ("explain-decision", requests.ExplainRequest),
        ("register-consent", requests.ConsentRequest),
        ("revoke-consent", requests.RevocationRequest),
        ("get-consent-status", requests.ConsentQuery),
        ("list-revocations", requests.RevocationsQuery),
        ("get-agreement", requests.AgreementQuery),
        ("get-receipt", requests.ReceiptQuery),
        ("get-status", requests.StatusQuery),
    ],
)
def test_every_operation_reaches_its_use_case(name: str, kind: type) -> None:
    """Each Body's child becomes a request of its own kind."""
    assert type(read_request(sample(name))) is kind


def test_a_request_without_ground_reaches_the_decision() -> None:
    """CNS-01 is a recorded decision with a receipt, and not a fault of the schema."""
    assert read_request(sample("verify-person-without-ground")).ground is None


def test_document_bytes_arrive_unchanged() -> None:
    """Documents are base64Binary of their exact bytes."""
    document = bytes(range(256))
    body = etree.fromstring(sample("register-consent"))
    carried = body.find("{*}consentDocument")
    assert carried is not None
    wrapped = encodebytes(document).decode().replace("\n", "\r\n   ")
    carried.text = wrapped

    assert read_request(etree.tostring(body, encoding="unicode")).document == document


def test_probe_is_read_whole() -> None:
    """Every factor of the demographic probe is read, and the list of other methods."""
    body = _person(
        "<r:documentNumber>ID1234567</r:documentNumber><r:surname> Асанов\n уулу </r:surname>"
        "<r:givenName>Бакыт</r:givenName><r:patronymic>Т</r:patronymic>"
        "<r:birthDate> 1990-01-31 </r:birthDate><r:sex>M</r:sex>",
        "<r:face><r:image>AAAA</r:image><r:format>jpeg</r:format></r:face>"
        "<r:finger><r:position>1</r:position><r:format>wsq</r:format><r:data>AAAA</r:data></r:finger>"
        "<r:finger><r:position>2</r:position><r:format>wsq</r:format><r:data>AAAA</r:data></r:finger>",
    )
    request = read_request(body)

    assert request.probe.surname == "Асанов уулу"
    assert request.probe.given_name == "Бакыт"
    assert request.probe.patronymic == "Т"
    assert request.probe.document_number == "ID1234567"
    assert request.probe.birth_date == date(1990, 1, 31)
    assert request.probe.sex == "M"
    assert request.other_methods == {"face", "finger"}


def test_white_space_outside_xml_is_kept() -> None:
    """XML Schema part 2, 4.3.6: only space, tab, CR and LF collapse; a no-break space does not."""
    request = read_request(_person("<r:surname>А\u00a0Б</r:surname><r:givenName>В</r:givenName>"))

    assert request.probe.surname == "А\u00a0Б"


@pytest.mark.parametrize("day", ["3002", "3102", "3104"])
def test_a_pin_whose_date_does_not_exist_is_a_fault(day: str) -> None:
    """The schema cannot check the date in a PIN; the fault names the field."""
    fake, response = _ask(
        _person("<r:documentNumber>ID1</r:documentNumber>", pin=f"2{day}199000001")
    )

    assert fake.requests == []
    assert (response.codes, response.fields) == (["REQ-01"], ["pin"])
    assert response.text(".//t:requestId") == str(REQUEST_ID)
    assert f"2{day}".encode() not in response.body


@pytest.mark.parametrize("day", ["0000-01-01", "1990-02-30", "9999999-01-01"])
def test_a_date_that_does_not_exist_is_a_fault(day: str) -> None:
    """A date that the schema or Python does not know is the sender's fault, never ours."""
    _, response = _ask(_person(f"{_FACTOR}<r:birthDate>{day}</r:birthDate>"))

    assert response.codes == ["REQ-01"]
    assert response.fault_code == "Client"


def test_digest_is_of_the_exclusive_canonical_form() -> None:
    """RequestDigest is SHA-256 over the exclusive c14n of the Body's child."""
    body = sample("get-person-data")
    spaced = body.replace(" xmlns:", "   xmlns:unused='urn:x'\n xmlns:", 1)
    canonical = etree.tostring(etree.fromstring(body), method="c14n", exclusive=True)
    inside = etree.fromstring(enveloped(spaced))[0][0]

    assert request_digest(inside) == sha256(canonical).digest()
    assert read_request(body).digest == read_request(spaced).digest == sha256(canonical).digest()


_XROAD = Caller(recipient=MEMBER, channel=ChannelName.XROAD, employee="e-1", case_number="c-1")
_STATING = (
    f'<r:GetStatus xmlns:r="{R}"><r:requestId>{REQUEST_ID}</r:requestId>'
    "<r:employee>{}</r:employee></r:GetStatus>"
)


@pytest.mark.parametrize(
    ("caller", "stated", "status"),
    [
        (_XROAD, "e-1", 200),
        (_XROAD, "e-2", 500),
        (replace(_XROAD, employee=None), "e-1", 500),
        (replace(_XROAD, channel=ChannelName.WSSE, employee=None), "e-2", 200),
    ],
)
def test_the_body_must_not_contradict_the_headers_employee(
    caller: Caller, stated: str, status: int
) -> None:
    """Over X-Road the employee is xrd:userId; over WS-Security it is in the Body."""
    response = send(build(channel=TrustingChannel(caller)), enveloped(_STATING.format(stated)))

    assert response.status == status
    assert response.fields == ([] if status == 200 else ["employee"])


def test_the_header_s_employee_and_case_are_recorded() -> None:
    """If the Body omits them, the header's values are recorded."""
    fake = FakePort()
    body = _person(_FACTOR)
    send(build(fake, TrustingChannel(_XROAD)), enveloped(body))

    ((request, _),) = fake.requests
    assert (request.employee, request.case_number) == ("e-1", "c-1")


def test_the_channel_s_request_id_equals_the_body_s() -> None:
    """RequestId equals xrd:id if both are present."""
    same = replace(_XROAD, request_id=REQUEST_ID)
    other = replace(_XROAD, request_id=UUID(int=1))

    assert send(build(channel=TrustingChannel(same)), enveloped(GET_STATUS)).status == 200
    refused = send(build(channel=TrustingChannel(other)), enveloped(GET_STATUS))
    assert (refused.codes, refused.fields) == (["REQ-01"], ["requestId"])


def test_only_the_channel_s_child_is_read() -> None:
    """docs/architecture.md, invariant 2: other content of the message is neither read
    nor routed.
    """
    fake = FakePort()
    verified = etree.fromstring(sample("get-agreement"))

    assert send(build(fake, TrustingChannel(child=verified)), enveloped(GET_STATUS)).status == 200
    assert isinstance(fake.requests[0][0], requests.AgreementQuery)


@pytest.mark.parametrize("verified", [f'<r:GetStatus xmlns:r="{R}"/>', "<x/>"])
def test_the_channel_s_child_is_validated_by_the_schema(verified: str) -> None:
    """docs/architecture.md, invariant 2: the schema judges the verified child, and nothing beside
    it.
    """
    fake = FakePort()
    channel = TrustingChannel(child=etree.fromstring(verified))
    response = send(build(fake, channel), enveloped(GET_STATUS))

    assert (response.codes, fake.requests) == (["REQ-01"], [])


def _person(factors: str, more: str = "", pin: str = "23101199000001") -> str:
    return (
        f'<r:VerifyPerson xmlns:r="{R}">'
        f"<r:requestId>{REQUEST_ID}</r:requestId><r:agreementNumber>A-1</r:agreementNumber>"
        f"<r:purpose>ACCOUNT_OPENING</r:purpose><r:probe><r:demographic><r:pin>{pin}</r:pin>{factors}"
        f"</r:demographic>{more}</r:probe></r:VerifyPerson>"
    )
