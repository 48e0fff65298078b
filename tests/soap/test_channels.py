"""Exactly one channel authenticates a message, and headers of the others confer nothing."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import pytest
from lxml import etree

from makul.app.ports import (
    MessageMark,
    RegisteredCertificate,
    RejectedError,
    StoreUnavailableError,
    UsageStatement,
    VerifiedMessage,
)
from makul.domain.agreements import Channel as ChannelName
from makul.domain.reasons import Code, Reason
from makul.soap.channels import WsseChannel, XRoadChannel
from makul.soap.versions import SoapVersion
from makul_testing.soap_client import (
    GET_STATUS,
    ID,
    MEMBER,
    NOW,
    REQUEST_ID,
    VERSIONS,
    XRD,
    FakePort,
    assert_typed_fault,
    build,
    enveloped,
    send,
    xroad_headers,
)

KG = XRoadChannel("KG")
_NIL = 'xmlns:n="http://www.w3.org/2001/XMLSchema-instance" n:nil="true"'


def _header(name: str, text: str) -> str:
    return f'<x:{name} xmlns:x="{XRD}">{text}</x:{name}>'


def test_xroad_headers_identify_the_caller() -> None:
    """The headers name the caller, the request, the employee and the case."""
    fake = FakePort()
    more = _header("userId", " KG1010 ") + _header("issue", "case/7")
    response = send(build(fake, KG), enveloped(GET_STATUS, header=xroad_headers(more=more)))

    ((_, caller),) = fake.requests
    assert response.status == 200
    assert caller.recipient == MEMBER
    assert caller.channel is ChannelName.XROAD
    assert caller.request_id == REQUEST_ID
    assert (caller.employee, caller.case_number) == ("KG1010", "case/7")
    assert caller.certificate is None


@pytest.mark.parametrize("refused", [False, True], ids=["answer", "fault"])
@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: version.name)
def test_xroad_headers_come_back_in_order(refused: bool, version: SoapVersion) -> None:
    """X-Road message protocol 4.0: every header returns in order and unchanged, in faults too."""
    more = (
        _header("userId", "KG1010")
        + '<r:representedParty xmlns:r="http://x-road.eu/xsd/representation.xsd"/>'
        + _header("issue", "Ч &amp; <![CDATA[К]]>")
    )
    fake = FakePort(raises=RejectedError(Reason(code=Code.RCP_01)) if refused else None)
    raw = enveloped(GET_STATUS, version, xroad_headers(more=more))
    response = send(build(fake, KG), raw, content_type=version.content_type)

    sent, received = (
        [etree.tostring(block, method="c14n2") for block in etree.fromstring(each)[0]]
        for each in (raw, response.body)
    )
    assert len(sent) == 7
    assert [_bare(block) for block in received] == [_bare(block) for block in sent]


REPRESENTATION = "http://x-road.eu/xsd/representation.xsd"
SECURITY_TOKEN = "http://x-road.eu/xsd/security-token.xsd"
REPRESENTED = (
    f'<p:representedParty xmlns:p="{REPRESENTATION}"><p:partyClass>COM</p:partyClass>'
    "<p:partyCode>60000002</p:partyCode></p:representedParty>"
)
TOKEN = (
    f'<e:securityToken xmlns:e="{SECURITY_TOKEN}" tokenType="urn:ietf:params:oauth:token-type:jwt">'
    "a.b.c</e:securityToken>"
)


def test_extensions_confer_nothing_and_come_back() -> None:
    """Procedure, cl. 7: the represented party of an X-Road extension does not become the caller."""
    fake = FakePort()
    header = REPRESENTED + xroad_headers(more=TOKEN)
    response = send(build(fake, KG), enveloped(GET_STATUS, header=header))

    ((_, caller),) = fake.requests
    assert caller.recipient == MEMBER
    names = [etree.QName(block).localname for block in response.root[0]]
    assert names == [
        "representedParty",
        *("client", "service", "id", "protocolVersion"),
        "securityToken",
    ]
    assert response.root[0][0].findtext(f"{{{REPRESENTATION}}}partyCode") == "60000002"
    assert response.root[0][-1].get("tokenType") == "urn:ietf:params:oauth:token-type:jwt"


@pytest.mark.parametrize("extension", [REPRESENTED, TOKEN], ids=["party", "token"])
def test_an_extension_that_must_be_understood_is_refused(extension: str) -> None:
    """SOAP 1.1, 4.2.3: an unread header does not count as understood, and a repeated one is
    refused.
    """
    must = 'xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" s:mustUnderstand="1" xmlns'
    insisting = xroad_headers(more=extension.replace("xmlns", must, 1))
    doubled = xroad_headers(more=extension * 2)

    response = send(build(channel=KG), enveloped(GET_STATUS, header=insisting))
    assert response.fault_code == "MustUnderstand"
    twice = send(build(channel=KG), enveloped(GET_STATUS, header=doubled))
    assert (twice.codes, twice.fields) == (["REQ-01"], ["Header"])


def test_the_request_hash_is_the_security_servers() -> None:
    """X-Road message protocol 4.0: its server adds the response's hash, so ours would
    be a second.
    """
    stated = f'<x:requestHash xmlns:x="{XRD}" algorithmId="urn:x">AAAA</x:requestHash>'
    response = send(build(channel=KG), enveloped(GET_STATUS, header=xroad_headers(more=stated)))

    assert response.status == 200
    assert b"requestHash" not in response.body
    assert len(response.root[0]) == 4


def test_the_subsystem_is_kept_and_is_not_the_identity() -> None:
    """Procedure, cl. 7: the agreement is the member's; the record names the system that asked."""
    member = xroad_headers().replace("SUBSYSTEM", "MEMBER", 1)
    member = member.replace("<i:subsystemCode>core</i:subsystemCode>", "", 1)
    callers = []
    for header in (xroad_headers(), member):
        fake = FakePort()
        assert send(build(fake, KG), enveloped(GET_STATUS, header=header)).status == 200
        callers.append(fake.requests[0][1])

    assert [caller.subsystem for caller in callers] == ["core", None]
    assert {caller.recipient for caller in callers} == {MEMBER}


