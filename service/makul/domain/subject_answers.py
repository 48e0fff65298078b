"""What subjects say about disclosures: reports, and answers to a month's questions (cl. 11).

Pure code: no SQL, no clock. An answer is a question to the operator, not a verdict: it opens
nothing by itself.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class AnswerOrigin(StrEnum):
    """Why a subject spoke."""

    REPORT = "REPORT"
    """After a notification, of their own accord."""
    QUESTION = "QUESTION"
    """The disclosure is in the sample of its month."""


class SubjectAnswer(StrEnum):
    """The answer to the question whether the subject consented."""

    YES = "YES"
    NO = "NO"
    DONT_KNOW = "DONT_KNOW"


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectAnswers:
    """Everything that a subject was asked and said about one disclosure."""

    has_reported: bool = False
    """True if the subject reported that it was not them, or that they did not consent."""
    answer_by: datetime | None = None
    """The last time of an answer; None if the subject was not asked."""
    answer: SubjectAnswer | None = None

    @property
    def has_denied(self) -> bool:
        """Return whether the subject denied, in either way."""
        return self.has_reported or self.answer is SubjectAnswer.NO

    def is_silent(self, at: datetime) -> bool:
        """Return whether the term of the question passed without any word of the subject."""
        if self.answer_by is None or self.answer is not None or self.has_reported:
            return False
        return self.answer_by <= at


NO_ANSWERS = SubjectAnswers()
"""The subject was not asked, and said nothing."""
