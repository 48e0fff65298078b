"""Manual parsing of bytes into one SOAP message: one Body, one child, no hidden content.

Spyne's parser of envelopes is never used: it resolves `href`s, drops comments and takes the first
of several Bodies. The checks here run before any sender is authenticated.
"""

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from lxml import etree

from makul.domain.causes import Cause
from makul.domain.reasons import Code, Reason
from makul.net.xml_names import speakable_name
from makul.net.xml_parser import build_parser, own_message_parser
from makul.soap.faults import EnvelopeError, FaultCode, HttpError
from makul.soap.transport_metadata import NOTHING_TOLD, Arrival
from makul.soap.versions import VERSIONS, SoapVersion

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

MAX_MARKUP: Final = 4096
"""Maximum number of tags, counted as `<` before parsing.

The largest legitimate request has under 400 tags: ten fingers, a face, 32 attributes, all headers
and a WS-Security signature. A million empty elements fit in 4 MiB and would take libxml2 a hundred
times that in memory.
"""

MAX_EQUALS: Final = 4096
"""Maximum number of `=` signs, which limits attributes and namespace declarations."""

MAX_ORDINARY: Final = 4 * 1024 * 1024
"""Maximum size in bytes of a message without a scan.

It exceeds the sum of the largest parts. These are a face (1 MiB, 1.4 in base64), a signed document
(256 KiB, 0.35) and ten fingers as templates or compressed images.
"""

MAY_BE_LARGE: Final = frozenset({"RegisterConsent"})
"""Operations, by local name, whose messages may be as large as the HTTP guard allows."""

MAX_HEADER_BLOCKS: Final = 32
"""Maximum number of header blocks. X-Road has ten, WS-Security one, WS-Addressing six."""

MAX_DEPTH: Final = 24
"""Maximum depth. The deepest legitimate path is 10: InclusiveNamespaces of a transform."""

_SPACE: Final = " \t\r\n"
_SPACES: Final = re.compile(f"[{_SPACE}]+")
_DECLARED_ENCODING: Final = re.compile(
    rb"""\A(?:\xef\xbb\xbf)?<\?xml[^>]{0,200}?\sencoding\s*=\s*["']([^"'>]{1,40})["']"""
)
_too_deep: Final = etree.XPath("boolean(" + "/*" * (MAX_DEPTH + 1) + ")")
_has_comment: Final = etree.XPath("boolean(//comment())")
_hidden: Final = etree.XPath("boolean(//comment() | //processing-instruction())")


_NOBODY_IN_PARTICULAR: Final = frozenset(
    {
        "",
        "http://schemas.xmlsoap.org/soap/actor/next",
        "http://www.w3.org/2003/05/soap-envelope/role/next",
        "http://www.w3.org/2003/05/soap-envelope/role/ultimateReceiver",
    }
)
"""Actors (SOAP 1.1, section 4.2.2) and roles (SOAP 1.2 part 1, section 2.2) of this service."""


@dataclass(frozen=True, slots=True)
class Message:
    """One well-formed SOAP message, split into its parts. Its sender is not yet authenticated."""

    version: SoapVersion
    envelope: "Element"
    headers: tuple["Element", ...]
    child: "Element"
    """The only child of the Body, as received. A channel determines which part was verified."""
    arrival: Arrival = NOTHING_TOLD


def split(raw: bytes, version: SoapVersion, arrival: Arrival = NOTHING_TOLD) -> Message:
    """Parse and split a message. Raises `EnvelopeError` or `HttpError` (REQ-01, REQ-07)."""
    large = len(raw) > MAX_ORDINARY
    if large and not any(name.encode() in raw for name in MAY_BE_LARGE):
        raise _too_large()
    root = _parse(raw, large=large)
    _check_root(root, version)
    if _too_deep(root):
        raise _envelope_error(Code.REQ_07, "Envelope", Cause.TOO_MANY_PARTS)
    if _hidden(root):
        raise _hidden_part(root)
    header, body = _parts(root, version)
    headers = () if header is None else _elements(header)
    if len(headers) > MAX_HEADER_BLOCKS:
        raise _envelope_error(Code.REQ_07, "Header", Cause.TOO_MANY_PARTS)
    children = _elements(body)
    if len(children) != 1:
        raise _envelope_error(Code.REQ_01, "Body", Cause.BODY_CONTENT)
    if large and local_name(children[0]) not in MAY_BE_LARGE:
        raise _too_large()
    return Message(version, root, headers, children[0], arrival)


def local_name(element: "Element") -> str:
    """Return the name of an element without its namespace."""
    return element.tag.rpartition("}")[2]


def collapse(text: str | None) -> str:
    """Collapse white space as xs:token does: trim, and join runs (XML Schema part 2, 4.3.6)."""
    text = text or ""
    if " " in text or "\n" in text or "\t" in text or "\r" in text:
        return _SPACES.sub(" ", text).strip(" ")
    return text


