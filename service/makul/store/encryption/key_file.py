"""Replacing the file of store keys while others work with it.

A changed ring is written beside the file, read back, and renamed over it, so that whoever reads
finds one ring or the other, whole, wherever this program is killed. The file as it was keeps a name
of its own, `store.json.<key id>`: it opens what needs that key, a backup above all, and its lock
tells whether a process of this machine still works with it (see `StoreKeys.load`).
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from makul.net.files import sync_directory
from makul.store.encryption.master_keys import StoreKeys, StoreKeysError


class KeyFile:
    """The file of store keys of one installation."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> StoreKeys:
        """The ring as it stands; raises `StoreKeysError`."""
        return StoreKeys.load(self._path)

    def kept(self, key_id: str) -> Path:
        """Where the ring lies as it was when this key was the current one, or was taken out."""
        return self._path.with_name(f"{self._path.name}.{key_id}")

    def still_used(self, key_id: str) -> bool:
        """Does a process of this machine work with the ring in which this key was current?

        Raises `StoreKeysError` where the kept file is gone: then it cannot be told.
        """
        kept = self.kept(key_id)
        try:
            descriptor = os.open(kept, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            raise StoreKeysError(
                f"{kept} is not there, so it cannot be told which processes still use the keys of"
                f" before: restart them all, then copy {self._path.name} to that name, mode 600"
            ) from None
        try:
            # A step that was cut off before it put its ring in place: what was kept is that one.
            if kept.samefile(self._path):
                return False
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError as error:
            raise StoreKeysError(f"cannot read {self._path}: {error.strerror}") from None
        finally:
            os.close(descriptor)
        return False

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Nobody else changes the ring meanwhile; raises `StoreKeysError` where somebody does."""
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            descriptor = os.open(self._path.with_name(f"{self._path.name}.lock"), flags, 0o600)
        except OSError as error:
            raise StoreKeysError(f"cannot lock {self._path}: {error.strerror}") from None
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StoreKeysError("another command is changing the store keys") from None
            yield
        finally:
            os.close(descriptor)

    def replace(self, ring: StoreKeys, *, keep_as: str) -> None:
        """Put a changed ring in place; the file as it was is kept under a key's id.

        Raises `StoreKeysError`; then the ring is as it was. To be called inside `alone`.
        """
        fresh, aside = (self._path.with_name(f"{self._path.name}.{end}") for end in ("new", "was"))
        try:
            for left in (fresh, aside):  # by one that was killed
                left.unlink(missing_ok=True)
            ring.save(fresh)
            if StoreKeys.load(fresh) != ring:
                raise StoreKeysError("the new ring does not read back")
            if self._to_be_kept(ring, self.kept(keep_as)):
                aside.hardlink_to(self._path)
                aside.replace(self.kept(keep_as))
                sync_directory(self._path.parent)
            fresh.replace(self._path)
            sync_directory(self._path.parent)
        except OSError as error:
            raise StoreKeysError(f"cannot change {self._path}: {error.strerror}") from None
        finally:
            for left in (fresh, aside):
                with suppress(OSError):
                    left.unlink(missing_ok=True)

    def _to_be_kept(self, ring: StoreKeys, kept: Path) -> bool:
        """Is the file as it is to be kept? Not where what is kept holds all of it and more.

        Raises `StoreKeysError` where a key would be lost by it.
        """
        now = self.load()
        if ring.index != now.index:
            raise StoreKeysError("the index key cannot be changed")
        if not kept.exists():
            return True
        before = StoreKeys.load(kept)
        same_index, mine, theirs = before.index == now.index, now.masters, before.masters
        if same_index and theirs.items() <= mine.items():
            return True
        if same_index and theirs.items() >= mine.items() and len(ring.masters) < len(mine):
            return False
        raise StoreKeysError(f"{kept} holds keys that are not in the ring: move it away first")
