"""`makul key`: keys and certificates in use with their terms, and rotation of the store's key."""

import re
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from makul.admin.errors import OperatorError, OperatorUnavailableError
from makul.app.ports import EncryptedCount, KeyRing, StoreUnavailableError
from makul.cli.context import AsJson, examples, open_installation
from makul.cli.exit_codes import ExitCode
from makul.cli.output import Facts, TwoForms, Value, complain, instant, progress_bar, show_rows
from makul.cli.preview import PreviewedChange, offer_preview
from makul.language.translation import mark, translate

if TYPE_CHECKING:
    from makul.admin.installation import Installation
    from makul.admin.key_inventory import KeyInfo

app = typer.Typer(
    no_args_is_help=True,
    help="Show keys and certificates in use, and rotate the store's master key.",
)

_ROTATE_HELP = (
    "Rotate the store's master key, which wraps the data key of every encrypted field.\n\n"
    "There are three steps, each with --apply. First, --prepare adds a new key that decrypts and"
    " does not encrypt; then reload every worker (SIGHUP). Second, --activate makes it the current"
    " key, and is refused while a process on this machine does not know it; then reload every"
    " worker again. Third, without either option, every data key is wrapped again while the"
    " service runs. An interrupted run continues where it stopped. Last, remove the former key:"
    " makul key retire."
)

STORE_KEY = "store data keys"
"""The name of a master key of the store in the list."""

WARN_WITHIN = timedelta(days=30)
"""Renewal of an organisation's certificate takes days of paperwork, not hours."""


