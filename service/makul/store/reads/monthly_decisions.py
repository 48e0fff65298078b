"""A recipient's month for its statement: each decision beside its ground (Procedure, cl. 11)."""

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache, partial
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, LargeBinary, and_, bindparam, func, or_, select, tuple_

from makul.app.ports import AgreementVersion, MonthDecision, PageRange, RecordedMonth
from makul.domain.disclosures import GroundKind, Operation, Outcome
from makul.domain.identifiers import MemberCode, Pin
from makul.domain.monthly_statements import (
    DISCLOSING,
    MAX_PAGE_LINES,
    GroundRecord,
    RecordedDecision,
)
from makul.domain.months import Period
from makul.language.translation import translate
from makul.store.db.base import QuerySource, Row
from makul.store.db.codecs import CodecError, codes_from_text, instant, micros, names_from_text
from makul.store.db.rows import build_row_reader
from makul.store.encryption.fields import FieldCipher, FieldDecryptionError
from makul.store.reads.subject_answers import read_answers
from makul.store.records.entry_rows import evidence_associated_data
from makul.store.records.private_fields import read_evidence
from makul.store.schema.ledger_tables import ledger_position
from makul.store.schema.record_tables import disclosure, evidence, repetition, revocation
from makul.store.schema.registry_tables import agreement, agreement_draft, agreement_signature
from makul.store.schema.usage_tables import ground_use

PAGE_ROWS = 500
"""Number of decisions read at once, with their documents: about 5 MB for a month of any size."""

_BEFORE_ALL = b"\xff" * 16
"""Sorts after every id.

With the microsecond before a month as the time, the next row is the first of the month.
"""

_OF_MONTH = and_(
    disclosure.c.recipient == bindparam("recipient"),
    disclosure.c.decided_at >= bindparam("begins"),
    disclosure.c.decided_at < bindparam("ends"),
)
_DISCLOSED = or_(*(disclosure.c.outcome == each.value for each in sorted(DISCLOSING)))

_SUBJECTS = select(func.count(disclosure.c.subject_index.distinct())).where(_OF_MONTH, _DISCLOSED)
_REPETITIONS = select(func.count()).where(
    repetition.c.recipient == bindparam("recipient"),
    repetition.c.repeated_at >= bindparam("begins"),
    repetition.c.repeated_at < bindparam("ends"),
)
_OWN = agreement.c.recipient == bindparam("recipient")
_AGREEMENT_CHANGES = (
    select(agreement.c.number, agreement.c.changed_at).where(_OWN),
    *(
        select(agreement.c.number, func.max(at))
        .select_from(agreement.join(table, table.c.number == agreement.c.number))
        .where(_OWN)
        .group_by(agreement.c.number)
        for table, at in (
            (agreement_draft, agreement_draft.c.drafted_at),
            (agreement_signature, agreement_signature.c.recorded_at),
        )
    ),
)
"""The times of changes of agreements. A clock may have been set back, so all of them count."""
_OWN_GROUND = and_(
    ground_use.c.recipient == disclosure.c.recipient,
    ground_use.c.kind == disclosure.c.ground_kind,
    ground_use.c.ground_id == disclosure.c.ground_id,
)
_USED_OFTEN = (
    select(disclosure.c.ground_kind, disclosure.c.ground_id, func.count().label("uses"))
    .where(_OF_MONTH, _DISCLOSED)
    .group_by(disclosure.c.ground_kind, disclosure.c.ground_id)
    .having(func.count() > 1)
    .subquery()
)
"""Most grounds are used once. They need no look at `ground_use`, which takes most of the time."""
_OVERUSED = select(_USED_OFTEN.c.ground_kind, _USED_OFTEN.c.ground_id).select_from(
    _USED_OFTEN.join(
        ground_use,
        and_(
            ground_use.c.recipient == bindparam("recipient"),
            ground_use.c.kind == _USED_OFTEN.c.ground_kind,
            ground_use.c.ground_id == _USED_OFTEN.c.ground_id,
            _USED_OFTEN.c.uses > ground_use.c.allowed,
        ),
    )
)
"""The grounds that the month used more often than they allow.

The database counts, so that no memory is needed for the grounds that fit.
"""

