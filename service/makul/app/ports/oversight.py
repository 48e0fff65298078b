"""Ports of the oversight operations about decisions and cases (Procedure, cl. 11 and 12)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from makul.domain.identifiers import MemberCode
from makul.domain.month_closing import ContestedLine, IssuedMonth, LineAnswer
from makul.domain.months import Month
from makul.domain.oversight_cases import (
    CaseParty,
    CaseProposal,
    CaseState,
    CaseStep,
    CaseStepKind,
    EvidenceFile,
    OversightCase,
)
from makul.domain.recipients import Recipient


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionLine:
    """A decision as the supervising bodies list it. It has no data of a person."""

    disclosure_id: UUID
    request_id: UUID
    decided_at: datetime
    operation: str
    outcome: str
    codes: tuple[str, ...]
    attributes: tuple[str, ...]
    purpose: str | None
    agreement_number: str | None
    ground_kind: str | None
    ground_digest: bytes | None


class OversightRegistry(Protocol):
    """The issued months and the cases about recipients, for the operator."""

    def issue_month(
        self,
        issued: IssuedMonth,
        head: bytes,
        *,
        at: datetime,
        proposal: CaseProposal | None = None,
    ) -> None:
        """Register a verified head as the statement of a month, permanently (cl. 11).

        The case that its exceptions propose is recorded by the same act.
        """

    def issued_months(self, month: Month | None = None) -> Sequence[IssuedMonth]:
        """Return the issued months, by month and recipient."""

    def contested_lines(self, recipient: MemberCode, month: Month) -> Sequence[ContestedLine]:
        """Return the contested lines of a month, the earliest first."""

    def answer_line(
        self,
        recipient: MemberCode,
        month: Month,
        disclosure_id: UUID,
        answer: LineAnswer,
        *,
        reason: str,
        at: datetime,
    ) -> None:
        """Record the operator's answer to a contested line, permanently (cl. 11)."""

    def cases(self) -> Sequence[OversightCase]:
        """Return the newest cases, the one that changed last first."""

    def case(self, case_id: UUID) -> OversightCase | None:
        """Return a case; None if there is none."""

    def case_steps(self, case_id: UUID) -> Sequence[CaseStep]:
        """Return the steps of a case, the earliest first."""

    def attach_evidence(
        self, case_id: UUID, evidence: EvidenceFile, *, reason: str, at: datetime
    ) -> None:
        """Record the evidence file of an open case.

        Raises `OperatorRegistryError` for a case that is not open.
        """


class EvidenceParts(Protocol):
    """The evidence files of cases."""

    def read(self, digest: bytes, offset: int, size: int) -> bytes | None:
        """Return bytes of the file with this digest; None if they cannot be read now."""


class CaseProposals(Protocol):
    """The rows by which an act proposes a case."""

    def propose_case(self, proposal: CaseProposal) -> OversightCase:
        """Propose a case, or add the facts to the case that is proposed for the same period."""


class CaseRights(Protocol):
    """The rows of cases, locked."""

    def recipient(self, code: MemberCode) -> Recipient | None:
        """Return a recipient; None if it is not registered."""

    def case(self, case_id: UUID) -> OversightCase | None:
        """Return a case; None if there is none."""

    def add_case(self, case: OversightCase, party: CaseParty, text: str) -> OversightCase:
        """Register a new case with its first step."""

    def set_case_state(
        self,
        case: OversightCase,
        state: CaseState,
        kind: CaseStepKind,
        party: CaseParty,
        text: str,
    ) -> OversightCase:
        """Record the step that leads to a state; return the case after it."""
