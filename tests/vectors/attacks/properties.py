"""XAdES properties that are absent, garbled, unsigned, moved, or about another signature.

ETSI EN 319 132-1, 5.2 and 6.3 (XAdES-B-B): SigningTime and SigningCertificateV2 are required.
"""

from base64 import b64encode
from copy import deepcopy
from datetime import timedelta
from functools import partial
from hashlib import sha1
from typing import TYPE_CHECKING, Any

from lxml import etree

from makul.domain.reasons import Code
from makul_testing.builders.xades import DS, XADES
from makul_testing.pki.authorities import NOW
from vectors.attacks.drafts import signed, spoilt
from vectors.attacks.vector import Vector

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

    from vectors.attacks.cast import Cast
    from vectors.attacks.drafts import Draft

X = f"{{{XADES}}}"
OLD_XADES = "http://uri.etsi.org/01903/v1.1.1#"

TIMES: dict[str, tuple[Any, str]] = {
    "absent": (None, "SigningTime is required (6.3, table 2)"),
    "six-minutes-ahead": (NOW + timedelta(minutes=6), "five are the tolerance"),
    "in-2099": ("2099-01-01T00:00:00Z", "from the future"),
    "without-a-zone": ("2026-11-22T12:00:00", "whose twelve o'clock?"),
    "thirteenth-month": ("2026-13-22T12:00:00Z", "no such day"),
    "hour-24": ("2026-11-22T24:00:00Z", "XML Schema has it, Python does not: no guess is made"),
    "a-date": ("2026-11-22", "no instant"),
    "a-number": ("1795348800", "no instant"),
    "empty": (" ", "no instant"),
    "year-10000": ("10000-01-01T00:00:00Z", "beyond what a datetime holds"),
    "negative-year": ("-0001-01-01T00:00:00Z", "beyond what a datetime holds"),
    "arabic-digits": ("٢٠٢٦-11-22T12:00:00Z", "digits of another script"),
    "garbage": ("&#x27;; DROP TABLE", "no instant"),
    "an-element": ("<x/>", "text was expected"),
}


def time_twice(drawn: "Draft") -> None:
    time = drawn.one("SigningTime", XADES)
    time.addnext(deepcopy(time))


def no_signing_certificate(drawn: "Draft") -> None:
    named = drawn.one("SigningCertificateV2", XADES)
    named.getparent().remove(named)  # type: ignore[union-attr]


def signing_certificate_twice(drawn: "Draft") -> None:
    named = drawn.one("SigningCertificateV2", XADES)
    named.addnext(deepcopy(named))


def signing_certificate_empty(drawn: "Draft") -> None:
    named = drawn.one("SigningCertificateV2", XADES)
    named.remove(named[0])


def first_form(drawn: "Draft") -> None:
    """Use SigningCertificate of the first form, which EN 319 132-1 has replaced."""
    named = drawn.one("SigningCertificateV2", XADES)
    named.tag = f"{X}SigningCertificate"


def both_forms(drawn: "Draft") -> None:
    """Name another certificate in the first form than in the second."""
    named = drawn.one("SigningCertificateV2", XADES)
    other = deepcopy(named)
    other.tag = f"{X}SigningCertificate"
    value = other.find(f".//{{{DS}}}DigestValue")
    assert value is not None
    value.text = b64encode(bytes(32)).decode()
    named.addprevious(other)


def first_form_twice(drawn: "Draft") -> None:
    first_form(drawn)
    named = drawn.one("SigningCertificate", XADES)
    named.addnext(deepcopy(named))


def first_form_issued(
    drawn: "Draft", *, issuer: str | None = None, serial: int | str | None = None
) -> None:
    """Use the first form with issuer and serial number, by default those of the certificate."""
    first_form(drawn)
    certificate = drawn.holder.certificate
    holder = etree.SubElement(drawn.one("Cert", XADES), f"{X}IssuerSerial")
    name = etree.SubElement(holder, f"{{{DS}}}X509IssuerName")
    name.text = issuer or certificate.issuer.rfc4514_string()
    number = etree.SubElement(holder, f"{{{DS}}}X509SerialNumber")
    number.text = str(certificate.serial_number if serial is None else serial)


