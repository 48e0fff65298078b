"""The operator's command line with a real installation in a temporary directory."""

import atexit
import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from makul.admin.runtime import Runtime
from makul.cli import build

OPERATOR = "GOV/70000001"
AUTHORISED_BODY = "GOV/70000009"


@dataclass(frozen=True, slots=True)
class CommandResult:
    """The output of a command, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Return its answer, if JSON was requested."""
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class CommandLine:
    """`makul --config DIRECTORY/makul.toml …`"""

    directory: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    """Environment variables besides ours, such as the role by which it connects to a server."""

    def __call__(self, *arguments: str | Path, typed: str | None = None) -> CommandResult:
        """Run one command; `typed` is its stdin."""
        config = self.directory / "makul.toml"
        result = CliRunner().invoke(
            build(Runtime()),
            ["--config", str(config), *map(str, arguments)],
            input=typed,
            env=self.environment,
            prog_name="makul",
        )
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return CommandResult(result.exit_code, result.stdout, result.stderr)

    def run_json(self, *arguments: str | Path) -> Any:
        """Run a command that must succeed; return its JSON."""
        result = self(*arguments, "--json")
        assert result.code == 0, result.err or result.out
        return result.json


@cache
def _template() -> Path:
    """Return an installation that is made once in this process, because its tables take long."""
    base = Path(tempfile.mkdtemp(prefix="makul-installed-"))
    atexit.register(shutil.rmtree, base, ignore_errors=True)
    install_anew(base / "installation")
    return base / "installation"


def install(directory: Path) -> CommandLine:
    """Return a new installation, as `makul init` makes it, with keys that all of them share.

    The act of its creation may wait longer for its leaf index than promised: a test of the ledger
    uses `install_anew`.
    """
    shutil.copytree(_template(), directory, dirs_exist_ok=True)
    return CommandLine(directory)


def install_anew(directory: Path) -> CommandLine:
    """Return an installation that is made at this moment, with new keys."""
    makul = CommandLine(directory)
    makul.run_json(
        *("init", directory, "--operator", OPERATOR, "--name", "Example"),
        *("--authorised-body", AUTHORISED_BODY, "--authorised-body-name", "Example Body"),
        "--apply",
    )
    return makul
