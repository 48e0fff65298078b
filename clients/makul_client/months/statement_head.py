"""The head of a monthly statement, verified before it is read (month.xsd; Procedure, cl. 11)."""

import base64
from collections.abc import Iterable
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from makul_client._internal.crypto.xml import MONTH
from makul_client.errors import ReceiptError, StatementError, StatementFlaw
from makul_client.models.months import LineException, MonthlyStatement, PageReference
from makul_client.receipts.receipt_reader import DocumentForm
from makul_client.receipts.verifier import ReceiptVerifier
from makul_client.translation import translate

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

STATEMENT_FORM: Final = DocumentForm(
    namespace=MONTH, root="MonthlyStatement", schema="month", dated_by="builtAt"
)

TOTALS: Final = (
    "operationTotal",
    "outcomeTotal",
    "groundTotal",
    "purposeTotal",
    "dayTotal",
    "attributeTotal",
    "refusalTotal",
    "exceptionTotal",
)
"""The names of the totals, in the order of the schema."""


def read_head(
    document: bytes, verifier: ReceiptVerifier, *, month: str, recipient: str, at: datetime
) -> MonthlyStatement:
    """Return the head of the statement of a month and a recipient, after verifying its signature.

    Raises `StatementError` if the operator did not sign it, or if it is another statement.
    """
    try:
        root = verifier.verify_document(document, STATEMENT_FORM, at=at, is_stored=True)
    except ReceiptError as error:
        raise StatementError(error.flaw, error.detail) from None
    statement = _parse_head(root, document)
    if statement.recipient != recipient:
        raise StatementError(StatementFlaw.OTHER, translate("its recipient is another"))
    if statement.month != month:
        raise StatementError(StatementFlaw.OTHER, translate("its month is another"))
    if statement.draft:
        raise StatementError(StatementFlaw.OTHER, translate("it is a draft"))
    numbers = [each.number for each in statement.pages]
    if numbers != list(range(1, len(numbers) + 1)):
        raise StatementError(StatementFlaw.PAGES)
    if sum(each.lines for each in statement.pages) != statement.lines:
        raise StatementError(StatementFlaw.TOTALS)
    return statement


def _parse_head(root: "Element", document: bytes) -> MonthlyStatement:
    recipient = root.find(_tag("recipient"))
    return MonthlyStatement(
        month=text(root, "month"),
        draft=text(root, "draft") == "true",
        operator=text(root, "operator"),
        recipient=text(recipient, "code"),
        recipient_name=text(recipient, "name"),
        agreements=tuple(_collapse(each.text) for each in root.findall(_tag("agreement"))),
        built_at=datetime.fromisoformat(text(root, "builtAt")),
        checkpoint=base64.b64decode(text(root, "checkpoint")),
        lines=int(text(root, "lines")),
        disclosures=int(text(root, "disclosures")),
        subjects=int(text(root, "subjects")),
        repetitions=int(text(root, "repetitions")),
        totals={name: _totals(root.findall(_tag(name))) for name in TOTALS},
        exceptions=tuple(
            (UUID(text(each, "disclosureId")), read_exception(each))
            for each in root.findall(_tag("exception"))
        ),
        pages=tuple(
            PageReference(
                number=int(text(each, "number")),
                lines=int(text(each, "lines")),
                digest=base64.b64decode(text(each, "digest")),
            )
            for each in root.findall(_tag("page"))
        ),
        document=document,
    )


def _totals(elements: "Iterable[Element]") -> dict[str, int]:
    """Return totals by value. Raises `StatementError` if a value is stated twice."""
    totals: dict[str, int] = {}
    for each in elements:
        key = text(each, "key")
        if key in totals:
            raise StatementError(StatementFlaw.TOTALS)
        totals[key] = int(text(each, "count"))
    return totals


def read_exception(element: "Element") -> LineException:
    """Return the exception in an element of the head or of a line."""
    return LineException(
        kind=text(element, "kind"),
        fact=text(element, "fact"),
        attribute=optional(element, "attribute"),
    )


def text(element: "Element | None", name: str) -> str:
    """Return the text of a child that the schema requires."""
    found = None if element is None else optional(element, name)
    if found is None:
        raise StatementError(StatementFlaw.CONTENT, translate("{name} is missing", name=name))
    return found


def optional(element: "Element", name: str) -> str | None:
    """Return the text of a child, or None if there is none."""
    found = element.findtext(_tag(name))
    return None if found is None else _collapse(found)


def _collapse(found: str | None) -> str:
    return " ".join((found or "").split())


def _tag(name: str) -> str:
    return f"{{{MONTH}}}{name}"
