"""`makul store`: the database itself, for whoever administers it. `upgrade` alone has the keys."""

import re
from typing import Annotated

import typer

from makul.admin.models import ExitCode, OperatorError
from makul.app.ports import Duty
from makul.cli.context import Apply, AsJson, examples, session
from makul.cli.output import carry_out, complain, progress_bar, show_rows

app = typer.Typer(
    no_args_is_help=True,
    help="The database: its version, its months, and the rights of each duty's role.",
)

Ahead = Annotated[
    int, typer.Option(min=1, max=36, metavar="MONTHS", help="How many months after this one.")
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
        Duty, typer.Option("--for", help="What the role that asks is to do.")
    ] = Duty.SERVING,
    as_json: AsJson = False,
) -> None:
    """Show what database it is and what it lacks; exit code 1 where it lacks something.

    Of PostgreSQL also whether the role that asks may do what its duty takes, and no more.
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
        complain("months are missing: makul store months --apply")
    if info.samples_to_move:
        complain(
            f"{info.samples_to_move} records still hold their samples: makul store upgrade --apply"
        )
    if info.months_missing or info.weaknesses or info.samples_to_move:
        raise typer.Exit(ExitCode.REFUSED)


@app.command(epilog=examples("makul store upgrade", "makul store upgrade --apply"))
def upgrade(ctx: typer.Context, *, apply: Apply = False, as_json: AsJson = False) -> None:
    """Bring the store to this program's version. Stop the service, and make a copy first.

    It needs the store's keys: the rights of a store from before acts are recorded in the ledger,
    and samples that lie in records of persons are moved to rows of their own. An upgrade that was
    interrupted goes on where it stopped.
    """
    current = session(ctx)
    keeper = current.runtime.store(current.config)
    with progress_bar() as progress:
        task = progress.add_task("records", total=None)
        carry_out(
            "upgrade store",
            {"settings": str(current.config)},
            lambda: keeper.upgrade(
                lambda done, of: progress.update(task, completed=done, total=of)
            ),
            apply=apply,
            as_json=as_json,
        )


@app.command(epilog=examples("makul store months", "makul store months --ahead 6 --apply"))
def months(
    ctx: typer.Context, *, ahead: Ahead = 3, apply: Apply = False, as_json: AsJson = False
) -> None:
    """Make the partitions of the months to come. For cron, each day; as the tables' owner."""
    current = session(ctx)
    keeper = current.runtime.store(current.config)
    carry_out(
        "make months",
        {"missing": list(keeper.months_missing(ahead))},
        lambda: keeper.make_months(ahead),
        apply=apply,
        as_json=as_json,
    )


@app.command(
    epilog=examples(
        "makul store grant makul_service --for serving --apply",
        "makul store grant makul_desk --for desk --apply",
        "makul store grant makul_sequencer --for sequencing --apply",
    )
)
def grant(
    ctx: typer.Context,
    *,
    role: Annotated[str, typer.Argument(metavar="ROLE", help="A role that the server has.")],
    duty: Annotated[
        Duty,
        typer.Option(
            "--for",
            help="serving: `makul serve`. desk: the operator's commands. sequencing: `makul ledger"
            " run` and `recover`.",
        ),
    ],
    apply: Apply = False,
    as_json: AsJson = False,
) -> None:
    """Give a role of PostgreSQL what one duty takes, and take from it whatever it had more.

    Give each duty a role of its own: in production nobody serves or sequences by one that may do
    another's work. As the tables' owner; after each upgrade of the store anew.
    """
    if re.fullmatch("[a-z_][a-z0-9_]{0,62}", role) is None:
        raise OperatorError("a role's name has small letters, digits and _ alone")
    current = session(ctx)
    keeper = current.runtime.store(current.config)
    carry_out(
        "grant rights",
        {"role": role, "duty": duty.value},
        lambda: keeper.grant(role, duty),
        apply=apply,
        as_json=as_json,
    )
