"""Limits that a decision uses up, counted in the transaction that records the decision.

They are replay guards of messages, failed matches, daily quotas, consents on paper, bytes of
evidence and uses of a ground.
"""

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256

from sqlalchemy import bindparam, distinct, func, insert, select

from makul.app.ports import Entry, MessageMark
from makul.domain.disclosures import GroundKind, GroundRef
from makul.domain.match_attempts import AttemptCounts, exhausted
from makul.domain.reasons import Code, Reason
from makul.domain.usage import DOCUMENTS_A_DAY, seconds_to_midnight
from makul.store.db.base import Row, Transaction
from makul.store.db.codecs import micros, utc_day
from makul.store.encryption.fields import FieldCipher
from makul.store.records.consent_revocations import keep_giver, subject_place, taken_back
from makul.store.records.locks import Gate, acquire_lock
from makul.store.records.preconditions import official_withdrawn, revoked
from makul.store.records.usage_counter import UsageCounter
from makul.store.schema.tables import (
    attempt,
    daily_use,
    evidence_use,
    ground_use,
    paper_use,
    seen_message,
)

# --- replay guards of messages ----------------------------------------------------------------

_MARK_SEEN = select(seen_message.c.digest).where(seen_message.c.digest == bindparam("digest"))
_SEE_MARK = insert(seen_message)


def insert_replay_guard(transaction: Transaction, mark: MessageMark | None) -> Reason | None:
    """Store the replay guard of a message; return REQ-09 if the message came before."""
    if mark is None:
        return None
    values = {"digest": mark.digest, "forget_after": micros(mark.forget_after)}
    if transaction.one(_MARK_SEEN, values) is not None:
        return Reason(code=Code.REQ_09)
    transaction.run(_SEE_MARK, values)
    return None


# --- failed matches ---------------------------------------------------------------------------

_SINCE = attempt.c.at >= bindparam("since")
_BY_PIN = attempt.c.pin_index == bindparam("pin_index")
_BY_RECIPIENT = attempt.c.recipient == bindparam("recipient")

COUNT_ATTEMPTS = select(
    select(func.count())
    .select_from(attempt)
    .where(_BY_PIN, _BY_RECIPIENT, _SINCE)
    .scalar_subquery(),
    select(func.count()).select_from(attempt).where(_BY_PIN, _SINCE).scalar_subquery(),
    select(func.count())
    .select_from(attempt)
    .where(attempt.c.employee_index == bindparam("employee_index"), _SINCE)
    .scalar_subquery(),
    select(func.count(distinct(attempt.c.pin_index)))
    .where(_BY_RECIPIENT, _SINCE)
    .scalar_subquery(),
)
"""Reads all four counts in one snapshot, in the order of `attempt_counts`."""

_ADD_ATTEMPT = insert(attempt)


def attempt_counts(row: Row | None) -> AttemptCounts:
    """Return the counts in a row of `COUNT_ATTEMPTS`."""
    by_both, by_pin, by_employee, pins = row or (0, 0, 0, 0)
    return AttemptCounts(
        by_recipient_and_pin=by_both,
        by_pin=by_pin,
        by_employee=by_employee,
        distinct_failed_pins=pins,
    )


def attempt_values(
    sealer: FieldCipher, recipient: str, pin_digits: str, employee: str | None, since: datetime
) -> dict[str, object]:
    """Return the parameters of `COUNT_ATTEMPTS`. An employee belongs to one recipient."""
    return {
        "recipient": recipient,
        "pin_index": sealer.index("pin", pin_digits),
        "employee_index": employee_index(sealer, recipient, employee),
        "since": micros(since),
    }


def employee_index(sealer: FieldCipher, recipient: str, employee: str | None) -> bytes | None:
    """Return the blind index of a recipient's employee; None if the request names no employee."""
    return sealer.index("employee", recipient, employee) if employee is not None else None


def check_attempts(transaction: Transaction, sealer: FieldCipher, entry: Entry) -> Reason | None:
    """Return MAT-06 if other requests have reached the limits since the decision."""
    limits, subject = entry.attempt_limits, entry.subject
    if limits is None or subject is None:
        return None
    since = entry.decided_at - limits.window
    values = attempt_values(
        sealer, entry.key.recipient, subject.digits, entry.key.asker.employee, since
    )
    if entry.failed_attempt:
        _count_alone(transaction, entry.key.recipient, values)
    return exhausted(attempt_counts(transaction.one(COUNT_ATTEMPTS, values)), limits)


def _count_alone(transaction: Transaction, recipient: str, values: Mapping[str, object]) -> None:
    """Lock the counters of failed matches, so that failed matches are counted one at a time.

    Only failed matches are serialised. A concurrent successful match is equivalent to one that
    happened first. The locks are taken in a fixed order to avoid deadlocks.
    """
    keys = [sha256(recipient.encode()).digest(), values["pin_index"], values["employee_index"]]
    for key in keys:
        if isinstance(key, bytes):
            acquire_lock(transaction, Gate.FAILED_MATCHES, key)


def add_attempt(transaction: Transaction, sealer: FieldCipher, entry: Entry) -> None:
    """Count a failed match against the recipient, the PIN and the employee."""
    if not entry.failed_attempt or entry.subject is None:
        return
    recipient = entry.key.recipient
    transaction.run(
        _ADD_ATTEMPT,
        {
            "disclosure_id": entry.disclosure_id.bytes,
            "recipient": recipient,
            "pin_index": sealer.index("pin", entry.subject.digits),
            "employee_index": employee_index(sealer, recipient, entry.key.asker.employee),
            "at": micros(entry.decided_at),
        },
    )


# --- uses by UTC day ---------------------------------------------------------------------------

