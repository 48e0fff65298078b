"""Making a sandbox and running it: an installation of its own, filled with a synthetic world."""

import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from makul.cli.house import HouseError, Runtime, SandboxOptions
from makul.domain.agreements import Channel
from makul.sandbox.handout import CONFIG, INDEX, Addresses, hand_out, write_service
from makul.sandbox.world import World, build_world, register
from makul.trust.notes import NoteVerifier, public_part

MARK = "MADE-BY-MAKUL-SANDBOX"

_GUIDE = """\
Sandbox at {directory}: nobody in it is real. NOT FOR PRODUCTION.
  service   {wsse}?wsdl
  X-Road    {xroad}?wsdl=xroad
  mTLS      {mtls}?wsdl
  index     {index}
  log       {published}/checkpoint
  operator  makul --config {config} recipient list
Stop it with Ctrl-C."""


def run(options: SandboxOptions, runtime: Runtime) -> int:
    """Prepare a sandbox and run it until it is stopped; the exit code."""
    chosen = with_ports(options)
    prepare(chosen, runtime)
    addresses = addresses_of(chosen)
    directory = chosen.directory
    sys.stdout.write(
        _GUIDE.format(
            directory=directory,
            wsse=addresses.url(Channel.WSSE),
            xroad=addresses.url(Channel.XROAD),
            mtls=addresses.url(Channel.MTLS),
            index=directory / INDEX,
            published=(directory / CONFIG).parent / "published",
            config=directory / CONFIG,
        )
        + "\n"
    )
    sys.stdout.flush()
    with _sequencer(directory / CONFIG):
        return runtime.serve(directory / CONFIG, None)


@contextmanager
def _sequencer(config: Path) -> Iterator[None]:
    """The process that keeps the log, beside the listeners."""
    command = [sys.executable, "-m", "makul", "--config", str(config), "ledger", "run"]
    process = subprocess.Popen(command)  # noqa: S603 -- our own program
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def prepare(options: SandboxOptions, runtime: Runtime) -> World:
    """Make the directory anew: keys, papers, profiles, and a store in which all are registered."""
    _make_room(options.directory)
    world = build_world(runtime.clock(), people=options.people, seed=options.seed)
    addresses = addresses_of(options)
    config = write_service(world, options.directory, addresses)
    runtime.create(config)
    with runtime.open(config) as house:
        signed = register(world, house.desk, house.agreements, house.notices, at=house.clock())
    log_key = NoteVerifier.load(public_part(config.parent / "keys" / "ledger.key")).vkey
    hand_out(world, options.directory, addresses, signed, log_key=log_key)
    return world


def addresses_of(options: SandboxOptions) -> Addresses:
    """Where these options listen."""
    return Addresses(
        host=options.host,
        port=options.port,
        xroad_port=options.xroad_port,
        mtls_port=options.mtls_port,
    )


def with_ports(options: SandboxOptions) -> SandboxOptions:
    """The same options with free ports in place of 0; all are held until all are known."""
    with socket.socket() as first, socket.socket() as second, socket.socket() as third:
        for each in (first, second, third):
            each.bind((options.host, 0))
        return replace(
            options,
            port=options.port or first.getsockname()[1],
            xroad_port=options.xroad_port or second.getsockname()[1],
            mtls_port=options.mtls_port or third.getsockname()[1],
        )


def _make_room(directory: Path) -> None:
    """An empty directory, marked as a sandbox. An earlier one is taken away, and nothing else."""
    mark = directory / MARK
    if directory.exists() and any(directory.iterdir()):
        if not mark.is_file():
            raise HouseError(f"{directory} holds something that is no sandbox; name another one")
        shutil.rmtree(directory)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    mark.write_text("Made by `makul sandbox`, which may delete this directory and make it anew.\n")
