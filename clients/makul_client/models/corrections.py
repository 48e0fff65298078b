"""The typed corrections of wrong data (Procedure, cl. 14). They contain no value."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from makul_client.models.acts import Act


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """A report of wrong data, and what became of it.

    The fields after `overdue` depend on who asks: a recipient or a supervising body.
    """

    correction_id: UUID
    attribute: str
    kind: str
    """`WRONG` or `OUT_OF_DATE`."""
    state: str
    """`REPORTED`, `DISPUTED`, `CORRECTED` or `REJECTED`."""
    reported_at: datetime
    resolve_by: datetime
    changed_at: datetime
    overdue: bool
    acknowledge_by: datetime | None = None
    acknowledged_at: datetime | None = None
    disclosures: tuple[UUID, ...] = ()
    """The recipient's disclosures that gave the wrong value."""
    origin: str | None = None
    reporter: str | None = None
    value_entered: bool | None = None
    recalled: int | None = None
    unacknowledged: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Corrections:
    """The corrections that the member may know of."""

    corrections: tuple[Correction, ...]
    act: Act


@dataclass(frozen=True, slots=True, kw_only=True)
class Reported:
    """A report that the operator recorded."""

    correction_id: UUID
    correction_state: str
    resolve_by: datetime
    act: Act


@dataclass(frozen=True, slots=True, kw_only=True)
class Acknowledged:
    """A correction that was acknowledged."""

    correction_id: UUID
    acknowledged_at: datetime
    act: Act


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """A report on which the authorised body decided."""

    correction_id: UUID
    correction_state: str
    acknowledge_by: datetime | None
    act: Act