_PLACE = tuple_(disclosure.c.decided_at, disclosure.c.disclosure_id)
_AFTER = tuple_(bindparam("at", type_=BigInteger), bindparam("id", type_=LargeBinary))
_LAST = tuple_(bindparam("last_at", type_=BigInteger), bindparam("last_id", type_=LargeBinary))
_AFTER_PLACE = and_(
    disclosure.c.recipient == bindparam("recipient"),
    _AFTER < _PLACE,
    disclosure.c.decided_at >= bindparam("at", type_=BigInteger),
    disclosure.c.decided_at < bindparam("ends"),
)
"""What is after a time and id.

The separate conditions on time let PostgreSQL skip the partitions of other months.
"""
_PLACES = (
    select(disclosure.c.decided_at, disclosure.c.disclosure_id)
    .where(_AFTER_PLACE)
    .order_by(disclosure.c.decided_at, disclosure.c.disclosure_id)
    .limit(bindparam("limit"))
)
"""Reads only an index."""
_PAGE_USES = (
    select(disclosure.c.ground_kind, disclosure.c.ground_id, func.count())
    .where(_AFTER_PLACE, _PLACE <= _LAST, _DISCLOSED)
    .group_by(disclosure.c.ground_kind, disclosure.c.ground_id)
)
_DECISIONS = (
    select(
        disclosure.c.disclosure_id,
        disclosure.c.request_id,
        disclosure.c.subject_index,
        disclosure.c.operation,
        disclosure.c.outcome,
        disclosure.c.reasons,
        disclosure.c.released,
        disclosure.c.purpose,
        disclosure.c.agreement_number,
        disclosure.c.ground_kind,
        disclosure.c.ground_id,
        disclosure.c.ground_digest,
        disclosure.c.decided_at,
        disclosure.c.sealed,
        ledger_position.c.position,
        ground_use.c.digest.label("registered_digest"),
        ground_use.c.allowed,
        ground_use.c.revoked_at.label("revoked_by_operator"),
        revocation.c.revoked_at.label("revoked_by_subject"),
        evidence.c.sealed.label("document"),
    )
    .select_from(
        disclosure.outerjoin(
            ledger_position, ledger_position.c.disclosure_id == disclosure.c.disclosure_id
        )
        .outerjoin(ground_use, _OWN_GROUND)
        .outerjoin(
            revocation,
            and_(
                disclosure.c.ground_kind == GroundKind.CONSENT.value,
                revocation.c.recipient == disclosure.c.recipient,
                revocation.c.consent_id == disclosure.c.ground_id,
                revocation.c.subject_index == disclosure.c.subject_index,
            ),
        )
        .outerjoin(
            evidence,
            and_(
                evidence.c.recipient == disclosure.c.recipient,
                evidence.c.digest == disclosure.c.ground_digest,
                _DISCLOSED,
            ),
        )
    )
    .where(_AFTER_PLACE, _PLACE <= _LAST)
    .order_by(disclosure.c.decided_at, disclosure.c.disclosure_id)
    .limit(bindparam("limit"))
)
"""Reads a part of a page, after a time and id."""


class _MonthRow(NamedTuple):
    disclosure_id: bytes
    request_id: bytes
    subject_index: bytes | None
    operation: str
    outcome: str
    reasons: str
    released: str
    purpose: str | None
    agreement_number: str | None
    ground_kind: str | None
    ground_id: bytes | None
    ground_digest: bytes | None
    decided_at: int
    sealed: bytes
    position: int | None
    registered_digest: bytes | None
    allowed: int | None
    revoked_by_operator: int | None
    revoked_by_subject: int | None
    document: bytes | None


_read_month_row = build_row_reader(_DECISIONS, _MonthRow)

_read_codes = lru_cache(maxsize=1024)(codes_from_text)
_read_names = lru_cache(maxsize=1024)(names_from_text)
"""Few different lists of reasons and names occur in a month."""

_Ground = tuple[str | None, bytes | None]


