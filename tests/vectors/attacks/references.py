"""The coverage of a signature: URIs, transforms, counts of references, canonicalisations."""

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from lxml import etree

from makul.domain.reasons import Code
from makul_testing.builders.xades import (
    C14N,
    C14N_COMMENTS,
    DS,
    ENVELOPED,
    EXC_C14N,
    MORE,
    PROPERTIES_TYPE,
    SHA256,
)
from vectors.attacks.drafts import C14N_11, reference, signed
from vectors.attacks.vector import Vector

if TYPE_CHECKING:
    from vectors.attacks.cast import Cast
    from vectors.attacks.drafts import Draft

XSLT = "http://www.w3.org/TR/1999/REC-xslt-19991116"
XPATH = "http://www.w3.org/TR/1999/REC-xpath-19991116"
FILTER2 = "http://www.w3.org/2002/06/xmldsig-filter2"
BASE64 = f"{DS}base64"
STR_TRANSFORM = (
    "http://docs.oasis-open.org/wss/2004/01/oasis-200401-wss-soap-message-security-1.0"
    "#STR-Transform"
)
DECRYPT = "http://www.w3.org/2002/07/decrypt#XML"
XPOINTER = "http://www.w3.org/2001/04/xmldsig-more/xptr"

TRANSFORMS = {
    "xslt": XSLT,
    "xpath": XPATH,
    "xpath-filter2": FILTER2,
    "base64": BASE64,
    "str-transform": STR_TRANSFORM,
    "decrypt": DECRYPT,
    "xpointer": XPOINTER,
    "unknown": "urn:foo",
    "empty": "",
    "space": f" {EXC_C14N}",
    "case": EXC_C14N.upper(),
    "c14n-with-comments": C14N_COMMENTS,
    "c14n11-with-comments": f"{C14N_11}#WithComments",
    "exclusive-with-comments": f"{EXC_C14N}WithComments",
    "c14n2": "http://www.w3.org/2010/xml-c14n2",
    "minimal": f"{MORE}minimal",
}
"""Transforms that are known elsewhere, or look like those that are known here."""

ORDERS = {
    "instead-of-c14n": lambda uri: (ENVELOPED, uri),
    "between": lambda uri: (ENVELOPED, uri, EXC_C14N),
    "first": lambda uri: (uri, ENVELOPED, EXC_C14N),
    "last": lambda uri: (ENVELOPED, EXC_C14N, uri),
    "alone": lambda uri: (uri,),
}

XSLT_BODY = (
    f'<ds:Transform Algorithm="{XSLT}"><xsl:stylesheet version="1.0"'
    ' xmlns:xsl="http://www.w3.org/1999/XSL/Transform"><xsl:template match="/">'
    "<xsl:copy-of select=\"document('file:///etc/passwd')\"/></xsl:template></xsl:stylesheet>"
    "</ds:Transform>"
)
XPATH_BODY = (
    f'<ds:Transform Algorithm="{XPATH}"><ds:XPath>not(ancestor-or-self::*[local-name()="pin"])'
    "</ds:XPath></ds:Transform>"
).replace('"pin"', "'pin'")
FILTER_BODY = (
    f'<ds:Transform Algorithm="{FILTER2}"><f:XPath xmlns:f="{FILTER2}" Filter="subtract">'
    "//*[local-name()='pin']</f:XPath></ds:Transform>"
)
HIDDEN_IN_C14N = f'<ds:Transform Algorithm="{EXC_C14N}"><ds:XPath>1=1</ds:XPath></ds:Transform>'
HIDDEN_IN_ENVELOPED = (
    f'<ds:Transform Algorithm="{ENVELOPED}"><ds:XPath>1=1</ds:XPath></ds:Transform>'
)
PREFIXES_IN_INCLUSIVE = (
    f'<ds:Transform Algorithm="{C14N}"><e:InclusiveNamespaces xmlns:e="{EXC_C14N}"'
    ' PrefixList="ds"/></ds:Transform>'
)


def prefixes(count: int) -> str:
    """Build an exclusive canonicalisation with that many prefixes."""
    listed = " ".join(f"p{number}" for number in range(count))
    return (
        f'<ds:Transform Algorithm="{EXC_C14N}"><e:InclusiveNamespaces xmlns:e="{EXC_C14N}"'
        f' PrefixList="{listed}"/></ds:Transform>'
    )


