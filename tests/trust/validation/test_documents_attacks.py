"""Documents that an attacker made are refused, each for its named reason."""

from datetime import timedelta

import pytest
from lxml import etree

from makul.domain.reasons import Code
from makul.trust.validation.documents import XadesVerifier
from makul.trust.xmldsig.parsing import MAX_DOCUMENT_BYTES
from makul_testing.builders.xades import (
    C14N_COMMENTS,
    CONTENT,
    DS,
    ENVELOPED,
    EXC_C14N,
    HMAC_SHA256,
    RSA_SHA1,
    SHA1,
    SHA256,
    XADES,
    Forge,
    instant,
    reasons,
)
from makul_testing.pki.authorities import NOW, Profile, name_of, new_rsa_key

EVIL = "<c:subject xmlns:c='urn:makul:consent:1'>Мыкты</c:subject>"


# --- content ------------------------------------------------------------------------------------


def test_tampering_is_refused(documents: XadesVerifier, world) -> None:
    """SIG-02: a changed value, a changed name, and an added element."""
    signed = Forge(holder=world.citizen).signed()

    for old, new in (
        ("Кадыр".encode(), "Бадыр".encode()),
        (b"purpose", b"purpase"),
        (b"</c:subject>", b"</c:subject>" + EVIL.encode()),
        (b"<ds:Signature ", b"text<ds:Signature "),
        (b"SigningTime>2026", b"SigningTime>2025"),
    ):
        assert reasons(documents, signed.replace(old, new)) == (Code.SIG_02,)


@pytest.mark.parametrize("markup", ["ACCOUNT<!-- -->_OPENING", "ACCOUNT<?x y?>_OPENING"])
def test_markup_inside_a_value_is_refused(documents: XadesVerifier, world, markup: str) -> None:
    """A comment or PI inside a value splits `.text`; the document is refused."""
    content = CONTENT.replace("ACCOUNT_OPENING", markup)
    transforms = (ENVELOPED, C14N_COMMENTS)
    plain = Forge(holder=world.citizen, content=content)
    signed_with_it = Forge(holder=world.citizen, content=content, document_transforms=transforms)

    assert reasons(documents, plain.signed()) == (Code.SIG_02,)
    assert reasons(documents, signed_with_it.signed()) == (Code.SIG_02,)


@pytest.mark.parametrize(
    "document",
    [
        b'<!DOCTYPE a [<!ENTITY e "x">]><a>&e;</a>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>',
        b"<!DOCTYPE a><a/>",
        b"<a>&undeclared;</a>",
        b"<a",
        b"",
        b"\x00",
        b"\xff\xfe" + "<a/>".encode("utf-16-le"),
        "<a/>".encode("utf-16-be"),
        b'<?xml version="1.0" encoding="utf-16"?><a/>',
        b'<?xml version="1.0" encoding="iso-8859-1"?><a>\xe9</a>',
        b'<?xml version="1.1"?><a/>',
        b"<a>\xe9</a>",
        b"<a>" + b"<a>" * 300 + b"</a>" * 300 + b"</a>",
        b"<a>" + b"<b/>" * 10_001 + b"</a>",
        b"<a>" + b"x" * MAX_DOCUMENT_BYTES + b"</a>",
        b"<a b='1' b='2'/>",
    ],
)
def test_xml_that_no_document_needs_is_refused(documents: XadesVerifier, document: bytes) -> None:
    """Only UTF-8, at most 256 KiB and no DTD are accepted; anything else is refused before
    verification.
    """
    assert reasons(documents, document) == (Code.SIG_02,)


# --- algorithms and references ------------------------------------------------------------------


@pytest.mark.parametrize(
    "transform",
    [
        "http://www.w3.org/TR/1999/REC-xslt-19991116",
        "http://www.w3.org/TR/1999/REC-xpath-19991116",
        "http://www.w3.org/2002/06/xmldsig-filter2",
        "http://www.w3.org/2000/09/xmldsig#base64",
        "urn:foo",
        "",
        C14N_COMMENTS,
        f"{EXC_C14N}WithComments",
    ],
)
def test_unknown_transforms_are_refused(documents: XadesVerifier, world, transform: str) -> None:
    """An unknown transform is refused; signxml skips it silently."""
    for transforms in (
        (ENVELOPED, transform),
        (ENVELOPED, transform, EXC_C14N),
        (transform, ENVELOPED, EXC_C14N),
        (ENVELOPED, EXC_C14N, transform),
    ):
        forged = Forge(holder=world.citizen, document_transforms=transforms).signed()
        assert reasons(documents, forged) == (Code.SIG_04,)


def test_parameters_of_transforms_are_refused(documents: XadesVerifier, world) -> None:
    """Only a PrefixList is read as a parameter of a transform, because others may hide a
    transform.
    """
    hidden = f'<ds:Transform Algorithm="{EXC_C14N}"><ds:XPath>1=1</ds:XPath></ds:Transform>'

    forged = Forge(holder=world.citizen, document_transforms=(ENVELOPED, hidden)).signed()

    assert reasons(documents, forged) == (Code.SIG_04,)