@dataclass(frozen=True, slots=True)
class MonthReader:
    """Reads the decisions of a recipient with their grounds, page by page."""

    reader: QuerySource
    cipher: FieldCipher
    recipient: MemberCode

    def read_month(
        self,
        month: Period,
        agreement_versions: Mapping[str, Sequence[AgreementVersion]],
        *,
        at: datetime,
    ) -> RecordedMonth:
        """Return the recipient's month, or another period. `at` is the time of the reading.

        Memory does not grow with the number of its decisions. If the reader is a snapshot, all is
        of one moment.
        """
        values = {
            "recipient": self.recipient,
            "begins": micros(month.begins),
            "ends": micros(month.ends),
        }
        return RecordedMonth(
            subjects=_count(self.reader.fetch_one(_SUBJECTS, values)),
            repetitions=_count(self.reader.fetch_one(_REPETITIONS, values)),
            pages=self._plan_pages(month),
            read_page=self.read_page,
            agreements_changed_at=_agreement_changes(self.reader, self.recipient),
            agreement_versions=agreement_versions,
            answers=read_answers(self.reader, month, self.recipient),
            read_at=at,
        )

    def _plan_pages(self, month: Period) -> Iterator[PageRange]:
        """Yield the pages of a month. Each can be read by itself."""
        begins, ends = micros(month.begins), micros(month.ends)
        values: dict[str, object] = {"recipient": self.recipient, "begins": begins, "ends": ends}
        found = self.reader.fetch_all(_OVERUSED, values)
        overused = frozenset((kind, ground) for kind, ground in found)
        uses: Counter[_Ground] = Counter()
        after, number = (begins - 1, _BEFORE_ALL), 1
        while True:
            values |= {"at": after[0], "id": after[1], "limit": MAX_PAGE_LINES}
            places = self.reader.fetch_all(_PLACES, values)
            if not places:
                return
            last = (places[-1][0], bytes(places[-1][1]))
            before = self._count_uses(values, last, overused, uses) if overused else {}
            yield PageRange(
                number=number, after=after, last=last, lines=len(places), uses_before=before
            )
            after, number = last, number + 1

    def _count_uses(
        self,
        values: dict[str, object],
        last: tuple[int, bytes],
        overused: Collection[_Ground],
        uses: Counter[_Ground],
    ) -> dict[_Ground, int]:
        """Return the earlier uses of the overused grounds of a page, and add those of the page."""
        inside = values | {"last_at": last[0], "last_id": last[1]}
        counted = {
            (kind, ground): count
            for kind, ground, count in self.reader.fetch_all(_PAGE_USES, inside)
            if (kind, ground) in overused
        }
        before = {ground: uses[ground] for ground in counted}
        uses.update(counted)
        return before

    def read_page(self, page: PageRange) -> Iterator[MonthDecision]:
        """Yield the decisions of a page, the earliest first."""
        uses = Counter(page.uses_before)
        values: dict[str, object] = {
            "recipient": self.recipient,
            "at": page.after[0],
            "id": page.after[1],
            "last_at": page.last[0],
            "last_id": page.last[1],
            "ends": page.last[0] + 1,
            "limit": PAGE_ROWS,
        }
        while True:
            rows = [_read_month_row(row) for row in self.reader.fetch_all(_DECISIONS, values)]
            for row in rows:
                ground = (row.ground_kind, row.ground_id)
                yield _decision_from_row(self.cipher, self.recipient, row, uses[ground])
                if ground in page.uses_before and row.outcome in DISCLOSING:
                    uses[ground] += 1
            if len(rows) < PAGE_ROWS:
                return
            values |= {"at": rows[-1].decided_at, "id": rows[-1].disclosure_id}


def _agreement_changes(reader: QuerySource, recipient: MemberCode) -> Mapping[str, datetime]:
    changes: dict[str, int] = {}
    for statement in _AGREEMENT_CHANGES:
        for number, at in reader.fetch_all(statement, {"recipient": recipient}):
            changes[number] = max(at, changes.get(number, at))
    return {number: instant(at) for number, at in changes.items()}


def _count(row: Row | None) -> int:
    return int(row[0]) if row is not None else 0


def _decision_from_row(
    cipher: FieldCipher, recipient: MemberCode, row: _MonthRow, uses_before: int
) -> MonthDecision:
    try:
        private = read_evidence(cipher, row.disclosure_id, row.sealed)
        decision = RecordedDecision(
            disclosure_id=UUID(bytes=row.disclosure_id),
            recipient=recipient,
            decided_at=instant(row.decided_at),
            request_id=UUID(bytes=row.request_id),
            operation=Operation(row.operation),
            outcome=Outcome(row.outcome),
            codes=_read_codes(row.reasons),
            attributes=_read_names(row.released),
            purpose=row.purpose,
            agreement_number=row.agreement_number,
            ground_kind=row.ground_kind,
            ground_digest=row.ground_digest,
            receipt_digest=sha256(private.receipt).digest(),
        )
    except ValueError:
        raise CodecError(translate("a decision does not read back")) from None
    return MonthDecision(
        decision=decision,
        leaf_index=row.position,
        ground=_ground_from_row(row, uses_before),
        document=_decrypt_document(cipher, recipient, row),
        report=private.committed_report(row.ground_digest),
        is_about=partial(_is_about, cipher, row.subject_index),
    )


def _is_about(cipher: FieldCipher, subject_index: bytes | None, subject: Pin | None) -> bool:
    index = None if subject is None else cipher.index("pin", subject.digits)
    return index == subject_index


def _ground_from_row(row: _MonthRow, uses_before: int) -> GroundRecord | None:
    if row.registered_digest is None or row.allowed is None:
        return None
    revoked = [at for at in (row.revoked_by_operator, row.revoked_by_subject) if at is not None]
    return GroundRecord(
        digest=row.registered_digest,
        revoked_at=instant(min(revoked)) if revoked else None,
        uses_before=uses_before,
        allowed=row.allowed,
    )


def _decrypt_document(cipher: FieldCipher, recipient: str, row: _MonthRow) -> bytes | None:
    if row.document is None or row.ground_digest is None:
        return None
    try:
        return cipher.decrypt(row.document, evidence_associated_data(recipient, row.ground_digest))
    except FieldDecryptionError:
        # This document was altered or moved. The statement must say so, and list the others.
        return None
