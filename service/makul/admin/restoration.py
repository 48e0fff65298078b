"""Verification of a copy by restoring it, and restoration into an empty place.

A copy is proved only by a restore: its files have their digests, the keys of this installation
decrypt it, and every record fits the ledger. What it lacks is compared with the published log.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from makul.admin.backup import POSTGRES_NAME, SQLITE_NAME, as_backup_error
from makul.admin.backup_files import verify_archive
from makul.admin.ledger import OpenLedger, open_ledger
from makul.admin.restore_gap import PublishedGap, find_published_gap
from makul.app.ports import Clock, StoreUnavailableError
from makul.app.ports.ledger import LedgerReport
from makul.config.settings import POSTGRES, Environment, Settings
from makul.language.translation import translate
from makul.net.files import sync_directory
from makul.net.users import identify_operator
from makul.observability.security_events import Event
from makul.observability.security_log import emit_security_event
from makul.store import Store, StoreKeys, open_store, upgrade_store
from makul.store.backup import postgres_dump, sqlite_copy
from makul.store.backup.directory import find_copy, read_manifest, sync_file, verify_files
from makul.store.backup.errors import BackupError, BackupToolError
from makul.store.backup.field_check import verify_fields
from makul.store.backup.inventory import StoreInventory
from makul.store.backup.live_gap import LiveGap, find_live_gap, read_live_identity
from makul.store.backup.manifest import BackupManifest
from makul.store.db.location import DatabaseLocation, PostgresLocation
from makul.store.encryption.fields import FieldCipher
from makul.store.open import database_at
from makul.store.schema.version import VERSION

Report = Callable[[str, int, int], None]
"""A function that receives the name of a step, what is done of it, and the total (0: unknown)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedBackup:
    """A copy that was proved, and what it lacks."""

    path: Path
    manifest: BackupManifest
    age: timedelta
    is_older_schema: bool
    """True if it had to be upgraded to the schema of this program."""
    fields: int
    """Number of encrypted fields, each of which was decrypted."""
    ledger: LedgerReport
    published: PublishedGap
    live: LiveGap | None
    """None if the live store cannot be read."""


