"""The restore drill: a copy that was made under load is proved, restored, recovered and served."""

import os
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from makul.app.ports.ledger import Lease, LedgerBrokenError
from makul.app.sequencer import Sequencer
from makul.composition.adapters import utc_now
from makul.ledger.signed_note import ED25519
from makul.store.backup.directory import BackupDirectory, read_manifest, verify_files
from makul.store.db.location import PostgresLocation
from makul.store.log.tile_files import LogDirectory
from makul.trust.tlog.note_keys import NoteSigner, NoteVerifier, new_key_file
from makul_testing.cli_runner import CommandLine
from makul_testing.database_roles import create_duty_roles
from makul_testing.exhaustive import rounds
from makul_testing.external.postgres import Cluster, client_programs
from makul_testing.faults.record_audit import Count, audit_records
from makul_testing.in_process_service import InProcessService, build_installation_on
from makul_testing.load.concurrent_clients import RELEASED, ConcurrentClients
from makul_testing.processes.gunicorn import run_preforked_service
from makul_testing.processes.program import Program
from makul_testing.tlog.builder import ORIGIN

SHARE = 25
"""The minimum of acknowledged requests before, between and after the copies."""

KILLS = rounds(8, exhaustive=60)
RESTORE_SECONDS = 60.0
"""The drill takes some seconds for a small store; ten times as much is a defect."""


@dataclass(frozen=True)
class Site:
    """A service on a separate database, its operator, and its published ledger."""

    installation: InProcessService
    server: Cluster | None
    directory: Path
    environment: dict[str, str]

    @property
    def operator(self) -> CommandLine:
        """Return the commands of the owner of the tables."""
        place = self.installation.settings.place
        url = {"MAKUL_DATABASE_URL": place.url} if isinstance(place, PostgresLocation) else {}
        return CommandLine(self.directory / "installation", self.environment | url)

    @property
    def copies(self) -> Path:
        return self.directory / "copies"

    def sequence(self) -> None:
        """Run one round of a new sequencer."""
        signer = NoteSigner.load(self.directory / "ledger.key")
        sequencer = Sequencer(
            store=self.installation.store.ledger,
            signer=signer,
            checker=NoteVerifier(key=signer.key),
            published=LogDirectory(self.directory / "published"),
            lease=Lease(holder=uuid4(), length=timedelta(0)),
            batch=1_000,
            clock=utc_now,
        )
        assert sequencer.run_once().size is not None

    def check(self, copy: Path) -> Any:
        """Return what `makul restore --check` shows for a copy."""
        into = ("--into", self.server.url("scratch")) if self.server is not None else ()
        return self.operator.run_json("restore", copy, "--check", *into)

    def destroy(self) -> None:
        """Destroy the database; nobody is served meanwhile."""
        self.installation.close()
        place = self.installation.settings.place
        if isinstance(place, PostgresLocation):
            assert self.server is not None
            name = place.url.partition("///")[2].partition("?")[0]
            self.server.drop(name)
            self.server.execute(f"CREATE DATABASE {name} TEMPLATE template0")
        else:
            for old in place.parent.glob(f"{place.name}*"):
                old.unlink()

    def restore(self, copy: Path) -> None:
        """Restore a copy as the run-book says."""
        self.operator.run_json("restore", copy, "--apply")
        if isinstance(self.installation.settings.place, PostgresLocation):
            create_duty_roles(self.installation.settings.place)


@pytest.fixture
def site(tmp_path: Path, database: str, request: pytest.FixtureRequest) -> Iterator[Site]:
    server = request.getfixturevalue("server") if database == "postgresql" else None
    directory = tmp_path / "installation"
    directory.mkdir()
    installation = build_installation_on(directory, database, lambda: server)
    new_key_file(tmp_path / "ledger.key", ORIGIN, ED25519)
    ledger = f"""
[ledger]
origin = "{ORIGIN}"
key = "{tmp_path}/ledger.key"
publish = "{tmp_path}/published"
"""
    config = directory / "makul.toml"
    config.write_text(config.read_text().replace("\n[listeners.", f"{ledger}[listeners.", 1))
    path = f"{client_programs()}{os.pathsep}{os.environ['PATH']}" if server else os.environ["PATH"]
    opened = Site(installation, server, tmp_path, {"PATH": path})
    opened.sequence()
    yield opened
    installation.close()


