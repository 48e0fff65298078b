"""`makul agreement`: the terms under which a recipient is given data (Procedure, cl. 7)."""

from pathlib import Path
from typing import Annotated

import typer

from makul.cli.agreement_file import EXAMPLE, read_agreement
from makul.cli.house import House, HouseError
from makul.cli.output import Facts, carry_out, instant, show_facts, show_rows
from makul.cli.session import Apply, AsJson, examples, member_code, registered, session
from makul.domain.agreements import Agreement, AgreementState
from makul.domain.recipients import Recipient

app = typer.Typer(no_args_is_help=True, help="On what terms (Procedure, cl. 7).")


@app.command(
    epilog=examples("makul agreement example > bank.toml", "makul agreement add bank.toml --apply")
)
def add(
    ctx: typer.Context,
    *,
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE.toml", exists=True, dir_okay=False, help="The agreement."),
    ],
    apply: Apply = False,
    as_json: AsJson = False,
) -> None:
    """Register an agreement, or replace one of the same number: a new state, a longer term."""
    agreement = read_agreement(file)
    with session(ctx).house() as house:
        recipient = registered(house, agreement.recipient)
        _check_entitled(agreement, recipient)
        known = _find(house, agreement.number)
        _check_replaceable(agreement, known)
        carry_out(
            "register agreement" if known is None else "replace agreement",
            _facts(agreement),
            lambda: house.desk.put_agreement(agreement, at=house.clock()),
            apply=apply,
            as_json=as_json,
        )


@app.command(epilog=examples("makul agreement example > bank.toml"))
def example() -> None:
    """Print an agreement to begin from."""
    typer.echo(EXAMPLE, nl=False)


@app.command("list", epilog=examples("makul agreement list --recipient COM/60000001"))
def list_all(
    ctx: typer.Context,
    *,
    recipient: Annotated[str | None, typer.Option(help="Of this member code only.")] = None,
    as_json: AsJson = False,
) -> None:
    """List agreements and until when they run."""
    wanted = member_code(recipient) if recipient is not None else None
    with session(ctx).house() as house:
        rows = [_facts(agreement) for agreement in house.desk.agreements(wanted)]
    show_rows(
        rows,
        columns=("number", "recipient", "state", "valid_from", "valid_to", "purposes", "channels"),
        as_json=as_json,
        empty="No agreement is registered. To begin one: makul agreement example",
    )


@app.command(
    epilog=examples("makul agreement show 2026/014", "makul agreement show 2026/014 --json")
)
def show(
    ctx: typer.Context,
    *,
    number: Annotated[str, typer.Argument(metavar="NUMBER")],
    as_json: AsJson = False,
) -> None:
    """Show everything that an agreement says."""
    with session(ctx).house() as house:
        found = _find(house, number)
    if found is None:
        raise HouseError("no agreement of this number; see: makul agreement list")
    show_facts(_facts(found), as_json=as_json)


def _find(house: House, number: str) -> Agreement | None:
    return next((found for found in house.desk.agreements() if found.number == number), None)


def _check_entitled(agreement: Agreement, recipient: Recipient) -> None:
    """A provision that this kind of recipient can never invoke would only mislead (cl. 5)."""
    barred = sorted(name.value for name in agreement.provisions if not name.open_to(recipient.kind))
    if barred:
        raise HouseError(
            f"provisions: {', '.join(barred)} is never open to {recipient.kind.value} (cl. 5)"
        )


def _check_replaceable(agreement: Agreement, known: Agreement | None) -> None:
    if known is None:
        return
    if known.recipient != agreement.recipient:
        raise HouseError(f"number: {agreement.number} is another recipient's; choose another")
    if known.state is AgreementState.TERMINATED and agreement.state is not known.state:
        raise HouseError(
            f"number: {agreement.number} was terminated; a new agreement needs a new number"
        )


def _facts(agreement: Agreement) -> Facts:
    return {
        "number": agreement.number,
        "recipient": agreement.recipient,
        "state": agreement.state.value,
        "valid_from": instant(agreement.valid_from),
        "valid_to": instant(agreement.valid_to),
        "purposes": sorted(agreement.purposes),
        "attributes": sorted(agreement.attributes),
        "methods": sorted(agreement.methods),
        "channels": sorted(agreement.channels),
        "provisions": sorted(agreement.provisions),
        "powers": [
            f"{purpose}: {' '.join(sorted(covered))}"
            for purpose, covered in sorted(agreement.powers.items())
        ],
        "daily_quota": agreement.daily_quota,
        "delivery": agreement.delivery.value,
        "scores_out": agreement.scores_out,
    }
