"""Late imports: `makul --help` imports nothing of what the commands need."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.main import get_command

from makul.admin.runtime import Runtime
from makul.cli.late_commands import LateCommand, late_noun, late_verb
from makul.cli.main import build
from makul.main import _LateRuntime
from makul_testing.imports import imported_by

HEAVY = {
    "alembic",
    "asn1crypto",
    "lxml",
    "makul_client",
    "prometheus_client",
    "psycopg",
    "pyhanko_certvalidator",
    "rapidfuzz",
    "signxml",
    "spyne",
    "sqlalchemy",
    "zeep",
    "makul.admin.runtime",
    "makul.config.settings",
    "makul.store",
    "makul.trust",
}
NOT_FOR_NAMES_ALONE = {
    "cryptography",
    "pydantic",
    "makul.app",
    "makul.admin",
    "makul.domain",
}


@pytest.mark.parametrize("arguments", [("--help",), ("person", "--help"), ("serve", "--help")])
def test_help_imports_no_adapter(arguments: tuple[str, ...]) -> None:
    """A help text needs no code for databases, SOAP and certificates."""
    assert imported_by("makul.main", *arguments) & HEAVY == set()


def test_help_of_the_root_imports_no_command() -> None:
    """Names and purposes of commands are in a table, and typer's validation is not needed."""
    assert imported_by("makul.main", "--help") & NOT_FOR_NAMES_ALONE == set()


def _commands() -> dict[str, LateCommand]:
    root: Any = get_command(build(Runtime()))
    return dict(root.commands)


@pytest.mark.parametrize("name", tuple(_commands()))
def test_purpose_of_a_command_is_its_own(name: str) -> None:
    """The root's help has the first sentence of each command's help."""
    command = _commands()[name]

    assert command.help == command.loaded.help.splitlines()[0]
    assert command.name == command.loaded.name == name


def test_every_module_of_the_command_line_is_reached() -> None:
    """A new command group that is missing from the table is found here."""
    directory = Path(sys.modules[build.__module__].__file__ or "").parent
    nouns = {path.stem for path in directory.glob("*.py") if _has_commands(path)}

    # Their commands are those of `makul month`, `makul case` and `makul recipient`.
    of_others = {"month_closing", "month_questions", "oversight_case", "recipient_state"}
    assert nouns - of_others - {"main", "late_commands", "serve", "init", "witness"} == {
        name for name, command in _commands().items() if hasattr(command.loaded, "commands")
    }


def _has_commands(path: Path) -> bool:
    return "typer.Typer(" in path.read_text(encoding="utf-8")


def test_a_command_that_is_examined_is_loaded() -> None:
    """Completion, documents and tests see parameters and commands as if nothing were late."""
    commands = _commands()

    assert {"list", "add"} <= set(commands["recipient"].commands)
    assert "--port" in {option for param in commands["sandbox"].params for option in param.opts}
    assert commands["serve"].epilog
    assert not hasattr(commands["serve"], "commands")
    assert not hasattr(commands["serve"], "no_such_thing")


def test_a_late_command_that_does_not_exist_says_so() -> None:
    """A wrong entry in the table is an error at its use, not an empty command."""
    with pytest.raises(ModuleNotFoundError):
        _ = late_noun("nothing", "").commands
    with pytest.raises(RuntimeError):
        _ = late_verb("nothing", "", "serve").params


def test_runtime_is_passed_on_whole() -> None:
    """Every member is that of the runtime itself, loaded once."""
    late: Any = _LateRuntime()
    members = {name for name in vars(Runtime) if not name.startswith("_")}

    assert members
    for name in members - {"clock"}:
        assert getattr(late, name).__func__ is getattr(Runtime, name)
    assert late.clock is Runtime().clock
    with pytest.raises(AttributeError):
        _ = late.no_such_member


def test_program_runs_a_command(tmp_path: Path) -> None:
    """A command that needs the runtime runs in a process, with its exit code."""
    result = subprocess.run(
        [sys.executable, "-m", "makul", "--config", "none.toml", "recipient", "list"],
        capture_output=True,
        check=False,
        cwd=tmp_path,
        env=os.environ,
    )

    assert result.returncode == 3
    assert b"none.toml" in result.stderr
    assert isinstance(build(Runtime()), typer.Typer)