def check_understood(message: Message, understood: frozenset[str]) -> None:
    """Raise a fault if a mandatory header block for this service is not understood.

    See SOAP 1.1, section 4.2.3, and SOAP 1.2 part 1, section 2.4. `understood` contains Clark
    names.
    """
    must = message.version.qualified("mustUnderstand")
    for block in message.headers:
        insisted = block.get(must, "0").strip(_SPACE) not in ("0", "false")
        if insisted and _addressed_to_us(block, message.version) and block.tag not in understood:
            reason = Reason(
                code=Code.REQ_01, field=speakable_name(block), cause=Cause.NOT_UNDERSTOOD
            )
            raise EnvelopeError(reason, code=FaultCode.MUST_UNDERSTAND)


def _addressed_to_us(block: "Element", version: SoapVersion) -> bool:
    role = block.get(version.qualified("actor")) or block.get(version.qualified("role")) or ""
    return role.strip(_SPACE) in _NOBODY_IN_PARTICULAR


def _parse(raw: bytes, *, large: bool) -> "Element":
    if raw.count(b"<") > MAX_MARKUP or raw.count(b"=") > MAX_EQUALS:
        raise _envelope_error(Code.REQ_07, "Envelope", Cause.TOO_MANY_PARTS)
    declared = _DECLARED_ENCODING.match(raw)
    if declared is not None and declared[1].lower() not in (b"utf-8", b"utf8"):
        raise _envelope_error(Code.REQ_07, "encoding", Cause.ENCODING)
    # The other limits of libxml2 concern depth and the growth of entities. They have no effect on a
    # message with few tags and no DTD.
    parser = build_parser(large=True, collect_ids=False) if large else own_message_parser()
    try:
        root = etree.fromstring(raw, parser)
    except etree.XMLSyntaxError:
        raise _envelope_error(Code.REQ_01, "Envelope", Cause.NOT_WELL_FORMED) from None
    about = root.getroottree().docinfo
    if about.internalDTD is not None:
        raise _envelope_error(Code.REQ_07, "DOCTYPE", Cause.DOCUMENT_TYPE)
    if about.xml_version != "1.0":  # libxml2 reads 1.1 with the rules of 1.0; others do not
        raise _envelope_error(Code.REQ_07, "version", Cause.XML_VERSION)
    return root


def _check_root(root: "Element", version: SoapVersion) -> None:
    if local_name(root) != "Envelope":
        raise _envelope_error(Code.REQ_01, "Envelope", Cause.BODY_CONTENT)
    if root.tag != version.qualified("Envelope"):
        known = any(root.tag == each.qualified("Envelope") for each in VERSIONS.values())
        raise EnvelopeError(
            Reason(
                code=Code.REQ_02 if known else Code.REQ_01,
                field="Envelope",
                cause=Cause.SOAP_VERSION,
            ),
            code=FaultCode.VERSION_MISMATCH,
        )


def _parts(root: "Element", version: SoapVersion) -> tuple["Element | None", "Element"]:
    """Return the Header, if there is one, and the Body. Refuse any other order or content."""
    parts = _elements(root)
    names = [part.tag for part in parts]
    header, body = version.qualified("Header"), version.qualified("Body")
    if names == [body]:
        return None, parts[0]
    if names == [header, body]:
        return parts[0], parts[1]
    field = "Envelope" if names.count(body) == 1 else "Body"
    raise _envelope_error(Code.REQ_01, field, Cause.BODY_CONTENT)


def _elements(parent: "Element") -> tuple["Element", ...]:
    """Return the child elements of an element that may contain only elements and white space."""
    children = tuple(parent)
    texts = (parent.text, *(child.tail for child in children))
    if any(text is not None and text.strip(_SPACE) for text in texts):
        raise _envelope_error(Code.REQ_01, local_name(parent), Cause.TEXT_BESIDE)
    return children


def _hidden_part(root: "Element") -> EnvelopeError:
    """Return the refusal of the first comment or processing instruction, by its parent element."""
    comment = next(root.iter(etree.Comment), None)
    part = comment if comment is not None else next(root.iter(etree.ProcessingInstruction), None)
    parent = part.getparent() if part is not None else None
    return _envelope_error(
        Code.REQ_07,
        speakable_name(parent if parent is not None else root),
        Cause.COMMENT if comment is not None or _has_comment(root) else Cause.INSTRUCTION,
    )


def _too_large() -> HttpError:
    return HttpError(413, Reason(code=Code.REQ_07, field="Envelope", cause=Cause.TOO_LARGE))


def _envelope_error(code: Code, field: str | None, cause: Cause) -> EnvelopeError:
    return EnvelopeError(Reason(code=code, field=field, cause=cause), code=FaultCode.SENDER)
