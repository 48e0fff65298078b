"""`makul correction`: reports of wrong data, and what becomes of them (Procedure, cl. 14)."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer

from makul.admin.errors import OperatorError
from makul.app.ports.corrections import CorrectionDesk, CorrectionView
from makul.cli.context import AsJson, Reason, examples, open_installation, require_reason
from makul.cli.output import Facts, instant, show_facts, show_rows
from makul.cli.person_record import parse_edit
from makul.cli.preview import PreviewedChange, offer_preview
from makul.domain.corrections import (
    Correction,
    CorrectionOutcome,
    judge_dispute,
    judge_entry,
)
from makul.domain.identifiers import MemberCode
from makul.language.translation import mark, translate

app = typer.Typer(
    no_args_is_help=True,
    help="Examine reports of wrong data, and correct the register (Procedure, cl. 14).",
)

OpenOnly = Annotated[bool, typer.Option("--open", help="Only reports without a result.")]
ReportId = Annotated[UUID, typer.Argument(metavar="ID", help="The id of the report.")]


@app.command("list", epilog=examples("makul correction list --open", "makul correction list"))
def list_all(
    ctx: typer.Context,
    *,
    open_only: Annotated[
        bool, typer.Option("--open", help="Only reports without a result.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the newest 1,000 reports with their deadlines. No value and no person is shown."""
    with open_installation(ctx) as installation:
        at = installation.clock()
        found = installation.corrections.everything(open_only=open_only)
        rows = [_row(each, at) for each in found]
    show_rows(
        rows,
        columns=("correction_id", "attribute", "state", "resolve_by", "overdue", "unacknowledged"),
        as_json=as_json,
        empty=translate("There is no such report."),
    )


@app.command(
    epilog=examples("makul correction show 7d9a3c1e-0000-4000-8000-000000000001 --reason 'report'")
)
def show(ctx: typer.Context, *, report: ReportId, reason: Reason, as_json: AsJson = False) -> None:
    """Show a report with its person, its text, and who was given the value. It is recorded."""
    why = require_reason(reason)
    with open_installation(ctx) as installation:
        at = installation.clock()
        found = installation.corrections.read(report, reason=why, at=at)
    if found is None:
        raise OperatorError(translate("there is no such report; see: makul correction list"))
    recalls = found.view.recalls or ()
    show_facts(
        {
            **_row(found.view, at),
            "pin": found.subject.digits,
            "justification": found.justification,
            "proposed_value": found.proposed,
            "recipients": [
                f"{each.recipient} {instant(each.acknowledged_at) or '-'}" for each in recalls
            ],
        },
        as_json=as_json,
    )


@app.command(
    epilog=examples(
        "makul correction dispute 7d9a3c1e-0000-4000-8000-000000000001 --reason 'to be checked'"
    )
)
@offer_preview
def dispute(
    ctx: typer.Context, *, report: ReportId, reason: Reason, change: PreviewedChange
) -> None:
    """Begin to examine a report. The attribute of this person is withheld from now on (REL-02)."""
    why = require_reason(reason)
    with open_installation(ctx) as installation:
        found = _find(installation.corrections, report)
        if judge_dispute(found.correction):
            raise OperatorError(_describe_wrong_state())
        change.apply_or_preview(
            mark("dispute value"),
            _row(found, installation.clock()),
            lambda: installation.corrections.dispute(report, reason=why, at=installation.clock()),
        )


@app.command(
    epilog=examples(
        "makul correction enter 7d9a3c1e-0000-4000-8000-000000000001 address 'Bishkek, …'"
        " --reason 'register of addresses'",
        "makul correction enter 7d9a3c1e-0000-4000-8000-000000000001 surname.ky Асанов"
        " --reason 'birth certificate' --apply",
    )
)
@offer_preview
def enter(
    ctx: typer.Context,
    *,
    report: ReportId,
    field: Annotated[str, typer.Argument(metavar="FIELD", help="A column of `person import`.")],
    value: Annotated[
        str | None,
        typer.Argument(metavar="[VALUE]", help="The value, in the format of `person import`."),
    ] = None,
    clear: Annotated[bool, typer.Option("--clear", help="Remove the value.")] = False,
    reason: Reason,
    change: PreviewedChange,
) -> None:
    """Enter the right value as a new version of the record. The former version is kept.

    The report stays disputed until another person confirms the value: an officer of the authorised
    body (ResolveCorrection), or another operator (`makul correction resolve`). Then every recipient
    that was given the wrong value is informed on its next answer.
    """
    why, edit = require_reason(reason), parse_edit(field, value, clear=clear)
    with open_installation(ctx) as installation:
        found = _find(installation.corrections, report)
        if judge_entry(found.correction, (found.correction,)):
            raise OperatorError(_describe_wrong_state())
        if field.partition(".")[0] != found.correction.attribute:
            raise OperatorError(
                translate(
                    "the report is about {attribute}; name that field",
                    attribute=found.correction.attribute.value,
                )
            )
        change.apply_or_preview(
            mark("enter value"),
            {**_row(found, installation.clock()), "field": field},
            lambda: installation.corrections.enter(
                report, edit, reason=why, at=installation.clock()
            ),
        )


@app.command(
    epilog=examples(
        "makul correction resolve 7d9a3c1e-0000-4000-8000-000000000001 CORRECTED --reason 'checked'"
    )
)
@offer_preview
def resolve(
    ctx: typer.Context,
    *,
    report: ReportId,
    outcome: Annotated[CorrectionOutcome, typer.Argument(help="The result.")],
    reason: Reason,
    change: PreviewedChange,
) -> None:
    """Confirm the value that another operator entered, or reject a report.

    Other open reports of the same value are resolved with it.
    """
    why = require_reason(reason)
    with open_installation(ctx) as installation:
        found = _find(installation.corrections, report)
        settings = installation.settings
        change.apply_or_preview(
            mark("resolve report"),
            {**_row(found, installation.clock()), "resolution": outcome.value},
            lambda: installation.corrections.resolve(
                report,
                outcome,
                settings.corrections.terms,
                operator=MemberCode(settings.operator),
                reason=why,
                at=installation.clock(),
            ),
        )


def _find(desk: CorrectionDesk, report: UUID) -> CorrectionView:
    found = desk.find(report)
    if found is None:
        raise OperatorError(translate("there is no such report; see: makul correction list"))
    return found


def _describe_wrong_state() -> str:
    return translate("the state of this report does not allow that; see: makul correction show")


def _row(view: CorrectionView, at: datetime) -> Facts:
    found = view.correction
    recalls = view.recalls or ()
    return {
        "correction_id": str(found.correction_id),
        "attribute": found.attribute.value,
        "kind": found.kind.value,
        "origin": found.origin.value,
        "reporter": found.reporter,
        "state": found.state.value,
        "reported_at": instant(found.reported_at),
        "resolve_by": instant(found.resolve_by),
        "overdue": _is_late(view, found, at),
        "value_entered": found.entered_at is not None,
        "recalled": len(recalls),
        "unacknowledged": sum(each.acknowledged_at is None for each in recalls),
        "acknowledge_by": instant(found.acknowledge_by),
    }


def _is_late(view: CorrectionView, found: Correction, at: datetime) -> bool:
    return found.is_overdue(at) or any(each.is_overdue(found, at) for each in view.recalls or ())
