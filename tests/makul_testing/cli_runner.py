"""The operator's command line over a real installation in a directory of its own."""

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
class Said:
    """What a command said, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its answer, where it was asked for JSON."""
        return json.loads(self.out)


@dataclass(frozen=True, slots=True)
class Makul:
    """`makul --config DIRECTORY/makul.toml …`"""

    directory: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    """What it has besides ours: by whose role it comes to a store on a server, for one."""

    def __call__(self, *arguments: str | Path, typed: str | None = None) -> Said:
        """Run one command; `typed` is what stands on stdin."""
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
        return Said(result.exit_code, result.stdout, result.stderr)

    def done(self, *arguments: str | Path) -> Any:
        """Run a command that must succeed; its JSON."""
        said = self(*arguments, "--json")
        assert said.code == 0, said.err
        return said.json


@cache
def _template() -> Path:
    """An installation that was made once in this process: to make its tables takes long."""
    base = Path(tempfile.mkdtemp(prefix="makul-installed-"))
    atexit.register(shutil.rmtree, base, ignore_errors=True)
    installed_anew(base / "house")
    return base / "house"


def installed(directory: Path) -> Makul:
    """A new installation, as `makul init` makes it; its keys are those of every other.

    The act of its making may wait for its place in the log longer than was promised: whoever asks
    the log takes `installed_anew`.
    """
    shutil.copytree(_template(), directory, dirs_exist_ok=True)
    return Makul(directory)


def installed_anew(directory: Path) -> Makul:
    """An installation made at this moment, with keys of its own."""
    makul = Makul(directory)
    makul.done(
        *("init", directory, "--operator", OPERATOR, "--name", "Example"),
        *("--authorised-body", AUTHORISED_BODY, "--authorised-body-name", "Example Body"),
        "--apply",
    )
    return makul
