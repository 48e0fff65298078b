"""A sandbox on disk, like that of `makul sandbox`, without listeners."""

from dataclasses import dataclass
from pathlib import Path

from makul.admin.requests import SandboxOptions
from makul.admin.runtime import Runtime
from makul_sandbox.run import prepare
from makul_sandbox.world.build import World

PEOPLE = 60


@dataclass(frozen=True, slots=True)
class SandboxDirectory:
    """The directory, and the world from which it was made."""

    directory: Path
    world: World


def prepare_sandbox(directory: Path) -> SandboxDirectory:
    """Make one in a directory that is new or holds an earlier one."""
    options = SandboxOptions(directory=directory, people=PEOPLE)
    return SandboxDirectory(directory, prepare(options, Runtime()))
