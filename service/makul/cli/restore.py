"""`makul restore`: proof of a copy, and its restoration into an empty place."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from makul.admin.errors import OperatorError
from makul.cli.context import examples, session
from makul.cli.exit_codes import ExitCode
from makul.cli.output import (
    Facts,
    Value,
    complain,
    instant,
    progress_bar,
    show_facts,
    show_json,
    show_rows,
)
from makul.cli.preview import PreviewedChange, offer_preview
from makul.language.translation import mark, translate

if TYPE_CHECKING:
    from makul.admin.restoration import CheckedBackup, Restoration

_STEPS = {
    "digests": mark("digests"),
    "archive": mark("archive"),
    "restore": mark("restore"),
    "fields": mark("encrypted fields"),
    "records": mark("records"),
}

Copy = Annotated[
    Path,
    typer.Argument(
        metavar="DIRECTORY", help="A copy, or a directory of copies: then the newest one."
    ),
]
Check = Annotated[
    bool, typer.Option("--check", help="Prove the copy in a temporary place, and change nothing.")
]
Into = Annotated[
    str | None,
    typer.Option(
        metavar="URL",
        help="With --check: an empty PostgreSQL database. One that is missing is created, and"
        " dropped again.",
    ),
]
MaxAge = Annotated[
    int | None,
    typer.Option(min=1, metavar="MINUTES", help="With --check: exit code 1 if the copy is older."),
]


def add_to(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command(
        epilog=examples(
            "makul restore /var/backups/makul --check",
            "makul restore /var/backups/makul --check --max-age 15 --json",
            "makul restore /var/backups/makul/makul-20261201T120000Z --apply",
        )
    )(restore)


@offer_preview
def restore(
    ctx: typer.Context,
    *,
    copy: Copy,
    check: Check = False,
    into: Into = None,
    max_age: MaxAge = None,
    change: PreviewedChange,
) -> None:
    """Restore a copy of the store into an empty place, or prove it with --check.

    --check restores the copy into a temporary place. It verifies the digests, decrypts with the
    keys of these settings, and verifies every record against the ledger. It shows what the copy
    lacks in comparison with the published log and the live store. Exit code 1 if the copy cannot be
    restored.
    """
    current = session(ctx)
    restoration = current.runtime.restoration(current.config)
    if check and change.apply:
        raise OperatorError(translate("give either --check or --apply"))
    if check:
        _check(restoration, copy, into, max_age, as_json=change.as_json)
        return
    if into is not None or max_age is not None:
        raise OperatorError(translate("--into and --max-age belong to --check"))
    manifest = restoration.preview(copy)
    change.apply_or_preview(
        mark("restore the store"),
        {
            "copy": str(copy),
            "made_at": instant(manifest.made_at),
            "store": manifest.store,
            "size": manifest.ledger.size,
        },
        lambda: restoration.restore(copy, lambda *_: None),
    )


def _check(
    restoration: "Restoration", copy: Path, into: str | None, max_age: int | None, *, as_json: bool
) -> None:
    with progress_bar() as progress:
        tasks = {
            name: progress.add_task(translate(title), total=None, visible=False)
            for name, title in _STEPS.items()
        }
        done = restoration.check(
            copy,
            into=into,
            report=lambda step, so_far, of: progress.update(
                tasks[step], completed=so_far, total=of or None, visible=True
            ),
        )
    _show(done, as_json=as_json)
    _warn_of_unknown(done)
    minutes = done.age.total_seconds() / 60
    if max_age is not None and minutes > max_age:
        complain(translate("the copy is {minutes} minutes old", minutes=round(minutes)))
        raise typer.Exit(ExitCode.REFUSED)


def _warn_of_unknown(done: "CheckedBackup") -> None:
    """Say what the check could not determine, because an empty list is no proof."""
    if done.live is None:
        complain(
            translate(
                "the live store cannot be read: which holds and withdrawals the copy lacks is not"
                " known. See docs/operating/backup.md"
            )
        )
    published = done.published.published or 0
    if done.published.witnessed is not None and done.published.witnessed > published:
        complain(
            translate(
                "a witness shows {witnessed} leaves and only {published} are published here: the"
                " copy lacks more than the published log shows",
                witnessed=done.published.witnessed,
                published=published,
            )
        )


def _show(done: "CheckedBackup", *, as_json: bool) -> None:
    facts = _facts_of_copy(done) | _facts_of_gap(done)
    acts, revocations = _list_acts(done), _list_revocations(done)
    if as_json:
        show_json({**facts, "missing_acts": acts, "missing_revocations": revocations})
        return
    show_facts(facts, as_json=False)
    for rows in (acts, revocations):
        if rows:
            typer.echo()
            show_rows(rows, columns=tuple(rows[0]), as_json=False, empty="")


def _facts_of_copy(done: "CheckedBackup") -> dict[str, Value]:
    manifest = done.manifest
    return {
        "copy": str(done.path),
        "fits": True,
        "made_at": instant(manifest.made_at),
        "age_seconds": round(done.age.total_seconds()),
        "newest_record_at": instant(manifest.newest_record_at),
        "store": manifest.store,
        "version": manifest.schema_version,
        "to_upgrade": done.is_older_schema,
        "archive": manifest.archive.files if manifest.archive is not None else None,
        "omitted": list(manifest.omitted),
        "key_ids": list(manifest.keys),
        "encrypted_fields": done.fields,
        "size": done.ledger.size,
        "checked": done.ledger.checked,
        "lost_before": done.ledger.lost,
    }


def _facts_of_gap(done: "CheckedBackup") -> dict[str, Value]:
    published, live = done.published, done.live
    return {
        "published": published.published,
        "witnessed": published.witnessed,
        "missing_leaves": published.unplaced,
        "missing_records": published.lost,
        "missing_live_records": live.records if live is not None else None,
        "live_newest_at": instant(live.newest_at) if live is not None else None,
        "missing_act_count": live.act_count if live is not None else None,
        "missing_revocation_count": live.revocation_count if live is not None else None,
    }


def _list_acts(done: "CheckedBackup") -> list[Facts]:
    return [
        {"number": each.number, "at": instant(each.at), "kind": each.kind, "target": each.target}
        for each in (done.live.acts if done.live is not None else ())
    ]


def _list_revocations(done: "CheckedBackup") -> list[Facts]:
    return [
        {
            "recipient": each.recipient,
            "consent": str(each.consent_id),
            "revoked_at": instant(each.revoked_at),
        }
        for each in (done.live.revocations if done.live is not None else ())
    ]
