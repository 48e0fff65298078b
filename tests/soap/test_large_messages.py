"""Large messages with a scan are accepted for one operation only, within their own limits."""

import pytest
from lxml import etree

from makul.app import requests
from makul.soap.envelope import MAX_MARKUP, MAX_ORDINARY
from makul_testing.soap_client import (
    REQUEST_ID,
    FakePort,
    R,
    Response,
    build,
    enveloped,
    sample,
    send,
)

BEYOND = "A" * (MAX_ORDINARY + 4)


def ask(body: str) -> tuple[FakePort, Response]:
    fake = FakePort()
    return fake, send(build(fake), enveloped(body))


def test_a_scan_may_be_larger_than_an_ordinary_message() -> None:
    """A scan may have up to 10 MiB; by itself libxml2 stops at a text of 10 MB."""
    body = etree.fromstring(sample("register-consent"))
    scan = body.find("{*}scan")
    assert scan is not None
    scan.text = "A" * 13_981_012 + "===="[:0]

    fake, response = ask(etree.tostring(body, encoding="unicode"))

    assert response.status == 200, response.codes
    ((request, _),) = fake.requests
    assert isinstance(request, requests.ConsentRequest)
    assert request.scan is not None
    assert len(request.scan) == 10_485_759


@pytest.mark.parametrize(
    "body",
    [
        f'<r:GetStatus xmlns:r="{R}"><r:requestId>{REQUEST_ID}</r:requestId>{BEYOND}</r:GetStatus>',
        (
            f'<r:GetStatus xmlns:r="{R}"><r:requestId>{REQUEST_ID}</r:requestId>'
            f"<r:employee>RegisterConsent</r:employee>{BEYOND}</r:GetStatus>"
        ),
        f"<RegisterConsents>{BEYOND}</RegisterConsents>",
    ],
)
def test_no_other_operation_may_be_large(body: str) -> None:
    """REQ-07, also if the message names the operation that may be large."""
    fake, response = ask(body)

    assert (fake.requests, response.codes) == ([], ["REQ-07"])


def test_a_large_message_has_the_same_limits_of_structure() -> None:
    """Tags and depth are limited, for every setting of libxml2."""
    deep = "<a>" * 2_000 + "</a>" * 2_000
    wide = "<a/>" * (MAX_MARKUP + 1)
    for content in (deep, wide):
        body = f'<r:RegisterConsent xmlns:r="{R}">{content}{BEYOND}</r:RegisterConsent>'
        fake, response = ask(body)
        assert fake.requests == []
        assert response.codes == ["REQ-07"]
