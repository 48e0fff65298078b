"""Good documents in every form of the profile: a verifier that refuses them refuses citizens."""

from collections.abc import Callable
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from cryptography.x509.oid import ExtendedKeyUsageOID
from lxml import etree

from makul.trust.xades.signing import sign_document
from makul_testing.builders.xades import C14N, DS, ENVELOPED, EXC_C14N, MORE, SHA256, XADES
from makul_testing.pki.authorities import NOW, key_usage
from vectors.attacks.content import DECLARATION, bare, changed, declared, replaced, sized
from vectors.attacks.drafts import C14N_11, MORE_2007, XMLENC, reference, signed, spoilt
from vectors.attacks.properties import first_form, first_form_issued
from vectors.attacks.references import KEPT, SUBTRACTED, filtered, listed, prefixes, xpath_transform
from vectors.attacks.values import P256_ORDER, encoded
from vectors.attacks.vector import Vector

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

    from vectors.attacks.cast import Cast
    from vectors.attacks.drafts import Draft

SHA384, SHA512 = f"{MORE}sha384", f"{XMLENC}sha512"
BOM = b"\xef\xbb\xbf"

FORMS: dict[str, tuple[dict[str, Any], str]] = {
    "usual": ({}, "exclusive, by Id"),
    "whole-document": ({"uri": ""}, "URI='' (XML Signature 1.1, 4.4.3.1)"),
    "inclusive": ({"transforms": (ENVELOPED, C14N), "c14n": C14N}, "Canonical XML 1.0"),
    "inclusive-11": ({"transforms": (ENVELOPED, C14N_11), "c14n": C14N_11}, "Canonical XML 1.1"),
    "no-c14n-named": ({"transforms": (ENVELOPED,)}, "4.4.3.2: then it is Canonical XML 1.0"),
    "sha384": ({"digest": SHA384, "method": f"{MORE}ecdsa-sha384"}, "stronger than the curve"),
    "sha512": ({"digest": SHA512, "method": f"{MORE}ecdsa-sha512"}, "stronger than the curve"),
    "digest-sha512-alone": ({"digest": SHA512}, "digest and method need not be of one strength"),
    "prefix-dsig": ({"prefix": "dsig:"}, "another prefix"),
    "default-namespace": ({"prefix": ""}, "no prefix"),
    "clock-ahead": ({"time": NOW + timedelta(minutes=4)}, "within five minutes"),
    "local-time": ({"time": "2026-11-22T18:00:00.123+06:00"}, "Bishkek's"),
    "a-year-ago": ({"time": "2025-12-01T00:00:00Z"}, "SigningTime alone proves nothing, or harms"),
    "filter-subtract": (
        {"transforms": (filtered(SUBTRACTED), EXC_C14N)},
        "as EU DSS writes it by default; it is the enveloped transform, letter by letter",
    ),
    "filter-subtract-anywhere": (
        {"transforms": (filtered("//ds:Signature"), EXC_C14N)},
        "as above",
    ),
    "filter-here": (
        {"transforms": (filtered(" here()/ancestor::ds:Signature[1] "), EXC_C14N)},
        "XPath Filter 2.0, its own example",
    ),
    "xpath-not-signature": (
        {"transforms": (xpath_transform(KEPT), EXC_C14N)},
        "XML Signature 1.1, 6.6.3",
    ),
    "xpath-counted": (
        {
            "transforms": (
                xpath_transform(
                    "count(ancestor-or-self::ds:Signature | here()/ancestor::ds:Signature[1])\n"
                    "&gt; count(ancestor-or-self::ds:Signature)"
                ),
            )
        },
        "XML Signature 1.1, 6.6.4: so it explains the enveloped transform",
    ),
    "enveloped-and-filter": (
        {"transforms": (ENVELOPED, filtered(SUBTRACTED), EXC_C14N)},
        "the filter has nothing left to do",
    ),
    "prefix-list-default": (
        {"transforms": (ENVELOPED, listed("#default ds ds c unknown"))},
        "exclusive canonicalisation, 3",
    ),
    "prefix-list": ({"transforms": (ENVELOPED, prefixes(3))}, "a PrefixList of nothing in scope"),
}

KEYS: dict[str, tuple[str, str | None]] = {
    "rsa-2048": ("rsa_citizen", None),
    "rsa-sha384": ("rsa_citizen", f"{MORE}rsa-sha384"),
    "rsa-sha512": ("rsa_citizen", f"{MORE}rsa-sha512"),
    "pss-sha256": ("rsa_citizen", f"{MORE_2007}sha256-rsa-MGF1"),
    "pss-sha384": ("rsa_citizen", f"{MORE_2007}sha384-rsa-MGF1"),
    "pss-sha512": ("rsa_citizen", f"{MORE_2007}sha512-rsa-MGF1"),
    "p-384": ("p384_citizen", f"{MORE}ecdsa-sha384"),
    "p-521": ("p521_citizen", f"{MORE}ecdsa-sha512"),
}