def _bare(block: bytes) -> list[Any]:
    return [(each.tag, each.text, each.items()) for each in etree.fromstring(block).iter()]


@pytest.mark.parametrize(
    ("header", "code", "field"),
    [
        ("", "REQ-01", "client"),
        (xroad_headers(version="4.1"), "REQ-02", "protocolVersion"),
        (xroad_headers("GetAgreement"), "REQ-01", "serviceCode"),
        (xroad_headers(request_id="not-a-uuid"), "REQ-01", "id"),
        (xroad_headers(request_id="7d9a3c1e-0000-4000-8000-0000000000bb"), "REQ-01", "requestId"),
        (xroad_headers(member="com/60000001"), "REQ-01", "memberCode"),
        (xroad_headers(member="COM/ 60000001"), "REQ-01", "memberCode"),
        (xroad_headers(member="COM/60000001/x"), "REQ-01", "memberCode"),
        (xroad_headers().replace("KG<", "EE<", 1), "RCP-01", "xRoadInstance"),
        (xroad_headers().replace("SUBSYSTEM", "SERVER"), "REQ-01", "objectType"),
        (xroad_headers().replace("SUBSYSTEM", "NOBODY"), "REQ-01", "objectType"),
        (xroad_headers().replace('"SERVICE"', '"MEMBER"'), "REQ-01", "objectType"),
        (xroad_headers().replace(">v1<", ">v2<"), "REQ-02", "serviceVersion"),
        (xroad_headers(more=_header("userId", "x" * 65)), "REQ-01", "userId"),
        (xroad_headers(more=_header("issue", "x" * 256)), "REQ-01", "issue"),
        (xroad_headers(more=_header("issue", " " * 4097)), "REQ-01", "issue"),
        (xroad_headers(member="COM/" + "6" * 4097), "REQ-01", "client"),
    ],
)
def test_unsuitable_xroad_headers_are_refused(header: str, code: str, field: str) -> None:
    """Mandatory headers are present, of the one version and network, and fit the Body."""
    fake = FakePort()
    response = send(build(fake, KG), enveloped(GET_STATUS, header=header))

    assert_typed_fault(response)
    assert (response.codes, response.fields) == ([code], [field])
    assert fake.requests == []


