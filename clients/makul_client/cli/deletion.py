"""The commands `makul-client deletion`: data whose term ended are erased (Procedure, cl. 15)."""

from typing import Annotated
from uuid import UUID

import typer

from makul_client.cli.confirmation import require_confirmation
from makul_client.cli.month_options import Sending
from makul_client.cli.option_groups import with_groups
from makul_client.cli.options import (
    AsJson,
    Employee,
    OnDay,
    ProfileFile,
    day,
    examples,
)
from makul_client.cli.output import (
    local_time,
    new_table,
    print_json,
    print_line,
    print_note,
    print_result,
    print_table,
)
from makul_client.cli.run import open_client, receipt_in, report_errors
from makul_client.translation import translate

deletion_app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode=None,
    help="List data that must be erased, and attest that they were.",
)


@deletion_app.command(name="list", epilog=examples("makul-client deletion list --json"))
def list_due(*, profile: ProfileFile, employee: Employee = None, as_json: AsJson = False) -> None:
    """List the data that are overdue, or due within 30 days, and not attested yet."""
    with report_errors(as_json=as_json) as run, open_client(profile) as client:
        found = list(client.secrecy.due(context=run.inquire(employee=employee)))
        if as_json:
            print_json(found)
            return
        if not found:
            print_line(translate("Nothing is due."))
            return
        table = new_table(
            translate("disclosure"), translate("decided"), translate("erase by"), translate("state")
        )
        for each in found:
            state = translate("overdue") if each.overdue else translate("due")
            table.add_row(
                str(each.disclosure_id),
                local_time(each.decided_at),
                local_time(each.erase_by),
                state,
            )
        print_table(table)


@deletion_app.command(
    epilog=examples(
        "makul-client deletion attest 7d9a3c1e-0000-4000-8000-0000000000d1 --on 2026-11-30"
    )
)
@with_groups
def attest(
    *,
    profile: ProfileFile,
    disclosure: Annotated[
        list[UUID], typer.Argument(help="The ids of the decisions whose data were erased.")
    ],
    on: OnDay,
    sending: Sending,
) -> None:
    """Attest that data were erased. All of it counts, or nothing."""
    erased_on = day(on, "--on")
    with (
        report_errors(as_json=sending.as_json) as run,
        open_client(profile) as client,
        receipt_in(sending.receipt) as keep,
    ):
        shown = translate("{number} deletions to be attested", number=len(disclosure))
        require_confirmation(
            on, lambda: print_note(shown), apply=sending.apply, as_json=sending.as_json
        )
        done = client.secrecy.attest(disclosure, erased_on, context=sending.begin(run))
        with keep(done.act):
            line = translate("{number} deletions attested", number=done.attested)
            print_result(done, line, as_json=sending.as_json)
