"""Show and revoke a recipient's consent or basis statement on behalf of the operator.

Only a ground that was used or registered has a usage counter here, so only such a ground can be
revoked.
"""

from datetime import datetime
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import and_, bindparam, select, update

from makul.app.ports import GroundRow, OperatorRegistryError
from makul.domain.disclosures import GroundKind
from makul.domain.identifiers import MemberCode, Pin
from makul.language.translation import translate
from makul.store.admin.unit_of_work import RegistryUnitOfWork
from makul.store.db.base import Database, Transaction
from makul.store.db.codecs import instant, micros
from makul.store.db.rows import build_row_reader
from makul.store.records import consent_revocations as revocations
from makul.store.records.acts import RowKey
from makul.store.schema.usage_tables import ground_use

_REVOKE_GROUND = (
    update(ground_use)
    .where(
        ground_use.c.recipient == bindparam("key_recipient"),
        ground_use.c.kind == bindparam("key_kind"),
        ground_use.c.ground_id == bindparam("key_ground"),
        ground_use.c.revoked_at.is_(None),
    )
    .values(revoked_at=bindparam("revoked_at"))
)
_THIS_GROUND = and_(
    ground_use.c.recipient == bindparam("recipient"),
    ground_use.c.kind == bindparam("kind"),
    ground_use.c.ground_id == bindparam("ground_id"),
)
_GROUND_SUBJECT = select(ground_use.c.subject).where(_THIS_GROUND)
_GROUND = select(
    ground_use.c.allowed,
    ground_use.c.used,
    ground_use.c.valid_from,
    ground_use.c.valid_to,
    ground_use.c.registered_at,
    ground_use.c.revoked_at,
).where(_THIS_GROUND)


class _GroundRow(NamedTuple):
    allowed: int
    used: int
    valid_from: int
    valid_to: int
    registered_at: int | None
    revoked_at: int | None


_read_ground = build_row_reader(_GROUND, _GroundRow)


def find_ground(
    database: Database, recipient: MemberCode, kind: GroundKind, ground_id: UUID
) -> GroundRow | None:
    """Return a ground and how much of it was used; None if it was neither used nor registered."""
    key = {"recipient": recipient, "kind": kind.value, "ground_id": ground_id.bytes}
    row = database.fetch_one(_GROUND, key)
    if row is None:
        return None
    ground = _read_ground(row)
    return GroundRow(
        recipient=recipient,
        kind=kind,
        ground_id=ground_id,
        allowed=ground.allowed,
        used=ground.used,
        valid_from=instant(ground.valid_from),
        valid_to=instant(ground.valid_to),
        registered_at=None if ground.registered_at is None else instant(ground.registered_at),
        revoked_at=None if ground.revoked_at is None else instant(ground.revoked_at),
    )


def revoke_ground(
    unit_of_work: RegistryUnitOfWork,
    recipient: MemberCode,
    kind: GroundKind,
    ground_id: UUID,
    *,
    reason: str,
    at: datetime,
) -> None:
    """Revoke a ground from this commit on; raises `OperatorRegistryError` if none is in force."""
    values = {
        "key_recipient": recipient,
        "key_kind": kind.value,
        "key_ground": ground_id.bytes,
        "revoked_at": micros(at),
    }
    key = {"recipient": recipient, "kind": kind.value, "ground_id": ground_id.bytes}
    facts = {"kind": kind.value, "ground": str(ground_id), "reason": reason}
    with unit_of_work.begin(locking_recipient=recipient) as transaction:
        subject = _read_subject(unit_of_work, transaction, recipient, kind, ground_id)
        rows = [RowKey("ground_use", key)]
        if subject is not None:
            index = unit_of_work.cipher.index("pin", subject.digits)
            revocation = {"recipient": recipient, "consent_id": ground_id.bytes}
            rows.append(RowKey("revocation", {**revocation, "subject_index": index}))
        act = unit_of_work.act(transaction, *rows)
        if not transaction.execute(_REVOKE_GROUND, values):
            raise OperatorRegistryError(translate("this recipient has no such ground in force"))
        if subject is not None:
            # It is recorded beside its usage counter, so that ListRevocations lists it as any
            # other.
            revocations.revoke_consent(
                transaction,
                unit_of_work.cipher,
                recipient,
                ground_id,
                subject=subject,
                document=None,
                at=at,
            )
        act.write("ground.revoke", recipient, facts, at=at)


def _read_subject(
    unit_of_work: RegistryUnitOfWork,
    transaction: Transaction,
    recipient: MemberCode,
    kind: GroundKind,
    ground_id: UUID,
) -> Pin | None:
    """Return the subject of a consent; None for a basis statement, or if no subject is known."""
    if kind is not GroundKind.CONSENT:
        return None
    values = {"recipient": recipient, "kind": kind.value, "ground_id": ground_id.bytes}
    row = transaction.fetch_one(_GROUND_SUBJECT, values)
    if row is None or row[0] is None:
        return None
    where = revocations.subject_associated_data(recipient, kind, ground_id.bytes)
    return Pin(unit_of_work.cipher.decrypt(row[0], where).decode("ascii"))
