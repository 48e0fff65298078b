"""`makul demo`: a sandbox in processes of its own, and the scenes played against it over HTTP.

Every decision's receipt is verified by the client before the scene is told: a scene that came out
as expected was also proved.
"""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import NoReturn

from rich.console import Console
from rich.table import Table
from rich.text import Text

from makul.admin.models import ExitCode, OperatorUnavailableError, SandboxOptions
from makul.net.orphan_guard import attached_command
from makul_client import MakulError
from makul_sandbox.demo.client_session import DemoClient
from makul_sandbox.demo.scenarios import SCENES, Scene
from makul_sandbox.output.files import INDEX
from makul_sandbox.run import addresses_of, unanswered, with_ports

PEOPLE = 200
START_SECONDS = 90.0
"""A cold start on two busy cores takes some ten."""

STOP_SECONDS = 30.0
LOG = "service.log"


@dataclass(frozen=True, slots=True)
class Played:
    """A scene, and what came of it."""

    scene: Scene
    got: str

    @property
    def as_expected(self) -> bool:
        """Did exactly what must come of it come of it?"""
        return self.got == self.scene.expected


def play(directory: Path | None) -> int:
    """Play every scene and print them; 0 where all came out as expected."""
    signal.signal(signal.SIGTERM, _leave)
    sys.stderr.write("A sandbox is being started; this takes some seconds.\n")
    with _place(directory) as place, running_sandbox(place), DemoClient(place) as stage:
        played = [_play(scene, stage) for scene in SCENES]
    return report(played)


def report(played: Sequence[Played]) -> int:
    """Print what came of the scenes, the count last; the exit code."""
    width = None if sys.stdout.isatty() else 160
    Console(file=sys.stdout, width=width, highlight=False).print(_table(played))
    good = sum(each.as_expected for each in played)
    sys.stdout.write(f"demo: {good} of {len(played)} scenes as expected\n")
    return ExitCode.DONE if good == len(played) else ExitCode.REFUSED


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    """Stopped from outside: take the sandbox along."""
    raise SystemExit(128 + number)


def _play(scene: Scene, stage: DemoClient) -> Played:
    """What the client cannot use is a result, too: a receipt that does not hold, no answer."""
    try:
        return Played(scene, scene.play(stage))
    except MakulError as error:
        return Played(scene, f"{type(error).__name__}: {error}")


def _table(played: Iterable[Played]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in ("", "scene", "clause", "expected", "got"):
        table.add_column(column, overflow="fold")
    for number, each in enumerate(played, start=1):
        scene = each.scene
        got = Text(each.got, style="green" if each.as_expected else "bold red")
        mark = "" if each.as_expected else " ✗"
        table.add_row(str(number), scene.title, scene.clause, scene.expected, got + Text(mark))
    return table


@contextmanager
def running_sandbox(directory: Path) -> Iterator[SandboxOptions]:
    """A sandbox that runs in processes of its own until the end of the `with`."""
    options = with_ports(
        SandboxOptions(directory=directory, port=0, xroad_port=0, mtls_port=0, people=PEOPLE)
    )
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(  # noqa: S603 - our own program
            _command(options), stdout=log, stderr=log, start_new_session=True
        )
        try:
            _await(process, options)
            yield options
        finally:
            _stop(process)
            log.seek(0)
            if directory.is_dir():
                (directory / LOG).write_bytes(log.read())


def _command(options: SandboxOptions) -> list[str]:
    return attached_command(
        "sandbox",
        *("--dir", str(options.directory)),
        *("--host", options.host),
        *("--port", str(options.port)),
        *("--xroad-port", str(options.xroad_port)),
        *("--mtls-port", str(options.mtls_port)),
        *("--people", str(options.people)),
    )


def _await(process: "subprocess.Popen[bytes]", options: SandboxOptions) -> None:
    """Wait until it answers on every listener; raises `OperatorUnavailableError` if it does not."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        if (options.directory / INDEX).is_file() and not unanswered(addresses_of(options)):
            return
        time.sleep(0.1)
    raise OperatorUnavailableError(
        f"the sandbox did not start; try it alone to see why: {' '.join(_command(options)[1:])}"
    )


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """Ask it to stop; where it does not, end it with the listeners that it started."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def _place(directory: Path | None) -> Iterator[Path]:
    """The directory given, or one that is taken away at the end."""
    if directory is not None:
        yield directory
        return
    with tempfile.TemporaryDirectory(prefix="makul-demo-") as passing:
        yield Path(passing) / "sandbox"
