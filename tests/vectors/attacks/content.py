"""Changes after signing, markup that splits values, encodings, sizes, namespaces."""

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING
from unicodedata import normalize

from lxml import etree

from makul.domain.reasons import Code
from makul_testing.builders.xades import C14N_COMMENTS, ENVELOPED, EXC_C14N
from vectors.attacks.drafts import signed, spoilt
from vectors.attacks.vector import Vector

if TYPE_CHECKING:
    from vectors.attacks.cast import Cast

LIMIT = 256 * 1024
"""The maximum size of a signed document (docs/recipients.md)."""
DECLARATION = b'<?xml version="1.0" encoding="UTF-8"?>'
Change = Callable[[bytes], bytes]


def changed(cast: "Cast", change: Change) -> bytes:
    """Change the bytes of a good document after signing."""
    return change(signed(cast))


def drawn(cast: "Cast", change: Callable[[str], str], **departures: object) -> bytes:
    """Change a consent before it is signed."""
    return signed(cast, content=change(cast.content()), **departures)


def first_child(new: bytes) -> Change:
    """Put bytes after the root's start tag."""
    return replaced(b' Id="consent">', b' Id="consent">' + new)


def within_text(text: str) -> Callable[[str], str]:
    """Put text into the purpose's code."""

    def change(content: str) -> str:
        before, found, rest = content.partition("ACCOUNT_OPENING")
        return f"{before}{found[:7]}{text}{found[7:]}{rest}"

    return change


def after_root(document: bytes) -> bytes:
    return document + b"<Consent xmlns='urn:makul:consent:1'/>"


def replaced(old: bytes, new: bytes) -> Change:
    return lambda document: document.replace(old, new, 1)


TAMPERED: dict[str, Change] = {
    "purpose": replaced(b"ACCOUNT_OPENING", b"ACCOUNT_CLOSING"),
    "element-name": lambda document: document.replace(b"maxDisclosures>", b"maxDisclosurez>"),
    "element-added": first_child(b"<extra/>"),
    "text-before-signature": replaced(b"<ds:Signature ", b"text<ds:Signature "),
    "text-after-signature": replaced(b"</ds:Signature>", b"</ds:Signature>text"),
    "space-before-signature": replaced(b"<ds:Signature ", b"\n<ds:Signature "),
    "space-after-signature": replaced(b"</ds:Signature>", b"</ds:Signature>\n"),
    "element-after-signature": replaced(b"</ds:Signature>", b"</ds:Signature><x/>"),
    "attribute-added": replaced(b' Id="consent"', b' Id="consent" lang="en"'),
    "xml-lang-added": replaced(b' Id="consent"', b' Id="consent" xml:lang="en"'),
    "xml-space-added": replaced(b' Id="consent"', b' Id="consent" xml:space="default"'),
    "xml-base-added": replaced(b' Id="consent"', b' Id="consent" xml:base="http://x/"'),
    "xsi-nil-added": replaced(
        b' Id="consent"',
        b' Id="consent" xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:nil="true"',
    ),
    "reference-uri": replaced(b'URI="#consent"', b'URI=""'),
    "namespace": replaced(b"urn:makul:consent:1", b"urn:makul:consent:2"),
    "default-namespace-emptied": first_child(b'<purpose xmlns="">x</purpose>'),
    "prefix-bound-anew": first_child(b'<ds:x xmlns:ds="urn:other"/>'),
}

MARKUP: dict[str, tuple[str, str]] = {
    "comment": ("<!-- -->", "CVE-2017-11427 and its like: text is read up to the comment"),
    "instruction": ("<?x y?>", "text is read up to the instruction"),
    "comment-empty": ("<!---->", "text is read up to the comment"),
    "stylesheet": ("<?xml-stylesheet href='http://127.0.0.1:9/'?>", "nothing is fetched"),
}

