"""Fixture: one sandbox for all tests of this package."""

import pytest

from makul_testing.sandbox_dir import Prepared, prepared_in


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Prepared:
    return prepared_in(tmp_path_factory.mktemp("sandbox") / "made")
