"""Fixtures: a new installation for each test, its store, and one with a bank in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from makul.admin import case, month_pages
from makul.domain.monthly_statements import MAX_PAGES
from makul.store import Store
from makul_testing.builders.months import ProvedGrounds
from makul_testing.cli_runner import CommandLine, install
from makul_testing.stores import store_of


@pytest.fixture(autouse=True)
def proved_grounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take every stored ground as proved: these installations trust no authority.

    `tests/e2e/test_monthly_statements.py` proves real ones. Another process would not know this.
    """
    for module in (month_pages, case):
        monkeypatch.setattr(module, "ground_proofs", lambda _: ProvedGrounds())
    monkeypatch.setattr(month_pages, "SHARED_FROM_PAGES", MAX_PAGES)


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
