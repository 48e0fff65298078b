"""Recorded messages of zeep's BinarySignature verify unchanged (`tests/vectors/trust`)."""

import shutil
from pathlib import Path

import pytest
from lxml import etree

from makul.app.ports import RejectedError
from makul.domain.reasons import Code
from makul.trust.pki.trust_material import TrustDirectories
from makul.trust.pki.trust_store import TrustStore
from makul.trust.wsse.verification import WsseVerifier
from makul_testing.builders.wsse import CHILD
from makul_testing.paths import VECTORS
from makul_testing.pki.authorities import NOW

VECTORS = VECTORS / "trust"
MESSAGES = sorted(VECTORS.glob("zeep-*-soap1?.xml"))


@pytest.fixture(scope="module")
def zeep_trust(tmp_path_factory: pytest.TempPathFactory) -> WsseVerifier:
    anchors, crls = (tmp_path_factory.mktemp(name) for name in ("anchors", "crls"))
    shutil.copy(VECTORS / "zeep-root.pem", anchors)
    shutil.copy(VECTORS / "zeep-root.crl", crls)
    return WsseVerifier(TrustStore(TrustDirectories(anchors=anchors, crls=crls)))


@pytest.mark.parametrize("path", MESSAGES, ids=lambda path: path.stem)
def test_zeep_message_verifies(zeep_trust: WsseVerifier, path: Path) -> None:
    """Zeep is set to RSA-SHA256 or ECDSA-SHA256, on SOAP 1.1 and 1.2."""
    verified = zeep_trust.verify(etree.parse(path).getroot(), at=NOW)

    assert etree.tostring(verified.child, method="c14n", exclusive=True) == CHILD.encode()


@pytest.mark.parametrize("path", MESSAGES, ids=lambda path: path.stem)
def test_changed_zeep_message_is_refused(zeep_trust: WsseVerifier, path: Path) -> None:
    """A change of these vectors is refused."""
    changed = path.read_bytes().replace(b"000000000001<", b"000000000002<")

    with pytest.raises(RejectedError) as caught:
        zeep_trust.verify(etree.fromstring(changed), at=NOW)
    assert caught.value.reasons[0].code is Code.SIG_02


def test_all_vectors_are_used() -> None:
    """There are four messages: two kinds of key, two versions of SOAP."""
    assert len(MESSAGES) == 4