def first_form_sha1(drawn: "Draft") -> None:
    """Use the first form by SHA-1, like signers of fifteen years ago."""
    first_form(drawn)
    drawn.properties.find(f".//{{{DS}}}DigestMethod").set("Algorithm", f"{DS}sha1")  # type: ignore[union-attr]
    value = drawn.properties.find(f".//{{{DS}}}DigestValue")
    assert value is not None
    value.text = b64encode(sha1(drawn.holder.der).digest()).decode()  # noqa: S324


def sha1_digest(drawn: "Draft") -> None:
    """Use SigningCertificateV2 by SHA-1, with the right digest."""
    first_form_sha1(drawn)
    drawn.one("SigningCertificate", XADES).tag = f"{X}SigningCertificateV2"


def wrong_digest(drawn: "Draft") -> None:
    value = drawn.properties.find(f".//{{{DS}}}DigestValue")
    assert value is not None
    value.text = b64encode(bytes(32)).decode()


def short_digest(drawn: "Draft") -> None:
    """Keep only the first half of the right digest."""
    value = drawn.properties.find(f".//{{{DS}}}DigestValue")
    assert value is not None
    assert value.text is not None
    value.text = value.text[:20]


def no_type(drawn: "Draft") -> None:
    drawn.references[1].attrib.pop("Type")


def wrong_type(drawn: "Draft") -> None:
    drawn.references[1].set("Type", "http://uri.etsi.org/01903/v1.1.1#SignedProperties")


def type_on_the_document(drawn: "Draft") -> None:
    """Exchange the types of the references to the document and the properties."""
    kind = drawn.references[1].attrib.pop("Type")
    drawn.references[0].set("Type", kind)


def target_of_another(drawn: "Draft") -> None:
    drawn.one("QualifyingProperties", XADES).set("Target", "#another")


def target_empty(drawn: "Draft") -> None:
    drawn.one("QualifyingProperties", XADES).set("Target", "")


def no_target(drawn: "Draft") -> None:
    drawn.one("QualifyingProperties", XADES).attrib.pop("Target")


def no_signature_id(drawn: "Draft") -> None:
    drawn.signature.attrib.pop("Id")


def no_properties(drawn: "Draft") -> None:
    """Sign a plain XML signature without XAdES."""
    drawn.info.remove(drawn.references[1])
    holder = drawn.one("Object")
    drawn.signature.remove(holder)


def no_properties_empty_object(drawn: "Draft") -> None:
    drawn.info.remove(drawn.references[1])
    holder = drawn.one("Object")
    holder.remove(holder[0])


def unsigned_only(drawn: "Draft") -> None:
    """Move the properties to the unsigned ones."""
    drawn.properties.tag = f"{X}UnsignedProperties"


def in_root(drawn: "Draft") -> None:
    """Move the Object with the properties out of the signature, to the root."""
    drawn.root.append(drawn.one("Object"))


def second_object(drawn: "Draft") -> None:
    """Add a second, empty Object."""
    etree.SubElement(drawn.signature, f"{{{DS}}}Object")


def properties_beside(drawn: "Draft") -> None:
    """Put other signed properties before the ones that the reference names."""
    qualifying = drawn.one("QualifyingProperties", XADES)
    other = deepcopy(drawn.properties)
    other.set("Id", "other")
    qualifying.insert(0, other)


def qualifying_twice(drawn: "Draft") -> None:
    holder = drawn.one("Object")
    other = deepcopy(holder[0])
    next(other.iter(f"{X}SignedProperties")).set("Id", "other")
    holder.insert(0, other)


def foreign_in_object(drawn: "Draft") -> None:
    etree.SubElement(drawn.one("Object"), "extra")


