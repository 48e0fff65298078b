"""Replacement of the store key file while other processes use it.

A changed key ring is written to a second file, read back, and renamed over the first. So a reader
always finds one complete key ring, even if this program is killed. The earlier file keeps a name of
its own, `store.json.<key id>`. It decrypts data that need its keys, above all a backup. Its lock
shows whether a process on this machine still uses it (see `StoreKeys.load`).
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from makul.language.translation import translate, translate_cause
from makul.net.files import sync_directory
from makul.store.encryption.master_keys import StoreKeys, StoreKeysError


class KeyFile:
    """The store key file of one installation."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def load(self) -> StoreKeys:
        """Load the current key ring; raises `StoreKeysError`."""
        return StoreKeys.load(self._path)

    def kept_path(self, key_id: str) -> Path:
        """Return the path of the kept key ring with this key.

        The kept key ring is the key ring while this key was current, or the key ring before its
        removal.
        """
        return self._path.with_name(f"{self._path.name}.{key_id}")

    def still_used(self, key_id: str) -> bool:
        """Return whether a process on this machine uses the key ring in which this key was current.

        Raises `StoreKeysError` if the kept file is missing, because the answer is then unknown.
        """
        former = self.kept_path(key_id)
        try:
            descriptor = os.open(former, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        except OSError:
            raise StoreKeysError(
                translate(
                    "{path} is missing, so it is unknown which processes still use the earlier"
                    " keys: restart them all, then copy {file} to that name, mode 600",
                    path=former,
                    file=self._path.name,
                )
            ) from None
        try:
            # An earlier step was interrupted before it replaced the key ring. The kept file is then
            # the current one, so no process uses an earlier key ring.
            if former.samefile(self._path):
                return False
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except OSError as error:
            raise StoreKeysError(
                translate(
                    "cannot read {path}: {cause}",
                    path=self._path,
                    cause=translate_cause(error.strerror),
                )
            ) from None
        finally:
            os.close(descriptor)
        return False

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the lock on changes of the key ring.

        Raises `StoreKeysError` if another command holds it.
        """
        flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            descriptor = os.open(self._path.with_name(f"{self._path.name}.lock"), flags, 0o600)
        except OSError as error:
            raise StoreKeysError(
                translate(
                    "cannot lock {path}: {cause}",
                    path=self._path,
                    cause=translate_cause(error.strerror),
                )
            ) from None
        try:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise StoreKeysError(
                    translate("another command is changing the store keys")
                ) from None
            yield
        finally:
            os.close(descriptor)

    def replace(self, key_ring: StoreKeys, *, former_id: str) -> None:
        """Replace the key ring by a changed one; keep the earlier file under the id of a key.

        Raises `StoreKeysError`; the key ring is then unchanged. Call it inside `lock`.
        """
        fresh, aside = (self._path.with_name(f"{self._path.name}.{end}") for end in ("new", "was"))
        try:
            for left in (fresh, aside):  # left by a killed process
                left.unlink(missing_ok=True)
            key_ring.save(fresh)
            if StoreKeys.load(fresh) != key_ring:
                raise StoreKeysError(
                    translate("the new key file does not contain what was written to it")
                )
            if self._must_copy(key_ring, self.kept_path(former_id)):
                aside.hardlink_to(self._path)
                aside.replace(self.kept_path(former_id))
                sync_directory(self._path.parent)
            fresh.replace(self._path)
            sync_directory(self._path.parent)
        except OSError as error:
            raise StoreKeysError(
                translate(
                    "cannot change {path}: {cause}",
                    path=self._path,
                    cause=translate_cause(error.strerror),
                )
            ) from None
        finally:
            for left in (fresh, aside):
                with suppress(OSError):
                    left.unlink(missing_ok=True)

    def _must_copy(self, key_ring: StoreKeys, former: Path) -> bool:
        """Return whether the current file must be kept.

        It need not be kept if the kept file already contains all its keys and more. Raises
        `StoreKeysError` if a key would be lost.
        """
        now = self.load()
        if key_ring.index != now.index:
            raise StoreKeysError(translate("the index key cannot be changed"))
        if not former.exists():
            return True
        before = StoreKeys.load(former)
        same_index, mine, theirs = before.index == now.index, now.masters, before.masters
        if same_index and theirs.items() <= mine.items():
            return True
        if same_index and theirs.items() >= mine.items() and len(key_ring.masters) < len(mine):
            return False
        raise StoreKeysError(
            translate(
                "{path} holds keys that are not in the key file: move it away first", path=former
            )
        )
