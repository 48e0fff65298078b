"""`makul disclosure`: decisions, and what was released under them (Procedure, cl. 10 and 11)."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from makul.admin.errors import OperatorError
from makul.app.ports import DisclosureRow, ExportOptions, MonthCount, RepetitionRow
from makul.cli.context import AsJson, examples, member_code, open_installation
from makul.cli.disclosure_export import ExportFormat, destination, write_all
from makul.cli.output import Facts, instant, progress_bar, show_facts, show_rows
from makul.domain.identifiers import MemberCode
from makul.domain.months import MalformedMonthError, Month, parse_month
from makul.language.translation import translate

if TYPE_CHECKING:
    from makul.admin.installation import Installation

app = typer.Typer(
    no_args_is_help=True, help="List, show, count and export decisions (cl. 10 and 11)."
)

InMonth = Annotated[
    str,
    typer.Option(
        "--month", metavar="YYYY-MM", help="A month of the calendar of the Kyrgyz Republic."
    ),
]
OfRecipient = Annotated[
    str | None, typer.Option("--recipient", metavar="CODE", help="Include only this member code.")
]


@app.command(
    "list",
    epilog=examples(
        "makul disclosure list",
        "makul disclosure list --recipient COM/60000001 --since 2026-11-01 --limit 500 --json",
    ),
)
def list_recent(
    ctx: typer.Context,
    *,
    recipient: OfRecipient = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            help="Include only later entries, from this instant (UTC).",
            formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"],
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Maximum number of entries.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List decisions, the latest first. PINs are masked."""
    recipient_code = _code(recipient)
    from_instant = since.replace(tzinfo=UTC) if since is not None else None
    with open_installation(ctx) as installation:
        disclosures = installation.registry.disclosures(
            recipient=recipient_code, since=from_instant, limit=limit
        )
    show_rows(
        [_row(row) for row in disclosures],
        columns=("decided_at", "recipient", "operation", "outcome", "codes", "disclosure_id"),
        as_json=as_json,
        empty=translate("No decision is recorded."),
    )


@app.command(epilog=examples("makul disclosure show 01933f2c-7b1e-7c52-9d0a-0c8f3f0e6a11"))
def show(
    ctx: typer.Context,
    *,
    disclosure_id: Annotated[
        UUID, typer.Argument(metavar="ID", help="An id from `disclosure list`.")
    ],
    as_json: AsJson = False,
) -> None:
    """Show one decision. The PIN is masked; released attributes are named without their values."""
    with open_installation(ctx) as installation:
        disclosure = installation.registry.disclosure(disclosure_id)
        repetition_rows = installation.registry.repetitions(
            disclosure_id=disclosure_id, limit=10_000
        )
    if disclosure is None:
        raise OperatorError(
            translate(
                "no decision {disclosure_id} is recorded; see: makul disclosure list",
                disclosure_id=disclosure_id,
            )
        )
    show_facts({**_row(disclosure), "repetitions": len(repetition_rows)}, as_json=as_json)


