"""Load the published schemas of documents and validate documents by them.

No other module validates a document by its schema.
"""

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

# libxml2 begins every message with: Element '{urn:makul:consent:1}pin': …, sometimes with the name
# of an attribute before the colon. The rest may quote the value, so it is never read.
_CULPRIT = re.compile(r"Element '(?:\{[^}']*\})?([^'{}]*)'")


def malformed_document_error(field: str) -> DocumentError:
    """Return the error REQ-01 at this element.

    `field` must be a name from our own code or schemas, never one that only a document contains.
    """
    return DocumentError(Reason(code=Code.REQ_01, field=field))


class DocumentSchema:
    """One kind of signed document, with its root element and the schema that it must satisfy."""

    def __init__(self, file: str, root: str) -> None:
        parsed = etree.parse(makul_schemas.location() / file)
        self._root = f"{{{parsed.getroot().get('targetNamespace')}}}{root}"
        self._root_name = root
        self._names = {each.get("name") for each in parsed.iter(_XSD_ELEMENT)}
        self._schema = etree.XMLSchema(parsed)
        # A schema keeps the errors of its last validation. Without the lock the caller for one
        # document could get the errors of another.
        self._lock = Lock()

    def check(self, document: "Element") -> None:
        """Require a document of this kind. Raises `DocumentError` (REQ-01) for any other element.

        The name of the root is checked first, because a schema accepts any global element that it
        or an imported schema declares. Comments and processing instructions are refused, because
        code that reads `text` would see only the part of a value before them.
        """
        if document.tag != self._root:
            raise malformed_document_error(self._root_name)
        if next(document.iter(etree.Comment, etree.PI, etree.Entity), None) is not None:
            raise malformed_document_error(self._root_name)
        with self._lock:
            try:
                self._schema.assertValid(document)
            except etree.DocumentInvalid as error:
                raise malformed_document_error(self._culprit(str(error))) from None
        for child in document:
            # The schema skips the signature. Its texts are not checked, because the authority chose
            # the names in its certificates.
            if child.tag != _SIGNATURE:
                _check_texts(child)

    def _culprit(self, message: str) -> str:
        """Return the name of the wrong element if the schema declares it, otherwise the root's."""
        found = _CULPRIT.match(message)
        return found[1] if found is not None and found[1] in self._names else self._root_name


def _check_texts(element: "Element") -> None:
    for part in element.iter():
        if has_hidden_character(part.text or ""):
            raise malformed_document_error(etree.QName(part).localname)


@cache
def consent_schema() -> DocumentSchema:
    """Return the schema of a consent (consent.xsd)."""
    return DocumentSchema("consent.xsd", "Consent")


@cache
def revocation_schema() -> DocumentSchema:
    """Return the schema of a consent revocation (consent.xsd)."""
    return DocumentSchema("consent.xsd", "Revocation")


@cache
def unlock_schema() -> DocumentSchema:
    """Return the schema of an order to unlock matching (consent.xsd)."""
    return DocumentSchema("consent.xsd", "MatchingUnlock")


@cache
def undertaking_schema() -> DocumentSchema:
    """Return the schema of an undertaking of secrecy (undertaking.xsd)."""
    return DocumentSchema("undertaking.xsd", "Undertaking")


@cache
def basis_schema() -> DocumentSchema:
    """Return the schema of a basis statement (basis.xsd)."""
    return DocumentSchema("basis.xsd", "BasisStatement")


@cache
def agreement_schema() -> DocumentSchema:
    """Return the schema of an agreement (agreement.xsd)."""
    return DocumentSchema("agreement.xsd", "Agreement")


@cache
def notice_schema() -> DocumentSchema:
    """Return the schema of an approval of a notice (notice.xsd)."""
    return DocumentSchema("notice.xsd", "NoticeApproval")


@cache
def receipt_schema() -> DocumentSchema:
    """Return the schema of a receipt (receipt.xsd)."""
    return DocumentSchema("receipt.xsd", "Receipt")


@cache
def statement_schema() -> DocumentSchema:
    """Return the schema of the head of a monthly statement (month.xsd)."""
    return DocumentSchema("month.xsd", "MonthlyStatement")


@cache
def page_schema() -> DocumentSchema:
    """Return the schema of a page of a monthly statement (month.xsd)."""
    return DocumentSchema("month.xsd", "StatementPage")


@cache
def case_schema() -> DocumentSchema:
    """Return the schema of the head of a case (case.xsd)."""
    return DocumentSchema("case.xsd", "Case")


@cache
def case_decision_schema() -> DocumentSchema:
    """Return the schema of a decision in a case (case.xsd)."""
    return DocumentSchema("case.xsd", "CaseDecision")


@cache
def case_act_schema() -> DocumentSchema:
    """Return the schema of an act in a case (case.xsd)."""
    return DocumentSchema("case.xsd", "CaseAct")
