"""`makul incident list|show`: what recipients reported about themselves (Procedure, cl. 15)."""

from typing import Annotated
from uuid import UUID

import typer

from makul.admin.errors import OperatorError
from makul.app.ports.secrecy import ReportedIncident
from makul.cli.context import AsJson, examples, member_code, open_installation
from makul.cli.output import Facts, instant, show_facts, show_rows
from makul.language.translation import translate

app = typer.Typer()


@app.callback()
def incident_group() -> None:
    """Show incidents that recipients reported (cl. 15)."""


@app.command("list", epilog=examples("makul incident list"))
def list_all(
    ctx: typer.Context,
    *,
    recipient: Annotated[
        str | None, typer.Option(metavar="CODE", help="Only of this recipient.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the newest 1,000 incidents. Each proposed a case; see: makul case show."""
    with open_installation(ctx) as installation:
        code = member_code(recipient) if recipient is not None else None
        rows = [_row(each) for each in installation.store.oversight.incidents(code)]
    show_rows(
        rows,
        columns=("incident_id", "recipient", "kind", "affected", "reported_at", "case_id"),
        as_json=as_json,
        empty=translate("There is no such incident."),
    )


@app.command(epilog=examples("makul incident show 7d9a3c1e-0000-4000-8000-000000000001"))
def show(
    ctx: typer.Context,
    *,
    incident: Annotated[UUID, typer.Argument(metavar="ID", help="The id of the incident.")],
    as_json: AsJson = False,
) -> None:
    """Show an incident as the recipient reported it."""
    with open_installation(ctx) as installation:
        found = installation.store.oversight.incident(incident)
        if found is None:
            raise OperatorError(translate("there is no such incident; see: makul incident list"))
    reported = found.incident
    facts: Facts = {
        **_row(found),
        "happened_from": instant(reported.happened_from),
        "happened_to": instant(reported.happened_to),
        "discovered_at": instant(reported.discovered_at),
        "disclosures": [str(each) for each in reported.disclosures],
        "description": reported.description,
        "measures": reported.measures,
    }
    show_facts(facts, as_json=as_json)


def _row(reported: ReportedIncident) -> Facts:
    return {
        "incident_id": str(reported.incident_id),
        "recipient": reported.recipient,
        "kind": reported.incident.kind.value,
        "affected": reported.incident.affected,
        "reported_at": instant(reported.reported_at),
        "case_id": str(reported.case_id),
    }