def listed(prefix_list: str) -> str:
    """Build an exclusive canonicalisation with this PrefixList."""
    return (
        f'<ds:Transform Algorithm="{EXC_C14N}"><e:InclusiveNamespaces xmlns:e="{EXC_C14N}"'
        f' PrefixList="{prefix_list}"/></ds:Transform>'
    )


STEPS: dict[str, tuple[tuple[str, ...], Code]] = {
    "xslt-that-reads-a-file": ((ENVELOPED, XSLT_BODY, EXC_C14N), Code.SIG_04),
    "xpath-that-leaves-the-pin-out": ((ENVELOPED, XPATH_BODY, EXC_C14N), Code.SIG_04),
    "filter-that-leaves-the-pin-out": ((ENVELOPED, FILTER_BODY, EXC_C14N), Code.SIG_04),
    "hidden-in-c14n": ((ENVELOPED, HIDDEN_IN_C14N), Code.SIG_04),
    "hidden-in-enveloped": ((HIDDEN_IN_ENVELOPED, EXC_C14N), Code.SIG_04),
    "prefixes-of-inclusive": ((ENVELOPED, PREFIXES_IN_INCLUSIVE), Code.SIG_04),
    "33-prefixes": ((ENVELOPED, prefixes(33)), Code.SIG_04),
    "enveloped-twice": ((ENVELOPED, ENVELOPED, EXC_C14N), Code.SIG_04),
    "enveloped-after-c14n": ((EXC_C14N, ENVELOPED), Code.SIG_04),
    "c14n-twice": ((ENVELOPED, EXC_C14N, EXC_C14N), Code.SIG_04),
    "c14n-twice-of-two-kinds": ((ENVELOPED, C14N, EXC_C14N), Code.SIG_04),
    "c14n-64-times": ((ENVELOPED, *((EXC_C14N,) * 64)), Code.SIG_04),
    "enveloped-missing": ((EXC_C14N,), Code.SIG_03),
    "no-transforms": ((), Code.SIG_03),
    "an-element-that-is-no-transform": ((ENVELOPED, "<ds:Other/>", EXC_C14N), Code.SIG_04),
}


def filtered(text: str, *, how: str = "subtract", declared: str = "", more: str = "") -> str:
    """Build an XPath Filter 2.0 (W3C, 2002) like signers that use it for the enveloped
    transform.
    """
    return (
        f'<ds:Transform Algorithm="{FILTER2}"><f:XPath xmlns:f="{FILTER2}"{declared}'
        f' Filter="{how}">{text}</f:XPath>{more}</ds:Transform>'
    )


def xpath_transform(text: str, *, declared: str = "") -> str:
    """Build an XPath transform (XML Signature 1.1, 6.6.3)."""
    return f'<ds:Transform Algorithm="{XPATH}"><ds:XPath{declared}>{text}</ds:XPath></ds:Transform>'


SUBTRACTED = "/descendant::ds:Signature"
KEPT = "not(ancestor-or-self::ds:Signature)"
_MORE = f'<f:XPath xmlns:f="{FILTER2}" Filter="subtract">//*[local-name()=\'pin\']</f:XPath>'
REMOVALS: dict[str, tuple[str, ...]] = {
    "intersect": (filtered(SUBTRACTED, how="intersect"), EXC_C14N),
    "union": (filtered(SUBTRACTED, how="union"), EXC_C14N),
    "without-a-filter": (filtered(SUBTRACTED, how=""), EXC_C14N),
    "two-filters": (filtered(SUBTRACTED, more=_MORE), EXC_C14N),
    "two-filter-steps": (filtered(SUBTRACTED), filtered(SUBTRACTED), EXC_C14N),
    "two-filter-steps-of-two-kinds": (filtered(SUBTRACTED), xpath_transform(KEPT), EXC_C14N),
    "another-namespace": (filtered(SUBTRACTED, declared=' xmlns:ds="urn:other"'), EXC_C14N),
    "unbound-prefix": (filtered("/descendant::dsig:Signature"), EXC_C14N),
    "no-prefix": (filtered("/descendant::Signature", declared=f' xmlns="{DS}"'), EXC_C14N),
    "with-a-predicate": (filtered("/descendant::ds:Signature[1]"), EXC_C14N),
    "or-more": (filtered("/descendant::ds:Signature | //*[local-name()='pin']"), EXC_C14N),
    "another-element": (filtered("/descendant::ds:KeyInfo"), EXC_C14N),
    "everything": (filtered("/descendant::*"), EXC_C14N),
    "nothing": (filtered(""), EXC_C14N),
    "long": (filtered(SUBTRACTED + " " * 300), EXC_C14N),
    "kept-of-another-namespace": (
        xpath_transform(KEPT, declared=' xmlns:ds="urn:other"'),
        EXC_C14N,
    ),
    "kept-everything": (xpath_transform("true()"), EXC_C14N),
    "kept-signature": (xpath_transform("ancestor-or-self::ds:Signature"), EXC_C14N),
    "kept-without-more": (
        xpath_transform("not(ancestor-or-self::ds:Signature or self::*[local-name()='pin'])"),
        EXC_C14N,
    ),
    "kept-count-of-two-prefixes": (
        xpath_transform(
            "count(ancestor-or-self::ds:Signature | here()/ancestor::x:Signature[1])"
            " &gt; count(ancestor-or-self::ds:Signature)",
            declared=' xmlns:x="urn:other"',
        ),
        EXC_C14N,
    ),
    "filter-as-xpath": (
        filtered(SUBTRACTED).replace(f'"{FILTER2}"', f'"{XPATH}"', 1),
        EXC_C14N,
    ),
    "after-c14n": (EXC_C14N, filtered(SUBTRACTED)),
    "xpath-of-filter": (
        xpath_transform(SUBTRACTED, declared=' Filter="subtract"').replace(XPATH, FILTER2),
        EXC_C14N,
    ),
}
"""Expressions that differ from those that remove only the signature: SIG-04."""

