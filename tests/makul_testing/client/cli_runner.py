"""The client's command line in this process, like a call of its own program."""

import sys
from dataclasses import dataclass
from functools import cache
from typing import Any

from typer.main import get_command
from typer.testing import CliRunner

from makul_client.cli.main import app


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


@cache
def _command() -> Any:
    """Build it once: that takes longer than most commands, and typer's runner does it each time."""
    return get_command(app)


def run_client(
    *arguments: object, typed: str | bytes | None = None, env: dict[str, str] | None = None
) -> Result:
    """Run one command; `typed` is its stdin."""
    code, raised = 0, None
    with CliRunner().isolation(input=typed, env=env) as (out, err, _):
        try:
            _command().main(args=[*map(str, arguments)], prog_name="makul-client")
        except SystemExit as ended:
            code = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
        except Exception as error:  # noqa: BLE001 - the test says what it thinks of it
            code, raised = 1, error
        sys.stdout.flush()
        sys.stderr.flush()
        shown = [stream.getvalue().decode().replace("\r\n", "\n") for stream in (out, err)]
    return Result(code, shown[0], shown[1], raised)
