"""Wiring of readiness: what a listener needs to answer, asked of the adapters."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

from makul.app.ports import Clock
from makul.app.ports.health import Check, Readiness, ReadinessState
from makul.app.ports.ledger import LedgerState
from makul.app.ports.notifications import OutboxState
from makul.composition.adapters import Adapters
from makul.config.settings import Port, Settings
from makul.domain.identifiers import MemberCode
from makul.observability.readiness import CachedCheck, ReadinessProbe
from makul.store import Store
from makul.store.db.location import PostgresLocation
from makul.store.schema.partitions import UtcMonth, missing_months
from makul.store.schema.version import assert_schema

SELDOM_SECONDS = 30.0
"""Seconds for which a good result of an expensive check is kept."""


def build_readiness(
    parts: Adapters, operator: MemberCode, more: Mapping[str, Check] | None = None
) -> Callable[[], Readiness]:
    """Return the probe of the record, the signer, the trust data, and further checks.

    The name of a check is public. It does not reveal the location of a dependency.
    """

    def store() -> ReadinessState:
        parts.register.recipient(operator)  # any answer proves that the store works
        return ReadinessState.OK

    def signer() -> ReadinessState:
        return ReadinessState.OK if parts.signer.ready() else ReadinessState.DOWN

    return ReadinessProbe(
        {
            "store": store,
            "signer": signer,
            "trust": lambda: _check_trust(parts),
            **{name: CachedCheck(check, SELDOM_SECONDS) for name, check in (more or {}).items()},
        }
    )


def _check_trust(parts: Adapters) -> ReadinessState:
    """Return the state of the trust data.

    Stale CRLs stop only the signatures that depend on them. That is not `DOWN`.
    """
    at = parts.clock()
    freshness = parts.trust.freshness(at=at)
    if freshness is None:
        return ReadinessState.DOWN
    good = freshness.stale == freshness.silent == 0
    return ReadinessState.OK if good else ReadinessState.DEGRADED


def installation_checks(settings: Settings, store: Store, clock: Clock) -> dict[str, Check]:
    """Return the checks that depend on the settings of this installation."""
    location, ledger = settings.place, settings.ledger
    checks: dict[str, Check] = {"schema": lambda: _check_schema(settings)}
    if isinstance(location, PostgresLocation):
        checks["months"] = lambda: check_months(missing_months(location, at=clock()), at=clock())
    if ledger is not None:
        checks["ledger"] = lambda: check_ledger(store.ledger.state(), ledger.promise, at=clock())
    if settings.notifications is not None and _may_read_outbox(settings):
        promise = settings.notifications.promise
        checks["notifications"] = lambda: check_outbox(
            store.outbox.state(at=clock()), promise, at=clock()
        )
    return checks


def _may_read_outbox(settings: Settings) -> bool:
    """Return whether the role of these listeners may: that of the oversight port may not."""
    return any(each.port is Port.RECIPIENT for each in settings.listeners.values())


def check_outbox(state: OutboxState, promise: timedelta, *, at: datetime) -> ReadinessState:
    """Return the state of the notifications. Late ones are not `DOWN`: none is lost."""
    is_late = state.oldest is not None and at - state.oldest > promise
    return ReadinessState.DEGRADED if is_late or state.given_up else ReadinessState.OK


def check_months(missing: Sequence[UtcMonth], *, at: datetime) -> ReadinessState:
    """Return the state of the partitions.

    Without the partition of this month nothing can be recorded, and so nothing is disclosed.
    """
    now = at.astimezone(UTC)
    if (now.year, now.month) in missing:
        return ReadinessState.DOWN
    return ReadinessState.DEGRADED if missing else ReadinessState.OK


def check_ledger(log_state: LedgerState, promise: timedelta, *, at: datetime) -> ReadinessState:
    """Return the state of the ledger. Leaves that wait too long are not `DOWN`.

    They break a promise, but they are recorded. Otherwise an attacker who stops the sequencer would
    stop all disclosures. Clients report a proof that is late.
    """
    since = log_state.waiting_since
    return (
        ReadinessState.DEGRADED if since is not None and at - since > promise else ReadinessState.OK
    )


def _check_schema(settings: Settings) -> ReadinessState:
    """Check that the store has this program's version and triggers. Raises if it has not."""
    assert_schema(settings.place)
    return ReadinessState.OK
