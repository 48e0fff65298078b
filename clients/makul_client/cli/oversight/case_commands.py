"""The commands of cases: open, list, show, refer, acknowledge, and get the evidence (cl. 12)."""

from datetime import date, datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID, uuid4

import typer

from makul_client.cli.options import AsJson, ReceiptOut, RequestId, as_typed, officer_examples
from makul_client.cli.output import local_time, print_json, print_line, print_pairs
from makul_client.cli.oversight.act_sequence import (
    ActOptions,
    Justification,
    carry_out,
    require_justification,
)
from makul_client.cli.oversight.session import (
    Apply,
    PlannedAct,
    open_oversight_client,
    stored_receipt,
)
from makul_client.cli.progress_bar import bar_of_bytes
from makul_client.cli.run import report_errors
from makul_client.models.cases import CaseAct, CaseSummary, ReadCases
from makul_client.translation import translate

case_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Handle the cases about recipients."
)

CaseId = Annotated[UUID, typer.Argument(metavar="ID", help="The id of the case.")]
_DAY = ["%Y-%m-%d"]


@case_app.callback()
def case() -> None:
    """Handle the cases about recipients."""


@case_app.command("list", epilog=officer_examples("makul-oversight case list --json"))
def list_all(
    ctx: typer.Context,
    *,
    request_id: RequestId = None,
    receipt: ReceiptOut = None,
    as_json: AsJson = False,
) -> None:
    """List the newest 1,000 cases that you may know of.

    The data-protection body sees a case from its referral on. The reading is recorded.
    """
    new_id = request_id or uuid4()
    with (
        report_errors(as_json=as_json) as run,
        open_oversight_client(ctx) as client,
        stored_receipt(client.profile, receipt, new_id) as keep,
    ):
        found = client.cases(request_id=run.begin_request(new_id))
        with keep(found.act):
            if as_json:
                print_json(found)
            elif not found.cases:
                print_line(translate("There are no cases."))
            else:
                _print_cases(found)


@case_app.command(
    epilog=officer_examples("makul-oversight case show 7d9a3c1e-0000-4000-8000-0000000000c1")
)
def show(
    ctx: typer.Context,
    *,
    case_id: CaseId,
    request_id: RequestId = None,
    receipt: ReceiptOut = None,
    as_json: AsJson = False,
) -> None:
    """Show a case with its steps and the digests of its evidence files."""
    new_id = request_id or uuid4()
    with (
        report_errors(as_json=as_json) as run,
        open_oversight_client(ctx) as client,
        stored_receipt(client.profile, receipt, new_id) as keep,
    ):
        found = client.case(case_id, request_id=run.begin_request(new_id))
        with keep(found.act):
            if as_json:
                print_json(found)
            else:
                _print_case(found)


@case_app.command(
    "open",
    epilog=officer_examples(
        "makul-oversight case open COM/60000001 --from 2026-10-01 --to 2026-10-31"
        " --justification 'Check of October'",
        "makul-oversight case open --case 7d9a3c1e-0000-4000-8000-0000000000c1"
        " --justification 'Check of October'",
    ),
)
def open_case(
    ctx: typer.Context,
    *,
    recipient: Annotated[
        str | None, typer.Argument(help="The member code of the recipient of a new case.")
    ] = None,
    begins: Annotated[
        datetime | None, typer.Option("--from", formats=_DAY, help="The first day.")
    ] = None,
    ends: Annotated[
        datetime | None, typer.Option("--to", formats=_DAY, help="The last day, included.")
    ] = None,
    every_decision: Annotated[
        bool, typer.Option("--all", help="Every decision, not only those with an exception.")
    ] = False,
    case_id: Annotated[
        UUID | None, typer.Option("--case", metavar="ID", help="Open this proposed case instead.")
    ] = None,
    justification: Justification = None,
    apply: Apply = False,
    request_id: RequestId = None,
    receipt: ReceiptOut = None,
    as_json: AsJson = False,
) -> None:
    """Open a case about a recipient, or a case that was proposed.

    The operator then builds its evidence file. An officer of the authorised body does it.
    """
    options = ActOptions(apply=apply, request_id=request_id, receipt=receipt, as_json=as_json)
    days = _days(begins, ends)
    if (case_id is None) is not (recipient is not None and days is not None) or (
        case_id is not None and (recipient, days, every_decision) != (None, None, False)
    ):
        raise typer.BadParameter(translate("name RECIPIENT, --from and --to; or only --case"))
    with report_errors(as_json=as_json) as run, open_oversight_client(ctx) as client:
        planned = PlannedAct(
            operation="OpenCase",
            title=translate("open a case"),
            target=recipient or str(case_id),
            justification=require_justification(justification),
        )

        def send(new_id: UUID) -> CaseAct:
            facts = planned.justification
            if case_id is not None:
                return client.decide_case(case_id, justification=facts, request_id=new_id)
            return client.open_case(
                planned.target,
                days or (date.min, date.min),
                justification=facts,
                every_decision=every_decision,
                request_id=new_id,
            )

        carry_out(run, client, planned, options, send=send, describe=_describe)


@case_app.command(
    epilog=officer_examples(
        "makul-oversight case dismiss 7d9a3c1e-0000-4000-8000-0000000000c1"
        " --justification 'The consents were shown on paper'"
    )
)
def dismiss(
    ctx: typer.Context,
    *,
    case_id: CaseId,
    justification: Justification = None,
    apply: Apply = False,
    request_id: RequestId = None,
    receipt: ReceiptOut = None,
    as_json: AsJson = False,
) -> None:
    """Dismiss a proposed or open case. It stays in the list with the reason."""
    options = ActOptions(apply=apply, request_id=request_id, receipt=receipt, as_json=as_json)
    with report_errors(as_json=as_json) as run, open_oversight_client(ctx) as client:
        planned = PlannedAct(
            operation="OpenCase",
            title=translate("dismiss a case"),
            target=str(case_id),
            justification=require_justification(justification),
        )
        carry_out(
            run,
            client,
            planned,
            options,
            send=lambda new_id: client.decide_case(
                case_id, dismiss=True, justification=planned.justification, request_id=new_id
            ),
            describe=_describe,
        )


