"""The command `makul-client incident report`: a leak or a misuse of data (Procedure, cl. 15)."""

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from makul_client.cli.confirmation import require_confirmation
from makul_client.cli.late_commands import late
from makul_client.cli.month_options import Sending
from makul_client.cli.option_groups import with_groups
from makul_client.cli.options import (
    ProfileFile,
    as_typed,
    examples,
    instant,
)
from makul_client.cli.output import print_note, print_result
from makul_client.cli.run import open_client, receipt_in, report_errors
from makul_client.translation import translate

if TYPE_CHECKING:
    from makul_client.models.secrecy import IncidentReport
else:
    IncidentReport = late("models.secrecy", "IncidentReport")

incident_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Report a leak or a misuse of data.",
)


@incident_app.callback()
def incident() -> None:
    """Report a leak or a misuse of data."""


@incident_app.command(
    epilog=examples(
        "makul-client incident report --kind DISCLOSURE --since 2026-11-20T08:00+06:00 \\\\",
        "--discovered 2026-11-21 --affected 3 --description '…' --measures '…'",
    )
)
@with_groups
def report(
    *,
    profile: ProfileFile,
    kind: Annotated[
        str,
        typer.Option(
            help="DISCLOSURE, DISSEMINATION, PERSONAL_USE, UNAUTHORISED_TRANSFER or LOSS."
        ),
    ],
    since: Annotated[str, typer.Option(help="When it happened or began: a date or an instant.")],
    until: Annotated[str | None, typer.Option(help="When it ended; default: as --since.")] = None,
    discovered: Annotated[str, typer.Option(help="When you discovered it.")],
    disclosure: Annotated[
        list[UUID] | None, typer.Option(help="The id of a decision whose data are concerned.")
    ] = None,
    affected: Annotated[
        int | None, typer.Option(min=1, help="Number of decisions; default: those named.")
    ] = None,
    description: Annotated[str, typer.Option(help="What happened. Name no subject.")],
    measures: Annotated[str, typer.Option(help="What you did, and will do.")],
    sending: Sending,
) -> None:
    """Report an incident. It proposes a case to the authorised body, which reads the texts."""
    named = tuple(disclosure or ())
    if affected is None and not named:
        raise typer.BadParameter(translate("give --affected, or name each --disclosure"))
    with report_errors(as_json=sending.as_json) as run:
        incident_report = IncidentReport(
            kind=kind,
            happened_from=instant(since, "--since"),
            happened_to=None if until is None else instant(until, "--until"),
            discovered_at=instant(discovered, "--discovered"),
            disclosures=named,
            affected=affected if affected is not None else len(named),
            description=as_typed(description) or "",
            measures=as_typed(measures) or "",
        )
        with open_client(profile) as client, receipt_in(sending.receipt) as keep:
            shown = translate("an incident, {kind}, to be reported", kind=kind)
            require_confirmation(
                kind, lambda: print_note(shown), apply=sending.apply, as_json=sending.as_json
            )
            done = client.secrecy.report(incident_report, context=sending.begin(run))
            with keep(done.act):
                line = translate("incident {id}: reported", id=done.incident_id)
                print_result(done, line, as_json=sending.as_json)
