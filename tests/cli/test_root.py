"""The command line as a whole: errors in one line, exit codes, and correct help."""

import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from makul.admin.errors import OperatorUnavailableError
from makul.admin.installation import Installation, InstallationInfo
from makul.admin.key_inventory import KeyInfo
from makul.admin.requests import Certification, SandboxOptions
from makul.admin.runtime import Runtime
from makul.app.ports import Clock, CommitUnknownError, OperatorRegistry, StoreUnavailableError
from makul.cli import build, run
from makul.cli.exit_codes import ExitCode
from makul.domain.identifiers import MemberCode
from makul_testing.cli_runner import CommandLine

NOW = datetime(2026, 11, 22, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class RecordedInstallation(Installation):
    """An installation without a store: its runtime sets the results."""

    runtime: "Recorded"

    @property
    def registry(self) -> OperatorRegistry:
        raise self.runtime.fault or AssertionError("the desk is not expected")

    def keys_in_use(self) -> tuple[KeyInfo, ...]:
        return self.runtime.keys


@dataclass
class Recorded(Runtime):
    """A runtime that records its calls."""

    calls: list[tuple[Any, ...]] = field(default_factory=list)
    keys: tuple[KeyInfo, ...] = ()
    fault: Exception | None = None

    @property
    def clock(self) -> Clock:
        return lambda: NOW

    def create(self, config: Path) -> None:
        self.calls.append(("create", config))

    @contextmanager
    def open(self, config: Path) -> Iterator[Installation]:
        self.calls.append(("open", config))
        facts = InstallationInfo(environment="SANDBOX", operator=MemberCode("GOV/1"), config=config)
        nothing: Any = None
        yield RecordedInstallation(
            settings=nothing, store=nothing, facts=facts, clock=self.clock, runtime=self
        )

    def serve(self, config: Path, listener: str | None) -> int:
        self.calls.append(("serve", config, listener))
        return 0

    def metrics(self, config: Path) -> int:
        self.calls.append(("metrics", config))
        return 0

    def sandbox(self, options: SandboxOptions) -> int:
        self.calls.append(("sandbox", options))
        return 0

    def certify(self, request: Certification) -> str:
        self.calls.append(("certify", request))
        return "certified"

    def demo(self, directory: Path | None) -> int:
        self.calls.append(("demo", directory))
        return 1


def invoke(runtime: Recorded, *arguments: str, **environment: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(build(runtime), list(arguments), env=environment, prog_name="makul")
    return result.exit_code, result.stdout, result.stderr


def test_running_commands_call_the_runtime() -> None:
    """The runtime runs the service, and its exit code is the command's."""
    runtime = Recorded()

    assert invoke(runtime, "--config", "a.toml", "serve", "--listener", "wsse")[0] == 0
    assert invoke(runtime, "serve", MAKUL_CONFIG="b.toml")[0] == 0
    assert invoke(runtime, "metrics", MAKUL_CONFIG="c.toml")[0] == 0
    assert invoke(runtime, "sandbox", "--dir", "x", "--port", "0", "--people", "30")[0] == 0
    assert invoke(runtime, "demo")[0] == 1
    assert runtime.calls == [
        ("serve", Path("a.toml"), "wsse"),
        ("serve", Path("b.toml"), None),
        ("metrics", Path("c.toml")),
        (
            "sandbox",
            SandboxOptions(
                directory=Path("x"), port=0, people=30, given=frozenset({"port", "people"})
            ),
        ),
        ("demo", None),
    ]


def test_ending_keys_are_reported() -> None:
    """Exit code 1 if one is out of term, for a daily job."""
    runtime = Recorded(
        keys=(
            KeyInfo(kind="store", path=None, algorithm="AES"),
            KeyInfo(kind="soon", path=None, algorithm="P-256", not_after=NOW + timedelta(days=29)),
            KeyInfo(kind="over", path=None, algorithm="P-256", not_after=NOW),
            KeyInfo(kind="early", path=None, algorithm="P-256", not_before=NOW + timedelta(1)),
        )
    )
    code, out, err = invoke(runtime, "key", "show")

    assert code == ExitCode.REFUSED
    assert [word for word in out.split() if word.isupper() and "_" in word] == [
        "IN_USE",
        "ENDS_SOON",
        "OUT_OF_TERM",
        "OUT_OF_TERM",
    ]
    assert err == "makul: out of term: over, early; replace them and reload the service\n"


@pytest.mark.parametrize(
    ("fault", "code"),
    [
        (StoreUnavailableError("no such table: 21505198590001"), ExitCode.UNAVAILABLE),
        (OperatorUnavailableError("the keys are away"), ExitCode.UNAVAILABLE),
    ],
)
def test_unavailability_has_its_own_exit_code(fault: Exception, code: int) -> None:
    """Exit code 3: the same command may work later. There is one line without the store's text."""
    exit_code, out, err = invoke(Recorded(fault=fault), "recipient", "list")

    assert exit_code == code
    assert out == ""
    assert err.count("\n") == 1
    assert "21505198590001" not in err


@pytest.mark.parametrize(
    ("fault", "nothing"),
    [(StoreUnavailableError("away"), True), (CommitUnknownError("cut"), False)],
)
def test_a_change_of_unknown_outcome_is_not_denied(fault: Exception, nothing: bool) -> None:
    """A release whose commit was interrupted may exist, so the message must not deny it."""
    _, _, err = invoke(Recorded(fault=fault), "recipient", "list")

    assert ("nothing was changed" in err) is nothing
    assert ("check whether it was done" in err) is not nothing


def test_a_missing_installation_is_reported(tmp_path: Path) -> None:
    """The message says what to do."""
    result = CommandLine(tmp_path)("recipient", "list")

    assert result.code == ExitCode.UNAVAILABLE
    assert "makul init" in result.err


@pytest.mark.parametrize("arguments", [["recipients"], ["recipient", "add"], ["key", "show", "x"]])
def test_a_usage_error_has_exit_code_2(arguments: list[str]) -> None:
    """Exit code 2, before anything is opened."""
    runtime = Recorded()
    code, _, err = invoke(runtime, *arguments)

    assert code == ExitCode.USAGE
    assert "Usage: " in err
    assert runtime.calls == []


def test_an_internal_error_is_one_line_without_its_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """An exception's message may name a person; its kind and location are enough to correct it."""
    monkeypatch.setattr(sys, "excepthook", sys.excepthook)
    with pytest.raises(AssertionError) as failed:
        run(Recorded(), ["recipient", "list"])
    sys.excepthook(failed.type, failed.value, failed.tb)

    err = capsys.readouterr().err
    assert err.startswith("makul: internal error AssertionError at test_root.py:")
    assert err.count("\n") == 1
    assert "not expected" not in err


def commands() -> Iterator[tuple[str, Any]]:
    """Return every command, by the words that call it."""

    def inside(words: str, command: Any) -> Iterator[tuple[str, Any]]:
        yield words, command
        for name, found in getattr(command, "commands", {}).items():
            yield from inside(f"{words} {name}", found)

    yield from inside("makul", get_command(build(Recorded())))


COMMANDS = dict(commands())


@pytest.mark.parametrize("words", tuple(COMMANDS))
def test_every_command_explains_itself(words: str) -> None:
    """`--help` works everywhere, and begins with the purpose of the command."""
    code, out, _ = invoke(Recorded(), *words.split()[1:], "--help")

    assert code == 0
    assert f"Usage: {words} " in out
    assert COMMANDS[words].help


@pytest.mark.parametrize("words", tuple(COMMANDS))
def test_every_changing_command_needs_apply(words: str) -> None:
    """Each command that adds, replaces, holds or imports has --apply, and it is off by default."""
    changing = {
        "init",
        "compromised",
        "add",
        "certificate",
        "withdraw",
        "official",
        "hold",
        "release",
        "import",
    }
    changing |= {"submit", "terminate", "approve"}
    changing |= {"sealing-certificate", "withdraw-sealing", "withdraw-official"}
    changing |= {"rotate", "retire", "upgrade", "months", "grant"}
    changing |= {"recover", "remove", "rename", "restore", "revoke", "set", "retry"}
    changing |= {"dispute", "enter", "resolve"}
    changing |= {"issue", "answer", "ask"} if words.startswith("makul month ") else set()
    options = {option for param in COMMANDS[words].params for option in param.opts}

    assert ("--apply" in options) is (words.rsplit(maxsplit=1)[-1] in changing)


def examples() -> Iterator[str]:
    """Return every example in the help."""
    for command in COMMANDS.values():
        for line in (command.epilog or "").splitlines():
            if line.strip().startswith("makul "):
                yield line.strip()


@pytest.mark.parametrize("example", tuple(examples()))
def test_examples_in_the_help_are_valid_commands(example: str) -> None:
    """A person copies them, so each names an existing command with existing options."""
    words = shlex.split(example, comments=True)
    words = words[: words.index(">")] if ">" in words else words
    called, rest = "makul", words[1:]
    while rest and (rest[0].startswith("--") or f"{called} {rest[0]}" in COMMANDS):
        if rest[0].startswith("--"):
            assert any(rest[0] in param.opts for param in COMMANDS[called].params)
            rest = rest[2:]
        else:
            called, rest = f"{called} {rest[0]}", rest[1:]
            if not hasattr(COMMANDS[called], "commands"):
                break
    known = {option for param in COMMANDS[called].params for option in param.opts}

    assert called != "makul"
    assert {word for word in rest if word.startswith("--")} <= known
