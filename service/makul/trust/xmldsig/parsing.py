"""Parse signed XML once and safely.

The functions here refuse what no signed document or message needs, before anything is verified: a
DTD, entities, processing instructions, comments, and an identifier that two elements share.
"""

import re
from binascii import a2b_base64
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from lxml import etree

from makul.domain.causes import Cause
from makul.domain.reasons import Code
from makul.language.report_reasons import MISSING_OR_REPEATED
from makul.language.translation import mark
from makul.net.xml_names import speakable_name
from makul.net.xml_parser import build_parser, own_parser
from makul.trust.base.errors import SignatureFailure, outside_profile

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

DS = "http://www.w3.org/2000/09/xmldsig#"
XADES = "http://uri.etsi.org/01903/v1.3.2#"
EXC_C14N = "http://www.w3.org/2001/10/xml-exc-c14n#"

MAX_DOCUMENT_BYTES = 256 * 1024
"""The maximum size of a signed document (docs/recipients.md). The type `Document` of the schema has
the same limit."""
MAX_ELEMENTS = 10_000
"""Ten times the elements of the largest document that the schemas allow. The limit keeps the
pre-check linear and short."""
MAX_TEXT = 9_000_000
"""The size in bytes up to which libxml2's own limit on one text (10 MB) stays on. Only a message
with a scan is larger. By then its size has been limited and it has been parsed once; only its
signed part is parsed again."""

MAX_EQUALS = 1024
"""The maximum number of `=` signs in a document. It limits attributes and namespace declarations,
because libxml2 canonicalises in time quadratic in their number. 256 KiB of nothing else cost
seconds. A XAdES-LTA document of ours has some 300, including those at the end of base64."""

_BOM = b"\xef\xbb\xbf"
_BEGINNING = 4
"""The number of first bytes among which UTF-16 and UTF-32 have a zero byte. A zero byte that comes
later is not XML in any encoding."""
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
"""The byte sequences that can only be markup, or text in a CDATA section. Both are refused."""

_IDENTIFIERS = etree.XPath(
    "//*/@*[contains('Id ID id iD', local-name())][string-length(local-name()) = 2]",
    smart_strings=False,
)
"""The attributes `Id`, `ID`, `id` and `iD`. An XML name contains no space, so the string matches
exactly these four names of two letters. This is twice as fast as an expression with `or`."""
_HIDDEN = etree.XPath("//comment() | //processing-instruction()")
_ELEMENTS = etree.XPath("count(//*)")
_DATE_TIME = re.compile(
    r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)", re.ASCII
)


