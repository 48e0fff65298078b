"""The comparison of one line with the receipts kept of it. Pure code: no files and no clock."""

import hashlib
from collections.abc import Callable, Sequence
from typing import Final

from makul_client.models.months import Difference, DifferenceKind, StatementLine
from makul_client.models.response import Receipt

RECEIPT_DIGEST: Final = "receiptDigest"

_COMPARED: Final[tuple[tuple[str, Callable[[StatementLine, Receipt], bool]], ...]] = (
    ("disclosureId", lambda line, receipt: line.disclosure_id == receipt.receipt_id),
    ("requestId", lambda line, receipt: line.request_id == receipt.request_id),
    ("operation", lambda line, receipt: line.operation == receipt.operation),
    ("outcome", lambda line, receipt: line.outcome == receipt.outcome),
    ("attribute", lambda line, receipt: line.attributes == receipt.released),
    ("ground", lambda line, receipt: _ground_of_line(line) == _ground_of_receipt(receipt)),
    ("decidedAt", lambda line, receipt: line.decided_at == receipt.decided_at),
    (
        RECEIPT_DIGEST,
        lambda line, receipt: line.receipt_digest == hashlib.sha256(receipt.document).digest(),
    ),
)
"""What a line and a receipt both state, by the names of month.xsd."""


def compare_line(line: StatementLine, kept: Sequence[Receipt]) -> Difference | None:
    """Return how a line differs from the kept receipts with its id; None if one is equal.

    If several receipts were kept with one id, one equal receipt is not enough: the operator signed
    two receipts of one decision, so the difference is that of the other one.
    """
    if not kept:
        return _difference(DifferenceKind.NO_RECEIPT, line)
    for receipt in kept:
        fields = differing_fields(line, receipt)
        if fields:
            return _difference(DifferenceKind.CONTENT, line, fields)
    return None


def differing_fields(line: StatementLine, receipt: Receipt) -> tuple[str, ...]:
    """Return the names of what a line and a receipt state differently; empty if nothing."""
    return tuple(name for name, is_same in _COMPARED if not is_same(line, receipt))


def not_listed(receipt: Receipt) -> Difference:
    """Return the difference of a verified receipt that the statement does not have."""
    return Difference(
        kind=DifferenceKind.NOT_LISTED,
        disclosure_id=receipt.receipt_id,
        request_id=receipt.request_id,
        operation=receipt.operation,
        outcome=receipt.outcome,
        decided_at=receipt.decided_at,
        receipt=receipt.document,
    )


def _difference(
    kind: DifferenceKind, line: StatementLine, fields: tuple[str, ...] = ()
) -> Difference:
    return Difference(
        kind=kind,
        disclosure_id=line.disclosure_id,
        request_id=line.request_id,
        operation=line.operation,
        outcome=line.outcome,
        decided_at=line.decided_at,
        fields=fields,
    )


def _ground_of_line(line: StatementLine) -> tuple[str, bytes] | None:
    if line.ground_kind is None or line.ground_digest is None:
        return None
    return line.ground_kind, line.ground_digest


def _ground_of_receipt(receipt: Receipt) -> tuple[str, bytes] | None:
    return None if receipt.ground is None else (receipt.ground.kind, receipt.ground.digest)
