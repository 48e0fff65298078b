"""The rows of undertakings that acts read and add, in the act's transaction (cl. 16)."""

from datetime import date
from uuid import UUID

from sqlalchemy import bindparam, func, insert, select

from makul.domain.identifiers import MemberCode
from makul.domain.undertakings import EmployeeRecord, RecordedUndertaking, Undertaking
from makul.store.admin.evidence_rows import EvidenceRows
from makul.store.db.codecs import instant, micros, pack
from makul.store.encryption.fields import field_associated_data
from makul.store.records.undertakings import IN_FORCE
from makul.store.records.usage_limits import employee_index
from makul.store.schema.secrecy_tables import undertaking, undertaking_end

UNDERTAKING_KIND = "UNDERTAKING"
"""The kind of evidence of a signed undertaking."""

_THIS = (
    undertaking.c.recipient == bindparam("recipient"),
    undertaking.c.undertaking_id == bindparam("undertaking_id"),
)
_ONE = (
    select(undertaking.c.recorded_at, undertaking_end.c.ended_at)
    .select_from(
        undertaking.outerjoin(
            undertaking_end,
            (undertaking_end.c.recipient == undertaking.c.recipient)
            & (undertaking_end.c.undertaking_id == undertaking.c.undertaking_id),
        )
    )
    .where(*_THIS)
)
_OTHERS = (
    select(undertaking.c.undertaking_id)
    .where(*IN_FORCE, undertaking.c.person_index != bindparam("person_index"))
    .limit(1)
)
_LAST_END = (
    select(func.max(undertaking_end.c.ended_at))
    .select_from(
        undertaking_end.join(
            undertaking,
            (undertaking_end.c.recipient == undertaking.c.recipient)
            & (undertaking_end.c.undertaking_id == undertaking.c.undertaking_id),
        )
    )
    .where(
        undertaking.c.recipient == bindparam("recipient"),
        undertaking.c.employee_index == bindparam("employee_index"),
    )
)
_ADD = insert(undertaking)
_END = insert(undertaking_end)


class UndertakingRows(EvidenceRows):
    """The part of an act's rows that belongs to undertakings of secrecy."""

    def employee_record(self, signed: Undertaking) -> EmployeeRecord:
        """Return what the register holds about the employee and the id of an undertaking."""
        values = {
            "recipient": signed.recipient,
            "undertaking_id": signed.undertaking_id.bytes,
            "employee_index": employee_index(self._cipher, signed.recipient, signed.employee),
            "person_index": self._cipher.index("pin", signed.person.digits),
            "at": micros(self._at),
        }
        (last_end,) = self._transaction.fetch_one(_LAST_END, values) or (None,)
        return EmployeeRecord(
            id_used=self._transaction.fetch_one(_ONE, values) is not None,
            bound_other=self._transaction.fetch_one(_OTHERS, values) is not None,
            last_end=instant(last_end) if last_end is not None else None,
        )

    def add_undertaking(self, signed: Undertaking, document: bytes) -> None:
        """Record an undertaking, which counts from this commit on, and keep its exact bytes."""
        recipient, undertaking_id = signed.recipient, signed.undertaking_id.bytes
        key = {"recipient": recipient, "undertaking_id": undertaking_id}
        self._track("undertaking", **key)
        private = {"v": 1, "employee": signed.employee, "name": signed.name, "text": signed.text}
        row = {
            **key,
            "employee_index": employee_index(self._cipher, recipient, signed.employee),
            "person_index": self._cipher.index("pin", signed.person.digits),
            "valid_from": micros(signed.in_force_from(self._at)),
            "valid_to": micros(signed.valid_to) if signed.valid_to is not None else None,
            "document": self.keep_document(UNDERTAKING_KIND, recipient, document),
            "sealed": self._cipher.encrypt(
                pack(private, []), undertaking_associated_data(recipient, undertaking_id)
            ),
            "recorded_at": micros(self._at),
        }
        self._transaction.execute(_ADD, row)

    def recorded_undertaking(
        self, recipient: MemberCode, undertaking_id: UUID
    ) -> RecordedUndertaking | None:
        """Return a recipient's undertaking; None if there is none of this id."""
        values = {"recipient": recipient, "undertaking_id": undertaking_id.bytes}
        row = self._transaction.fetch_one(_ONE, values)
        if row is None:
            return None
        return RecordedUndertaking(recorded_at=instant(row[0]), ended=row[1] is not None)

    def end_undertaking(self, recipient: MemberCode, undertaking_id: UUID, ended_on: date) -> None:
        """Record that the employee stopped: the undertaking covers no request from this commit."""
        key = {"recipient": recipient, "undertaking_id": undertaking_id.bytes}
        self._track("undertaking_end", **key)
        row = {**key, "ended_on": ended_on.isoformat(), "ended_at": micros(self._at)}
        self._transaction.execute(_END, row)


def undertaking_associated_data(recipient: MemberCode, undertaking_id: bytes) -> bytes:
    """Return the associated data of the encrypted part of a row of `undertaking`."""
    return field_associated_data("undertaking", "sealed", recipient.encode(), undertaking_id)
