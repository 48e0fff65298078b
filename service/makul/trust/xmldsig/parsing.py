"""XML as a signature needs it: parsed once and safely, canonicalised, and free of tricks.

What no signed document or message needs is refused before anything is verified: a DTD, entities,
processing instructions, comments, an identifier that two elements share.
"""

import re
from binascii import a2b_base64
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from lxml import etree
from signxml.algorithms import CanonicalizationMethod

from makul.domain.causes import Cause
from makul.domain.reasons import Code
from makul.net.xml_names import speakable_name
from makul.net.xml_parser import build_parser, own_parser
from makul.trust.base.algorithms import EXCLUSIVE
from makul.trust.base.errors import SignatureFailure, outside_profile
from makul.trust.xmldsig.xml_attributes import inherited_attributes

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

DS = "http://www.w3.org/2000/09/xmldsig#"
XADES = "http://uri.etsi.org/01903/v1.3.2#"
EXC_C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"

MAX_DOCUMENT_BYTES = 256 * 1024
"""CONTRACT, Documents that are signed; equal to the schema's `Document` type."""
MAX_ELEMENTS = 10_000
"""Ten times the largest document that the schemas allow; keeps the pre-check linear and short."""
MAX_TEXT = 9_000_000
"""Bytes up to which libxml2's own limit on one text (10 MB) is left on. Only a message with a scan
is larger, and it was bounded and parsed once by then: its signed part is what is parsed anew."""

MAX_EQUALS = 1024
"""The most `=` signs of a document, which bounds attributes and namespace declarations: libxml2
canonicalises in the square of them, and 256 KiB of nothing else cost seconds. A XAdES-LTA document
of ours has some 300, with those at the end of base64."""

_BOM = b"\xef\xbb\xbf"
_BEGINNING = 4
"""Bytes among which UTF-16 and UTF-32 have a zero; a later one is no XML in any encoding."""
_OTHER_VERSION = re.compile(
    rb"""(?:\xef\xbb\xbf)?<\?xml\s+version\s*=\s*["'](?!1\.0["'])""", re.ASCII
)
_DECLARATION = re.compile(
    rb"(?:\xef\xbb\xbf)?<\?xml[ \t\r\n]+version=(?:\"1\.0\"|'1\.0')"
    rb"(?:[ \t\r\n]+encoding=(?:\"utf-8\"|'utf-8'))?"
    rb"(?:[ \t\r\n]+standalone=(?:\"(?:yes|no)\"|'(?:yes|no)'))?[ \t\r\n]*\?>",
    re.IGNORECASE,
)
_FORBIDDEN_MARKUP = (b"<!DOCTYPE", b"<!ENTITY", b"<!--", b"<?", b"\0")
"""As bytes these can only be markup, or text in a CDATA section, which we refuse along with it."""

_IDENTIFIERS = etree.XPath(
    "//*/@*[contains('Id ID id iD', local-name())][string-length(local-name()) = 2]",
    smart_strings=False,
)
"""No name holds a space, so of two letters there are just those four. Twice as fast as `or`."""
_DEFAULT = "#default"
"""The default namespace in a PrefixList (Exclusive XML Canonicalization, 3)."""
_HIDDEN = etree.XPath("//comment() | //processing-instruction()")
_ELEMENTS = etree.XPath("count(//*)")
_DATE_TIME = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)", re.ASCII
)


def parse_document(document: bytes, parser: etree.XMLParser) -> "Element":
    """A document's root from its exact bytes; SIG-02 for XML that no signed document needs."""
    if len(document) > MAX_DOCUMENT_BYTES:
        raise outside_profile(
            Code.SIG_02, "the document is larger than 256 KiB", cause=Cause.DOCUMENT_SIZE
        )
    if document.count(b"=") > MAX_EQUALS:
        raise outside_profile(
            Code.SIG_02, "more attributes than any document needs", cause=Cause.TOO_MANY_PARTS
        )
    declaration = _DECLARATION.match(document)
    content = document[declaration.end() :] if declaration else document
    if _holds_forbidden_markup(content):
        raise _forbidden_markup(document, content)
    try:
        root = etree.fromstring(document, parser)
    except etree.XMLSyntaxError:
        raise _not_well_formed() from None
    require_modest_tree(root)
    return root


def _holds_forbidden_markup(content: bytes) -> bool:
    """Single bytes are found several times faster, and few documents hold one of these at all."""
    if b"!" not in content and b"?" not in content and b"\0" not in content:
        return False
    return any(markup in content for markup in _FORBIDDEN_MARKUP)


def _is_declaration(content: bytes) -> bool:
    """Return whether an XML declaration stands at the very beginning, as it has to."""
    return content.removeprefix(_BOM)[:6] in (b"<?xml ", b"<?xml\t", b"<?xml\n", b"<?xml\r")


