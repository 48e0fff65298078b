"""The typed answers to the officers of the supervising bodies. They contain no data of a person."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from makul_client.models.reasons import Reason
from makul_client.models.response import Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class Act:
    """An act that the operator recorded. Its receipt was verified before this object was made."""

    request_id: UUID
    act_id: UUID
    """The id of the act in the operator's ledger."""
    outcome: str
    """`DONE`, `REFUSED` or `UNDETERMINED`."""
    reasons: tuple[Reason, ...]
    decided_at: datetime
    receipt: Receipt


@dataclass(frozen=True, slots=True, kw_only=True)
class CutOff:
    """A recipient that gets nothing from this act on (Procedure, cl. 12)."""

    recipient: str
    recipient_state: str
    """`CUT_OFF`."""
    act: Act


@dataclass(frozen=True, slots=True, kw_only=True)
class Reinstatement:
    """A step towards the end of a complete stop, which needs two officers (Procedure, cl. 12)."""

    recipient: str
    reinstatement_state: str
    """`PROPOSED` after the first officer's act, `REINSTATED` after the second officer's."""
    act: Act

    @property
    def needs_second_officer(self) -> bool:
        """True if another officer must send the same act before the stop ends."""
        return self.reinstatement_state == "PROPOSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class Termination:
    """A step towards the end of an agreement, which needs two officers (Procedure, cl. 12)."""

    agreement: str
    termination_state: str
    """`PROPOSED` after the first officer's act, `TERMINATED` after the second officer's."""
    act: Act

    @property
    def needs_second_officer(self) -> bool:
        """True if another officer must send the same act before the agreement ends."""
        return self.termination_state == "PROPOSED"


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthCount:
    """The number of decisions of a month with these values."""

    recipient: str
    purpose: str | None
    outcome: str
    ground_kind: str | None
    """`CONSENT` or `BASIS`; None if no ground could be read."""
    decisions: int
    repetitions: int
    """How often stored answers were given again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Statistics:
    """The numbers of a month's decisions (Procedure, cl. 11)."""

    month: str
    recipient: str | None
    """The only recipient that is counted; None for all."""
    counts: tuple[MonthCount, ...]
    act: Act
