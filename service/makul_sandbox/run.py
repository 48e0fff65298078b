"""The creation and the run of a sandbox: its own installation, filled with a synthetic world."""

import errno
import fcntl
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from http.client import HTTPConnection, HTTPException
from importlib import import_module
from pathlib import Path
from typing import IO, Final

from makul.admin.errors import OperatorError
from makul.admin.requests import SandboxOptions
from makul.admin.runtime import Runtime
from makul.config.settings import load_settings
from makul.domain.agreements import Channel
from makul.domain.months import month_before
from makul.net.orphan_guard import attached_command
from makul.trust.tlog.note_keys import NoteVerifier, public_part
from makul_sandbox.output.files import CONFIG, INDEX, Addresses, write_files, write_service
from makul_sandbox.world.build import World, build_world, register

MARK: Final = "MADE-BY-MAKUL-SANDBOX"
READY_SECONDS: Final = 120.0
"""The maximum time to wait for the listeners. A cold start takes some ten seconds."""
PATIENCE_SECONDS: Final = 20.0
"""The maximum time that listeners of a killed sandbox may take to end."""

_GUIDE = """\
Sandbox at {directory}: nobody in it is real. NOT FOR PRODUCTION.
  service   {wsse}?wsdl
  X-Road    {xroad}?wsdl=xroad
  mTLS      {mtls}?wsdl
  oversight {oversight}?wsdl
  subject   {subject}?wsdl
  index     {index}
  log       {published}/checkpoint
  operator  makul --config {config} recipient list
It is being started; stop it with Ctrl-C."""


def run(options: SandboxOptions, runtime: Runtime) -> int:
    """Prepare a sandbox, or continue an existing one, and run it until it is stopped.

    Raises `OperatorError` before anything is written if a port is taken, or if a sandbox already
    runs in this directory.
    """
    directory = options.directory
    keeps = options.keep and (directory / INDEX).is_file()
    with _lock(directory):
        chosen = _require_same_options(options) if keeps else with_ports(options)
        _refuse_taken_ports(chosen, patience=PATIENCE_SECONDS if keeps else 0.0)
        if not keeps:
            prepare(chosen, runtime)
        addresses = choose_addresses(chosen)
        sys.stdout.write(_guide(directory, addresses) + "\n")
        sys.stdout.flush()
        _announce_when_ready(addresses)
        with _sequencer(directory / CONFIG):
            return runtime.serve(directory / CONFIG, None)


def _guide(directory: Path, addresses: Addresses) -> str:
    return _GUIDE.format(
        directory=directory,
        wsse=addresses.url(Channel.WSSE),
        xroad=addresses.url(Channel.XROAD),
        mtls=addresses.url(Channel.MTLS),
        oversight=addresses.oversight_url,
        subject=addresses.subject_url,
        index=directory / INDEX,
        published=(directory / CONFIG).parent / "published",
        config=directory / CONFIG,
    )


def _announce_when_ready(addresses: Addresses) -> None:
    """Print one line when every listener answers. The listeners run in other processes."""

    def announce() -> None:
        ends = time.monotonic() + READY_SECONDS
        while find_silent_ports(addresses):
            if time.monotonic() > ends:
                return
            time.sleep(0.2)
        sys.stdout.write("Ready: the service answers.\n")
        sys.stdout.flush()

    threading.Thread(target=announce, name="sandbox-ready", daemon=True).start()


def find_silent_ports(addresses: Addresses) -> list[int]:
    """Return the ports of the listeners that do not answer yet."""
    return [
        port
        for port in _ports(addresses)
        if not _answers(addresses.host, port, plain=port != addresses.mtls_port)
    ]


def _ports(addresses: Addresses) -> tuple[int, ...]:
    return (
        addresses.port,
        addresses.xroad_port,
        addresses.mtls_port,
        addresses.oversight_port,
        addresses.subject_port,
    )


