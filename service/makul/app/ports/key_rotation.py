"""The master keys that wrap what is sealed in the store, and their rotation."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Protocol

from makul.app.ports.caller import Clock


@dataclass(frozen=True, slots=True, kw_only=True)
class Ring:
    """Which master keys there are, by id."""

    current: str
    """Seals, and opens."""
    following: str | None
    """Prepared: it opens, and is to be current next."""
    former: tuple[str, ...]
    """They only open what was sealed before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SealedCount:
    """How many fields of one column are sealed under one key."""

    column: str
    """Table and column, such as `disclosure.sealed`."""
    key_id: str
    """`?` where a field names no key at all."""
    fields: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewrapped:
    """One batch: what it did is committed."""

    column: str
    fields: int
    """Wrapped anew."""
    overtaken: int
    """Changed or deleted by others meanwhile, and left as they are."""
    broken: int
    """They do not open with these keys, and are left as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Retired:
    """A master key that was taken out of the ring."""

    kept: Path
    """The file of keys as it was: it opens what needs the key."""
    needed_by_backups_before: datetime | None
    """Backups made later than this need it no more; None where that is not on record."""


class KeyRotation(Protocol):
    """Rotation of the master key. Raises `DeskError` for a step that must not be taken now.

    Each step is in the operator's log before it is done.
    """

    def ring(self) -> Ring:
        """The ring as it stands in its file."""

    def count(self) -> Sequence[SealedCount]:
        """Every sealed field, by column and key: reads the whole store."""

    def lingering(self) -> Sequence[str]:
        """Keys in whose time a process of this machine read the ring that it works with.

        A former one: it still seals with it. The current one: it does not know the prepared.
        """

    def prepare(self, *, at: datetime) -> str:
        """Add a new key that opens and does not seal; its id."""

    def activate(self, *, at: datetime) -> str:
        """Let the prepared key seal from now on; its id."""

    def rewrap(self, clock: Clock) -> Iterator[Rewrapped]:
        """Bring all that is sealed under the current key, batch by batch.

        It may be left at any batch and begun again: each field tells whether it is done.
        """

    def retire(self, key_id: str, *, at: datetime) -> Retired:
        """Take a former key out of the ring, once nothing is sealed under it."""
