"""One house for the whole of these tests; each test asks under ids of its own."""

from collections.abc import Iterator

import pytest

from support.house import InProcess, build_house


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InProcess]:
    built = build_house(tmp_path_factory.mktemp("house"))
    yield built
    built.close()
