"""What subjects say about disclosures, and what follows from it for a month (cl. 11)."""

from datetime import timedelta
from itertools import product

import pytest

from makul.domain.monthly_statements import find_denials
from makul.domain.reasons import Code
from makul.domain.subject_answers import (
    NO_ANSWERS,
    AnswerCase,
    SubjectAnswer,
    SubjectAnswers,
    judge_answer,
)
from makul_testing.builders.records import NOON

LATER = NOON + timedelta(days=14)


def found(answers: SubjectAnswers, at: object = NOON) -> list[tuple[str, str]]:
    return [(each.kind, each.fact) for each in find_denials(answers, at=at)]  # type: ignore[arg-type]


def test_a_subject_who_said_nothing_is_no_exception() -> None:
    assert found(NO_ANSWERS) == []
    assert found(SubjectAnswers(answer_by=LATER)) == []


def test_a_report_is_an_exception_at_once() -> None:
    assert found(SubjectAnswers(has_reported=True)) == [("DENIED_BY_SUBJECT", "SUBJECT_REPORTED")]


@pytest.mark.parametrize("answer", SubjectAnswer)
def test_only_no_denies(answer: SubjectAnswer) -> None:
    said = found(SubjectAnswers(answer_by=NOON, answer=answer), LATER)

    expected = [("DENIED_BY_SUBJECT", "SUBJECT_ANSWERED_NO")] if answer == "NO" else []
    assert said == expected


def test_silence_counts_from_the_end_of_the_term() -> None:
    silent = SubjectAnswers(answer_by=LATER)

    assert found(silent, LATER - timedelta(microseconds=1)) == []
    assert found(silent, LATER) == [("SUBJECT_SILENT", "NO_ANSWER_IN_TERM")]


def test_a_subject_who_reported_is_not_silent() -> None:
    kinds = [kind for kind, _ in found(SubjectAnswers(answer_by=NOON, has_reported=True), LATER)]

    assert kinds == ["DENIED_BY_SUBJECT"]


@pytest.mark.parametrize(
    ("known", "own", "answered", "answer_by"),
    [*product((True, False), (True, False), (True, False), (None, NOON, LATER))],
)
def test_everything_that_is_wrong_has_one_answer(
    known: bool, own: bool, answered: bool, answer_by: object
) -> None:
    """A used, an expired and an unknown link, and another person's decision, look alike."""
    case = AnswerCase(
        is_known=known,
        is_own=own,
        is_answered=answered,
        answer_by=answer_by,  # type: ignore[arg-type]
    )

    reasons = judge_answer(case, "linkToken", at=NOON)

    if known and own and not answered and answer_by != NOON:
        assert reasons == ()
    else:
        assert [(each.code, each.field) for each in reasons] == [(Code.OVR_06, "linkToken")]
