"""`makul month`: the signed monthly statements of recipients (Procedure, cl. 11)."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from makul.admin.errors import MissingStatementError, OperatorError, OperatorUnavailableError
from makul.cli import month_closing, month_questions, month_report, month_sample
from makul.cli.context import AsJson, examples, open_installation, require_recipient, session
from makul.cli.exit_codes import ExitCode
from makul.cli.month_options import InMonth, read_month_option
from makul.cli.output import Facts, instant, progress_bar, show_facts, show_json, show_rows
from makul.domain.monthly_statements import MonthlyStatement
from makul.domain.months import Month
from makul.domain.recipients import Recipient
from makul.language.translation import translate
from makul.net.files import FileError

if TYPE_CHECKING:
    from makul.admin.installation import Installation
    from makul.admin.month import BuiltStatement

app = typer.Typer(
    no_args_is_help=True,
    help="Build, show and verify the signed monthly statements, and report them (cl. 11).",
)

OfRecipient = Annotated[
    str | None, typer.Option("--recipient", metavar="CODE", help="Include only this member code.")
]
Directory = Annotated[
    Path,
    typer.Option(
        "--output",
        metavar="DIR",
        help="The directory of statements. Each is in DIR/YYYY-MM/CODE: statement.xml, with the"
        " totals and the signature, and page-001.xml and so on, with the lines.",
    ),
]
Draft = Annotated[
    bool,
    typer.Option(
        "--draft",
        help="A draft of a month that has not ended. It is marked as a draft, lies in"
        " DIR/YYYY-MM-draft, and proves nothing about the month.",
    ),
]

_ROW = (
    *("recipient", "month", "draft", "state", "built_at", "lines", "disclosures", "subjects"),
    *("repetitions", "pages", "exceptions", "file", "why"),
)

_VERIFY_CODES = (
    "Exit codes: 0 every statement is whole · 1 one is not · 3 settings or certificate unavailable"
)


@app.command(
    epilog=examples(
        "makul month build 2026-10 --output /srv/makul/months",
        "makul month build --output /srv/makul/months --json",
        "makul month build 2026-11 --recipient COM/60000001 --output months --draft",
    )
)
def build(
    ctx: typer.Context,
    *,
    month: InMonth = None,
    output: Directory,
    recipient: OfRecipient = None,
    draft: Draft = False,
    as_json: AsJson = False,
) -> None:
    """Build the statements of a month: one for each recipient, signed with the key of receipts.

    Every decision of the month must be in the published log. Building is recorded. A statement that
    exists is never replaced: an equal one stays, and a different one is reported with exit code 1.
    A statement that cannot be built is FAILED, with exit code 1; the others are built.
    """
    with open_installation(ctx) as installation:
        wanted = read_month_option(month, installation)
        rows = _build_all(installation, wanted, _recipients(installation, recipient), output, draft)
    failed = any(row["state"] == "FAILED" for row in rows)
    show_rows(
        rows,
        columns=(
            *("recipient", "state", "draft", "lines", "pages", "exceptions", "file"),
            *(("why",) if failed else ()),
        ),
        as_json=as_json,
        empty=translate("No recipient is registered."),
    )
    differing = [str(row["file"]) for row in rows if row["state"] == "DIFFERS"]
    if differing:
        raise OperatorError(
            translate(
                "{files}: another statement exists and was not replaced. Build into an empty"
                " directory, and compare",
                files=", ".join(differing),
            )
        )
    if failed:
        raise typer.Exit(ExitCode.REFUSED)


def _build_all(
    installation: "Installation",
    month: Month,
    recipients: Sequence[Recipient],
    output: Path,
    draft: bool,
) -> list[Facts]:
    """Build each statement. One that cannot be built does not stop the others."""
    statements = installation.statements
    if not draft:
        statements.require_ended(month)
    counts = statements.count_decisions(month)
    total = sum(counts.get(each.code, 0) for each in recipients)
    with progress_bar() as progress:
        task = progress.add_task(translate("decisions"), total=total)
        rows: list[Facts] = []
        failures: list[OperatorError] = []
        for each in recipients:
            try:
                built = statements.build(
                    month,
                    each,
                    output,
                    draft=draft,
                    report=lambda lines: progress.advance(task, lines),
                )
            except OperatorError as error:
                failures.append(error)
                rows.append(_row_without(each, month, draft, "FAILED", str(error)))
            else:
                rows.append(_row(built))
    if rows and len(failures) == len(rows) and (len(rows) == 1 or _all_unavailable(failures)):
        raise failures[0]
    return rows


def _all_unavailable(failures: Sequence[OperatorError]) -> bool:
    return all(isinstance(each, OperatorUnavailableError) for each in failures)


@app.command(
    epilog=examples(
        "makul month show 2026-10 --output /srv/makul/months",
        "makul month show 2026-10 --recipient COM/60000001 --output /srv/makul/months --json",
    )
)
def show(
    ctx: typer.Context,
    *,
    month: InMonth = None,
    output: Directory,
    recipient: OfRecipient = None,
    draft: Draft = False,
    as_json: AsJson = False,
) -> None:
    """Show written statements: their totals and exceptions. Only a verified head is shown.

    With --recipient it shows one statement in full, otherwise a line for each. A recipient
    without a statement in that month, for example one that was registered later, is MISSING.
    """
    with open_installation(ctx) as installation:
        wanted = read_month_option(month, installation)
        recipients = _recipients(installation, recipient)
        if recipient is not None:
            code = recipients[0].code
            found = installation.statements.show(wanted, code, output, draft=draft)
            _show_one(found.statement, as_json=as_json)
            return
        rows = [_written_row(installation, wanted, each, output, draft) for each in recipients]
    show_rows(
        rows,
        columns=(
            "recipient",
            "state",
            "draft",
            "lines",
            "disclosures",
            "subjects",
            "exceptions",
            "built_at",
        ),
        as_json=as_json,
        empty=translate("No recipient is registered."),
    )


@app.command(
    epilog=examples(
        "makul month verify months/2026-10/COM-60000001/statement.xml",
        "makul month verify statement.xml --certificate operator.pem --json",
    )
    + f"\n\n{_VERIFY_CODES}"
)
def verify(
    ctx: typer.Context,
    files: Annotated[
        list[Path],
        typer.Argument(
            metavar="FILE...",
            help="The statement.xml of each statement. Its pages must be beside it.",
            show_default=False,
        ),
    ],
    *,
    certificate: Annotated[
        list[Path] | None,
        typer.Option(
            help="The operator's certificate, PEM; may be repeated. By default those of the"
            " settings, without those of compromised keys."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Verify statements offline: the signature, the schema, every page, and the totals.

    What the lines prove is counted again: decisions, disclosures, operations, outcomes, grounds,
    days, attributes and exceptions. Each line must be of the month and in order. Not verified,
    because the lines do not have it: subjects, repetitions, purposes, reasons of refusals,
    agreements, and whether the decisions are in the log.
    """
    current = session(ctx)
    rows: list[Facts] = []
    for file in files:
        why, statement = None, None
        try:
            statement = current.runtime.verify_statement(current.config, file, certificate or [])
        except FileError as error:
            why = str(error)
        except OperatorError as error:
            if type(error) is not OperatorError:
                raise
            why = str(error)
        rows.append(_verification_row(file, statement, why))
    show_rows(
        rows,
        columns=("file", "result", "month", "recipient", "draft", "lines", "why"),
        as_json=as_json,
        empty="",
    )
    if any(row["result"] == "FAILED" for row in rows):
        raise typer.Exit(ExitCode.REFUSED)


