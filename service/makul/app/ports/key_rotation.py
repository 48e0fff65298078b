"""Ports for the master keys that wrap encrypted fields of the store, and for their rotation."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from makul.app.ports.caller import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRing:
    """The ids of the master keys, by their state."""

    current: str
    """The key that encrypts and decrypts."""
    following: str | None
    """The prepared key: it only decrypts, and becomes current next."""
    former: tuple[str, ...]
    """Keys that only decrypt fields that were encrypted earlier."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EncryptedCount:
    """The number of fields of one column that are encrypted under one key."""

    column: str
    """Table and column, such as `disclosure.sealed`."""
    key_id: str
    """The id of the key; `?` if a field names no key."""
    fields: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RewrapBatch:
    """The result of one batch, which is already committed."""

    column: str
    fields: int
    """Number of fields that were wrapped again."""
    overtaken: int
    """Number of fields that another transaction changed or deleted meanwhile; left unchanged."""
    broken: int
    """Number of fields that do not decrypt with these keys; left unchanged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetiredKey:
    """A master key that was removed from the key ring."""

    kept: Path
    """The previous version of the key file; it decrypts fields that need the retired key."""
    needed_by_backups_before: datetime | None
    """Backups made after this instant do not need the key; None if the instant is not on record."""


class KeyRotation(Protocol):
    """Rotates the master key. Raises `OperatorRegistryError` for a step that must not be taken now.

    Each step is written to the operators' audit log before it is done.
    """

    def key_ring(self) -> KeyRing:
        """Return the key ring as it is in its file."""

    def count(self) -> Sequence[EncryptedCount]:
        """Count the encrypted fields by column and key; this reads the whole store."""

    def lingering(self) -> Sequence[str]:
        """Return the ids of keys that were current when a running process read the key ring.

        Only processes of this machine are seen. If a former key is returned, a process still
        encrypts with it. If the current key is returned, a process does not know the prepared key.
        """

    def prepare(self, *, at: datetime) -> str:
        """Add a new key that decrypts and does not encrypt; return its id."""

    def activate(self, *, at: datetime) -> str:
        """Make the prepared key the one that encrypts from now on; return its id."""

    def rewrap(self, clock: Clock) -> Iterator[RewrapBatch]:
        """Wrap all encrypted fields under the current key, batch by batch.

        The caller may stop after any batch and start again, because each field names its key.
        """

    def retire(self, key_id: str, *, at: datetime) -> RetiredKey:
        """Remove a former key from the key ring, once no field is encrypted under it."""
