"""`makul ground`: consents and basis statements on which data are disclosed (cl. 4 and 5)."""

from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from makul.admin.errors import OperatorError
from makul.app.ports import GroundRow
from makul.cli.context import (
    AsJson,
    Code,
    Reason,
    examples,
    open_installation,
    require_reason,
    require_recipient,
)
from makul.cli.output import Facts, instant, show_facts
from makul.cli.preview import PreviewedChange, offer_preview
from makul.domain.disclosures import GroundKind
from makul.language.translation import mark, translate

if TYPE_CHECKING:
    from makul.admin.installation import Installation

app = typer.Typer(
    no_args_is_help=True,
    help="Show and revoke consents and basis statements (cl. 4 and 5).",
)

_EXAMPLE = "COM/60000001 7d9a3c1e-0000-4000-8000-0000000000c1"

GroundId = Annotated[
    UUID, typer.Argument(metavar="ID", help="The `ground_id` from `disclosure show`.")
]
Kind = Annotated[GroundKind, typer.Option(help="The kind of ground.")]


@app.command(epilog=examples(f"makul ground show {_EXAMPLE} --json"))
def show(
    ctx: typer.Context,
    *,
    code: Code,
    ground_id: GroundId,
    kind: Kind = GroundKind.CONSENT,
    as_json: AsJson = False,
) -> None:
    """Show the term and usage of a ground. The output names no person."""
    with open_installation(ctx) as installation:
        ground = _find(installation, code, kind, ground_id)
    show_facts(_row(ground), as_json=as_json)


@app.command(
    epilog=examples(
        f"makul ground revoke {_EXAMPLE} --reason 'court order 118'",
        "makul ground revoke GOV/70000002 7d9a3c1e-0000-4000-8000-0000000000b1 --kind BASIS"
        " --reason 'the case is closed' --apply",
    )
)
@offer_preview
def revoke(
    ctx: typer.Context,
    *,
    code: Code,
    ground_id: GroundId,
    reason: Reason,
    kind: Kind = GroundKind.CONSENT,
    change: PreviewedChange,
) -> None:
    """Revoke a consent or basis statement. Takes effect immediately and cannot be undone.

    No data are disclosed on the ground after its revocation.
    """
    why = require_reason(reason)
    with open_installation(ctx) as installation:
        ground = _find(installation, code, kind, ground_id)
        if ground.revoked_at is not None:
            raise OperatorError(
                translate("the operator has revoked this ground already; there is nothing to do")
            )
        change.apply_or_preview(
            mark("revoke ground"),
            _row(ground),
            lambda: installation.registry.revoke_ground(
                ground.recipient, ground.kind, ground.ground_id, reason=why, at=installation.clock()
            ),
        )


def _find(installation: "Installation", code: str, kind: GroundKind, ground_id: UUID) -> GroundRow:
    recipient = require_recipient(installation, code)
    ground = installation.registry.find_ground(recipient.code, kind, ground_id)
    if ground is None:
        raise OperatorError(
            translate(
                "{code} has used or registered no {kind} of this id; see ground and ground_id in:"
                " makul disclosure show",
                code=recipient.code,
                kind=kind.value,
            )
        )
    return ground


def _row(ground: GroundRow) -> Facts:
    return {
        "recipient": ground.recipient,
        "kind": ground.kind.value,
        "ground_id": str(ground.ground_id),
        "allowed": ground.allowed,
        "used": ground.used,
        "valid_from": instant(ground.valid_from),
        "valid_to": instant(ground.valid_to),
        "registered_at": instant(ground.registered_at),
        "revoked_at": instant(ground.revoked_at),
    }
