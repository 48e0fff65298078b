"""Offline verification of a written monthly statement: its signature, its pages, its totals."""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives import hashes

from makul.admin.error_handling import as_operator_error
from makul.admin.errors import OperatorError, OperatorUnavailableError
from makul.app.monthly_statements import MAX_HEAD_BYTES
from makul.app.ports import DocumentError, ReceiptCertificateState
from makul.app.statement_counts import LineCounts
from makul.config.settings import Settings, load_settings
from makul.documents.monthly_statements import read_page, read_statement
from makul.domain.identifiers import MemberCode
from makul.domain.monthly_statements import (
    MonthlyStatement,
    PageReference,
    StatementLine,
    StatementPage,
)
from makul.domain.months import Month
from makul.language.translation import mark, translate
from makul.net.files import FileError, read_bounded
from makul.store.reads.statement_files import MAX_PAGE_BYTES, page_name
from makul.trust.base.errors import SignatureFailure
from makul.trust.keys.files import load_certificates
from makul.trust.keys.receipt_certificates import receipt_certificates
from makul.trust.xades.operator_signature import verify_operator_signature

_PAGE_FAULTS = {
    "missing": mark("{file}: page {number} cannot be read; a statement is whole or not at all"),
    "digest": mark("{file}: page {number} has other bytes than the statement names"),
    "content": mark("{file}: page {number} is not a page of this statement"),
    "numbers": mark("{file}: the head does not number its pages from 1"),
    "order": mark("{file}: page {number} has a line of another month, or out of order"),
    "totals": mark("{file}: the totals or exceptions are not those of the lines"),
}
_OTHER_PAGE = mark("{file}: {name} is beside it, and the statement does not name it")


def load_signer_fingerprints(config: Path, certificates: Sequence[Path]) -> Collection[bytes]:
    """Return the fingerprints of the certificates that may have signed a statement.

    They are those of the given files, or else those of the settings. Raises
    `OperatorUnavailableError`.
    """
    if certificates:
        with as_operator_error():
            return frozenset(
                load_certificates(path)[0].fingerprint(hashes.SHA256()) for path in certificates
            )
    if not config.exists():
        raise OperatorUnavailableError(
            translate(
                "there is no {config}; name the operator's certificate with --certificate",
                config=config,
            )
        )
    with as_operator_error():
        return load_signers_from_settings(load_settings(config))


def load_signers_from_settings(settings: Settings) -> Collection[bytes]:
    """Return the fingerprints of the operator's certificates, without those of compromised keys."""
    receipts = settings.receipts
    return frozenset(
        each.fingerprint
        for each in receipt_certificates(
            receipts.certificate, following=receipts.next, retired=receipts.retired
        )
        if each.state is not ReceiptCertificateState.COMPROMISED
    )


def verify_head(file: Path, signers: Collection[bytes]) -> MonthlyStatement:
    """Return the verified head in a file. Raises `OperatorError` and `FileError`."""
    return verify_head_bytes(file, read_bounded(file, MAX_HEAD_BYTES), signers)


def verify_head_bytes(file: Path, document: bytes, signers: Collection[bytes]) -> MonthlyStatement:
    """Return the verified head; `file` is named in errors. Raises `OperatorError`."""
    try:
        return read_statement(verify_operator_signature(document, signers))
    except SignatureFailure as failure:
        raise OperatorError(
            translate(
                "{file}: the signature is not accepted ({code})", file=file, code=failure.code
            )
        ) from None
    except DocumentError:
        raise OperatorError(
            translate("{file}: signed, but not a monthly statement by month.xsd", file=file)
        ) from None


def verify_statement(file: Path, signers: Collection[bytes]) -> MonthlyStatement:
    """Return the head in a file after it and all its pages, beside it, were verified.

    Raises `OperatorError` and `FileError`.
    """
    statement = verify_head(file, signers)
    verify_pages(file, statement)
    return statement


def verify_pages(
    file: Path,
    statement: MonthlyStatement,
    read_line: Callable[[StatementLine], None] | None = None,
) -> None:
    """Verify all pages of a verified head, which are beside its file.

    Everything that the lines prove is counted again, with one page in memory at a time. `read_line`
    gets each line; it is verified only when this function has returned. Raises `OperatorError`.
    """
    pages = statement.pages
    if [page.number for page in pages] != list(range(1, len(pages) + 1)):
        raise _fault("numbers", file)
    _require_no_other_page(file, len(pages))
    counts = LineCounts()
    for line in _verified_lines(file, statement.month, statement.recipient, pages):
        counts.add(line)
        if read_line is not None:
            read_line(line)
    if not counts.matches_statement(statement):
        raise _fault("totals", file)


def verify_page(
    file: Path, month: Month, recipient: MemberCode, page: PageReference, counts: LineCounts
) -> None:
    """Verify one page beside the file of a head that is not written yet, and its counts.

    Raises `OperatorError`.
    """
    found = LineCounts()
    for line in _verified_lines(file, month, recipient, (page,)):
        found.add(line)
    if found != counts:
        raise _fault("totals", file)


def _verified_lines(
    file: Path, month: Month, recipient: MemberCode, pages: Iterable[PageReference]
) -> Iterator[StatementLine]:
    """Yield the lines of these pages, which are beside the file of the head.

    Each page has the bytes, month, recipient and number of lines that are stated; each line is of
    the month, and after the line before. Raises `OperatorError`.
    """
    begins, ends, last = month.begins, month.ends, None
    for page in pages:
        for line in _read_verified_page(file, month, recipient, page).lines:
            place = (line.decision.decided_at, line.decision.disclosure_id.bytes)
            if not begins <= place[0] < ends or (last is not None and place <= last):
                raise _fault("order", file, page.number)
            last = place
            yield line


def _require_no_other_page(file: Path, pages: int) -> None:
    """Refuse a page that the head does not name: a reader could take it for a part of it."""
    named = {page_name(number) for number in range(1, pages + 1)}
    for other in sorted(file.parent.glob("page-*.xml")):
        if other.name not in named:
            raise OperatorError(translate(_OTHER_PAGE, file=file, name=other.name))


def _read_verified_page(
    file: Path, month: Month, recipient: MemberCode, page: PageReference
) -> StatementPage:
    try:
        content = read_bounded(file.with_name(page_name(page.number)), MAX_PAGE_BYTES)
    except FileError:
        raise _fault("missing", file, page.number) from None
    if sha256(content).digest() != page.digest:
        raise _fault("digest", file, page.number)
    try:
        found = read_page(content)
    except DocumentError:
        raise _fault("content", file, page.number) from None
    stated = (month, recipient, page.number, page.lines)
    if (found.month, found.recipient, found.number, len(found.lines)) != stated:
        raise _fault("content", file, page.number)
    return found


def _fault(kind: str, file: Path, number: int | None = None) -> OperatorError:
    return OperatorError(translate(_PAGE_FAULTS[kind], file=file, number=number))
