"""The rotation of the master key, step by step: prepared, activated, all wrapped anew, retired.

A key is prepared before it is current, for a process that does not know it could not open what
another seals with it; and it is activated only once no process of this machine works with a ring
without it. A former key is taken out only once nothing is sealed under it, and nobody here could
still seal with it. What other machines do cannot be seen from here.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from sqlalchemy import func, select

from makul.app.ports import Clock, DeskError, KeyRotation, Retired, Rewrapped, Ring, SealedCount
from makul.store.admin import rewrap as rewrapping
from makul.store.admin.unit_of_work import RegistryUnitOfWork
from makul.store.db.codecs import instant
from makul.store.encryption.key_file import KeyFile
from makul.store.encryption.master_keys import StoreKeys, StoreKeysError
from makul.store.schema.tables import desk_log

_REWRAPPED = "key.rewrapped"
_LAST_REWRAPPED = select(func.max(desk_log.c.at)).where(desk_log.c.action == _REWRAPPED)


class StoreRotation(KeyRotation):
    """The rotation of one store's master key, whose ring lies in a file."""

    def __init__(self, office: RegistryUnitOfWork, path: Path) -> None:
        self._office = office
        self._file = KeyFile(path)

    def ring(self) -> Ring:
        """The ring as it stands in its file."""
        with _mendable():
            keys = self._file.load()
        return Ring(current=keys.current_id, following=keys.next_id, former=_former(keys))

    def count(self) -> Sequence[SealedCount]:
        """Every sealed field, by column and key: reads the whole store."""
        return rewrapping.count(self._office.database)

    def lingering(self) -> Sequence[str]:
        """Keys in whose time a process of this machine read the ring that it works with."""
        ring = self.ring()
        asked = ring.former if ring.following is None else (ring.current, *ring.former)
        with _mendable():
            kept = [key_id for key_id in asked if self._file.kept(key_id).exists()]
            return [key_id for key_id in kept if self._file.still_used(key_id)]

    def prepare(self, *, at: datetime) -> str:
        """Add a new key that opens and does not seal; its id."""
        with _mendable(), self._file.alone():
            keys = self._keys()
            if keys.next_id is not None:
                raise DeskError(
                    f"key {keys.next_id} is prepared already: reload every worker, then activate it"
                )
            ring = keys.prepared()
            following = str(ring.next_id)
            self._log("key.prepare", following, {"current": keys.current_id}, at)
            self._file.replace(ring, keep_as=keys.current_id)
        return following

    def activate(self, *, at: datetime) -> str:
        """Let the prepared key seal from now on; its id."""
        with _mendable(), self._file.alone():
            keys = self._keys()
            if keys.next_id is None:
                raise DeskError("no key is prepared: prepare one first, and reload every worker")
            self._refuse_in_use(keys.current_id)
            ring = keys.activated()
            self._log("key.activate", ring.current_id, {"former": keys.current_id}, at)
            self._file.replace(ring, keep_as=keys.current_id)
        return ring.current_id

    def rewrap(self, clock: Clock) -> Iterator[Rewrapped]:
        """Bring all that is sealed under the current key, batch by batch."""
        with _mendable():
            current = self._keys().current_id
        self._log("key.rewrap", current, {}, clock())
        fields = 0
        for batch in rewrapping.rewrap(self._office.database, self._office.sealer, current):
            fields += batch.fields
            yield batch
        self._log(_REWRAPPED, current, {"fields": fields}, clock())

    def retire(self, key_id: str, *, at: datetime) -> Retired:
        """Take a former key out of the ring, once nothing is sealed under it."""
        with _mendable(), self._file.alone():
            keys = self._keys()
            if key_id not in _former(keys):
                raise DeskError("this is not a former key of the ring; see: makul key show")
            self._refuse_in_use(key_id)
            left = sum(each.fields for each in self.count() if each.key_id == key_id)
            if left:
                raise DeskError(f"{left} fields are sealed under it: makul key rotate --apply")
            last = self._office.database.one(_LAST_REWRAPPED, {})
            self._log("key.retire", key_id, {"current": keys.current_id}, at)
            self._file.replace(keys.without(key_id), keep_as=key_id)
        return Retired(
            kept=self._file.kept(key_id),
            needed_by_backups_before=instant(last[0]) if last and last[0] is not None else None,
        )

    def _keys(self) -> StoreKeys:
        """The ring of the file; what this process seals, its log too, must be under its key."""
        keys = self._file.load()
        if keys.current_id != self._office.sealer.current_id:
            raise DeskError("the ring was changed a moment ago: give the command again")
        return keys

    def _refuse_in_use(self, key_id: str) -> None:
        if self._file.still_used(key_id):
            raise DeskError(
                f"a process of this machine still works with the ring in which {key_id} was"
                " current: reload every worker, and end what else runs"
                f" (fuser -v {self._file.kept(key_id)})"
            )

    def _log(self, action: str, key_id: str, facts: dict[str, object], at: datetime) -> None:
        """Before the step: a step that is logged and not taken is seen, the other way it is not."""
        with self._office.database.transaction() as transaction:
            self._office.log.write(transaction, action, key_id, facts, at=at)


def _former(keys: StoreKeys) -> tuple[str, ...]:
    return tuple(key for key in keys.masters if key not in {keys.current_id, keys.next_id})


@contextmanager
def _mendable() -> Iterator[None]:
    """What is wrong with the file is for the operator to mend."""
    try:
        yield
    except StoreKeysError as error:
        raise DeskError(str(error)) from None
