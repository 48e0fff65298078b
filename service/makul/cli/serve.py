"""`makul serve`, `makul metrics`, `makul demo`: what runs until it is done."""

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
        typer.Option(metavar="NAME", help="Serve this listener alone; all of them if not given."),
    ] = None,
) -> None:
    """Run the service until it is stopped: each listener in processes of its own."""
    current = session(ctx)
    raise typer.Exit(current.runtime.serve(current.config, listener))


def metrics(ctx: typer.Context) -> None:
    """Tell Prometheus the numbers of listeners that run, each alone, by `serve --listener`.

    `makul serve` without a listener's name does it by itself, where the settings have [metrics].
    """
    current = session(ctx)
    raise typer.Exit(current.runtime.metrics(current.config))


def demo(
    ctx: typer.Context,
    *,
    directory: Annotated[
        Path | None,
        typer.Option("--dir", help="Keep the sandbox here; a passing one if not given."),
    ] = None,
) -> None:
    """Start a sandbox and play the main job over SOAP: what is given, what refused, and why."""
    raise typer.Exit(session(ctx).runtime.demo(directory))
