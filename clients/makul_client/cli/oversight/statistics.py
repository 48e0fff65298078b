"""The command that shows the numbers of a month's decisions, as a table and as bars (cl. 11)."""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Annotated, Final
from uuid import uuid4

import typer

from makul_client.cli.options import AsJson, ReceiptOut, RequestId, officer_examples
from makul_client.cli.output import new_table, print_json, print_line, print_table
from makul_client.cli.oversight.session import open_oversight_client, stored_receipt
from makul_client.cli.run import report_errors
from makul_client.models.acts import MonthCount
from makul_client.translation import translate

statistics_app = typer.Typer(rich_markup_mode=None)
"""A command of the program itself."""

BAR_COLUMNS: Final = 40
"""The length of the longest bar. With a code and a number it fits in 80 columns."""


@statistics_app.command(
    epilog=officer_examples(
        "makul-oversight statistics 2026-10",
        "makul-oversight statistics 2026-10 --recipient COM/60000001 --json",
    )
)
def statistics(
    ctx: typer.Context,
    *,
    month: Annotated[str, typer.Argument(help="The month, as 2026-10, in the time of Bishkek.")],
    recipient: Annotated[
        str | None, typer.Option(help="Only this recipient, by member code.")
    ] = None,
    request_id: RequestId = None,
    receipt: ReceiptOut = None,
    as_json: AsJson = False,
) -> None:
    """Show the numbers of a month's decisions.

    They contain no data of a person. Every officer of a supervising body may read them (cl. 11),
    and the reading is recorded.
    """
    new_id = request_id or uuid4()
    with (
        report_errors(as_json=as_json) as run,
        open_oversight_client(ctx) as client,
        stored_receipt(client.profile, receipt, new_id) as keep,
    ):
        found = client.statistics(month, recipient=recipient, request_id=run.begin_request(new_id))
        with keep(found.act):
            if as_json:
                print_json(found)
            elif not found.counts:
                print_line(translate("No decisions in {month}.", month=month))
            else:
                _print_counts(month, found.counts)


def _print_counts(month: str, counts: Sequence[MonthCount]) -> None:
    table = new_table(
        translate("recipient"),
        translate("purpose"),
        translate("outcome"),
        translate("ground"),
        translate("decisions"),
        translate("given again"),
        title=translate("Decisions in {month}", month=month),
        title_justify="left",
    )
    for each in counts:
        numbers = (str(each.decisions), str(each.repetitions))
        values = (each.recipient, each.purpose or "", each.outcome, each.ground_kind or "")
        table.add_row(*values, *numbers)
    total = sum(each.decisions for each in counts)
    again = sum(each.repetitions for each in counts)
    table.add_section()
    table.add_row(translate("all"), "", "", "", str(total), str(again))
    print_table(table)
    print_bars(translate("By outcome"), ((each.outcome, each.decisions) for each in counts))
    print_bars(translate("By recipient"), ((each.recipient, each.decisions) for each in counts))


def print_bars(title: str, numbers: Iterable[tuple[str, int]]) -> None:
    """Print one bar for each name, the longest first. A number above 0 has at least one column."""
    sums: Counter[str] = Counter()
    for name, number in numbers:
        sums[name] += number
    widest = max(len(name) for name in sums)
    largest = max(*sums.values(), 1)
    print_line(f"\n{title}")
    for name, number in sorted(sums.items(), key=lambda each: (-each[1], each[0])):
        columns = -(-number * BAR_COLUMNS // largest)
        print_line(f"  {name:<{widest}}  {'█' * columns} {number}")
