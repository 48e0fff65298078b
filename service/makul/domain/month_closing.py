"""Closing a month: issued by the operator, confirmed or contested, and signed (cl. 11).

    ISSUED -> CONFIRMED | CONTESTED -> SIGNED

A recipient that contested may still confirm. The authorised body signs only a month that the
recipient answered and whose contested lines all have an answer. A signed month never changes.
"""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from makul.domain.disclosures import Operation, Outcome, Proof, ProofStatus
from makul.domain.identifiers import MemberCode
from makul.domain.months import Month
from makul.domain.reasons import Code, Reason


class MonthState(StrEnum):
    """The state of a month of one recipient."""

    ISSUED = "ISSUED"
    CONFIRMED = "CONFIRMED"
    CONTESTED = "CONTESTED"
    SIGNED = "SIGNED"


class LineAnswer(StrEnum):
    """The operator's answer to a contested line."""

    UPHELD = "UPHELD"
    """The line is right."""
    CORRECTED = "CORRECTED"
    """The line is wrong, and the reason says what is right."""


class ContestException(StrEnum):
    """The exception of the month that a contested line is, besides those that the operator finds.

    Whose account is wrong, is said by the operator's answer and not by the exception.
    """

    UNREPORTED_BY_RECIPIENT = "UNREPORTED_BY_RECIPIENT"
    """The statement has a line, and the recipient states that it has no receipt of it."""
    UNKNOWN_TO_OPERATOR = "UNKNOWN_TO_OPERATOR"
    """The recipient has a receipt that the operator signed, and the register has no decision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedMonth:
    """A month of a recipient as the register holds it."""

    recipient: MemberCode
    month: Month
    state: MonthState
    head: bytes
    """SHA-256 of the exact bytes of the operator's signed head."""
    content: bytes
    """SHA-256 of the head without its signature, in exclusive canonical form.

    The recipient and the authorised body sign the same content.
    """
    issued_at: datetime
    confirm_by: datetime
    confirmation: bytes | None = None
    """SHA-256 of the recipient's signed document."""

    def is_overdue(self, at: datetime) -> bool:
        """Return whether the recipient has neither confirmed nor contested in time."""
        return self.state is MonthState.ISSUED and at > self.confirm_by


@dataclass(frozen=True, slots=True, kw_only=True)
class Contest:
    """A line that a recipient contests, or a receipt that the statement does not have."""

    disclosure_id: UUID
    reason: str
    exception: ContestException | None = None
    receipt: bytes | None = field(default=None, repr=False)
    """The exact bytes of a receipt without a line; None for a line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnReceipt:
    """A receipt whose signature is the operator's, as far as a month needs it."""

    receipt_id: UUID
    recipient: str
    operation: str
    decided_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ContestedLine(Contest):
    """A contested line, and the operator's answer if there is one."""

    contested_at: datetime
    answer: LineAnswer | None = None
    answer_reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementSignature:
    """A signed document that should be the statement, as it was verified."""

    proof: Proof
    content: bytes | None
    """The digest of what was signed; None unless the signature is valid."""


def judge_document(
    issued: IssuedMonth | None, signature: StatementSignature, *, is_signatory: bool
) -> tuple[Outcome, tuple[Reason, ...]]:
    """Judge whether a party's document is the statement with the signature of its signatory."""
    if issued is None:
        return Outcome.REFUSED, (Reason(code=Code.OVR_06, field="month"),)
    proof = signature.proof
    if proof.status is not ProofStatus.PASSED:
        undetermined = proof.status is ProofStatus.INDETERMINATE
        outcome = Outcome.UNDETERMINED if undetermined else Outcome.REFUSED
        return outcome, tuple(_differs(because=code) for code in proof.reasons)
    if signature.content != issued.content:
        return Outcome.REFUSED, (_differs(),)
    if not is_signatory:
        return Outcome.REFUSED, (_differs(because=Code.SIG_08),)
    return Outcome.DONE, ()


def judge_confirmation(issued: IssuedMonth) -> tuple[Reason, ...]:
    """Return why a recipient cannot confirm a month; empty if it can, also after the deadline."""
    if issued.state in (MonthState.CONFIRMED, MonthState.SIGNED):
        return (Reason(code=Code.OVR_02, field="month"),)
    return ()


def judge_receipt(
    disclosure_id: UUID, receipt: OwnReceipt | None, recipient: MemberCode, month: Month
) -> tuple[Reason, ...]:
    """Return why a receipt proves nothing about a recipient's month; empty if it does.

    `receipt` is None unless the operator's own signature under it is valid. Receipts of acts are
    not lines of a statement.
    """
    if receipt is None or receipt.receipt_id != disclosure_id:
        return (Reason(code=Code.OVR_03, field="receipt"),)
    is_decision = receipt.operation in set(Operation)
    in_month = month.begins <= receipt.decided_at < month.ends
    if receipt.recipient != recipient or not in_month or not is_decision:
        return (Reason(code=Code.OVR_06, field="receipt"),)
    return ()


def judge_contest(
    issued: IssuedMonth | None,
    contests: Collection[Contest],
    known: Collection[UUID],
    contested: Collection[UUID],
    *,
    at: datetime,
) -> tuple[Reason, ...]:
    """Return why a recipient cannot contest lines; empty if it can.

    `known` are those of the lines that are in the month, `contested` those contested before. A late
    contest is OVR-04, so that a month does not stay open for ever. A receipt needs no line, and is
    judged by `judge_receipt` too.
    """
    if issued is None:
        return (Reason(code=Code.OVR_06, field="month"),)
    if issued.state in (MonthState.CONFIRMED, MonthState.SIGNED):
        return (Reason(code=Code.OVR_02, field="month"),)
    if at > issued.confirm_by:
        return (Reason(code=Code.OVR_04, field="month"),)
    lines = [each.disclosure_id for each in contests]
    if {each.disclosure_id for each in contests if each.receipt is None} - set(known):
        return (Reason(code=Code.OVR_06, field="disclosureId"),)
    if set(lines) & set(contested) or len(set(lines)) != len(lines):
        return (Reason(code=Code.OVR_02, field="disclosureId"),)
    return ()


def judge_closing(issued: IssuedMonth, contested: Collection[ContestedLine]) -> tuple[Reason, ...]:
    """Return why the authorised body cannot close a month; empty if it can."""
    if issued.state not in (MonthState.CONFIRMED, MonthState.CONTESTED):
        return (Reason(code=Code.OVR_02, field="month"),)
    if any(line.answer is None for line in contested):
        return (Reason(code=Code.OVR_02, field="contestedLine"),)
    return ()


def _differs(*, because: Code | None = None) -> Reason:
    return Reason(code=Code.OVR_03, because=because, field="statement")
