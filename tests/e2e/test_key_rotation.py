"""The store's master key is rotated under load: no request fails, and no field is left."""

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from makul.app.ports import StoreUnavailableError
from makul.store import StoreKeys, open_store
from makul_testing.cli_runner import CommandLine, CommandResult
from makul_testing.in_process_service import InProcessService, RecordDatabase, build_installation
from makul_testing.load.steady_load import Load, messages
from makul_testing.processes.service import run_service


@pytest.fixture
def installation(tmp_path: Path, record_database: RecordDatabase) -> Iterator[InProcessService]:
    built = build_installation(tmp_path, database=record_database)
    yield built
    built.close()


def insist(makul: CommandLine, *command: str) -> tuple[CommandResult, int]:
    """Repeat a command until it is accepted: reloaded workers finish their requests first."""
    deadline, refusals = time.monotonic() + 60, 0
    while (result := makul(*command)).code != 0:
        assert result.code == 1, result.err
        assert time.monotonic() < deadline, result.err
        refusals += 1
        time.sleep(0.2)
    return result, refusals


def test_key_is_rotated_under_load(installation: InProcessService, tmp_path: Path) -> None:
    """The steps are prepare, SIGHUP, activate, SIGHUP, wrap, retire; a step too early
    is refused.
    """
    key_file, makul = tmp_path / "store.json", installation.makul(duty=None)
    former = replace(StoreKeys.load(key_file), held=None)
    queue = messages(installation, 600)

    with run_service(tmp_path / "makul.toml", workers=2) as server, Load(server, queue) as load:
        load.until(5)
        makul.run_json("key", "rotate", "--prepare", "--apply")
        early = makul("key", "rotate", "--activate", "--apply")
        load.until(5)
        os.kill(server.pid, signal.SIGHUP)
        insist(makul, "key", "rotate", "--activate", "--apply")
        load.until(5)
        makul("key", "rotate", "--apply")
        too_early = makul("key", "retire", former.current_id, "--apply")
        os.kill(server.pid, signal.SIGHUP)
        _until_nobody_lingers(makul)
        insist(makul, "key", "rotate", "--apply")
        insist(makul, "key", "retire", former.current_id, "--apply")
        load.until(10)

    assert early.code == too_early.code == 1
    assert "reload every worker" in early.err
    assert load.failures == []
    assert {status for status, _ in load.answers} == {200}
    assert all(b">RELEASED<" in body for _, body in load.answers)
    new = StoreKeys.load(key_file)
    assert set(new.masters).isdisjoint(former.masters)
    with pytest.raises(StoreUnavailableError):
        open_store(installation.settings.place, former, who="test")
    store = open_store(installation.settings.place, new, who="test")
    rows = store.registry.disclosures(recipient=None, since=None, limit=1000)
    assert len(rows) == len(load.answers)
    store.close()


def _until_nobody_lingers(makul: CommandLine) -> None:
    deadline = time.monotonic() + 60
    while makul.run_json("key", "rotate")["still_used"]:
        assert time.monotonic() < deadline
        time.sleep(0.2)