def _answers(host: str, port: int, *, plain: bool) -> bool:
    """Return whether a listener answers: it is ready, or it accepts a connection for TLS."""
    try:
        if not plain:
            with socket.create_connection((host, port), timeout=5):
                return True
        connection = HTTPConnection(host, port, timeout=5)
        try:
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        finally:
            connection.close()
    except (OSError, HTTPException):
        return False


@contextmanager
def _sequencer(config: Path) -> Iterator[None]:
    """Run the process that maintains the log, beside the listeners."""
    command = attached_command("--config", str(config), "ledger", "run")
    process = subprocess.Popen(command)  # noqa: S603 -- our own program
    try:
        yield
    finally:
        process.terminate()
        process.wait()


def prepare(options: SandboxOptions, runtime: Runtime) -> World:
    """Create the content of the directory again. An earlier sandbox in it is deleted.

    The content is keys, documents, profiles, and a store in which all are registered. With a
    history, all of them are as old as the beginning of the last month.
    """
    _make_marked_directory(options.directory)
    month = month_before(runtime.clock())
    at = month.begins if options.history else runtime.clock()
    world = build_world(at, people=options.people, seed=options.seed)
    addresses = choose_addresses(options)
    config = write_service(world, options.directory, addresses)
    runtime.create(config)
    with runtime.open(config) as installation:
        signed = register(
            world,
            installation.registry,
            installation.agreements,
            installation.notices,
            at=at,
        )
    log_key = NoteVerifier.load(public_part(config.parent / "keys" / "ledger.key")).vkey
    write_files(world, options.directory, addresses, signed, log_key=log_key)
    if options.history:
        # The client is imported only for a history.
        history = import_module("makul_sandbox.demo.history")
        history.record_history(world, options.directory, config, month, options.history)
    return world


_PORTS: Final = {
    "port": "wsse",
    "xroad_port": "xroad",
    "mtls_port": "mtls",
    "oversight_port": "oversight",
    "subject_port": "subject",
}
"""The listeners of a sandbox, by the option that names the port. By default they are in a row."""


def choose_addresses(options: SandboxOptions) -> Addresses:
    """Return the addresses of these options. By default the ports follow each other."""
    chosen = {}
    for offset, name in enumerate(_PORTS):
        requested = getattr(options, name)
        chosen[name] = options.port + offset if requested is None else requested
    return Addresses(host=options.host, **chosen)


def with_ports(options: SandboxOptions) -> SandboxOptions:
    """Return the options with free ports instead of 0.

    All ports stay reserved until all are known. If `port` is 0, ports that are not given are free
    ones too.
    """
    unsaid = 0 if options.port == 0 else None
    chosen: dict[str, int | None] = {}
    with ExitStack() as held:
        for name in _PORTS:
            free = held.enter_context(socket.socket())
            free.bind((options.host, 0))
            requested = getattr(options, name)
            port = unsaid if requested is None else requested
            chosen[name] = free.getsockname()[1] if port == 0 else port
    return replace(
        options,
        port=chosen["port"] or options.port,
        xroad_port=chosen["xroad_port"],
        mtls_port=chosen["mtls_port"],
        oversight_port=chosen["oversight_port"],
        subject_port=chosen["subject_port"],
    )


def _require_same_options(options: SandboxOptions) -> SandboxOptions:
    """Return the options with which this sandbox was made.

    Its documents and profiles name its ports. Raises `OperatorError` for other options, because a
    caller would wait at a port without a listener.
    """
    listeners = load_settings(options.directory / CONFIG).listeners
    ports: dict[str, int] = {}
    for name, listener in _PORTS.items():
        if listener not in listeners:
            raise OperatorError(
                f"the sandbox in {options.directory} has no listener {listener}; make a new sandbox"
                " without --keep"
            )
        host, _, port = listeners[listener].bind.rpartition(":")
        ports[name] = int(port)
    values: dict[str, str | int] = {"host": host, **ports}
    for name in sorted(options.given):
        if name not in values or getattr(options, name) != values[name]:
            option = f"--{name.replace('_', '-')}"
            value = f" ({values[name]})" if name in values else ""
            raise OperatorError(
                f"{option} was decided when the sandbox in {options.directory} was made{value};"
                f" leave {option} out, or make a new sandbox without --keep"
            )
    return replace(
        options,
        host=host,
        port=ports["port"],
        xroad_port=ports["xroad_port"],
        mtls_port=ports["mtls_port"],
        oversight_port=ports["oversight_port"],
        subject_port=ports["subject_port"],
    )


