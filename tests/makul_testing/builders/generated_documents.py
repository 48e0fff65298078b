"""Random documents and messages, signed by libxmlsec.

They have namespaces that are declared, redeclared and undeclared, `xml:lang` and similar attributes
at every level, each canonicalisation for each part, PrefixLists, and the ways in which tools remove
the signature. A seed always draws the same document.
"""

from base64 import b64encode
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256, sha512
from random import Random
from xml.sax.saxutils import escape, quoteattr

import xmlsec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from lxml import etree

from makul_testing.builders.wsse import BASE64, SOAP11, SOAP12, WSSE, WSU, X509_V3
from makul_testing.builders.xades import (
    C14N,
    DS,
    ECDSA_SHA256,
    ENVELOPED,
    EXC_C14N,
    PROPERTIES_TYPE,
    SHA256,
    XADES,
)
from makul_testing.pki.authorities import NOW, Holder

C14N_11 = "http://www.w3.org/2006/12/xml-c14n11"
FILTER2 = "http://www.w3.org/2002/06/xmldsig-filter2"
XPATH = "http://www.w3.org/TR/1999/REC-xpath-19991116"
XML = "{http://www.w3.org/XML/1998/namespace}"
METHODS = (C14N, C14N_11, EXC_C14N)
PREFIXES = ("a", "b", "c", "ds", "x")
NAMESPACES = ("urn:one", "urn:two", "urn:three", DS, XADES)
BASES = ("http://example.kg/a/b", "c/d", "e/", "/f")
TEXTS = ("", " ", "Кадыр", "a&b<c>\"'", "\t\n", "\r", "]]>", "é\u2028\U0001f600", "1")

SUBTRACTED = (
    "/descendant::{}:Signature",
    "//{}:Signature",
    "\n  here()/ancestor::{}:Signature[1]\n",
)
KEPT = (
    "not(ancestor-or-self::{}:Signature)",
    " not( ancestor-or-self::{}:Signature ) ",
    (
        "count(ancestor-or-self::{0}:Signature | here()/ancestor::{0}:Signature[1])"
        " > count(ancestor-or-self::{0}:Signature)"
    ),
)


@dataclass(frozen=True, slots=True)
class Draw:
    """A source of chance, and the draws from it."""

    random: Random

    def some(self, chance: float) -> bool:
        return self.random.random() < chance

    def attributes(self) -> str:
        """Return declarations and attributes that any element may have."""
        attributes: dict[str, str] = {}
        for prefix in PREFIXES[:3]:
            if self.some(0.25):
                attributes[f"xmlns:{prefix}"] = self.random.choice(NAMESPACES[:3])
        if self.some(0.25):
            attributes["xmlns"] = self.random.choice(("", *NAMESPACES[:3]))
        return " ".join(f"{name}={quoteattr(value)}" for name, value in attributes.items())

    def xml_attributes(self) -> str:
        attributes: dict[str, str] = {}
        if self.some(0.4):
            attributes["xml:lang"] = self.random.choice(("ky", "ru", "en", ""))
        if self.some(0.3):
            attributes["xml:space"] = self.random.choice(("preserve", "default"))
        if self.some(0.25):
            attributes["xml:base"] = self.random.choice(BASES)
        if self.some(0.1):
            attributes["xml:id"] = f"n{self.random.randrange(10**12)}"
        if self.some(0.1):
            attributes["xml:other"] = "1"
        return " ".join(f"{name}={quoteattr(value)}" for name, value in attributes.items())

    def element(self, depth: int, scope: frozenset[str]) -> str:
        declared = self.attributes()
        scope = scope | {each for each in PREFIXES[:3] if f"xmlns:{each}=" in declared}
        prefix = self.random.choice(["", *(f"{each}:" for each in sorted(scope))])
        name = f"{prefix}{self.random.choice('efgh')}"
        own = f' {self.random.choice(sorted(scope))}:k="1"' if scope and self.some(0.3) else ""
        inner = "".join(
            self.element(depth - 1, scope) + escape(self.text())
            for _ in range(self.random.randrange(3) if depth else 0)
        )
        attributes = f"{declared} {self.xml_attributes()}"
        return f"<{name} {attributes}{own}>{escape(self.text())}{inner}</{name}>"

    def text(self) -> str:
        return self.random.choice(TEXTS)

    def method(self, method: str, tag: str = "Transform") -> str:
        """Return a canonicalisation; an exclusive one may have a PrefixList."""
        listed = ""
        if method == EXC_C14N and self.some(0.5):
            known = [*PREFIXES, "soap", "wsse", "wsu", "#default", "unknown", "a"]
            chosen = self.random.choices(known, k=self.random.randrange(6))
            listed = (
                f'<ec:InclusiveNamespaces xmlns:ec="{EXC_C14N}"'
                f" PrefixList={quoteattr(' '.join(chosen))}/>"
            )
        return f'<ds:{tag} Algorithm="{method}">{listed}</ds:{tag}>'

    def removal(self) -> str:
        """Return one of the ways in which the signature is removed from its document."""
        plain = f'<ds:Transform Algorithm="{ENVELOPED}"/>'
        bound = self.random.choice(("ds", "dsig", "s"))
        declared = "" if bound == "ds" else f' xmlns:{bound}="{DS}"'
        subtracted = (
            f'<ds:Transform Algorithm="{FILTER2}"><f:XPath xmlns:f="{FILTER2}"{declared}'
            f' Filter="subtract">{escape(self.random.choice(SUBTRACTED).format(bound))}'
            "</f:XPath></ds:Transform>"
        )
        kept = (
            f'<ds:Transform Algorithm="{XPATH}"><ds:XPath{declared}>'
            f"{escape(self.random.choice(KEPT).format(bound))}</ds:XPath></ds:Transform>"
        )
        return self.random.choice((plain, plain, subtracted, kept, plain + kept))


