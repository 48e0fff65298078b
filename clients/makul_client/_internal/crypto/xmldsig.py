"""The verification of one enveloped XAdES signature, protected against signature wrapping.

The shape is checked before the signature. There must be one Signature, the root's last child. Its
References must point to the whole document, to its own SignedProperties and, optionally, to
KeyInfo. They must point to nothing else. Only known transforms and algorithms are allowed. Then
signxml verifies, and a caller may read only what signxml returns as signed.

Sources: XML-DSig (W3C REC 11 April 2013); XAdES, ETSI EN 319 132-1, clauses 4 to 6.
"""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature as CryptographyInvalidSignature
from lxml import etree
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod
from signxml.exceptions import SignXMLException
from signxml.verifier import SignatureConfiguration, VerifyResult, XMLVerifier

from makul_client._internal.crypto.certificates import UNREADABLE, Certificate, load_certificate
from makul_client._internal.crypto.credentials import signature_method
from makul_client._internal.crypto.xml import DSIG, UnsafeXmlError, parse
from makul_client._internal.files import MAX_DOCUMENT
from makul_client.translation import translate

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

XADES: Final = "http://uri.etsi.org/01903/v1.3.2#"
SIGNED_PROPERTIES: Final = "http://uri.etsi.org/01903#SignedProperties"
ENVELOPED: Final = "http://www.w3.org/2000/09/xmldsig#enveloped-signature"

_C14N: Final = frozenset(
    {
        CanonicalizationMethod.CANONICAL_XML_1_0.value,
        CanonicalizationMethod.CANONICAL_XML_1_1.value,
        CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0.value,
    }
)
_METHODS: Final = frozenset(
    {
        SignatureMethod.RSA_SHA256,
        SignatureMethod.RSA_SHA384,
        SignatureMethod.RSA_SHA512,
        SignatureMethod.ECDSA_SHA256,
        SignatureMethod.ECDSA_SHA384,
        SignatureMethod.ECDSA_SHA512,
    }
)
_DIGESTS: Final = {
    DigestAlgorithm.SHA256.value: hashlib.sha256,
    DigestAlgorithm.SHA384.value: hashlib.sha384,
    DigestAlgorithm.SHA512.value: hashlib.sha512,
}
_ID_ATTRIBUTES: Final = frozenset({"Id", "ID", "id"})


class BadSignatureError(ValueError):
    """The error of a signature that is not valid or has a wrong form.

    The message names the rule.
    """


@dataclass(frozen=True, slots=True, repr=False)
class VerifiedDocument:
    """A document whose signature is valid under the certificate that it names."""

    root: "Element"
    """The document as it was signed, without its signature."""
    certificate: Certificate
    """The signer's certificate. The caller must judge whether to trust it."""


def _ds(name: str) -> str:
    return f"{{{DSIG}}}{name}"


def _xades(name: str) -> str:
    return f"{{{XADES}}}{name}"


class _Verifier(XMLVerifier):
    """The verifier of signxml, with corrected inclusive canonicalisation and schema loading.

    lxml writes a spurious `xmlns=""` when it canonicalises a sub-element inclusively in its tree.
    If the element is parsed again as a document of its own, the result is correct.
    """

    @classmethod
    def schemas(cls) -> list[etree.XMLSchema]:
        return [_signature_schema()]

    def _c14n(
        self,
        nodes: "Element | list[Element]",
        algorithm: CanonicalizationMethod,
        inclusive_ns_prefixes: list[str] | None = None,
    ) -> bytes:
        if not isinstance(nodes, list) and nodes.getparent() is not None:
            nodes = parse(etree.tostring(nodes, with_tail=False))
        canonicalised: bytes = super()._c14n(nodes, algorithm, inclusive_ns_prefixes)
        return canonicalised


@cache
def _signature_schema() -> etree.XMLSchema:
    """Return the schema of XML Signature from signxml, read as bytes.

    signxml 5.2.0 opens it as text in the locale's encoding. Under an ASCII locale every receipt
    would count as malformed, after the disclosure.
    """
    with resources.as_file(resources.files("signxml.schemas") / "xmldsig1-schema.xsd") as file:
        return etree.XMLSchema(etree.parse(str(file)))


