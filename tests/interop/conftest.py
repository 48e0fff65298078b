"""Fixtures of the tests with other software: one sandbox and one Java build for a session."""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from makul_testing.external.foreign_software import BUILD_SECONDS, Sandbox, run, running_sandbox

JAVA = Path(__file__).parent / "java"


@pytest.fixture(scope="session")
def requested() -> None:
    if os.environ.get("MAKUL_INTEROP") != "1":
        pytest.skip("needs software of others and packages of theirs; run it with: make interop")


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory, requested: None) -> Iterator[Sandbox]:
    with running_sandbox(tmp_path_factory.mktemp("interop")) as running:
        yield running


@pytest.fixture(scope="session")
def java(requested: None) -> list[str]:
    """Return the beginning of a command that runs a class of the one build."""
    if shutil.which("mvn") is None or shutil.which("java") is None:
        pytest.fail("needs mvn and java, found nowhere on the PATH")
    # Build again only if a source is newer; Maven itself would check.
    run(["mvn", "--batch-mode", "--quiet", "package"], cwd=JAVA, seconds=BUILD_SECONDS)
    return ["java", "-XX:TieredStopAtLevel=1", "-cp", str(JAVA / "target" / "makul-interop.jar")]
