"""Ports of acts: requests by which a supervising body changes or reads what it supervises.

An act is authenticated, judged by a pure rule, recorded in one transaction with a leaf of its own,
and answered with a receipt (docs/architecture.md, invariant 13). A refused act is recorded too.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Protocol, TypeVar
from uuid import UUID

from makul.app.ports.caller import Caller
from makul.app.ports.oversight import DecisionLine
from makul.app.ports.registry import MonthCount
from makul.app.ports.secrecy import ReleasedData
from makul.app.ports.signed_documents import Notice, PendingDraft
from makul.domain.agreements import AgreementRole, AgreementState
from makul.domain.disclosures import Outcome
from makul.domain.identifiers import AgreementNumber, MemberCode, Pin
from makul.domain.month_closing import (
    Contest,
    ContestedLine,
    IssuedMonth,
    MonthState,
    OwnReceipt,
)
from makul.domain.months import Month, Period
from makul.domain.officers import Officer
from makul.domain.oversight_cases import CaseStep, OversightCase
from makul.domain.reasons import Reason

RightsT_co = TypeVar("RightsT_co", covariant=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class ActFacts:
    """The facts of an act, for any outcome."""

    operation: str
    """The name of the operation on the wire."""
    port: str
    """The port of the request: `recipient`, `oversight` or `subject`."""
    caller: Caller
    officer: Officer | None
    """The officer who acts; None on the recipient port, where the caller itself acts."""
    request_id: UUID
    request_digest: bytes
    """SHA-256 over the exclusive canonical form of the Body's child."""
    at: datetime
    target: str
    """The code or number of what the act is about, such as a member code. No personal data."""
    stated: Mapping[str, str | None]
    """The values of the request that the act records, by their names on the wire."""
    locks: MemberCode | None = None
    """The recipient from which the act may withdraw a right.

    Its running decisions end before the act, and later ones see it.
    """
    subject: Pin | None = None
    """The citizen on whose behalf a portal acts; None on the other ports.

    The record of the act holds only the citizen's blind index, encrypted.
    """
    reads_only: bool = False
    """True if the act changes nothing. Its answer is not stored: a retry reads again."""

    @property
    def asker(self) -> bytes:
        """What identifies who acts within the member, 32 bytes: only this asker gets a retry."""
        if self.caller.certificate is not None:
            return self.caller.certificate
        parts = (self.caller.subsystem or "", self.caller.employee or "")
        return sha256("\n".join(parts).encode()).digest()


@dataclass(frozen=True, slots=True, kw_only=True)
class ActDecision:
    """The decision about an act."""

    outcome: Outcome
    reasons: tuple[Reason, ...] = ()
    results: Mapping[str, str] = field(default_factory=dict)
    """The elements that only this operation's answer has: simple values, recorded with the act."""
    content: bytes = b""
    """Further elements of the answer, rendered; they follow the results."""
    stated: Mapping[str, str] = field(default_factory=dict)
    """Further results that only the act records."""


def refuse_act(reasons: tuple[Reason, ...]) -> ActDecision:
    """Return the decision not to carry out an act."""
    return ActDecision(outcome=Outcome.REFUSED, reasons=reasons)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedAct:
    """An act as it is recorded, before its transaction is committed."""

    act_id: UUID
    leaf_hash: bytes
    decision: ActDecision


Decide = Callable[[RightsT_co], ActDecision]
"""A function that judges an act on the locked rows, and applies it if it is allowed."""

Render = Callable[[RecordedAct], bytes]
"""A function that returns the answer of a recorded act, with its receipt."""


