"""The commands of corrections for officers: list them, and decide on a report (cl. 14)."""

from enum import StrEnum
from typing import Annotated
from uuid import UUID, uuid4

import typer

from makul_client.cli.correction_output import print_corrections
from makul_client.cli.option_groups import with_groups
from makul_client.cli.options import AsJson, ReceiptOut, RequestId, officer_examples
from makul_client.cli.output import local_time, print_json
from makul_client.cli.oversight.act_sequence import (
    ActOptions,
    Justification,
    carry_out,
    require_justification,
)
from makul_client.cli.oversight.session import PlannedAct, open_oversight_client, stored_receipt
from makul_client.cli.run import report_errors
from makul_client.models.corrections import Resolved
from makul_client.translation import translate

correction_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Decide on reports of wrong data (cl. 14)."
)


class Resolution(StrEnum):
    """How a report is resolved."""

    CORRECTED = "CORRECTED"
    REJECTED = "REJECTED"


@correction_app.callback()
def correction() -> None:
    """Decide on reports of wrong data (cl. 14)."""


@correction_app.command(
    "list", epilog=officer_examples("makul-oversight correction list --open --json")
)
def list_all(
    ctx: typer.Context,
    *,
    open_only: Annotated[
        bool, typer.Option("--open", help="Only reports without a result.")
    ] = False,
    request_id: RequestId = None,
    receipt: ReceiptOut = None,
    as_json: AsJson = False,
) -> None:
    """List the newest 1,000 reports with their deadlines. The reading is recorded."""
    new_id = request_id or uuid4()
    with (
        report_errors(as_json=as_json) as run,
        open_oversight_client(ctx) as client,
        stored_receipt(client.profile, receipt, new_id) as keep,
    ):
        found = client.corrections(open_only=open_only, request_id=run.begin_request(new_id))
        with keep(found.act):
            if as_json:
                print_json(found)
            else:
                print_corrections(found)


@correction_app.command(
    epilog=officer_examples(
        "makul-oversight correction resolve 7d9a3c1e-0000-4000-8000-0000000000f1 CORRECTED"
        " --justification 'the register of addresses confirms it'"
    )
)
@with_groups
def resolve(
    ctx: typer.Context,
    *,
    correction_id: Annotated[UUID, typer.Argument(metavar="ID", help="The id of the report.")],
    resolution: Annotated[Resolution, typer.Argument(help="The result.")],
    justification: Justification = None,
    options: ActOptions,
) -> None:
    """Confirm the value that the operator entered, or reject a report.

    Every recipient that was given the wrong value is then informed on its next answer.
    """
    with report_errors(as_json=options.as_json) as run, open_oversight_client(ctx) as client:
        planned = PlannedAct(
            operation="ResolveCorrection",
            title=translate("decide on a report of wrong data"),
            target=str(correction_id),
            justification=require_justification(justification),
        )

        def describe(done: Resolved) -> tuple[str, list[tuple[str, str]]]:
            rows = [(translate("correction"), str(done.correction_id))]
            if done.acknowledge_by is not None:
                rows.append((translate("acknowledge before"), local_time(done.acknowledge_by)))
            return translate("The report is {state}.", state=done.correction_state), rows

        carry_out(
            run,
            client,
            planned,
            options,
            send=lambda new_id: client.resolve_correction(
                correction_id,
                resolution.value,
                justification=planned.justification,
                request_id=new_id,
            ),
            describe=describe,
        )
