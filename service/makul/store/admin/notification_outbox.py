"""The outbox of notifications, as senders, operators and monitoring use it.

A claim is one conditional update of a row: of two senders, one changes it and the other finds
another `next_at`. So no lock is needed, and the statements are the same on both databases.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import (
    Update,
    and_,
    bindparam,
    delete,
    func,
    insert,
    literal,
    null,
    or_,
    select,
    update,
)

from makul.app.ports import OperatorRegistryError, StoreUnavailableError
from makul.app.ports.notifications import (
    Claim,
    ListedNotification,
    NotificationOutbox,
    OutboxState,
)
from makul.domain.identifiers import MemberCode
from makul.domain.notifications import NotificationKind
from makul.language.translation import translate
from makul.store.admin.unit_of_work import RegistryUnitOfWork
from makul.store.db.base import Database, Row, Transaction
from makul.store.db.codecs import instant, micros
from makul.store.records.notification_rows import read_facts
from makul.store.schema.notification_tables import notification, notification_link
from makul.store.schema.registry_tables import recipient

LINKS_A_CALL = 200
"""Maximum number of expired links that one call deletes, because other writers wait."""

_ROW = notification.c
_KEY = and_(_ROW.disclosure_id == bindparam("id_"), _ROW.kind == bindparam("kind_"))
_WAITS = _ROW.next_at.is_not(None)
_DUE = (
    select(_ROW.disclosure_id, _ROW.kind, _ROW.next_at, _ROW.attempts, _ROW.sealed)
    .where(_ROW.next_at <= bindparam("now"))
    .order_by(_ROW.next_at)
    .limit(bindparam("limit"))
)
_CLAIM = (
    update(notification)
    .where(_KEY, _ROW.next_at == bindparam("was"))
    .values(next_at=bindparam("until"), attempts=_ROW.attempts + 1)
)
_DELIVERED = (
    update(notification)
    .where(_KEY, _ROW.delivered_at.is_(None))
    .values(next_at=null(), delivered_at=bindparam("now"), sealed=null())
)
# Another sender may have the row after the end of a claim: then the claim changes nothing.
_OF_CLAIM = and_(_KEY, _WAITS, _ROW.attempts == bindparam("attempt"))
_POSTPONE = update(notification).where(_OF_CLAIM).values(next_at=bindparam("until"))
_RELEASE = (
    update(notification)
    .where(_OF_CLAIM)
    .values(next_at=bindparam("until"), attempts=_ROW.attempts - 1)
)
_GIVE_UP = update(notification).where(_OF_CLAIM).values(next_at=null())
_ADD_LINK = insert(notification_link)
_FORGET_LINKS = delete(notification_link).where(
    notification_link.c.digest.in_(
        select(notification_link.c.digest)
        .where(notification_link.c.expires_at < bindparam("now"))
        .limit(LINKS_A_CALL)
    )
)
_NAME = select(recipient.c.name).where(recipient.c.code == bindparam("code"))
_VISIBLE = _ROW.visible_at <= bindparam("now")
_WAITING = select(func.count(), func.min(_ROW.visible_at)).where(_WAITS, _VISIBLE)
_GIVEN_UP = and_(_ROW.next_at.is_(None), _ROW.delivered_at.is_(None))
_COUNT_GIVEN_UP = select(func.count()).where(_GIVEN_UP)
_LIST = (
    select(
        _ROW.disclosure_id,
        _ROW.kind,
        _ROW.visible_at,
        _ROW.next_at,
        _ROW.attempts,
        _ROW.delivered_at,
    )
    .where(
        _VISIBLE,
        _ROW.delivered_at.is_(None),
        or_(_GIVEN_UP, literal(False) == bindparam("given_up")),
    )
    .order_by(_ROW.visible_at)
    .limit(bindparam("limit"))
)
_RETRY = update(notification).where(_KEY, _GIVEN_UP).values(next_at=bindparam("now"))


class StoreOutbox(NotificationOutbox):
    """The outbox of one store."""

    def __init__(self, unit_of_work: RegistryUnitOfWork) -> None:
        self._unit_of_work = unit_of_work
        self._database = unit_of_work.database
        self._cipher = unit_of_work.cipher

    def claim(self, limit: int, lease: timedelta, *, at: datetime) -> Sequence[Claim]:
        """Claim due notifications; those that another sender claims at once are left to it."""
        until, values = at + lease, {"now": micros(at), "limit": limit}

        def work(transaction: Transaction) -> list[Row]:
            return [
                row
                for row in transaction.fetch_all(_DUE, values)
                if transaction.execute(
                    _CLAIM,
                    {"id_": row[0], "kind_": row[1], "was": row[2], "until": micros(until)},
                )
            ]

        return [self._claim(row, until) for row in self._database.run_transaction(work)]

    def _claim(self, row: Row, until: datetime) -> Claim:
        disclosure_id, kind, _, attempts, sealed = row
        try:
            facts, answer_by = read_facts(self._cipher, disclosure_id, kind, sealed or b"")
        except StoreUnavailableError:
            # This row was altered, or its key is missing. The others must still be sent.
            facts, answer_by = None, None
        return Claim(
            disclosure_id=UUID(bytes=disclosure_id),
            kind=NotificationKind(kind),
            attempt=attempts + 1,
            until=until,
            facts=facts,
            answer_by=answer_by,
        )

    def add_link(self, claim: Claim, digest: bytes, *, expires_at: datetime) -> None:
        """Store the digest of a link's token."""
        with self._database.transaction() as transaction:
            transaction.execute(
                _ADD_LINK,
                {
                    "digest": digest,
                    "disclosure_id": claim.disclosure_id.bytes,
                    "kind": claim.kind.value,
                    "expires_at": micros(expires_at),
                },
            )

    def mark_delivered(self, claim: Claim, *, at: datetime) -> None:
        """Record the delivery, and delete what the notification said."""
        self._change(_DELIVERED, claim, {"now": micros(at)})

    def postpone(self, claim: Claim, *, until: datetime) -> None:
        """End a claim after a failed attempt."""
        self._change(_POSTPONE, claim, {"until": micros(until)})

    def release(self, claim: Claim, *, at: datetime) -> None:
        """End a claim of which nothing was sent."""
        self._change(_RELEASE, claim, {"until": micros(at)})

    def give_up(self, claim: Claim) -> None:
        """End the attempts."""
        self._change(_GIVE_UP, claim, {})

    def _change(self, statement: Update, claim: Claim, values: dict[str, object]) -> None:
        key = {"id_": claim.disclosure_id.bytes, "kind_": claim.kind.value}
        with self._database.transaction() as transaction:
            transaction.execute(statement, {**key, "attempt": claim.attempt, **values})

    def forget_links(self, *, at: datetime) -> None:
        """Delete some of the links that have expired."""
        with self._database.transaction() as transaction:
            transaction.execute(_FORGET_LINKS, {"now": micros(at)})

    def recipient_name(self, code: MemberCode) -> str:
        """Return the registered name of a recipient; the code if it is not registered."""
        row = self._database.fetch_one(_NAME, {"code": code})
        return str(row[0]) if row is not None else code

    def state(self, *, at: datetime) -> OutboxState:
        """Return how far the outbox is delivered."""
        return read_outbox_state(self._database, at=at)

    def undelivered(
        self, *, given_up: bool, limit: int, at: datetime
    ) -> Sequence[ListedNotification]:
        """Return undelivered notifications, the oldest first; or only those that were given up."""
        values = {"now": micros(at), "given_up": given_up, "limit": limit}
        return [
            ListedNotification(
                disclosure_id=UUID(bytes=row[0]),
                kind=NotificationKind(row[1]),
                visible_at=instant(row[2]),
                next_at=instant(row[3]) if row[3] is not None else None,
                attempts=row[4],
                delivered_at=None,
            )
            for row in self._database.fetch_all(_LIST, values)
        ]

    def begin_again(
        self, disclosure_id: UUID, kind: NotificationKind, *, reason: str, at: datetime
    ) -> None:
        """Begin the attempts of a notification again that was given up, and log it.

        Raises `OperatorRegistryError` if it was not given up.
        """
        values = {"id_": disclosure_id.bytes, "kind_": kind.value, "now": micros(at)}
        with self._unit_of_work.begin() as transaction:
            if transaction.execute(_RETRY, values) != 1:
                raise OperatorRegistryError(
                    translate(
                        "no such notification was given up; see: makul notification list --given-up"
                    )
                )
            facts = {"kind": kind.value, "reason": reason}
            self._unit_of_work.log.write(
                transaction, "notification.retry", str(disclosure_id), facts, at=at
            )


def read_outbox_state(database: Database, *, at: datetime) -> OutboxState:
    """Return how far the outbox is delivered; needs no key of the store."""
    values = {"now": micros(at)}
    waiting, oldest = database.fetch_one(_WAITING, values) or (0, None)
    (given_up,) = database.fetch_one(_COUNT_GIVEN_UP, values) or (0,)
    return OutboxState(
        waiting=waiting,
        oldest=instant(oldest) if oldest is not None else None,
        given_up=given_up,
    )