def by(cast: "Cast", *, who: str, **departures: Any) -> bytes:
    return signed(cast, holder=getattr(cast, who), **departures)


def by_signxml(cast: "Cast", *, who: str) -> bytes:
    """A document of our own signer, which uses signxml"""
    holder = getattr(cast, who)
    return sign_document(cast.content().encode(), holder.key, holder.chain, at=NOW)


def without_id(cast: "Cast") -> bytes:
    """A root without any Id, and URI=''."""
    return signed(cast, content=cast.content().replace(' Id="consent"', ""), uri="")


def key_info_signed(cast: "Cast") -> bytes:
    """A third reference, to KeyInfo (docs/recipients.md)."""

    def edit(drawn: "Draft") -> None:
        drawn.key_info.set("Id", "key")
        new_reference = reference("#key", (EXC_C14N,), SHA256)
        single = new_reference.replace("<ds:Reference", f'<ds:Reference xmlns:ds="{DS}"', 1)
        drawn.info.append(etree.fromstring(single))

    return signed(cast, edit)


def whole_chain(cast: "Cast") -> bytes:
    return signed(cast, carried=[cast.citizen, cast.ca.holder, cast.root.holder])


def chain_backwards(cast: "Cast") -> bytes:
    """The signer's certificate is last: SigningCertificateV2 names it."""
    return signed(cast, carried=[cast.root.holder, cast.ca.holder, cast.citizen])


def pretty(cast: "Cast") -> bytes:
    """The document was indented before it was signed, and its numbers are in lines of 64."""

    def indent(drawn: "Draft") -> None:
        etree.indent(drawn.root)

    new_reference = etree.fromstring(signed(cast, indent))
    for element in new_reference.iter(f"{{{DS}}}SignatureValue", f"{{{DS}}}X509Certificate"):
        text = element.text or ""
        lines = [text[at : at + 64] for at in range(0, len(text), 64)]
        if element.tag.endswith("SignatureValue"):  # certificates keep their lines
            element.text = "\n".join(["", *lines, ""])
    return etree.tostring(new_reference, encoding="UTF-8")


def malleable(raw: bytes) -> bytes:
    """(r, n - s): an equally good signature of the same bytes."""
    s = P256_ORDER - int.from_bytes(raw[32:], "big")
    return raw[:32] + s.to_bytes(32, "big")


def with_policy(cast: "Cast", *, xml: str) -> bytes:
    """A SignaturePolicyIdentifier, which the signer states and nobody needs here."""

    def edit(drawn: "Draft") -> None:
        drawn.one("SigningCertificateV2", XADES).addnext(
            etree.fromstring(
                f'<x:SignaturePolicyIdentifier xmlns:x="{XADES}">{xml}'
                "</x:SignaturePolicyIdentifier>"
            )
        )

    return signed(cast, edit)


ISSUERS: dict[str, tuple[str, str]] = {
    "backwards": ("cn=corpus citizens ca,c=kg", "Java writes names in this order and case"),
    "spaced": ("C = KG, CN = Corpus Citizens CA", "OpenSSL's one-line form"),
    "dotted": (
        "OID.2.5.4.3=Corpus\\20Citizens CA, 2.5.4.6=#13024b47",
        "dotted types, escapes, hexadecimal",
    ),
    "quoted": ('CN="Corpus Citizens CA";C=KG', "RFC 2253, 4"),
    "unknown": ("urn:nobody knows this form", "it cannot be read: the digest binds by itself"),
}


def first_formed(cast: "Cast", *, edit: "Callable[[Draft], None]" = first_form) -> bytes:
    return signed(cast, edit)


def issued(cast: "Cast", *, issuer: str) -> bytes:
    return signed(cast, partial(first_form_issued, issuer=issuer))


def certified(cast: "Cast", **changes: Any) -> bytes:
    return signed(cast, holder=cast.another(**changes))


def unsigned_property(cast: "Cast") -> bytes:
    """Garbage among the unsigned properties of a signature that does not need them."""

    def edit(root: "Element") -> None:
        qualifying = next(root.iter(f"{{{XADES}}}QualifyingProperties"))
        qualifying.append(
            etree.fromstring(
                f'<x:UnsignedProperties xmlns:x="{XADES}"><x:UnsignedSignatureProperties>'
                "<x:RevocationValues><x:CRLValues><x:EncapsulatedCRLValue>AAAA"
                "</x:EncapsulatedCRLValue></x:CRLValues></x:RevocationValues>"
                "</x:UnsignedSignatureProperties></x:UnsignedProperties>"
            )
        )

    return spoilt(cast, edit)