@dataclass(frozen=True, slots=True)
class Restoration:
    """Verifies copies with the keys and the ledger of one installation, and restores them."""

    settings: Settings
    clock: Clock

    def check(self, path: Path, *, into: str | None, report: Report) -> CheckedBackup:
        """Restore a copy into a temporary place and prove it there.

        `into` is the address of an empty database for a copy of PostgreSQL. It is created if it is
        missing, and then dropped again. Raises `OperatorError`.
        """
        with as_backup_error():
            copy, manifest, keys = self._verified(path, report)
            with self._temporary_place(copy, manifest, into, report) as place:
                _assert_complete(_read_inventory(place), manifest)
                store, database = self._open(place, keys, manifest), database_at(place)
                with closing(store), closing(database):
                    fields = verify_fields(database, FieldCipher(keys), _step(report, "fields"))
                    found = self._verify_ledger(store, manifest, report)
                    return CheckedBackup(
                        path=copy,
                        manifest=manifest,
                        age=self.clock() - manifest.made_at,
                        is_older_schema=manifest.schema_version != VERSION,
                        fields=fields,
                        ledger=found,
                        published=find_published_gap(self._ledger_of(store, manifest), database),
                        live=find_live_gap(self.settings.place, database),
                    )

    def restore(self, path: Path, report: Report) -> BackupManifest:
        """Restore a copy into the empty place that the settings name. Raises `OperatorError`."""
        place = self.settings.place
        with as_backup_error():
            copy, manifest, keys = self._verified(path, report)
            self.assert_target(manifest)
            if isinstance(place, PostgresLocation):
                self._require_harmless_role(place)
                postgres_dump.restore_dump(copy / POSTGRES_NAME, place, _step(report, "restore"))
                _assert_complete(_read_inventory(place), manifest)
            else:
                _restore_file(copy / SQLITE_NAME, place, manifest)
            if manifest.schema_version == VERSION:
                with closing(self._open(place, keys, manifest)) as store:
                    facts = {"made_at": str(manifest.made_at), "size": manifest.ledger.size}
                    store.log_restore(facts, at=self.clock())
        emit_security_event(Event.STORE_RESTORED, user=identify_operator())
        return manifest

    def preview(self, path: Path) -> BackupManifest:
        """Return the manifest of a copy that could be restored here. Raises `OperatorError`."""
        with as_backup_error():
            manifest = read_manifest(find_copy(path))
            manifest.refuse_unknown_schema()
            self.assert_target(manifest)
            return manifest

    def assert_target(self, manifest: BackupManifest) -> None:
        """Raise `BackupError` if the place in the settings is of another kind, or not empty."""
        place = self.settings.place
        kind = "PostgreSQL" if isinstance(place, PostgresLocation) else "SQLite"
        if kind != manifest.database:
            raise BackupError(
                translate(
                    "the copy is of {copied} and the settings name a store on {named}",
                    copied=manifest.database,
                    named=kind,
                )
            )
        if isinstance(place, PostgresLocation):
            postgres_dump.assert_empty(place)
            return
        for end in ("", "-wal", "-shm", "-journal"):
            other = place.with_name(place.name + end)
            if other.exists():
                raise _occupied(other)

    def _verified(self, path: Path, report: Report) -> tuple[Path, BackupManifest, StoreKeys]:
        """Return a copy whose files are as they were written, and the keys that decrypt it."""
        copy = find_copy(path)
        manifest = read_manifest(copy)
        manifest.refuse_unknown_schema()
        total = sum(each.bytes for each in manifest.files)
        done = 0

        def count(size: int) -> None:
            nonlocal done
            done += size
            report("digests", done, total)

        verify_files(copy, manifest, count)
        if manifest.archive is not None:
            verify_archive(copy.parent, manifest.archive, _step(report, "archive"))
        live = read_live_identity(self.settings.place)
        if live is not None and live != manifest.store:
            raise BackupError(
                translate(
                    "the copy is of another store: {copied}, and the settings name {live}",
                    copied=manifest.store,
                    live=live,
                )
            )
        keys = StoreKeys.load(self.settings.store.keys)
        missing = sorted(set(manifest.keys) - set(keys.masters))
        if missing:
            raise BackupError(
                translate(
                    "the copy needs the keys {missing}, which {path} lacks: bring them back from"
                    " their own backup",
                    missing=", ".join(missing),
                    path=self.settings.store.keys,
                )
            )
        return copy, manifest, keys

    def _open(self, place: DatabaseLocation, keys: StoreKeys, manifest: BackupManifest) -> Store:
        """Open a restored store, after an upgrade if it needs one."""
        who = identify_operator()
        try:
            if manifest.schema_version != VERSION:
                upgrade_store(place, keys, who=who, at=self.clock())
            return open_store(place, keys, who=who)
        except StoreUnavailableError as error:
            raise BackupError(
                translate("the copy does not open with these keys: {problem}", problem=error)
            ) from None

    def _verify_ledger(
        self, store: Store, manifest: BackupManifest, report: Report
    ) -> LedgerReport:
        """Verify every record of a restored store against its ledger. Raises `BackupError`."""
        ledger, noted = self._ledger_of(store, manifest), manifest.tables.get("ledger_lost", 0)
        found = ledger.verify_records(store, _step(report, "records"), lost=noted)
        if found.finding is not None:
            raise BackupError(
                translate(
                    "the copy does not fit its ledger: {where} {record}: {what}",
                    where=found.finding.where,
                    record=found.finding.record,
                    what=found.finding.what,
                )
            )
        return found

    def _require_harmless_role(self, location: PostgresLocation) -> None:
        """Require a role that an altered copy cannot use against the server, in production."""
        if self.settings.environment is Environment.PRODUCTION:
            postgres_dump.refuse_superuser(location)

    @contextmanager
    def _temporary_place(
        self, copy: Path, manifest: BackupManifest, into: str | None, report: Report
    ) -> Iterator[DatabaseLocation]:
        """Restore a copy into a place that exists for the check only."""
        if manifest.database == "PostgreSQL":
            if into is None or not into.startswith(POSTGRES):
                raise BackupToolError(
                    translate(
                        "a copy of PostgreSQL is restored into an empty database: name one, such as"
                        " --into postgresql://localhost/makul_check"
                    )
                )
            location = PostgresLocation(url=into)
            self._require_harmless_role(postgres_dump.maintenance_database(location))
            with postgres_dump.scratch_database(location):
                postgres_dump.restore_dump(copy / POSTGRES_NAME, location, _step(report, "restore"))
                yield location
            return
        if into is not None:
            raise BackupToolError(translate("--into is for a copy of PostgreSQL"))
        size = next(each.bytes for each in manifest.files if each.path == SQLITE_NAME)
        with tempfile.TemporaryDirectory(prefix="makul-restore-") as directory:
            free = shutil.disk_usage(directory).free
            if free < size * 2:
                raise BackupToolError(
                    translate(
                        "{directory} has too little space: {needed} bytes are needed and {free} are"
                        " free. Set TMPDIR",
                        directory=tempfile.gettempdir(),
                        needed=size * 2,
                        free=free,
                    )
                )
            place = Path(directory) / SQLITE_NAME
            shutil.copyfile(copy / SQLITE_NAME, place)
            sqlite_copy.assert_sound(place)
            yield place

    def _ledger_of(self, store: Store, manifest: BackupManifest) -> OpenLedger:
        """Return the ledger of a restored copy, judged as of the moment at which it was made."""
        return open_ledger(
            self.settings,
            store.ledger,
            opened=lambda: nullcontext(store),
            clock=lambda: manifest.made_at,
            require_fit_settings=lambda: None,
        )