@pytest.mark.parametrize("name", ["client", "service", "id", "protocolVersion"])
def test_a_missing_or_doubled_xroad_header_is_refused(name: str) -> None:
    """X-Road message protocol 4.0: the four mandatory headers must be present once each."""
    root = etree.fromstring(f"<h>{xroad_headers()}</h>")
    block = root.find(f"{{{XRD}}}{name}")
    assert block is not None
    doubled = "".join(etree.tostring(each, encoding="unicode") for each in (*root, block))
    root.remove(block)
    missing = "".join(etree.tostring(each, encoding="unicode") for each in root)

    for header in (doubled, missing):
        response = send(build(channel=KG), enveloped(GET_STATUS, header=header))
        assert (response.codes, response.fields) == (["REQ-01"], [name])
        assert "protocolVersion 4.0" in (response.text(".//t:reason/t:text/t:en") or "")
    twice = send(build(channel=KG), enveloped(GET_STATUS, header=doubled))
    assert twice.root.find("{*}Header") is None


@pytest.mark.parametrize("name", ["userId", "issue"])
def test_an_optional_xroad_header_may_be_empty_or_nil(name: str) -> None:
    """JAX-WS sends optional headers that are not set as nil or empty elements."""
    empty = _header(name, "")
    nil = f'<x:{name} xmlns:x="{XRD}" {_NIL}/>'

    for header in (empty, nil):
        fake = FakePort()
        raw = enveloped(GET_STATUS, header=xroad_headers(more=header))
        assert send(build(fake, KG), raw).status == 200
        ((_, caller),) = fake.requests
        assert (caller.employee, caller.case_number) == (None, None)


def test_a_mandatory_xroad_header_may_not_be_nil() -> None:
    """A nil header identifies no caller."""
    nil = f'<x:client xmlns:x="{XRD}" xmlns:i="{ID}" i:objectType="MEMBER" {_NIL}/>'
    header = nil + xroad_headers().partition("</x:client>")[2]
    response = send(build(channel=KG), enveloped(GET_STATUS, header=header))

    assert set(response.codes) == {"REQ-01"}
    assert "client" in response.fields


def test_xroad_headers_must_be_understood_and_are() -> None:
    """SOAP 1.1, section 4.2.3: a channel understands the headers that it reads."""
    header = xroad_headers().replace(
        "<x:id ", '<x:id xmlns:s="http://schemas.xmlsoap.org/soap/envelope/" s:mustUnderstand="1" '
    )
    assert send(build(channel=KG), enveloped(GET_STATUS, header=header)).status == 200


@dataclass(frozen=True, slots=True)
class _Verifier:
    """A verifier that accepts any message as signed by one certificate."""

    fingerprint: bytes = b"f" * 32
    verified: str | None = None
    """The verified child, if it is another than that in the Body."""
    error: RejectedError | None = None

    def verify(self, envelope: Any, *, at: datetime) -> VerifiedMessage:
        if self.error is not None:
            raise self.error
        mark = MessageMark(digest=b"m" * 32, forget_after=at)
        child = etree.fromstring(self.verified) if self.verified else envelope[-1][0]
        return VerifiedMessage(child=child, fingerprint=self.fingerprint, mark=mark)


class _Register:
    """A register that knows one certificate."""

    def __init__(self, *, down: bool = False) -> None:
        self._down = down

    def certificate(self, fingerprint: bytes) -> RegisteredCertificate | None:
        if self._down:
            raise StoreUnavailableError("down")
        if fingerprint != b"f" * 32:
            return None
        return RegisteredCertificate(recipient=MEMBER, fingerprint=fingerprint)


def _wsse(verifier: _Verifier, *, down: bool = False) -> WsseChannel:
    register: Any = _Register(down=down)
    return WsseChannel(verifier, register)


def test_wsse_certificate_identifies_the_caller() -> None:
    """The registered certificate identifies the caller, and the mark goes to the record."""
    fake = FakePort()
    header = xroad_headers(member="GOV/1", more=_header("userId", "somebody"))
    response = send(build(fake, _wsse(_Verifier())), enveloped(GET_STATUS, header=header))

    ((_, caller),) = fake.requests
    assert response.status == 200
    assert response.root.find("{*}Header") is None
    assert caller.recipient == MEMBER, "X-Road headers confer nothing here"
    assert (caller.employee, caller.request_id) == (None, None)
    assert caller.certificate == b"f" * 32
    assert caller.mark == MessageMark(digest=b"m" * 32, forget_after=NOW)


