"""The typed month of a recipient: the operator's statement, its state, and the comparison with it.

A month is written as `2026-10`, in the time of Bishkek. Nothing here contains data of a person.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, timezone
from enum import StrEnum
from typing import Final
from uuid import UUID

from makul_client.models.acts import Act

BISHKEK: Final = timezone(timedelta(hours=6))
"""The time of the Kyrgyz Republic: UTC+6 all year since 2005 (IANA tz, Asia/Bishkek)."""

_MONTH: Final = re.compile(r"(2[0-9]{3})-(0[1-9]|1[0-2])", re.ASCII)


def is_month(text: str) -> bool:
    """Return whether a text is a month, such as 2026-10."""
    return _MONTH.fullmatch(text) is not None


def month_of(at: datetime) -> str:
    """Return the month that contains an instant."""
    return at.astimezone(BISHKEK).strftime("%Y-%m")


def month_bounds(month: str) -> tuple[datetime, datetime]:
    """Return the first instant of a month and the first instant after it.

    Raises `ValueError` for a text that is not a month.
    """
    match = _MONTH.fullmatch(month)
    if match is None:
        raise ValueError("not a month")
    year, number = int(match[1]), int(match[2])
    begins = datetime(year, number, 1, tzinfo=BISHKEK)
    ends = datetime(year + number // 12, number % 12 + 1, 1, tzinfo=BISHKEK)
    return begins.astimezone(UTC), ends.astimezone(UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineException:
    """An exception that the operator found on a line: its kind, and what was found."""

    kind: str
    fact: str
    attribute: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementLine:
    """One decision as the operator states it."""

    disclosure_id: UUID
    decided_at: datetime
    request_id: UUID
    operation: str
    outcome: str
    attributes: frozenset[str]
    ground_kind: str | None
    ground_digest: bytes | None
    receipt_digest: bytes
    """The SHA-256 of the exact bytes of the receipt."""
    exceptions: tuple[LineException, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class PageReference:
    """A page as the head names it: by its number, its lines and its exact bytes."""

    number: int
    lines: int
    digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthlyStatement:
    """The head of a statement. Its signature was verified before this object was made."""

    month: str
    draft: bool
    operator: str
    recipient: str
    recipient_name: str
    agreements: tuple[str, ...]
    built_at: datetime
    checkpoint: bytes = field(repr=False)
    """The signed checkpoint of the operator's log on which the statement rests."""
    lines: int
    disclosures: int
    subjects: int
    repetitions: int
    totals: Mapping[str, Mapping[str, int]]
    """The numbers by the name of their element, such as `outcomeTotal`, and by value."""
    exceptions: tuple[tuple[UUID, LineException], ...]
    """The first exceptions of the month, with their decisions."""
    pages: tuple[PageReference, ...] = field(repr=False)
    document: bytes = field(repr=False)
    """The exact bytes of the signed head."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthStatus:
    """The state of a month, as the operator's register holds it."""

    recipient: str
    month: str
    state: str
    """`ISSUED`, `CONFIRMED`, `CONTESTED` or `SIGNED`."""
    issued_at: datetime
    confirm_by: datetime
    """Until when lines can be contested."""
    overdue: bool
    statement_digest: bytes
    """The SHA-256 of the exact bytes of the signed head."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthStates:
    """The states of a month of all recipients, for the supervising bodies."""

    month: str
    states: tuple[MonthStatus, ...]
    act: Act


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredLine:
    """A contested line, and the operator's answer if there is one."""

    disclosure_id: UUID
    reason: str
    contested_at: datetime
    exception: str | None
    """`UNREPORTED_BY_RECIPIENT`, `UNKNOWN_TO_OPERATOR`, or None for another reason."""
    answer: str | None
    """`UPHELD`, `CORRECTED`, or None until the operator answers."""
    answer_reason: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedStatement:
    """The statement of a month with its state and the contested lines."""

    statement: MonthlyStatement
    status: MonthStatus
    contested: tuple[AnsweredLine, ...]
    act: Act


class DifferenceKind(StrEnum):
    """The kinds of differences between the operator's statement and the receipts kept."""

    NO_RECEIPT = "NO_RECEIPT"
    """The statement has a line, and there is no kept receipt of it."""
    NOT_LISTED = "NOT_LISTED"
    """There is a kept receipt, signed by the operator, and the statement has no line of it."""
    CONTENT = "CONTENT"
    """The line differs from the kept receipt."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One difference between the statement and the receipts kept."""

    kind: DifferenceKind
    disclosure_id: UUID
    request_id: UUID
    operation: str
    outcome: str
    decided_at: datetime
    fields: tuple[str, ...] = ()
    """The names of what differs, if the kind is CONTENT."""
    receipt: bytes | None = field(default=None, repr=False)
    """The exact bytes of the receipt, if the kind is NOT_LISTED."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ContestedItem:
    """A difference that the recipient contests, with its reason."""

    disclosure_id: UUID
    reason: str
    is_unreported: bool = False
    """True if there is no receipt of the line, which then is `UNREPORTED_BY_RECIPIENT`."""
    receipt: bytes | None = field(default=None, repr=False)
    """The receipt of a decision that the statement does not have; None for a line."""

    @classmethod
    def of(cls, difference: Difference, reason: str) -> "ContestedItem":
        """Return a difference as it is contested."""
        if difference.kind is DifferenceKind.NOT_LISTED:
            return cls(
                disclosure_id=difference.disclosure_id, reason=reason, receipt=difference.receipt
            )
        return cls(
            disclosure_id=difference.disclosure_id,
            reason=reason,
            is_unreported=difference.kind is DifferenceKind.NO_RECEIPT,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthAct:
    """An act on a month that was done, and the state of the month after it."""

    status: MonthStatus
    act: Act


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckpointProof:
    """The result of verifying a checkpoint of the log."""

    size: int
    cosigned_by: tuple[str, ...]
    """The profile's witnesses that cosigned the checkpoint."""
    link: str
    """`SAME` if the tiles or the history prove it, otherwise `UNKNOWN`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthCheck:
    """The result of comparing a statement with the receipts kept."""

    issued: IssuedStatement
    matched: int
    """The number of lines that agree with their receipt."""
    counts: Mapping[DifferenceKind, int]
    """The number of differences of each kind."""
    differences: tuple[Difference, ...]
    """The first differences of each kind. `counts` has the number of all."""
    unusable: tuple[tuple[str, str], ...]
    """The first files in the directory that are not usable receipts, each with the cause."""
    unusable_files: int
    """The number of all such files."""
    refusals_differ: tuple[str, ...]
    """The reason codes whose total is not that of the receipts. Empty if a receipt is missing."""
    checkpoint: CheckpointProof | None
    """None if the profile has no table [ledger]."""
    proved: int
    """The number of receipts whose proof in the log was verified."""
    unproved: int
    """The number of receipts that the log does not prove yet, or to whose request the service now
    gives the receipt of a later decision.
    """

    @property
    def has_differences(self) -> bool:
        """Return whether anything in the statement differs from the receipts."""
        return any(self.counts.values()) or bool(self.refusals_differ)
