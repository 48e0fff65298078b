"""`makul store`: the database, for database administrators.

Only `upgrade` uses the keys of the store.
"""

import re
from typing import Annotated

import typer

from makul.admin.errors import OperatorError
from makul.app.ports import Duty
from makul.cli.context import AsJson, examples, session
from makul.cli.exit_codes import ExitCode
from makul.cli.output import complain, progress_bar, show_rows
from makul.cli.preview import PreviewedChange, offer_preview
from makul.language.translation import mark, translate

app = typer.Typer(
    no_args_is_help=True,
    help="Manage the database: its version, monthly partitions, and the rights of each duty.",
)

Ahead = Annotated[
    int,
    typer.Option(min=1, max=36, metavar="MONTHS", help="Number of months after the present one."),
]


@app.command(
    epilog=examples(
        "makul store status", "makul store status --for sequencing", "makul store status --json"
    )
)
def status(
    ctx: typer.Context,
    *,
    duty: Annotated[
        Duty, typer.Option("--for", help="The duty of the database role that runs this command.")
    ] = Duty.SERVING,
    as_json: AsJson = False,
) -> None:
    """Show the database and its deficiencies. Exit code 1 if there is a deficiency.

    On PostgreSQL the command also checks that its role has exactly the rights of its duty.
    """
    current = session(ctx)
    info = current.runtime.store(current.config).status(duty)
    row = {
        "database": info.database,
        "version": info.version,
        "months_missing": ", ".join(info.months_missing) or None,
        "weaknesses": "; ".join(info.weaknesses) or None,
        "samples_to_move": info.samples_to_move,
    }
    show_rows([row], columns=tuple(row), as_json=as_json, empty="")
    if info.months_missing:
        complain(translate("months are missing: makul store months --apply"))
    if info.samples_to_move:
        complain(
            translate(
                "{number} records still hold their samples: makul store upgrade --apply",
                number=info.samples_to_move,
            )
        )
    if info.months_missing or info.weaknesses or info.samples_to_move:
        raise typer.Exit(ExitCode.REFUSED)


@app.command(epilog=examples("makul store upgrade", "makul store upgrade --apply"))
@offer_preview
def upgrade(ctx: typer.Context, *, change: PreviewedChange) -> None:
    """Upgrade the store to the version of this program. Stop the service and make a copy first.

    The upgrade needs the keys of the store for two steps. The rights in a store that predates acts
    are recorded in the ledger. Samples in records of persons are moved to rows of their own. An
    interrupted upgrade continues where it stopped.
    """
    current = session(ctx)
    keeper = current.runtime.store(current.config)
    with progress_bar() as progress:
        task = progress.add_task(translate("records"), total=None)
        change.apply_or_preview(
            mark("upgrade store"),
            {"settings": str(current.config)},
            lambda: keeper.upgrade(
                lambda done, of: progress.update(task, completed=done, total=of)
            ),
        )


@app.command(epilog=examples("makul store months", "makul store months --ahead 6 --apply"))
@offer_preview
def months(ctx: typer.Context, *, ahead: Ahead = 3, change: PreviewedChange) -> None:
    """Create the partitions of the coming months. Run it daily, as owner of the tables.

    A cron job can run this command.
    """
    current = session(ctx)
    keeper = current.runtime.store(current.config)
    change.apply_or_preview(
        mark("make months"),
        {"missing": list(keeper.months_missing(ahead))},
        lambda: keeper.make_months(ahead),
    )


@app.command(
    epilog=examples(
        "makul store grant makul_service --for serving --apply",
        "makul store grant makul_desk --for desk --apply",
        "makul store grant makul_sequencer --for sequencing --apply",
    )
)
@offer_preview
def grant(
    ctx: typer.Context,
    *,
    role: Annotated[
        str, typer.Argument(metavar="ROLE", help="A role that exists on the database server.")
    ],
    duty: Annotated[
        Duty,
        typer.Option(
            "--for",
            help="serving: `makul serve`. desk: the operator's commands. sequencing:"
            " `makul ledger run` and `recover`.",
        ),
    ],
    change: PreviewedChange,
) -> None:
    """Grant a PostgreSQL role exactly the privileges of one duty and revoke all others.

    Use a separate role for each duty. In production the service and the sequencer refuse a role
    that has the privileges of another duty. Run this command as owner of the tables, and again
    after each upgrade of the store.
    """
    if re.fullmatch("[a-z_][a-z0-9_]{0,62}", role) is None:
        raise OperatorError(translate("a role's name has small letters, digits and _ alone"))
    current = session(ctx)
    keeper = current.runtime.store(current.config)
    change.apply_or_preview(
        mark("grant rights"),
        {"role": role, "duty": duty.value},
        lambda: keeper.grant(role, duty),
    )
