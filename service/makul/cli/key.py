"""`makul key`: what signs, seals and is trusted, and until when."""

from datetime import datetime, timedelta

import typer

from makul.cli.house import ExitCode, KeyInfo
from makul.cli.output import Facts, complain, instant, show_rows
from makul.cli.session import AsJson, examples, session

app = typer.Typer(no_args_is_help=True, help="What signs, seals and is trusted, and until when.")

WARN_WITHIN = timedelta(days=30)
"""Renewal of an organisation's certificate takes days of paperwork, not hours."""


@app.command(epilog=examples("makul key show", "makul key show --json"))
def show(ctx: typer.Context, *, as_json: AsJson = False) -> None:
    """Show keys and certificates in use; exit code 1 where one is out of term."""
    with session(ctx).house() as house:
        now = house.clock()
        rows = [_row(info, now) for info in house.keys_in_use()]
    show_rows(
        rows,
        columns=("name", "algorithm", "state", "not_after", "fingerprint", "path", "note"),
        as_json=as_json,
        empty="No key is configured.",
    )
    expired = [str(row["name"]) for row in rows if row["state"] == "OUT_OF_TERM"]
    if expired:
        complain(f"out of term: {', '.join(expired)}; replace them and restart the service")
        raise typer.Exit(ExitCode.REFUSED)


def _row(info: KeyInfo, now: datetime) -> Facts:
    return {
        "name": info.name,
        "algorithm": info.algorithm,
        "state": _state(info, now),
        "not_before": instant(info.not_before),
        "not_after": instant(info.not_after),
        "fingerprint": info.fingerprint,
        "path": str(info.path) if info.path is not None else None,
        "note": info.note,
    }


def _state(info: KeyInfo, now: datetime) -> str:
    if info.not_before is not None and now < info.not_before:
        return "OUT_OF_TERM"
    if info.not_after is None:
        return "IN_USE"
    if info.not_after <= now:
        return "OUT_OF_TERM"
    return "ENDS_SOON" if info.not_after - now < WARN_WITHIN else "IN_USE"
