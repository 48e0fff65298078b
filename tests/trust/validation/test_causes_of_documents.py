"""Each refusal of a document names its element and says what is expected."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from makul.domain.causes import Cause
from makul.trust.validation.documents import XadesVerifier
from makul_testing.builders.xades import DS, ENVELOPED, EXC_C14N, XADES, Forge, instant
from makul_testing.pki.authorities import NOW


def spoilt(old: bytes, new: bytes, **departures: Any) -> Callable[[Any], bytes]:
    def build(world: Any) -> bytes:
        document = Forge(holder=world.citizen, **departures).signed()
        assert old in document
        return document.replace(old, new, 1)

    return build


def forged(**departures: Any) -> Callable[[Any], bytes]:
    return lambda world: Forge(holder=world.citizen, **departures).signed()


PURPOSE = b"<c:purpose>"
XPATH_1 = "http://www.w3.org/TR/1999/REC-xpath-19991116"
ALL_KEPT = f'<ds:Transform Algorithm="{XPATH_1}"><ds:XPath>true()</ds:XPath></ds:Transform>'
INDETERMINATE, FAILED = "INDETERMINATE", "TOTAL-FAILED"
CONSTRAINTS = "SIG_CONSTRAINTS_FAILURE"
DOCUMENTS: dict[str, tuple[Callable[[Any], bytes], str, str | None, Cause | None, str]] = {
    "comment": (
        spoilt(PURPOSE, PURPOSE + b"<!-- -->"),
        "SIG-02",
        "purpose",
        Cause.COMMENT,
        CONSTRAINTS,
    ),
    "instruction": (
        spoilt(PURPOSE, PURPOSE + b"<?x?>"),
        "SIG-02",
        "purpose",
        Cause.INSTRUCTION,
        CONSTRAINTS,
    ),
    "document type": (
        lambda _: b"<!DOCTYPE a><a/>",
        "SIG-02",
        None,
        Cause.DOCUMENT_TYPE,
        CONSTRAINTS,
    ),
    "encoding": (
        lambda _: b'<?xml version="1.0" encoding="windows-1251"?><a/>',
        "SIG-02",
        None,
        Cause.ENCODING,
        CONSTRAINTS,
    ),
    "XML 1.1": (
        lambda _: b'<?xml version="1.1"?><a/>',
        "SIG-02",
        None,
        Cause.XML_VERSION,
        CONSTRAINTS,
    ),
    "a line before the declaration": (
        lambda _: b'\n<?xml version="1.0"?><a/>',
        "SIG-02",
        None,
        Cause.NOT_WELL_FORMED,
        "FORMAT_FAILURE",
    ),
    "a zero behind": (
        lambda _: b"<a/>\0",
        "SIG-02",
        None,
        Cause.NOT_WELL_FORMED,
        "FORMAT_FAILURE",
    ),
    "UTF-16": (lambda _: "<a/>".encode("utf-16"), "SIG-02", None, Cause.ENCODING, CONSTRAINTS),
    "too large": (
        lambda _: b"<a>" + b"x" * 300_000 + b"</a>",
        "SIG-02",
        None,
        Cause.DOCUMENT_SIZE,
        CONSTRAINTS,
    ),
    "not XML": (lambda _: b"%PDF-1.7", "SIG-02", None, Cause.NOT_WELL_FORMED, "FORMAT_FAILURE"),
    "unsigned": (lambda _: b"<a/>", "SIG-01", "Signature", Cause.NO_SIGNATURE, "FORMAT_FAILURE"),
    "two signatures": (
        spoilt(b"</c:Consent>", f'<ds:Signature xmlns:ds="{DS}"/></c:Consent>'.encode()),
        "SIG-03",
        "Signature",
        Cause.SIGNATURE_COUNT,
        CONSTRAINTS,
    ),
    "no properties": (
        forged(with_properties=False),
        "SIG-03",
        "Object",
        Cause.DOCUMENT_SIGNATURE,
        CONSTRAINTS,
    ),
    "other target": (
        forged(target="#other"),
        "SIG-03",
        "QualifyingProperties",
        Cause.PROPERTIES,
        CONSTRAINTS,
    ),
    "no certificate named": (
        forged(signing_certificate=False),
        "SIG-02",
        "SigningCertificateV2",
        Cause.SIGNER_REFERENCE,
        "NO_SIGNING_CERTIFICATE_FOUND",
    ),
    "xpath": (
        forged(document_transforms=(ENVELOPED, ALL_KEPT, EXC_C14N)),
        "SIG-04",
        "XPath",
        Cause.TRANSFORM,
        "CRYPTO_CONSTRAINTS_FAILURE",
    ),
    "xslt": (
        forged(document_transforms=(ENVELOPED, "http://www.w3.org/TR/1999/REC-xslt-19991116")),
        "SIG-04",
        "Transform",
        Cause.TRANSFORM,
        "CRYPTO_CONSTRAINTS_FAILURE",
    ),
    "elsewhere": (
        forged(document_uri="other.xml"),
        "SIG-03",
        "Reference",
        Cause.REFERENCE_TARGET,
        "SIGNED_DATA_NOT_FOUND",
    ),
    "time of a zone": (
        forged(signing_time=instant(NOW + timedelta(hours=6))),
        "SIG-02",
        "SigningTime",
        Cause.TIME_ZONE,
        CONSTRAINTS,
    ),
    "time of a clock that is fast": (
        forged(signing_time=instant(NOW + timedelta(minutes=20))),
        "SIG-02",
        "SigningTime",
        Cause.SIGNING_TIME,
        CONSTRAINTS,
    ),
    "time without a zone": (
        forged(signing_time="2026-11-22T12:00:00"),
        "SIG-02",
        "SigningTime",
        Cause.SIGNING_TIME,
        CONSTRAINTS,
    ),
    "time of next week": (
        forged(signing_time=instant(NOW + timedelta(days=7))),
        "SIG-02",
        "SigningTime",
        Cause.SIGNING_TIME,
        CONSTRAINTS,
    ),
    "changed": (spoilt(b"OPENING", b"CLOSING"), "SIG-02", "Consent", None, "HASH_FAILURE"),
    "value changed": (
        spoilt(b"<ds:SignatureValue>", b"<ds:SignatureValue>AAAA"),
        "SIG-02",
        "SignatureValue",
        None,
        "SIG_CRYPTO_FAILURE",
    ),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_each_refusal_names_its_cause(documents: XadesVerifier, world, name: str) -> None:
    """ETSI EN 319 102-1, 5.1.3: TOTAL-FAILED is only for wrong signatures."""
    build, code, field, cause, sub = DOCUMENTS[name]

    verified = documents.verify(build(world), at=NOW)

    report = json.loads(verified.report)
    assert (report["reason"], report["field"], report["subIndication"]) == (code, field, sub)
    assert (verified.proof.field, verified.proof.cause) == (field, cause)
    failed = sub in {"FORMAT_FAILURE", "HASH_FAILURE", "SIG_CRYPTO_FAILURE"}
    assert report["indication"] == (FAILED if failed else INDETERMINATE)
    if cause is Cause.TIME_ZONE:
        assert "6 h 00 min" in report["why"]


def test_a_comment_beside_the_root_is_named(documents: XadesVerifier, world) -> None:
    """No element contains such a comment."""
    verified = documents.verify(Forge(holder=world.citizen).signed() + b"<!-- -->", at=NOW)

    assert (verified.proof.field, verified.proof.cause) == (None, Cause.COMMENT)


def test_an_unpublished_name_is_not_repeated(documents: XadesVerifier, world) -> None:
    """docs/architecture.md, invariant 7: an unknown name might be a value."""
    document = spoilt(PURPOSE, b"<pin21503199012345><!-- --></pin21503199012345>" + PURPOSE)(world)

    assert "2150319" not in (documents.verify(document, at=NOW).proof.field or "")


def test_old_xades_namespaces_are_named(documents: XadesVerifier, world) -> None:
    """XAdES 1.1.1 and 1.2.2 are other standards."""
    document = (
        Forge(holder=world.citizen)
        .signed()
        .replace(XADES.encode(), b"http://uri.etsi.org/01903/v1.1.1#")
    )

    verified = documents.verify(document, at=NOW)

    assert (verified.proof.field, verified.proof.cause) == (
        "QualifyingProperties",
        Cause.PROPERTIES,
    )