def document(seed: int, holder: Holder) -> bytes:
    """Return a document with an enveloped XAdES-B signature among the root's children."""
    draw = Draw(Random(seed))  # noqa: S311 - reproducible, not secret
    children = [
        draw.element(2, frozenset()) + escape(draw.text()) for _ in range(draw.random.randrange(4))
    ]
    children.insert(draw.random.randrange(len(children) + 1), _xades(draw, holder))
    root = (
        f'<r Id="root" {draw.attributes()} {draw.xml_attributes()}>'
        f"{escape(draw.text())}{''.join(children)}</r>"
    )
    return _signed(root, holder)


def _xades(draw: Draw, holder: Holder) -> str:
    own, whole, inner = (draw.random.choice(METHODS) for _ in range(3))
    step = draw.method(whole) if draw.some(0.8) else ""
    certificate = b64encode(holder.der).decode()
    digest = b64encode(sha512(holder.der).digest()).decode()
    properties = draw.method(inner) if draw.some(0.9) else ""
    listed = f"<ds:Transforms>{properties}</ds:Transforms>" if properties else ""
    whole_steps = f"<ds:Transforms>{draw.removal()}{step}</ds:Transforms>"
    key = _reference("#key", f"<ds:Transforms>{draw.method(own)}</ds:Transforms>")
    return (
        f'<ds:Signature xmlns:ds="{DS}" Id="signature" {draw.attributes()}>'
        f"<ds:SignedInfo>{draw.method(own, 'CanonicalizationMethod')}"
        f'<ds:SignatureMethod Algorithm="{ECDSA_SHA256}"/>'
        f"{_reference(draw.random.choice(('', '#root')), whole_steps)}"
        f"{_reference('#properties', listed, PROPERTIES_TYPE)}{key if draw.some(0.3) else ''}"
        "</ds:SignedInfo><ds:SignatureValue/>"
        f'<ds:KeyInfo Id="key"><ds:X509Data><ds:X509Certificate>{certificate}</ds:X509Certificate>'
        f'</ds:X509Data></ds:KeyInfo><ds:Object><x:QualifyingProperties xmlns:x="{XADES}"'
        f' Target="#signature" {draw.xml_attributes()}><x:SignedProperties Id="properties"'
        f" {draw.attributes()} {draw.xml_attributes()}><x:SignedSignatureProperties>"
        f"<x:SigningTime>{NOW:%Y-%m-%dT%H:%M:%SZ}</x:SigningTime><x:SigningCertificateV2><x:Cert>"
        '<x:CertDigest><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha512"/>'
        f"<ds:DigestValue>{digest}</ds:DigestValue></x:CertDigest></x:Cert></x:SigningCertificateV2>"
        "</x:SignedSignatureProperties></x:SignedProperties></x:QualifyingProperties></ds:Object>"
        "</ds:Signature>"
    )