def _forbidden_markup(document: bytes, content: bytes) -> SignatureFailure:
    """Say which markup it is; the first that software would stumble on."""
    if b"\0" in content[:_BEGINNING] or _is_declaration(content):
        version = _OTHER_VERSION.match(content) is not None
        return outside_profile(
            Code.SIG_02,
            "another encoding than UTF-8, or another version than XML 1.0",
            cause=Cause.XML_VERSION if version else Cause.ENCODING,
        )
    if b"\0" in content:
        return _not_well_formed()
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        return outside_profile(
            Code.SIG_02, "a document type declaration", cause=Cause.DOCUMENT_TYPE
        )
    try:
        return hidden_part(etree.fromstring(document, build_parser()), Code.SIG_02)
    except etree.XMLSyntaxError:
        return _not_well_formed()


def _not_well_formed() -> SignatureFailure:
    return SignatureFailure(
        Code.SIG_02, "not well-formed XML in UTF-8", cause=Cause.NOT_WELL_FORMED
    )


def hidden_part(root: "Element", code: Code) -> SignatureFailure:
    """Return the refusal of a comment or processing instruction, by the element that holds it.

    Text in a CDATA section that looks like one counts as a comment.
    """
    parts: Sequence[Element] = _HIDDEN(root)  # type: ignore[assignment]
    for part in parts[:1]:
        comment = isinstance(part, etree._Comment)
        return outside_profile(
            code,
            "a comment" if comment else "a processing instruction",
            field=speakable_name(part.getparent()),
            cause=Cause.COMMENT if comment else Cause.INSTRUCTION,
        )
    return outside_profile(code, "text that looks like markup", cause=Cause.COMMENT)


def parse_signed(octets: bytes) -> "Element":
    """A tree of the very bytes that were verified, of which no other is ever read."""
    if len(octets) > MAX_TEXT:
        return etree.fromstring(octets, build_parser(large=True))
    return etree.fromstring(octets, own_parser())


def require_modest_tree(root: "Element") -> None:
    """No entity references, not too many elements, and every identifier borne by one element."""
    if (
        float(str(_ELEMENTS(root))) > MAX_ELEMENTS
        or next(root.iter(etree.Entity), None) is not None
    ):
        raise outside_profile(
            Code.SIG_02, "too many elements, or an entity reference", cause=Cause.TOO_MANY_PARTS
        )
    identifiers = identifiers_of(root)
    if len(identifiers) != len(set(identifiers)):
        raise outside_profile(
            Code.SIG_03,
            "two elements share an identifier",
            field="Id",
            cause=Cause.IDENTIFIER_SHARED,
        )


def identifiers_of(root: "Element") -> Sequence[str]:
    """Every value of an attribute that some software takes for an ID: `Id`, `ID`, `xml:id`, …"""
    found: Sequence[str] = _IDENTIFIERS(root)  # type: ignore[assignment]
    return found


def canonical(
    element: "Element",
    method: CanonicalizationMethod,
    prefixes: Sequence[str] = (),
) -> bytes:
    """The canonical bytes of an element, without comments; its tail does not belong to it.

    In place where that is right: for a root, for exclusive canonicalisation without a PrefixList,
    and for inclusive where nothing below the element's own start tag declares a namespace. To
    canonicalise an element that is not a root, lxml lends its children to a new root, which
    declares what was in scope. libxml2 then meets at the children the declarations of old, and
    takes those of the new root for hidden: it may declare again what was declared, and writes
    `xmlns=""` where there is a default. It leaves none out, so where it wrote none below it is
    right; else the element is parsed anew with the namespaces in scope, as for a PrefixList.

    What an inclusive method takes over from ancestors (`xml:lang` and its like) is set on the
    element parsed anew, for libxml2 sees no ancestors either way.
    """
    exclusive = method is EXCLUSIVE
    if prefixes:
        alone = parse_signed(etree.tostring(element, with_tail=False))
        return _canonicalised(alone, exclusive, _as_libxml2_has_them(prefixes))
    inherited = {} if exclusive else inherited_attributes(element, method)
    if inherited:
        alone = _standing_alone(element)
        for name, value in inherited.items():
            alone.set(name, value)
        return _canonicalised(alone, exclusive)
    octets = _canonicalised(element, exclusive)
    if exclusive or octets.find(b"xmlns", octets.find(b">")) < 0 or element.getparent() is None:
        return octets
    return _canonicalised(_standing_alone(element), exclusive)


def _as_libxml2_has_them(prefixes: Sequence[str]) -> Sequence[str]:
    """Return a PrefixList with the empty prefix for `#default`.

    lxml leaves out prefixes that it never met in a document of this thread, for these cannot be in
    scope. `#default` is no name and never met; the empty prefix, which libxml2 takes for it, is met
    in a declaration that takes the default namespace back.
    """
    if _DEFAULT not in prefixes:
        return prefixes
    etree.fromstring(b'<met xmlns=""/>', own_parser())
    return ["" if prefix == _DEFAULT else prefix for prefix in prefixes]