ENTITIES: dict[str, bytes] = {
    "doctype": b"<!DOCTYPE Consent>",
    "internal-entity": b'<!DOCTYPE Consent [<!ENTITY e "x">]>',
    "external-entity": b'<!DOCTYPE Consent [<!ENTITY e SYSTEM "file:///etc/passwd">]>',
    "parameter-entity": b'<!DOCTYPE Consent [<!ENTITY % e SYSTEM "http://127.0.0.1:9/"> %e;]>',
    "external-subset": b'<!DOCTYPE Consent SYSTEM "http://127.0.0.1:9/x.dtd">',
    "public-subset": b'<!DOCTYPE Consent PUBLIC "-//x" "file:///etc/passwd">',
    "id-attribute": b"<!DOCTYPE Consent [<!ATTLIST extra name ID #REQUIRED>]>",
    "default-attribute": b'<!DOCTYPE Consent [<!ATTLIST Consent Id CDATA "evil">]>',
    "billion-laughs": (
        b'<!DOCTYPE Consent [<!ENTITY a "ha">'
        + b"".join(
            f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">'.encode() for n in range(9)
        )
        + b"]>"
    ),
    "quadratic-blowup": b'<!DOCTYPE Consent [<!ENTITY a "' + b"x" * 50_000 + b'">]>',
    "lower-case": b"<!doctype Consent>",
    "after-a-comment": b"<!-- --><!DOCTYPE Consent>",
}


def recoded(encoding: str, declared: str | None = None) -> Change:
    """Encode the same characters differently, declared or not."""

    def change(document: bytes) -> bytes:
        text = document.decode().partition("?>")[2] or document.decode()
        named = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
        return (named + text.strip()).encode(encoding, "xmlcharrefreplace")

    return change


def declared(declaration: bytes) -> Change:
    return lambda document: declaration + bare(document)


def bare(document: bytes) -> bytes:
    return (document.partition(b"?>")[2] if document.startswith(b"<?xml") else document).strip()


def at_purpose(raw: bytes) -> Change:
    """Put bytes into a value."""
    return replaced(b"ACCOUNT_OPENING", b"ACCOUNT" + raw + b"_OPENING")


ENCODINGS: dict[str, tuple[Change, str]] = {
    "utf-16": (recoded("utf-16", "UTF-16"), "bytes are compared with bytes: one encoding alone"),
    "utf-16-le": (recoded("utf-16-le", "UTF-16LE"), "without a mark"),
    "utf-16-be": (recoded("utf-16-be"), "without a mark or a word of it"),
    "utf-16-declared-utf-8": (recoded("utf-16", "UTF-8"), "the declaration lies"),
    "utf-32": (recoded("utf-32", "UTF-32"), "every fourth byte"),
    "utf-7": (recoded("utf-7", "UTF-7"), "markup hidden from a scan of bytes"),
    "utf-7-undeclared": (replaced(b"ACCOUNT", b"+AEE-CCOUNT"), "and undeclared, as text"),
    "latin-1-declared": (recoded("iso-8859-1", "ISO-8859-1"), "another reading of the bytes"),
    "latin-1-over-utf-8": (
        declared(b'<?xml version="1.0" encoding="ISO-8859-1"?>'),
        "UTF-8 that says it is Latin-1: two readers, two names",
    ),
    "windows-1251": (recoded("windows-1251", "windows-1251"), "the habit of the region"),
    "ebcdic": (recoded("cp500", "cp500"), "markup hidden from a scan of bytes"),
    "xml-1.1": (declared(b'<?xml version="1.1" encoding="UTF-8"?>'), "other line ends and names"),
    "no-version": (declared(b'<?xml encoding="UTF-8"?>'), "no XML declaration"),
    "unknown-encoding": (declared(b'<?xml version="1.0" encoding="x-makul"?>'), "nobody's"),
    "declared-twice": (declared(DECLARATION + DECLARATION), "the second is an instruction"),
    "space-before-declaration": (lambda document: b" " + DECLARATION + bare(document), "XML 2.8"),
    "nul": (at_purpose(b"\0"), "where C ends a string"),
    "control": (at_purpose(b"\x01"), "no character of XML"),
    "overlong": (at_purpose(b"\xc0\xbc"), "an overlong less-than"),
    "surrogates": (at_purpose(b"\xed\xa0\x80\xed\xb0\x80"), "CESU-8"),
    "lone-continuation": (at_purpose(b"\x80"), "no UTF-8"),
    "beyond-unicode": (at_purpose(b"\xf5\x80\x80\x80"), "no UTF-8"),
    "noncharacter": (at_purpose(b"\xef\xbf\xbf"), "U+FFFF is no character of XML"),
    "reference-to-nul": (at_purpose(b"&#0;"), "no character of XML"),
    "reference-to-a-surrogate": (at_purpose(b"&#xD800;"), "no character of XML"),
    "undeclared-entity": (at_purpose(b"&nbsp;"), "HTML's, not XML's"),
    "nfd": (lambda document: normalize("NFD", document.decode()).encode(), "looks alike"),
    "nfkc": (
        lambda document: document.replace(b"ACCOUNT", "ＡCCOUNT".encode(), 1),
        "looks alike",
    ),
    "zero-width": (at_purpose(b"\xe2\x80\x8b"), "is not seen"),
    "right-to-left": (at_purpose(b"\xe2\x80\xae"), "reads backwards (Trojan Source, 2021)"),
    "cyrillic-letter": (replaced(b"ACCOUNT", "АCCOUNT".encode()), "looks alike"),
}