def test_restore_drill(site: Site, database: str, count: Count) -> None:
    """A copy has every request acknowledged before it, and all that it lacks is counted."""
    installation = site.installation
    with (
        run_preforked_service(installation, workers=2) as server,
        ConcurrentClients(installation, server.port) as clients,
    ):
        clients.more(SHARE)
        old = Path(site.operator.run_json("backup", site.copies)["copy"])
        clients.more(SHARE)
        before = clients.released
        new = Path(site.operator.run_json("backup", site.copies)["copy"])
        clients.more(SHARE)
    site.operator.run_json(
        "recipient", "hold", installation.bank.code, "--reason", "drill", "--apply"
    )
    site.sequence()
    live = site.check(new)
    assert [act["kind"] for act in live["missing_acts"]] == ["recipient.state"]
    assert live["missing_live_records"] == live["missing_records"] > 1
    everything = clients.released

    site.destroy()
    began = time.monotonic()
    assert site.check(new)["missing_records"] == live["missing_records"]
    site.restore(new)
    recovered = site.operator.run_json("ledger", "recover", "--apply")
    lost = live["missing_records"]
    report = site.operator.run_json("ledger", "verify", "--lost", str(lost))
    took = time.monotonic() - began
    assert (report["fits"], report["lost"]) == (True, lost)
    assert recovered["missing"] >= lost
    assert took < RESTORE_SECONDS

    after = audit_records(installation.settings.place)
    assert after.lost(before) == set()
    assert (after.without_leaf, after.without_decision, after.twice) == (0, 0, 0)
    assert len(after.lost(everything)) < lost  # the hold and repetitions have leaves as well
    with (
        run_preforked_service(installation, workers=2) as server,
        ConcurrentClients(installation, server.port) as again,
    ):
        again.more(SHARE)
        again.answers |= before
        again.ask_again(sorted(before)[:SHARE])
    assert set(again.words) == {RELEASED}
    assert (again.differing, again.withheld, again.broken) == ([], {}, {})
    site.sequence()
    report = site.operator.run_json("ledger", "verify", "--lost", str(lost))
    assert report["fits"] is True
    assert audit_records(installation.settings.place).lost(again.released) == set()

    site.destroy()
    assert site.check(old)["missing_records"] > lost
    site.restore(old)
    with pytest.raises(LedgerBrokenError, match="older copy"):
        site.sequence()
    count(
        f"restore drill [{database}]: {len(before):,} acknowledged before the copy, 0 of them lost;"
        f" the {lost} records after it counted; proved, restored, recovered and"
        f" verified in {took:.1f} s; {len(again.released) - len(before):,} more released"
    )


def test_a_killed_backup_leaves_no_copy(site: Site, database: str, count: Count) -> None:
    """`kill -9` at any moment: what has the name of a copy is whole, and nothing else stays."""

    def start() -> "Program":
        config = site.directory / "installation" / "makul.toml"
        environment = os.environ | dict(site.operator.environment)
        return Program("--config", config, "backup", site.copies, env=environment)

    began = time.monotonic()
    assert start().wait() == 0
    whole_seconds = time.monotonic() - began
    dice = random.Random(20261201)  # noqa: S311 -- when to kill, not a secret
    killed = 0
    for _ in range(KILLS):
        process = start()
        time.sleep(dice.uniform(0, 1.2 * whole_seconds))
        process.kill()
        killed += process.wait() != 0
        for copy in BackupDirectory(site.copies).copies():
            verify_files(copy, read_manifest(copy), lambda _: None)

    made = site.operator.run_json("backup", site.copies)

    assert killed > 0
    assert site.check(Path(made["copy"]))["fits"] is True
    names = [each.name for each in site.copies.iterdir() if each.name.startswith(".")]
    assert names == [".lock"]
    count(f"kill -9 of a backup x{KILLS} [{database}]: {killed} killed, 0 copies not whole")
