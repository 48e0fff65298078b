"""What the monthly statement needs of the record and of documents (Procedure, cl. 11)."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Protocol
from uuid import UUID

from makul.domain.agreements import Agreement
from makul.domain.identifiers import Pin
from makul.domain.monthly_statements import (
    GroundRecord,
    GroundTerms,
    MonthlyStatement,
    RecordedDecision,
    StatementPage,
)
from makul.domain.subject_answers import SubjectAnswers


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthDecision:
    """A decision of a month, and what is recorded of its ground."""

    decision: RecordedDecision
    leaf_index: int | None
    """The index of its leaf in the log; None if the sequencer has not assigned one yet."""
    ground: GroundRecord | None
    document: bytes | None
    """The exact bytes of the ground's document; None if they are missing or do not decrypt."""
    report: bytes | None
    """The validation report of the document, if it is the one to which the leaf commits."""
    is_about: Callable[[Pin | None], bool]
    """Whether the decision is about this person, by the blind index; None is about no person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AgreementVersion:
    """Terms that were in force under an agreement's number, from `begins` until before `ends`."""

    document: bytes
    """The unsigned draft whose digest the parties signed."""
    begins: datetime
    """The third signature."""
    ends: datetime | None
    """The next draft or the termination; None if neither has happened."""


Place = tuple[int, bytes]
"""The position of a decision in its month: its time in microseconds since 1970, and its id."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PageRange:
    """Which decisions are on a page of a statement."""

    number: int
    """The number of the page, from 1."""
    after: Place
    """The decisions after this one, which is not on the page,"""
    last: Place
    """until this one, which is."""
    lines: int
    uses_before: Mapping[tuple[str | None, bytes | None], int]
    """Uses by earlier pages of each ground on this page that the month used too often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthContext:
    """What the decisions of a recipient's month are compared with, besides their grounds."""

    agreements_changed_at: Mapping[str, datetime]
    """When each agreement of the recipient was last drafted, signed or terminated."""
    agreement_versions: Mapping[str, Sequence[AgreementVersion]]
    """The versions of each agreement that were in force, the earliest first."""
    answers: Mapping[UUID, SubjectAnswers]
    """What subjects were asked and said, by disclosure; of most disclosures nothing."""
    read_at: datetime
    """The time by which an unanswered question is judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedMonth(MonthContext):
    """A recipient's month in the record. The decisions are read while they are consumed."""

    subjects: int
    """Number of distinct subjects of the disclosures."""
    repetitions: int
    """Number of stored answers that were given again in the month."""
    pages: Iterable[PageRange]
    """The pages, which are found while they are consumed."""
    read_page: Callable[[PageRange], Iterator[MonthDecision]]

    @property
    def context(self) -> MonthContext:
        """What the decisions are compared with, alone. It can be sent to another process."""
        return MonthContext(
            agreements_changed_at=dict(self.agreements_changed_at),
            agreement_versions={key: tuple(each) for key, each in self.agreement_versions.items()},
            answers=dict(self.answers),
            read_at=self.read_at,
        )

    @property
    def decisions(self) -> Iterator[MonthDecision]:
        """All decisions, the earliest first. They can be read once."""
        return chain.from_iterable(map(self.read_page, self.pages))


class GroundProofs(Protocol):
    """Judges whether the signature of a ground can still be proved by what was stored."""

    def find_fault(self, report: bytes | None, document: bytes, digest: bytes) -> str | None:
        """Return why it cannot be proved now, as a fact of an exception; None if it can."""


class StatementDocuments(Protocol):
    """Writes the documents of a statement, and reads the documents of grounds."""

    def render_statement(self, statement: MonthlyStatement) -> bytes:
        """Return the unsigned head in exclusive canonical form; its root has an `Id`."""

    def render_page(self, page: StatementPage) -> bytes:
        """Return the page."""

    def read_agreement_terms(self, document: bytes) -> Agreement | None:
        """Return the terms of a draft of an agreement; None if it cannot be read."""

    def read_terms(self, kind: str, document: bytes) -> GroundTerms | None:
        """Return the terms of a ground; None if the document cannot be read as this kind."""
