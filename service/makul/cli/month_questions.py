"""`makul month ask|answers`: ask the subjects of a month's sample, and list what they said."""

from typing import Annotated

import typer

from makul.cli.context import AsJson, Code, examples, open_installation, require_recipient
from makul.cli.month_closing import AMonth
from makul.cli.month_options import read_month_option
from makul.cli.month_sample import DEFAULT_SIZE
from makul.cli.output import instant, show_rows
from makul.cli.preview import PreviewedChange, offer_preview
from makul.language.translation import mark, translate

app = typer.Typer()
"""Its commands are those of `makul month` too (`cli.month`)."""


@app.command(epilog=examples("makul month ask COM/60000001 2026-10 --size 20 --apply"))
@offer_preview
def ask(
    ctx: typer.Context,
    *,
    code: Code,
    month: AMonth,
    size: Annotated[
        int, typer.Option(min=1, max=10_000, help="The number of disclosures to draw.")
    ] = DEFAULT_SIZE,
    change: PreviewedChange,
) -> None:
    """Ask the subjects of an issued month's sample whether they consented, once.

    The sample is the one that `makul month sample` draws. A disclosure that is still kept from its
    subject is not asked about. Each "no" is an exception, and so is silence after the term.
    """
    with open_installation(ctx) as installation:
        recipient = require_recipient(installation, code).code
        wanted = read_month_option(month, installation)
        months, current = installation.months, installation.facts
        drawn = months.draw(wanted, recipient, current.config, size=size)
        answer_by = months.answer_by()
        change.apply_or_preview(
            mark("ask subjects"),
            {
                "recipient": recipient,
                "month": str(wanted),
                "drawn": len(drawn.disclosures),
                "answer_by": instant(answer_by),
            },
            lambda: months.questions.ask(
                recipient,
                wanted,
                drawn.disclosures,
                answer_by=answer_by,
                at=installation.clock(),
            ),
        )


@app.command(epilog=examples("makul month answers COM/60000001 2026-10 --json"))
def answers(ctx: typer.Context, *, code: Code, month: AMonth, as_json: AsJson = False) -> None:
    """List the questions of a month's sample and their answers. The list names no person."""
    with open_installation(ctx) as installation:
        recipient = require_recipient(installation, code).code
        wanted = read_month_option(month, installation)
        asked, at = installation.months.questions.answers(recipient, wanted), installation.clock()
    show_rows(
        [
            {
                "disclosure_id": str(each.disclosure_id),
                "asked_at": instant(each.asked_at),
                "answer_by": instant(each.answer_by),
                "answer": each.answer.value if each.answer is not None else None,
                "answered_at": instant(each.answered_at),
                "silent": each.answer is None and each.answer_by <= at,
            }
            for each in asked
        ],
        columns=("disclosure_id", "asked_at", "answer_by", "answer", "answered_at", "silent"),
        as_json=as_json,
        empty=translate("Nobody was asked about this month."),
    )
