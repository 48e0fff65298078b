"""`makul deletion due`: the data that recipients must erase (Procedure, cl. 15)."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from makul.admin.deletions import list_deletions_due
from makul.cli.context import AsJson, examples, member_code, open_installation
from makul.cli.output import Facts, instant, show_rows
from makul.domain.identifiers import MemberCode
from makul.language.translation import translate

if TYPE_CHECKING:
    from makul.admin.installation import Installation

app = typer.Typer()


@app.callback()
def deletion() -> None:
    """Show data that recipients must erase (cl. 15)."""


@app.command(epilog=examples("makul deletion due", "makul deletion due --recipient COM/60000001"))
def due(
    ctx: typer.Context,
    *,
    recipient: Annotated[
        str | None, typer.Option(metavar="CODE", help="Only of this recipient.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List data that are overdue, or due within 30 days, and not attested as erased.

    Remind the recipient. It attests the erasure itself (`AttestDeletion`).
    """
    with open_installation(ctx) as installation:
        codes = (
            [member_code(recipient)]
            if recipient is not None
            else [each.code for each in installation.registry.recipients()]
        )
        rows = [row for code in codes for row in _rows(installation, code)]
    show_rows(
        rows,
        columns=("recipient", "disclosure_id", "decided_at", "erase_by", "overdue"),
        as_json=as_json,
        empty=translate("Nothing is due."),
    )


def _rows(installation: "Installation", recipient: MemberCode) -> Iterator[Facts]:
    now = installation.clock()
    for each in list_deletions_due(installation, recipient, at=now):
        yield {
            "recipient": recipient,
            "disclosure_id": str(each.disclosure_id),
            "decided_at": instant(each.decided_at),
            "erase_by": instant(each.erase_by),
            "overdue": each.erase_by <= now,
        }
