"""The answers of the subjects of a month's sample, as a report counts them (Procedure, cl. 11).

Pure code. A list of answers names no person: it has the disclosures that were asked about.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from makul.domain.cell_suppression import suppress_cells
from makul.domain.report_tables import Part, ReportTable, build_table
from makul.domain.subject_answers import SubjectAnswer


class AnswerState(StrEnum):
    """What is known of the answer to one question."""

    YES = "YES"
    NO = "NO"
    DONT_KNOW = "DONT_KNOW"
    SILENT = "SILENT"
    """The term has passed."""
    WAITING = "WAITING"
    """The term has not passed."""

    @classmethod
    def of(cls, answer: SubjectAnswer | None, *, silent: bool) -> "AnswerState":
        """Return the state of a question with this answer."""
        if answer is not None:
            return cls(answer.value)
        return cls.SILENT if silent else cls.WAITING


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerList:
    """A list of answers as the operator gave it, and the digest of its exact bytes."""

    digest: bytes
    answers: Mapping[UUID, AnswerState]


def count_answers(lists: Iterable[AnswerList], *, public: bool) -> ReportTable:
    """Return the table of answers, for the public without small numbers.

    All rows exist in every table: the name of a row would say that there is such an answer.
    """
    found: Counter[str] = Counter()
    for each in lists:
        found.update(map(str, each.answers.values()))
    counts = {str(state): found[state] for state in AnswerState}
    return build_table(Part.ANSWERS, suppress_cells(counts).cells if public else counts)


def find_repeated(lists: Sequence[AnswerList]) -> UUID | None:
    """Return a disclosure that is in two lists; None if there is none."""
    seen: set[UUID] = set()
    for each in lists:
        for disclosure_id in each.answers:
            if disclosure_id in seen:
                return disclosure_id
            seen.add(disclosure_id)
    return None