def verify(document: bytes, root_tag: str, *, at_most: int = MAX_DOCUMENT) -> VerifiedDocument:
    """Verify an enveloped XAdES signature over the whole document.

    The certificate is taken from the document. The caller must judge whether it is trusted and in
    its term. Raises `BadSignatureError` for every flaw of the bytes.
    """
    if len(document) > at_most:
        raise BadSignatureError(translate("the document is too large"))
    try:
        root = parse(document)
        if root.tag != root_tag:
            raise BadSignatureError(
                translate("the root element is not {name}", name=etree.QName(root_tag).localname)
            )
        signature = _only_signature(root)
        references = _check_shape(root, signature)
        certificate = _certificate(signature)
        results = _verify_with_signxml(document, certificate, len(references))
        return _select_signed(results, references, root_tag, certificate)
    except UnsafeXmlError as error:
        raise BadSignatureError(translate("the document contains {cause}", cause=error)) from None


def _only_signature(root: "Element") -> "Element":
    signatures = list(root.iter(_ds("Signature")))
    if len(signatures) != 1 or len(root) == 0 or root[-1] is not signatures[0]:
        raise BadSignatureError(
            translate("not exactly one signature, as the last child of the root")
        )
    return signatures[0]


def _check_shape(root: "Element", signature: "Element") -> list[str]:
    """Check the signature's form. Return the targets of its References, in their order."""
    names = [child.tag for child in signature]
    if names != [_ds("SignedInfo"), _ds("SignatureValue"), _ds("KeyInfo"), _ds("Object")]:
        raise BadSignatureError(
            translate("parts of the signature are missing, foreign or repeated")
        )
    info, _, key_info, container = signature
    ids = [
        value
        for element in root.iter()
        for name, value in element.attrib.items()
        if etree.QName(name).localname in _ID_ATTRIBUTES
    ]
    if len(ids) != len(set(ids)):
        raise BadSignatureError(translate("two elements with the same Id"))
    properties = _signed_properties(signature, container)
    elements = ((root, "document"), (key_info, "key"), (properties, "properties"))
    targets = {f"#{node.get('Id')}": name for node, name in elements if node.get("Id")}
    targets[""] = "document"
    if len(info) not in (4, 5):
        raise BadSignatureError(translate("not two or three references"))
    canonicalization, method, *references = info
    _check_algorithms(canonicalization, method)
    pointed = [_check_reference(reference, targets) for reference in references]
    if sorted(pointed) not in (["document", "properties"], ["document", "key", "properties"]):
        raise BadSignatureError(
            translate("the references are not to the document and its properties")
        )
    return pointed


def _signed_properties(signature: "Element", container: "Element") -> "Element":
    """Return the SignedProperties of this signature (ETSI EN 319 132-1, clause 4.3).

    There must be one QualifyingProperties, with this signature as its target.
    """
    qualifying = container.findall(_xades("QualifyingProperties"))
    if len(container) != 1 or len(qualifying) != 1:
        raise BadSignatureError(translate("not exactly one QualifyingProperties"))
    properties = qualifying[0].findall(_xades("SignedProperties"))
    target = f"#{signature.get('Id')}"
    if len(properties) != 1 or not properties[0].get("Id") or qualifying[0].get("Target") != target:
        raise BadSignatureError(translate("not exactly one SignedProperties of this signature"))
    return properties[0]


def _check_algorithms(canonicalization: "Element", method: "Element") -> None:
    if canonicalization.tag != _ds("CanonicalizationMethod") or method.tag != _ds(
        "SignatureMethod"
    ):
        raise BadSignatureError(translate("SignedInfo is out of order"))
    if len(canonicalization) or len(method) or canonicalization.get("Algorithm") not in _C14N:
        raise BadSignatureError(translate("a canonicalisation that is not accepted"))
    if method.get("Algorithm") not in {each.value for each in _METHODS}:
        raise BadSignatureError(translate("a signature algorithm that is not accepted"))


def _check_reference(reference: "Element", targets: dict[str, str]) -> str:
    """Return the target of a Reference after checking its form (XML-DSig, section 4.4.3)."""
    uri = reference.get("URI")
    pointed = targets.get(uri) if uri is not None else None
    if reference.tag != _ds("Reference") or pointed is None:
        raise BadSignatureError(translate("a reference to something else"))
    if (pointed == "properties") is not (reference.get("Type") == SIGNED_PROPERTIES):
        raise BadSignatureError(translate("a reference of the wrong type"))
    algorithms = [
        transform.get("Algorithm") for transform in reference.findall(f"{_ds('Transforms')}/*")
    ]
    if any(len(transform) for transform in reference.findall(f"{_ds('Transforms')}/*")):
        raise BadSignatureError(translate("a transform with parameters"))
    if pointed == "document":
        if algorithms[:1] != [ENVELOPED]:
            raise BadSignatureError(translate("the document's reference is not enveloped"))
        algorithms = algorithms[1:]
    if len(algorithms) > 1 or not _C14N.issuperset(algorithms):
        raise BadSignatureError(translate("a transform that is not accepted"))
    digest = reference.find(_ds("DigestMethod"))
    if digest is None or digest.get("Algorithm") not in _DIGESTS:
        raise BadSignatureError(translate("a digest algorithm that is not accepted"))
    return pointed