URIS: dict[str, str | None] = {
    "none": None,
    "http": "http://127.0.0.1:9/consent.xml",
    "https": "https://example.org/consent.xml",
    "file": "file:///etc/passwd",
    "relative": "consent.xml",
    "data": "data:text/xml,&lt;a/&gt;",
    "cid": "cid:consent",
    "xpointer-root": "#xpointer(/)",
    "xpointer-id": "#xpointer(id('consent'))",
    "xpointer-subtree": "#xpointer(//*[@Id='consent'])",
    "xpointer-element": "#element(/1)",
    "fragment-alone": "#",
    "nothing-of-that-name": "#other",
    "properties": "#properties",
    "signature": "#signature",
    "case": "#Consent",
    "space": "#consent ",
    "encoded": "#%63onsent",
    "absolute-with-fragment": "http://example.org/#consent",
    "empty-with-query": "?",
    "quotes": "#consent&apos;",
}
"""Targets of a reference other than the document or its root's Id."""

LIMIT = timedelta(milliseconds=500)
"""Seconds of CPU. signxml computes 1,000 references one by one: seconds.

Here they are counted first.
"""


def many(cast: "Cast", *, count: int, uri: str) -> bytes:
    """Add a thousand references."""

    def edit(drawn: "Draft") -> None:
        new_reference = reference(uri, (ENVELOPED, EXC_C14N)).replace(
            "<ds:DigestValue/>", "<ds:DigestValue>AAAA</ds:DigestValue>"
        )
        single = new_reference.replace("<ds:Reference", f'<ds:Reference xmlns:ds="{DS}"', 1)
        for _ in range(count):
            drawn.info.append(etree.fromstring(single))

    return signed(cast, edit)


def second_signature(cast: "Cast") -> bytes:
    """Add a second signature that the filter removes too; it holds what nobody signed."""

    def edit(drawn: "Draft") -> None:
        other = etree.SubElement(drawn.root, f"{{{DS}}}Signature")
        other.append(etree.fromstring("<pin>0</pin>"))

    return signed(cast, edit, transforms=(filtered(SUBTRACTED), EXC_C14N))


def none_at_all(drawn: "Draft") -> None:
    for each in drawn.references:
        drawn.info.remove(each)


def document_left_out(drawn: "Draft") -> None:
    drawn.info.remove(drawn.references[0])


def properties_left_out(drawn: "Draft") -> None:
    drawn.info.remove(drawn.references[1])


def properties_twice(drawn: "Draft") -> None:
    new_reference = reference("#properties", (EXC_C14N,), SHA256, PROPERTIES_TYPE)
    single = new_reference.replace("<ds:Reference", f'<ds:Reference xmlns:ds="{DS}"', 1)
    drawn.info.append(etree.fromstring(single))


def empty_uri_twice(drawn: "Draft") -> None:
    drawn.references[0].set("URI", "")
    new_reference = reference("", (ENVELOPED, EXC_C14N))
    single = new_reference.replace("<ds:Reference", f'<ds:Reference xmlns:ds="{DS}"', 1)
    drawn.info.append(etree.fromstring(single))