class ActRegister(Protocol):
    """The rows that acts read without a lock."""

    def is_recipient(self, code: MemberCode) -> bool:
        """Return whether a recipient is registered, in any state."""

    def officer(self, fingerprint: bytes) -> Officer | None:
        """Return the officer of this certificate; None if unknown or withdrawn."""

    def officer_by_identifier(self, member: MemberCode, identifier: str) -> Officer | None:
        """Return the officer of a body by identifier; None if unknown, withdrawn, or not one."""

    def agreement_owner(self, number: AgreementNumber) -> MemberCode | None:
        """Return the recipient of an agreement, which never changes; None for an unknown number."""

    def month_counts(self, month: Month) -> Sequence[MonthCount]:
        """Count a month's decisions by recipient, purpose, outcome and ground."""

    def issued_months(
        self, month: Month, recipient: MemberCode | None = None
    ) -> Sequence[IssuedMonth]:
        """Return the issued statements of a month, by recipient; or that of one recipient."""

    def signed_document(self, digest: bytes) -> bytes | None:
        """Return a document that an act stored: a head, or a confirmation."""

    def contested_lines(self, recipient: MemberCode, month: Month) -> Sequence[ContestedLine]:
        """Return the contested lines of a month, the earliest first."""

    def decision_lines(
        self, recipient: MemberCode, period: Period, after: UUID | None, limit: int
    ) -> Sequence[DecisionLine] | None:
        """Return at most `limit` decisions of a period, the earliest first.

        `after` is the id of the last line of the page before. Return None if it is no decision of
        this recipient in this period.
        """

    def released_data(
        self, recipient: MemberCode, after: UUID | None, limit: int
    ) -> Sequence[ReleasedData] | None:
        """Return decisions that released data and are not attested as erased, earliest first.

        Return None if `after` is no decision of this recipient.
        """

    def cases(self, *, referred: bool) -> Sequence[OversightCase]:
        """Return the newest cases; or only those that were referred."""

    def case(self, case_id: UUID) -> OversightCase | None:
        """Return a case; None if there is none."""

    def case_steps(self, case_id: UUID) -> Sequence[CaseStep]:
        """Return the steps of a case, the earliest first."""

    def agreement_state(self, number: AgreementNumber) -> AgreementState | None:
        """Return the state of an agreement; None if there is none."""

    def pending_drafts(self, number: AgreementNumber | None = None) -> Sequence[PendingDraft]:
        """Return the drafts of all agreements by number; or that of one, with its bytes."""

    def notices(self) -> Sequence[Notice]:
        """Return every notice, by number."""


class StatementPages(Protocol):
    """The pages of issued statements, which are files."""

    def read(self, recipient: MemberCode, month: Month, number: int) -> bytes | None:
        """Return the bytes of a page; None if it cannot be read now."""


class OwnReceipts(Protocol):
    """The receipts that the operator signed, when a recipient presents one."""

    def read(self, document: bytes) -> OwnReceipt | None:
        """Return a receipt; None unless one of our certificates signed it, with a safe key."""


class MonthRights(Protocol):
    """The rows of a recipient's month, locked."""

    def issued_month(self, recipient: MemberCode, month: Month) -> IssuedMonth | None:
        """Return a month; None if no statement was issued."""

    def may_sign(self, member: MemberCode, fingerprint: bytes, role: AgreementRole) -> bool:
        """Return whether a certificate is that of a party's signatory, who is not withdrawn."""

    def known_disclosures(
        self, recipient: MemberCode, month: Month, ids: Collection[UUID]
    ) -> frozenset[UUID]:
        """Return those ids that are decisions of this recipient in this month."""

    def contested_lines(self, recipient: MemberCode, month: Month) -> Sequence[ContestedLine]:
        """Return the contested lines of a month, the earliest first."""

    def contest(
        self, recipient: MemberCode, month: Month, contests: Sequence[Contest]
    ) -> IssuedMonth:
        """Record contested lines and receipts, and return the month after it."""

    def keep_signed(
        self, issued: IssuedMonth, state: MonthState, document: bytes, report: bytes
    ) -> IssuedMonth:
        """Record a party's signed document and the state it leads to; return the month after it."""


class ActRecorder(Protocol[RightsT_co]):
    """The transaction of an act. `RightsT_co` offers the rows that acts read and change."""

    def carry_out(self, facts: ActFacts, decide: Decide[RightsT_co], render: Render) -> bytes:
        """Judge and record an act, and return its answer after the commit.

        The same request of the same officer gets the stored answer. An id that was used for other
        content or by another officer is refused with REQ-04. An officer who was withdrawn meanwhile
        is refused with OVR-01.

        Raises `StoreUnavailableError`.
        """
