"""Each fault about an envelope names its element and says what is expected."""

import pytest

from makul.domain.causes import Cause
from makul.domain.reasons import Code
from makul.soap.envelope import check_understood, split
from makul.soap.faults import EnvelopeError, HttpError
from makul.soap.versions import SOAP_11

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
GET = '<r:GetStatus xmlns:r="urn:makul:recipient:1"><r:requestId>1</r:requestId></r:GetStatus>'


def envelope(body: str = GET, header: str = "", before: str = "", beside: str = "") -> bytes:
    return (
        f'{before}<s:Envelope xmlns:s="{SOAP}"><s:Header>{header}</s:Header>{beside}'
        f"<s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


REQUEST_ID = "<r:requestId>"
SOAP_12 = envelope().replace(SOAP.encode(), b"http://www.w3.org/2003/05/soap-envelope")
CASES: dict[str, tuple[bytes, Code, str, Cause]] = {
    "comment": (
        envelope(GET.replace(REQUEST_ID, f"{REQUEST_ID}<!-- -->")),
        Code.REQ_07,
        "requestId",
        Cause.COMMENT,
    ),
    "comment in the Header": (envelope(header="<!-- -->"), Code.REQ_07, "Header", Cause.COMMENT),
    "comment before": (envelope(before="<!-- -->"), Code.REQ_07, "Envelope", Cause.COMMENT),
    "comment in an unknown element": (
        envelope('<x:pin21503199012345 xmlns:x="urn:x"><!-- --></x:pin21503199012345>'),
        Code.REQ_07,
        "Body",
        Cause.COMMENT,
    ),
    "instruction": (
        envelope(GET.replace(REQUEST_ID, f"{REQUEST_ID}<?x?>")),
        Code.REQ_07,
        "requestId",
        Cause.INSTRUCTION,
    ),
    "instruction before": (envelope(before="<?x?>"), Code.REQ_07, "Envelope", Cause.INSTRUCTION),
    "encoding": (
        envelope(before='<?xml version="1.0" encoding="windows-1251"?>'),
        Code.REQ_07,
        "encoding",
        Cause.ENCODING,
    ),
    "version": (
        envelope(before='<?xml version="1.1"?>'),
        Code.REQ_07,
        "version",
        Cause.XML_VERSION,
    ),
    "not well formed": (envelope()[:-5], Code.REQ_01, "Envelope", Cause.NOT_WELL_FORMED),
    "another version of SOAP": (SOAP_12, Code.REQ_02, "Envelope", Cause.SOAP_VERSION),
    "no SOAP": (b"<a/>", Code.REQ_01, "Envelope", Cause.BODY_CONTENT),
    "two children": (envelope(GET * 2), Code.REQ_01, "Body", Cause.BODY_CONTENT),
    "an empty Body": (envelope(""), Code.REQ_01, "Body", Cause.BODY_CONTENT),
    "beside the Body": (
        envelope(beside='<x:a xmlns:x="urn:x"/>'),
        Code.REQ_01,
        "Envelope",
        Cause.BODY_CONTENT,
    ),
    "text": (envelope(f"text{GET}"), Code.REQ_01, "Body", Cause.TEXT_BESIDE),
    "too deep": (envelope("<a>" * 40 + "</a>" * 40), Code.REQ_07, "Envelope", Cause.TOO_MANY_PARTS),
    "too much": (envelope("<a/>" * 5000), Code.REQ_07, "Envelope", Cause.TOO_MANY_PARTS),
    "headers": (envelope(header="<a/>" * 40), Code.REQ_07, "Header", Cause.TOO_MANY_PARTS),
    "size": (envelope(f"{GET}{' ' * 5_000_000}"), Code.REQ_07, "Envelope", Cause.TOO_LARGE),
}


@pytest.mark.parametrize("name", CASES)
def test_each_fault_of_an_envelope_names_its_cause(name: str) -> None:
    """REQ-01, REQ-02, REQ-07 have one cause each; a name that the sender invented is
    not repeated.
    """
    raw, *expected = CASES[name]

    with pytest.raises((EnvelopeError, HttpError)) as caught:
        split(raw, SOAP_11)

    (reason,) = caught.value.reasons
    assert [reason.code, reason.field, reason.cause] == expected


@pytest.mark.parametrize(
    ("name", "field"),
    [
        ("{http://www.w3.org/2005/08/addressing}Action", "Action"),
        ("{urn:x}pin21503199012345", "Header"),
    ],
)
def test_a_block_that_must_be_understood_is_named(name: str, field: str) -> None:
    """SOAP 1.1, 4.2.3: stacks add WS-Addressing by themselves."""
    namespace, _, local = name[1:].partition("}")
    block = f'<x:{local} xmlns:x="{namespace}" s:mustUnderstand="1"/>'

    with pytest.raises(EnvelopeError) as caught:
        check_understood(split(envelope(header=block), SOAP_11), frozenset())

    (reason,) = caught.value.reasons
    assert (reason.field, reason.cause) == (field, Cause.NOT_UNDERSTOOD)