def _canonicalised(element: "Element", exclusive: bool, prefixes: Sequence[str] = ()) -> bytes:
    return etree.tostring(
        element,
        method="c14n",
        exclusive=exclusive,
        with_comments=False,
        inclusive_ns_prefixes=list(prefixes) or None,
    )


def _standing_alone(element: "Element") -> "Element":
    """The same element as the root of a document of its own."""
    if element.getparent() is None:
        return element
    return parse_signed(etree.tostring(element, with_tail=False))


def canonical_without(
    root: "Element",
    child: "Element",
    method: CanonicalizationMethod,
    prefixes: Sequence[str] = (),
) -> bytes:
    """The canonical bytes of a root with one child cut out, as the enveloped transform says.

    The child goes back to its place. Its namespace declarations may then be written elsewhere in
    it than before, so take what you need of the child first (XML Signature 1.1, 6.6.4).
    """
    place = root.index(child)
    tail, child.tail = child.tail, None
    before = root[place - 1] if place else None
    text = before.tail if before is not None else root.text
    joined = (text or "") + (tail or "") or None
    root.remove(child)
    try:
        _set_text(root, before, joined)
        return canonical(root, method, prefixes)
    finally:
        _set_text(root, before, text)
        root.insert(place, child)
        child.tail = tail


def _set_text(root: "Element", before: "Element | None", text: str | None) -> None:
    if before is None:
        root.text = text
    else:
        before.tail = text


def only_child(parent: "Element", tag: str, *, code: Code = Code.SIG_03) -> "Element":
    """The one child of that name; none or several is the given code."""
    found = list(parent.iterchildren(tag))
    if len(found) != 1:
        raise _missing_or_repeated(code, tag)
    return found[0]


def only_one(elements: "Sequence[Element]", tag: str, *, code: Code = Code.SIG_03) -> "Element":
    """The one element of that name among these; none or several is the given code."""
    found = [element for element in elements if element.tag == tag]
    if len(found) != 1:
        raise _missing_or_repeated(code, tag)
    return found[0]


def _missing_or_repeated(code: Code, tag: str) -> SignatureFailure:
    name = tag.rpartition("}")[2]
    return SignatureFailure(
        code, f"{name} is missing or repeated", field=name, cause=Cause.SIGNATURE_FORM
    )


def children_of(parent: "Element", tag: str) -> "Sequence[Element]":
    """The children of that name, several times faster than `findall`."""
    return list(parent.iterchildren(tag))


def text_of(element: "Element") -> str:
    """The text of an element that has no children; else SIG-02."""
    if len(element):
        raise SignatureFailure(
            Code.SIG_02,
            "text was expected where there are elements",
            field=speakable_name(element),
            cause=Cause.SIGNATURE_FORM,
        )
    return (element.text or "").strip()


def binary_of(element: "Element") -> bytes:
    """The bytes of an `xs:base64Binary` element; else SIG-02.

    Of white space only XML's own: and never split at it, for 16 MB of it would be 300 of strings.
    """
    try:
        return a2b_base64(
            text_of(element).encode("ascii").translate(None, b" \t\r\n"), strict_mode=True
        )
    except ValueError:
        raise SignatureFailure(
            Code.SIG_02,
            "not base64",
            field=speakable_name(element),
            cause=Cause.SIGNATURE_FORM,
        ) from None


MAX_ZONE = timedelta(hours=14)
"""The widest offset of a time zone (Kiribati)."""
_MIN_ZONE = timedelta(hours=1)
_ZONE_STEP = timedelta(minutes=30)
_ZONE_SLACK = timedelta(minutes=6)


def is_zone_apart(stated: datetime, at: datetime) -> bool:
    """Return whether two times differ as local time does from UTC: by half hours, to some minutes.

    No zone is nearer to UTC than an hour. A time in the future can hardly have another cause, so
    all from there up to the widest offset counts.
    """
    apart = stated - at
    if abs(apart) < _MIN_ZONE - _ZONE_SLACK:
        return False
    if apart > timedelta(0):
        return apart <= MAX_ZONE + _ZONE_SLACK
    beyond = -apart % _ZONE_STEP
    near = min(beyond, _ZONE_STEP - beyond) <= _ZONE_SLACK
    return near and -apart <= MAX_ZONE + _ZONE_SLACK


def instant_of(element: "Element") -> datetime:
    """An `xs:dateTime` with its time zone, in UTC; else SIG-02."""
    text = text_of(element)
    if not _DATE_TIME.fullmatch(text):
        raise SignatureFailure(Code.SIG_02, "not a date and time with a time zone")
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise SignatureFailure(Code.SIG_02, "no such date and time") from None