def manifest(drawn: "Draft") -> None:
    """Move the document into a Manifest, whose digests core validation never checks."""
    document = drawn.references[0]
    drawn.info.remove(document)
    holder = etree.SubElement(drawn.signature, f"{{{DS}}}Object")
    manifest = etree.SubElement(holder, f"{{{DS}}}Manifest")
    manifest.set("Id", "manifest")
    manifest.append(document)
    single = reference("#manifest", (EXC_C14N,), SHA256, f"{DS}Manifest")
    drawn.info.append(
        etree.fromstring(single.replace("<ds:Reference", f'<ds:Reference xmlns:ds="{DS}"', 1))
    )


def two_transforms(drawn: "Draft") -> None:
    """Put two Transforms elements into one reference; a reader uses one of them."""
    etree.SubElement(drawn.references[0], f"{{{DS}}}Transforms")


def envelope_of_properties(drawn: "Draft") -> None:
    """Put the enveloped transform on the signed properties, where it is wrong."""
    step = etree.Element(f"{{{DS}}}Transform")
    step.set("Algorithm", ENVELOPED)
    drawn.references[1][0].insert(0, step)


def _edited(cast: "Cast", edit: Any, **departures: Any) -> bytes:
    return signed(cast, edit, **departures)


EDITS: dict[str, tuple[Any, Code, str]] = {
    "none-at-all": (none_at_all, Code.SIG_03, "nothing is signed, yet a signature there is"),
    "document-left-out": (document_left_out, Code.SIG_03, "only the properties are signed"),
    "properties-left-out": (properties_left_out, Code.SIG_03, "the time and certificate unsigned"),
    "properties-twice": (properties_twice, Code.SIG_03, "one digest of two would be believed"),
    "empty-uri-twice": (empty_uri_twice, Code.SIG_03, "one digest of two would be believed"),
    "manifest": (manifest, Code.SIG_03, (manifest.__doc__ or "").rstrip(".")),
    "transforms-twice": (two_transforms, Code.SIG_04, (two_transforms.__doc__ or "").rstrip(".")),
    "enveloped-on-properties": (
        envelope_of_properties,
        Code.SIG_03,
        (envelope_of_properties.__doc__ or "").rstrip("."),
    ),
}

VECTORS: tuple[Vector, ...] = (
    *(
        Vector(
            name=f"transforms/{name}-{order}",
            why="signxml skips a transform that it does not know: it signed, we would read",
            build=partial(signed, transforms=arrange(uri)),
            code=Code.SIG_04,
        )
        for name, uri in TRANSFORMS.items()
        for order, arrange in ORDERS.items()
    ),
    *(
        Vector(
            name=f"transforms/{name}",
            why="what is digested would not be what is read",
            build=partial(signed, transforms=steps),
            code=code,
        )
        for name, (steps, code) in STEPS.items()
    ),
    *(
        Vector(
            name=f"transforms/removal-{name}",
            why="its evaluator decides what it leaves in, and we evaluate nothing",
            build=partial(signed, transforms=steps),
            code=Code.SIG_04,
        )
        for name, steps in REMOVALS.items()
    ),
    Vector(
        name="transforms/removal-of-two-signatures",
        why="the filter removes each Signature, and with it whatever a second one holds",
        build=second_signature,
        code=Code.SIG_03,
    ),
    *(
        Vector(
            name=f"canonicalisation/{name}",
            why="SignedInfo itself would be read by other rules than it was signed by",
            build=partial(signed, c14n=uri),
            code=Code.SIG_04,
        )
        for name, uri in TRANSFORMS.items()
    ),
    *(
        Vector(
            name=f"uris/{name}",
            why="a URI is never fetched, searched or evaluated: it names the document or nothing",
            build=partial(signed, uri=uri),
            code=Code.SIG_03,
        )
        for name, uri in URIS.items()
    ),
    *(
        Vector(
            name=f"counts/{count}-references-{kind}",
            why="signxml computes each before it counts them",
            build=partial(many, count=count, uri=uri),
            code=Code.SIG_02 if count >= 500 else Code.SIG_03,
            within=LIMIT,
        )
        for count in (2, 40, 1000)
        for kind, uri in (("of-the-root", "#consent"), ("of-nothing", "#none"), ("whole", ""))
    ),
    *(
        Vector(
            name=f"references/{name}",
            why=why,
            build=partial(_edited, edit=edit),
            code=code,
        )
        for name, (edit, code, why) in EDITS.items()
    ),
)
