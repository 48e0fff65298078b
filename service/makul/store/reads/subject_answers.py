"""What subjects were asked and said about the disclosures of a recipient (Procedure, cl. 11)."""

from collections.abc import Mapping
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import bindparam, select

from makul.domain.identifiers import MemberCode
from makul.domain.months import Period
from makul.domain.subject_answers import AnswerOrigin, SubjectAnswer, SubjectAnswers
from makul.language.translation import translate
from makul.store.db.base import QuerySource
from makul.store.db.codecs import CodecError, instant, micros
from makul.store.schema.notification_tables import month_question, subject_answer
from makul.store.schema.record_tables import disclosure

_ANSWERS = (
    select(subject_answer.c.disclosure_id, subject_answer.c.origin, subject_answer.c.answer)
    .select_from(
        subject_answer.join(
            disclosure, disclosure.c.disclosure_id == subject_answer.c.disclosure_id
        )
    )
    .where(
        disclosure.c.recipient == bindparam("recipient"),
        disclosure.c.decided_at >= bindparam("begins"),
        disclosure.c.decided_at < bindparam("ends"),
    )
)
_QUESTIONS = select(month_question.c.disclosure_id, month_question.c.answer_by).where(
    month_question.c.recipient == bindparam("recipient")
)


def read_answers(
    reader: QuerySource, period: Period, recipient: MemberCode
) -> Mapping[UUID, SubjectAnswers]:
    """Return what is known of a recipient's disclosures of a period, by disclosure.

    Few subjects answer, and a month asks about a sample only, so all of it fits into memory.
    Questions about other periods are among them and match no disclosure of this one.
    """
    values = {
        "recipient": recipient,
        "begins": micros(period.begins),
        "ends": micros(period.ends),
    }
    asked: dict[bytes, datetime] = {
        row[0]: instant(row[1]) for row in reader.fetch_all(_QUESTIONS, values)
    }
    said: dict[bytes, dict[AnswerOrigin, SubjectAnswer]] = {}
    for disclosure_id, origin, answer in reader.fetch_all(_ANSWERS, values):
        said.setdefault(disclosure_id, {})[_parse(AnswerOrigin, origin)] = _parse(
            SubjectAnswer, answer
        )
    return {
        UUID(bytes=each): SubjectAnswers(
            has_reported=AnswerOrigin.REPORT in said.get(each, {}),
            answer_by=asked.get(each),
            answer=said.get(each, {}).get(AnswerOrigin.QUESTION),
        )
        for each in asked.keys() | said.keys()
    }


WordT = TypeVar("WordT", AnswerOrigin, SubjectAnswer)


def _parse(kind: type[WordT], text: str) -> WordT:
    try:
        return kind(text)
    except ValueError:
        raise CodecError(translate("a stored record does not read back")) from None
