"""Fixtures: a new installation for each test, its store, and one with a bank in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from makul.store import Store
from makul_testing.cli_runner import CommandLine, install
from makul_testing.stores import store_of


@pytest.fixture
def makul(tmp_path: Path) -> CommandLine:
    return install(tmp_path / "installation")


@pytest.fixture
def store(makul: CommandLine) -> Iterator[Store]:
    with store_of(makul.directory / "makul.toml") as opened:
        yield opened


@pytest.fixture
def with_bank(makul: CommandLine) -> CommandLine:
    makul.run_json(
        "recipient", "add", "COM/60000001", "--kind", "BANK", "--name", "Bank", "--apply"
    )
    return makul
