"""The rows of links and of subjects' answers, in the transaction of an act (Procedure, cl. 11)."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, insert, select

from makul.app.ports.subject_answers import LinkToken
from makul.domain.identifiers import Pin
from makul.domain.notifications import NotificationKind
from makul.domain.subject_answers import AnswerOrigin, SubjectAnswer
from makul.store.admin.month_rights import MonthRows
from makul.store.db.codecs import instant, micros
from makul.store.records.private_fields import open_private
from makul.store.schema.notification_tables import (
    month_question,
    notification_link,
    subject_answer,
)
from makul.store.schema.record_tables import disclosure

_LINK = select(notification_link.c.disclosure_id, notification_link.c.kind).where(
    notification_link.c.digest == bindparam("digest"),
    notification_link.c.expires_at > bindparam("now"),
)
_SUBJECT = select(disclosure.c.subject_index).where(
    disclosure.c.disclosure_id == bindparam("disclosure_id")
)
_SEALED = select(disclosure.c.sealed).where(
    disclosure.c.disclosure_id == bindparam("disclosure_id")
)
_QUESTION = select(month_question.c.answer_by).where(
    month_question.c.disclosure_id == bindparam("disclosure_id")
)
_ANSWER = select(subject_answer.c.answered_at).where(
    subject_answer.c.disclosure_id == bindparam("disclosure_id"),
    subject_answer.c.origin == bindparam("origin"),
)
_ADD = insert(subject_answer)


class SubjectAnswerRows(MonthRows):
    """The part of an act's rows that belongs to what subjects say."""

    def linked_disclosure(self, link: LinkToken, *kinds: NotificationKind) -> UUID | None:
        """Return the decision of a link that has not expired, if it is of one of these kinds."""
        row = self._transaction.fetch_one(_LINK, {"digest": link.digest, "now": micros(self._at)})
        if row is None or row[1] not in {each.value for each in kinds}:
            return None
        return UUID(bytes=row[0])

    def is_about(self, disclosure_id: UUID, subject: Pin) -> bool:
        """Return whether a decision is about this person, by the blind index."""
        row = self._transaction.fetch_one(_SUBJECT, {"disclosure_id": disclosure_id.bytes})
        return row is not None and row[0] == self._cipher.index("pin", subject.digits)

    def subject_of(self, disclosure_id: UUID) -> Pin | None:
        """Return the subject of a decision, from its encrypted part; None if there is none."""
        row = self._transaction.fetch_one(_SEALED, {"disclosure_id": disclosure_id.bytes})
        if row is None:
            return None
        return open_private(self._cipher, disclosure_id.bytes, row[0]).subject

    def asked_until(self, disclosure_id: UUID) -> datetime | None:
        """Return the last time of an answer about a disclosure; None if nobody was asked."""
        row = self._transaction.fetch_one(_QUESTION, {"disclosure_id": disclosure_id.bytes})
        return instant(row[0]) if row is not None else None

    def has_answer(self, disclosure_id: UUID, origin: AnswerOrigin) -> bool:
        """Return whether the subject spoke about a decision already, for this reason."""
        key = {"disclosure_id": disclosure_id.bytes, "origin": origin.value}
        return self._transaction.fetch_one(_ANSWER, key) is not None

    def add_answer(self, disclosure_id: UUID, origin: AnswerOrigin, answer: SubjectAnswer) -> None:
        """Record what the subject says, permanently."""
        key = {"disclosure_id": disclosure_id.bytes, "origin": origin.value}
        self._track("subject_answer", **key)
        self._transaction.execute(
            _ADD, {**key, "answer": answer.value, "answered_at": micros(self._at)}
        )