def foreign_in_qualifying(drawn: "Draft") -> None:
    etree.SubElement(drawn.one("QualifyingProperties", XADES), "extra")


def other_version(drawn: "Draft") -> None:
    """Use the namespace of XAdES 1.1.1 for the properties."""
    for element in drawn.one("QualifyingProperties", XADES).iter(f"{X}*"):
        element.tag = element.tag.replace(XADES, OLD_XADES)


def properties_reference(drawn: "Draft") -> None:
    """Let the properties be fetched from elsewhere (QualifyingPropertiesReference)."""
    drawn.one("QualifyingProperties", XADES).tag = f"{X}QualifyingPropertiesReference"


def properties_without_id(drawn: "Draft") -> None:
    drawn.properties.attrib.pop("Id")


DRAWN: dict[str, tuple[Any, Code, str]] = {
    "time-twice": (time_twice, Code.SIG_02, "which of the two?"),
    "certificate-not-named": (no_signing_certificate, Code.SIG_02, "5.2.2: required"),
    "certificate-named-twice": (signing_certificate_twice, Code.SIG_02, "which of the two?"),
    "certificate-named-by-nothing": (signing_certificate_empty, Code.SIG_02, "5.2.2"),
    "certificate-in-the-first-form-sha1": (first_form_sha1, Code.SIG_04, "a twin of that digest"),
    "certificate-in-both-forms-that-differ": (both_forms, Code.SIG_02, "which of the two?"),
    "certificate-in-the-first-form-twice": (first_form_twice, Code.SIG_02, "which of the two?"),
    "first-form-of-another-serial": (
        partial(first_form_issued, serial=1),
        Code.SIG_02,
        "digest and number speak of two certificates",
    ),
    "first-form-of-another-issuer": (
        partial(first_form_issued, issuer="CN=Another,C=KG"),
        Code.SIG_02,
        "digest and issuer speak of two certificates",
    ),
    "first-form-serial-no-number": (
        partial(first_form_issued, serial="1e3"),
        Code.SIG_02,
        "not a number",
    ),
    "first-form-serial-of-5000-digits": (
        partial(first_form_issued, serial="9" * 5000),
        Code.SIG_02,
        "Python would take seconds, or refuse",
    ),
    "certificate-by-sha1": (sha1_digest, Code.SIG_04, "a twin of the same digest"),
    "certificate-by-a-wrong-digest": (wrong_digest, Code.SIG_02, "names nobody who is here"),
    "certificate-by-half-a-digest": (short_digest, Code.SIG_02, "half is not enough"),
    "type-absent": (no_type, Code.SIG_03, "4.4.2: Type tells the properties from the document"),
    "type-of-1.1.1": (wrong_type, Code.SIG_03, "another standard's"),
    "types-exchanged": (type_on_the_document, Code.SIG_03, "the one passes for the other"),
    "target-of-another": (target_of_another, Code.SIG_03, "4.3.1: about another signature"),
    "target-empty": (target_empty, Code.SIG_03, "4.3.1"),
    "target-absent": (no_target, Code.SIG_03, "4.3.1"),
    "signature-without-id": (no_signature_id, Code.SIG_03, "then nothing can be about it"),
    "none-at-all": (no_properties, Code.SIG_03, "plain XML-DSig: no time, no certificate signed"),
    "none-in-an-object": (no_properties_empty_object, Code.SIG_02, "as above"),
    "among-the-unsigned": (unsigned_only, Code.SIG_03, "anybody may write there"),
    "out-of-the-signature": (in_root, Code.SIG_03, "one exact place"),
    "second-object": (second_object, Code.SIG_03, "room for anything"),
    "signed-properties-twice": (properties_beside, Code.SIG_03, "a reader may take the first"),
    "qualifying-twice": (qualifying_twice, Code.SIG_02, "a reader may take the first"),
    "foreign-in-object": (foreign_in_object, Code.SIG_02, "room for anything"),
    "foreign-in-qualifying": (foreign_in_qualifying, Code.SIG_03, "room for anything"),
    "of-1.1.1": (other_version, Code.SIG_02, "other rules, another schema"),
    "elsewhere": (properties_reference, Code.SIG_02, "nothing is fetched"),
    "without-id": (properties_without_id, Code.SIG_03, "then the reference names nothing"),
}


