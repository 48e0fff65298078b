"""What subjects say about disclosures: reports, and answers to a month's questions (cl. 11).

Pure code: no SQL, no clock. An answer is a question to the operator, not a verdict: it opens
nothing by itself.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from makul.domain.reasons import Code, Reason


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


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerCase:
    """The facts by which an answer of a subject is judged."""

    is_known: bool
    """True if the link, or the id of the decision, leads to a decision that may be answered."""
    is_own: bool
    """True if the decision is about the citizen who logged in, or nobody had to log in."""
    is_answered: bool
    """True if the subject has spoken already. A link works once."""
    answer_by: datetime | None = None
    """The last time of an answer to a question; None if there is no term."""


def judge_answer(case: AnswerCase, field: str, *, at: datetime) -> tuple[Reason, ...]:
    """Return the reason against an answer, which is the same for everything that is wrong.

    A used, an expired and an unknown link get the same answer, and so does the decision of another
    person. So nobody learns from it which links or decisions exist.
    """
    in_term = case.answer_by is None or at < case.answer_by
    if case.is_known and case.is_own and not case.is_answered and in_term:
        return ()
    return (Reason(code=Code.OVR_06, field=field),)