def message(seed: int, holder: Holder) -> bytes:
    """Return a SOAP message with a WS-Security signature over Body and Timestamp."""
    draw = Draw(Random(seed))  # noqa: S311 - reproducible, not secret
    soap = draw.random.choice((SOAP11, SOAP12))
    parts = [_token(holder), _timestamp(), _wsse(draw)]
    draw.random.shuffle(parts)
    order = _wsse_references(draw)
    envelope = (
        f'<soap:Envelope xmlns:soap="{soap}" {draw.attributes()} {draw.xml_attributes()}>'
        f'<soap:Header><wsse:Security xmlns:wsse="{WSSE}" xmlns:wsu="{WSU}" {draw.attributes()}>'
        f"{''.join(parts).replace('REFERENCES', order)}</wsse:Security></soap:Header>"
        f'<soap:Body xmlns:wsu="{WSU}" wsu:Id="body" {draw.attributes()} {draw.xml_attributes()}>'
        f"{draw.element(2, frozenset())}</soap:Body></soap:Envelope>"
    )
    return _signed(envelope, holder)


def _token(holder: Holder) -> str:
    return (
        f'<wsse:BinarySecurityToken ValueType="{X509_V3}" EncodingType="{BASE64}"'
        f' wsu:Id="token">{b64encode(holder.der).decode()}</wsse:BinarySecurityToken>'
    )


def _timestamp() -> str:
    return (
        '<wsu:Timestamp wsu:Id="timestamp"><wsu:Created>'
        f"{NOW:%Y-%m-%dT%H:%M:%SZ}</wsu:Created><wsu:Expires>{NOW:%Y-%m-%dT%H:%M}:59Z</wsu:Expires>"
        "</wsu:Timestamp>"
    )


def _wsse(draw: Draw) -> str:
    return (
        f'<ds:Signature xmlns:ds="{DS}"><ds:SignedInfo>'
        f"{draw.method(EXC_C14N, 'CanonicalizationMethod')}"
        f'<ds:SignatureMethod Algorithm="{ECDSA_SHA256}"/>REFERENCES</ds:SignedInfo>'
        "<ds:SignatureValue/><ds:KeyInfo><wsse:SecurityTokenReference>"
        f'<wsse:Reference URI="#token" ValueType="{X509_V3}"/></wsse:SecurityTokenReference>'
        "</ds:KeyInfo></ds:Signature>"
    )


def _wsse_references(draw: Draw) -> str:
    both = [
        _reference(uri, f"<ds:Transforms>{draw.method(EXC_C14N)}</ds:Transforms>")
        for uri in ("#body", "#timestamp")
    ]
    draw.random.shuffle(both)
    return "".join(both)


def _reference(uri: str, transforms: str, kind: str = "") -> str:
    type_ = f' Type="{kind}"' if kind else ""
    return (
        f'<ds:Reference URI="{uri}"{type_}>{transforms}<ds:DigestMethod Algorithm="{SHA256}"/>'
        "<ds:DigestValue/></ds:Reference>"
    )


def _signed(xml: str, holder: Holder) -> bytes:
    """Sign by libxmlsec, which computes every digest and the value."""
    root = etree.fromstring(xml)
    signature = next(root.iter(f"{{{DS}}}Signature"))
    pem = holder.key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(pem, xmlsec.KeyFormat.PEM)
    register_identifiers(context, root)
    context.sign(signature)
    return etree.tostring(root, encoding="UTF-8")


def register_identifiers(context: xmlsec.SignatureContext, root: etree._Element) -> None:
    for element in root.iter("*"):
        for name, namespace in (("Id", None), ("Id", WSU)):
            if element.get(f"{{{namespace}}}{name}" if namespace else name):
                context.register_id(element, name, namespace)


