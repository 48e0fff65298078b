"""`makul trust`: refresh of revocation data, and their state."""

import json
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import typer

from makul.cli.context import AsJson, examples, session, stopped_by_signal
from makul.cli.exit_codes import ExitCode
from makul.cli.output import Facts, complain, instant, local_time, show_rows
from makul.language.translation import translate

if TYPE_CHECKING:
    from makul.admin.trust_data import RefreshOutcome, SettingsTrust, TrustItem

app = typer.Typer(no_args_is_help=True, help="Refresh revocation data, and show what is trusted.")

NEEDS_A_HAND = frozenset({"STALE", "OUT_OF_TERM", "MISSING", "UNREADABLE", "UNCLEAR"})
"""States in which signatures are not accepted, or soon will not be."""


@app.command(
    epilog=examples(
        "makul trust refresh", "makul trust refresh --once", "makul trust refresh --interval 60"
    )
)
def refresh(
    ctx: typer.Context,
    *,
    once: Annotated[
        bool, typer.Option("--once", help="Run one round and exit; exit code 1 if a source failed.")
    ] = False,
    interval: Annotated[
        int | None, typer.Option(min=5, max=86_400, help="Seconds between two rounds.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Refresh CRLs and OCSP responses from the addresses in the settings, until stopped.

    A file is replaced only by one that a known CA signed, that is current and that is not older.
    """
    current = session(ctx)
    keeper = current.runtime.trust(current.config)
    if once:
        raise typer.Exit(ExitCode.DONE if _run_round(keeper, as_json=as_json) else ExitCode.REFUSED)
    stopped = stopped_by_signal()
    while not stopped.is_set():
        _run_round(keeper, as_json=as_json)
        stopped.wait(interval or keeper.interval)


@app.command(epilog=examples("makul trust status", "makul trust status --json"))
def status(ctx: typer.Context, *, as_json: AsJson = False) -> None:
    """Show anchors, CRLs and OCSP responses. Exit code 1 if one is stale or missing."""
    current = session(ctx)
    keeper = current.runtime.trust(current.config)
    now = keeper.clock()
    items = keeper.status()
    show_rows(
        [_row(each, (now - each.since).total_seconds() if each.since else None) for each in items],
        columns=("kind", "name", "state", "age_seconds", "until", "entries"),
        as_json=as_json,
        empty=translate("Nothing is trusted."),
    )
    disordered = [each.name for each in items if each.state in NEEDS_A_HAND]
    if disordered:
        complain(
            translate(
                "not in order: {names}; signatures that rest on it are not accepted",
                names=", ".join(disordered),
            )
        )
        raise typer.Exit(ExitCode.REFUSED)


def _run_round(keeper: "SettingsTrust", *, as_json: bool) -> bool:
    """Run one round, print a line for each source, and return whether every source succeeded."""
    good = True
    for outcome in keeper.refresh():
        typer.echo(_line(outcome, at=keeper.clock(), as_json=as_json))
        good = good and outcome.result != "failed"
    return good


def _line(outcome: "RefreshOutcome", *, at: datetime, as_json: bool) -> str:
    if as_json:
        result = {
            "at": instant(at),
            "source": outcome.source,
            "result": outcome.result,
            "why": outcome.why,
        }
        return json.dumps(result, ensure_ascii=False)
    why = f": {outcome.why}" if outcome.why else ""
    return f"{local_time(at)} {_result_word(outcome.result):9} {outcome.source}{why}"


def _result_word(result: str) -> str:
    """Return the result of refreshing a source for people."""
    return {
        "new": translate("new", context="source"),
        "unchanged": translate("unchanged", context="source"),
        "failed": translate("failed", context="source"),
    }[result]


def _row(info: "TrustItem", age: float | None) -> Facts:
    return {
        "kind": info.kind,
        "name": info.name,
        "state": info.state,
        "since": instant(info.since),
        "until": instant(info.until),
        "age_seconds": int(age) if age is not None else None,
        "entries": info.entries,
    }
