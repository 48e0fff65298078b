"""A forger that draws a document, changes it, and then computes a true signature over it.

It is a small independent signer (lxml, hashlib and `cryptography`, nothing of makul). Every attack
that needs a true signature over something false is made with it.
"""

import hmac
from base64 import b64encode
from collections.abc import Callable, Sequence
from copy import deepcopy
from dataclasses import dataclass
from datetime import datetime
from hashlib import new as new_hash
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lxml import etree

from makul_testing.builders.xades import (
    C14N,
    DS,
    ECDSA_SHA256,
    ENVELOPED,
    EXC_C14N,
    MORE,
    PROPERTIES_TYPE,
    RSA_SHA256,
    SHA256,
    XADES,
    instant,
)
from makul_testing.pki.authorities import NOW, Holder

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

    from vectors.attacks.cast import Cast

XMLENC = "http://www.w3.org/2001/04/xmlenc#"
MORE_2007 = "http://www.w3.org/2007/05/xmldsig-more#"
C14N_11 = "http://www.w3.org/2006/12/xml-c14n11"
XML_ID = "{http://www.w3.org/XML/1998/namespace}id"
REMOVALS = {
    ENVELOPED,
    "http://www.w3.org/2002/06/xmldsig-filter2",
    "http://www.w3.org/TR/1999/REC-xpath-19991116",
}
"""Transforms that a signer of this corpus means as the enveloped one."""
IDENTIFIERS = ("Id", "ID", "id", "iD", XML_ID)

HASHES = {
    f"{DS}sha1": "sha1",
    f"{MORE}md5": "md5",
    f"{MORE}sha224": "sha224",
    SHA256: "sha256",
    f"{MORE}sha384": "sha384",
    f"{XMLENC}sha512": "sha512",
    f"{XMLENC}ripemd160": "ripemd160",
    f"{MORE_2007}sha3-256": "sha3_256",
}

Edit = Callable[["Draft"], object]


@dataclass(slots=True, kw_only=True)
class Draft:
    """A document with a signature whose digests and value are still empty."""

    root: "Element"
    holder: Holder
    encode: Callable[[bytes], bytes] = lambda raw: raw
    """A function that changes the raw signature value."""
    secret: bytes | None = None
    """The key of an HMAC; by default the signer's public key."""

    @property
    def signature(self) -> "Element":
        return next(self.root.iter(f"{{{DS}}}Signature"))

    @property
    def info(self) -> "Element":
        return self.signature[0]

    @property
    def references(self) -> list["Element"]:
        return list(self.info.iter(f"{{{DS}}}Reference"))

    @property
    def key_info(self) -> "Element":
        return self.one("KeyInfo")

    @property
    def properties(self) -> "Element":
        return self.one("SignedProperties", XADES)

    def one(self, name: str, namespace: str = DS) -> "Element":
        """Return the first element of that name within the signature."""
        return next(self.signature.iter(f"{{{namespace}}}{name}"))

    def signed(self) -> bytes:
        """Fill in the digests and the value, and return the document as UTF-8."""
        for reference in self.references:
            fill_digest(self.root, self.signature, reference)
        method = self.one("SignatureMethod").get("Algorithm") or ""
        octets = canonical(self.info, self.one("CanonicalizationMethod").get("Algorithm") or "")
        raw = raw_signature(self.holder.key, method, octets, self.secret)
        self.one("SignatureValue").text = b64encode(self.encode(raw)).decode()
        return etree.tostring(self.root, encoding="UTF-8")