def verifies(octets: bytes, holder: Holder) -> bool:
    """Return libxmlsec's verdict on the signature, by the holder's certificate."""
    root = etree.fromstring(octets)
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(holder.der, xmlsec.KeyFormat.CERT_DER)
    try:
        register_identifiers(context, root)
        context.verify(next(root.iter(f"{{{DS}}}Signature")))
    except xmlsec.Error:
        return False
    return True


# --- tampering: each is a change that our profile lets pass as far as the core -----------------

Change = Callable[[Random, etree._Element], None]


def _any(random: Random, root: etree._Element) -> etree._Element:
    """Return any element except those whose content the profile reads by itself."""
    return random.choice([each for each in root.iter("*") if _is_free(each)])


def _beside(random: Random, root: etree._Element) -> etree._Element:
    """Return any element that may have attributes of the xml namespace by XML
    Signature's schema.
    """
    return random.choice([each for each in root.iter("*") if not each.tag.startswith(f"{{{DS}}}")])


def _is_free(element: etree._Element) -> bool:
    return not element.tag.startswith((f"{{{DS}}}", f"{{{XADES}}}", f"{{{WSSE}}}", f"{{{WSU}}}"))


def set_language(random: Random, root: etree._Element) -> None:
    _beside(random, root).set(f"{XML}lang", random.choice(("kk", "uz")))


def set_space(random: Random, root: etree._Element) -> None:
    _beside(random, root).set(f"{XML}space", "neither")


def drop_xml_attribute(random: Random, root: etree._Element) -> None:
    borne = [
        (each, name) for each in root.iter("*") for name in each.attrib if name.startswith(XML)
    ]
    if borne:
        element, name = random.choice(borne)
        del element.attrib[name]


def change_text(random: Random, root: etree._Element) -> None:
    element = _any(random, root)
    element.tail = None if element is root else element.tail
    children = [each for each in root.iter("*") if _is_free(each) and each is not root]
    if children:
        chosen = random.choice(children)
        chosen.text = (chosen.text or "") + "."


def add_attribute(random: Random, root: etree._Element) -> None:
    _any(random, root).set("added", "1")


def move_declaration(random: Random, root: etree._Element) -> None:
    """Put another namespace, which no name uses, into the scope of everything."""
    declared = f'<w xmlns:later="urn:later{random.randrange(9)}"/>'
    holder = etree.fromstring(declared)
    for child in list(root):
        holder.append(child)
    for child in list(holder):
        root.append(child)


def swap_children(random: Random, root: etree._Element) -> None:
    if len(root) > 1:
        root.insert(random.randrange(len(root)), root[random.randrange(len(root))])


TAMPERING: Sequence[Change] = (
    set_language,
    set_space,
    drop_xml_attribute,
    change_text,
    add_attribute,
    move_declaration,
    swap_children,
)


def tampered(seed: int, octets: bytes) -> bytes:
    """Make one change; sometimes it changes nothing that counts, and the signature stays valid."""
    random = Random(seed)  # noqa: S311 - as above
    root = etree.fromstring(octets)
    random.choice(TAMPERING)(random, root)
    return etree.tostring(root, encoding="UTF-8")


def digest_by_xmlsec(content: str | bytes, method: str | None = None) -> str:
    """Return the digest that libxmlsec computes of the element with Id `x`, by this method.

    For bytes it is their own digest, in the form of a signature.
    """
    if isinstance(content, bytes):
        return b64encode(sha256(content).digest()).decode()
    root = etree.fromstring(content)
    signature = xmlsec.template.create(
        root, xmlsec.constants.TransformExclC14N, xmlsec.constants.TransformHmacSha256
    )
    root.append(signature)
    reference = xmlsec.template.add_reference(signature, xmlsec.constants.TransformSha256, uri="#x")
    step = xmlsec.template.add_transform(reference, xmlsec.constants.TransformInclC14N)
    step.set("Algorithm", method)
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_binary_data(xmlsec.constants.KeyDataHmac, b"key")
    register_identifiers(context, root)
    context.sign(signature)
    return next(root.iter(f"{{{DS}}}DigestValue")).text or ""