@pytest.mark.parametrize(
    ("departure", "code"),
    [
        ({"signature_method": HMAC_SHA256}, Code.SIG_04),
        ({"digest_method": SHA1}, Code.SIG_04),
        ({"own_c14n": C14N_COMMENTS}, Code.SIG_04),
        ({"document_transforms": (EXC_C14N,)}, Code.SIG_03),
        ({"document_uri": "http://127.0.0.1/consent.xml"}, Code.SIG_03),
        ({"document_uri": "file:///etc/passwd"}, Code.SIG_03),
        ({"document_uri": "#xpointer(/)"}, Code.SIG_03),
        ({"document_uri": "#xpointer(id('consent'))"}, Code.SIG_03),
        ({"document_uri": "#other"}, Code.SIG_03),
        ({"document_uri": "#"}, Code.SIG_03),
        ({"document_uri": "#properties"}, Code.SIG_03),
        ({"target": "#another"}, Code.SIG_03),
        ({"target": ""}, Code.SIG_03),
        ({"properties_type": None}, Code.SIG_03),
        ({"with_properties": False}, Code.SIG_03),
        ({"object_extra": "<x/>"}, Code.SIG_02),
        ({"signing_certificate": False}, Code.SIG_02),
        ({"signing_time": None}, Code.SIG_02),
        ({"signing_time": "2026-11-22T12:00:00"}, Code.SIG_02),
        ({"signing_time": "2026-13-22T12:00:00Z"}, Code.SIG_02),
        ({"signing_time": instant(NOW + timedelta(minutes=6))}, Code.SIG_02),
        ({"signing_time": "2099-01-01T00:00:00Z"}, Code.SIG_02),
        ({"carried": []}, Code.SIG_02),
    ],
)
def test_departures_from_the_profile_are_refused(
    documents: XadesVerifier, world, departure: dict, code: Code
) -> None:
    """XML Signature 1.1, 4.4; ETSI EN 319 132-1, 5.2 and 6.3: validly signed departures are
    refused.
    """
    assert reasons(documents, Forge(holder=world.citizen, **departure).signed()) == (code,)


def test_sha1_signature_is_refused(documents: XadesVerifier, world) -> None:
    """SIG-04: RSA with SHA-1, by an otherwise good key."""
    forged = Forge(holder=world.rsa_citizen, signature_method=RSA_SHA1).signed()

    assert reasons(documents, forged) == (Code.SIG_04,)


def test_short_rsa_is_refused(documents: XadesVerifier, world) -> None:
    """SIG-04: RSA of 1024 bits, with a good certificate."""
    short = world.ca.issue(key=new_rsa_key(1024))

    assert reasons(documents, Forge(holder=short).signed()) == (Code.SIG_04,)


def test_many_references_are_refused_early(documents: XadesVerifier, world) -> None:
    """References are counted first; with signxml, 1,000 of them cost 7.3 s."""
    reference = (
        f'<ds:Reference URI="#consent"><ds:DigestMethod Algorithm="{SHA256}"/>'
        "<ds:DigestValue>AAAA</ds:DigestValue></ds:Reference>"
    )

    for many in (2, 100):
        forged = Forge(holder=world.citizen, extra_references=[reference] * many).signed()
        assert reasons(documents, forged) == (Code.SIG_03,)


def test_a_third_reference_elsewhere_is_refused(documents: XadesVerifier, world) -> None:
    """The third reference may be only to KeyInfo."""
    reference = (
        f'<ds:Reference URI="#signature"><ds:DigestMethod Algorithm="{SHA256}"/>'
        "<ds:DigestValue>AAAA</ds:DigestValue></ds:Reference>"
    )

    forged = Forge(holder=world.citizen, extra_references=[reference]).signed()

    assert reasons(documents, forged) == (Code.SIG_03,)


# --- certificates -------------------------------------------------------------------------------


def test_certificate_of_the_same_key_is_refused(documents: XadesVerifier, world) -> None:
    """SigningCertificateV2 distinguishes two citizens' certificates of the same key."""
    twin = world.ca.issue(
        Profile(subject=name_of("Another", "PNOKG-10101198012345")), key=world.citizen.key
    )

    swapped = Forge(holder=world.citizen, carried=[twin]).signed()
    renamed = (
        Forge(holder=world.citizen)
        .signed()
        .replace(
            *(
                etree.fromstring(Forge(holder=holder).signed())
                .findtext(f".//{{{XADES}}}CertDigest/{{{DS}}}DigestValue")
                .encode()
                for holder in (world.citizen, twin)
            )
        )
    )

    assert reasons(documents, swapped) == (Code.SIG_02,)
    assert reasons(documents, renamed) == (Code.SIG_02,)


def test_named_certificate_of_another_is_refused(documents: XadesVerifier, world) -> None:
    """The attacker signs with their own key and names a citizen's certificate."""
    forged = Forge(
        holder=world.bank, named=world.citizen, carried=[world.bank, world.citizen]
    ).signed()

    assert reasons(documents, forged) == (Code.SIG_02,)


def test_key_value_of_another_is_refused(documents: XadesVerifier, world) -> None:
    """A KeyValue that is not the certificate's is refused, and none is ever used to verify."""
    value = (
        "<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>AQAB</ds:Modulus>"
        "<ds:Exponent>AQAB</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>"
    )

    forged = Forge(holder=world.rsa_citizen, key_info_extra=value).signed()

    assert reasons(documents, forged) == (Code.SIG_02,)


@pytest.mark.parametrize("der", [b"", b"\x30\x00", b"\x30" * 100, b"x" * 10_000])
def test_garbage_for_a_certificate_is_refused(documents: XadesVerifier, world, der: bytes) -> None:
    """Bytes that break a parser give a refusal, and never an exception."""
    garbage = type("Garbage", (), {"der": der, "key": world.citizen.key})()

    forged = Forge(holder=world.citizen, carried=[garbage], named=garbage).signed()

    assert reasons(documents, forged) == (Code.SIG_02,)


def test_internal_error_is_a_refusal(
    documents: XadesVerifier, world, monkeypatch: pytest.MonkeyPatch
) -> None:
    """ports.DocumentVerifier: the verifier never raises, for any internal error."""

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr("makul.trust.validation.checks.verify_proven", broken)

    assert reasons(documents, Forge(holder=world.citizen).signed()) == (Code.SIG_02,)
