"""Fixture: one sandbox for all tests of this package."""

import pytest

from makul_testing.sandbox_dir import SandboxDirectory, prepare_sandbox


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> SandboxDirectory:
    return prepare_sandbox(tmp_path_factory.mktemp("sandbox") / "made")
