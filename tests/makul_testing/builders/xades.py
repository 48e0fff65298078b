"""Enveloped XAdES signatures written by hand, so that attack tests can sign anything.

`makul.trust.xades.signing` (signxml) makes good ones; these permit every departure from them.
"""

import hmac
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import new as new_hash

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lxml import etree

from makul.domain.disclosures import ProofStatus
from makul.domain.reasons import Code
from makul.trust.validation.documents import XadesVerifier
from makul_testing.pki.authorities import NOW, Holder

DS = "http://www.w3.org/2000/09/xmldsig#"
XADES = "http://uri.etsi.org/01903/v1.3.2#"
C14N = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
C14N_COMMENTS = f"{C14N}#WithComments"
EXC_C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"
ENVELOPED = f"{DS}enveloped-signature"
SHA1 = f"{DS}sha1"
SHA256 = "http://www.w3.org/2001/04/xmlenc#sha256"
MORE = "http://www.w3.org/2001/04/xmldsig-more#"
ECDSA_SHA256 = f"{MORE}ecdsa-sha256"
RSA_SHA256 = f"{MORE}rsa-sha256"
RSA_SHA1 = f"{DS}rsa-sha1"
RSA_PSS_SHA256 = "http://www.w3.org/2007/05/xmldsig-more#sha256-rsa-MGF1"
HMAC_SHA256 = f"{MORE}hmac-sha256"
PROPERTIES_TYPE = "http://uri.etsi.org/01903#SignedProperties"

CONTENT = (
    '<c:Consent xmlns:c="urn:makul:consent:1" Id="consent">'
    "<c:subject>Кадыр</c:subject><c:purpose>ACCOUNT_OPENING</c:purpose></c:Consent>"
)