def sized(cast: "Cast", *, more: int) -> bytes:
    """Build a good document of 256 KiB and so many bytes, by a consent with a long text."""
    short = drawn(cast, _padded(1))
    return drawn(cast, _padded(1 + LIMIT + more - len(short)))


def _padded(count: int) -> Callable[[str], str]:
    return lambda content: content.replace("</Consent>", f"{' ' * count}</Consent>")


BOMBS: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "no document"),
    "space": (b" \n", "no document"),
    "nul": (b"\0", "no document"),
    "text": (b"hello", "no document"),
    "unclosed": (b"<a", "no document"),
    "unclosed-element": (b"<a>", "no document"),
    "two-roots": (b"<a/><b/>", "no document"),
    "deep": (b"<a>" * 300 + b"</a>" * 300, "libxml2 stops at 256"),
    "very-deep": (b"<a>" * 30_000 + b"</a>" * 30_000, "libxml2 stops at 256"),
    "many-elements": (b"<a>" + b"<b/>" * 10_001 + b"</a>", "ten times what is needed"),
    "many-attributes": (
        b"<a" + b"".join(f' a{n}=""'.encode() for n in range(20_000)) + b"/>",
        "sorted by insertion: the square of them",
    ),
    "many-namespaces": (
        b"<a" + b"".join(f' xmlns:a{n}="u"'.encode() for n in range(5_000)) + b"/>",
        "canonicalisation in the square of them",
    ),
    "attribute-twice": (b"<a b='1' b='2'/>", "not well-formed"),
    "attribute-twice-by-namespace": (
        b"<a xmlns:x='u' xmlns:y='u' x:b='1' y:b='2'/>",
        "not well-formed by Namespaces in XML",
    ),
    "long-name": (b"<" + b"a" * 100_000 + b"/>", "libxml2 stops at 50,000"),
    "unbound-prefix": (b"<p:a/>", "not well-formed by Namespaces in XML"),
    "gzip": (bytes.fromhex("1f8b08000000000000ff"), "never unpacked"),
    "zip": (b"PK\x03\x04", "never unpacked"),
    "json": (b'{"consent": true}', "no document"),
    "html": (b"<html><p></html>", "no document"),
}


def normalised_id(cast: "Cast", *, form: str) -> bytes:
    """Write the root's Id in one normal form, and the reference to it in the other."""
    composed, apart = "\u0439", "\u0438\u0306"  # й in one character and in two
    one, other = (composed, apart) if form == "NFC" else (apart, composed)
    content = cast.content().replace('Id="consent"', f'Id="{one}"')
    return signed(cast, content=content, uri=f"#{other}")


def flooded(cast: "Cast", *, kind: str, count: int) -> bytes:
    """Build a signed document that is full of attributes or namespaces."""
    texts = {"attributes": ' a{}=""', "namespaces": ' xmlns:a{}="u:"'}
    flood = "".join(texts[kind].format(number) for number in range(count))
    return changed(cast, replaced(b' Id="consent"', b' Id="consent"' + flood.encode()))


