"""The rows of corrections that acts read and change, in the act's transaction (cl. 14)."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, insert, select, update

from makul.domain.attributes import Attribute
from makul.domain.corrections import Correction, CorrectionOrigin, CorrectionState, Recall
from makul.domain.disclosures import Outcome
from makul.domain.identifiers import MemberCode, Pin
from makul.store.admin.act_rows import ActRows
from makul.store.db.codecs import micros
from makul.store.reads.corrections import (
    PrivateReport,
    encrypt_report,
    find_correction,
    list_open_of_attribute,
    list_own_open,
    list_recalls,
    read_report,
    subject_index_of,
)
from makul.store.records.private_fields import open_private
from makul.store.schema.correction_tables import correction, correction_recall
from makul.store.schema.record_tables import disclosure

_GAVE = select(disclosure.c.released, disclosure.c.sealed).where(
    disclosure.c.disclosure_id == bindparam("disclosure_id"),
    disclosure.c.recipient == bindparam("recipient"),
    disclosure.c.outcome == Outcome.RELEASED.value,
)
_ADD = insert(correction)
_THIS = correction.c.correction_id == bindparam("key_correction_id")
_SET_STATE = (
    update(correction)
    .where(_THIS)
    .values(
        state=bindparam("state"),
        changed_at=bindparam("changed_at"),
        acknowledge_by=bindparam("acknowledge_by"),
    )
)
_ENTER = (
    update(correction)
    .where(_THIS)
    .values(
        entered_at=bindparam("entered_at"),
        wrong_since=bindparam("wrong_since"),
        changed_at=bindparam("changed_at"),
        sealed=bindparam("sealed"),
    )
)
_RECALL = insert(correction_recall)
_ACKNOWLEDGE = (
    update(correction_recall)
    .where(
        correction_recall.c.correction_id == bindparam("key_correction_id"),
        correction_recall.c.recipient == bindparam("key_recipient"),
    )
    .values(acknowledged_at=bindparam("acknowledged_at"))
)


class CorrectionRows(ActRows):
    """The part of an act's rows that belongs to corrections."""

    def subject_given(
        self, recipient: MemberCode, disclosure_id: UUID, attribute: Attribute
    ) -> Pin | None:
        """Return the person of a disclosure that gave this recipient this attribute, or None."""
        key = {"disclosure_id": disclosure_id.bytes, "recipient": recipient}
        row = self._transaction.fetch_one(_GAVE, key)
        if row is None or f'"{attribute.value}"' not in row[0]:
            return None
        return open_private(self._cipher, disclosure_id.bytes, row[1]).subject

    def own_open(
        self, subject: Pin, origin: CorrectionOrigin, reporter: MemberCode
    ) -> frozenset[Attribute]:
        """Return the attributes of a person that this party has reported without a result yet."""
        return list_own_open(self._transaction, self._subject_index(subject), origin, reporter)

    def add_report(
        self, new: Correction, subject: Pin, justification: str, proposed: str | None
    ) -> None:
        """Record a new report."""
        self._track("correction", correction_id=new.correction_id.bytes)
        report = PrivateReport(subject=subject, justification=justification, proposed=proposed)
        row = {
            "correction_id": new.correction_id.bytes,
            "subject_index": self._subject_index(subject),
            "attribute": new.attribute.value,
            "kind": new.kind.value,
            "origin": new.origin.value,
            "reporter": new.reporter,
            "state": new.state.value,
            "reported_at": micros(new.reported_at),
            "examine_by": micros(new.examine_by),
            "resolve_by": micros(new.resolve_by),
            "changed_at": micros(new.changed_at),
            "entered_at": None,
            "wrong_since": None,
            "acknowledge_by": None,
            "sealed": encrypt_report(self._cipher, new.correction_id, report),
        }
        self._transaction.execute(_ADD, row)

    def correction(self, correction_id: UUID) -> Correction | None:
        """Return a report; None if there is none."""
        return find_correction(self._transaction, correction_id)

    def examined_together(self, found: Correction) -> Sequence[Correction]:
        """Return every open report of the same attribute of the same person."""
        index = subject_index_of(self._transaction, found.correction_id)
        ids = list_open_of_attribute(self._transaction, index, found.attribute)
        reports = (find_correction(self._transaction, each) for each in ids)
        return [each for each in reports if each is not None]

    def set_correction_state(
        self,
        together: Sequence[Correction],
        state: CorrectionState,
        acknowledge_by: datetime | None = None,
    ) -> None:
        """Set the state of reports that are examined together, from this commit on."""
        for each in together:
            self._track("correction", correction_id=each.correction_id.bytes)
            values = {
                "key_correction_id": each.correction_id.bytes,
                "state": state.value,
                "changed_at": micros(self._at),
                "acknowledge_by": micros(acknowledge_by) if acknowledge_by is not None else None,
            }
            self._transaction.execute(_SET_STATE, values)

    def enter_value(
        self, together: Sequence[Correction], wrong_since: datetime | None, who: str
    ) -> None:
        """Record that a new value was entered for these reports, and by whom."""
        for each in together:
            self._track("correction", correction_id=each.correction_id.bytes)
            report = read_report(self._transaction, self._cipher, each.correction_id)
            entered = PrivateReport(
                subject=report.subject,
                justification=report.justification,
                proposed=report.proposed,
                entered_by=who,
            )
            values = {
                "key_correction_id": each.correction_id.bytes,
                "entered_at": micros(self._at),
                "wrong_since": micros(wrong_since) if wrong_since is not None else None,
                "changed_at": micros(self._at),
                "sealed": encrypt_report(self._cipher, each.correction_id, entered),
            }
            self._transaction.execute(_ENTER, values)

    def recall_from(self, correction_id: UUID, recipient: MemberCode) -> None:
        """Record that a recipient was given the wrong value."""
        key = {"correction_id": correction_id.bytes, "recipient": recipient}
        self._track("correction_recall", **key)
        self._transaction.execute(_RECALL, {**key, "acknowledged_at": None})

    def recall(self, correction_id: UUID, recipient: MemberCode) -> Recall | None:
        """Return the recall of a recipient; None unless the correction was named to it."""
        found = self.correction(correction_id)
        if found is None or found.state is not CorrectionState.CORRECTED:
            return None
        recalls = list_recalls(self._transaction, correction_id)
        own = [each for each in recalls if each.recipient == recipient]
        return own[0] if own else None

    def acknowledge_correction(self, recall: Recall) -> None:
        """Record that the recipient no longer uses the wrong value."""
        key = {"correction_id": recall.correction_id.bytes, "recipient": recall.recipient}
        self._track("correction_recall", **key)
        values = {f"key_{name}": value for name, value in key.items()}
        self._transaction.execute(_ACKNOWLEDGE, {**values, "acknowledged_at": micros(self._at)})

    def _subject_index(self, subject: Pin) -> bytes:
        return self._cipher.index("pin", subject.digits)
