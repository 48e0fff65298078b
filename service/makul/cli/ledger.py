"""`makul ledger`: commands that run, verify, export and recover the ledger."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from makul.admin.errors import OperatorError
from makul.app.ports.ledger import LedgerReport
from makul.cli import witness
from makul.cli.context import AsJson, examples, session, stopped_by_signal
from makul.cli.exit_codes import ExitCode
from makul.cli.output import Facts, complain, instant, progress_bar, show_facts
from makul.cli.preview import PreviewedChange, offer_preview
from makul.language.translation import mark, translate

if TYPE_CHECKING:
    from makul.admin.ledger import LedgerFacts, OpenLedger

app = typer.Typer(
    no_args_is_help=True, help="Run, verify and export the ledger of all decisions and acts."
)
witness.add_to(app)


@app.command(epilog=examples("makul ledger run"))
def run(ctx: typer.Context) -> None:
    """Sequence leaves, sign the tree and publish it, until stopped.

    Several processes may run at once. One of them works; the others stand by.
    """
    stopped = stopped_by_signal()
    with _keeper(ctx) as keeper:
        raise typer.Exit(ExitCode.DONE if keeper.run(stopped) else ExitCode.REFUSED)


@app.command(epilog=examples("makul ledger status", "makul ledger status --json"))
def status(ctx: typer.Context, *, as_json: AsJson = False) -> None:
    """Show the size, lag and key of the ledger. Exit code 1 if max_merge_delay is exceeded."""
    with _keeper(ctx) as keeper:
        facts, now = keeper.facts(), keeper.clock()
    state = facts.state
    lag = (now - state.waiting_since).total_seconds() if state.waiting_since else 0
    show_facts(_status_facts(facts, lag), as_json=as_json)
    if lag > facts.max_merge_delay.total_seconds():
        complain(translate("leaves wait longer than max_merge_delay: does `makul ledger run` run?"))
        raise typer.Exit(ExitCode.REFUSED)


@app.command(epilog=examples("makul ledger verify", "makul ledger verify --json"))
def verify(
    ctx: typer.Context,
    *,
    lost: Annotated[
        int, typer.Option(min=0, help="Number of records known to be lost by a restore.")
    ] = 0,
    as_json: AsJson = False,
) -> None:
    """Verify the records against the ledger, and the ledger against what was published.

    Every record is verified, and every row on which decisions rest. Exit code 1 if a record does
    not match; the first such record is named.
    """
    with _keeper(ctx) as keeper, progress_bar() as progress:
        task = progress.add_task(translate("records"), total=None)
        report = keeper.verify(
            lambda done, all_: progress.update(task, completed=done, total=all_), lost=lost
        )
    show_facts(_report_facts(report), as_json=as_json)
    if report.finding is not None:
        finding = report.finding
        complain(f"{finding.where} {finding.record}: {finding.what}")
        raise typer.Exit(ExitCode.REFUSED)


@app.command(
    epilog=examples("makul ledger export /media/log", "makul ledger export --bundle log.zip")
)
def export(
    ctx: typer.Context,
    *,
    directory: Annotated[
        Path | None, typer.Argument(metavar="DIRECTORY", help="A new directory.", file_okay=False)
    ] = None,
    bundle: Annotated[
        Path | None, typer.Option(help="A new ZIP file instead of a directory.", dir_okay=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Export tiles and checkpoint (C2SP tlog-tiles), for verification of the ledger elsewhere."""
    if (directory is None) is (bundle is None):
        raise OperatorError(translate("name a directory, or a file with --bundle"))
    with _keeper(ctx) as keeper:
        size = keeper.export(directory, bundle)
    show_facts({"size": size, "written": str(directory or bundle)}, as_json=as_json)


@app.command(epilog=examples("makul ledger recover", "makul ledger recover --apply"))
@offer_preview
def recover(ctx: typer.Context, *, change: PreviewedChange) -> None:
    """Restore published leaves to a store that was restored from an older copy.

    Leaves whose records the copy lacks are noted as lost. Give their number to `makul ledger verify
    --lost`.
    """
    with _keeper(ctx) as keeper:
        lacking = keeper.find_unstored_leaves()
        if lacking is None:
            raise OperatorError(
                translate("the store holds all that is published: there is nothing to restore")
            )
        facts = {"size": lacking.size, "published": lacking.promised.size}
        change.apply_or_preview(
            mark("restore published leaves"),
            {**facts, "missing": len(lacking.leaves)},
            lambda: keeper.recover(lacking),
        )


def _keeper(ctx: typer.Context) -> "AbstractContextManager[OpenLedger]":
    current = session(ctx)
    return current.runtime.ledger(current.config)


def _status_facts(facts: "LedgerFacts", lag: float) -> Facts:
    state = facts.state
    return {
        "origin": facts.origin,
        "key": facts.vkey,
        "size": state.size,
        "root": state.root.hex(),
        "waiting": state.waiting,
        "lag_seconds": int(lag),
        "max_merge_delay": int(facts.max_merge_delay.total_seconds()),
        "checkpoint": state.checkpoint_size,
        "checkpoint_at": instant(state.checkpoint_at),
        "published": facts.published,
        "cosigned": state.cosigned_size,
        "sequencer": str(state.holder) if state.holder is not None else None,
        "sequencer_until": instant(state.held_until),
    }


def _report_facts(report: LedgerReport) -> Facts:
    finding = report.finding
    return {
        "fits": finding is None,
        "size": report.size,
        "checked": report.checked,
        "waiting": report.waiting,
        "checkpoints": report.checkpoints,
        "lost": report.lost,
        "where": finding.where if finding is not None else None,
        "record": finding.record if finding is not None else None,
        "what": finding.what if finding is not None else None,
    }
