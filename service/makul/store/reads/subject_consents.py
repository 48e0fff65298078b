"""The consents of a citizen, found by the decisions about the citizen and by their givers."""

from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import LargeBinary, Text, bindparam, func, literal_column, select, tuple_, union

from makul.app.ports.subject import ConsentPosition, HeldConsentRow, OwnConsent
from makul.domain.disclosures import GroundKind
from makul.domain.identifiers import MemberCode, Pin
from makul.store.db.base import Database, Transaction
from makul.store.db.codecs import instant
from makul.store.db.rows import build_row_reader
from makul.store.encryption.fields import FieldCipher
from makul.store.records.consent_revocations import (
    REVOKED,
    is_revoked_by_index,
    subject_associated_data,
)
from makul.store.schema.record_tables import consent_giver, disclosure
from makul.store.schema.usage_tables import ground_use

_MINE = union(
    select(
        disclosure.c.recipient.label("code"),
        disclosure.c.ground_id.label("consent_id"),
        literal_column("0").label("given"),
    ).where(
        disclosure.c.subject_index == bindparam("subject_index"),
        disclosure.c.ground_kind == GroundKind.CONSENT.value,
    ),
    select(
        consent_giver.c.recipient.label("code"),
        consent_giver.c.consent_id.label("consent_id"),
        literal_column("1").label("given"),
    ).where(consent_giver.c.giver_index == bindparam("subject_index")),
).subquery("mine")
_CONSENTS = (
    select(
        ground_use.c.recipient,
        ground_use.c.ground_id,
        ground_use.c.digest,
        ground_use.c.subject,
        ground_use.c.valid_from,
        ground_use.c.valid_to,
        ground_use.c.allowed,
        ground_use.c.used,
        ground_use.c.registered_at,
        ground_use.c.revoked_at,
        func.max(_MINE.c.given).label("given"),
    )
    .select_from(
        ground_use.join(
            _MINE,
            (ground_use.c.recipient == _MINE.c.code)
            & (ground_use.c.ground_id == _MINE.c.consent_id),
        )
    )
    .where(
        ground_use.c.kind == GroundKind.CONSENT.value,
        tuple_(ground_use.c.ground_id, ground_use.c.recipient)
        > tuple_(bindparam("id", type_=LargeBinary), bindparam("code", type_=Text)),
    )
    .group_by(ground_use.c.recipient, ground_use.c.kind, ground_use.c.ground_id)
    .order_by(ground_use.c.ground_id, ground_use.c.recipient)
    .limit(bindparam("limit"))
)


class _ConsentRow(NamedTuple):
    recipient: str
    ground_id: bytes
    digest: bytes
    subject: bytes | None
    valid_from: int
    valid_to: int
    allowed: int
    used: int
    registered_at: int | None
    revoked_at: int | None
    given: int


_read_consent = build_row_reader(_CONSENTS, _ConsentRow)
_GROUND = select(ground_use.c.subject, ground_use.c.revoked_at).where(
    ground_use.c.recipient == bindparam("recipient"),
    ground_use.c.kind == GroundKind.CONSENT.value,
    ground_use.c.ground_id == bindparam("consent_id"),
)
_GIVER = select(consent_giver.c.giver_index).where(
    consent_giver.c.recipient == bindparam("recipient"),
    consent_giver.c.consent_id == bindparam("consent_id"),
)


def list_consents(
    database: Database,
    cipher: FieldCipher,
    citizen: Pin,
    after: ConsentPosition | None,
    *,
    limit: int,
) -> tuple[Sequence[HeldConsentRow], ConsentPosition | None]:
    """Return consents that are about a citizen or were given by a citizen, in order of ids."""
    values: dict[str, object] = {
        "subject_index": cipher.index("pin", citizen.digits),
        "limit": limit,
        "id": after.consent_id.bytes if after is not None else b"",
        "code": after.recipient if after is not None else "",
    }
    rows = [_read_consent(row) for row in database.fetch_all(_CONSENTS, values)]
    found = [
        own for row in rows if (own := _own_consent(database, cipher, row, citizen)) is not None
    ]
    if len(rows) < limit:
        return found, None
    last = rows[-1]
    return found, ConsentPosition(UUID(bytes=last.ground_id), MemberCode(last.recipient))


def find_own_consent(
    source: Database | Transaction,
    cipher: FieldCipher,
    recipient: MemberCode,
    consent_id: UUID,
    citizen: Pin,
) -> OwnConsent | None:
    """Return a consent that is about this citizen or was given by this citizen."""
    values = {"recipient": recipient, "consent_id": consent_id.bytes}
    row = source.fetch_one(_GROUND, values)
    if row is None or row[0] is None:
        return None
    where = subject_associated_data(recipient, GroundKind.CONSENT, consent_id.bytes)
    subject = Pin(cipher.decrypt(row[0], where).decode("ascii"))
    if subject != citizen:
        giver = source.fetch_one(_GIVER, values)
        if giver is None or giver[0] != cipher.index("pin", citizen.digits):
            return None
    index = cipher.index("pin", subject.digits)
    by_subject = is_revoked_by_index(source, recipient, consent_id.bytes, index)
    return OwnConsent(subject=subject, revoked=row[1] is not None or by_subject)


def _own_consent(
    database: Database, cipher: FieldCipher, row: _ConsentRow, citizen: Pin
) -> HeldConsentRow | None:
    """Return a consent of this citizen; None for one that another request misused."""
    if row.subject is None:
        return None
    where = subject_associated_data(row.recipient, GroundKind.CONSENT, row.ground_id)
    subject = Pin(cipher.decrypt(row.subject, where).decode("ascii"))
    if subject != citizen and not row.given:
        return None
    values = {
        "recipient": row.recipient,
        "consent_id": row.ground_id,
        "subject_index": cipher.index("pin", subject.digits),
    }
    (by_subject,) = database.fetch_one(REVOKED, values) or (None,)
    revoked = [at for at in (row.revoked_at, by_subject) if at is not None]
    registered_at = row.registered_at
    return HeldConsentRow(
        consent_id=UUID(bytes=row.ground_id),
        recipient=MemberCode(row.recipient),
        digest=row.digest,
        subject=subject,
        given_for_other=subject != citizen,
        valid_from=instant(row.valid_from),
        valid_to=instant(row.valid_to),
        allowed=row.allowed,
        used=row.used,
        registered_at=instant(registered_at) if registered_at is not None else None,
        revoked_at=instant(min(revoked)) if revoked else None,
    )
