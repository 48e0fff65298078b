"""`makul serve`, `makul sandbox`, `makul demo`: what runs until it is done."""

from pathlib import Path
from typing import Annotated

import typer

from makul.cli.house import SandboxOptions
from makul.cli.session import examples, session

Port = Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")]


def add_to(app: typer.Typer) -> None:
    """Add the commands to the root."""
    app.command(
        epilog=examples("makul serve", "makul --config /srv/makul/makul.toml serve --listener wsse")
    )(serve)
    app.command(epilog=examples("makul metrics"))(metrics)
    app.command(epilog=examples("makul sandbox", "makul sandbox --port 8080 --dir build/sandbox"))(
        sandbox
    )
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


def sandbox(
    ctx: typer.Context,
    *,
    directory: Annotated[
        Path, typer.Option("--dir", help="Keys, documents and sandbox.json are written here.")
    ] = Path("build/sandbox"),
    host: Annotated[
        str, typer.Option(help="Where to listen; never a public address.")
    ] = "127.0.0.1",
    port: Port = 8080,
    xroad_port: Port = 8081,
    mtls_port: Port = 8082,
    people: Annotated[int, typer.Option(min=25, max=10_000, help="Synthetic citizens.")] = 1000,
    seed: Annotated[int, typer.Option(help="The same seed gives the same citizens.")] = 1,
) -> None:
    """Run a service of synthetic citizens, for any SOAP stack to talk to. Nobody in it is real."""
    options = SandboxOptions(
        directory=directory,
        host=host,
        port=port,
        xroad_port=xroad_port,
        mtls_port=mtls_port,
        people=people,
        seed=seed,
    )
    raise typer.Exit(session(ctx).runtime.sandbox(options))


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
