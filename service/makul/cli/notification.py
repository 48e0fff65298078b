"""`makul notification`: notify subjects of what was given about them (Procedure, cl. 4)."""

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Annotated
from uuid import UUID

import typer

from makul.cli.context import (
    AsJson,
    Reason,
    examples,
    require_reason,
    session,
    stopped_by_signal,
)
from makul.cli.exit_codes import ExitCode
from makul.cli.output import complain, instant, show_facts, show_rows
from makul.cli.preview import PreviewedChange, offer_preview
from makul.domain.notifications import NotificationKind
from makul.language.translation import mark, translate

if TYPE_CHECKING:
    from makul.admin.notifications import NotificationDesk

app = typer.Typer(
    no_args_is_help=True, help="Send notifications to subjects, and list them (cl. 4)."
)

MAX_LISTED = 10_000


@app.command(epilog=examples("makul notification send", "makul notification send --once --json"))
def send(
    ctx: typer.Context,
    *,
    once: Annotated[
        bool, typer.Option("--once", help="Stop when nothing more is due, for a timer.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Send what is due to the channel of the settings, until stopped.

    Each notification is delivered at least once. After a crash it may be delivered again, with its
    attempt number. Several processes may run at once. Exit code 1 with --once if the channel could
    not be used.
    """
    stopped = stopped_by_signal()
    with _desk(ctx) as desk:
        total = desk.run(stopped, once=once)
    if not once:
        return
    facts = {
        "delivered": total.delivered,
        "postponed": total.postponed,
        "given_up": total.given_up,
    }
    show_facts(facts, as_json=as_json)
    if total.is_unavailable:
        complain(translate("the channel cannot be used; the rest waits"))
        raise typer.Exit(ExitCode.REFUSED)


@app.command(epilog=examples("makul notification status", "makul notification status --json"))
def status(ctx: typer.Context, *, as_json: AsJson = False) -> None:
    """Show how far the outbox is delivered. Exit code 1 if one waits too long or was given up."""
    with _desk(ctx) as desk:
        state, now = desk.state(), desk.clock()
        promise = desk.settings.notifications.promise if desk.settings.notifications else None
    waits = (now - state.oldest).total_seconds() if state.oldest is not None else 0
    show_facts(
        {
            "waiting": state.waiting,
            "oldest": instant(state.oldest),
            "oldest_seconds": int(waits),
            "given_up": state.given_up,
        },
        as_json=as_json,
    )
    if promise is not None and waits > promise.total_seconds():
        complain(translate("notifications wait too long: does `makul notification send` run?"))
        raise typer.Exit(ExitCode.REFUSED)
    if state.given_up:
        complain(translate("notifications were given up; see: makul notification list --given-up"))
        raise typer.Exit(ExitCode.REFUSED)


@app.command(
    "list", epilog=examples("makul notification list", "makul notification list --given-up")
)
def list_all(
    ctx: typer.Context,
    *,
    given_up: Annotated[
        bool, typer.Option("--given-up", help="Only those that the channel refused too often.")
    ] = False,
    limit: Annotated[int, typer.Option(min=1, max=MAX_LISTED, help="Maximum number.")] = 100,
    as_json: AsJson = False,
) -> None:
    """List undelivered notifications, the oldest first. The list has no personal data."""
    with _desk(ctx) as desk:
        listed = desk.undelivered(given_up=given_up, limit=limit)
    show_rows(
        [
            {
                "disclosure_id": str(each.disclosure_id),
                "kind": each.kind.value,
                "visible_at": instant(each.visible_at),
                "attempts": each.attempts,
                "next_at": instant(each.next_at),
            }
            for each in listed
        ],
        columns=("disclosure_id", "kind", "visible_at", "attempts", "next_at"),
        as_json=as_json,
        empty=translate("Every notification was delivered."),
    )


@app.command(
    epilog=examples(
        "makul notification retry 7d9a3c1e-0000-4000-8000-000000000001"
        " --reason 'the portal knows the person now' --apply"
    )
)
@offer_preview
def retry(
    ctx: typer.Context,
    *,
    disclosure: Annotated[
        UUID, typer.Argument(metavar="DISCLOSURE", help="The disclosureId, as the list shows it.")
    ],
    kind: Annotated[
        NotificationKind, typer.Option(help="The kind of the notification.")
    ] = NotificationKind.DISCLOSURE,
    reason: Reason,
    change: PreviewedChange,
) -> None:
    """Begin the attempts of a notification again that was given up."""
    why = require_reason(reason)
    with _desk(ctx) as desk:
        change.apply_or_preview(
            mark("send notification again"),
            {"disclosure_id": str(disclosure), "kind": kind.value},
            lambda: desk.begin_again(disclosure, kind, reason=why),
        )


def _desk(ctx: typer.Context) -> "AbstractContextManager[NotificationDesk]":
    current = session(ctx)
    return current.runtime.notifications(current.config)