def parse_document(document: bytes, parser: etree.XMLParser) -> "Element":
    """Parse a document from its exact bytes and return its root.

    Raises `SignatureFailure` (SIG-02) if the document contains XML that no signed document needs,
    and (SIG-03) if two elements share an identifier.
    """
    if len(document) > MAX_DOCUMENT_BYTES:
        raise outside_profile(
            Code.SIG_02, mark("the document is larger than 256 KiB"), cause=Cause.DOCUMENT_SIZE
        )
    if document.count(b"=") > MAX_EQUALS:
        raise outside_profile(
            Code.SIG_02, mark("more attributes than any document needs"), cause=Cause.TOO_MANY_PARTS
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
    """Return whether the content contains forbidden markup.

    The search for single bytes is several times faster, and few documents contain one of them.
    """
    if b"!" not in content and b"?" not in content and b"\0" not in content:
        return False
    return any(markup in content for markup in _FORBIDDEN_MARKUP)


def _is_declaration(content: bytes) -> bool:
    """Return whether the content begins with an XML declaration. XML allows one only there."""
    return content.removeprefix(_BOM)[:6] in (b"<?xml ", b"<?xml\t", b"<?xml\n", b"<?xml\r")


def _forbidden_markup(document: bytes, content: bytes) -> SignatureFailure:
    """Return the failure that names the first markup on which other software would fail."""
    if b"\0" in content[:_BEGINNING] or _is_declaration(content):
        version = _OTHER_VERSION.match(content) is not None
        return outside_profile(
            Code.SIG_02,
            mark("another encoding than UTF-8, or another version than XML 1.0"),
            cause=Cause.XML_VERSION if version else Cause.ENCODING,
        )
    if b"\0" in content:
        return _not_well_formed()
    if b"<!DOCTYPE" in content or b"<!ENTITY" in content:
        return outside_profile(
            Code.SIG_02, mark("a document type declaration"), cause=Cause.DOCUMENT_TYPE
        )
    try:
        return hidden_part(etree.fromstring(document, build_parser()), Code.SIG_02)
    except etree.XMLSyntaxError:
        return _not_well_formed()


def _not_well_formed() -> SignatureFailure:
    return SignatureFailure(
        Code.SIG_02, mark("not well-formed XML in UTF-8"), cause=Cause.NOT_WELL_FORMED
    )


def hidden_part(root: "Element", code: Code) -> SignatureFailure:
    """Return the failure for a comment or processing instruction; it names the parent element.

    Text in a CDATA section that looks like one counts as a comment.
    """
    parts: Sequence[Element] = _HIDDEN(root)  # type: ignore[assignment]
    for part in parts[:1]:
        comment = isinstance(part, etree._Comment)
        return outside_profile(
            code,
            mark("a comment") if comment else mark("a processing instruction"),
            field=speakable_name(part.getparent()),
            cause=Cause.COMMENT if comment else Cause.INSTRUCTION,
        )
    return outside_profile(code, mark("text that looks like markup"), cause=Cause.COMMENT)


def parse_signed(octets: bytes) -> "Element":
    """Parse the exact bytes that were verified.

    Callers read only this tree (docs/architecture.md, invariant 2).
    """
    if len(octets) > MAX_TEXT:
        return etree.fromstring(octets, build_parser(large=True))
    return etree.fromstring(octets, own_parser())


def require_modest_tree(root: "Element") -> None:
    """Refuse entity references, too many elements, and an identifier that two elements share.

    Raises `SignatureFailure` (SIG-02, or SIG-03 for the identifier).
    """
    if (
        float(str(_ELEMENTS(root))) > MAX_ELEMENTS
        or next(root.iter(etree.Entity), None) is not None
    ):
        raise outside_profile(
            Code.SIG_02,
            mark("too many elements, or an entity reference"),
            cause=Cause.TOO_MANY_PARTS,
        )
    identifiers = find_identifiers(root)
    if len(identifiers) != len(set(identifiers)):
        raise outside_profile(
            Code.SIG_03,
            mark("two elements share an identifier"),
            field="Id",
            cause=Cause.IDENTIFIER_SHARED,
        )


def find_identifiers(root: "Element") -> Sequence[str]:
    """Return the values of all attributes that some software treats as IDs (`Id`, `xml:id`, …)."""
    found: Sequence[str] = _IDENTIFIERS(root)  # type: ignore[assignment]
    return found


def only_child(parent: "Element", tag: str, *, code: Code = Code.SIG_03) -> "Element":
    """Return the one child of that name.

    Raises `SignatureFailure` with the given code if there is none or more than one.
    """
    children = list(parent.iterchildren(tag))
    if len(children) != 1:
        raise _missing_or_repeated(code, tag)
    return children[0]


def only_one(elements: "Sequence[Element]", tag: str, *, code: Code = Code.SIG_03) -> "Element":
    """Return the one element of that name among the given elements.

    Raises `SignatureFailure` with the given code if there is none or more than one.
    """
    matches = [element for element in elements if element.tag == tag]
    if len(matches) != 1:
        raise _missing_or_repeated(code, tag)
    return matches[0]


def _missing_or_repeated(code: Code, tag: str) -> SignatureFailure:
    name = tag.rpartition("}")[2]
    return SignatureFailure(
        code, MISSING_OR_REPEATED.format(name=name), field=name, cause=Cause.SIGNATURE_FORM
    )


def find_children(parent: "Element", tag: str) -> "Sequence[Element]":
    """Return the children of that name. This is several times faster than `findall`."""
    return list(parent.iterchildren(tag))


def read_text(element: "Element") -> str:
    """Return the text of an element, without white space at its ends.

    Raises `SignatureFailure` (SIG-02) if the element has children.
    """
    if len(element):
        raise SignatureFailure(
            Code.SIG_02,
            mark("text was expected where there are elements"),
            field=speakable_name(element),
            cause=Cause.SIGNATURE_FORM,
        )
    return (element.text or "").strip()


def read_binary(element: "Element") -> bytes:
    """Return the bytes of an `xs:base64Binary` element.

    Only the white space of XML is removed. The text is never split at it, because 16 MB of white
    space would become 300 MB of strings. Raises `SignatureFailure` (SIG-02) for any other text.
    """
    try:
        return a2b_base64(
            read_text(element).encode("ascii").translate(None, b" \t\r\n"), strict_mode=True
        )
    except ValueError:
        raise SignatureFailure(
            Code.SIG_02,
            mark("not base64"),
            field=speakable_name(element),
            cause=Cause.SIGNATURE_FORM,
        ) from None


MAX_ZONE = timedelta(hours=14)
"""The largest offset of a time zone from UTC (Kiribati)."""
_MIN_ZONE = timedelta(hours=1)
_ZONE_STEP = timedelta(minutes=30)
_ZONE_SLACK = timedelta(minutes=6)


def is_zone_apart(stated: datetime, at: datetime) -> bool:
    """Return whether two times differ by about a time zone's offset, as local time does from UTC.

    A stated time in the past must differ by a multiple of half an hour. A stated time in the future
    can hardly have another cause, so every difference from one hour to the largest offset counts.
    No zone is nearer to UTC than one hour. Six minutes more or less are tolerated.
    """
    apart = stated - at
    if abs(apart) < _MIN_ZONE - _ZONE_SLACK:
        return False
    if apart > timedelta(0):
        return apart <= MAX_ZONE + _ZONE_SLACK
    beyond = -apart % _ZONE_STEP
    near = min(beyond, _ZONE_STEP - beyond) <= _ZONE_SLACK
    return near and -apart <= MAX_ZONE + _ZONE_SLACK


def read_instant(element: "Element") -> datetime:
    """Return the instant of an `xs:dateTime` element in UTC.

    Raises `SignatureFailure` (SIG-02) if the text has no time zone or is not a date and time.
    """
    text = read_text(element)
    if not _DATE_TIME.fullmatch(text):
        raise SignatureFailure(Code.SIG_02, mark("not a date and time with a time zone"))
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise SignatureFailure(Code.SIG_02, mark("no such date and time")) from None
