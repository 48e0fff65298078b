"""An installation of one's own for each test, and one with a bank in it."""

from pathlib import Path

import pytest

from support.commands import Makul, installed


@pytest.fixture
def makul(tmp_path: Path) -> Makul:
    return installed(tmp_path / "house")


@pytest.fixture
def with_bank(makul: Makul) -> Makul:
    makul.done("recipient", "add", "COM/60000001", "--kind", "BANK", "--name", "Bank", "--apply")
    return makul