@app.command(
    epilog=examples(
        "makul disclosure repetitions",
        "makul disclosure repetitions --of 01933f2c-7b1e-7c52-9d0a-0c8f3f0e6a11 --json",
    )
)
def repetitions(
    ctx: typer.Context,
    *,
    recipient: OfRecipient = None,
    of: Annotated[
        UUID | None,
        typer.Option("--of", metavar="ID", help="Include only repetitions of this decision."),
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            help="Include only later entries, from this instant (UTC).",
            formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"],
        ),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="Maximum number of entries.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List stored answers that were repeated, the latest first, with their asker and channel."""
    recipient_code = _code(recipient)
    from_instant = since.replace(tzinfo=UTC) if since is not None else None
    with open_installation(ctx) as installation:
        repetition_rows = installation.registry.repetitions(
            recipient=recipient_code, since=from_instant, disclosure_id=of, limit=limit
        )
    show_rows(
        [_repetition(row) for row in repetition_rows],
        columns=("repeated_at", "recipient", "operation", "employee", "channel", "disclosure_id"),
        as_json=as_json,
        empty=translate("No stored answer was given again."),
    )


@app.command(
    epilog=examples(
        "makul disclosure statistics --month 2026-11",
        "makul disclosure statistics --month 2026-11 --recipient COM/60000001 --json",
    )
)
def statistics(
    ctx: typer.Context,
    *,
    month: InMonth,
    recipient: OfRecipient = None,
    as_json: AsJson = False,
) -> None:
    """Count the decisions of a month by recipient, purpose, outcome and ground (cl. 11)."""
    period, code = _month(month), _code(recipient)
    with open_installation(ctx) as installation:
        counts = _count_disclosures(installation, period, code)
    show_rows(
        [_count(each) for each in counts],
        columns=("recipient", "purpose", "outcome", "ground", "decisions", "repetitions"),
        as_json=as_json,
        empty=translate("No decision of {month} is recorded.", month=period),
    )


@app.command(
    epilog=examples(
        "makul disclosure export --month 2026-11 --output november.csv",
        "makul disclosure export --month 2026-11 --recipient COM/60000001 --format ndjson",
        "makul disclosure export --month 2026-11 --reveal --reason 'monthly check' > month.csv",
    )
)
def export(
    ctx: typer.Context,
    *,
    month: InMonth,
    recipient: OfRecipient = None,
    form: Annotated[
        ExportFormat, typer.Option("--format", help="The format of the exported rows.")
    ] = ExportFormat.CSV,
    output: Annotated[
        Path | None,
        typer.Option(help="A new file that only you can read; by default standard output."),
    ] = None,
    reveal: Annotated[
        bool, typer.Option("--reveal", help="Show PINs in full; requires --reason.")
    ] = False,
    reason: Annotated[
        str | None, typer.Option(help="The reason for the export; it is recorded.")
    ] = None,
) -> None:
    """Export the decisions of a month, the earliest first. PINs are masked.

    The export itself is recorded.
    """
    period, code = _month(month), _code(recipient)
    if reveal and not (reason or "").strip():
        raise OperatorError(
            translate("--reveal needs --reason; say why you look, for it is recorded")
        )
    look = ExportOptions(revealed=reveal, reason=reason)
    with open_installation(ctx) as installation, destination(output) as file:
        total = sum(each.decisions for each in _count_disclosures(installation, period, code))
        rows = installation.registry.export(period, code, look, at=installation.clock())
        with _show_progress(rows, total) as watched:
            written = write_all((_export_row(row, look) for row in watched), file, form)
    if output is not None:
        typer.echo(
            translate(
                "{number:,} decisions of {month} are in {file}",
                number=written,
                month=period,
                file=output,
            ),
            err=True,
        )


@contextmanager
def _show_progress(rows: Iterator[DisclosureRow], total: int) -> Iterator[Iterator[DisclosureRow]]:
    """Yield the rows with a progress bar on stderr if stderr is a terminal."""
    with progress_bar() as progress:
        if progress.disable:
            yield rows
        else:
            yield iter(progress.track(rows, total=total, description=translate("decisions")))


def _count_disclosures(
    installation: "Installation", month: Month, recipient: MemberCode | None
) -> list[MonthCount]:
    return [
        each
        for each in installation.registry.statistics(month)
        if recipient is None or each.recipient == recipient
    ]


def _month(text: str) -> Month:
    try:
        return parse_month(text)
    except MalformedMonthError as error:
        raise OperatorError(f"--month: {translate(str(error))}") from None


def _code(text: str | None) -> MemberCode | None:
    return member_code(text) if text is not None else None


def _count(count: MonthCount) -> Facts:
    return {
        "recipient": count.recipient,
        "purpose": count.purpose,
        "outcome": count.outcome.value,
        "ground": count.ground_kind,
        "decisions": count.decisions,
        "repetitions": count.repetitions,
    }


def _repetition(row: RepetitionRow) -> Facts:
    return {
        "repetition_id": str(row.repetition_id),
        "repeated_at": instant(row.repeated_at),
        "recipient": row.recipient,
        "subsystem": row.asker.subsystem,
        "employee": row.asker.employee,
        "case": row.asker.case_number,
        "channel": row.channel.value,
        "certificate": row.certificate.hex() if row.certificate is not None else None,
        "operation": row.operation.value,
        "request_id": str(row.request_id),
        "disclosure_id": str(row.disclosure_id),
        "leaf": row.leaf_hash.hex(),
    }


def _export_row(row: DisclosureRow, look: ExportOptions) -> Facts:
    subject = row.subject
    if subject is None:
        return _row(row)
    return {**_row(row), "subject": subject.digits if look.revealed else subject.masked}


def _row(row: DisclosureRow) -> Facts:
    return {
        "disclosure_id": str(row.disclosure_id),
        "decided_at": instant(row.decided_at),
        "recipient": row.recipient,
        "request_id": str(row.request_id),
        "operation": row.operation.value,
        "outcome": row.outcome.value,
        "codes": list(row.codes),
        "released": list(row.released),
        "subject": row.subject.masked if row.subject is not None else None,
        "purpose": row.purpose,
        "agreement": row.agreement_number,
        "ground": row.ground_kind,
        "ground_id": str(row.ground_id) if row.ground_id is not None else None,
        "leaf": row.leaf_hash.hex(),
    }
