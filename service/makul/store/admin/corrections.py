"""The operator's work on corrections: examine, enter a value, resolve (Procedure, cl. 14)."""

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, select

from makul.app.ports import OperatorRegistryError
from makul.app.ports.corrections import CorrectionView, ReportForOperator
from makul.domain.attributes import Attribute
from makul.domain.corrections import (
    Correction,
    CorrectionOrigin,
    CorrectionOutcome,
    CorrectionState,
    CorrectionTerms,
    RecordVersion,
    ResolutionCase,
    find_wrong_since,
    judge_dispute,
    judge_entry,
    judge_resolution,
)
from makul.domain.identifiers import MemberCode
from makul.domain.persons import Person
from makul.domain.reasons import Code, Reason
from makul.language.translation import mark, translate
from makul.store.admin.correction_rights import CorrectionRows
from makul.store.admin.unit_of_work import RegistryUnitOfWork
from makul.store.db.base import Transaction
from makul.store.db.codecs import instant
from makul.store.reads.corrections import (
    find_correction,
    list_corrections,
    list_given,
    list_recalls,
    read_report,
    subject_index_of,
)
from makul.store.records.acts import PendingAct
from makul.store.records.person_codec import person_associated_data, person_from_bytes
from makul.store.records.persons import add_version, read_current
from makul.store.schema.person_tables import person

_VERSIONS = (
    select(person.c.version, person.c.sealed, person.c.recorded_at)
    .where(person.c.pin_index == bindparam("pin_index"))
    .order_by(person.c.version)
)

_REFUSED = {
    Code.OVR_06: mark("there is no such report; see: makul correction list"),
    Code.OVR_02: mark("the state of this report does not allow that; see: makul correction show"),
    Code.OVR_05: mark("another person must confirm the value that you entered"),
}


