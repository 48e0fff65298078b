"""`makul month report`: the report for people of signed monthly statements (Procedure, cl. 11)."""

from collections.abc import Sequence
from hashlib import sha256
from os.path import realpath  # unlike `Path.resolve`, it raises nothing for a loop of links
from pathlib import Path
from typing import Annotated

import typer

from makul.admin.errors import OperatorError
from makul.admin.month_report import (
    ReportRequest,
    draw_pdf,
    make_report,
    render_report,
    verify_report,
)
from makul.admin.month_verification import load_signer_fingerprints
from makul.cli.context import AsJson, examples, session
from makul.cli.output import Facts, show_facts
from makul.domain.monthly_reports import Audience
from makul.language.translation import Language, current_language, translate
from makul.net.files import replace_file

Directories = Annotated[
    list[Path],
    typer.Argument(
        metavar="DIR...",
        help="The directory of each statement: statement.xml and its pages. All are of one month.",
        show_default=False,
    ),
]
Output = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="Write the report to this HTML file."),
]
Pdf = Annotated[
    Path | None,
    typer.Option(
        "--pdf", metavar="FILE", help="Write it as a PDF file too. Needs the extra makul[report]."
    ),
]
Verified = Annotated[
    Path | None,
    typer.Option(
        "--verify",
        metavar="FILE",
        help="Verify instead that this HTML file is the report of these statements.",
    ),
]
Earlier = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="DIR",
        help="The directory of an earlier statement of the same recipient, to compare with; may"
        " be repeated.",
    ),
]
Answers = Annotated[
    list[Path] | None,
    typer.Option(
        metavar="FILE",
        help="The answers of a statement's sample, as `makul month answers --json` prints them;"
        " may be repeated.",
    ),
]
ForAudience = Annotated[
    Audience,
    typer.Option(
        help="The reader: `public`, without small numbers and single decisions, or `parties`, with"
        " everything."
    ),
]
InLanguage = Annotated[
    Language | None,
    typer.Option(
        help="The language of the report; by default that of the messages.", show_default=False
    ),
]
WithDraft = Annotated[
    bool, typer.Option("--draft", help="Accept a draft. The report is marked as a draft.")
]
Certificates = Annotated[
    list[Path] | None,
    typer.Option(
        help="The operator's certificate, PEM; may be repeated. By default those of the"
        " settings, without those of compromised keys."
    ),
]

_CODES = "Exit codes: 0 written, or verified · 1 refused · 3 settings or certificate unavailable"


def add_to(app: typer.Typer) -> None:
    """Add the command to `makul month`."""
    app.command(
        epilog=examples(
            "makul month report months/2026-10/COM-60000001 --out report.html --language ky",
            "makul month report months/2026-10/* --out october.html --audience parties"
            " --pdf october.pdf",
            "makul month report months/2026-10/COM-60000001 --answers said.json --out report.html",
            "makul month report months/2026-10/COM-60000001 --verify report.html",
        )
        + f"\n\n{_CODES}"
    )(report)


def report(
    ctx: typer.Context,
    directories: Directories,
    *,
    out: Output = None,
    pdf: Pdf = None,
    verify: Verified = None,
    earlier: Earlier = None,
    answers: Answers = None,
    audience: ForAudience = Audience.PUBLIC,
    language: InLanguage = None,
    draft: WithDraft = False,
    certificate: Certificates = None,
    as_json: AsJson = False,
) -> None:
    """Make a report for people from signed statements: an HTML page, and a PDF file.

    Each statement is verified first, with its pages. The report names the SHA-256 of each signed
    statement. The same statements give the same HTML file, so it can be verified by --verify.
    """
    current = session(ctx)
    if (out is None) == (verify is None) or (verify is not None and pdf is not None):
        raise OperatorError(translate("give either --out, with or without --pdf, or --verify"))
    request = ReportRequest(
        directories=directories,
        earlier=earlier or [],
        answers=answers or [],
        signers=load_signer_fingerprints(current.config, certificate or []),
    )
    if verify is not None:
        binding = verify_report(verify, request)
        facts: Facts = {
            "file": str(verify),
            "result": "PASSED",
            "audience": str(binding.audience),
            "language": str(binding.language),
            "statements": list(binding.statements),
            "earlier": list(binding.earlier),
            "answers": list(binding.answers),
        }
        show_facts(facts, as_json=as_json)
        return
    if out is not None:
        facts = _write(request, out, pdf, audience, language or current_language(), draft=draft)
        show_facts(facts, as_json=as_json)


def _require_free_places(request: ReportRequest, files: Sequence[Path]) -> None:
    """Refuse to write over a statement, or beside its pages: only the build writes there."""
    taken = {Path(realpath(each)) for each in (*request.directories, *request.earlier)}
    for file in files:
        if Path(realpath(file)).parent in taken:
            raise OperatorError(
                translate(
                    "{file}: in the directory of a statement; write the report elsewhere", file=file
                )
            )
    if len({Path(realpath(file)) for file in files}) < len(files):
        raise OperatorError(translate("--out and --pdf name one file; give two names"))


def _write(
    request: ReportRequest,
    out: Path,
    pdf: Path | None,
    audience: Audience,
    language: Language,
    *,
    draft: bool,
) -> Facts:
    """Write the files of a report. Nothing is written unless all of them can be made."""
    _require_free_places(request, [out, *([] if pdf is None else [pdf])])
    made = make_report(request, audience, with_draft=draft)
    page = render_report(made, language)
    drawn = None if pdf is None else draw_pdf(page)
    replace_file(out, page, mode=0o640)
    if pdf is not None and drawn is not None:
        replace_file(pdf, drawn, mode=0o640)
    return {
        "file": str(out),
        "pdf": None if pdf is None else str(pdf),
        "month": str(made.month),
        "draft": made.draft,
        "audience": str(audience),
        "language": str(language),
        "digest": sha256(page).hexdigest(),
        "statements": [each.digest.hex() for each in made.statements],
        "earlier": [each.digest.hex() for each in made.earlier],
        "answers": [each.digest.hex() for each in made.answers],
    }
