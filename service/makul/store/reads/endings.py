"""Rows that end, which no other list of the operator has: officials, and terms of consents."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import and_, bindparam, exists, or_, select

from makul.app.ports import Official
from makul.domain.disclosures import GroundKind
from makul.domain.identifiers import MemberCode
from makul.store.db.base import Database
from makul.store.db.codecs import instant, micros
from makul.store.encryption.fields import FieldCipher
from makul.store.reads.registry import read_official
from makul.store.schema.record_tables import revocation
from makul.store.schema.registry_tables import official, official_withdrawal
from makul.store.schema.secrecy_tables import undertaking, undertaking_end
from makul.store.schema.usage_tables import ground_use

_OFFICIALS = (
    select(official.c.recipient, official.c.fingerprint, official.c.sealed)
    .where(
        ~exists().where(
            official_withdrawal.c.recipient == official.c.recipient,
            official_withdrawal.c.fingerprint == official.c.fingerprint,
        )
    )
    .order_by(official.c.recipient, official.c.added_at)
)
_CONSENTS = (
    select(ground_use.c.recipient, ground_use.c.ground_id, ground_use.c.valid_to)
    .where(
        ground_use.c.kind == GroundKind.CONSENT.value,
        ground_use.c.registered_at.is_not(None),
        ground_use.c.revoked_at.is_(None),
        ground_use.c.used < ground_use.c.allowed,
        ground_use.c.valid_to > bindparam("since"),
        ground_use.c.valid_to <= bindparam("until"),
        ~exists().where(
            and_(
                revocation.c.recipient == ground_use.c.recipient,
                revocation.c.consent_id == ground_use.c.ground_id,
            )
        ),
    )
    .order_by(ground_use.c.valid_to, ground_use.c.recipient, ground_use.c.ground_id)
    .limit(bindparam("at_most"))
)


_LATER = undertaking.alias("later")
_UNDERTAKINGS = (
    select(undertaking.c.recipient, undertaking.c.undertaking_id, undertaking.c.valid_to)
    .where(
        undertaking.c.valid_to <= bindparam("until"),
        ~exists().where(
            undertaking_end.c.recipient == undertaking.c.recipient,
            undertaking_end.c.undertaking_id == undertaking.c.undertaking_id,
        ),
        ~exists().where(
            _LATER.c.recipient == undertaking.c.recipient,
            _LATER.c.employee_index == undertaking.c.employee_index,
            or_(_LATER.c.valid_to.is_(None), _LATER.c.valid_to > undertaking.c.valid_to),
        ),
    )
    .order_by(undertaking.c.valid_to, undertaking.c.recipient, undertaking.c.undertaking_id)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class EndingUndertaking:
    """An undertaking of secrecy that ends, and that no later one of the employee replaces."""

    recipient: MemberCode
    undertaking_id: UUID
    ends: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EndingConsent:
    """A registered consent that can still be used, by its recipient and id. No PIN is read."""

    recipient: MemberCode
    consent_id: UUID
    ends: datetime


class StoreEndings:
    """The implementation of the sources of `makul expiring` in the store."""

    def __init__(self, database: Database, cipher: FieldCipher) -> None:
        self._database = database
        self._cipher = cipher

    def officials(self) -> Sequence[Official]:
        """Return every official who is not withdrawn."""
        return [
            read_official(self._cipher, MemberCode(recipient), fingerprint, sealed)
            for recipient, fingerprint, sealed in self._database.fetch_all(_OFFICIALS, {})
        ]

    def undertakings(self, until: datetime) -> Sequence[EndingUndertaking]:
        """Return the undertakings that end until then, the first to end first.

        Those of employees who stopped are not among them.
        """
        values = {"until": micros(until)}
        return [
            EndingUndertaking(
                recipient=MemberCode(recipient),
                undertaking_id=UUID(bytes=undertaking_id),
                ends=instant(ends),
            )
            for recipient, undertaking_id, ends in self._database.fetch_all(_UNDERTAKINGS, values)
        ]

    def consents(self, since: datetime, until: datetime, at_most: int) -> Sequence[EndingConsent]:
        """Return the registered consents that end between two instants, the first to end first.

        Consents that were revoked or are used up are not among them.
        """
        values = {"since": micros(since), "until": micros(until), "at_most": at_most}
        return [
            EndingConsent(
                recipient=MemberCode(recipient), consent_id=UUID(bytes=ground), ends=instant(ends)
            )
            for recipient, ground, ends in self._database.fetch_all(_CONSENTS, values)
        ]