def swapped_time(root: "Element") -> None:
    """Backdate the document after signing"""
    next(root.iter(f"{X}SigningTime")).text = "2026-01-01T00:00:00Z"


def swapped_certificate(root: "Element") -> None:
    next(root.iter(f"{X}CertDigest"))[1].text = b64encode(bytes(32)).decode()


def added_to_signed(root: "Element") -> None:
    """Add a claimed role to the signed properties"""
    own = next(root.iter(f"{X}SignedSignatureProperties"))
    etree.SubElement(own, f"{X}SignerRoleV2")


def garbage_timestamp(root: "Element", token: str) -> None:
    """Add a signature timestamp (5.3) that is no token."""
    qualifying = next(root.iter(f"{X}QualifyingProperties"))
    qualifying.append(
        etree.fromstring(
            f'<x:UnsignedProperties xmlns:x="{XADES}" xmlns:ds="{DS}">'
            "<x:UnsignedSignatureProperties><x:SignatureTimeStamp>"
            '<ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/>'
            f"<x:EncapsulatedTimeStamp>{token}</x:EncapsulatedTimeStamp>"
            "</x:SignatureTimeStamp></x:UnsignedSignatureProperties></x:UnsignedProperties>"
        )
    )


SPOILT: dict[str, tuple[Any, Code, str]] = {
    "time-changed": (swapped_time, Code.SIG_02, (swapped_time.__doc__ or "").rstrip(".")),
    "certificate-changed": (swapped_certificate, Code.SIG_02, "after it was signed"),
    "role-added": (added_to_signed, Code.SIG_02, (added_to_signed.__doc__ or "").rstrip(".")),
}

TOKENS = {
    "empty": "",
    "not-base64": "!!",
    "not-asn1": "AAAA",
    "truncated": b64encode(b"\x30\x82\x10\x00\x06\x09").decode(),
}


def expired_with_timestamp(cast: "Cast", *, token: str) -> bytes:
    """Use an expired certificate, and a timestamp that would have to save it and is none."""
    holder = cast.another(not_after=NOW - timedelta(days=1))
    return spoilt(cast, partial(garbage_timestamp, token=token), holder=holder)


def _drawn(cast: "Cast", edit: Any) -> bytes:
    return signed(cast, edit)


VECTORS: tuple[Vector, ...] = (
    *(
        Vector(
            name=f"properties/time-{name}",
            why=why,
            build=partial(signed, time=time),
            code=Code.SIG_02,
        )
        for name, (time, why) in TIMES.items()
    ),
    *(
        Vector(name=f"properties/{name}", why=why, build=partial(_drawn, edit=edit), code=code)
        for name, (edit, code, why) in DRAWN.items()
    ),
    *(
        Vector(name=f"properties/{name}", why=why, build=partial(spoilt, edit=edit), code=code)
        for name, (edit, code, why) in SPOILT.items()
    ),
    *(
        Vector(
            name=f"properties/expired-with-a-timestamp-that-is-{name}",
            why="a timestamp proves existence only if it is one; SigningTime alone proves nothing",
            build=partial(expired_with_timestamp, token=token),
            code=Code.SIG_02,
        )
        for name, token in TOKENS.items()
    ),
    *(
        Vector(
            name=f"properties/garbage-timestamp-{name}",
            why="a good signature is not served with garbage that passes for proof",
            build=partial(spoilt, edit=partial(garbage_timestamp, token=token)),
            code=Code.SIG_02,
        )
        for name, token in TOKENS.items()
    ),
)
