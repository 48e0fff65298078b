"""`makul recipient hold|release|rename|remove`: the entry of a recipient in the register."""

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from makul.admin.errors import OperatorError
from makul.cli.context import (
    Code,
    Reason,
    examples,
    open_installation,
    require_reason,
    require_recipient,
)
from makul.cli.output import Facts
from makul.cli.preview import PreviewedChange, offer_preview
from makul.domain.recipients import Recipient, RecipientState
from makul.language.translation import mark, translate

if TYPE_CHECKING:
    from makul.admin.installation import Installation

app = typer.Typer()
"""Its commands are those of `makul recipient` too (`cli.recipient`)."""

_TITLES = {
    RecipientState.ON_HOLD: mark("hold recipient"),
    RecipientState.ACTIVE: mark("release recipient"),
    RecipientState.REMOVED: mark("remove recipient"),
}


@app.command(epilog=examples("makul recipient hold COM/60000001 --reason 'key reported lost'"))
@offer_preview
def hold(
    ctx: typer.Context,
    *,
    code: Code,
    reason: Reason,
    change: PreviewedChange,
) -> None:
    """Put a recipient on hold at once, until it is released. Stored answers are withheld too."""
    _set_state(ctx, code, reason, RecipientState.ON_HOLD, change)


@app.command(epilog=examples("makul recipient release COM/60000001 --reason 'new key registered'"))
@offer_preview
def release(
    ctx: typer.Context,
    *,
    code: Code,
    reason: Reason,
    change: PreviewedChange,
) -> None:
    """Release a recipient that is on hold. It may request data again."""
    _set_state(ctx, code, reason, RecipientState.ACTIVE, change)


@app.command(
    epilog=examples(
        "makul recipient rename COM/60000001 --name 'New Bank' --reason 'order 12 of 1 December'"
    )
)
@offer_preview
def rename(
    ctx: typer.Context,
    *,
    code: Code,
    name: Annotated[str, typer.Option(help="The name of the recipient.")],
    reason: Reason,
    change: PreviewedChange,
) -> None:
    """Give a recipient another name. Consents stay valid, because they name it by its code.

    What was signed before keeps the former name: agreements, statements of months, cases.
    """
    why, new = require_reason(reason), read_name(name)
    with open_installation(ctx) as installation:
        recipient = require_recipient(installation, code)
        if recipient.name == new:
            raise OperatorError(
                translate(
                    "{code} has this name already; there is nothing to do", code=recipient.code
                )
            )
        change.apply_or_preview(
            mark("rename recipient"),
            {**describe_recipient(replace(recipient, name=new)), "was": recipient.name},
            lambda: installation.registry.rename_recipient(
                recipient.code, new, reason=why, at=installation.clock()
            ),
        )


@app.command(
    epilog=examples("makul recipient remove COM/60000001 --reason 'the bank was wound up'")
)
@offer_preview
def remove(ctx: typer.Context, *, code: Code, reason: Reason, change: PreviewedChange) -> None:
    """Remove a recipient from the register. From now on it counts as unknown (RCP-01).

    Its agreements must have ended. Nothing is deleted: its past decisions, months and cases stay,
    and it still answers for its months. `makul recipient release` puts it back.
    """
    _set_state(ctx, code, reason, RecipientState.REMOVED, change)


def read_name(name: str) -> str:
    """Return the name of a recipient. Raises `OperatorError` if it cannot stand in a document."""
    stripped = name.strip()
    printable = stripped.isprintable() and {"<", ">"}.isdisjoint(stripped)
    if not 1 <= len(stripped) <= 300 or not printable:
        raise OperatorError(translate("--name is 1 to 300 printable characters without < and >"))
    return stripped


def _set_state(
    ctx: typer.Context, code: str, reason: str, state: RecipientState, change: PreviewedChange
) -> None:
    why = require_reason(reason)
    with open_installation(ctx) as installation:
        recipient = require_recipient(installation, code)
        if recipient.state is RecipientState.CUT_OFF:
            raise OperatorError(
                translate(
                    "{code} was cut off by the authorised body (cl. 12); the operator cannot"
                    " change that",
                    code=recipient.code,
                )
            )
        if recipient.state is state:
            raise OperatorError(
                translate(
                    "{code} is {state} already; there is nothing to do",
                    code=recipient.code,
                    state=state.value,
                )
            )
        _require_unbound(installation, recipient, state)
        change.apply_or_preview(
            _TITLES[state],
            {**describe_recipient(replace(recipient, state=state)), "was": recipient.state.value},
            lambda: installation.registry.set_state(
                replace(recipient, state=state), reason=why, at=installation.clock()
            ),
        )


def _require_unbound(
    installation: "Installation", recipient: Recipient, state: RecipientState
) -> None:
    """Raise `OperatorError` if an agreement still binds a recipient that is to be removed."""
    if state is not RecipientState.REMOVED:
        return
    for agreement in installation.registry.agreements(recipient.code):
        if agreement.may_bind(installation.clock()):
            raise OperatorError(
                translate(
                    "{code} has the agreement {number}; terminate it first, or wait for its end",
                    code=recipient.code,
                    number=agreement.number,
                )
            )


def describe_recipient(recipient: Recipient) -> Facts:
    """Return a recipient as it is shown."""
    return {
        "code": recipient.code,
        "kind": recipient.kind.value,
        "clause": recipient.kind.clause,
        "name": recipient.name,
        "state": recipient.state.value,
    }