def _verification_row(file: Path, statement: MonthlyStatement | None, why: str | None) -> Facts:
    return {
        "file": str(file),
        "result": "FAILED" if statement is None else "PASSED",
        "month": None if statement is None else str(statement.month),
        "recipient": None if statement is None else statement.recipient,
        "draft": None if statement is None else statement.draft,
        "lines": None if statement is None else statement.totals.lines,
        "why": why,
    }


def _recipients(installation: "Installation", code: str | None) -> Sequence[Recipient]:
    if code is not None:
        return [require_recipient(installation, code)]
    return installation.registry.recipients()


def _written_row(
    installation: "Installation", month: Month, recipient: Recipient, output: Path, draft: bool
) -> Facts:
    try:
        return _row(installation.statements.show(month, recipient.code, output, draft=draft))
    except MissingStatementError as error:
        return _row_without(recipient, month, draft, "MISSING", str(error))


def _row_without(recipient: Recipient, month: Month, draft: bool, state: str, why: str) -> Facts:
    """Return the row of a recipient that has no statement."""
    return {
        **dict.fromkeys(_ROW),
        "recipient": recipient.code,
        "month": str(month),
        "draft": draft,
        "state": state,
        "why": why,
    }


def _row(built: "BuiltStatement") -> Facts:
    statement = built.statement
    totals = statement.totals
    return {
        "recipient": statement.recipient,
        "month": str(statement.month),
        "draft": statement.draft,
        "state": built.state.value,
        "built_at": instant(statement.built_at),
        "lines": totals.lines,
        "disclosures": totals.disclosures,
        "subjects": totals.subjects,
        "repetitions": totals.repetitions,
        "pages": len(statement.pages),
        "exceptions": sum(count for _, count in totals.exceptions),
        "file": str(built.file),
        "why": None,
    }


def _show_one(statement: MonthlyStatement, *, as_json: bool) -> None:
    totals = statement.totals
    facts: Facts = {
        "month": str(statement.month),
        "draft": statement.draft,
        "operator": statement.operator,
        "recipient": statement.recipient,
        "name": statement.recipient_name,
        "agreements": list(statement.agreements),
        "built_at": instant(statement.built_at),
        "lines": totals.lines,
        "disclosures": totals.disclosures,
        "subjects": totals.subjects,
        "repetitions": totals.repetitions,
        "pages": len(statement.pages),
    }
    counted = {
        "operations": totals.operations,
        "outcomes": totals.outcomes,
        "grounds": totals.grounds,
        "purposes": totals.purposes,
        "days": totals.days,
        "attributes": totals.attributes,
        "refusals": totals.refusals,
        "exceptions": totals.exceptions,
    }
    listed: list[Facts] = [
        {
            "disclosure_id": str(each.disclosure_id),
            "kind": each.kind,
            "fact": each.fact,
            "attribute": each.attribute,
        }
        for each in statement.exceptions
    ]
    if as_json:
        by_name = {name: dict(pairs) for name, pairs in counted.items()}
        show_json({**facts, "totals": by_name, "listed_exceptions": listed})
        return
    lists = {name: [f"{key} {count:,}" for key, count in pairs] for name, pairs in counted.items()}
    show_facts({**facts, **lists}, as_json=False)
    typer.echo()
    show_rows(
        listed,
        columns=("kind", "fact", "attribute", "disclosure_id"),
        as_json=False,
        empty=translate("No exception was found."),
    )


app.registered_commands.extend(month_closing.app.registered_commands)
app.registered_commands.extend(month_questions.app.registered_commands)
month_report.add_to(app)
month_sample.add_to(app)