class StoreCorrectionDesk:
    """The implementation of `ports.corrections.CorrectionDesk` for one operator."""

    def __init__(self, unit_of_work: RegistryUnitOfWork) -> None:
        self._office = unit_of_work

    def everything(self, *, open_only: bool) -> Sequence[CorrectionView]:
        """Return all reports, the one that changed last first."""
        source = self._office.database
        return [
            CorrectionView(correction=each, recalls=list_recalls(source, each.correction_id))
            for each in list_corrections(source, open_only=open_only)
        ]

    def find(self, correction_id: UUID) -> CorrectionView | None:
        """Return a report without its person; None if there is none."""
        source = self._office.database
        found = find_correction(source, correction_id)
        if found is None:
            return None
        return CorrectionView(correction=found, recalls=list_recalls(source, correction_id))

    def read(self, correction_id: UUID, *, reason: str, at: datetime) -> ReportForOperator | None:
        """Return a report with its person; the access is recorded first (cl. 13, 16)."""
        with self._office.begin() as transaction:
            found = find_correction(transaction, correction_id)
            index = subject_index_of(transaction, correction_id) if found is not None else None
            facts = {"reason": reason, "found": found is not None}
            target = str(correction_id)
            self._office.log.write(
                transaction, "correction.look", target, facts, at=at, subject_index=index
            )
        if found is None:
            return None
        source = self._office.database
        report = read_report(source, self._office.cipher, correction_id)
        return ReportForOperator(
            view=CorrectionView(correction=found, recalls=list_recalls(source, correction_id)),
            subject=report.subject,
            justification=report.justification,
            proposed=report.proposed,
        )

    def dispute(self, correction_id: UUID, *, reason: str, at: datetime) -> Correction:
        """Begin the examination: from the commit on the attribute is withheld (REL-02)."""
        with self._office.begin() as transaction:
            act, rows = self._rows(transaction, at)
            found = _require(rows.correction(correction_id), judge_dispute)
            # A report that is disputed already stays as it is, so its party sees no other.
            waiting = [each for each in rows.examined_together(found) if not judge_dispute(each)]
            rows.set_correction_state(waiting, CorrectionState.DISPUTED)
            facts = {"attribute": found.attribute.value, "reason": reason}
            act.write("correction.dispute", str(correction_id), facts, at=at)
            return _require(rows.correction(correction_id))

    def enter(
        self,
        correction_id: UUID,
        change: Callable[[Person], Person],
        *,
        reason: str,
        at: datetime,
    ) -> Sequence[MemberCode]:
        """Enter a new value as a new version; return who was given the wrong one.

        The report stays disputed until another person confirms the value.
        """
        cipher = self._office.cipher
        with self._office.begin() as transaction:
            act, rows = self._rows(transaction, at)
            found = _require(rows.correction(correction_id))
            together = rows.examined_together(found)
            _require(found, lambda each: judge_entry(each, together))
            index = subject_index_of(transaction, correction_id)
            before = read_current(transaction, cipher, index)
            if before is None:
                raise OperatorRegistryError(translate("the register holds no such person"))
            since = self._wrong_since(transaction, index, before, found.attribute)
            if not add_version(transaction, cipher, change(before), at):
                raise OperatorRegistryError(
                    translate("this value is held already: the correction would change nothing")
                )
            rows.enter_value(together, since, self._office.log.who)
            given = list_given(transaction, index, found.attribute, since=since, until=at)
            recipients = sorted({recipient for recipient, _ in given})
            for recipient in recipients:
                rows.recall_from(_id_for(recipient, found, together), recipient)
            facts = {
                "attribute": found.attribute.value,
                "recipients": len(recipients),
                "reason": reason,
            }
            act.write("correction.enter", str(correction_id), facts, at=at)
        return recipients

    def resolve(
        self,
        correction_id: UUID,
        outcome: CorrectionOutcome,
        terms: CorrectionTerms,
        *,
        operator: MemberCode,
        reason: str,
        at: datetime,
    ) -> Correction:
        """Confirm the value that another operator entered, or reject the report."""
        with self._office.begin() as transaction:
            act, rows = self._rows(transaction, at)
            found = _require(rows.correction(correction_id))
            together = rows.examined_together(found)
            entered_by = {
                read_report(transaction, self._office.cipher, each.correction_id).entered_by
                for each in together
            }
            case = ResolutionCase(
                correction=found,
                together=together,
                outcome=outcome,
                party=operator,
                entered_by_same=self._office.log.who in entered_by,
            )
            _require(found, lambda _: judge_resolution(case))
            corrected = outcome is CorrectionOutcome.CORRECTED
            due = at + terms.acknowledge_within if corrected else None
            rows.set_correction_state(together, CorrectionState(outcome.value), due)
            facts = {"outcome": outcome.value, "reason": reason}
            act.write("correction.resolve", str(correction_id), facts, at=at)
            return _require(rows.correction(correction_id))

    def _rows(self, transaction: Transaction, at: datetime) -> tuple[PendingAct, CorrectionRows]:
        act = self._office.act(transaction)
        return act, CorrectionRows(transaction, self._office.cipher, act, at=at)

    def _wrong_since(
        self, transaction: Transaction, index: bytes, current: Person, attribute: Attribute
    ) -> datetime:
        """Return from when on the record held the value that it holds now."""
        wrong = _value_of(current, attribute)
        cipher = self._office.cipher
        versions = [
            RecordVersion(
                recorded_at=instant(recorded_at),
                holds_wrong_value=_value_of(
                    person_from_bytes(
                        cipher.decrypt(sealed, person_associated_data(index, version)), version
                    ),
                    attribute,
                )
                == wrong,
            )
            for version, sealed, recorded_at in transaction.fetch_all(
                _VERSIONS, {"pin_index": index}
            )
        ]
        since = find_wrong_since(versions)
        if since is None:
            raise OperatorRegistryError(translate("the register holds no such person"))
        return since


def _id_for(recipient: MemberCode, found: Correction, together: Sequence[Correction]) -> UUID:
    """Return the report by which a recipient is informed: its own, if it made one.

    The id of another's report would show it that another reported.
    """
    own = (
        each.correction_id
        for each in together
        if each.reporter == recipient and each.origin is CorrectionOrigin.RECIPIENT
    )
    return next(own, found.correction_id)


def _value_of(record: Person, attribute: Attribute) -> object:
    sample = record.samples.get(attribute)
    return sample if sample is not None else record.values.get(attribute)


def _require(
    found: Correction | None,
    judge: Callable[[Correction | None], tuple[Reason, ...]] = lambda _: (),
) -> Correction:
    """Return a report that a rule allows to change. Raises `OperatorRegistryError`."""
    reasons = judge(found) if found is not None else (Reason(code=Code.OVR_06),)
    if found is None or reasons:
        raise OperatorRegistryError(translate(_REFUSED[reasons[0].code]))
    return found
