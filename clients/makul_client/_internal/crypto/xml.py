"""The parsing of XML without DTD, comments or fetching, and the canonical form of XML."""

from functools import cache
from typing import TYPE_CHECKING, Any, Final

import makul_schemas
from lxml import etree

from makul_client._internal.crypto.xml_parser import build_parser
from makul_client.translation import translate

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

RECIPIENT: Final = "urn:makul:recipient:1"
TYPES: Final = "urn:makul:types:1"
CONSENT: Final = "urn:makul:consent:1"
RECEIPT: Final = "urn:makul:receipt:1"
DELIVERY: Final = "urn:makul:delivery:1"
MONTH: Final = "urn:makul:month:1"
SOAP: Final = "http://schemas.xmlsoap.org/soap/envelope/"
DSIG: Final = "http://www.w3.org/2000/09/xmldsig#"


class UnsafeXmlError(ValueError):
    """The error of bytes that are not XML, or XML of a forbidden kind.

    The message quotes no text.
    """


def parse(document: bytes, *, large: bool = False) -> "Element":
    """Parse XML and return its root.

    It refuses content that a reader and a verifier could see differently: a DTD, entities,
    processing instructions and comments. Canonical XML drops comments, but a reader stops at them.
    `large` allows texts of more than 10 MB. Raises `UnsafeXmlError`.
    """
    try:
        root = etree.fromstring(document, build_parser(large=large))
    except (etree.XMLSyntaxError, ValueError):
        raise UnsafeXmlError(translate("not well-formed XML")) from None
    if root.getroottree().docinfo.internalDTD is not None:
        raise UnsafeXmlError(translate("a DTD"))
    if root.getprevious() is not None or root.getnext() is not None:
        raise UnsafeXmlError(translate("something outside the root element"))
    if next(root.iter(etree.Comment, etree.ProcessingInstruction, etree.Entity), None) is not None:
        raise UnsafeXmlError(translate("a comment, processing instruction or entity"))
    return root


def canonical(element: "Element") -> bytes:
    """Return exclusive canonical XML without comments (W3C xml-exc-c14n, 18 July 2002)."""
    return etree.tostring(element, method="c14n", exclusive=True, with_comments=False)


def canonical_without(element: "Element", child: "Element") -> bytes:
    """Return exclusive canonical XML of an element in its tree, without one of its children.

    Only that element is omitted, and the text around it remains. The tree is unchanged afterwards.
    """
    index, tail, before = element.index(child), child.tail, child.getprevious()
    holder_text = element.text if before is None else before.tail
    joined = (holder_text or "") + (tail or "")
    _set_text_before(element, before, joined or None)
    element.remove(child)
    try:
        return canonical(element)
    finally:
        _set_text_before(element, before, holder_text)
        element.insert(index, child)
        child.tail = tail


def _set_text_before(element: "Element", before: "Element | None", text: str | None) -> None:
    if before is None:
        element.text = text
    else:
        before.tail = text


@cache
def load_schema(name: str) -> etree.XMLSchema:
    """Return a published schema by its name."""
    return etree.XMLSchema(etree.parse(str(makul_schemas.location() / f"{name}.xsd")))


def broken_fields(element: "Element", schema: str) -> tuple[str, ...]:
    """Return the local names of elements that break the published schema; empty if it is valid.

    The schema's own messages quote values, so they are never passed on.
    """
    validator = load_schema(schema)
    if validator.validate(element):
        return ()
    log: Any = validator.error_log
    names = [_element_name_in(str(entry.message)) for entry in log]
    return tuple(dict.fromkeys(names)) or (local_name(element),)


def local_name(element: "Element") -> str:
    """Return the name without its namespace."""
    return etree.QName(element).localname


def _element_name_in(message: str) -> str:
    """Return the element at the start of a libxml2 message: `Element '{ns}pin': …`."""
    quoted = message.split("'")[1] if message.startswith("Element '") else ""
    return quoted.rpartition("}")[2] or "the message"