_HASHES = {SHA256: "sha256", SHA1: "sha1"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Forge:
    """The content and form of a signature; each field departs from the good one for some test."""

    holder: Holder
    content: str = CONTENT
    document_uri: str = "#consent"
    document_transforms: Sequence[str] = (ENVELOPED, EXC_C14N)
    properties_transforms: Sequence[str] = (EXC_C14N,)
    extra_references: Sequence[str] = ()
    """Whole Reference elements, added to SignedInfo before it is signed."""
    own_c14n: str = EXC_C14N
    digest_method: str = SHA256
    signature_method: str | None = None
    signing_time: str | None = NOW.strftime("%Y-%m-%dT%H:%M:%SZ")
    named: Holder | None = None
    """The holder whose certificate SigningCertificateV2 names; by default the signer."""
    signing_certificate: bool = True
    carried: Sequence[Holder] | None = None
    """The holders whose certificates KeyInfo carries; by default the signer."""
    target: str = "#signature"
    properties_type: str | None = PROPERTIES_TYPE
    with_properties: bool = True
    object_extra: str = ""
    key_info_extra: str = ""

    def signed(self) -> bytes:
        """Return the signed document, in UTF-8."""
        root = etree.fromstring(self.content)
        signature = etree.fromstring(self._signature())
        properties = signature.find(f".//{{{XADES}}}SignedProperties")
        references = [self._reference(self.document_uri, None, self.document_transforms, root)]
        if properties is not None:
            references.append(
                self._reference(
                    "#properties", self.properties_type, self.properties_transforms, properties
                )
            )
        signed_info = etree.fromstring(
            f'<ds:SignedInfo xmlns:ds="{DS}">'
            f'<ds:CanonicalizationMethod Algorithm="{self.own_c14n}"/>'
            f'<ds:SignatureMethod Algorithm="{self._method()}"/>'
            f"{''.join([*references, *self.extra_references])}</ds:SignedInfo>"
        )
        signature[0].getparent().replace(signature[0], signed_info)
        octets = etree.tostring(signature[0], method="c14n", exclusive=True)
        signature[1].text = b64encode(self._raw_signature(octets)).decode()
        root.append(signature)
        return etree.tostring(root, encoding="UTF-8")

    def _method(self) -> str:
        if self.signature_method is not None:
            return self.signature_method
        return (
            ECDSA_SHA256 if isinstance(self.holder.key, ec.EllipticCurvePrivateKey) else RSA_SHA256
        )

    def _signature(self) -> str:
        certificates = "".join(
            f"<ds:X509Certificate>{b64encode(holder.der).decode()}</ds:X509Certificate>"
            for holder in (self.carried if self.carried is not None else [self.holder])
        )
        return (
            f'<ds:Signature xmlns:ds="{DS}" Id="signature"><ds:SignedInfo/><ds:SignatureValue/>'
            f"<ds:KeyInfo>{self.key_info_extra}<ds:X509Data>{certificates}</ds:X509Data></ds:KeyInfo>"
            f"{self._object()}</ds:Signature>"
        )

    def _object(self) -> str:
        if not self.with_properties:
            return ""
        time = f"<x:SigningTime>{self.signing_time}</x:SigningTime>" if self.signing_time else ""
        digest = self._digest((self.named or self.holder).der)
        named = (
            "<x:SigningCertificateV2><x:Cert><x:CertDigest>"
            f'<ds:DigestMethod Algorithm="{self.digest_method}"/>'
            f"<ds:DigestValue>{digest}</ds:DigestValue>"
            "</x:CertDigest></x:Cert></x:SigningCertificateV2>"
        )
        return (
            f'<ds:Object><x:QualifyingProperties xmlns:x="{XADES}" Target="{self.target}">'
            '<x:SignedProperties Id="properties"><x:SignedSignatureProperties>'
            f"{time}{named if self.signing_certificate else ''}"
            "</x:SignedSignatureProperties></x:SignedProperties></x:QualifyingProperties>"
            f"{self.object_extra}</ds:Object>"
        )

    def _reference(
        self, uri: str, kind: str | None, transforms: Sequence[str], element: etree._Element
    ) -> str:
        steps = "".join(
            step if step.startswith("<") else f'<ds:Transform Algorithm="{step}"/>'
            for step in transforms
        )
        octets = etree.tostring(
            element,
            method="c14n",
            exclusive=True,
            with_comments=any("WithComments" in step for step in transforms),
        )
        type_ = f' Type="{kind}"' if kind else ""
        return (
            f'<ds:Reference URI="{uri}"{type_}><ds:Transforms>{steps}</ds:Transforms>'
            f'<ds:DigestMethod Algorithm="{self.digest_method}"/>'
            f"<ds:DigestValue>{self._digest(octets)}</ds:DigestValue></ds:Reference>"
        )

    def _digest(self, octets: bytes) -> str:
        return b64encode(new_hash(_HASHES[self.digest_method], octets).digest()).decode()

    def _raw_signature(self, octets: bytes) -> bytes:
        key = self.holder.key
        method = self._method()
        if method == HMAC_SHA256:
            public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
            return hmac.digest(public, octets, "sha256")
        if isinstance(key, ec.EllipticCurvePrivateKey):
            r, s = decode_dss_signature(key.sign(octets, ec.ECDSA(hashes.SHA256())))
            width = (key.key_size + 7) // 8
            return r.to_bytes(width, "big") + s.to_bytes(width, "big")
        if method == RSA_PSS_SHA256:
            pss = padding.PSS(padding.MGF1(hashes.SHA256()), salt_length=32)
            return key.sign(octets, pss, hashes.SHA256())
        algorithm = hashes.SHA1() if method == RSA_SHA1 else hashes.SHA256()  # noqa: S303
        return key.sign(octets, padding.PKCS1v15(), algorithm)


def instant(at: datetime) -> str:
    """Return an `xs:dateTime` in UTC."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def reasons(documents: XadesVerifier, document: bytes) -> tuple[Code, ...]:
    """Return the reasons of a refusal, and assert that it is one and returns no content."""
    verified = documents.verify(document, at=NOW)
    assert verified.proof.status is ProofStatus.FAILED, verified.report
    assert verified.signed is None
    assert verified.proof.signer is None
    return verified.proof.reasons
