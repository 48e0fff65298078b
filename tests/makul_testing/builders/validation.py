"""Documents for each conclusion of a validation that a document alone can cause."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from lxml import etree

from makul.domain.reasons import Code
from makul.trust.base.findings import Indication, SubIndication
from makul.trust.pki.trust_store import TrustStore
from makul.trust.validation.documents import Profile as CertificateQuery
from makul.trust.validation.documents import XadesVerifier
from makul.trust.validation.report import CheckVerdict, Report
from makul_testing.builders.xades import CONTENT, DS, RSA_SHA1, SHA1, XADES, Forge, instant
from makul_testing.pki.authorities import DAY, NOW, Authority, Profile, StoreFiles, key_usage
from makul_testing.pki.crls import directories

SHORT = Profile(not_after=NOW - DAY)
"""The signing time of a certificate that was good then and has ended since."""
ASKED = CertificateQuery(name="generic", plain=True, unbound="anyone may sign")


def report(verifier: XadesVerifier, document: bytes, **changes: Any) -> Report:
    query = changes.pop("asked", ASKED)
    return verifier.validate(document, query, **{"at": NOW} | changes).report


def verdicts(found: Report) -> dict[str, CheckVerdict]:
    return {result.check: result.verdict for result in found.checks}


def store_of(path: Path, root: Authority, *crls: bytes) -> TrustStore:
    files = StoreFiles(path).write(anchors=[root], intermediates=[], crls=crls or [root.crl()])
    return TrustStore(directories(files))


def swapped(document: bytes, old: bytes, new: bytes) -> bytes:
    assert old in document
    return document.replace(old, new, 1)


def wrong_value(document: bytes) -> bytes:
    root = etree.fromstring(document)
    value = root.find(f".//{{{DS}}}SignatureValue")
    value.text = value.text[:8] + ("B" if value.text[8] == "A" else "A") + value.text[9:]
    return etree.tostring(root)


def unnamed(document: bytes) -> bytes:
    """Name a certificate in SigningCertificateV2 that KeyInfo does not carry."""
    root = etree.fromstring(document)
    root.find(f".//{{{XADES}}}CertDigest/{{{DS}}}DigestValue").text = "AAAA"
    return etree.tostring(root)


Row = tuple[str, Callable[[Any], bytes], str, Code, SubIndication, Indication]
FAILED, OPEN = Indication.FAILED, Indication.INDETERMINATE
ROWS: list[Row] = [
    (
        "unsigned",
        lambda world: CONTENT.encode(),
        "format",
        Code.SIG_01,
        SubIndication.FORMAT_FAILURE,
        FAILED,
    ),
    (
        "no XML",
        lambda world: b"<a",
        "format",
        Code.SIG_02,
        SubIndication.FORMAT_FAILURE,
        FAILED,
    ),
    (
        "something else signed",
        lambda world: Forge(holder=world.citizen, document_uri="#other").signed(),
        "format",
        Code.SIG_03,
        SubIndication.SIGNED_DATA_NOT_FOUND,
        OPEN,
    ),
    (
        "two references at one element",
        lambda world: Forge(holder=world.citizen, target="#another").signed(),
        "format",
        Code.SIG_03,
        SubIndication.SIG_CONSTRAINTS_FAILURE,
        OPEN,
    ),
    (
        "no SigningCertificateV2",
        lambda world: Forge(holder=world.citizen, signing_certificate=False).signed(),
        "identification",
        Code.SIG_02,
        SubIndication.NO_SIGNING_CERTIFICATE_FOUND,
        OPEN,
    ),
    (
        "another certificate named",
        lambda world: unnamed(Forge(holder=world.citizen).signed()),
        "identification",
        Code.SIG_02,
        SubIndication.NO_SIGNING_CERTIFICATE_FOUND,
        OPEN,
    ),
    (
        "content changed",
        lambda world: swapped(Forge(holder=world.citizen).signed(), b"OPENING", b"CLOSING"),
        "integrity",
        Code.SIG_02,
        SubIndication.HASH_FAILURE,
        FAILED,
    ),
    (
        "value changed",
        lambda world: wrong_value(Forge(holder=world.citizen).signed()),
        "integrity",
        Code.SIG_02,
        SubIndication.SIG_CRYPTO_FAILURE,
        FAILED,
    ),
    (
        "SHA-1 digest",
        lambda world: Forge(holder=world.citizen, digest_method=SHA1).signed(),
        "cryptographic-constraints",
        Code.SIG_04,
        SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE,
        OPEN,
    ),
    (
        "RSA with SHA-1",
        lambda world: Forge(holder=world.rsa_citizen, signature_method=RSA_SHA1).signed(),
        "cryptographic-constraints",
        Code.SIG_04,
        SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE,
        OPEN,
    ),
    (
        "unknown transform",
        lambda world: Forge(holder=world.citizen, document_transforms=("urn:foo",)).signed(),
        "cryptographic-constraints",
        Code.SIG_04,
        SubIndication.CRYPTO_CONSTRAINTS_FAILURE,
        OPEN,
    ),
    (
        "no signing time",
        lambda world: Forge(holder=world.citizen, signing_time=None).signed(),
        "signing-time",
        Code.SIG_02,
        SubIndication.SIG_CONSTRAINTS_FAILURE,
        OPEN,
    ),
    (
        "signed tomorrow",
        lambda world: Forge(holder=world.citizen, signing_time=instant(NOW + DAY)).signed(),
        "signing-time",
        Code.SIG_02,
        SubIndication.SIG_CONSTRAINTS_FAILURE,
        OPEN,
    ),
    (
        "expired",
        lambda world: Forge(holder=world.ca.issue(SHORT)).signed(),
        "path",
        Code.SIG_05,
        SubIndication.OUT_OF_BOUNDS_NO_POE,
        OPEN,
    ),
    (
        "not yet valid",
        lambda world: Forge(holder=world.ca.issue(Profile(not_before=NOW + DAY))).signed(),
        "path",
        Code.SIG_05,
        SubIndication.NOT_YET_VALID,
        FAILED,
    ),
    (
        "of a stranger",
        lambda world: Forge(holder=Authority.root("A Stranger").issue()).signed(),
        "path",
        Code.SIG_09,
        SubIndication.NO_CERTIFICATE_CHAIN_FOUND,
        OPEN,
    ),
    (
        "not for signing",
        lambda world: Forge(
            holder=world.ca.issue(Profile(usage=key_usage("key_encipherment")))
        ).signed(),
        "path",
        Code.SIG_10,
        SubIndication.CHAIN_CONSTRAINTS_FAILURE,
        OPEN,
    ),
]
