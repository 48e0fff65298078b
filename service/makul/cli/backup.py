"""`makul backup`: a copy of the store while the service runs."""

from pathlib import Path
from typing import Annotated

import typer

from makul.cli.context import AsJson, examples, session
from makul.cli.output import complain, instant, progress_bar, show_facts
from makul.language.translation import translate

Copies = Annotated[
    Path,
    typer.Argument(metavar="DIRECTORY", help="The directory to which the copy is added."),
]
Keep = Annotated[
    int, typer.Option(min=1, max=100_000, help="Number of copies of this store that stay.")
]


def add_to(app: typer.Typer) -> None:
    """Add the command to the root."""
    app.command(
        epilog=examples("makul backup /var/backups/makul", "makul backup /mnt/copies --keep 48")
    )(backup)


def backup(
    ctx: typer.Context, *, directory: Copies, keep: Keep = 24, as_json: AsJson = False
) -> None:
    """Copy the store while the service runs. No copy contains a key.

    When the command prints its name, the copy is complete, verified and on the disk. Keep the keys
    with the printed ids apart from it. To prove a copy, give: makul restore --check DIRECTORY
    """
    current = session(ctx)
    maker = current.runtime.backups(current.config)
    with progress_bar() as progress:
        task = progress.add_task(translate("copy"), total=None)
        done = maker.make(
            directory,
            keep=keep,
            report=lambda so_far, of: progress.update(task, completed=so_far, total=of or None),
        )
    manifest = done.manifest
    show_facts(
        {
            "copy": str(done.path),
            "made_at": instant(manifest.made_at),
            "database": f"{manifest.database} {manifest.database_version}",
            "version": manifest.schema_version,
            "store": manifest.store,
            "size": manifest.ledger.size,
            "newest_record_at": instant(manifest.newest_record_at),
            "key_ids": list(manifest.keys),
            "rows": sum(manifest.tables.values()),
            "bytes": done.bytes,
            "seconds": round(done.took.total_seconds()),
            "archive": manifest.archive.files if manifest.archive is not None else None,
            "omitted": list(manifest.omitted),
            "removed": [each.name for each in done.removed],
        },
        as_json=as_json,
    )
    if manifest.omitted:
        complain(
            translate(
                "not in the copy, because they cannot be read or contain a secret: {keys}",
                keys=", ".join(manifest.omitted),
            )
        )
