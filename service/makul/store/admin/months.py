"""The operator's acts on months: issue a statement, and answer contested lines (cl. 11)."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, insert, select

from makul.app.ports import OperatorRegistryError
from makul.domain.identifiers import MemberCode
from makul.domain.month_closing import ContestedLine, IssuedMonth, LineAnswer, MonthState
from makul.domain.months import Month
from makul.domain.oversight_cases import CaseProposal
from makul.language.translation import translate
from makul.store.admin.case_rights import CaseRows
from makul.store.admin.month_rights import keep_document
from makul.store.admin.unit_of_work import RegistryUnitOfWork
from makul.store.db.codecs import micros
from makul.store.reads.months import encrypt_answer, list_contested, list_issued
from makul.store.records.acts import RowKey
from makul.store.schema.registry_tables import (
    contested_answer,
    contested_line,
    monthly_statement,
)

_ADD = insert(monthly_statement)
_LINE = (
    contested_line.c.recipient == bindparam("recipient"),
    contested_line.c.month == bindparam("month"),
    contested_line.c.disclosure_id == bindparam("disclosure_id"),
)
_CONTESTED = select(contested_line.c.contested_at).where(*_LINE)
_ANSWERED = select(contested_answer.c.answered_at).where(
    contested_answer.c.recipient == bindparam("recipient"),
    contested_answer.c.month == bindparam("month"),
    contested_answer.c.disclosure_id == bindparam("disclosure_id"),
)
_ANSWER = insert(contested_answer)


def issue(
    unit_of_work: RegistryUnitOfWork,
    issued: IssuedMonth,
    head: bytes,
    proposal: CaseProposal | None,
    *,
    at: datetime,
) -> None:
    """Register a verified head as the statement of a month, permanently.

    The case that its exceptions propose is recorded by the same act.

    Raises `OperatorRegistryError` if a statement of this month was issued before.
    """
    key = {"recipient": issued.recipient, "month": str(issued.month)}
    with unit_of_work.begin() as transaction:
        if list_issued(transaction, issued.month, issued.recipient):
            raise OperatorRegistryError(
                translate("the statement of this month was issued already; a month is issued once")
            )
        act = unit_of_work.act(
            transaction,
            RowKey("monthly_statement", key),
            RowKey("month_document", {"digest": issued.head}),
        )
        keep_document(transaction, unit_of_work.cipher, head, b"", at=at)
        row = {
            **key,
            "state": MonthState.ISSUED.value,
            "head": issued.head,
            "content": issued.content,
            "issued_at": micros(issued.issued_at),
            "confirm_by": micros(issued.confirm_by),
            "confirmation": None,
            "closing": None,
            "changed_at": micros(at),
        }
        transaction.execute(_ADD, row)
        if proposal is not None:
            CaseRows(transaction, unit_of_work.cipher, act, at=at).propose_case(proposal)
        facts = {"month": str(issued.month), "head": issued.head.hex()}
        act.write("month.issue", issued.recipient, facts, at=at)


def answer_line(
    unit_of_work: RegistryUnitOfWork,
    recipient: MemberCode,
    month: Month,
    disclosure_id: UUID,
    answer: LineAnswer,
    *,
    reason: str,
    at: datetime,
) -> None:
    """Record the operator's answer to a contested line, permanently.

    Raises `OperatorRegistryError` if the line is not contested or was answered before.
    """
    key = {"recipient": recipient, "month": str(month), "disclosure_id": disclosure_id.bytes}
    with unit_of_work.begin() as transaction:
        if transaction.fetch_one(_CONTESTED, key) is None:
            raise OperatorRegistryError(translate("this line is not contested"))
        if transaction.fetch_one(_ANSWERED, key) is not None:
            raise OperatorRegistryError(translate("this line was answered already"))
        act = unit_of_work.act(transaction, RowKey("contested_answer", key))
        sealed = encrypt_answer(unit_of_work.cipher, key, reason)
        row = {**key, "answer": answer.value, "sealed": sealed, "answered_at": micros(at)}
        transaction.execute(_ANSWER, row)
        facts = {"month": str(month), "line": str(disclosure_id), "answer": answer.value}
        act.write("month.answer", recipient, {**facts, "reason": reason}, at=at)


def list_months(
    unit_of_work: RegistryUnitOfWork, month: Month | None = None
) -> Sequence[IssuedMonth]:
    """Return the issued months, by month and recipient."""
    return list_issued(unit_of_work.database, month)


def contested_lines(
    unit_of_work: RegistryUnitOfWork, recipient: MemberCode, month: Month
) -> Sequence[ContestedLine]:
    """Return the contested lines of a month, the earliest first."""
    return list_contested(unit_of_work.database, unit_of_work.cipher, recipient, month)
