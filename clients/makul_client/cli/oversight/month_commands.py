"""The commands of a month: list its states, get a statement, and sign it (cl. 11)."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from uuid import uuid4

import typer

from makul_client.cli.late_commands import late
from makul_client.cli.option_groups import with_groups
from makul_client.cli.options import AsJson, ReceiptOut, RequestId, officer_examples
from makul_client.cli.output import (
    local_time,
    new_table,
    print_json,
    print_line,
    print_pairs,
    print_table,
)
from makul_client.cli.output_files import write_new
from makul_client.cli.oversight.act_sequence import ActOptions, carry_out
from makul_client.cli.oversight.session import (
    PlannedAct,
    open_oversight_client,
    stored_receipt,
)
from makul_client.cli.oversight.signatory_options import SigningWay
from makul_client.cli.run import report_errors
from makul_client.errors import OutputError
from makul_client.models.months import IssuedStatement, MonthlyStatement, MonthStates
from makul_client.translation import translate, translate_cause

if TYPE_CHECKING:
    from makul_client.months.confirmation import content_to_sign
    from makul_client.oversight import OversightClient
else:
    content_to_sign = late("months.confirmation", "content_to_sign")

month_app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Check and close the months."
)

Month = Annotated[str, typer.Argument(help="The month, as 2026-10, in the time of Bishkek.")]
Recipient = Annotated[str, typer.Argument(help="The member code of the recipient.")]


@month_app.callback()
def month() -> None:
    """Check and close the months."""


@month_app.command("list", epilog=officer_examples("makul-oversight month list 2026-10"))
def list_states(
    ctx: typer.Context,
    *,
    month: Month,
    request_id: RequestId = None,
    receipt: ReceiptOut = None,
    as_json: AsJson = False,
) -> None:
    """List the states of a month of all recipients. An overdue one waits for its recipient."""
    new_id = request_id or uuid4()
    with (
        report_errors(as_json=as_json) as run,
        open_oversight_client(ctx) as client,
        stored_receipt(client.profile, receipt, new_id) as keep,
    ):
        found = client.month_states(month, request_id=run.begin_request(new_id))
        with keep(found.act):
            if as_json:
                print_json(found)
            elif not found.states:
                print_line(translate("No statement of {month} was issued.", month=month))
            else:
                _print_states(found)


@month_app.command(
    epilog=officer_examples(
        "makul-oversight month show 2026-10 COM/60000001",
        "makul-oversight month show 2026-10 COM/60000001 --out statement",
    )
)
def show(
    ctx: typer.Context,
    *,
    month: Month,
    recipient: Recipient,
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="A new directory for the statement and its pages."),
    ] = None,
    request_id: RequestId = None,
    receipt: ReceiptOut = None,
    as_json: AsJson = False,
) -> None:
    """Show the statement of a recipient: its totals, exceptions and contested lines.

    The operator's signature is verified. With --out the pages are read as well, and each is
    verified by its digest in the signed head.
    """
    new_id = request_id or uuid4()
    with (
        report_errors(as_json=as_json) as run,
        open_oversight_client(ctx) as client,
        stored_receipt(client.profile, receipt, new_id) as keep,
    ):
        issued = client.month(month, recipient, request_id=run.begin_request(new_id))
        with keep(issued.act):
            if out is not None:
                _save(client, issued.statement, out)
            if as_json:
                print_json(issued)
            else:
                _print_issued(issued)


@month_app.command(
    epilog=officer_examples(
        "makul-oversight month sign 2026-10 COM/60000001 --write-bytes to-sign.xml",
        "makul-oversight month sign 2026-10 COM/60000001 --signed signed.xml",
        "makul-oversight month sign 2026-10 COM/60000001 --key head.key --certificate head.pem",
    )
)
@with_groups
def sign(
    ctx: typer.Context,
    *,
    month: Month,
    recipient: Recipient,
    way: SigningWay,
    options: ActOptions,
) -> None:
    """Close a month by the signature of your body's signatory under the statement.

    Sign by a key in a file. Or write the bytes with --write-bytes, let another program sign them
    (XAdES, enveloped), and give its document by --signed: it is compared with the statement.
    """
    with report_errors(as_json=options.as_json) as run, open_oversight_client(ctx) as client:
        # What the officer gave is read before anything is sent.
        sign_content = way.load()
        statement = client.month(month, recipient).statement
        document = sign_content(content_to_sign(statement))
        if document is None:
            return
        planned = PlannedAct(
            operation="SignMonth",
            title=translate("close the month {month} permanently", month=month),
            target=recipient,
            justification="",
        )
        carry_out(
            run,
            client,
            planned,
            options,
            send=lambda new_id: client.sign_month(statement, document, request_id=new_id),
            describe=lambda done: (
                translate("The month {month} of {code} is closed.", month=month, code=recipient),
                [(translate("state"), done.status.state)],
            ),
        )


def _save(client: "OversightClient", statement: MonthlyStatement, out: Path) -> None:
    """Write the head and its verified pages, by the names that the operator's program uses."""
    try:
        out.mkdir(mode=0o700)
    except OSError as error:
        cause = translate_cause(error.strerror or "")
        raise OutputError(
            translate("{file}: it cannot be written ({cause})", file=out, cause=cause)
        ) from None
    write_new(out / "statement.xml", statement.document)
    for page in statement.pages:
        write_new(out / f"page-{page.number:03d}.xml", client.month_page(statement, page.number))


def _print_states(found: MonthStates) -> None:
    table = new_table(
        translate("recipient"),
        translate("state"),
        translate("overdue"),
        translate("confirm by"),
        title=translate("Months of {month}", month=found.month),
        title_justify="left",
    )
    for each in found.states:
        overdue = translate("yes") if each.overdue else ""
        table.add_row(each.recipient, each.state, overdue, local_time(each.confirm_by))
    print_table(table)


def _print_issued(issued: IssuedStatement) -> None:
    statement = issued.statement
    print_pairs(
        translate(
            "{recipient}, {month}: the operator's signature is valid",
            recipient=statement.recipient,
            month=statement.month,
        ),
        [
            (translate("state"), issued.status.state),
            (translate("confirm by"), local_time(issued.status.confirm_by)),
            (translate("decisions"), f"{statement.lines:,}"),
            (translate("disclosures"), f"{statement.disclosures:,}"),
            (translate("pages"), str(len(statement.pages))),
            (translate("digest"), issued.status.statement_digest.hex()),
        ],
    )
    for kind, number in statement.totals["exceptionTotal"].items():
        print_line(translate("exceptions: {kind} {number}", kind=kind, number=f"{number:,}"))
    for line in issued.contested:
        answer = line.answer or translate("no answer yet")
        print_line(
            translate(
                "contested: {line}: {reason} ({answer})",
                line=line.disclosure_id,
                reason=line.reason,
                answer=answer,
            )
        )
