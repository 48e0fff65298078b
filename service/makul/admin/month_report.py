"""The act of making and verifying monthly reports from signed statements (Procedure, cl. 11)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

from makul.admin.errors import OperatorError
from makul.admin.month_verification import verify_head_bytes, verify_pages
from makul.app.monthly_statements import MAX_HEAD_BYTES
from makul.domain.monthly_reports import (
    Audience,
    LineCollector,
    MonthlyReport,
    UnfitStatementsError,
    compose_report,
)
from makul.domain.report_tables import VerifiedStatement
from makul.language.translation import Language, translate, translate_error
from makul.net.files import read_bounded
from makul.reports.html import (
    MAX_REPORT_BYTES,
    MAX_STATEMENTS,
    MalformedReportError,
    ReportBinding,
    read_binding_unsafe,
    read_version_unsafe,
    render_html,
)
from makul.reports.pdf import PdfUnavailableError, render_pdf
from makul.store.reads.statement_files import HEAD_NAME


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRequest:
    """The directories of statements of one month, and of earlier ones to compare."""

    directories: Sequence[Path]
    earlier: Sequence[Path]
    signers: Collection[bytes]
    """Fingerprints of the certificates that may have signed the statements."""


def make_report(request: ReportRequest, audience: Audience, *, with_draft: bool) -> MonthlyReport:
    """Return the report of statements after each was verified with its pages.

    Raises `OperatorError` and `FileError`.
    """
    if len(request.directories) + len(request.earlier) > MAX_STATEMENTS:
        raise OperatorError(
            translate("a report has at most {count} statements", count=MAX_STATEMENTS)
        )
    given = [read_verified(each, request.signers) for each in request.directories]
    earlier = [read_verified(each, request.signers) for each in request.earlier]
    for directory, each in zip(request.directories, given, strict=True):
        if each.statement.draft and not with_draft:
            raise OperatorError(
                translate(
                    "{directory}: the statement is a draft, which proves nothing; give --draft for"
                    " a report that is marked as a draft",
                    directory=directory,
                )
            )
    try:
        return compose_report(given, earlier, audience)
    except UnfitStatementsError as error:
        raise OperatorError(translate_error(error)) from None


def read_verified(directory: Path, signers: Collection[bytes]) -> VerifiedStatement:
    """Return the statement of a directory after it and its pages were verified.

    The digest is that of the bytes whose signature was verified. Only the first exceptions are
    kept, so a month of any size needs the memory of one page. Raises `OperatorError` and
    `FileError`.
    """
    file = directory / HEAD_NAME
    document = read_bounded(file, MAX_HEAD_BYTES)
    statement = verify_head_bytes(file, document, signers)
    collector = LineCollector()
    verify_pages(file, statement, lambda line: collector.add(statement.recipient, line))
    return VerifiedStatement(
        statement=statement, digest=sha256(document).digest(), listed=tuple(collector.listed)
    )


def render_report(report: MonthlyReport, language: Language) -> bytes:
    """Return the page of a report, as this version writes it."""
    return render_html(report, language, version=version("makul"))


def draw_pdf(page: bytes) -> bytes:
    """Return the PDF of a page. Raises `OperatorError` if this machine cannot draw one."""
    try:
        return render_pdf(page)
    except PdfUnavailableError as error:
        raise OperatorError(
            translate(
                "no PDF can be made here ({cause}). Install the extra: pip install"
                " 'makul[report]', and Pango; or print the HTML page from a browser",
                cause=error,
            )
        ) from None


def verify_report(file: Path, request: ReportRequest) -> ReportBinding:
    """Verify that a page is the report of these statements, by making it again.

    Raises `OperatorError` and `FileError`.
    """
    page = read_bounded(file, MAX_REPORT_BYTES)
    try:
        binding = read_binding_unsafe(page)
    except MalformedReportError:
        raise OperatorError(translate("{file}: not a monthly report", file=file)) from None
    report = make_report(request, binding.audience, with_draft=True)
    expected = ReportBinding.of(report, binding.language)
    if expected.statements != binding.statements:
        raise OperatorError(translate("{file}: the report of other statements", file=file))
    if expected.earlier != binding.earlier:
        raise OperatorError(
            translate(
                "{file}: compared with other earlier statements; give exactly those with --earlier",
                file=file,
            )
        )
    if render_report(report, binding.language) != page:
        raise _changed(file, read_version_unsafe(page))
    return binding


def _changed(file: Path, named: str) -> OperatorError:
    own = version("makul")
    if named == own:
        return OperatorError(
            translate("{file}: changed; the statements give another report", file=file)
        )
    return OperatorError(
        translate(
            "{file}: this version ({own}) makes another report. Verify it with the version that it"
            " names ({named})",
            file=file,
            own=own,
            named=named or "–",
        )
    )