def test_only_verified_content_is_read() -> None:
    """docs/architecture.md, invariant 2: the request is the signed child, for any other Body
    content.
    """
    fake, other = FakePort(), "00000000-0000-4000-8000-00000000beef"
    signed = GET_STATUS.replace(str(REQUEST_ID), other)

    send(build(fake, _wsse(_Verifier(verified=signed))), enveloped(GET_STATUS))

    ((request, _),) = fake.requests
    assert str(request.request_id) == other


@pytest.mark.parametrize(
    ("channel", "code", "fault"),
    [
        (_wsse(_Verifier(fingerprint=b"g" * 32)), "RCP-04", "Client"),
        (_wsse(_Verifier(error=RejectedError(Reason(code=Code.SIG_02)))), "SIG-02", "Client"),
        (_wsse(_Verifier(error=RejectedError(Reason(code=Code.SIG_07)))), "SIG-07", "Server"),
        (_wsse(_Verifier(), down=True), "OPS-03", "Server"),
    ],
)
def test_unauthenticated_wsse_message_is_a_fault(
    channel: WsseChannel, code: str, fault: str
) -> None:
    """A message that cannot be authenticated is a fault, and reaches no use case."""
    fake = FakePort()
    response = send(build(fake, channel), enveloped(GET_STATUS))

    assert_typed_fault(response)
    assert (response.codes, response.fault_code, fake.requests) == ([code], fault, [])


PDU = "http://x-road.eu/xsd/pdu.xsd"


def _usage(content: str) -> str:
    return xroad_headers(more=f'<p:pdu xmlns:p="{PDU}">{content}</p:pdu>')


def _part(name: str, text: str) -> str:
    return f"<p:{name}>{text}</p:{name}>"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (_part("reason", " loan  7 "), UsageStatement(reason="loan 7")),
        (
            _part("reason", "loan") + _part("system", "Core") + _part("hidden", " 1 "),
            UsageStatement(reason="loan", system="Core", hidden=True),
        ),
        (
            _part("reason", "loan") + _part("hidden", "false"),
            UsageStatement(reason="loan", hidden=False),
        ),
    ],
)
def test_what_the_client_says_to_the_subject_is_read(
    content: str, expected: UsageStatement
) -> None:
    """X-Road extension on the usage of personal data: reason, system and hidden."""
    fake = FakePort()
    response = send(build(fake, KG), enveloped(GET_STATUS, header=_usage(content)))

    ((_, caller),) = fake.requests
    assert response.status == 200
    assert caller.usage == expected
    assert response.root.find(f"{{*}}Header/{{{PDU}}}pdu") is not None, "it is echoed"


@pytest.mark.parametrize(
    "content",
    [
        "",
        _part("reason", " "),
        _part("system", "Core"),
        _part("reason", "x" * 256),
        _part("reason", " " * 5000),
        _part("reason", "loan") + _part("reason", "loan"),
        _part("system", "Core") + _part("reason", "loan"),
        _part("reason", "loan") + _part("hidden", "yes"),
        _part("reason", "loan") + _part("more", "x"),
        _part("reason", "<p:b>loan</p:b>"),
        _part("reason", "pay&#x202E;load"),
        "loan" + _part("reason", "loan"),
    ],
)
def test_any_other_usage_is_refused(content: str) -> None:
    """It is shown to citizens, so it is short plain text or nothing."""
    fake = FakePort()
    response = send(build(fake, KG), enveloped(GET_STATUS, header=_usage(content)))

    assert_typed_fault(response)
    assert response.codes == ["REQ-01"]
    assert fake.requests == []


def test_a_doubled_usage_is_refused_and_a_nil_one_is_absent() -> None:
    one = f'<p:pdu xmlns:p="{PDU}">{_part("reason", "loan")}</p:pdu>'
    doubled = send(build(channel=KG), enveloped(GET_STATUS, header=xroad_headers(more=one * 2)))
    assert doubled.codes == ["REQ-01"]

    fake = FakePort()
    nil = f'<p:pdu xmlns:p="{PDU}" {_NIL}/>'
    assert (
        send(build(fake, KG), enveloped(GET_STATUS, header=xroad_headers(more=nil))).status == 200
    )
    assert fake.requests[0][1].usage is None
