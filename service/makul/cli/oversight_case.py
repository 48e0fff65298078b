"""`makul case list|show`: the cases that the authorised body handles (Procedure, cl. 12)."""

from datetime import timedelta
from typing import Annotated
from uuid import UUID

import typer

from makul.admin.errors import OperatorError
from makul.cli.context import AsJson, examples, open_installation
from makul.cli.output import Facts, instant, show_facts, show_rows
from makul.domain.oversight_cases import CaseState, OversightCase
from makul.language.translation import translate

app = typer.Typer()
"""Its commands are those of `makul case` too (`cli.case`)."""


@app.command("list", epilog=examples("makul case list", "makul case list --state OPEN"))
def list_all(
    ctx: typer.Context,
    *,
    state: Annotated[
        CaseState | None, typer.Option("--state", help="Only cases in this state.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the newest 1,000 cases about recipients. An open one waits for its evidence file."""
    with open_installation(ctx) as installation:
        rows = [_row(each) for each in installation.registry.cases() if state in (None, each.state)]
    show_rows(
        rows,
        columns=("case_id", "recipient", "first_day", "last_day", "scope", "state"),
        as_json=as_json,
        empty=translate("There is no such case."),
    )


@app.command(epilog=examples("makul case show 7d9a3c1e-0000-4000-8000-000000000001"))
def show(
    ctx: typer.Context,
    *,
    case: Annotated[UUID, typer.Argument(metavar="ID", help="The id of the case.")],
    as_json: AsJson = False,
) -> None:
    """Show a case with its steps."""
    with open_installation(ctx) as installation:
        found = installation.registry.case(case)
        if found is None:
            raise OperatorError(translate("there is no such case; see: makul case list"))
        steps = [
            " ".join((instant(step.at) or "", step.kind, step.party, step.text)).strip()
            for step in installation.registry.case_steps(case)
        ]
    show_facts({**_row(found), "steps": steps}, as_json=as_json)


def _row(case: OversightCase) -> Facts:
    evidence = case.evidence
    return {
        "case_id": str(case.case_id),
        "recipient": case.recipient,
        "first_day": case.period.first.isoformat(),
        "last_day": (case.period.end - timedelta(days=1)).isoformat(),
        "scope": case.scope.value,
        "state": case.state.value,
        "changed_at": instant(case.changed_at),
        "evidence": evidence.digest.hex() if evidence is not None else None,
        "bytes": evidence.size if evidence is not None else None,
    }
