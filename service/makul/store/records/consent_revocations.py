"""Consent revocations: each is written once and read whenever a consent is used (cl. 4).

A row revokes the consent that has its id and its subject, even if that consent was never seen here.
So queries use both. Before a transaction records a revocation, it waits for the recipient's running
decisions (`store.records.locks`).
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, insert, literal_column, select

from makul.app.ports import RevokedConsent
from makul.domain.disclosures import GroundKind, GroundRef
from makul.domain.identifiers import MemberCode, Pin
from makul.store.db.base import Database, Transaction
from makul.store.db.codecs import instant, micros
from makul.store.encryption.fields import FieldCipher, field_associated_data
from makul.store.schema.record_tables import consent_giver, revocation
from makul.store.schema.usage_tables import ground_use

REVOKED = select(revocation.c.revoked_at).where(
    revocation.c.recipient == bindparam("recipient"),
    revocation.c.consent_id == bindparam("consent_id"),
    revocation.c.subject_index == bindparam("subject_index"),
)
_REVOKE = insert(revocation)
_PAGE = (
    select(
        revocation.c.consent_id,
        revocation.c.subject_index,
        revocation.c.revoked_at,
        ground_use.c.subject,
    )
    .select_from(
        revocation.outerjoin(
            ground_use,
            (ground_use.c.recipient == revocation.c.recipient)
            & (ground_use.c.kind == literal_column(f"'{GroundKind.CONSENT.value}'"))
            & (ground_use.c.ground_id == revocation.c.consent_id),
        )
    )
    .where(
        revocation.c.recipient == bindparam("recipient"),
        (revocation.c.revoked_at > bindparam("since"))
        | (
            (revocation.c.revoked_at == bindparam("since"))
            & (revocation.c.consent_id > bindparam("after"))
        ),
    )
    .order_by(revocation.c.revoked_at, revocation.c.consent_id, revocation.c.subject_index)
    .limit(bindparam("limit"))
)

_KEEP_GIVER = insert(consent_giver)
_GIVER = select(consent_giver.c.giver_index).where(
    consent_giver.c.recipient == bindparam("recipient"),
    consent_giver.c.consent_id == bindparam("consent_id"),
)

_FIRST_ID = b""
"""Sorts before every id."""


def is_revoked(
    source: Database | Transaction, cipher: FieldCipher, code: MemberCode, ground: GroundRef
) -> bool:
    """Return whether the subject or the giver signed a revocation of this consent."""
    if ground.kind is not GroundKind.CONSENT or ground.subject is None:
        return False
    index = cipher.index("pin", ground.subject.digits)
    return is_revoked_by_index(source, code, ground.id.bytes, index)


def is_revoked_by_index(
    source: Database | Transaction, code: str, consent_id: bytes, subject_index: bytes
) -> bool:
    """Return whether a consent of this id and this subject's blind index is revoked."""
    values = {"recipient": code, "consent_id": consent_id, "subject_index": subject_index}
    return source.fetch_one(REVOKED, values) is not None


def revoke_consent(
    transaction: Transaction,
    cipher: FieldCipher,
    code: MemberCode,
    consent_id: UUID,
    *,
    subject: Pin,
    document: bytes | None,
    at: datetime,
) -> None:
    """Revoke a consent from this commit on. An earlier revocation stays unchanged.

    `document` is the digest of the revocation document; None if the operator revoked by hand. Call
    it after `store.records.locks.lock_for_revocation`.
    """
    key = {
        "recipient": code,
        "consent_id": consent_id.bytes,
        "subject_index": cipher.index("pin", subject.digits),
    }
    if transaction.fetch_one(REVOKED, key) is None:
        transaction.execute(_REVOKE, {**key, "document": document, "revoked_at": micros(at)})


def store_giver(
    transaction: Transaction, cipher: FieldCipher, code: MemberCode, ground: GroundRef
) -> None:
    """Store the representative who gave a consent for its subject.

    Nothing is stored if the subject gave the consent.
    """
    if ground.kind is GroundKind.CONSENT and ground.representative is not None:
        index = cipher.index("pin", ground.representative.digits)
        key = {"recipient": code, "consent_id": ground.id.bytes}
        transaction.execute(_KEEP_GIVER, {**key, "giver_index": index})


def given_by(
    database: Database, cipher: FieldCipher, code: MemberCode, consent_id: UUID, giver: Pin
) -> bool:
    """Return whether this person gave this consent for its subject."""
    row = database.fetch_one(_GIVER, {"recipient": code, "consent_id": consent_id.bytes})
    return row is not None and row[0] == cipher.index("pin", giver.digits)


def page(
    database: Database,
    cipher: FieldCipher,
    code: MemberCode,
    *,
    since: datetime | None,
    after: UUID | None,
    limit: int,
) -> tuple[Sequence[RevokedConsent], bool]:
    """Return one page of revoked consents, oldest first, and whether there are more.

    A revocation of a consent that belongs to another subject is omitted, because it has no effect.
    """
    values = {
        "recipient": code,
        "since": micros(since) if since is not None else -1,
        "after": after.bytes if after is not None and since is not None else _FIRST_ID,
        "limit": limit + 1,
    }
    rows = database.fetch_all(_PAGE, values)
    revoked = [
        RevokedConsent(consent_id=UUID(bytes=consent_id), revoked_at=instant(revoked_at))
        for consent_id, subject_index, revoked_at, subject in rows[:limit]
        if subject is None or _subject_index(cipher, code, consent_id, subject) == subject_index
    ]
    return revoked, len(rows) > limit


def subject_associated_data(code: str, kind: GroundKind, ground_id: bytes) -> bytes:
    """Return the associated data of a ground's encrypted subject."""
    return field_associated_data(
        "ground_use", "subject", code.encode(), kind.value.encode(), ground_id
    )


def _subject_index(cipher: FieldCipher, code: str, consent_id: bytes, subject: bytes) -> bytes:
    digits = cipher.decrypt(subject, subject_associated_data(code, GroundKind.CONSENT, consent_id))
    return cipher.index("pin", digits.decode("ascii"))
