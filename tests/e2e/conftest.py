"""Fixtures: one service for most of these tests; each test uses its own request ids."""

from collections.abc import Iterator

import pytest

from makul.composition.adapters import utc_now
from makul_testing.in_process_service import InProcessService, RecordDatabase, build_installation
from makul_testing.tlog.builder import a_note_signer, check_ledger, sequence


@pytest.fixture(scope="session")
def installation(
    tmp_path_factory: pytest.TempPathFactory, record_database: RecordDatabase
) -> Iterator[InProcessService]:
    built = build_installation(tmp_path_factory.mktemp("installation"), database=record_database)
    yield built
    signer = a_note_signer(tmp_path_factory.mktemp("log"))
    sequence(built.store, signer, at=utc_now())
    # every decision of these tests must agree with its leaf
    assert check_ledger(built.store, signer, at=utc_now()).finding is None
    built.close()
