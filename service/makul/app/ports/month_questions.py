"""The port of the questions to the subjects of a month's sample (Procedure, cl. 11)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from makul.domain.identifiers import MemberCode
from makul.domain.months import Month
from makul.domain.subject_answers import SubjectAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedSample:
    """How many disclosures were drawn, and about how many their subjects are asked."""

    drawn: int
    asked: int
    """Fewer than drawn if some are still kept from their subjects (cl. 5.1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedQuestion:
    """A question, and its answer. It names no person."""

    disclosure_id: UUID
    asked_at: datetime
    answer_by: datetime
    answer: SubjectAnswer | None
    answered_at: datetime | None


class MonthQuestions(Protocol):
    """The questions of the operator. Raises `OperatorRegistryError`, `StoreUnavailableError`."""

    def ask(
        self,
        recipient: MemberCode,
        month: Month,
        disclosures: Sequence[UUID],
        *,
        answer_by: datetime,
        at: datetime,
    ) -> AskedSample:
        """Ask the subjects of a sample; a month asks once.

        A disclosure that is still kept from its subject is not asked about.
        """

    def answers(self, recipient: MemberCode, month: Month) -> Sequence[AskedQuestion]:
        """Return the questions of a month, with the answers."""
