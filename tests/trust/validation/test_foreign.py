"""Documents and messages signed by other software get their verdict
(`tests/vectors/trust/foreign`).
"""

import json
import tomllib
from typing import Any

import pytest
from lxml import etree

from makul.app.ports import RejectedError
from makul.domain.disclosures import ProofStatus
from makul.domain.reasons import Code
from makul.trust.pki.trust_material import TrustDirectories
from makul.trust.pki.trust_store import TrustStore
from makul.trust.validation.documents import XadesVerifier
from makul.trust.wsse.verification import WsseVerifier
from makul_testing.paths import VECTORS

HOME = VECTORS / "trust" / "foreign"
VECTORS = tomllib.loads((HOME / "vectors.toml").read_text())
DOCUMENTS = [pytest.param(each, id=f"{each['file']} {each['at']}") for each in VECTORS["document"]]
MESSAGES = [pytest.param(each, id=f"{each['file']} {each['at']}") for each in VECTORS["message"]]
PASSING = [each for each in VECTORS["document"] if "reason" not in each]


@pytest.fixture(scope="module")
def foreign() -> TrustStore:
    trust = HOME / "trust"
    return TrustStore(
        TrustDirectories(
            anchors=trust / "anchors",
            intermediates=trust / "intermediates",
            crls=trust / "crls",
        )
    )


@pytest.mark.parametrize("vector", DOCUMENTS)
def test_document_of_other_software_gets_its_verdict(
    foreign: TrustStore, vector: dict[str, Any]
) -> None:
    """ETSI EN 319 102-1, 5.1.3: DSS and libxmlsec come to the same indication."""
    document = (HOME / vector["file"]).read_bytes()

    verified = XadesVerifier(foreign).verify(document, at=vector["at"])

    report = json.loads(verified.report)
    assert (report["indication"], report["reason"]) == (vector["indication"], vector.get("reason"))


@pytest.mark.parametrize("vector", PASSING, ids=lambda vector: vector["file"])
def test_changed_document_is_refused(foreign: TrustStore, vector: dict[str, Any]) -> None:
    """Each octet of the signed part of every good vector is changed, and the result is refused."""
    document = (HOME / vector["file"]).read_bytes()
    verifier = XadesVerifier(foreign)
    content = document.index(b"Signature")
    good = verifier.verify(document, at=vector["at"]).signed
    assert good is not None

    for position in range(document.index(b"?>") + 2, content, 7):
        changed = bytearray(document)
        changed[position] ^= 0x01
        verified = verifier.verify(bytes(changed), at=vector["at"])
        if verified.proof.status is ProofStatus.PASSED:
            assert verified.signed is not None
            assert etree.tostring(verified.signed) == etree.tostring(good)


@pytest.mark.parametrize("vector", MESSAGES)
def test_message_of_other_software_verifies(foreign: TrustStore, vector: dict[str, Any]) -> None:
    """WSS X.509 Token Profile 1.1: the signature verifies here and in libxmlsec."""
    envelope = etree.parse(HOME / vector["file"]).getroot()
    verifier = WsseVerifier(foreign)

    with pytest.raises(RejectedError) as caught:
        verifier.verify(envelope, at=vector["at"])

    assert caught.value.reasons[0].code is Code(vector["reason"])


def test_changed_message_is_refused(foreign: TrustStore) -> None:
    """SIG-02: the same message has another request id."""
    octets = (HOME / "wss4j-default.xml").read_bytes()
    envelope = etree.fromstring(octets.replace(b"f54cd246-", b"f54cd247-"))

    with pytest.raises(RejectedError) as caught:
        WsseVerifier(foreign).verify(envelope, at=VECTORS["message"][0]["at"])

    assert caught.value.reasons[0].code is Code.SIG_02


def test_declarations_that_a_prefix_list_names_count(foreign: TrustStore) -> None:
    """Exclusive canonicalisation, 2.1: another namespace for a listed prefix breaks the digest.

    `soap` is listed for SignedInfo. If it is bound to another namespace there, the value does not
    verify.
    """
    octets = (HOME / "wss4j-default.xml").read_bytes()
    changed = octets.replace(b"<ds:SignedInfo>", b'<ds:SignedInfo xmlns:soap="urn:other">', 1)
    assert changed != octets

    with pytest.raises(RejectedError) as caught:
        WsseVerifier(foreign).verify(etree.fromstring(changed), at=VECTORS["message"][0]["at"])

    assert caught.value.reasons[0].code is Code.SIG_02
