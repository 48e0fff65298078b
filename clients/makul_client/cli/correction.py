"""`makul-client correction`: report wrong data, and acknowledge corrections (cl. 14)."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import typer

from makul_client.cli.confirmation import require_confirmation
from makul_client.cli.correction_output import print_corrections
from makul_client.cli.month_options import Sending
from makul_client.cli.option_groups import with_groups
from makul_client.cli.options import AsJson, Employee, ProfileFile, as_typed, examples
from makul_client.cli.output import local_time, print_json, print_line, print_pairs
from makul_client.cli.run import open_client, receipt_in, report_errors
from makul_client.translation import translate

correction_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Report wrong data that you were given, and acknowledge corrections (cl. 14).",
)


class Kind(StrEnum):
    """What is wrong with a value."""

    WRONG = "WRONG"
    OUT_OF_DATE = "OUT_OF_DATE"


CorrectionId = Annotated[UUID, typer.Argument(metavar="ID", help="The id of the correction.")]
_ID = "7d9a3c1e-0000-4000-8000-0000000000f1"


@correction_app.callback()
def correction() -> None:
    """Report wrong data that you were given, and acknowledge corrections (cl. 14)."""


@correction_app.command(
    epilog=examples(
        "makul-client correction report 7d9a3c1e-0000-4000-8000-0000000000d1 address"
        " --kind OUT_OF_DATE --justification 'the customer showed another address'"
    )
)
@with_groups
def report(
    *,
    profile: ProfileFile,
    disclosure: Annotated[
        UUID, typer.Argument(metavar="DISCLOSURE_ID", help="The answer that gave the value.")
    ],
    attribute: Annotated[str, typer.Argument(help="The attribute, such as address.")],
    kind: Annotated[Kind, typer.Option(help="What is wrong.")] = Kind.WRONG,
    justification: Annotated[str, typer.Option(help="What is wrong, and how you know it.")],
    proposed: Annotated[str | None, typer.Option(help="The right value, if you know it.")] = None,
    sending: Sending,
) -> None:
    """Report that a value which you were given is wrong or out of date.

    You need no PIN: the operator finds the person by your disclosure.
    """
    with report_errors(as_json=sending.as_json) as run, open_client(profile) as client:
        _confirm(sending, translate("report a value"), str(disclosure), (attribute, kind.value))
        with receipt_in(sending.receipt) as keep:
            done = client.corrections.report(
                disclosure,
                attribute,
                kind=kind.value,
                justification=as_typed(justification) or "",
                proposed=as_typed(proposed),
                context=sending.begin(run),
            )
            with keep(done.act):
                if sending.as_json:
                    print_json(done)
                    return
                print_line(
                    translate(
                        "Reported as {correction}. There is a result before {time}.",
                        correction=done.correction_id,
                        time=local_time(done.resolve_by),
                    )
                )


@correction_app.command(
    epilog=examples("makul-client correction show", f"makul-client correction show {_ID}")
)
def show(
    *,
    profile: ProfileFile,
    correction_id: Annotated[
        UUID | None, typer.Argument(metavar="ID", help="Default: all that concern you.")
    ] = None,
    employee: Employee = None,
    as_json: AsJson = False,
) -> None:
    """Show your reports, and the corrections of values that you were given. No value is shown."""
    with report_errors(as_json=as_json) as run, open_client(profile) as client:
        context = run.inquire(employee=employee)
        found = (
            client.corrections.all(context=context)
            if correction_id is None
            else client.corrections.one(correction_id, context=context)
        )
        if as_json:
            print_json(found)
        else:
            print_corrections(found)


@correction_app.command(epilog=examples(f"makul-client correction acknowledge {_ID}"))
@with_groups
def acknowledge(*, profile: ProfileFile, correction_id: CorrectionId, sending: Sending) -> None:
    """Confirm that you no longer use the wrong value, and informed those who have it from you."""
    with report_errors(as_json=sending.as_json) as run, open_client(profile) as client:
        _confirm(sending, translate("acknowledge a correction"), str(correction_id), ())
        with receipt_in(sending.receipt) as keep:
            done = client.corrections.acknowledge(correction_id, context=sending.begin(run))
            with keep(done.act):
                if sending.as_json:
                    print_json(done)
                    return
                print_line(
                    translate("Acknowledged at {time}.", time=local_time(done.acknowledged_at))
                )


def _confirm(sending: Sending, title: str, target: str, facts: Sequence[str]) -> None:
    """Return if the user agrees. Otherwise end the run; nothing was sent."""

    def preview() -> None:
        if sending.as_json:
            print_json({"target": target, "facts": list(facts), "applied": False})
            return
        rows = [(translate("target"), target)]
        print_pairs(translate("Would do: {act}", act=title), rows + [("", each) for each in facts])

    require_confirmation(target, preview, apply=sending.apply, as_json=sending.as_json)
