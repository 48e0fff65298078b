"""The published schemas of documents, and the one place where a document is held against them."""

import re
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING

import makul_schemas
from lxml import etree

from makul.app.ports import DocumentError
from makul.domain.plain_text import has_hidden_character
from makul.domain.reasons import Code, Reason

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

_XSD_ELEMENT = "{http://www.w3.org/2001/XMLSchema}element"

_SIGNATURE = "{http://www.w3.org/2000/09/xmldsig#}Signature"

# How libxml2 begins every message: Element '{urn:makul:consent:1}pin': …, sometimes with an
# attribute's name before the colon. The rest may quote the value and is never read.
_CULPRIT = re.compile(r"Element '(?:\{[^}']*\})?([^'{}]*)'")


def malformed(field: str) -> DocumentError:
    """REQ-01 at this element: a name that we wrote ourselves, never one from a document."""
    return DocumentError(Reason(code=Code.REQ_01, field=field))


class DocumentSchema:
    """One kind of signed document: its root element and the schema it must satisfy."""

    def __init__(self, file: str, root: str) -> None:
        parsed = etree.parse(makul_schemas.location() / file)
        self._root = f"{{{parsed.getroot().get('targetNamespace')}}}{root}"
        self._root_name = root
        self._names = {each.get("name") for each in parsed.iter(_XSD_ELEMENT)}
        self._schema = etree.XMLSchema(parsed)
        # A schema keeps the errors of its last run; without the lock one document's reader could
        # be told of another's.
        self._lock = Lock()

    def check(self, document: "Element") -> None:
        """Raises `DocumentError` (REQ-01) unless the element is a document of this kind.

        The root is checked by name first, for a schema accepts any global element that it or an
        imported schema declares. Comments and processing instructions would cut a value in two for
        a reader of `text`, so there are none.
        """
        if document.tag != self._root:
            raise malformed(self._root_name)
        if next(document.iter(etree.Comment, etree.PI, etree.Entity), None) is not None:
            raise malformed(self._root_name)
        with self._lock:
            try:
                self._schema.assertValid(document)
            except etree.DocumentInvalid as error:
                raise malformed(self._culprit(str(error))) from None
        for child in document:
            # The schema skips the signature: the names in its certificates are the authority's.
            if child.tag != _SIGNATURE:
                _check_texts(child)

    def _culprit(self, message: str) -> str:
        """The element at fault, if it is one of the schema's own; else the root."""
        found = _CULPRIT.match(message)
        return found[1] if found is not None and found[1] in self._names else self._root_name


def _check_texts(element: "Element") -> None:
    for part in element.iter():
        if has_hidden_character(part.text or ""):
            raise malformed(etree.QName(part).localname)


@cache
def consent_schema() -> DocumentSchema:
    """consent.xsd."""
    return DocumentSchema("consent.xsd", "Consent")


@cache
def revocation_schema() -> DocumentSchema:
    """consent.xsd, its other document."""
    return DocumentSchema("consent.xsd", "Revocation")


@cache
def basis_schema() -> DocumentSchema:
    """basis.xsd."""
    return DocumentSchema("basis.xsd", "BasisStatement")


@cache
def agreement_schema() -> DocumentSchema:
    """agreement.xsd."""
    return DocumentSchema("agreement.xsd", "Agreement")


@cache
def notice_schema() -> DocumentSchema:
    """notice.xsd."""
    return DocumentSchema("notice.xsd", "NoticeApproval")


@cache
def receipt_schema() -> DocumentSchema:
    """receipt.xsd."""
    return DocumentSchema("receipt.xsd", "Receipt")
