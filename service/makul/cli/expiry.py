"""`makul expiring`: everything in use that ends soon, in one list."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Annotated

import typer

from makul.cli.context import AsJson, examples, open_installation
from makul.cli.exit_codes import ExitCode
from makul.cli.output import TwoForms, complain, instant, show_rows
from makul.domain.expiry import DueEnding, ExpiryState
from makul.language.translation import translate

WITHIN_DAYS = 30
"""Renewal of an agreement or of an organisation's certificate takes weeks, not hours."""


def add_to(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command(
        epilog=examples(
            "makul expiring",
            "makul expiring --within 60 --json",
            "makul expiring --within 7 --consents",
        )
    )(expiring)


def expiring(
    ctx: typer.Context,
    *,
    within: Annotated[
        int, typer.Option(min=1, max=36_500, metavar="DAYS", help="How many days to look ahead.")
    ] = WITHIN_DAYS,
    consents: Annotated[
        bool,
        typer.Option(
            "--consents", help="Also list the registered consents that end, without names or PINs."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List what ends soon: agreements, certificates, keys and CRLs. What is overdue comes first.

    Exit code 1 if something is overdue or ends within these days. UNKNOWN is what an earlier
    release registered without a term; it is listed last, and does not change the exit code.
    """
    with open_installation(ctx) as installation:
        now = installation.clock()
        due = installation.expiring(timedelta(days=within), consents=consents)
    show_rows(
        [
            {
                "kind": TwoForms(each.ending.kind, translate(each.ending.kind)),
                "name": each.ending.name,
                "state": each.state.value,
                "ends": instant(each.ending.ends),
                "days": (each.ending.ends - now).days if each.ending.ends is not None else None,
            }
            for each in due
        ],
        columns=("state", "ends", "days", "kind", "name"),
        as_json=as_json,
        empty=translate("Nothing ends within {days} days.", days=within),
    )
    counted = {state: _count(due, state) for state in ExpiryState}
    if counted[ExpiryState.OVERDUE] or counted[ExpiryState.ENDS_SOON]:
        complain(
            translate(
                "{overdue} overdue, {soon} end within {days} days",
                overdue=counted[ExpiryState.OVERDUE],
                soon=counted[ExpiryState.ENDS_SOON],
                days=within,
            )
        )
        raise typer.Exit(ExitCode.REFUSED)


def _count(due: Sequence[DueEnding], state: ExpiryState) -> int:
    return sum(each.state is state for each in due)
