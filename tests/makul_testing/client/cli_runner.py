"""The client's command lines in this process, like calls of their own programs."""

import sys
from dataclasses import dataclass
from functools import cache
from typing import Any

import typer
from typer.main import get_command
from typer.testing import CliRunner

from makul_client.cli import main
from makul_client.cli.oversight import main as oversight


@dataclass(frozen=True, slots=True)
class Result:
    """The end of a command; an `exception` is one that was not a `SystemExit`."""

    exit_code: int
    stdout: str
    stderr: str
    exception: BaseException | None

    @property
    def output(self) -> str:
        """Return both streams, one after the other."""
        return self.stdout + self.stderr


APPS: dict[str, typer.Typer] = {"makul-client": main.app, "makul-oversight": oversight.app}
"""The programs of the client's distribution."""


@cache
def _command(program: str) -> Any:
    """Build it once: that takes longer than most commands, and typer's runner does it each time."""
    return get_command(APPS[program])


def run_client(
    *arguments: object,
    typed: str | bytes | None = None,
    env: dict[str, str] | None = None,
    program: str = "makul-client",
) -> Result:
    """Run one command of a program; `typed` is its stdin."""
    code, raised = 0, None
    with CliRunner().isolation(input=typed, env=env) as (out, err, _):
        try:
            _command(program).main(args=[*map(str, arguments)], prog_name=program)
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        except Exception as error:  # noqa: BLE001 - the test says what it thinks of it
            code, raised = 1, error
        sys.stdout.flush()
        sys.stderr.flush()
        shown = [stream.getvalue().decode().replace("\r\n", "\n") for stream in (out, err)]
    return Result(code, shown[0], shown[1], raised)
