"""The sequence of every act that changes something: confirmed, sent, proved, stored and shown."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Protocol, TypeVar
from uuid import UUID, uuid4

import typer

from makul_client.cli.options import Apply, AsJson, ReceiptOut, RequestId, as_typed
from makul_client.cli.output import local_time, print_json, print_line, print_pairs
from makul_client.cli.oversight.session import PlannedAct, stored_receipt
from makul_client.cli.prompts import ask
from makul_client.cli.run import Run
from makul_client.models.acts import Act
from makul_client.translation import translate

if TYPE_CHECKING:
    from makul_client.oversight import OversightClient

Justification = Annotated[
    str | None,
    typer.Option(
        help="The facts on which the act rests, recorded permanently. Write no data of a person."
    ),
]


class DoneAct(Protocol):
    """The result of an act that was done."""

    @property
    def act(self) -> Act:
        """What proves it."""


DoneT = TypeVar("DoneT", bound=DoneAct)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActOptions:
    """The options that every command of an act has, as a group."""

    apply: Apply = False
    request_id: RequestId = None
    receipt: ReceiptOut = None
    as_json: AsJson = False


def carry_out(
    run: Run,
    client: "OversightClient",
    planned: PlannedAct,
    options: ActOptions,
    *,
    send: Callable[[UUID], DoneT],
    describe: Callable[[DoneT], tuple[str, Sequence[tuple[str, str]]]],
) -> None:
    """Confirm an act, send it, store its receipt, and show what was done.

    `send` receives the id of the request. `describe` returns a sentence, and rows of facts.
    """
    planned.require_confirmation(client.profile, apply=options.apply, as_json=options.as_json)
    new_id = options.request_id or uuid4()
    with stored_receipt(client.profile, options.receipt, new_id) as keep:
        done = send(run.begin_request(new_id))
        with keep(done.act):
            if options.as_json:
                print_json(done)
                return
            sentence, rows = describe(done)
            print_line(sentence)
            print_act(done.act, rows)


def require_justification(typed: str | None) -> str:
    """Return the justification from the option, or from a prompt at a terminal."""
    stated = as_typed(typed) or ask(translate("Justification"), instead="--justification")
    if not stated.strip():
        raise typer.BadParameter(translate("--justification: state the facts of the case"))
    return stated


def print_act(act: Act, rows: Iterable[tuple[str, str]]) -> None:
    """Print what proves an act: its id in the ledger, its moment, and who signed the receipt."""
    print_pairs(
        translate("Recorded, and proved by the operator's receipt"),
        [
            *rows,
            (translate("act"), str(act.act_id)),
            (translate("request"), str(act.request_id)),
            (translate("decided at"), local_time(act.decided_at)),
            (translate("operator"), act.receipt.operator),
        ],
    )
