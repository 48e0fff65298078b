"""One sandbox for all tests of this room, made as `makul sandbox` makes it; nothing listens."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from makul.cli.house import SandboxOptions
from makul.runtime import LocalRuntime
from makul.sandbox.run import prepare
from makul.sandbox.world import World

PEOPLE = 60


@dataclass(frozen=True, slots=True)
class Prepared:
    """A sandbox on disk, and the world it was made from."""

    directory: Path
    world: World


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    directory = tmp_path_factory.mktemp("sandbox") / "made"
    options = SandboxOptions(directory=directory, people=PEOPLE)
    return Prepared(directory, prepare(options, LocalRuntime()))
