"""The act of making and verifying monthly reports from signed statements (Procedure, cl. 11)."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final
from uuid import UUID

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
from makul.domain.monthly_statements import StatementLine
from makul.domain.report_tables import VerifiedStatement
from makul.domain.sample_answers import AnswerList, AnswerState, find_repeated
from makul.domain.subject_answers import SubjectAnswer
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

MAX_ANSWERS_BYTES: Final = 8 * 1024 * 1024
"""Maximum size of a list of answers: 10,000 questions have some two megabytes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportRequest:
    """The directories of statements of one month, and of earlier ones to compare."""

    directories: Sequence[Path]
    earlier: Sequence[Path]
    answers: Sequence[Path] = ()
    """Lists of answers as `makul month answers --json` prints them."""
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
    lists = [read_answers(file) for file in request.answers]
    missing = {each for given_list in lists for each in given_list.answers}
    given = [read_verified(each, request.signers, missing) for each in request.directories]
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
        _require_of_these(lists, missing)
        return compose_report(given, earlier, audience, lists)
    except UnfitStatementsError as error:
        raise OperatorError(translate_error(error)) from None


def read_verified(
    directory: Path, signers: Collection[bytes], missing: set[UUID] | None = None
) -> VerifiedStatement:
    """Return the statement of a directory after it and its pages were verified.

    Its disclosures are removed from `missing`.

    The digest is that of the bytes whose signature was verified. Only the first exceptions are
    kept, so a month of any size needs the memory of one page. Raises `OperatorError` and
    `FileError`.
    """
    file = directory / HEAD_NAME
    document = read_bounded(file, MAX_HEAD_BYTES)
    statement = verify_head_bytes(file, document, signers)
    collector = LineCollector()

    def collect(line: StatementLine) -> None:
        collector.add(statement.recipient, line)
        if missing:
            missing.discard(line.decision.disclosure_id)

    verify_pages(file, statement, collect)
    return VerifiedStatement(
        statement=statement, digest=sha256(document).digest(), listed=tuple(collector.listed)
    )


def read_answers(file: Path) -> AnswerList:
    """Return a list of answers. Raises `OperatorError` and `FileError`."""
    document = read_bounded(file, MAX_ANSWERS_BYTES)
    try:
        rows = json.loads(document)
        answers = {UUID(row["disclosure_id"]): _read_state(row) for row in rows}
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        raise OperatorError(
            translate(
                "{file}: it is not a list of answers as `makul month answers --json` prints it",
                file=file,
            )
        ) from None
    if len(answers) < len(rows):
        raise OperatorError(translate("{file}: a disclosure is in it twice", file=file))
    return AnswerList(digest=sha256(document).digest(), answers=answers)


def _read_state(row: Mapping[str, Any]) -> AnswerState:
    answer, silent = row["answer"], row["silent"]
    if not isinstance(silent, bool) or (silent and answer is not None):
        raise TypeError
    return AnswerState.of(None if answer is None else SubjectAnswer(answer), silent=silent)


def _require_of_these(lists: Sequence[AnswerList], missing: Collection[UUID]) -> None:
    """Require that each answer is about a disclosure of the statements, and about another one."""
    if missing:
        raise OperatorError(
            translate(
                "the answers name disclosure {disclosure_id}, which is in none of the statements;"
                " give the answers of the same month and recipient",
                disclosure_id=min(missing),
            )
        )
    repeated = find_repeated(lists)
    if repeated is not None:
        raise OperatorError(
            translate(
                "two lists of answers name disclosure {disclosure_id}", disclosure_id=repeated
            )
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
    if expected.answers != binding.answers:
        raise OperatorError(
            translate(
                "{file}: made with other answers; give exactly those with --answers", file=file
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
