"""Sign documents with enveloped XAdES-B by signxml, as a citizen's or an official's software does.

The sandbox signs its consents and basis statements here. `xades.receipt_signer` signs receipts, ten
times faster.
"""

from base64 import b64encode
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from cryptography import x509
from lxml import etree
from signxml.algorithms import CanonicalizationMethod
from signxml.util import SigningSettings
from signxml.xades.xades import XAdESSigner

from makul.domain.reasons import Code
from makul.language.translation import mark
from makul.net.xml_parser import build_parser
from makul.trust.base.algorithms import PrivateKey, method_for
from makul.trust.base.errors import SignatureFailure
from makul.trust.xades.structure import SIGNATURE
from makul.trust.xmldsig.parsing import DS, EXC_C14N, XADES, parse_document

if TYPE_CHECKING:
    from lxml.etree import _Element as Element


def sign_document(
    document: bytes,
    key: PrivateKey,
    chain: Sequence[x509.Certificate],
    *,
    at: datetime,
) -> bytes:
    """Return the document with an enveloped XAdES-B signature as the root's last child, in UTF-8.

    `chain` must begin with the key's own certificate. Raises `SignatureFailure` for a document that
    could not be verified afterwards: one with a DTD, comments or a signature, or over 256 KiB.
    """
    signature_method, digest = method_for(key)
    signer = _SignerAt(
        at,
        signature_algorithm=signature_method,
        digest_algorithm=digest,
        c14n_algorithm=CanonicalizationMethod.CANONICAL_XML_1_1,
    )
    root = parse_document(document, build_parser())
    if next(root.iter(SIGNATURE), None) is not None:
        raise SignatureFailure(Code.SIG_03, mark("the document is signed already"))
    signed = signer.sign(root, key=key, cert=list(chain), always_add_key_value=False)
    return etree.tostring(signed, encoding="UTF-8", xml_declaration=True)


def add_timestamp(document: bytes, token_source: Callable[[bytes], bytes]) -> bytes:
    """Return a signed document with a signature timestamp added: XAdES-T (ETSI EN 319 132-1, 5.3).

    `token_source` receives the canonical octets of SignatureValue (exclusive canonicalisation) and
    must return a TimeStampToken over them. Raises `SignatureFailure` if there is no signature.
    """
    root = parse_document(document, build_parser())
    value = root.find(f"./{{{DS}}}Signature/{{{DS}}}SignatureValue")
    qualifying = root.find(f"./{{{DS}}}Signature/{{{DS}}}Object/{{{XADES}}}QualifyingProperties")
    if value is None or qualifying is None:
        raise SignatureFailure(Code.SIG_01, mark("there is no signature to be dated"))
    token = token_source(etree.tostring(value, method="c14n", exclusive=True, with_tail=False))
    parent = qualifying
    for name in ("UnsignedProperties", "UnsignedSignatureProperties"):
        element = parent.find(f"{{{XADES}}}{name}")
        parent = etree.SubElement(parent, f"{{{XADES}}}{name}") if element is None else element
    stamp = etree.SubElement(parent, f"{{{XADES}}}SignatureTimeStamp")
    etree.SubElement(stamp, f"{{{DS}}}CanonicalizationMethod", Algorithm=EXC_C14N)
    encapsulated = etree.SubElement(stamp, f"{{{XADES}}}EncapsulatedTimeStamp")
    encapsulated.text = b64encode(token).decode()
    return etree.tostring(root, encoding="UTF-8", xml_declaration=True)


class _SignerAt(XAdESSigner):
    """A signxml signer that receives the signing time; signxml itself reads the clock."""

    def __init__(self, at: datetime, **options: Any) -> None:
        super().__init__(**options)
        self._at = at

    def add_signing_time(
        self,
        signed_signature_properties: "Element",
        sig_root: object,
        signing_settings: SigningSettings,
    ) -> None:
        """Write the given signing time, in seconds (ETSI EN 319 132-1, 5.2.1)."""
        del sig_root, signing_settings
        time = etree.SubElement(signed_signature_properties, f"{{{XADES}}}SigningTime")
        time.text = self._at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