def swapped_children(cast: "Cast") -> bytes:
    """Exchange two elements after signing."""

    def edit(root: "etree._Element") -> None:
        root.append(root[0])

    return spoilt(cast, edit)


def _constant(cast: "Cast", document: bytes) -> bytes:
    return document


VECTORS: tuple[Vector, ...] = (
    *(
        Vector(
            name=f"tampering/{name}",
            why="changed after it was signed",
            build=partial(changed, change=change),
            code=Code.SIG_02,
        )
        for name, change in TAMPERED.items()
    ),
    Vector(
        name="tampering/children-exchanged",
        why="the order belongs to what was signed",
        build=swapped_children,
        code=Code.SIG_02,
    ),
    Vector(
        name="tampering/something-after-the-root",
        why="not well-formed",
        build=partial(changed, change=after_root),
        code=Code.SIG_02,
    ),
    *(
        Vector(
            name=f"markup/{name}-{how}",
            why=why,
            build=partial(drawn, change=within_text(markup), **departures),
            code=Code.SIG_02,
        )
        for name, (markup, why) in MARKUP.items()
        for how, departures in (
            ("signed-without-it", {}),
            ("signed-with-it", {"transforms": (ENVELOPED, C14N_COMMENTS)}),
            ("signed-with-exclusive", {"transforms": (ENVELOPED, f"{EXC_C14N}WithComments")}),
        )
    ),
    *(
        Vector(
            name=f"markup/comment-{name}",
            why="canonicalisation leaves comments out, so it would still verify",
            build=partial(changed, change=change),
            code=Code.SIG_02,
        )
        for name, change in {
            "before-root": lambda document: b"<!-- x -->" + bare(document),
            "after-root": lambda document: document + b"<!-- x -->",
            "in-signature": replaced(b"<ds:KeyInfo>", b"<ds:KeyInfo><!-- x -->"),
            "in-signature-value": replaced(
                b"<ds:SignatureValue>", b"<ds:SignatureValue><!-- x -->"
            ),
            "in-certificate": replaced(b"<ds:X509Certificate>", b"<ds:X509Certificate><!--x-->"),
            "in-digest": replaced(b"<ds:DigestValue>", b"<ds:DigestValue><!-- x -->"),
        }.items()
    ),
    *(
        Vector(
            name=f"entities/{name}",
            why="no DTD is needed, so none is read: XXE, expansion, attributes out of nowhere",
            build=partial(changed, change=declared(DECLARATION + doctype)),
            code=Code.SIG_02,
        )
        for name, doctype in ENTITIES.items()
    ),
    *(
        Vector(
            name=f"entities/{name}-used",
            why="the entity's text would be read, and is nowhere in what was signed",
            build=partial(
                changed,
                change=lambda document, entity=entity: at_purpose(b"&e;")(
                    DECLARATION + entity + bare(document)
                ),
            ),
            code=Code.SIG_02,
        )
        for name, entity in ENTITIES.items()
        if name.endswith("entity")
    ),
    *(
        Vector(
            name=f"encodings/{name}",
            why=why,
            build=partial(changed, change=change),
            code=Code.SIG_02,
        )
        for name, (change, why) in ENCODINGS.items()
    ),
    *(
        Vector(
            name=f"encodings/id-in-another-form-than-{form}",
            why="identifiers are compared by code point, not by looks",
            build=partial(normalised_id, form=form),
            code=Code.SIG_03,
        )
        for form in ("NFC", "NFD")
    ),
    Vector(
        name="sizes/256-kib-and-a-byte",
        why="docs/recipients.md, Documents that are signed",
        build=partial(sized, more=1),
        code=Code.SIG_02,
        schema=False,
    ),
    *(
        Vector(
            name=f"sizes/signed-with-many-{kind}",
            why="libxml2 canonicalises in the square of them",
            build=partial(flooded, kind=kind, count=1100),
            code=Code.SIG_02,
        )
        for kind in ("attributes", "namespaces")
    ),
    *(
        Vector(
            name=f"sizes/{name}",
            why=why,
            build=partial(_constant, document=document),
            code=Code.SIG_02,
            schema=False,
        )
        for name, (document, why) in BOMBS.items()
    ),
)
