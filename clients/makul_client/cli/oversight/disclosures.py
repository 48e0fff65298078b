"""The command that lists the decisions of a recipient, without data of a person (cl. 11)."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

import typer

from makul_client.cli.options import AsJson, officer_examples
from makul_client.cli.output import local_time, print_json, print_line, print_note
from makul_client.cli.oversight.session import open_oversight_client
from makul_client.cli.run import report_errors
from makul_client.models.cases import DecisionPage
from makul_client.translation import translate

disclosures_app = typer.Typer(rich_markup_mode=None)
"""A command of the program itself."""

_DAY = ["%Y-%m-%d"]


@disclosures_app.command(
    epilog=officer_examples(
        "makul-oversight disclosures COM/60000001 --month 2026-10",
        "makul-oversight disclosures COM/60000001 --from 2026-10-01 --to 2026-10-07 --json",
    )
)
def disclosures(
    ctx: typer.Context,
    *,
    recipient: Annotated[str, typer.Argument(help="The member code of the recipient.")],
    month: Annotated[str | None, typer.Option(help="The month, as 2026-10.")] = None,
    begins: Annotated[
        datetime | None, typer.Option("--from", formats=_DAY, help="The first day.")
    ] = None,
    ends: Annotated[
        datetime | None, typer.Option("--to", formats=_DAY, help="The last day, included.")
    ] = None,
    after: Annotated[
        UUID | None, typer.Option(help="The id of the last line of the page before.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List the decisions of a recipient, 1,000 at a time.

    A line contains no data of a person. The reading is recorded.
    """
    days = None if begins is None or ends is None else (begins.date(), ends.date())
    if (month is None) is (days is None) or (begins is None) is not (ends is None):
        raise typer.BadParameter(translate("give --month, or --from and --to"))
    with report_errors(as_json=as_json) as run, open_oversight_client(ctx) as client:
        page = client.decisions(
            recipient, month or days or "", after=after, request_id=run.begin_request(None)
        )
        if as_json:
            print_json(page)
            return
        _print_page(page)
        if page.more:
            last = page.lines[-1].disclosure_id
            print_note(translate("There are more: continue with --after {last}", last=last))


def _print_page(page: DecisionPage) -> None:
    """Print a line for each decision: a table would cut the ids in 80 columns."""
    for each in page.lines:
        ground = each.ground_kind or ""
        words = (each.operation, each.outcome, *each.codes, ground, str(each.disclosure_id))
        print_line("  ".join((local_time(each.decided_at), *filter(None, words))))