def _refuse_taken_ports(options: SandboxOptions, *, patience: float) -> None:
    """Raise `OperatorError` if a port is not available. Nothing is written by then.

    `patience` is the time in seconds in which the listeners of a killed sandbox may still end.
    """
    addresses = choose_addresses(options)
    ports = _ports(addresses)
    if len(set(ports)) < len(ports):
        raise OperatorError(
            "--port, --xroad-port, --mtls-port, --oversight-port and --subject-port must differ"
        )
    ends = time.monotonic() + patience
    while (taken_port := _find_taken_port(addresses.host, ports)) is not None:
        if time.monotonic() >= ends:
            remedy = "end what listens there" if patience else "name other ports: --port"
            raise OperatorError(
                f"port {taken_port[0]} on {addresses.host}: {taken_port[1]}; {remedy}"
            )
        time.sleep(0.2)


def _find_taken_port(host: str, ports: Sequence[int]) -> tuple[int, str] | None:
    """Return a port that is not available, and why; None if all are available."""
    with ExitStack() as held:
        for port in ports:
            listening = held.enter_context(socket.socket())
            listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                listening.bind((host, port))
            except OSError as error:
                in_use = error.errno == errno.EADDRINUSE
                return port, "is in use" if in_use else f"{error.strerror}"
    return None


@contextmanager
def _lock(directory: Path) -> Iterator[IO[str]]:
    """Lock the sandbox's directory, so that only one sandbox runs in it.

    Raises `OperatorError` if a sandbox already runs in it, or if the directory is not a sandbox.
    """
    _refuse_foreign(directory)
    was_there, was_marked = directory.exists(), (directory / MARK).exists()
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (directory / MARK).open("a+", encoding="utf-8") as mark:
        if not _locks(mark, directory / MARK):
            raise OperatorError(
                f"a sandbox runs in {directory} already; stop it, or name another --dir"
            )
        if not mark.tell():
            mark.write("Made by `makul sandbox`, which may delete all of this directory.\n")
            mark.flush()
        try:
            yield mark
        except OperatorError:
            if not was_marked:
                _remove_mark(directory, remove=not was_there)
            raise


def _locks(mark: IO[str], path: Path) -> bool:
    """Return whether the lock was acquired, on the file that still has this name."""
    try:
        fcntl.flock(mark, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return os.path.samestat(os.fstat(mark.fileno()), path.stat())
    except OSError:
        return False


def _remove_mark(directory: Path, *, remove: bool) -> None:
    """Restore a directory in which no sandbox was made.

    If the mark stayed, a later sandbox could delete files that the owner put there in the meantime.
    """
    if [each.name for each in directory.iterdir()] == [MARK]:
        (directory / MARK).unlink()
        if remove:
            directory.rmdir()


def _refuse_foreign(directory: Path) -> None:
    if directory.exists() and not directory.is_dir():
        raise OperatorError(f"{directory} is no directory; name another one")
    if directory.is_dir() and any(directory.iterdir()) and not (directory / MARK).is_file():
        raise OperatorError(f"{directory} holds something that is no sandbox; name another one")


def _make_marked_directory(directory: Path) -> None:
    """Make an empty directory that is marked as a sandbox. Delete only an earlier sandbox in it."""
    _refuse_foreign(directory)
    directory.mkdir(mode=0o700, parents=True, exist_ok=True)
    mark = directory / MARK
    for each in directory.iterdir():
        if each == mark:
            continue
        if each.is_dir() and not each.is_symlink():
            shutil.rmtree(each)
        else:
            each.unlink()
    mark.touch()
