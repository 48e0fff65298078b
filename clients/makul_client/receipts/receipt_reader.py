"""The reading of receipts, and the form of documents that the operator signs."""

import base64
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final
from uuid import UUID

from makul_client._internal.crypto.xml import RECEIPT, UnsafeXmlError, broken_fields, parse
from makul_client._internal.files import MAX_DOCUMENT
from makul_client.errors import ReceiptError, ReceiptFlaw
from makul_client.models.response import GroundRef, Receipt, ReceiptReason
from makul_client.translation import translate

if TYPE_CHECKING:
    from lxml.etree import _Element as Element


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentForm:
    """The form of a document that the operator signs with the key of receipts."""

    namespace: str
    root: str
    schema: str
    """The name of the published schema."""
    dated_by: str
    """The element that states when the document was made."""

    def tag(self, name: str) -> str:
        """Return the name of an element in the namespace of the document."""
        return f"{{{self.namespace}}}{name}"


RECEIPT_FORM: Final = DocumentForm(
    namespace=RECEIPT, root="Receipt", schema="receipt", dated_by="decidedAt"
)


def read_receipt_unsafe(document: bytes) -> Receipt:
    """Return the content of a receipt, of which nothing is verified.

    The caller must know the bytes from elsewhere, such as by their digest in a signed statement.
    Raises `ReceiptError` if they are not a receipt.
    """
    if len(document) > MAX_DOCUMENT:
        raise ReceiptError(ReceiptFlaw.UNREADABLE, translate("the document is too large"))
    try:
        root = parse(document)
    except UnsafeXmlError as error:
        raise ReceiptError(ReceiptFlaw.UNREADABLE, str(error)) from None
    if root.tag != RECEIPT_FORM.tag(RECEIPT_FORM.root) or broken_fields(root, RECEIPT_FORM.schema):
        raise ReceiptError(ReceiptFlaw.UNREADABLE, translate("it is not a receipt by its schema"))
    return parse_receipt(root, document)


def parse_receipt(root: "Element", document: bytes) -> Receipt:
    """Return the receipt in its verified root element, which is valid by the schema."""
    fields = _Fields(root)
    ground = root.find(RECEIPT_FORM.tag("ground"))
    return Receipt(
        receipt_id=UUID(fields.text("receiptId")),
        request_id=UUID(fields.text("requestId")),
        request_digest=fields.binary("requestDigest"),
        operation=fields.text("operation"),
        recipient=fields.text("recipient"),
        agreement=fields.optional("agreementNumber"),
        outcome=fields.text("outcome"),
        reasons=tuple(_reason(_Fields(each)) for each in root.findall(RECEIPT_FORM.tag("reason"))),
        released=frozenset(
            collapse(each.text) for each in root.findall(RECEIPT_FORM.tag("attribute"))
        ),
        payload_digest=fields.optional_binary("payloadDigest"),
        answer_digest=fields.optional_binary("answerDigest"),
        ground=None if ground is None else _ground(_Fields(ground)),
        decided_at=datetime.fromisoformat(fields.text("decidedAt")),
        leaf_hash=fields.binary("leafHash"),
        operator=fields.text("operator"),
        document=document,
    )


def _reason(fields: "_Fields") -> ReceiptReason:
    return ReceiptReason(
        code=fields.text("code"),
        because=fields.optional("because"),
        field=fields.optional("field"),
    )


def _ground(fields: "_Fields") -> GroundRef:
    return GroundRef(
        kind=fields.text("kind"), id=UUID(fields.text("id")), digest=fields.binary("digest")
    )


class _Fields:
    """The children of an element, by name."""

    def __init__(self, element: "Element") -> None:
        self._element = element

    def optional(self, name: str) -> str | None:
        text = self._element.findtext(RECEIPT_FORM.tag(name))
        return None if text is None else collapse(text)

    def text(self, name: str) -> str:
        text = self.optional(name)
        if text is None:
            raise ReceiptError(ReceiptFlaw.UNREADABLE, translate("{name} is missing", name=name))
        return text

    def optional_binary(self, name: str) -> bytes | None:
        text = self.optional(name)
        return None if text is None else base64.b64decode(text)

    def binary(self, name: str) -> bytes:
        return base64.b64decode(self.text(name))


def collapse(text: str | None) -> str:
    """Return the text with its white space collapsed, as xs:token requires."""
    return " ".join((text or "").split())
