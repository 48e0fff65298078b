"""Ports of corrections (Procedure, cl. 14)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from makul.domain.attributes import Attribute
from makul.domain.corrections import (
    Correction,
    CorrectionOrigin,
    CorrectionOutcome,
    CorrectionState,
    CorrectionTerms,
    Recall,
)
from makul.domain.identifiers import MemberCode, Pin
from makul.domain.persons import Person


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionView:
    """A correction as one party may see it."""

    correction: Correction
    own_recall: Recall | None = None
    """The recall of the recipient that asks; None for other parties."""
    own_disclosures: Sequence[UUID] = ()
    """The disclosures by which the recipient that asks was given the wrong value."""
    recalls: Sequence[Recall] | None = None
    """Every recipient that was given it. Only supervising bodies and the operator see them."""


class CorrectionDocuments(Protocol):
    """The rendering of corrections in answers."""

    def corrections(self, views: Sequence[CorrectionView], *, at: datetime) -> bytes:
        """Return the elements `correction`, each as the party that asks may see it."""

    def correction_result(self, changed: Correction) -> bytes:
        """Return the elements of an act that recorded or resolved a report."""

    def acknowledged(self, *, at: datetime) -> bytes:
        """Return the element of AcknowledgeCorrection."""


class CorrectionReader(Protocol):
    """The corrections, without a lock."""

    def corrections_for(
        self, recipient: MemberCode, correction_id: UUID | None
    ) -> Sequence[CorrectionView]:
        """Return the reports of a recipient, and the corrections that are named to it."""

    def own_reports(self, subject: Pin) -> Sequence[CorrectionView]:
        """Return a citizen's own reports. Nothing in them depends on anybody else."""

    def all_corrections(self, *, open_only: bool) -> Sequence[CorrectionView]:
        """Return all reports, with the recipients that were given the wrong values."""


class CorrectionReportRights(Protocol):
    """The rows of a new report."""

    def subject_given(
        self, recipient: MemberCode, disclosure_id: UUID, attribute: Attribute
    ) -> Pin | None:
        """Return the person of a disclosure that gave this recipient this attribute, or None."""

    def own_open(
        self, subject: Pin, origin: CorrectionOrigin, reporter: MemberCode
    ) -> frozenset[Attribute]:
        """Return the attributes of a person that this party has reported without a result yet."""

    def add_report(
        self, new: Correction, subject: Pin, justification: str, proposed: str | None
    ) -> None:
        """Record a new report."""


class ResolutionRights(Protocol):
    """The rows of reports, and of the recipients that were given a wrong value."""

    def correction(self, correction_id: UUID) -> Correction | None:
        """Return a report; None if there is none."""

    def examined_together(self, found: Correction) -> Sequence[Correction]:
        """Return every open report of the same attribute of the same person."""

    def set_correction_state(
        self,
        together: Sequence[Correction],
        state: CorrectionState,
        acknowledge_by: datetime | None = None,
    ) -> None:
        """Set the state of reports that are examined together, from this commit on."""

    def recall(self, correction_id: UUID, recipient: MemberCode) -> Recall | None:
        """Return the recall of a recipient; None unless the correction was named to it."""

    def acknowledge_correction(self, recall: Recall) -> None:
        """Record that the recipient no longer uses the wrong value."""


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ReportForOperator:
    """A report with its personal part, which only the operator reads."""

    view: CorrectionView
    subject: Pin
    justification: str
    proposed: str | None


class CorrectionDesk(Protocol):
    """The operator's work on corrections. Raises `OperatorRegistryError`."""

    def everything(self, *, open_only: bool) -> Sequence[CorrectionView]:
        """Return all reports, the one that changed last first; open ones by their deadline."""

    def find(self, correction_id: UUID) -> CorrectionView | None:
        """Return a report without its person; None if there is none."""

    def read(self, correction_id: UUID, *, reason: str, at: datetime) -> ReportForOperator | None:
        """Return a report with its person; the access is recorded first (cl. 13, 16)."""

    def dispute(self, correction_id: UUID, *, reason: str, at: datetime) -> Correction:
        """Begin the examination: from the commit on the attribute is withheld (REL-02)."""

    def enter(
        self,
        correction_id: UUID,
        change: Callable[[Person], Person],
        *,
        reason: str,
        at: datetime,
    ) -> Sequence[MemberCode]:
        """Enter a new value as a new version; return who was given the wrong one."""

    def resolve(
        self,
        correction_id: UUID,
        outcome: CorrectionOutcome,
        terms: CorrectionTerms,
        *,
        operator: MemberCode,
        reason: str,
        at: datetime,
    ) -> Correction:
        """Confirm the value that another operator entered, or reject the report."""