def _restore_file(source: Path, place: Path, manifest: BackupManifest) -> None:
    """Restore a file of SQLite, completely or not at all; an existing file is never replaced."""
    aside = place.with_name(f".{place.name}.restore")
    aside.unlink(missing_ok=True)
    try:
        shutil.copyfile(source, aside)
        aside.chmod(0o600)
        sqlite_copy.assert_sound(aside)
        _assert_complete(_read_inventory(aside), manifest)
        sync_file(aside)
        try:
            place.hardlink_to(aside)
        except FileExistsError:
            raise _occupied(place) from None
    finally:
        aside.unlink(missing_ok=True)
    sync_directory(place.parent)


def _occupied(path: Path) -> BackupError:
    return BackupError(translate("{path} exists: move it away and keep it", path=path))


def _read_inventory(place: DatabaseLocation) -> StoreInventory:
    if isinstance(place, PostgresLocation):
        return postgres_dump.read_inventory(place)
    return sqlite_copy.read_inventory(place)


def _assert_complete(found: StoreInventory, manifest: BackupManifest) -> None:
    """Raise `BackupError` if a restored store is not the one that the manifest describes."""
    for name, stated in manifest.tables.items():
        if found.tables.get(name) != stated:
            raise BackupError(
                translate(
                    "the table {name} has {found} rows, and the manifest says {stated}",
                    name=name,
                    found=found.tables.get(name, 0),
                    stated=stated,
                )
            )
    same = (found.store, found.schema_version, found.size, found.root.hex(), found.keys)
    if same != (
        *(manifest.store, manifest.schema_version, manifest.ledger.size),
        *(manifest.ledger.root, manifest.keys),
    ):
        raise BackupError(translate("the copy is not the one that its manifest describes"))


def _step(report: Report, name: str) -> Callable[[int, int], None]:
    return lambda done, of: report(name, done, of)