_DISCLOSURES = UsageCounter(daily_use, "used")
_PAPER = UsageCounter(paper_use, "used")
_EVIDENCE = UsageCounter(evidence_use, "bytes")


def use_quota(transaction: Transaction, entry: Entry) -> Reason | None:
    """Count one disclosure of the UTC day; return AGR-06 if the daily quota is reached."""
    if entry.daily_quota is None:
        return None
    key = _key_of_day(entry) | {
        "agreement_number": entry.agreement_number or "",
        "space": entry.key.space.value,
    }
    if _DISCLOSURES.use(transaction, key, limit=entry.daily_quota):
        return None
    return Reason(code=Code.AGR_06, retry_after=seconds_to_midnight(entry.decided_at))


_GROUND_STATE = select(
    ground_use.c.digest, ground_use.c.revoked_at, ground_use.c.registered_at
).where(
    ground_use.c.recipient == bindparam("recipient"),
    ground_use.c.kind == bindparam("kind"),
    ground_use.c.ground_id == bindparam("ground_id"),
)
_NO_ROW: Row = (b"", None, None)


def use_paper(transaction: Transaction, entry: Entry) -> Reason | None:
    """Count one consent on paper of an official in the UTC day.

    Returns AGR-06 with the field `official` if the daily quota is reached, and CNS-02 if the
    official is withdrawn. Call it before the consent is registered, because a registered consent is
    not counted again.
    """
    paper, ground = entry.paper, entry.ground
    if paper is None or ground is None:
        return None
    _, _, registered_at = transaction.one(_GROUND_STATE, _key_of_ground(entry, ground)) or _NO_ROW
    if registered_at is not None:
        return None
    if official_withdrawn(transaction, entry.key.recipient, paper.official):
        return Reason(code=Code.CNS_02, because=Code.SIG_08)
    key = _key_of_day(entry) | {"official": paper.official}
    if _PAPER.use(transaction, key, limit=paper.quota):
        return None
    wait = seconds_to_midnight(entry.decided_at)
    return Reason(code=Code.AGR_06, field="official", retry_after=wait)


def use_evidence(
    transaction: Transaction, entry: Entry, size: int, *, budget: int = DOCUMENTS_A_DAY
) -> Reason | None:
    """Count `size` bytes of new evidence.

    Returns REQ-06 if the recipient's daily budget is exceeded.
    """
    if not size or _EVIDENCE.use(transaction, _key_of_day(entry), limit=budget, more=size):
        return None
    return Reason(code=Code.REQ_06, retry_after=seconds_to_midnight(entry.decided_at))


def _key_of_day(entry: Entry) -> dict[str, object]:
    return {"recipient": entry.key.recipient, "day": utc_day(entry.decided_at)}


# --- uses of a ground -------------------------------------------------------------------------

_GROUND = UsageCounter(
    ground_use,
    "used",
    limit=ground_use.c.allowed,
    conditions=(ground_use.c.digest == bindparam("digest_now"), ground_use.c.revoked_at.is_(None)),
    changes={"registered_at": func.coalesce(ground_use.c.registered_at, bindparam("registered"))},
)

_DIFFERS = {
    GroundKind.CONSENT: Reason(code=Code.CNS_02, because=Code.REQ_04, field="consentId"),
    GroundKind.BASIS: Reason(code=Code.LAW_09, because=Code.REQ_04, field="statementId"),
}
_USED_UP = {
    GroundKind.CONSENT: Reason(code=Code.CNS_06),
    GroundKind.BASIS: Reason(code=Code.LAW_08),
}


def use_ground(transaction: Transaction, sealer: FieldCipher, entry: Entry) -> Reason | None:
    """Count one use of the ground, or register the consent; return the reason that forbids it.

    A registration uses nothing: it counts 0.
    """
    ground = entry.ground
    if ground is None or not (entry.meter or entry.register_consent):
        return None
    if taken_back(transaction, sealer, entry.key.recipient, ground):
        return revoked(ground.kind)
    key, uses = _key_of_ground(entry, ground), int(entry.meter)
    now = micros(entry.decided_at)
    counted = _GROUND.count(
        transaction,
        key,
        more=uses,
        digest_now=ground.digest,
        registered=None if entry.meter else now,
    )
    if counted:
        return None
    if counted is False:
        return _why_not(ground, transaction.one(_GROUND_STATE, key) or _NO_ROW)
    if uses > ground.max_disclosures:
        return _USED_UP[ground.kind]
    columns = {
        "digest": ground.digest,
        "allowed": ground.max_disclosures,
        "used": uses,
        "valid_from": micros(ground.valid_from),
        "valid_to": micros(ground.valid_to),
        "subject": _seal_subject(sealer, entry, ground),
        "registered_at": now if entry.register_consent else None,
        "revoked_at": None,
    }
    _GROUND.open(transaction, key, columns)
    keep_giver(transaction, sealer, entry.key.recipient, ground)
    return None


def _key_of_ground(entry: Entry, ground: GroundRef) -> dict[str, object]:
    recipient = entry.key.recipient
    return {"recipient": recipient, "kind": ground.kind.value, "ground_id": ground.id.bytes}


def _why_not(ground: GroundRef, row: Row) -> Reason:
    digest, revoked_at, _ = row
    if digest != ground.digest:
        return _DIFFERS[ground.kind]
    return revoked(ground.kind) if revoked_at is not None else _USED_UP[ground.kind]


def _seal_subject(sealer: FieldCipher, entry: Entry, ground: GroundRef) -> bytes | None:
    if entry.subject is None:
        return None
    where = subject_place(entry.key.recipient, ground.kind, ground.id.bytes)
    return sealer.seal(entry.subject.digits.encode("ascii"), where)
