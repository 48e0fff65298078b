"""What a copy lacks in comparison with the live store that it was made from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import bindparam, func, select

from makul.app.ports import StoreUnavailableError
from makul.language.translation import translate
from makul.store.backup.errors import BackupError
from makul.store.db.base import Database, QuerySource
from makul.store.db.codecs import instant
from makul.store.db.location import DatabaseLocation
from makul.store.open import database_at
from makul.store.schema.identity_table import store_identity
from makul.store.schema.ledger_tables import act, ledger_leaf
from makul.store.schema.record_tables import revocation

MAX_NAMED = 1000
"""Acts and revocations that are named. An operator reads a list of this length; the total is always
counted."""

OVERLAP = timedelta(minutes=10)
"""Time before the newest revocation of a copy in which another one may have been committed later.
No transaction lasts as long."""

_IDENTITY = select(store_identity.c.store_id)
_LEAVES = select(func.count(), func.max(ledger_leaf.c.recorded_at)).select_from(ledger_leaf)
_LAST_ACT = select(act.c.number, act.c.act_id).order_by(act.c.number.desc()).limit(1)
_ACT = select(act.c.act_id).where(act.c.number == bindparam("of"))
_LATER = act.c.number > bindparam("after")
_COUNT_LATER = select(func.count()).select_from(act).where(_LATER)
_NEWEST_REVOCATION = select(func.max(revocation.c.revoked_at))
_REVOKED_SINCE = (
    select(
        revocation.c.recipient,
        revocation.c.consent_id,
        revocation.c.revoked_at,
        revocation.c.subject_index,
    )
    .where(revocation.c.revoked_at >= bindparam("since"))
    .order_by(revocation.c.revoked_at)
)
_LATER_ACTS = (
    select(act.c.number, act.c.at, act.c.kind, act.c.target)
    .where(_LATER)
    .order_by(act.c.number)
    .limit(MAX_NAMED)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingAct:
    """An act of the live store that a copy lacks. It names no person."""

    number: int
    at: datetime
    kind: str
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MissingRevocation:
    """A consent revocation of the live store that a copy lacks. It names no person."""

    recipient: str
    consent_id: UUID
    revoked_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveGap:
    """What a copy lacks in comparison with the live store."""

    records: int
    """Number of decisions, acts and repetitions."""
    newest_at: datetime | None
    act_count: int
    acts: Sequence[MissingAct]
    """The first of them."""
    revocation_count: int
    revocations: Sequence[MissingRevocation]
    """The first of them. After a restore these consents are in force again."""


def read_live_identity(location: DatabaseLocation) -> str | None:
    """Return the identity of the store at a location; None if no store can be read there."""
    database = database_at(location)
    try:
        row = database.fetch_one(_IDENTITY, {})
    except StoreUnavailableError:
        return None
    finally:
        database.close()
    return None if row is None else str(UUID(bytes=bytes(row[0])))


def find_live_gap(location: DatabaseLocation, copy: QuerySource) -> LiveGap | None:
    """Return what a copy lacks of the live store; None if the live store cannot be read.

    Raises `BackupError` if the live store did not continue from this copy.
    """
    database = database_at(location)
    try:
        return _compare_acts(database, copy)
    except StoreUnavailableError:
        return None
    finally:
        database.close()


def _compare_acts(live: Database, copy: QuerySource) -> LiveGap:
    number, act_id = copy.fetch_one(_LAST_ACT, {}) or (0, None)
    same = live.fetch_one(_ACT, {"of": number})
    if act_id is not None and (same is None or bytes(same[0]) != bytes(act_id)):
        raise BackupError(
            translate(
                "act {number} of the copy is another than the live store's: the store did not"
                " continue from this copy",
                number=number,
            )
        )
    held, _ = copy.fetch_one(_LEAVES, {}) or (0, None)
    count, newest = live.fetch_one(_LEAVES, {}) or (0, None)
    (later,) = live.fetch_one(_COUNT_LATER, {"after": number}) or (0,)
    revoked = _find_revocations(live, copy)
    return LiveGap(
        records=max(0, count - held),
        newest_at=None if newest is None else instant(newest),
        act_count=later,
        acts=[
            MissingAct(number=each, at=instant(at), kind=kind, target=target)
            for each, at, kind, target in live.fetch_all(_LATER_ACTS, {"after": number})
        ],
        revocation_count=len(revoked),
        revocations=revoked[:MAX_NAMED],
    )


def _find_revocations(live: Database, copy: QuerySource) -> list[MissingRevocation]:
    """Return the consent revocations of the live store that the copy lacks, by their time."""
    (newest,) = copy.fetch_one(_NEWEST_REVOCATION, {}) or (None,)
    since = {"since": 0 if newest is None else newest - OVERLAP // timedelta(microseconds=1)}
    held = {tuple(map(_comparable, row)) for row in copy.fetch_all(_REVOKED_SINCE, since)}
    return [
        MissingRevocation(
            recipient=row[0], consent_id=UUID(bytes=bytes(row[1])), revoked_at=instant(row[2])
        )
        for row in live.fetch_all(_REVOKED_SINCE, since)
        if tuple(map(_comparable, row)) not in held
    ]


def _comparable(value: object) -> object:
    return bytes(value) if isinstance(value, memoryview) else value
