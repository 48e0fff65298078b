"""Questions to the subjects of a month's sample, and their answers (Procedure, cl. 11).

A question is a notification of its own kind. Its row in the outbox and the row that says until when
an answer counts are written in one act.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import and_, bindparam, insert, select

from makul.app.ports import OperatorRegistryError
from makul.app.ports.month_questions import AskedQuestion, AskedSample, MonthQuestions
from makul.domain.disclosures import GroundKind, Outcome
from makul.domain.identifiers import MemberCode, PurposeCode
from makul.domain.months import Month
from makul.domain.notifications import NotificationFacts, NotificationKind
from makul.domain.subject_answers import AnswerOrigin, SubjectAnswer
from makul.language.translation import translate
from makul.store.admin.unit_of_work import RegistryUnitOfWork
from makul.store.db.base import Transaction
from makul.store.db.codecs import CodecError, instant, micros, names_from_text
from makul.store.db.rows import build_row_reader
from makul.store.records.acts import RowKey
from makul.store.records.notification_rows import ADD_NOTIFICATION, build_row
from makul.store.records.private_fields import open_private
from makul.store.schema.notification_tables import month_question, notification, subject_answer
from makul.store.schema.record_tables import disclosure

_DISCLOSURE = (
    select(
        disclosure.c.disclosure_id,
        disclosure.c.operation,
        disclosure.c.outcome,
        disclosure.c.purpose,
        disclosure.c.ground_kind,
        disclosure.c.released,
        disclosure.c.decided_at,
        disclosure.c.sealed,
        notification.c.visible_at,
    )
    .select_from(
        disclosure.outerjoin(
            notification,
            and_(
                notification.c.disclosure_id == disclosure.c.disclosure_id,
                notification.c.kind == NotificationKind.DISCLOSURE.value,
            ),
        )
    )
    .where(
        disclosure.c.disclosure_id == bindparam("disclosure_id"),
        disclosure.c.recipient == bindparam("recipient"),
    )
)
_ADD = insert(month_question)
_ASKED = and_(
    month_question.c.recipient == bindparam("recipient"),
    month_question.c.month == bindparam("month"),
)
_ANY = select(month_question.c.disclosure_id).where(_ASKED).limit(1)
_LIST = (
    select(
        month_question.c.disclosure_id,
        month_question.c.asked_at,
        month_question.c.answer_by,
        subject_answer.c.answer,
        subject_answer.c.answered_at,
    )
    .select_from(
        month_question.outerjoin(
            subject_answer,
            and_(
                subject_answer.c.disclosure_id == month_question.c.disclosure_id,
                subject_answer.c.origin == AnswerOrigin.QUESTION.value,
            ),
        )
    )
    .where(_ASKED)
    .order_by(month_question.c.disclosure_id)
)


class _DisclosureRow(NamedTuple):
    disclosure_id: bytes
    operation: str
    outcome: str
    purpose: str | None
    ground_kind: str | None
    released: str
    decided_at: int
    sealed: bytes
    visible_at: int | None


_read_disclosure = build_row_reader(_DISCLOSURE, _DisclosureRow)


class StoreQuestions(MonthQuestions):
    """The questions of one store."""

    def __init__(self, unit_of_work: RegistryUnitOfWork) -> None:
        self._unit_of_work = unit_of_work

    def ask(
        self,
        recipient: MemberCode,
        month: Month,
        disclosures: Sequence[UUID],
        *,
        answer_by: datetime,
        at: datetime,
    ) -> AskedSample:
        """Ask the subjects of a sample, once, and record it as an act."""
        with self._unit_of_work.begin() as transaction:
            key = {"recipient": recipient, "month": str(month)}
            if transaction.fetch_one(_ANY, key) is not None:
                raise OperatorRegistryError(
                    translate("the subjects of this month were asked already; a month asks once")
                )
            rows = [self._find(transaction, recipient, each) for each in disclosures]
            asked = [row for row in rows if _may_be_asked(row, at)]
            if not asked:
                raise OperatorRegistryError(
                    translate("no disclosure of the sample may be asked about now")
                )
            act = self._unit_of_work.act(
                transaction,
                *(RowKey("month_question", {"disclosure_id": row.disclosure_id}) for row in asked),
            )
            for row in asked:
                question = {
                    **key,
                    "disclosure_id": row.disclosure_id,
                    "asked_at": micros(at),
                    "answer_by": micros(answer_by),
                }
                transaction.execute(_ADD, question)
                facts = self._facts(recipient, row)
                cipher = self._unit_of_work.cipher
                sent = build_row(cipher, facts, visible_at=at, answer_by=answer_by)
                transaction.execute(ADD_NOTIFICATION, sent)
            facts_of_act = {"month": str(month), "drawn": len(disclosures), "asked": len(asked)}
            act.write("month.ask", recipient, facts_of_act, at=at)
        return AskedSample(drawn=len(disclosures), asked=len(asked))

    def answers(self, recipient: MemberCode, month: Month) -> Sequence[AskedQuestion]:
        """Return the questions of a month, with the answers."""
        values = {"recipient": recipient, "month": str(month)}
        return [
            AskedQuestion(
                disclosure_id=UUID(bytes=row[0]),
                asked_at=instant(row[1]),
                answer_by=instant(row[2]),
                answer=SubjectAnswer(row[3]) if row[3] is not None else None,
                answered_at=instant(row[4]) if row[4] is not None else None,
            )
            for row in self._unit_of_work.database.fetch_all(_LIST, values)
        ]

    def _find(
        self, transaction: Transaction, recipient: MemberCode, disclosure_id: UUID
    ) -> _DisclosureRow:
        values = {"recipient": recipient, "disclosure_id": disclosure_id.bytes}
        row = transaction.fetch_one(_DISCLOSURE, values)
        if row is None:
            raise OperatorRegistryError(
                translate(
                    "disclosure {disclosure_id} of the statement is not in the record: nobody was"
                    " asked. Run: makul ledger verify",
                    disclosure_id=disclosure_id,
                )
            )
        return _read_disclosure(row)

    def _facts(self, recipient: MemberCode, row: _DisclosureRow) -> NotificationFacts:
        subject = open_private(self._unit_of_work.cipher, row.disclosure_id, row.sealed).subject
        if subject is None:
            raise CodecError(translate("a decision does not read back"))
        return NotificationFacts(
            kind=NotificationKind.QUESTION,
            disclosure_id=UUID(bytes=row.disclosure_id),
            subject=subject,
            recipient=recipient,
            decided_at=instant(row.decided_at),
            operation=row.operation,
            outcome=Outcome(row.outcome),
            purpose=PurposeCode(row.purpose) if row.purpose is not None else None,
            ground=GroundKind(row.ground_kind) if row.ground_kind is not None else None,
            provision=None,
            on_paper=False,
            attributes=names_from_text(row.released),
        )


def _may_be_asked(row: _DisclosureRow, at: datetime) -> bool:
    """Return whether the subject may learn of the disclosure now (invariant 14).

    A decision from before the outbox states no date. It is asked about only if its ground is a
    consent, which hides nothing.
    """
    if row.visible_at is None:
        return row.ground_kind == GroundKind.CONSENT.value
    return row.visible_at <= micros(at)
