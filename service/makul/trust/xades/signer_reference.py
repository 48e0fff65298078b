"""Read the signed property that names the signer's certificate (ETSI EN 319 132-1, 5.2.2).

The property is SigningCertificateV2, or SigningCertificate (version 1) of XAdES before EN 319 132,
which some tools still write by default. Both bind the certificate by its digest. Version 1 also
states issuer and serial number; they must be those of the certificate.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import new as new_hash
from typing import TYPE_CHECKING, Final

from signxml.algorithms import DigestAlgorithm

from makul.domain.causes import Cause
from makul.domain.reasons import Code
from makul.language.report_reasons import OTHER_ISSUER, OTHER_SERIAL_NUMBER
from makul.language.translation import mark
from makul.net.certificate_der import read_serial_number
from makul.trust.base.algorithms import digest_algorithm
from makul.trust.base.errors import SignatureFailure
from makul.trust.pki.certificates import SigningCertificate
from makul.trust.xmldsig.issuer_names import is_name_of
from makul.trust.xmldsig.parsing import (
    DS,
    XADES,
    find_children,
    only_child,
    only_one,
    read_binary,
    read_text,
)

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_VERSION_1: Final = f"{{{XADES}}}SigningCertificate"
_VERSION_2: Final = f"{{{XADES}}}SigningCertificateV2"
_CERT: Final = f"{{{XADES}}}Cert"
_CERT_DIGEST: Final = f"{{{XADES}}}CertDigest"
_ISSUER_SERIAL: Final = f"{{{XADES}}}IssuerSerial"
_ISSUER_NAME: Final = f"{{{DS}}}X509IssuerName"
_SERIAL_NUMBER: Final = f"{{{DS}}}X509SerialNumber"
_DIGEST_METHOD: Final = f"{{{DS}}}DigestMethod"
_DIGEST_VALUE: Final = f"{{{DS}}}DigestValue"
_SERIAL: Final = re.compile(r"-?[0-9]{1,60}", re.ASCII)
"""The form of a serial number. It has at most 20 octets, which is 49 digits (RFC 5280, 4.1.2.2)."""

_HASH_NAMES: Final = {
    DigestAlgorithm.SHA256: "sha256",
    DigestAlgorithm.SHA384: "sha384",
    DigestAlgorithm.SHA512: "sha512",
}


@dataclass(frozen=True, slots=True)
class SignerReference:
    """The digest, issuer and serial number that the property states for one certificate."""

    hash_name: str
    digest: bytes
    issuer: str | None = None
    """The issuer's name as written; only in version 1."""
    serial: int | None = None

    def is_digest_of(self, der: bytes) -> bool:
        """Return whether the digest is that of these bytes (a certificate in DER)."""
        return new_hash(self.hash_name, der).digest() == self.digest

    def require_issuer(self, certificate: SigningCertificate) -> None:
        """Require that a stated issuer and serial number are those of the certificate.

        A name that cannot be read is ignored, because the digest already binds the certificate.
        Raises `SignatureFailure` (SIG-02).
        """
        if self.serial is None:
            return
        if self.serial != read_serial_number(certificate.der):
            raise _refused(OTHER_SERIAL_NUMBER)
        if is_name_of(self.issuer or "", certificate.x509.issuer) is False:
            raise _refused(OTHER_ISSUER)


def read_signer_references(properties: "Element") -> Sequence[SignerReference]:
    """Return the references to the signer's certificate in the signed signature properties.

    The properties may contain one version or both. The first certificate of each is the signer's
    (EN 319 132-1). Raises `SignatureFailure`: SIG-02, or SIG-04 for a digest that is not accepted.
    """
    references = [each for each in properties if each.tag in (_VERSION_1, _VERSION_2)]
    if not references or len({each.tag for each in references}) != len(references):
        raise _refused(mark("not exactly one SigningCertificateV2 (or SigningCertificate)"))
    return [_parse_reference(each) for each in references]


def _parse_reference(signing_certificate: "Element") -> SignerReference:
    certs = find_children(signing_certificate, _CERT)
    if not certs:
        raise _refused(mark("the signing certificate's property names none"))
    claim = list(only_child(certs[0], _CERT_DIGEST, code=Code.SIG_02))
    method = only_one(claim, _DIGEST_METHOD, code=Code.SIG_02)
    issuer, serial = None, None
    if signing_certificate.tag == _VERSION_1:
        issuer, serial = _issuer_serial(certs[0])
    return SignerReference(
        hash_name=_hash_name(method),
        digest=read_binary(only_one(claim, _DIGEST_VALUE, code=Code.SIG_02)),
        issuer=issuer,
        serial=serial,
    )


def _hash_name(method: "Element") -> str:
    try:
        return _HASH_NAMES[digest_algorithm(method.get("Algorithm"))]
    except SignatureFailure as failure:
        raise failure.within("DigestMethod") from None


def _issuer_serial(cert: "Element") -> tuple[str | None, int | None]:
    """Return the issuer and serial number, or None twice if the property omits them.

    Version 1 requires them, but some tools omit them.
    """
    stated = find_children(cert, _ISSUER_SERIAL)
    if not stated:
        return None, None
    parts = list(only_child(cert, _ISSUER_SERIAL, code=Code.SIG_02))
    issuer = read_text(only_one(parts, _ISSUER_NAME, code=Code.SIG_02))
    serial = read_text(only_one(parts, _SERIAL_NUMBER, code=Code.SIG_02))
    if not _SERIAL.fullmatch(serial):
        raise _refused(mark("X509SerialNumber is not a number"))
    return issuer, int(serial)


def _refused(why: str) -> SignatureFailure:
    return SignatureFailure(
        Code.SIG_02, why, field="SigningCertificateV2", cause=Cause.SIGNER_REFERENCE
    )