def draft(
    cast: "Cast",
    *,
    holder: Holder | None = None,
    content: str | None = None,
    uri: str | None = "#consent",
    transforms: Sequence[str] = (ENVELOPED, EXC_C14N),
    c14n: str = EXC_C14N,
    digest: str = SHA256,
    method: str | None = None,
    time: datetime | str | None = NOW,
    named: Holder | None = None,
    carried: Sequence[Holder] | None = None,
    prefix: str = "ds:",
) -> Draft:
    """Build what an ordinary signer makes of the consent, before digests are computed."""
    holder = holder or cast.citizen
    root = etree.fromstring(content or cast.content())
    certificates = "".join(
        f"<ds:X509Certificate>{b64encode(each.der).decode()}</ds:X509Certificate>"
        for each in (carried if carried is not None else [holder])
    )
    signature = (
        f'<ds:Signature xmlns:ds="{DS}" Id="signature"><ds:SignedInfo>'
        f'<ds:CanonicalizationMethod Algorithm="{c14n}"/>'
        f'<ds:SignatureMethod Algorithm="{method or method_of(holder.key)}"/>'
        f"{reference(uri, transforms, digest)}"
        f"{reference('#properties', (EXC_C14N,), digest, PROPERTIES_TYPE)}</ds:SignedInfo>"
        f"<ds:SignatureValue/><ds:KeyInfo><ds:X509Data>{certificates}</ds:X509Data></ds:KeyInfo>"
        f"{_object(time, named or holder, digest)}</ds:Signature>"
    )
    if prefix != "ds:":
        colon = f":{prefix.rstrip(':')}" if prefix else ""
        signature = signature.replace("xmlns:ds", f"xmlns{colon}").replace("ds:", prefix)
    root.append(etree.fromstring(signature))
    return Draft(root=root, holder=holder)


def reference(
    uri: str | None, transforms: Sequence[str], digest: str = SHA256, kind: str | None = None
) -> str:
    """Build a Reference without its digest. A transform is an URI, or a whole element."""
    steps = "".join(
        step if step.startswith("<") else f'<ds:Transform Algorithm="{step}"/>'
        for step in transforms
    )
    where = "" if uri is None else f' URI="{uri}"'
    type_ = f' Type="{kind}"' if kind else ""
    listed = f"<ds:Transforms>{steps}</ds:Transforms>" if steps else ""
    return (
        f"<ds:Reference{where}{type_}>{listed}"
        f'<ds:DigestMethod Algorithm="{digest}"/><ds:DigestValue/></ds:Reference>'
    )


def _object(time: datetime | str | None, named: Holder, digest: str) -> str:
    stated = instant(time) if isinstance(time, datetime) else time
    signing_time = "" if stated is None else f"<x:SigningTime>{stated}</x:SigningTime>"
    return (
        f'<ds:Object><x:QualifyingProperties xmlns:x="{XADES}" Target="#signature">'
        '<x:SignedProperties Id="properties"><x:SignedSignatureProperties>'
        f"{signing_time}<x:SigningCertificateV2><x:Cert><x:CertDigest>"
        f'<ds:DigestMethod Algorithm="{digest}"/><ds:DigestValue>'
        f"{b64encode(hashed(digest, named.der)).decode()}</ds:DigestValue>"
        "</x:CertDigest></x:Cert></x:SigningCertificateV2></x:SignedSignatureProperties>"
        "</x:SignedProperties></x:QualifyingProperties></ds:Object>"
    )


def method_of(key: Any) -> str:
    """Return the usual signature method for a key."""
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return ECDSA_SHA256
    return RSA_SHA256


def hashed(algorithm: str, octets: bytes) -> bytes:
    """Return a digest; SHA-256 replaces an unknown algorithm."""
    try:
        return new_hash(HASHES.get(algorithm, "sha256"), octets).digest()
    except ValueError:  # OpenSSL no longer has it
        return new_hash("sha256", octets).digest()[:20]


def fill_digest(root: "Element", signature: "Element", reference: "Element") -> None:
    """Compute what a reference's digest would be, by the transforms that can be carried out."""
    value = next(reference.iter(f"{{{DS}}}DigestValue"), None)
    method = next(reference.iter(f"{{{DS}}}DigestMethod"), None)
    if value is None or value.text or method is None:
        return
    octets = octets_of(root, signature, reference)
    value.text = b64encode(hashed(method.get("Algorithm") or "", octets)).decode()


def octets_of(root: "Element", signature: "Element", reference: "Element") -> bytes:
    steps = [step.get("Algorithm") or "" for step in reference.iter(f"{{{DS}}}Transform")]
    target = _target(root, reference.get("URI") or "")
    if target is None:
        return b""
    copy = deepcopy(root)
    apex = _at(copy, _place(target, root))
    if not REMOVALS.isdisjoint(steps):
        _cut(_at(copy, _place(signature, root)))
    named = [step for step in steps if "c14n" in step]
    return canonical(apex, named[-1] if named else C14N, _prefixes(reference))