def signature_first(cast: "Cast") -> bytes:
    """The signature is the root's first child."""

    def edit(drawn: "Draft") -> None:
        drawn.root.insert(0, drawn.signature)

    return signed(cast, edit)


def _edited(cast: "Cast", edit: "Callable[[Element], None]") -> bytes:
    return spoilt(cast, edit)


def value_wrapped(root: "Element") -> None:
    """White space within the signature value, which is not signed."""
    value = next(root.iter(f"{{{DS}}}SignatureValue"))
    value.text = "\r\n\t ".join(value.text or "")


CHANGES: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "byte-order-mark": (
        lambda document: BOM + DECLARATION + bare(document),
        "a mark, as Windows writes it",
    ),
    "byte-order-mark-alone": (lambda document: BOM + bare(document), "no declaration"),
    "no-declaration": (bare, "UTF-8 unless stated"),
    "standalone": (
        declared(b"<?xml version='1.0' encoding='utf-8' standalone='yes'?>\r\n"),
        "as .NET writes it",
    ),
    "space-after": (lambda document: document + b"\n \n", "outside of the root"),
    "character-reference": (replaced(b"ACCOUNT", b"&#65;CCOUNT"), "the same characters"),
    "hexadecimal-reference": (replaced(b"ACCOUNT", b"&#x41;CCOUNT"), "the same characters"),
    "attribute-quotes": (replaced(b' Id="consent"', b" Id='consent'"), "the same infoset"),
    "space-in-tag": (replaced(b' Id="consent"', b'\n  Id = "consent" '), "the same infoset"),
    "cdata": (
        replaced(b"ACCOUNT_OPENING", b"<![CDATA[ACCOUNT_OPENING]]>"),
        "the same characters (Canonical XML, 1.3)",
    ),
    "line-ends": (lambda document: document.replace(b"\n", b"\r\n"), "normalised (XML, 2.11)"),
}
"""Different bytes of the same content: what is read is what was signed."""


def _accepted(name: str, why: str, build: Any, *, schema: bool = True) -> Vector:
    return Vector(name=f"accepted/{name}", why=why, build=build, code=None, schema=schema)


_EMAIL = [ExtendedKeyUsageOID.EMAIL_PROTECTION, ExtendedKeyUsageOID.CLIENT_AUTH]
VECTORS: tuple[Vector, ...] = (
    *(
        _accepted(name, why, partial(signed, **departures))
        for name, (departures, why) in FORMS.items()
    ),
    *(
        _accepted(
            name,
            "docs/recipients.md, Documents that are signed",
            partial(by, who=who, method=method),
        )
        for name, (who, method) in KEYS.items()
    ),
    *(
        _accepted(f"signxml-{who.replace('_', '-')}", "our own", partial(by_signxml, who=who))
        for who in ("citizen", "rsa_citizen", "p384_citizen", "p521_citizen")
    ),
    *(
        _accepted(name, why, partial(changed, change=change))
        for name, (change, why) in CHANGES.items()
    ),
    _accepted("no-id", (without_id.__doc__ or "").rstrip("."), without_id),
    _accepted("key-info-signed", (key_info_signed.__doc__ or "").rstrip("."), key_info_signed),
    _accepted("whole-chain", "KeyInfo carries root and CA too", whole_chain),
    _accepted("chain-backwards", (chain_backwards.__doc__ or "").rstrip("."), chain_backwards),
    _accepted("pretty", (pretty.__doc__ or "").rstrip("."), pretty),
    _accepted("signature-first", "its place among the root's children is free", signature_first),
    _accepted("value-wrapped", "base64 in lines", partial(_edited, edit=value_wrapped)),
    _accepted(
        "ecdsa-malleable",
        "(r, n - s) is valid too; a consent is known by what it says, not by its signature",
        partial(encoded, encode=malleable, rsa=False),
    ),
    _accepted("policy-implied", "5.2.9", partial(with_policy, xml="<x:SignaturePolicyImplied/>")),
    _accepted("first-form", "SigningCertificate, as xades4j writes it", first_formed),
    _accepted(
        "first-form-issuer",
        "with issuer and serial number",
        partial(first_formed, edit=first_form_issued),
    ),
    *(
        _accepted(f"first-form-issuer-{name}", why, partial(issued, issuer=issuer))
        for name, (issuer, why) in ISSUERS.items()
    ),
    _accepted("garbage-unsigned", "unsigned properties are not believed", unsigned_property),
    _accepted(
        "usage-digital-signature",
        "RFC 5280, 4.2.1.3",
        partial(certified, usage=key_usage("digital_signature")),
    ),
    _accepted("eku-email", "one good end suffices", partial(certified, extended=_EMAIL)),
    *(
        _accepted(f"size-{name}", "at most 256 KiB", partial(sized, more=more))
        for name, more in (("256-kib", 0), ("256-kib-less-a-byte", -1))
    ),
)
