"""Copies of an installation's store, made while the service runs. No key is needed or copied."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path

from makul.admin.backup_files import copy_archive, copy_settings
from makul.admin.error_handling import as_operator_error
from makul.admin.errors import OperatorError, OperatorUnavailableError
from makul.app.ports import Clock
from makul.config.settings import Settings
from makul.language.translation import translate, translate_cause
from makul.net.users import identify_operator
from makul.observability.security_events import Event
from makul.observability.security_log import emit_security_event
from makul.store.backup.directory import BackupDirectory, describe_file, sync_file
from makul.store.backup.errors import BackupError, BackupToolError
from makul.store.backup.inventory import StoreInventory
from makul.store.backup.manifest import BackupManifest
from makul.store.backup.postgres_dump import dump_postgres
from makul.store.backup.sqlite_copy import copy_sqlite
from makul.store.db.location import PostgresLocation

SQLITE_NAME = "makul.db"
POSTGRES_NAME = "makul.pgdump"

Report = Callable[[int, int], None]
"""A function that receives what is done and the total; a total of 0 is unknown."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MadeBackup:
    """A copy that was made."""

    path: Path
    manifest: BackupManifest
    bytes: int
    took: timedelta
    removed: tuple[Path, ...]
    """Older copies that were removed."""


@dataclass(frozen=True, slots=True)
class BackupMaker:
    """Makes copies of an installation's store."""

    config: Path
    settings: Settings
    clock: Clock

    def make(self, directory: Path, *, keep: int, report: Report) -> MadeBackup:
        """Make one copy, and keep the newest `keep` copies of this store.

        Raises `OperatorError`; then there is no new copy.
        """
        copies = BackupDirectory(directory)
        with as_backup_error(), copies.lock():
            began = self.clock()
            if copies.path_at(began).exists():
                time.sleep(1)  # the name of a copy is its second
                began = self.clock()
            with copies.unfinished() as unfinished:
                inventory, name = self._copy_store(unfinished, report)
                sync_file(unfinished / name)
                others = copy_settings(self.config, self.settings, unfinished)
                archive = self.settings.trust.archive
                manifest = BackupManifest.of_copy(
                    inventory,
                    [describe_file(unfinished, name), *others.files],
                    # after the database: its decisions rest on what is archived
                    archive=copy_archive(archive, directory) if archive is not None else None,
                    omitted=others.omitted,
                    program=version("makul"),
                    made_at=began,
                )
                path = copies.publish(unfinished, manifest)
            removed = copies.prune(manifest.store, keep, path)
        emit_security_event(Event.BACKUP_MADE, user=identify_operator())
        return MadeBackup(
            path=path,
            manifest=manifest,
            bytes=sum(each.bytes for each in manifest.files),
            took=self.clock() - began,
            removed=tuple(removed),
        )

    def _copy_store(self, into: Path, report: Report) -> tuple[StoreInventory, str]:
        place = self.settings.place
        if isinstance(place, PostgresLocation):
            return dump_postgres(place, into / POSTGRES_NAME, report), POSTGRES_NAME
        return copy_sqlite(place, into / SQLITE_NAME, report), SQLITE_NAME


@contextmanager
def as_backup_error() -> Iterator[None]:
    """Translate the errors of copies into those that an operator can correct."""
    try:
        with as_operator_error():
            yield
    except BackupError as error:
        raise OperatorError(str(error)) from None
    except BackupToolError as error:
        raise OperatorUnavailableError(str(error)) from None
    except OSError as error:
        # A full disk names no file.
        cause = translate_cause(error.strerror)
        problem = f"{error.filename}: {cause}" if error.filename is not None else cause
        raise OperatorUnavailableError(
            translate("files cannot be written or read: {problem}", problem=problem)
        ) from None
