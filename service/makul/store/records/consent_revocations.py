"""Consents taken back: written once, read wherever a consent is about to carry something (cl. 4).

A row counts for a consent of its id and its subject, whether or not that consent was ever seen
here, so it is asked for by both. Whoever records one first waits for the recipient's decisions that
are under way (`gates`).
"""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import bindparam, insert, literal_column, select

from makul.app.ports import ConsentRevocation, RevokedConsent
from makul.domain.disclosures import GroundKind, GroundRef
from makul.domain.identifiers import MemberCode, Pin
from makul.store.db.base import Database, Transaction
from makul.store.db.codecs import instant, micros
from makul.store.encryption.fields import FieldCipher, place
from makul.store.schema.tables import consent_giver, ground_use, revocation

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
"""Before every id."""


def taken_back(
    source: Database | Transaction, sealer: FieldCipher, code: MemberCode, ground: GroundRef
) -> bool:
    """Was this consent revoked by a document that its subject, or who gave it, signed?"""
    if ground.kind is not GroundKind.CONSENT or ground.subject is None:
        return False
    index = sealer.index("pin", ground.subject.digits)
    return is_revoked_by_index(source, code, ground.id.bytes, index)


def is_revoked_by_index(
    source: Database | Transaction, code: str, consent_id: bytes, subject_index: bytes
) -> bool:
    """Likewise, where the subject is known by index alone."""
    values = {"recipient": code, "consent_id": consent_id, "subject_index": subject_index}
    return source.one(REVOKED, values) is not None


def take_back(
    transaction: Transaction,
    sealer: FieldCipher,
    code: MemberCode,
    taken: ConsentRevocation,
    *,
    at: datetime,
) -> None:
    """Revoke from this commit on. One that stands already stands as it was.

    To be called after `gates.lock_for_revocation`.
    """
    key = {
        "recipient": code,
        "consent_id": taken.consent_id.bytes,
        "subject_index": sealer.index("pin", taken.subject.digits),
    }
    if transaction.one(REVOKED, key) is None:
        transaction.run(_REVOKE, {**key, "document": taken.document, "revoked_at": micros(at)})


def keep_giver(
    transaction: Transaction, sealer: FieldCipher, code: MemberCode, ground: GroundRef
) -> None:
    """Remember who gave a consent for its subject; nothing where that was the subject."""
    if ground.kind is GroundKind.CONSENT and ground.representative is not None:
        index = sealer.index("pin", ground.representative.digits)
        key = {"recipient": code, "consent_id": ground.id.bytes}
        transaction.run(_KEEP_GIVER, {**key, "giver_index": index})


def given_by(
    database: Database, sealer: FieldCipher, code: MemberCode, consent_id: UUID, giver: Pin
) -> bool:
    """Did this person give this consent for its subject?"""
    row = database.one(_GIVER, {"recipient": code, "consent_id": consent_id.bytes})
    return row is not None and row[0] == sealer.index("pin", giver.digits)


def page(
    database: Database,
    sealer: FieldCipher,
    code: MemberCode,
    *,
    since: datetime | None,
    after: UUID | None,
    limit: int,
) -> tuple[Sequence[RevokedConsent], bool]:
    """One page, oldest first, and whether there are more.

    Left out is what somebody signed about another's consent: it takes nothing back.
    """
    values = {
        "recipient": code,
        "since": micros(since) if since is not None else -1,
        "after": after.bytes if after is not None and since is not None else _FIRST_ID,
        "limit": limit + 1,
    }
    rows = database.all(_PAGE, values)
    told = [
        RevokedConsent(consent_id=UUID(bytes=consent_id), revoked_at=instant(revoked_at))
        for consent_id, subject_index, revoked_at, subject in rows[:limit]
        if subject is None or _index_of(sealer, code, consent_id, subject) == subject_index
    ]
    return told, len(rows) > limit


def subject_place(code: str, kind: GroundKind, ground_id: bytes) -> bytes:
    """Where a ground's subject is sealed to."""
    return place("ground_use", "subject", code.encode(), kind.value.encode(), ground_id)


def _index_of(sealer: FieldCipher, code: str, consent_id: bytes, subject: bytes) -> bytes:
    digits = sealer.open(subject, subject_place(code, GroundKind.CONSENT, consent_id))
    return sealer.index("pin", digits.decode("ascii"))
