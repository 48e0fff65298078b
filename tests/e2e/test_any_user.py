"""Every command works under a uid without a passwd entry, and the audit log names that uid.

As in a container, there is no HOME and no XDG directory, and the environment may lie.
"""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import pytest

from makul_testing.paths import ROOT

UID = 10_001
FORGED = dict.fromkeys(
    ("USER", "LOGNAME", "LNAME", "USERNAME", "SUDO_USER", "MAIL"), "the-president"
)


def _as_that_user() -> Sequence[str]:
    """Run in a user namespace where files stay ours, because the interpreter may lie in
    our home.
    """
    return ("unshare", "--user", f"--map-user={UID}", f"--map-group={UID}")


def _namespaces() -> bool:
    try:
        result = subprocess.run([*_as_that_user(), "true"], capture_output=True, check=False)
    except FileNotFoundError:
        return False
    return result.returncode == 0


needs_namespaces = pytest.mark.skipif(
    not _namespaces(), reason="this system gives no user namespaces (unshare --user)"
)


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    places = os.pathsep.join(str(ROOT / each) for each in ("service", "clients", "tests"))
    return subprocess.run(
        [*_as_that_user(), sys.executable, *command],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": places, **FORGED},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Any:
    result = _run(
        "-m", "makul_testing.any_user", str(tmp_path_factory.mktemp("any") / "installation")
    )
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


@needs_namespaces
def test_every_command_starts(report: Any) -> None:
    """`getpass.getuser` raises for such a uid, and once every command that opened the
    store failed.
    """
    assert report["uid"] == UID
    assert {each: code for each, code in report["makul"].items() if code} == {}
    for client in ("makul-client", "makul-oversight"):
        assert {each: code for each, code in report[client].items() if code} == {}
    assert len(report["makul"]) > 40


@needs_namespaces
def test_an_installation_is_created_and_read(report: Any) -> None:
    """An empty installation is not complete (1), but every command works."""
    assert {each: code for each, code in report["lists"].items() if code not in {0, 1}} == {}


@needs_namespaces
def test_a_completion_without_a_home_is_a_usage_error(report: Any) -> None:
    """`Path.home` raises for such a uid: exit code 2, and no traceback."""
    assert report["completion"] == [2, 2, 2]


@needs_namespaces
def test_the_audit_log_names_only_the_uid(report: Any) -> None:
    assert len(report["who"]) == 1
    assert report["who"][0].split(" ")[0] == f"uid:{UID}"
    assert "president" not in report["who"][0]
