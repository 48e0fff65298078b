"""The commands about the rights of a recipient: cut-off, reinstate and terminate (cl. 12)."""

from typing import Annotated

import typer

from makul_client.cli.option_groups import with_groups
from makul_client.cli.options import officer_examples
from makul_client.cli.oversight.act_sequence import (
    ActOptions,
    Justification,
    carry_out,
    require_justification,
)
from makul_client.cli.oversight.session import (
    PlannedAct,
    open_oversight_client,
)
from makul_client.cli.run import report_errors
from makul_client.models.acts import Reinstatement, Termination
from makul_client.translation import translate

act_app = typer.Typer(rich_markup_mode=None)
"""Commands of the program itself: `makul_client.cli.oversight.main` adds them without a name."""


@act_app.command(
    epilog=officer_examples(
        "makul-oversight cut-off COM/60000001 --justification 'Data without consent, report 14'",
        "makul-oversight cut-off COM/60000001 --justification 'Report 14' --apply --receipt r.xml",
    )
)
@with_groups
def cut_off(
    ctx: typer.Context,
    *,
    recipient: Annotated[str, typer.Argument(help="The member code of the recipient.")],
    justification: Justification = None,
    options: ActOptions,
) -> None:
    """Stop a recipient completely.

    Nothing that is decided afterwards gives the recipient anything (cl. 12). One officer of the
    authorised body is enough.
    """
    with report_errors(as_json=options.as_json) as run, open_oversight_client(ctx) as client:
        planned = PlannedAct(
            operation="CutOffRecipient",
            title=translate("stop a recipient completely, at once"),
            target=recipient,
            justification=require_justification(justification),
        )
        carry_out(
            run,
            client,
            planned,
            options,
            send=lambda new_id: client.cut_off(
                recipient, justification=planned.justification, request_id=new_id
            ),
            describe=lambda done: (
                translate("The recipient {code} is cut off.", code=recipient),
                [(translate("state"), done.recipient_state)],
            ),
        )


@act_app.command(
    epilog=officer_examples(
        "makul-oversight reinstate COM/60000001 --justification 'The cause is removed, report 21'",
    )
)
@with_groups
def reinstate(
    ctx: typer.Context,
    *,
    recipient: Annotated[str, typer.Argument(help="The member code of the recipient.")],
    justification: Justification = None,
    options: ActOptions,
) -> None:
    """End the complete stop of a recipient.

    Two officers of the authorised body are necessary, one of them its head (cl. 12): the first
    proposes it, and another one gives the same command to carry it out. A terminated agreement
    stays terminated.
    """
    with report_errors(as_json=options.as_json) as run, open_oversight_client(ctx) as client:
        planned = PlannedAct(
            operation="ReinstateRecipient",
            title=translate("propose the end of a complete stop, or end it after another officer"),
            target=recipient,
            justification=require_justification(justification),
        )
        carry_out(
            run,
            client,
            planned,
            options,
            send=lambda new_id: client.reinstate(
                recipient, justification=planned.justification, request_id=new_id
            ),
            describe=lambda done: (
                _describe_reinstatement(done),
                [(translate("state"), done.reinstatement_state)],
            ),
        )


@act_app.command(
    epilog=officer_examples(
        "makul-oversight terminate 2026/001 --justification 'Data passed on, report 15'",
    )
)
@with_groups
def terminate(
    ctx: typer.Context,
    *,
    number: Annotated[str, typer.Argument(help="The number of the agreement.")],
    justification: Justification = None,
    options: ActOptions,
) -> None:
    """Terminate an agreement permanently.

    Two officers of the authorised body are necessary (cl. 12): the first proposes the termination,
    and another one gives the same command to carry it out. The answer says which was done.
    """
    with report_errors(as_json=options.as_json) as run, open_oversight_client(ctx) as client:
        planned = PlannedAct(
            operation="TerminateAgreement",
            title=translate("propose the end of an agreement, or end it after another officer"),
            target=number,
            justification=require_justification(justification),
        )
        carry_out(
            run,
            client,
            planned,
            options,
            send=lambda new_id: client.terminate(
                number, justification=planned.justification, request_id=new_id
            ),
            describe=lambda done: (
                _describe_termination(done),
                [(translate("state"), done.termination_state)],
            ),
        )


def _describe_reinstatement(done: Reinstatement) -> str:
    if done.needs_second_officer:
        return translate(
            "The end of the stop of {code} is proposed. The recipient is still cut off: a second"
            " officer must give the same command.",
            code=done.recipient,
        )
    return translate("The recipient {code} is active again.", code=done.recipient)


def _describe_termination(done: Termination) -> str:
    if done.needs_second_officer:
        return translate(
            "The termination of {number} is proposed. The agreement is still in force: a second"
            " officer must give the same command.",
            number=done.agreement,
        )
    return translate("The agreement {number} is terminated permanently.", number=done.agreement)
