"""`makul key`: what signs, seals and is trusted, and until when."""

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated

import typer

from makul.cli.house import ExitCode, HouseError, KeyInfo
from makul.cli.output import Facts, carry_out, complain, instant, show_rows
from makul.cli.session import Apply, AsJson, examples, session

app = typer.Typer(no_args_is_help=True, help="What signs, seals and is trusted, and until when.")

WARN_WITHIN = timedelta(days=30)
"""Renewal of an organisation's certificate takes days of paperwork, not hours."""


@app.command(epilog=examples("makul key show", "makul key show --within 60 --json"))
def show(
    ctx: typer.Context,
    *,
    within: Annotated[
        int | None,
        typer.Option(min=1, metavar="DAYS", help="Exit with 1 also where one ends so soon."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show keys and certificates in use; exit code 1 where one is out of term."""
    with session(ctx).house() as house:
        now = house.clock()
        soon = WARN_WITHIN if within is None else timedelta(days=within)
        rows = [_row(info, now, soon) for info in house.keys_in_use()]
    show_rows(
        rows,
        columns=("name", "algorithm", "state", "ends", "not_after", "fingerprint", "path", "note"),
        as_json=as_json,
        empty="No key is configured.",
    )
    expired = [str(row["name"]) for row in rows if row["state"] == "OUT_OF_TERM"]
    ending = [str(row["name"]) for row in rows if row["state"] == "ENDS_SOON"]
    if expired:
        complain(f"out of term: {', '.join(expired)}; replace them and reload the service")
    if within is not None and ending:
        complain(f"ends within {within} days: {', '.join(ending)}")
    if expired or (within is not None and ending):
        raise typer.Exit(ExitCode.REFUSED)


@app.command(
    epilog=examples("makul key compromised FINGERPRINT --since 2026-11-20T09:00:00Z --apply")
)
def compromised(
    ctx: typer.Context,
    *,
    fingerprint: Annotated[str, typer.Argument(help="SHA-256 of the certificate, hexadecimal.")],
    since: Annotated[str, typer.Option(help="The earliest time others may have had the key.")],
    apply: Apply = False,
    as_json: AsJson = False,
) -> None:
    """Note that others may have signed receipts with a key. It cannot be used or unmarked then."""
    digits = fingerprint.replace(":", "").lower()
    if not re.fullmatch("[0-9a-f]{64}", digits):
        raise HouseError("the fingerprint is SHA-256 in hexadecimal; see: makul key show")
    at = _instant(since)
    with session(ctx).house() as house:
        if at > house.clock():
            raise HouseError("--since lies in the future")
        carry_out(
            "mark receipt key as compromised",
            {"fingerprint": digits, "since": instant(at)},
            lambda: house.mark_compromised(bytes.fromhex(digits), since=at),
            apply=apply,
            as_json=as_json,
        )


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise HouseError("--since is an instant with its zone, such as 2026-11-20T09:00:00Z")
    return at.astimezone(UTC)


def _row(info: KeyInfo, now: datetime, soon: timedelta) -> Facts:
    return {
        "name": info.name,
        "algorithm": info.algorithm,
        "state": _state(info, now, soon),
        "ends": _ends(info, now, soon),
        "not_before": instant(info.not_before),
        "not_after": instant(info.not_after),
        "fingerprint": info.fingerprint,
        "path": str(info.path) if info.path is not None else None,
        "note": info.note,
    }


def _ends(info: KeyInfo, now: datetime, soon: timedelta) -> str | None:
    if _state(info, now, soon) != "ENDS_SOON" or info.not_after is None:
        return None
    return f"expires in {(info.not_after - now).days} days"


def _state(info: KeyInfo, now: datetime, soon: timedelta) -> str:
    if info.state is not None:
        return info.state
    if info.not_before is not None and now < info.not_before:
        return "OUT_OF_TERM"
    if info.not_after is None:
        return "IN_USE"
    if info.not_after <= now:
        return "OUT_OF_TERM"
    return "ENDS_SOON" if info.not_after - now < soon else "IN_USE"
