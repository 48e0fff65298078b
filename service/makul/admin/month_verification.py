"""Offline verification of a written monthly statement: signature, schema, digests of its pages."""

from collections.abc import Collection, Sequence
from hashlib import sha256
from pathlib import Path

from cryptography.hazmat.primitives import hashes

from makul.admin.error_handling import as_operator_error
from makul.admin.errors import OperatorError, OperatorUnavailableError
from makul.app.monthly_statements import MAX_HEAD_BYTES
from makul.app.ports import DocumentError, ReceiptCertificateState
from makul.config.settings import Settings, load_settings
from makul.documents.monthly_statements import read_page_header, read_statement
from makul.domain.monthly_statements import MonthlyStatement, PageReference
from makul.language.translation import mark, translate
from makul.net.files import FileError, read_bounded
from makul.trust.base.errors import SignatureFailure
from makul.trust.keys.files import load_certificates
from makul.trust.keys.receipt_certificates import receipt_certificates
from makul.trust.xades.known_signer import verify_by_known_signer

HEAD_NAME = "statement.xml"
MAX_PAGE_BYTES = 64 * 1024 * 1024
"""Maximum size of a page: 10,000 lines of 32 attributes each have some 30 megabytes."""

_PAGE_FAULTS = {
    "missing": mark("{file}: page {number} cannot be read; a statement is whole or not at all"),
    "digest": mark("{file}: page {number} has other bytes than the statement names"),
    "content": mark("{file}: page {number} is not a page of this statement"),
    "numbers": mark("{file}: the pages do not have the numbers and lines that the head states"),
}


def page_name(number: int) -> str:
    """Return the name of a page's file, beside the head."""
    return f"page-{number:03d}.xml"


def known_signers(config: Path, certificates: Sequence[Path]) -> Collection[bytes]:
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
        return signers_of(load_settings(config))


def signers_of(settings: Settings) -> Collection[bytes]:
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
        return read_statement(verify_by_known_signer(document, signers))
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
    pages = statement.pages
    numbers = [page.number for page in pages]
    lines = sum(page.lines for page in pages)
    if numbers != list(range(1, len(pages) + 1)) or lines != statement.totals.lines:
        raise _fault("numbers", file)
    for page in pages:
        _verify_page(file, statement, page)
    return statement


def _verify_page(file: Path, statement: MonthlyStatement, page: PageReference) -> None:
    try:
        content = read_bounded(file.with_name(page_name(page.number)), MAX_PAGE_BYTES)
    except FileError:
        raise _fault("missing", file, page.number) from None
    if sha256(content).digest() != page.digest:
        raise _fault("digest", file, page.number)
    try:
        month, recipient, found = read_page_header(content)
    except DocumentError:
        raise _fault("content", file, page.number) from None
    stated = (statement.month, statement.recipient, page.number, page.lines)
    if (month, recipient, found.number, found.lines) != stated:
        raise _fault("content", file, page.number)


def _fault(kind: str, file: Path, number: int | None = None) -> OperatorError:
    return OperatorError(translate(_PAGE_FAULTS[kind], file=file, number=number))
