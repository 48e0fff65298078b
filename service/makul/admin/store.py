"""The store of an installation, for database administrators."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from makul.admin.error_handling import as_operator_error, open_store_for
from makul.admin.errors import OperatorError, OperatorUnavailableError
from makul.app.ports import Clock, Duty
from makul.config.settings import Settings
from makul.language.translation import translate
from makul.net.users import identify_operator
from makul.store import StoreKeys, samples_to_move, upgrade_store
from makul.store.schema.partitions import make_months, missing_months
from makul.store.schema.roles import grant, weaknesses
from makul.store.schema.version import VERSION, assert_schema


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreInfo:
    """The properties of a store that can be read without decrypting a record."""

    database: str
    """`SQLite` or `PostgreSQL`."""
    version: str
    """The newest migration of the store."""
    months_missing: tuple[str, ...] = ()
    """Months near the present that have no partition, such as `2026-12`."""
    weaknesses: tuple[str, ...] = ()
    """The reasons why production refuses this duty under this role."""
    samples_to_move: int = 0
    """Versions of persons' records that still hold their samples after an upgrade."""


@dataclass(frozen=True, slots=True)
class SettingsStore:
    """The store of an installation, for database administrators."""

    settings: Settings
    clock: Clock

    def status(self, duty: Duty) -> StoreInfo:
        """Return the database, its version, and what it and the role of the duty lack."""
        with as_operator_error():
            place = self.settings.place
            assert_schema(place)
            return StoreInfo(
                database="SQLite" if isinstance(place, Path) else "PostgreSQL",
                version=VERSION,
                months_missing=_format_months(missing_months(place, at=self.clock())),
                weaknesses=tuple(weaknesses(place, duty)),
                samples_to_move=samples_to_move(place) if duty in _READ_PERSONS else 0,
            )

    def upgrade(self, report: Callable[[int, int], None]) -> None:
        """Upgrade the store to the version of this program, then move samples to rows of their own.

        The second step needs the keys of the store. It continues where an interrupted one stopped.
        `report` receives the number of finished records and the total.
        """
        with as_operator_error():
            keys = StoreKeys.load(self.settings.store.keys)
            upgrade_store(self.settings.place, keys, who=identify_operator(), at=self.clock())
            left = samples_to_move(self.settings.place)
        if left:
            self._move_samples(left, report)

    def _move_samples(self, left: int, report: Callable[[int, int], None]) -> None:
        moved = broken = 0
        try:
            with as_operator_error(), closing(open_store_for(self.settings)) as store:
                for batch in store.move_samples(at=self.clock()):
                    moved, broken = moved + batch.versions, broken + batch.broken
                    report(moved + broken, left)
        except OperatorUnavailableError as error:
            raise OperatorUnavailableError(
                translate(
                    "the store has this program's version, and the samples of {number} records"
                    " are still"
                    " to be moved: {problem}. Give the command again, as a user who may read the"
                    " store's"
                    " keys",
                    number=left - moved,
                    problem=error,
                )
            ) from None
        if broken:
            raise OperatorError(
                translate(
                    "{number} records do not open with these keys and stay as they were; see:"
                    " makul key"
                    " show",
                    number=broken,
                )
            )

    def months_missing(self, ahead: int) -> Sequence[str]:
        """Return the months that have no partition yet."""
        with as_operator_error():
            return _format_months(missing_months(self.settings.place, at=self.clock(), ahead=ahead))

    def make_months(self, ahead: int) -> None:
        """Create the missing partitions."""
        with as_operator_error():
            make_months(self.settings.place, at=self.clock(), ahead=ahead)

    def grant(self, role: str, duty: Duty) -> None:
        """Grant a database role exactly the privileges of its duty. Raises `OperatorError`."""
        place = self.settings.place
        if isinstance(place, Path):
            raise OperatorError(
                translate("an SQLite store has no roles; the file's owner may do everything")
            )
        with as_operator_error():
            grant(place, role, duty)


_READ_PERSONS = frozenset({Duty.SERVING, Duty.DESK})
"""Duties whose role can count samples to move. The sequencer's role reads no table of persons."""


def _format_months(months: Sequence[tuple[int, int]]) -> tuple[str, ...]:
    return tuple(f"{year:04}-{month:02}" for year, month in months)
