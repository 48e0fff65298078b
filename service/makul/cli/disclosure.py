"""`makul disclosure`: what was decided, for whom, and what left (Procedure, cl. 10 and 11)."""

from datetime import UTC, datetime
from typing import Annotated
from uuid import UUID

import typer

from makul.app.ports import DisclosureRow
from makul.cli.house import HouseError
from makul.cli.output import Facts, instant, show_facts, show_rows
from makul.cli.session import AsJson, examples, member_code, session

app = typer.Typer(no_args_is_help=True, help="What was decided and what left (cl. 10 and 11).")


@app.command(
    "list",
    epilog=examples(
        "makul disclosure list",
        "makul disclosure list --recipient COM/60000001 --since 2026-11-01 --limit 500 --json",
    ),
)
def list_recent(
    ctx: typer.Context,
    *,
    recipient: Annotated[str | None, typer.Option(help="Of this member code only.")] = None,
    since: Annotated[
        datetime | None,
        typer.Option(help="From this instant on, UTC.", formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"]),
    ] = None,
    limit: Annotated[int, typer.Option(min=1, max=10_000, help="At most so many.")] = 50,
    as_json: AsJson = False,
) -> None:
    """List decisions, the latest first. PINs are masked."""
    wanted = member_code(recipient) if recipient is not None else None
    from_instant = since.replace(tzinfo=UTC) if since is not None else None
    with session(ctx).house() as house:
        found = house.desk.disclosures(recipient=wanted, since=from_instant, limit=limit)
    show_rows(
        [_row(row) for row in found],
        columns=("decided_at", "recipient", "operation", "outcome", "codes", "disclosure_id"),
        as_json=as_json,
        empty="No decision is recorded.",
    )


@app.command(epilog=examples("makul disclosure show 01933f2c-7b1e-7c52-9d0a-0c8f3f0e6a11"))
def show(
    ctx: typer.Context,
    *,
    disclosure_id: Annotated[UUID, typer.Argument(metavar="ID", help="From `disclosure list`.")],
    as_json: AsJson = False,
) -> None:
    """Show one decision. The PIN is masked; what left is told by name, never by value."""
    with session(ctx).house() as house:
        found = house.desk.disclosure(disclosure_id)
    if found is None:
        raise HouseError(f"no decision {disclosure_id} is recorded; see: makul disclosure list")
    show_facts(_row(found), as_json=as_json)


def _row(row: DisclosureRow) -> Facts:
    return {
        "disclosure_id": str(row.disclosure_id),
        "decided_at": instant(row.decided_at),
        "recipient": row.recipient,
        "request_id": str(row.request_id),
        "operation": row.operation.value,
        "outcome": row.outcome.value,
        "codes": list(row.codes),
        "released": list(row.released),
        "subject": row.subject.masked if row.subject is not None else None,
        "purpose": row.purpose,
        "agreement": row.agreement_number,
        "ground": row.ground_kind,
        "leaf": row.leaf_hash.hex(),
    }
