"""A sandbox with a history: real decisions of the last month, ready to be closed (cl. 11)."""

from datetime import datetime
from pathlib import Path

import pytest

from makul.admin.requests import SandboxOptions
from makul.admin.runtime import Runtime
from makul.composition.adapters import utc_now
from makul.domain.months import month_before, month_of
from makul.store.log.tile_files import LogDirectory
from makul.trust.tlog.note_keys import NoteSigner
from makul_sandbox.output.files import CONFIG
from makul_sandbox.run import prepare
from makul_testing.cli_runner import CommandLine
from makul_testing.tlog.builder import sequence

COUNT = 24


@pytest.fixture(scope="module")
def history(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("history") / "sandbox"
    prepare(SandboxOptions(directory=directory, people=25, history=COUNT), Runtime())
    return directory


def test_every_request_is_decided_in_the_last_month(history: Path) -> None:
    """The clock of the service shows the moment of each request; every one discloses."""
    makul = CommandLine((history / CONFIG).parent)

    rows = makul.run_json("disclosure", "list", "--limit", "99")

    month = month_before(utc_now())
    assert len(rows) == COUNT
    assert {row["outcome"] for row in rows} == {"RELEASED", "MATCHED"}
    assert {month_of(datetime.fromisoformat(row["decided_at"])) for row in rows} == {month}
    assert len({row["recipient"] for row in rows}) > 1


def test_a_statement_of_the_history_has_no_exception(history: Path, tmp_path: Path) -> None:
    """The agreements and consents are as old as the month, so nothing is an exception."""
    makul = CommandLine((history / CONFIG).parent)
    with Runtime().open(history / CONFIG) as installation:
        ledger = installation.settings.ledger
        assert ledger is not None
        assert ledger.publish is not None
        sequence(installation.store, NoteSigner.load(ledger.key, ledger.origin), at=utc_now())
        latest = installation.store.ledger.latest()
        assert latest is not None
        LogDirectory(ledger.publish).write_checkpoint(latest.note)
    month = month_before(utc_now())

    built = makul.run_json("month", "build", str(month), "--output", tmp_path, "--draft")

    assert sum(each["disclosures"] for each in built) == COUNT
    assert [each["exceptions"] for each in built if each["exceptions"]] == []