def _place(element: "Element", root: "Element") -> list[int]:
    """Return the path from the root to an element, by the numbers of children."""
    place: list[int] = []
    while element is not root:
        parent = element.getparent()
        assert parent is not None
        place.insert(0, parent.index(element))
        element = parent
    return place


def _at(root: "Element", place: Sequence[int]) -> "Element":
    for number in place:
        root = root[number]
    return root


def _prefixes(reference: "Element") -> list[str] | None:
    for inclusive in reference.iter(f"{{{EXC_C14N}}}InclusiveNamespaces"):
        return (inclusive.get("PrefixList") or "").split()
    return None


def _target(root: "Element", uri: str) -> "Element | None":
    if uri in ("", "#xpointer(/)"):
        return root
    identifier = uri.removeprefix("#xpointer(id('").removesuffix("'))").removeprefix("#")
    for element in root.iter("*"):
        if any(element.get(name) == identifier for name in IDENTIFIERS):
            return element
    return None


def _cut(element: "Element") -> None:
    parent, tail = element.getparent(), element.tail or ""
    assert parent is not None
    before = element.getprevious()
    if before is None:
        parent.text = (parent.text or "") + tail
    else:
        before.tail = (before.tail or "") + tail
    parent.remove(element)


def canonical(element: "Element", algorithm: str, prefixes: Sequence[str] | None = None) -> bytes:
    """Return Canonical XML of an element in its position, exclusive or not, with
    comments or not.
    """
    apart = etree.fromstring(etree.tostring(element, with_tail=False))
    return etree.tostring(
        apart,
        method="c14n",
        exclusive=algorithm.startswith(EXC_C14N),
        with_comments=algorithm.endswith("WithComments"),
        inclusive_ns_prefixes=list(prefixes or ()) or None,
    )


_SIGNING_HASHES: tuple[tuple[str, hashes.HashAlgorithm], ...] = (
    ("sha1", hashes.SHA1()),  # noqa: S303
    ("sha224", hashes.SHA224()),
    ("sha384", hashes.SHA384()),
    ("sha512", hashes.SHA512()),
)


def raw_signature(key: Any, method: str, octets: bytes, secret: bytes | None = None) -> bytes:
    """Return the signature value before base64, by any method."""
    lowered = method.lower()
    chosen = next((each for name, each in _SIGNING_HASHES if name in lowered), hashes.SHA256())
    if "hmac" in lowered:
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        return hmac.digest(secret if secret is not None else public, octets, "sha256")
    if isinstance(key, ec.EllipticCurvePrivateKey):
        return _joined(key.sign(octets, ec.ECDSA(chosen)), (key.curve.key_size + 7) // 8)
    if isinstance(key, rsa.RSAPrivateKey) and "mgf1" in lowered:
        pss = padding.PSS(padding.MGF1(chosen), salt_length=chosen.digest_size)
        return key.sign(octets, pss, chosen)
    if isinstance(key, rsa.RSAPrivateKey):
        return key.sign(octets, padding.PKCS1v15(), chosen)
    if isinstance(key, dsa.DSAPrivateKey):
        digest = new_hash("sha256", octets).digest()
        return _joined(key.sign(digest, Prehashed(hashes.SHA256())), 32)
    if isinstance(key, ed25519.Ed25519PrivateKey | ed448.Ed448PrivateKey):
        return key.sign(octets)
    raise TypeError("a key that signs nothing")


def _joined(der: bytes, width: int) -> bytes:
    r, s = decode_dss_signature(der)
    return r.to_bytes(width, "big") + s.to_bytes(width, "big")


def signed(cast: "Cast", *edits: Edit, **departures: Any) -> bytes:
    """Sign a draft with departures, edited before signing."""
    drawn = draft(cast, **departures)
    for edit in edits:
        edit(drawn)
    return drawn.signed()


def spoilt(cast: "Cast", edit: Callable[["Element"], "Element | None"], **departures: Any) -> bytes:
    """Change a good document after signing; `edit` may return another root."""
    root = etree.fromstring(signed(cast, **departures))
    return etree.tostring(root if (changed := edit(root)) is None else changed, encoding="UTF-8")
