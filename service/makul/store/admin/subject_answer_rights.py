"""The rows of links and of subjects' answers, in the transaction of an act (Procedure, cl. 11)."""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, insert, select

from makul.app.ports.subject_answers import LinkToken
from makul.domain.identifiers import MemberCode, Pin
from makul.domain.notifications import NotificationKind
from makul.domain.person_locks import MatchingState
from makul.domain.subject_answers import AnswerOrigin, SubjectAnswer
from makul.language.translation import translate
from makul.store.admin.subject_rights import SubjectRows
from makul.store.db.codecs import CodecError, instant, micros
from makul.store.db.rows import build_row_reader
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
_DECISION = select(
    disclosure.c.subject_index, disclosure.c.recipient, disclosure.c.decided_at
).where(disclosure.c.disclosure_id == bindparam("disclosure_id"))
_QUESTION = select(month_question.c.answer_by).where(
    month_question.c.disclosure_id == bindparam("disclosure_id")
)
_ANSWER = select(subject_answer.c.answered_at).where(
    subject_answer.c.disclosure_id == bindparam("disclosure_id"),
    subject_answer.c.origin == bindparam("origin"),
)
_ADD = insert(subject_answer)


class _LinkedDecisionRow(NamedTuple):
    subject_index: bytes | None
    recipient: str
    decided_at: int


_read_decision = build_row_reader(_DECISION, _LinkedDecisionRow)


class SubjectAnswerRows(SubjectRows):
    """The part of an act's rows that belongs to what subjects say."""

    def linked_disclosure(self, link: LinkToken, *kinds: NotificationKind) -> UUID | None:
        """Return the decision of a link that has not expired, if it is of one of these kinds."""
        row = self._transaction.fetch_one(_LINK, {"digest": link.digest, "now": micros(self._at)})
        if row is None or row[1] not in {each.value for each in kinds}:
            return None
        return UUID(bytes=row[0])

    def is_about(self, disclosure_id: UUID, subject: Pin) -> bool:
        """Return whether a decision is about this person, by the blind index."""
        found = self._find_decision(disclosure_id)
        return found is not None and found.subject_index == self._index(subject)

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

    def lock_matching_of(self, disclosure_id: UUID) -> None:
        """Lock matching by consent of the subject of a decision, from this commit on."""
        index = self._decision(disclosure_id).subject_index
        if index is None:
            raise CodecError(translate("a decision does not read back"))
        if self._matching_state(index) is not MatchingState.LOCKED:
            self._set_matching_state(index, MatchingState.LOCKED)

    def recipient_and_time(self, disclosure_id: UUID) -> tuple[MemberCode, datetime]:
        """Return for whom and when a decision was made."""
        found = self._decision(disclosure_id)
        return MemberCode(found.recipient), instant(found.decided_at)

    def _decision(self, disclosure_id: UUID) -> _LinkedDecisionRow:
        found = self._find_decision(disclosure_id)
        if found is None:
            raise CodecError(translate("a decision does not read back"))
        return found

    def _find_decision(self, disclosure_id: UUID) -> _LinkedDecisionRow | None:
        row = self._transaction.fetch_one(_DECISION, {"disclosure_id": disclosure_id.bytes})
        return _read_decision(row) if row is not None else None
