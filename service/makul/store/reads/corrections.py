"""Reads of corrections, and of the disclosures that gave a wrong value (Procedure, cl. 14)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import and_, bindparam, func, literal, literal_column, or_, select

from makul.app.ports.corrections import CorrectionView
from makul.domain.attributes import Attribute
from makul.domain.corrections import (
    Correction,
    CorrectionKind,
    CorrectionOrigin,
    CorrectionState,
    Recall,
)
from makul.domain.disclosures import Outcome
from makul.domain.identifiers import MalformedIdentifierError, MemberCode, Pin
from makul.language.translation import translate
from makul.store.db.base import Database, Row, Transaction
from makul.store.db.codecs import CodecError, instant, micros, only, pack, unpack
from makul.store.db.rows import build_row_reader
from makul.store.encryption.fields import FieldCipher, field_associated_data
from makul.store.schema.correction_tables import correction, correction_recall
from makul.store.schema.record_tables import disclosure

Source = Database | Transaction

MAX_LISTED = 1000
"""Maximum number of corrections, or of disclosures of one, in an answer."""
MAX_NAMED = 100
"""Maximum number of corrections that an answer about a person names (recipient.xsd)."""

_BLANK: Any = literal_column("' '")
"""A separator in the text of the statement: SQLAlchemy would add it only at execution."""
_OPEN = or_(
    correction.c.state == CorrectionState.REPORTED.value,
    correction.c.state == CorrectionState.DISPUTED.value,
)
_COLUMNS = select(
    *(each for each in correction.columns if each.name not in ("sealed", "subject_index"))
)
_ALL = _COLUMNS.order_by(correction.c.changed_at.desc(), correction.c.correction_id).limit(
    MAX_LISTED
)
_ALL_OPEN = (
    _COLUMNS.where(_OPEN)
    .order_by(correction.c.resolve_by, correction.c.correction_id)
    .limit(MAX_LISTED)
)
"""The most urgent first: many new reports must not hide those that are late."""
_ONE = _ALL.where(correction.c.correction_id == bindparam("correction_id"))
_OF_SUBJECT = _ALL.where(
    correction.c.subject_index == bindparam("subject_index"),
    correction.c.origin == CorrectionOrigin.SUBJECT.value,
)
_NAMED_TO = and_(
    correction_recall.c.correction_id == correction.c.correction_id,
    correction_recall.c.recipient == bindparam("recipient"),
    correction.c.state == CorrectionState.CORRECTED.value,
)
_OF_RECIPIENT = _ALL.where(
    or_(
        and_(
            correction.c.reporter == bindparam("recipient"),
            correction.c.origin == CorrectionOrigin.RECIPIENT.value,
        ),
        select(literal(1)).where(_NAMED_TO).correlate(correction).exists(),
    )
)
_ONE_OF_RECIPIENT = _OF_RECIPIENT.where(correction.c.correction_id == bindparam("correction_id"))
_RECALLS = (
    select(
        correction_recall.c.correction_id,
        correction_recall.c.recipient,
        correction_recall.c.acknowledged_at,
    )
    .where(correction_recall.c.correction_id == bindparam("correction_id"))
    .order_by(correction_recall.c.recipient)
)
_PENDING = (
    select(correction.c.correction_id)
    .join(correction_recall, _NAMED_TO)
    .where(correction_recall.c.acknowledged_at.is_(None))
    .order_by(correction.c.changed_at, correction.c.correction_id)
)
_NAMED = _PENDING.limit(MAX_NAMED)
HAS_PENDING = (
    select(func.count())
    .select_from(correction.join(correction_recall, _NAMED_TO))
    .where(correction_recall.c.acknowledged_at.is_(None))
    .scalar_subquery()
)
"""The number of corrections that the recipient `recipient` must still acknowledge."""
_PRIVATE = select(correction.c.sealed).where(correction.c.correction_id == bindparam("id"))
_OWN_OPEN = (
    select(correction.c.attribute)
    .where(
        correction.c.subject_index == bindparam("subject_index"),
        correction.c.origin == bindparam("origin"),
        correction.c.reporter == bindparam("reporter"),
    )
    .where(_OPEN)
)
_OF_ATTRIBUTE = (
    select(correction.c.correction_id)
    .where(
        correction.c.subject_index == bindparam("subject_index"),
        correction.c.attribute == bindparam("attribute"),
    )
    .where(_OPEN)
    .order_by(correction.c.correction_id)
)
_SUBJECT_OF = select(correction.c.subject_index).where(
    correction.c.correction_id == bindparam("correction_id")
)
_GIVEN = (
    select(disclosure.c.recipient, disclosure.c.disclosure_id, disclosure.c.released)
    .where(
        disclosure.c.subject_index == bindparam("subject_index"),
        disclosure.c.outcome == Outcome.RELEASED.value,
        disclosure.c.decided_at >= bindparam("since"),
        disclosure.c.decided_at < bindparam("until"),
    )
    .order_by(disclosure.c.decided_at, disclosure.c.disclosure_id)
)
_GIVEN_TO = _GIVEN.where(disclosure.c.recipient == bindparam("recipient"))
_DISPUTED = (
    select(func.aggregate_strings(correction.c.attribute, _BLANK))
    .where(
        correction.c.subject_index == bindparam("pin_index"),
        correction.c.state == CorrectionState.DISPUTED.value,
    )
    .scalar_subquery()
)


class _CorrectionRow(NamedTuple):
    correction_id: bytes
    attribute: str
    kind: str
    origin: str
    reporter: str
    state: str
    reported_at: int
    examine_by: int
    resolve_by: int
    changed_at: int
    entered_at: int | None
    wrong_since: int | None
    acknowledge_by: int | None


_read = build_row_reader(_ALL, _CorrectionRow)


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class PrivateReport:
    """The encrypted part of a report. Its repr shows nothing."""

    subject: Pin
    justification: str
    proposed: str | None
    entered_by: str | None = None
    """The operator who entered the new value."""


def find_correction(source: Source, correction_id: UUID) -> Correction | None:
    """Return a report; None if there is none."""
    row = source.fetch_one(_ONE, {"correction_id": correction_id.bytes})
    return correction_from_row(row) if row is not None else None


def list_corrections(source: Source, *, open_only: bool = False) -> Sequence[Correction]:
    """Return the reports, the one that changed last first; or the open ones by their deadline."""
    rows = source.fetch_all(_ALL_OPEN if open_only else _ALL, {})
    return [correction_from_row(row) for row in rows]


def list_own_reports(source: Source, subject_index: bytes) -> Sequence[Correction]:
    """Return the reports of a citizen about themselves. Those of recipients are not among them."""
    rows = source.fetch_all(_OF_SUBJECT, {"subject_index": subject_index})
    return [correction_from_row(row) for row in rows]


def list_corrections_for(
    source: Source, recipient: MemberCode, correction_id: UUID | None = None
) -> Sequence[Correction]:
    """Return the reports of a recipient, and the corrections that are named to it; or only one."""
    if correction_id is None:
        rows = source.fetch_all(_OF_RECIPIENT, {"recipient": recipient})
    else:
        one = {"recipient": recipient, "correction_id": correction_id.bytes}
        rows = source.fetch_all(_ONE_OF_RECIPIENT, one)
    return [correction_from_row(row) for row in rows]


def list_recalls(source: Source, correction_id: UUID) -> Sequence[Recall]:
    """Return the recipients that were given the wrong value, by code."""
    rows = source.fetch_all(_RECALLS, {"correction_id": correction_id.bytes})
    return [
        Recall(
            correction_id=UUID(bytes=each_id),
            recipient=MemberCode(recipient),
            acknowledged_at=_instant(acknowledged),
        )
        for each_id, recipient, acknowledged in rows
    ]


def list_pending(source: Source, recipient: MemberCode) -> tuple[UUID, ...]:
    """Return the corrections that a recipient must still acknowledge, the earliest first."""
    rows = source.fetch_all(_NAMED, {"recipient": recipient})
    return tuple(UUID(bytes=row[0]) for row in rows)


def list_own_open(
    source: Source, subject_index: bytes, origin: CorrectionOrigin, reporter: MemberCode
) -> frozenset[Attribute]:
    """Return the attributes of a person that this party has reported, without a result yet.

    A citizen is another party at each portal (decision 57).
    """
    values = {"subject_index": subject_index, "origin": origin.value, "reporter": reporter}
    return frozenset(Attribute(row[0]) for row in source.fetch_all(_OWN_OPEN, values))


def list_open_of_attribute(
    source: Source, subject_index: bytes, attribute: Attribute
) -> Sequence[UUID]:
    """Return every open report of an attribute of a person: they are examined together."""
    values = {"subject_index": subject_index, "attribute": attribute.value}
    return [UUID(bytes=row[0]) for row in source.fetch_all(_OF_ATTRIBUTE, values)]


def subject_index_of(source: Source, correction_id: UUID) -> bytes:
    """Return the blind index of the person of a report. Raises `CodecError`."""
    row = source.fetch_one(_SUBJECT_OF, {"correction_id": correction_id.bytes})
    if row is None:
        raise CodecError(translate("a correction does not read back"))
    return bytes(row[0])


def list_given(
    source: Source,
    subject_index: bytes,
    attribute: Attribute,
    *,
    since: datetime,
    until: datetime,
    recipient: MemberCode | None = None,
) -> Sequence[tuple[MemberCode, UUID]]:
    """Return who was given an attribute of a person in a period, and by which disclosures."""
    values: dict[str, object] = {
        "subject_index": subject_index,
        "since": micros(since),
        "until": micros(until),
    }
    if recipient is not None:
        values["recipient"] = recipient
    rows = source.fetch_all(_GIVEN if recipient is None else _GIVEN_TO, values)
    name = f'"{attribute.value}"'
    return [(MemberCode(to), UUID(bytes=which)) for to, which, released in rows if name in released]


def read_report(source: Source, cipher: FieldCipher, correction_id: UUID) -> PrivateReport:
    """Decrypt a report. Raises `FieldDecryptionError` or `CodecError`."""
    row = source.fetch_one(_PRIVATE, {"id": correction_id.bytes})
    if row is None:
        raise CodecError(translate("a correction does not read back"))
    header, _ = unpack(cipher.decrypt(row[0], _associated_data(correction_id)))
    only(header, "v", "pin", "justification", "proposed", "enteredBy")
    match header:
        case {
            "v": 1,
            "pin": str() as pin,
            "justification": str() as justification,
            "proposed": str() | None as proposed,
            "enteredBy": str() | None as entered_by,
        }:
            try:
                subject = Pin(pin)
            except MalformedIdentifierError:
                raise CodecError(translate("a correction does not read back")) from None
            return PrivateReport(
                subject=subject,
                justification=justification,
                proposed=proposed,
                entered_by=entered_by,
            )
    raise CodecError(translate("a correction does not read back"))


def encrypt_report(cipher: FieldCipher, correction_id: UUID, report: PrivateReport) -> bytes:
    """Encrypt the private part of a report."""
    header = {
        "v": 1,
        "pin": report.subject.digits,
        "justification": report.justification,
        "proposed": report.proposed,
        "enteredBy": report.entered_by,
    }
    return cipher.encrypt(pack(header, []), _associated_data(correction_id))


def correction_from_row(row: Row) -> Correction:
    """Build a report from its columns. Raises `CodecError`."""
    found = _read(row)
    try:
        return Correction(
            correction_id=UUID(bytes=found.correction_id),
            attribute=Attribute(found.attribute),
            kind=CorrectionKind(found.kind),
            origin=CorrectionOrigin(found.origin),
            reporter=MemberCode(found.reporter),
            state=CorrectionState(found.state),
            reported_at=instant(found.reported_at),
            examine_by=instant(found.examine_by),
            resolve_by=instant(found.resolve_by),
            changed_at=instant(found.changed_at),
            entered_at=_instant(found.entered_at),
            wrong_since=_instant(found.wrong_since),
            acknowledge_by=_instant(found.acknowledge_by),
        )
    except ValueError:
        raise CodecError(translate("a correction does not read back")) from None


DISPUTED_ATTRIBUTES = _DISPUTED
"""The disputed attributes of the person `pin_index`, separated by blanks; NULL if there is none."""


def _instant(value: int | None) -> datetime | None:
    return instant(value) if value is not None else None


def _associated_data(correction_id: UUID) -> bytes:
    return field_associated_data("correction", "sealed", correction_id.bytes)


class StoreCorrectionReader:
    """The implementation of `ports.corrections.CorrectionReader`."""

    def __init__(self, database: Database, cipher: FieldCipher) -> None:
        self._database = database
        self._cipher = cipher

    def corrections_for(
        self, recipient: MemberCode, correction_id: UUID | None
    ) -> Sequence[CorrectionView]:
        """Return the reports of a recipient, and the corrections that are named to it."""
        return [
            self._for_recipient(each, recipient)
            for each in list_corrections_for(self._database, recipient, correction_id)
        ]

    def own_reports(self, subject: Pin) -> Sequence[CorrectionView]:
        """Return a citizen's own reports. Nothing in them depends on anybody else."""
        index = self._cipher.index("pin", subject.digits)
        return [CorrectionView(correction=each) for each in list_own_reports(self._database, index)]

    def all_corrections(self, *, open_only: bool) -> Sequence[CorrectionView]:
        """Return all reports, with the recipients that were given the wrong values."""
        return [
            CorrectionView(
                correction=each, recalls=list_recalls(self._database, each.correction_id)
            )
            for each in list_corrections(self._database, open_only=open_only)
        ]

    def _for_recipient(self, found: Correction, recipient: MemberCode) -> CorrectionView:
        if found.state is not CorrectionState.CORRECTED:
            return CorrectionView(correction=found)
        recalls = list_recalls(self._database, found.correction_id)
        own = next((each for each in recalls if each.recipient == recipient), None)
        if own is None or found.wrong_since is None or found.entered_at is None:
            return CorrectionView(correction=found)
        given = list_given(
            self._database,
            subject_index_of(self._database, found.correction_id),
            found.attribute,
            since=found.wrong_since,
            until=found.entered_at,
            recipient=recipient,
        )
        disclosures = [which for _, which in given[:MAX_LISTED]]
        return CorrectionView(correction=found, own_recall=own, own_disclosures=disclosures)
