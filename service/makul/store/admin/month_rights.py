"""The rows of a recipient's month that acts read and change, in the act's transaction (cl. 11)."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from sqlalchemy import bindparam, insert, select, update

from makul.domain.agreements import AgreementRole
from makul.domain.identifiers import MemberCode
from makul.domain.month_closing import Contest, ContestedLine, IssuedMonth, MonthState
from makul.domain.months import Month
from makul.store.admin import signatories
from makul.store.admin.act_rows import ActRows
from makul.store.db.base import Transaction
from makul.store.db.codecs import micros
from makul.store.encryption.fields import FieldCipher
from makul.store.reads.months import (
    DOCUMENT,
    encrypt_contest,
    encrypt_document,
    list_contested,
    list_issued,
)
from makul.store.schema.record_tables import disclosure
from makul.store.schema.registry_tables import contested_line, month_document, monthly_statement

_KNOWN = select(disclosure.c.disclosure_id).where(
    disclosure.c.disclosure_id == bindparam("disclosure_id"),
    disclosure.c.recipient == bindparam("recipient"),
    disclosure.c.decided_at >= bindparam("begins"),
    disclosure.c.decided_at < bindparam("ends"),
)
_CONTEST = insert(contested_line)
_KEEP = insert(month_document)
_THIS_MONTH = (
    monthly_statement.c.recipient == bindparam("key_recipient"),
    monthly_statement.c.month == bindparam("key_month"),
)
_SET_STATE = (
    update(monthly_statement)
    .where(*_THIS_MONTH)
    .values(state=bindparam("state"), changed_at=bindparam("changed_at"))
)
_CONFIRM = _SET_STATE.values(confirmation=bindparam("document"))
_CLOSE = _SET_STATE.values(closing=bindparam("document"))


def keep_document(
    transaction: Transaction,
    cipher: FieldCipher,
    document: bytes,
    report: bytes,
    *,
    at: datetime,
) -> None:
    """Store a statement as a party signed it; the same bytes are stored once."""
    digest = sha256(document).digest()
    if transaction.fetch_one(DOCUMENT, {"digest": digest}) is None:
        sealed = encrypt_document(cipher, digest, document, report)
        transaction.execute(_KEEP, {"digest": digest, "sealed": sealed, "kept_at": micros(at)})


class MonthRows(ActRows):
    """The part of an act's rows that belongs to months."""

    def issued_month(self, recipient: MemberCode, month: Month) -> IssuedMonth | None:
        """Return a month; None if no statement was issued."""
        return next(iter(list_issued(self._transaction, month, recipient)), None)

    def may_sign(self, member: MemberCode, fingerprint: bytes, role: AgreementRole) -> bool:
        """Return whether a certificate is that of a party's signatory, who is not withdrawn."""
        return signatories.may_sign(self._transaction, member, fingerprint, role)

    def known_disclosures(
        self, recipient: MemberCode, month: Month, ids: Collection[UUID]
    ) -> frozenset[UUID]:
        """Return those ids that are decisions of this recipient in this month."""
        span = {"begins": micros(month.begins), "ends": micros(month.ends)}
        return frozenset(
            each
            for each in ids
            if self._transaction.fetch_one(
                _KNOWN, {"disclosure_id": each.bytes, "recipient": recipient, **span}
            )
            is not None
        )

    def contested_lines(self, recipient: MemberCode, month: Month) -> Sequence[ContestedLine]:
        """Return the contested lines of a month, the earliest first."""
        return list_contested(self._transaction, self._cipher, recipient, month)

    def contest(
        self, recipient: MemberCode, month: Month, contests: Sequence[Contest]
    ) -> IssuedMonth:
        """Record contested lines and receipts, and return the month after it."""
        issued = self.issued_month(recipient, month)
        if issued is None:
            raise TypeError("lines of a month are contested after it was issued")
        for each in contests:
            disclosure_id = each.disclosure_id.bytes
            key = {"recipient": recipient, "month": str(month), "disclosure_id": disclosure_id}
            self._track("contested_line", **key)
            sealed = encrypt_contest(self._cipher, key, each)
            row = {**key, "sealed": sealed, "contested_at": micros(self._at)}
            self._transaction.execute(_CONTEST, row)
        self._track_month(issued)
        self._transaction.execute(_SET_STATE, self._state_values(issued, MonthState.CONTESTED))
        return replace(issued, state=MonthState.CONTESTED)

    def keep_signed(
        self, issued: IssuedMonth, state: MonthState, document: bytes, report: bytes
    ) -> IssuedMonth:
        """Record a party's signed document and the state it leads to; return the month after it."""
        digest = sha256(document).digest()
        self._track("month_document", digest=digest)
        keep_document(self._transaction, self._cipher, document, report, at=self._at)
        self._track_month(issued)
        closes = state is MonthState.SIGNED
        values = {**self._state_values(issued, state), "document": digest}
        self._transaction.execute(_CLOSE if closes else _CONFIRM, values)
        return replace(issued, state=state, confirmation=issued.confirmation if closes else digest)

    def _state_values(self, issued: IssuedMonth, state: MonthState) -> dict[str, object]:
        return {
            "key_recipient": issued.recipient,
            "key_month": str(issued.month),
            "state": state.value,
            "changed_at": micros(self._at),
        }

    def _track_month(self, issued: IssuedMonth) -> None:
        self._track("monthly_statement", recipient=issued.recipient, month=str(issued.month))
