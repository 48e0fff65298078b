"""A copy that was made under load is restored, verified by the ledger, and served."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from makul.app.ports.ledger import Lease, LedgerBrokenError
from makul.app.sequencer import Sequencer
from makul.composition.adapters import utc_now
from makul.store.db.location import PostgresLocation
from makul.store.log.tile_files import LogDirectory
from makul.trust.tlog.note_keys import NoteSigner, NoteVerifier
from makul_testing.external.postgres import Cluster, cluster
from makul_testing.faults.record_audit import Count, audit_records
from makul_testing.in_process_service import InProcessService, build_installation_on
from makul_testing.load.concurrent_clients import RELEASED, ConcurrentClients
from makul_testing.processes.gunicorn import run_preforked_service
from makul_testing.raw_sql import raw
from makul_testing.tlog.builder import a_note_signer, check_ledger

SHARE = 25
"""The minimum of acknowledged requests before, between and after the copies."""


@dataclass(frozen=True)
class Site:
    """A service on a separate database, and its published ledger."""

    installation: InProcessService
    server: Cluster | None
    signer: NoteSigner
    directory: Path

    def sequence(self) -> None:
        """Run one round of a new sequencer."""
        sequencer = Sequencer(
            store=self.installation.store.ledger,
            signer=self.signer,
            checker=NoteVerifier(key=self.signer.key),
            published=LogDirectory(self.directory / "published"),
            lease=Lease(holder=uuid4(), length=timedelta(0)),
            batch=1_000,
            clock=utc_now,
        )
        assert sequencer.run_once().size is not None

    def back_up(self, name: str) -> Path:
        """Make a copy while the service runs."""
        copy = self.directory / name
        if self.server is not None:
            copy = self.server.directory / name
            self.server.back_up(copy)
        else:
            with raw(self.installation.settings.place) as connection:
                connection.execute("VACUUM INTO ?", (str(copy),))
        return copy

    def restore(self, copy: Path) -> None:
        """Replace the data by the copy; nobody is served meanwhile."""
        self.installation.close()
        place = self.installation.settings.place
        if self.server is not None:
            self.server.stop()
            self.server.restore(copy)
            self.server.start()
        elif not isinstance(place, PostgresLocation):
            for old in place.parent.glob(f"{place.name}*"):
                old.unlink()
            place.write_bytes(copy.read_bytes())

    def fits(self) -> bool:
        """Return whether every record agrees with the ledger (`makul ledger verify`)."""
        return check_ledger(self.installation.store, self.signer, at=utc_now()).finding is None


@pytest.fixture
def site(tmp_path: Path, database: str) -> Iterator[Site]:
    def open_site(server: Cluster | None) -> Site:
        on: Callable[[], Cluster] = lambda: server  # type: ignore[assignment,return-value] # noqa: E731
        directory = tmp_path / "installation"
        directory.mkdir()
        return Site(
            build_installation_on(directory, database, on),
            server,
            a_note_signer(tmp_path),
            tmp_path,
        )

    if database == "sqlite":
        opened = open_site(None)
        yield opened
        opened.installation.close()
        return
    with cluster(durable=True) as server:
        opened = open_site(server)
        yield opened
        opened.installation.close()


def test_backup_is_restored_verified_and_served(site: Site, database: str, count: Count) -> None:
    """The copy has every request acknowledged before it; an older one is not extended."""
    installation = site.installation
    with (
        run_preforked_service(installation, workers=2) as server,
        ConcurrentClients(installation, server.port) as clients,
    ):
        clients.more(SHARE)
        old = site.back_up("old")
        clients.more(SHARE)
        site.sequence()
        before = clients.released
        new = site.back_up("new")
        clients.more(SHARE)
    lost = len(clients.released) - len(before)

    site.restore(new)
    assert site.fits()
    after = audit_records(installation.settings.place)
    assert after.lost(before) == set()
    assert (after.without_leaf, after.without_decision, after.twice) == (0, 0, 0)
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
    assert site.fits()
    assert audit_records(installation.settings.place).lost(again.released) == set()

    site.restore(old)
    assert site.fits(), "an older copy fits itself: what is missing is known by what was published"
    with pytest.raises(LedgerBrokenError, match="older copy"):
        site.sequence()
    count(
        f"backup under load, restored [{database}]: {len(before):,} acknowledged before it, 0 of"
        f" them lost; verified, {len(again.released) - len(before):,} more released; an older copy"
        f" behind a published checkpoint noticed ({lost} after the backup went with it)"
    )
