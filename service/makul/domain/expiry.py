"""What ends soon: agreements, certificates, revocation lists and consents in one order."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class ExpiryState(StrEnum):
    """How near an end is."""

    OVERDUE = "OVERDUE"
    ENDS_SOON = "ENDS_SOON"
    UNKNOWN = "UNKNOWN"
    """The register does not say when it ends, because an earlier release registered it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """Something in use that has an end."""

    kind: str
    """What it is, such as `agreement`."""
    name: str
    """Whose it is or which one; no data of a citizen."""
    ends: datetime | None
    """Its end; None if it is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DueEnding:
    """An end that is past, near or not known."""

    ending: Ending
    state: ExpiryState


def select_due(
    endings: Iterable[Ending], *, at: datetime, within: timedelta
) -> Sequence[DueEnding]:
    """Return what ends within a time: what is overdue first, and last what is not known.

    The end itself is past: an agreement is not in force at `valid_to`.
    """
    due = [
        DueEnding(ending=each, state=state)
        for each in endings
        if (state := _state(each, at, within)) is not None
    ]
    order = list(ExpiryState)
    return sorted(
        due,
        key=lambda each: (
            order.index(each.state),
            each.ending.ends.timestamp() if each.ending.ends is not None else 0.0,
            each.ending.kind,
            each.ending.name,
        ),
    )


def _state(ending: Ending, at: datetime, within: timedelta) -> ExpiryState | None:
    if ending.ends is None:
        return ExpiryState.UNKNOWN
    if ending.ends <= at:
        return ExpiryState.OVERDUE
    return ExpiryState.ENDS_SOON if ending.ends - at <= within else None
