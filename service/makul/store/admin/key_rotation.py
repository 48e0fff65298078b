"""The rotation of the master key in steps: prepare, activate, wrap all data keys again, retire.

A key is prepared before it becomes current. Otherwise a process that does not know it could not
decrypt what another process encrypts. It is activated only when no process of this machine uses a
key ring without it. A former key is retired only when no field is encrypted under it and no process
here could still encrypt with it. Processes of other machines are not visible from here
(docs/decisions/0020-rotating-the-wrapping-key.md).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select

from makul.app.ports import (
    Clock,
    EncryptedCount,
    KeyRing,
    KeyRotation,
    OperatorRegistryError,
    RetiredKey,
    RewrapBatch,
)
from makul.language.translation import translate
from makul.store.admin import rewrap as rewrapping
from makul.store.admin.unit_of_work import RegistryUnitOfWork
from makul.store.db.codecs import instant
from makul.store.encryption.key_file import KeyFile
from makul.store.encryption.master_keys import StoreKeys, StoreKeysError
from makul.store.schema.record_tables import desk_log

_REWRAPPED = "key.rewrapped"
_LAST_REWRAPPED = select(func.max(desk_log.c.at)).where(desk_log.c.action == _REWRAPPED)


class StoreRotation(KeyRotation):
    """The rotation of one store's master key, whose key ring is in a file."""

    def __init__(self, unit_of_work: RegistryUnitOfWork, path: Path) -> None:
        self._unit_of_work = unit_of_work
        self._file = KeyFile(path)

    def key_ring(self) -> KeyRing:
        """Return the key ring as its file has it."""
        with _registry_errors():
            keys = self._file.load()
        return KeyRing(current=keys.current_id, following=keys.next_id, former=_former(keys))

    def count(self) -> Sequence[EncryptedCount]:
        """Count the encrypted fields by column and key; reads the whole store."""
        return rewrapping.count(self._unit_of_work.database)

    def lingering(self) -> Sequence[str]:
        """Return the keys of earlier key rings that a process of this machine still uses.

        The key that was current in a key ring identifies it.
        """
        key_ring = self.key_ring()
        candidates = (
            key_ring.former if key_ring.following is None else (key_ring.current, *key_ring.former)
        )
        with _registry_errors():
            stored = [key_id for key_id in candidates if self._file.kept_path(key_id).exists()]
            return [key_id for key_id in stored if self._file.still_used(key_id)]

    def prepare(self, *, at: datetime) -> str:
        """Add a new key that decrypts and does not encrypt, and return its id."""
        with _registry_errors(), self._file.lock():
            keys = self._keys()
            if keys.next_id is not None:
                raise OperatorRegistryError(
                    translate(
                        "key {key} is prepared already: reload every worker, then activate it",
                        key=keys.next_id,
                    )
                )
            key_ring = keys.prepared()
            following = str(key_ring.next_id)
            self._log("key.prepare", following, {"current": keys.current_id}, at)
            self._file.replace(key_ring, former_id=keys.current_id)
        return following

    def activate(self, *, at: datetime) -> str:
        """Make the prepared key the one that encrypts, and return its id."""
        with _registry_errors(), self._file.lock():
            keys = self._keys()
            if keys.next_id is None:
                raise OperatorRegistryError(
                    translate("no key is prepared: prepare one first, and reload every worker")
                )
            self._refuse_in_use(keys.current_id)
            key_ring = keys.activated()
            self._log("key.activate", key_ring.current_id, {"former": keys.current_id}, at)
            self._file.replace(key_ring, former_id=keys.current_id)
        return key_ring.current_id

    def rewrap(self, clock: Clock) -> Iterator[RewrapBatch]:
        """Wrap every data key again under the current master key, batch by batch."""
        with _registry_errors():
            current = self._keys().current_id
        self._log("key.rewrap", current, {}, clock())
        fields = 0
        for batch in rewrapping.rewrap(
            self._unit_of_work.database, self._unit_of_work.cipher, current
        ):
            fields += batch.fields
            yield batch
        self._log(_REWRAPPED, current, {"fields": fields}, clock())

    def retire(self, key_id: str, *, at: datetime) -> RetiredKey:
        """Remove a former key from the key ring if no field is encrypted under it."""
        with _registry_errors(), self._file.lock():
            keys = self._keys()
            if key_id not in _former(keys):
                raise OperatorRegistryError(
                    translate("this is not a former key of the key file; see: makul key show")
                )
            self._refuse_in_use(key_id)
            left = sum(each.fields for each in self.count() if each.key_id == key_id)
            if left:
                raise OperatorRegistryError(
                    translate(
                        "{number} fields are encrypted under it: makul key rotate --apply",
                        number=left,
                    )
                )
            last = self._unit_of_work.database.fetch_one(_LAST_REWRAPPED, {})
            self._log("key.retire", key_id, {"current": keys.current_id}, at)
            self._file.replace(keys.without(key_id), former_id=key_id)
        return RetiredKey(
            kept=self._file.kept_path(key_id),
            needed_by_backups_before=instant(last[0]) if last and last[0] is not None else None,
        )

    def _keys(self) -> StoreKeys:
        """Return the key ring of the file.

        Raises `OperatorRegistryError` if its current key is not this process's. What this process
        encrypts, including its log, must be under the current key.
        """
        keys = self._file.load()
        if keys.current_id != self._unit_of_work.cipher.current_id:
            raise OperatorRegistryError(
                translate("the key file was changed a moment ago: give the command again")
            )
        return keys

    def _refuse_in_use(self, key_id: str) -> None:
        if self._file.still_used(key_id):
            raise OperatorRegistryError(
                translate(
                    "a process of this machine still uses the key file in which {key} was"
                    " current: reload every worker, and end the other programs (fuser -v {path})",
                    key=key_id,
                    path=self._file.kept_path(key_id),
                )
            )

    def _log(self, action: str, key_id: str, facts: dict[str, object], at: datetime) -> None:
        """Log a step before it is taken.

        A step that is logged and not taken can be detected; the reverse cannot.
        """
        with self._unit_of_work.database.transaction() as transaction:
            self._unit_of_work.log.write(transaction, action, key_id, facts, at=at)


def _former(keys: StoreKeys) -> tuple[str, ...]:
    return tuple(key for key in keys.masters if key not in {keys.current_id, keys.next_id})


@contextmanager
def _registry_errors() -> Iterator[None]:
    """Report a faulty key file as an error that the operator can correct."""
    try:
        yield
    except StoreKeysError as error:
        raise OperatorRegistryError(str(error)) from None
