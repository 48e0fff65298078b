"""Fixture: a new ledger with a receipt in it."""

from pathlib import Path

import pytest

from makul_testing.client.ledger import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World.new(tmp_path)
