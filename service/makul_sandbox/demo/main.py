"""The command `makul demo`: scenes that run over HTTP against a sandbox in its own processes.

The client verifies the receipt of every decision before the scene is reported. So a scene with the
expected result was also proved.
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

from makul.admin.errors import OperatorUnavailableError
from makul.admin.requests import SandboxOptions
from makul.cli.exit_codes import ExitCode
from makul.net.orphan_guard import attached_command
from makul_client import MakulError
from makul_sandbox.demo.client_session import DemoClient
from makul_sandbox.demo.month_scenarios import MONTH_SCENES
from makul_sandbox.demo.month_steps import REQUESTS
from makul_sandbox.demo.scenarios import SCENES
from makul_sandbox.demo.scene import Scene
from makul_sandbox.demo.secrecy_scenarios import SECRECY_SCENES
from makul_sandbox.output.files import INDEX
from makul_sandbox.run import choose_addresses, find_silent_ports, with_ports

PEOPLE = 200
START_SECONDS = 600.0
"""The maximum time for the start. A cold start on two busy cores takes some ten seconds, and its
history as long again."""

STOP_SECONDS = 30.0
LOG = "service.log"


@dataclass(frozen=True, slots=True)
class SceneResult:
    """A scene and its result."""

    scene: Scene
    got: str

    @property
    def as_expected(self) -> bool:
        """True if the result is exactly the expected one."""
        return self.got == self.scene.expected


def play(directory: Path | None) -> int:
    """Run every scene and print the results. Return 0 if all are as expected."""
    signal.signal(signal.SIGTERM, _leave)
    sys.stderr.write("A sandbox is being started; this takes some seconds.\n")
    with _sandbox_directory(directory) as sandbox:
        played = _play(sandbox, (*SECRECY_SCENES, *SCENES))
        sys.stderr.write(f"Another one is started, with {REQUESTS} requests of the last month.\n")
        month = sandbox.with_name(f"{sandbox.name}-month")
        played += _play(month, MONTH_SCENES, history=REQUESTS)
    return report(played)


def _play(directory: Path, scenes: Sequence[Scene], history: int = 0) -> list[SceneResult]:
    with running_sandbox(directory, history), DemoClient(directory) as demo:
        return [_run_scene(scene, demo) for scene in scenes]


def report(played: Sequence[SceneResult]) -> int:
    """Print the results of the scenes, with the count last. Return the exit code."""
    width = None if sys.stdout.isatty() else 160
    Console(file=sys.stdout, width=width, highlight=False).print(_table(played))
    good = sum(each.as_expected for each in played)
    sys.stdout.write(f"demo: {good} of {len(played)} scenes as expected\n")
    return ExitCode.DONE if good == len(played) else ExitCode.REFUSED


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    """Exit on a signal, so that the sandbox is stopped too."""
    raise SystemExit(128 + number)


def _run_scene(scene: Scene, demo: DemoClient) -> SceneResult:
    """Run a scene. An answer that the client cannot use is a result too.

    Examples are an invalid receipt and a missing answer.
    """
    try:
        return SceneResult(scene, scene.step(demo))
    except MakulError as error:
        return SceneResult(scene, f"{type(error).__name__}: {error}")


def _table(played: Iterable[SceneResult]) -> Table:
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
def running_sandbox(directory: Path, history: int = 0) -> Iterator[SandboxOptions]:
    """Run a sandbox in its own processes until the end of the `with` statement.

    `history` is the number of its requests of the last month.
    """
    options = with_ports(
        SandboxOptions(
            directory=directory,
            port=0,
            xroad_port=0,
            mtls_port=0,
            people=PEOPLE,
            history=history,
        )
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
        *("--oversight-port", str(options.oversight_port)),
        *("--subject-port", str(options.subject_port)),
        *("--people", str(options.people)),
        *("--history", str(options.history)),
    )


def _await(process: "subprocess.Popen[bytes]", options: SandboxOptions) -> None:
    """Wait until every listener answers. Raises `OperatorUnavailableError` if one does not."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        if (options.directory / INDEX).is_file() and not find_silent_ports(
            choose_addresses(options)
        ):
            return
        time.sleep(0.1)
    raise OperatorUnavailableError(
        f"the sandbox did not start; try it alone to see why: {' '.join(_command(options)[1:])}"
    )


def _stop(process: "subprocess.Popen[bytes]") -> None:
    """Stop the sandbox. If it does not stop in time, kill it with the listeners that it started."""
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


@contextmanager
def _sandbox_directory(directory: Path | None) -> Iterator[Path]:
    """Yield the given directory, or a temporary one that is deleted at the end."""
    if directory is not None:
        yield directory
        return
    with tempfile.TemporaryDirectory(prefix="makul-demo-") as passing:
        yield Path(passing) / "sandbox"
