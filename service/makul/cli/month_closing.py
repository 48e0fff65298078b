"""`makul month issue|list|lines|answer`: the operator closes months with the parties (cl. 11)."""

from base64 import b64encode
from typing import Annotated
from uuid import UUID

import typer

from makul.admin.errors import OperatorError
from makul.cli.context import (
    AsJson,
    Code,
    Reason,
    examples,
    open_installation,
    require_reason,
    require_recipient,
)
from makul.cli.month_options import InMonth, read_month_option
from makul.cli.output import Facts, instant, show_rows
from makul.cli.preview import PreviewedChange, offer_preview
from makul.domain.month_closing import IssuedMonth, LineAnswer
from makul.language.translation import mark, translate

app = typer.Typer()
"""Its commands are those of `makul month` too (`cli.month`)."""

AMonth = Annotated[
    str, typer.Argument(metavar="YYYY-MM", help="A month of the calendar of the Kyrgyz Republic.")
]


@app.command(epilog=examples("makul month issue COM/60000001 2026-10 --apply"))
@offer_preview
def issue(ctx: typer.Context, *, code: Code, month: AMonth, change: PreviewedChange) -> None:
    """Issue a built statement to its recipient, permanently.

    The statement is verified with all its pages. From then on the recipient gets it by
    GetMonthlyStatement, and confirms or contests it within the term of the settings. Exceptions
    that show absent consent propose a case to the authorised body (cl. 12).
    """
    with open_installation(ctx) as installation:
        recipient = require_recipient(installation, code).code
        wanted = read_month_option(month, installation)
        month_read = installation.months.read(wanted, recipient)
        issued, proposal = month_read.issued, month_read.proposal
        reason = proposal.reason if proposal is not None else None
        change.apply_or_preview(
            mark("issue statement"),
            {**_row(issued, overdue=False), "proposed_case": reason},
            lambda: installation.registry.issue_month(
                issued, month_read.head, at=installation.clock(), proposal=proposal
            ),
        )


@app.command("list", epilog=examples("makul month list 2026-10", "makul month list --overdue"))
def list_all(
    ctx: typer.Context,
    *,
    month: InMonth = None,
    overdue: Annotated[
        bool, typer.Option("--overdue", help="Only months that wait for a recipient too long.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List the issued months and their states. Without a month, all of them."""
    with open_installation(ctx) as installation:
        wanted = read_month_option(month, installation) if month is not None else None
        at = installation.clock()
        rows = [
            _row(each, overdue=each.is_overdue(at))
            for each in installation.months.states(wanted)
            if not overdue or each.is_overdue(at)
        ]
    show_rows(
        rows,
        columns=("month", "recipient", "state", "overdue", "issued_at", "confirm_by"),
        as_json=as_json,
        empty=translate("No such month was issued."),
    )


@app.command(epilog=examples("makul month lines COM/60000001 2026-10"))
def lines(ctx: typer.Context, *, code: Code, month: AMonth, as_json: AsJson = False) -> None:
    """List the contested lines of a month, with the answers.

    The exception UNKNOWN_TO_OPERATOR is a receipt with our signature that the register does not
    know. With --json the receipt is shown too.
    """
    with open_installation(ctx) as installation:
        recipient = require_recipient(installation, code).code
        wanted = read_month_option(month, installation)
        rows: list[Facts] = [
            {
                "disclosure_id": str(each.disclosure_id),
                "reason": each.reason,
                "contested_at": instant(each.contested_at),
                "exception": each.exception.value if each.exception is not None else None,
                "receipt": b64encode(each.receipt).decode() if each.receipt is not None else None,
                "answer": each.answer.value if each.answer is not None else None,
                "answer_reason": each.answer_reason,
            }
            for each in installation.months.contested(recipient, wanted)
        ]
    show_rows(
        rows,
        columns=("disclosure_id", "contested_at", "exception", "reason", "answer", "answer_reason"),
        as_json=as_json,
        empty=translate("No line of this month is contested."),
    )


@app.command(
    epilog=examples(
        "makul month answer COM/60000001 2026-10 7d9a3c1e-0000-4000-8000-000000000001"
        " --as UPHELD --reason 'the consent of 3 October is in the file' --apply"
    )
)
@offer_preview
def answer(
    ctx: typer.Context,
    *,
    code: Code,
    month: AMonth,
    line: Annotated[
        UUID, typer.Argument(metavar="DISCLOSURE", help="The disclosureId of the line.")
    ],
    verdict: Annotated[
        LineAnswer, typer.Option("--as", help="UPHELD: the line is right. CORRECTED: it is wrong.")
    ],
    reason: Reason,
    change: PreviewedChange,
) -> None:
    """Answer a contested line, permanently. All parties of the month see the answer."""
    why = require_reason(reason)
    with open_installation(ctx) as installation:
        recipient = require_recipient(installation, code).code
        wanted = read_month_option(month, installation)
        contested = installation.months.contested(recipient, wanted)
        known = [each for each in contested if each.disclosure_id == line]
        if not known:
            raise OperatorError(translate("this line is not contested; see: makul month lines"))
        change.apply_or_preview(
            mark("answer contested line"),
            {"recipient": recipient, "month": str(wanted), "line": str(line), "answer": verdict},
            lambda: installation.registry.answer_line(
                recipient, wanted, line, verdict, reason=why, at=installation.clock()
            ),
        )


def _row(issued: IssuedMonth, *, overdue: bool) -> Facts:
    return {
        "month": str(issued.month),
        "recipient": issued.recipient,
        "state": issued.state.value,
        "overdue": overdue,
        "issued_at": instant(issued.issued_at),
        "confirm_by": instant(issued.confirm_by),
        "statement": issued.head.hex(),
    }