@case_app.command(
    epilog=officer_examples(
        "makul-oversight case refer 7d9a3c1e-0000-4000-8000-0000000000c1"
        " --justification 'No consent was shown'"
    )
)
def refer(
    ctx: typer.Context,
    *,
    case_id: CaseId,
    justification: Justification = None,
    apply: Apply = False,
    request_id: RequestId = None,
    receipt: ReceiptOut = None,
    as_json: AsJson = False,
) -> None:
    """Refer an open case with its evidence file to the data-protection body.

    The evidence file never changes afterwards, and the case cannot be dismissed.
    """
    options = ActOptions(apply=apply, request_id=request_id, receipt=receipt, as_json=as_json)
    with report_errors(as_json=as_json) as run, open_oversight_client(ctx) as client:
        planned = PlannedAct(
            operation="ReferCase",
            title=translate("refer a case to the data-protection body"),
            target=str(case_id),
            justification=require_justification(justification),
        )
        carry_out(
            run,
            client,
            planned,
            options,
            send=lambda new_id: client.refer_case(
                case_id, justification=planned.justification, request_id=new_id
            ),
            describe=_describe,
        )


@case_app.command(
    epilog=officer_examples(
        "makul-oversight case acknowledge 7d9a3c1e-0000-4000-8000-0000000000c1 --note 'Number 77'"
    )
)
def acknowledge(
    ctx: typer.Context,
    *,
    case_id: CaseId,
    note: Annotated[
        str | None, typer.Option(help="A note for the authorised body. No data of a person.")
    ] = None,
    apply: Apply = False,
    request_id: RequestId = None,
    receipt: ReceiptOut = None,
    as_json: AsJson = False,
) -> None:
    """Acknowledge that your body, the data-protection body, received a referred case."""
    options = ActOptions(apply=apply, request_id=request_id, receipt=receipt, as_json=as_json)
    stated = as_typed(note)
    with report_errors(as_json=as_json) as run, open_oversight_client(ctx) as client:
        planned = PlannedAct(
            operation="AcknowledgeCase",
            title=translate("acknowledge a case"),
            target=str(case_id),
            justification=stated or "",
        )
        carry_out(
            run,
            client,
            planned,
            options,
            send=lambda new_id: client.acknowledge_case(case_id, note=stated, request_id=new_id),
            describe=_describe,
        )


@case_app.command(
    epilog=officer_examples(
        "makul-oversight case evidence 7d9a3c1e-0000-4000-8000-0000000000c1 --out case.asice",
        "makul case verify case.asice --certificate operator.pem",
    )
)
def evidence(
    ctx: typer.Context,
    *,
    case_id: CaseId,
    out: Annotated[Path, typer.Option(metavar="FILE", help="The new file, *.asice.")],
    as_json: AsJson = False,
) -> None:
    """Get the evidence file of a case. After an interruption the same command continues.

    The file gets its name only when it is complete and has the digest of the case. Only you can
    read it: it holds personal data. Each part that is read is recorded.
    """
    with report_errors(as_json=as_json), open_oversight_client(ctx) as client:
        with bar_of_bytes() as report:
            saved = client.save_evidence(case_id, out, report=report)
        if as_json:
            print_json(saved)
            return
        print_pairs(
            translate("{file}: the evidence file is complete.", file=out),
            [
                (translate("bytes"), f"{saved.size:,}"),
                (translate("digest"), saved.digest.hex()),
            ],
        )


def _days(begins: datetime | None, ends: datetime | None) -> tuple[date, date] | None:
    return None if begins is None or ends is None else (begins.date(), ends.date())


def _describe(done: CaseAct) -> tuple[str, list[tuple[str, str]]]:
    sentence = translate(
        "The case {case_id} is {state} now.", case_id=done.case_id, state=done.case_state
    )
    return sentence, [(translate("state"), done.case_state)]


def _print_cases(found: ReadCases) -> None:
    """Print a line for each case: a table would cut the ids in 80 columns."""
    for each in found.cases:
        days = f"{each.first_day}/{each.last_day}"
        print_line("  ".join((str(each.case_id), each.recipient, days, each.case_state)))


def _print_case(found: ReadCases) -> None:
    (summary,) = found.cases
    print_pairs(translate("Case {case_id}", case_id=summary.case_id), _rows(summary))
    print_line("")
    for step in found.steps:
        print_line(f"{local_time(step.at)}  {step.kind}  {step.party}  {step.text or ''}".rstrip())
        if step.evidence_digest is not None:
            print_line(f"  {step.evidence_digest.hex()}")


def _rows(summary: CaseSummary) -> list[tuple[str, str]]:
    rows = [
        (translate("recipient"), summary.recipient),
        (translate("first day"), summary.first_day.isoformat()),
        (translate("last day"), summary.last_day.isoformat()),
        (translate("scope"), summary.scope),
        (translate("state"), summary.case_state),
    ]
    if summary.evidence_digest is not None:
        rows += [
            (translate("digest"), summary.evidence_digest.hex()),
            (translate("bytes"), f"{summary.evidence_bytes or 0:,}"),
        ]
    return rows
