"""`makul serve`, `makul metrics` and `makul demo`: commands that run processes."""

from pathlib import Path
from typing import Annotated

import typer

from makul.cli.context import examples, session


def add_to(app: typer.Typer) -> None:
    """Add the commands to the root."""
    app.command(
        epilog=examples("makul serve", "makul --config /srv/makul/makul.toml serve --listener wsse")
    )(serve)
    app.command(epilog=examples("makul metrics"))(metrics)
    app.command(epilog=examples("makul demo"))(demo)


def serve(
    ctx: typer.Context,
    *,
    listener: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Serve only this listener; by default all of them."),
    ] = None,
) -> None:
    """Run the service until it is stopped. Each listener runs in processes of its own."""
    current = session(ctx)
    raise typer.Exit(current.runtime.serve(current.config, listener))


def metrics(ctx: typer.Context) -> None:
    """Serve Prometheus metrics for listeners that were started with `serve --listener`.

    The command `makul serve` without --listener serves the metrics itself, if the settings have the
    section `metrics`.
    """
    current = session(ctx)
    raise typer.Exit(current.runtime.metrics(current.config))


def demo(
    ctx: typer.Context,
    *,
    directory: Annotated[
        Path | None,
        typer.Option(
            "--dir", help="The directory that keeps the sandbox; by default a temporary one."
        ),
    ] = None,
) -> None:
    """Start a sandbox and run the demo over SOAP: what is released, what is refused, and why."""
    raise typer.Exit(session(ctx).runtime.demo(directory))
