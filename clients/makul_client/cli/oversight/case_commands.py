"""The commands of cases: open, list, show, refer, acknowledge, and get the evidence (cl. 12)."""

from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Annotated
from uuid import UUID, uuid4

import typer

from makul_client.cli.option_groups import with_groups
from makul_client.cli.options import AsJson, ReceiptOut, RequestId, as_typed, officer_examples
from makul_client.cli.output import local_time, print_json, print_line, print_pairs
from makul_client.cli.oversight.act_sequence import (
    ActOptions,
    Justification,
    carry_out,
    require_justification,
)
from makul_client.cli.oversight.session import (
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
NewCaseRecipient = Annotated[
    str | None, typer.Argument(help="The member code of the recipient of a new case.")
]
_DAY = ["%Y-%m-%d"]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseScope:
    """The options that say which case is opened: a new one of some days, or a proposed one."""

    begins: Annotated[
        datetime | None, typer.Option("--from", formats=_DAY, help="The first day.")
    ] = None
    ends: Annotated[
        datetime | None, typer.Option("--to", formats=_DAY, help="The last day, included.")
    ] = None
    every_decision: Annotated[
        bool, typer.Option("--all", help="Every decision, not only those with an exception.")
    ] = False
    case_id: Annotated[
        UUID | None, typer.Option("--case", metavar="ID", help="Open this proposed case instead.")
    ] = None

    @property
    def days(self) -> tuple[date, date]:
        """The first and the last day of a new case."""
        if self.begins is None or self.ends is None:
            raise TypeError("the options were checked before")
        return self.begins.date(), self.ends.date()

    def require_one_case(self, recipient: str | None) -> None:
        """Raise `typer.BadParameter` unless the options name a new case or a proposed one."""
        of_new = (recipient is not None, self.begins is not None, self.ends is not None)
        is_new = all(of_new) and self.case_id is None
        is_proposed = self.case_id is not None and not any((*of_new, self.every_decision))
        if not is_new and not is_proposed:
            raise typer.BadParameter(translate("name RECIPIENT, --from and --to; or only --case"))


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
@with_groups
def open_case(
    ctx: typer.Context,
    *,
    recipient: NewCaseRecipient = None,
    scope: CaseScope,
    justification: Justification = None,
    options: ActOptions,
) -> None:
    """Open a case about a recipient, or a case that was proposed.

    The operator then builds its evidence file. An officer of the authorised body does it.
    """
    scope.require_one_case(recipient)
    with report_errors(as_json=options.as_json) as run, open_oversight_client(ctx) as client:
        planned = PlannedAct(
            operation="OpenCase",
            title=translate("open a case"),
            target=recipient or str(scope.case_id),
            justification=require_justification(justification),
        )

        def send(new_id: UUID) -> CaseAct:
            facts = planned.justification
            if scope.case_id is not None:
                return client.decide_case(scope.case_id, justification=facts, request_id=new_id)
            return client.open_case(
                planned.target,
                scope.days,
                justification=facts,
                every_decision=scope.every_decision,
                request_id=new_id,
            )

        carry_out(run, client, planned, options, send=send, describe=_describe)


@case_app.command(
    epilog=officer_examples(
        "makul-oversight case dismiss 7d9a3c1e-0000-4000-8000-0000000000c1"
        " --justification 'The consents were shown on paper'"
    )
)
@with_groups
def dismiss(
    ctx: typer.Context,
    *,
    case_id: CaseId,
    justification: Justification = None,
    options: ActOptions,
) -> None:
    """Dismiss a proposed or open case. It stays in the list with the reason."""
    with report_errors(as_json=options.as_json) as run, open_oversight_client(ctx) as client:
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
@with_groups
def refer(
    ctx: typer.Context,
    *,
    case_id: CaseId,
    justification: Justification = None,
    options: ActOptions,
) -> None:
    """Refer an open case with its evidence file to the data-protection body.

    The evidence file never changes afterwards, and the case cannot be dismissed.
    """
    with report_errors(as_json=options.as_json) as run, open_oversight_client(ctx) as client:
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
@with_groups
def acknowledge(
    ctx: typer.Context,
    *,
    case_id: CaseId,
    note: Annotated[
        str | None, typer.Option(help="A note for the authorised body. No data of a person.")
    ] = None,
    options: ActOptions,
) -> None:
    """Acknowledge that your body, the data-protection body, received a referred case."""
    stated = as_typed(note)
    with report_errors(as_json=options.as_json) as run, open_oversight_client(ctx) as client:
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