def _certificate(signature: "Element") -> Certificate:
    """Return the certificate in KeyInfo that SigningCertificateV2 names (EN 319 132-1, 5.2.2)."""
    key_info = signature[2]
    # A KeyValue beside the certificate is allowed: signxml refuses one that is not the same key.
    if {each.tag for each in key_info} - {_ds("KeyValue")} != {_ds("X509Data")}:
        raise BadSignatureError(translate("a key that is not in a certificate"))
    digest = _named_certificate(signature)
    for node in key_info.iter(_ds("X509Certificate")):
        try:
            certificate = load_certificate(base64.b64decode(node.text or ""))
        except (ValueError, binascii.Error):
            raise BadSignatureError(translate("a certificate that cannot be read")) from None
        if _is_named(certificate, digest):
            _require_known_key(certificate)
            return certificate
    raise BadSignatureError(translate("the certificate is not the one that was signed with"))


def _require_known_key(certificate: Certificate) -> None:
    try:
        signature_method(certificate.x509.public_key())
    except UNREADABLE:
        raise BadSignatureError(
            translate(
                "algorithm not accepted: the key must be RSA of 2048 bits or more, or ECDSA P-256,"
                " P-384, P-521"
            )
        ) from None


def _named_certificate(within: "Element") -> "Element":
    path = f".//{_xades('SigningCertificateV2')}/{_xades('Cert')}/{_xades('CertDigest')}"
    digest = within.find(path)
    if digest is None:
        raise BadSignatureError(translate("no SigningCertificateV2"))
    return digest


def _is_named(certificate: Certificate, digest: "Element") -> bool:
    method = digest.find(_ds("DigestMethod"))
    value = digest.findtext(_ds("DigestValue")) or ""
    algorithm = _DIGESTS.get(str(method.get("Algorithm"))) if method is not None else None
    if algorithm is None:
        raise BadSignatureError(translate("a digest algorithm that is not accepted"))
    return hmac.compare_digest(
        base64.b64encode(algorithm(certificate.der).digest()).decode(), "".join(value.split())
    )


def _verify_with_signxml(
    document: bytes, certificate: Certificate, references: int
) -> list[VerifyResult]:
    expected = SignatureConfiguration(
        require_x509=True,
        location="./",
        expect_references=references,
        signature_methods=_METHODS,
        digest_algorithms=frozenset(DigestAlgorithm(each) for each in _DIGESTS),
        ignore_ambiguous_key_info=False,
        verification_time=certificate.x509.not_valid_before_utc,  # the caller judges the term
        default_reference_c14n_method=CanonicalizationMethod.CANONICAL_XML_1_0,
    )
    try:
        results = _Verifier().verify(document, x509_cert=certificate.x509, expect_config=expected)
    except (SignXMLException, CryptographyInvalidSignature, etree.LxmlError):
        raise BadSignatureError(translate("the signature is not valid")) from None
    except (ValueError, TypeError, LookupError, AttributeError, ArithmeticError):
        raise BadSignatureError(translate("the signature is malformed")) from None
    return results if isinstance(results, list) else [results]


def _select_signed(
    results: list[VerifyResult],
    references: list[str],
    root_tag: str,
    certificate: Certificate,
) -> VerifiedDocument:
    """Return the document and its certificate, read only from the results of signxml."""
    signed = {
        pointed: result.signed_xml for pointed, result in zip(references, results, strict=True)
    }
    root, properties = signed["document"], signed["properties"]
    if root is None or root.tag != root_tag:
        raise BadSignatureError(translate("something else than the document was signed"))
    if properties is None or properties.tag != _xades("SignedProperties"):
        raise BadSignatureError(translate("something else than the signed properties was signed"))
    if not _is_named(certificate, _named_certificate(properties)):
        raise BadSignatureError(translate("the certificate is not the one that was signed with"))
    return VerifiedDocument(root=root, certificate=certificate)
