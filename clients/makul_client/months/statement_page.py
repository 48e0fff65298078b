"""A page of a monthly statement, read line by line. Memory does not grow with its length."""

import base64
import hashlib
import hmac
from collections.abc import Iterator
from datetime import datetime
from io import BytesIO
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from lxml import etree

from makul_client._internal.crypto.xml import MONTH, load_schema
from makul_client.errors import StatementError, StatementFlaw
from makul_client.models.months import MonthlyStatement, PageReference, StatementLine
from makul_client.months.statement_head import optional, read_exception, text
from makul_client.translation import translate

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

MAX_PAGE: Final = 32 * 1024 * 1024
"""The maximum size of a page in bytes: 3 kB for each of 10,000 lines. Most have some 600 bytes."""

_PAGE: Final = f"{{{MONTH}}}StatementPage"
_LINE: Final = f"{{{MONTH}}}line"
_ITERPARSE: Final[Any] = etree.iterparse


def read_page(
    content: bytes, statement: MonthlyStatement, reference: PageReference
) -> Iterator[StatementLine]:
    """Yield the lines of a page whose digest the signed head names.

    Raises `StatementError` for other bytes before the first line, and for another page, another
    recipient or another number of lines when it is found. So nothing may be used before the end.
    """
    if len(content) > MAX_PAGE:
        raise _flaw(StatementFlaw.CONTENT, reference, translate("the document is too large"))
    if not hmac.compare_digest(hashlib.sha256(content).digest(), reference.digest):
        raise _flaw(StatementFlaw.DIGEST, reference)
    number, last = 0, None
    try:
        for element in _elements(content):
            if element.tag == _LINE:
                number += 1
                if number > reference.lines:
                    raise _flaw(StatementFlaw.CONTENT, reference)
                yield _read_line(element)
                _remove(last)
                last = element
            elif element.tag == _PAGE:
                _require_same(element, statement, reference)
    except (etree.LxmlError, ValueError):
        raise _flaw(StatementFlaw.CONTENT, reference) from None
    if number != reference.lines:
        raise _flaw(StatementFlaw.CONTENT, reference)


def _elements(content: bytes) -> "Iterator[Element]":
    """Yield each line, and the page itself at its end. A DTD or a comment is refused."""
    parser = _ITERPARSE(
        BytesIO(content),
        events=("end", "comment", "pi"),
        schema=load_schema("month"),
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        attribute_defaults=False,
        huge_tree=False,
        recover=False,
    )
    checked = False
    for event, element in parser:
        if event != "end":
            raise ValueError("a comment or a processing instruction")
        if not checked and element.getroottree().docinfo.internalDTD is not None:
            raise ValueError("a DTD")
        checked = True
        if element.tag in (_LINE, _PAGE):
            yield element


def _remove(line: "Element | None") -> None:
    """Remove a line that was read, so that the tree has at most two.

    libxml2 may still append text to the newest line, so only the line before it is removed.
    """
    page = None if line is None else line.getparent()
    if line is not None and page is not None:
        page.remove(line)


def _require_same(page: "Element", statement: MonthlyStatement, reference: PageReference) -> None:
    found = (text(page, "month"), text(page, "recipient"), int(text(page, "number")))
    if found != (statement.month, statement.recipient, reference.number):
        raise _flaw(StatementFlaw.CONTENT, reference)


def _read_line(line: "Element") -> StatementLine:
    ground = line.find(f"{{{MONTH}}}ground")
    return StatementLine(
        disclosure_id=UUID(text(line, "disclosureId")),
        decided_at=datetime.fromisoformat(text(line, "decidedAt")),
        request_id=UUID(text(line, "requestId")),
        operation=text(line, "operation"),
        outcome=text(line, "outcome"),
        attributes=frozenset(each.text or "" for each in line.findall(f"{{{MONTH}}}attribute")),
        ground_kind=None if ground is None else optional(ground, "kind"),
        ground_digest=None if ground is None else base64.b64decode(text(ground, "digest")),
        receipt_digest=base64.b64decode(text(line, "receiptDigest")),
        exceptions=tuple(map(read_exception, line.findall(f"{{{MONTH}}}exception"))),
    )


def _flaw(flaw: StatementFlaw, reference: PageReference, detail: str = "") -> StatementError:
    page = translate("page {number}", number=reference.number)
    return StatementError(flaw, f"{page}: {detail}" if detail else page)
