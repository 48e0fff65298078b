"""A log with a receipt in it for each test that asks for one."""

from pathlib import Path

import pytest

from support.client_ledger import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World.new(tmp_path)