@app.command(
    epilog=examples(
        "makul key show", "makul key show --within 60 --json", "makul key show --fields"
    )
)
def show(
    ctx: typer.Context,
    *,
    within: Annotated[
        int | None,
        typer.Option(
            min=1,
            max=36_500,
            metavar="DAYS",
            help="Exit with 1 also if a certificate ends within so many days.",
        ),
    ] = None,
    fields: Annotated[
        bool,
        typer.Option(
            "--fields", help="Count the fields that are encrypted under each store key; slow."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Show keys and certificates in use. Exit code 1 if one is out of term."""
    with open_installation(ctx) as installation:
        now = installation.clock()
        soon = WARN_WITHIN if within is None else timedelta(days=within)
        rows = [_row(info, now, soon) for info in installation.keys_in_use()]
        if fields:
            rows = _with_fields(rows, installation.rotation.count())
    columns = ("name", "algorithm", "state", "ends", "not_after", "fingerprint", "path", "note")
    show_rows(
        rows,
        columns=(*columns, "fields") if fields else columns,
        as_json=as_json,
        empty=translate("No key is configured."),
    )
    expired = [_label(row) for row in rows if row["state"] == "OUT_OF_TERM"]
    ending = [_label(row) for row in rows if row["state"] == "ENDS_SOON"]
    if expired:
        complain(
            translate(
                "out of term: {names}; replace them and reload the service",
                names=", ".join(expired),
            )
        )
    if within is not None and ending:
        complain(
            translate("ends within {days} days: {names}", days=within, names=", ".join(ending))
        )
    if expired or (within is not None and ending):
        raise typer.Exit(ExitCode.REFUSED)


@app.command(
    epilog=examples("makul key compromised FINGERPRINT --since 2026-11-20T09:00:00Z --apply")
)
@offer_preview
def compromised(
    ctx: typer.Context,
    *,
    fingerprint: Annotated[str, typer.Argument(help="SHA-256 of the certificate in hexadecimal.")],
    since: Annotated[
        str, typer.Option(help="The earliest time at which others may have had the key.")
    ],
    change: PreviewedChange,
) -> None:
    """Mark a receipt key as compromised: others may have signed receipts with it.

    The key can then no longer be used, and the mark cannot be removed.
    """
    digits = fingerprint.replace(":", "").lower()
    if not re.fullmatch("[0-9a-f]{64}", digits):
        raise OperatorError(
            translate("the fingerprint is SHA-256 in hexadecimal; see: makul key show")
        )
    at = _instant(since)
    with open_installation(ctx) as installation:
        if at > installation.clock():
            raise OperatorError(translate("--since is in the future"))
        change.apply_or_preview(
            mark("mark receipt key as compromised"),
            {"fingerprint": digits, "since": instant(at)},
            lambda: installation.mark_compromised(bytes.fromhex(digits), since=at),
        )


@app.command(
    help=_ROTATE_HELP,
    epilog=examples(
        "makul key rotate",
        "makul key rotate --prepare --apply",
        "makul key rotate --activate --apply",
        "makul key rotate --apply",
    ),
)
@offer_preview
def rotate(
    ctx: typer.Context,
    *,
    prepare: Annotated[
        bool, typer.Option("--prepare", help="Add a new key, to be activated later.")
    ] = False,
    activate: Annotated[
        bool, typer.Option("--activate", help="Encrypt with the prepared key from now on.")
    ] = False,
    change: PreviewedChange,
) -> None:
    """Rotate the store's master key, as `_ROTATE_HELP` describes."""
    if prepare and activate:
        raise OperatorError(translate("give --prepare, reload every worker, and then --activate"))
    with open_installation(ctx) as installation:
        if prepare:
            _prepare(installation, change)
        elif activate:
            _activate(installation, change)
        else:
            _rewrap(installation, change)


@app.command(epilog=examples("makul key retire 0123abcd", "makul key retire 0123abcd --apply"))
@offer_preview
def retire(
    ctx: typer.Context,
    *,
    key_id: Annotated[
        str,
        typer.Argument(
            metavar="KEY_ID", help="The id of a former store key from `makul key show`."
        ),
    ],
    change: PreviewedChange,
) -> None:
    """Remove a former store key from the key file, once no field is encrypted under it."""
    with open_installation(ctx) as installation:
        rotation = installation.rotation
        if key_id not in rotation.key_ring().former:
            raise OperatorError(
                translate("{key} is not a former store key; see: makul key show", key=key_id)
            )
        left = sum(each.fields for each in rotation.count() if each.key_id == key_id)
        facts: dict[str, Value] = {"key": key_id, "sealed_under_it": left}
        facts["still_used"] = key_id in rotation.lingering()
        if change.apply:
            done = rotation.retire(key_id, at=installation.clock())
            facts["kept"] = str(done.kept)
            facts["needed_by_backups_before"] = instant(done.needed_by_backups_before)
    change.show(mark("retire a store key"), facts)
    if change.apply:
        complain(
            translate("older backups open with the kept file alone: destroy it together with them")
        )


def _prepare(installation: "Installation", change: PreviewedChange) -> None:
    key_ring = installation.rotation.key_ring()
    if key_ring.following is not None:
        raise OperatorError(
            translate(
                "{key} is prepared already; see: makul key rotate --activate",
                key=key_ring.following,
            )
        )
    following = installation.rotation.prepare(at=installation.clock()) if change.apply else None
    facts: Facts = {"current": key_ring.current, "next": following}
    change.show(mark("prepare a store key"), facts)
    if change.apply:
        complain(translate("now reload every worker (SIGHUP), then: makul key rotate --activate"))


def _activate(installation: "Installation", change: PreviewedChange) -> None:
    key_ring = installation.rotation.key_ring()
    if key_ring.following is None:
        raise OperatorError(
            translate("no key is prepared; first: makul key rotate --prepare --apply")
        )
    facts: Facts = {
        "current": key_ring.current,
        "next": key_ring.following,
        "still_used": key_ring.current in installation.rotation.lingering(),
    }
    if change.apply:
        installation.rotation.activate(at=installation.clock())
    change.show(mark("activate the prepared store key"), facts)
    if change.apply:
        complain(translate("now reload every worker (SIGHUP), then: makul key rotate"))


def _rewrap(installation: "Installation", change: PreviewedChange) -> None:
    rotation = installation.rotation
    key_ring = rotation.key_ring()
    waiting = _count_fields_to_rewrap(rotation.count(), key_ring)
    facts: dict[str, Value] = {
        "current": key_ring.current,
        "next": key_ring.following,
        "former": list(key_ring.former),
        "still_used": list(rotation.lingering()),
    }
    if not change.apply:
        facts |= {"to_wrap_anew": waiting.total(), **dict(waiting)}
        change.show(mark("wrap data keys again"), facts)
        return
    done, broken = _walk(installation, waiting.total())
    left = _count_fields_to_rewrap(rotation.count(), key_ring)
    facts |= {"wrapped_anew": done.total(), **dict(done), "left": left.total()}
    change.show(mark("wrap data keys again"), facts)
    if left:
        complain(_why_left(left.total(), broken=broken))
        raise typer.Exit(ExitCode.REFUSED)


def _why_left(left: int, *, broken: bool) -> str:
    if broken:
        return translate(
            "{number} fields are left, for they do not open with these keys: find their key first",
            number=left,
        )
    return translate(
        "{number} fields are left: a process still encrypts under a former key. Reload every"
        " worker, end the other programs, and give the command again",
        number=left,
    )


def _walk(installation: "Installation", total: int) -> tuple[Counter[str], bool]:
    """Wrap all data keys again.

    Return the number of fields by column, and whether any field cannot be decrypted.
    """
    done: Counter[str] = Counter()
    broken = False
    with progress_bar() as progress:
        task = progress.add_task(translate("fields"), total=total)
        try:
            for batch in installation.rotation.rewrap(installation.clock):
                done[batch.column] += batch.fields
                broken = broken or batch.broken > 0
                progress.update(task, completed=done.total())
        except StoreUnavailableError:
            raise OperatorUnavailableError(
                translate(
                    "the record store cannot be reached; {number} fields were wrapped again. Give"
                    " the command again to continue",
                    number=done.total(),
                )
            ) from None
    return done, broken


def _count_fields_to_rewrap(counts: Sequence[EncryptedCount], key_ring: KeyRing) -> Counter[str]:
    """Return the number of fields that are not under the current key, by column."""
    waiting: Counter[str] = Counter()
    for each in counts:
        if each.key_id != key_ring.current:
            waiting[each.column] += each.fields
    return waiting


def _with_fields(rows: Sequence[Facts], counts: Sequence[EncryptedCount]) -> list[Facts]:
    """Return the rows with the number of fields that are encrypted under each store key."""
    by_key: Counter[str] = Counter()
    for each in counts:
        by_key[each.key_id] += each.fields
    return [
        {**row, "fields": by_key[str(row["fingerprint"])] if row["name"] == STORE_KEY else None}
        for row in rows
    ]


def _instant(text: str) -> datetime:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise OperatorError(
            translate("--since is an instant with its zone, such as 2026-11-20T09:00:00Z")
        )
    return at.astimezone(UTC)


def _row(info: "KeyInfo", now: datetime, soon: timedelta) -> Facts:
    return {
        "name": TwoForms(info.name, info.label),
        "algorithm": info.algorithm,
        "state": _state(info, now, soon),
        "ends": _ends(info, now, soon),
        "not_before": instant(info.not_before),
        "not_after": instant(info.not_after),
        "fingerprint": info.fingerprint,
        "path": str(info.path) if info.path is not None else None,
        "note": info.note,
    }


def _label(row: Facts) -> str:
    name = row["name"]
    return name.for_people if isinstance(name, TwoForms) else str(name)


def _ends(info: "KeyInfo", now: datetime, soon: timedelta) -> str | None:
    if _state(info, now, soon) != "ENDS_SOON" or info.not_after is None:
        return None
    days = (info.not_after - now).days
    return TwoForms(f"expires in {days} days", translate("expires in {number} days", number=days))


def _state(info: "KeyInfo", now: datetime, soon: timedelta) -> str:
    if info.state is not None:
        return info.state
    if info.not_before is not None and now < info.not_before:
        return "OUT_OF_TERM"
    if info.not_after is None:
        return "IN_USE"
    if info.not_after <= now:
        return "OUT_OF_TERM"
    return "ENDS_SOON" if info.not_after - now < soon else "IN_USE"
