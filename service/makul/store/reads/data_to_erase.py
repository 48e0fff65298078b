"""Decisions that released data which the recipient has not attested as erased (cl. 15)."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import BigInteger, LargeBinary, bindparam, exists, select, tuple_

from makul.app.ports.secrecy import ReleasedData
from makul.domain.disclosures import GroundKind, Outcome
from makul.domain.identifiers import MemberCode
from makul.store.db.base import Database, Row
from makul.store.db.codecs import instant
from makul.store.db.rows import build_row_reader
from makul.store.encryption.fields import FieldCipher, FieldDecryptionError
from makul.store.records.entry_rows import evidence_associated_data
from makul.store.schema.record_tables import disclosure, evidence
from makul.store.schema.secrecy_tables import deletion_attestation
from makul.store.schema.usage_tables import ground_use

_OWN = (
    disclosure.c.recipient == bindparam("recipient"),
    disclosure.c.outcome == Outcome.RELEASED.value,
)
_AFTER = select(disclosure.c.decided_at).where(
    disclosure.c.disclosure_id == bindparam("disclosure_id"),
    disclosure.c.recipient == bindparam("recipient"),
)
_RELEASED = (
    select(
        disclosure.c.disclosure_id,
        disclosure.c.decided_at,
        disclosure.c.ground_kind,
        disclosure.c.ground_digest,
        evidence.c.sealed,
        ground_use.c.valid_to,
    )
    .select_from(
        disclosure.outerjoin(
            evidence,
            (evidence.c.recipient == disclosure.c.recipient)
            & (evidence.c.digest == disclosure.c.ground_digest),
        ).outerjoin(
            ground_use,
            (ground_use.c.recipient == disclosure.c.recipient)
            & (ground_use.c.kind == disclosure.c.ground_kind)
            & (ground_use.c.ground_id == disclosure.c.ground_id),
        )
    )
    .where(
        *_OWN,
        ~exists().where(deletion_attestation.c.disclosure_id == disclosure.c.disclosure_id),
        tuple_(bindparam("at", type_=BigInteger), bindparam("id", type_=LargeBinary))
        < tuple_(disclosure.c.decided_at, disclosure.c.disclosure_id),
        disclosure.c.decided_at >= bindparam("at", type_=BigInteger),
    )
    .order_by(disclosure.c.decided_at, disclosure.c.disclosure_id)
    .limit(bindparam("limit"))
)


class _ReleasedRow(NamedTuple):
    disclosure_id: bytes
    decided_at: int
    ground_kind: str | None
    ground_digest: bytes | None
    sealed: bytes | None
    valid_to: int | None


_read_row = build_row_reader(_RELEASED, _ReleasedRow)


def list_released_data(
    database: Database,
    cipher: FieldCipher,
    recipient: MemberCode,
    after: UUID | None,
    limit: int,
) -> Sequence[ReleasedData] | None:
    """Return a page of decisions, the earliest first.

    `after` is the last decision of the page before, which may be attested meanwhile. Return None if
    it is no decision of this recipient.
    """
    at, last = 0, b""
    if after is not None:
        row = database.fetch_one(_AFTER, {"recipient": recipient, "disclosure_id": after.bytes})
        if row is None:
            return None
        at, last = row[0], after.bytes
    values = {"recipient": recipient, "at": at, "id": last, "limit": limit}
    return [
        _released_from_row(cipher, recipient, row) for row in database.fetch_all(_RELEASED, values)
    ]


def _released_from_row(cipher: FieldCipher, recipient: MemberCode, row: Row) -> ReleasedData:
    found = _read_row(row)
    by_consent = found.ground_kind == GroundKind.CONSENT
    ends = instant(found.valid_to) if found.valid_to is not None and not by_consent else None
    return ReleasedData(
        disclosure_id=UUID(bytes=found.disclosure_id),
        decided_at=instant(found.decided_at),
        consent=_document(cipher, recipient, found) if by_consent else None,
        basis_ends=ends,
    )


def _document(cipher: FieldCipher, recipient: MemberCode, row: _ReleasedRow) -> bytes:
    """Return the consent, or nothing in its place if it is missing or does not decrypt."""
    if row.sealed is None or row.ground_digest is None:
        return b""
    try:
        return cipher.decrypt(row.sealed, evidence_associated_data(recipient, row.ground_digest))
    except FieldDecryptionError:
        return b""
