"""The commands by which the authorised body takes rights away: cut-off and terminate (cl. 12)."""

from collections.abc import Iterable
from typing import Annotated
from uuid import uuid4

import typer

from makul_client.cli.options import AsJson, ReceiptOut, RequestId, as_typed, examples
from makul_client.cli.output import local_time, print_json, print_line, print_pairs
from makul_client.cli.oversight.session import (
    Apply,
    PlannedAct,
    open_oversight_client,
    stored_receipt,
)
from makul_client.cli.prompts import ask
from makul_client.cli.run import report_errors
from makul_client.models.acts import Act, Termination
from makul_client.translation import translate

act_app = typer.Typer(rich_markup_mode=None)
"""Commands of the program itself: `makul_client.cli.oversight.main` adds them without a name."""

Justification = Annotated[
    str | None,
    typer.Option(
        help="The facts on which the act rests, recorded permanently. Write no data of a person."
    ),
]


@act_app.command(
    epilog=examples(
        "makul-oversight cut-off COM/60000001 --justification 'Data without consent, report 14'",
        "makul-oversight cut-off COM/60000001 --justification 'Report 14' --apply --receipt r.xml",
    )
)
def cut_off(
    ctx: typer.Context,
    *,
    recipient: Annotated[str, typer.Argument(help="The member code of the recipient.")],
    justification: Justification = None,
    apply: Apply = False,
    request_id: RequestId = None,
    receipt: ReceiptOut = None,
    as_json: AsJson = False,
) -> None:
    """Stop a recipient completely.

    Nothing that is decided afterwards gives the recipient anything (cl. 12). One officer of the
    authorised body is enough.
    """
    with report_errors(as_json=as_json) as run, open_oversight_client(ctx) as client:
        planned = PlannedAct(
            operation="CutOffRecipient",
            title=translate("stop a recipient completely, at once"),
            target=recipient,
            justification=_require_justification(justification),
        )
        planned.require_confirmation(client.profile, apply=apply, as_json=as_json)
        new_id = request_id or uuid4()
        with stored_receipt(client.profile, receipt, new_id) as keep:
            done = client.cut_off(
                recipient,
                justification=planned.justification,
                request_id=run.begin_request(new_id),
            )
            with keep(done.act):
                if as_json:
                    print_json(done)
                    return
                print_line(translate("The recipient {code} is cut off.", code=recipient))
                _print_act(done.act, [(translate("state"), done.recipient_state)])


@act_app.command(
    epilog=examples(
        "makul-oversight terminate 2026/001 --justification 'Data passed on, report 15'",
    )
)
def terminate(
    ctx: typer.Context,
    *,
    number: Annotated[str, typer.Argument(help="The number of the agreement.")],
    justification: Justification = None,
    apply: Apply = False,
    request_id: RequestId = None,
    receipt: ReceiptOut = None,
    as_json: AsJson = False,
) -> None:
    """Terminate an agreement permanently.

    Two officers of the authorised body are necessary (cl. 12): the first proposes the termination,
    and another one gives the same command to carry it out. The answer says which was done.
    """
    with report_errors(as_json=as_json) as run, open_oversight_client(ctx) as client:
        planned = PlannedAct(
            operation="TerminateAgreement",
            title=translate("propose the end of an agreement, or end it after another officer"),
            target=number,
            justification=_require_justification(justification),
        )
        planned.require_confirmation(client.profile, apply=apply, as_json=as_json)
        new_id = request_id or uuid4()
        with stored_receipt(client.profile, receipt, new_id) as keep:
            done = client.terminate(
                number,
                justification=planned.justification,
                request_id=run.begin_request(new_id),
            )
            with keep(done.act):
                if as_json:
                    print_json(done)
                    return
                print_line(_describe_termination(done))
                _print_act(done.act, [(translate("state"), done.termination_state)])


def _describe_termination(done: Termination) -> str:
    if done.needs_second_officer:
        return translate(
            "The termination of {number} is proposed. The agreement is still in force: a second"
            " officer must give the same command.",
            number=done.agreement,
        )
    return translate("The agreement {number} is terminated permanently.", number=done.agreement)


def _require_justification(typed: str | None) -> str:
    """Return the justification from the option, or from a prompt at a terminal."""
    stated = as_typed(typed) or ask(translate("Justification"), instead="--justification")
    if not stated.strip():
        raise typer.BadParameter(translate("--justification: state the facts of the case"))
    return stated


def _print_act(act: Act, rows: Iterable[tuple[str, str]]) -> None:
    """Print what proves an act: its id in the ledger, its moment, and who signed the receipt."""
    print_pairs(
        translate("Recorded, and proved by the operator's receipt"),
        [
            *rows,
            (translate("act"), str(act.act_id)),
            (translate("request"), str(act.request_id)),
            (translate("decided at"), local_time(act.decided_at)),
            (translate("operator"), act.receipt.operator),
        ],
    )
