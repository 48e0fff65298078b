"""Limits that a decision uses up, counted in the transaction that records the decision.

They are replay guards of messages, failed matches, daily quotas, consents on paper, bytes of
evidence and uses of a ground.
"""

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256
from typing import Any

from sqlalchemy import Select, Update, bindparam, distinct, func, insert, select, update

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
from makul.store.schema.tables import (
    attempt,
    daily_use,
    evidence_use,
    ground_use,
    paper_use,
    seen_message,
)


def _counted(
    transaction: Transaction, use: Update, known: Select[tuple[Any]], values: Mapping[str, object]
) -> bool | None:
    """Increment the counter if it is below its limit, which is the condition of `use`.

    Returns True on success, False if the limit is reached, and None if the row does not exist yet.
    Another transaction may add the row after `use` and before `known`, so `use` runs a second time.
    """
    if transaction.run(use, values):
        return True
    if transaction.one(known, values) is None:
        return None
    return transaction.run(use, values) == 1


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


# --- the daily quota --------------------------------------------------------------------------

_THIS_DAY = (
    daily_use.c.recipient == bindparam("key_recipient"),
    daily_use.c.agreement_number == bindparam("key_agreement"),
    daily_use.c.space == bindparam("key_space"),
    daily_use.c.day == bindparam("key_day"),
)
_USE_DAY = (
    update(daily_use)
    .where(*_THIS_DAY, daily_use.c.used < bindparam("quota"))
    .values(used=daily_use.c.used + 1)
)
_DAY_USED = select(daily_use.c.used).where(*_THIS_DAY)
_OPEN_DAY = insert(daily_use)


def use_quota(transaction: Transaction, entry: Entry) -> Reason | None:
    """Count one disclosure of the UTC day; return AGR-06 if the daily quota is reached."""
    quota = entry.daily_quota
    if quota is None:
        return None
    day = utc_day(entry.decided_at)
    key = {
        "recipient": entry.key.recipient,
        "agreement": entry.agreement_number or "",
        "space": entry.key.space.value,
        "day": day,
    }
    values = {f"key_{name}": value for name, value in key.items()} | {"quota": quota}
    counted = _counted(transaction, _USE_DAY, _DAY_USED, values)
    if counted:
        return None
    if quota < 1 or counted is False:
        return Reason(code=Code.AGR_06, retry_after=seconds_to_midnight(entry.decided_at))
    opened = {**key, "agreement_number": key["agreement"], "used": 1}
    transaction.run(_OPEN_DAY, opened)
    return None


# --- consents on paper, by official -----------------------------------------------------------

_THIS_OFFICIAL = (
    paper_use.c.recipient == bindparam("key_recipient"),
    paper_use.c.official == bindparam("key_official"),
    paper_use.c.day == bindparam("key_day"),
)
_USE_PAPER = (
    update(paper_use)
    .where(*_THIS_OFFICIAL, paper_use.c.used < bindparam("quota"))
    .values(used=paper_use.c.used + 1)
)
_PAPERS_USED = select(paper_use.c.used).where(*_THIS_OFFICIAL)
_OPEN_PAPERS = insert(paper_use)
_REGISTERED = select(ground_use.c.registered_at).where(
    ground_use.c.recipient == bindparam("recipient"),
    ground_use.c.kind == bindparam("kind"),
    ground_use.c.ground_id == bindparam("ground_id"),
    ground_use.c.registered_at.is_not(None),
)


def use_paper(transaction: Transaction, entry: Entry) -> Reason | None:
    """Count one consent on paper of an official in the UTC day.

    Returns AGR-06 with the field `official` if the daily quota is reached, and CNS-02 if the
    official is withdrawn. Call it before the consent is registered, because a registered consent is
    not counted again.
    """
    paper, ground = entry.paper, entry.ground
    if paper is None or ground is None:
        return None
    recipient, day = entry.key.recipient, utc_day(entry.decided_at)
    here = {"recipient": recipient, "kind": ground.kind.value, "ground_id": ground.id.bytes}
    if transaction.one(_REGISTERED, here) is not None:
        return None
    if official_withdrawn(transaction, recipient, paper.official):
        return Reason(code=Code.CNS_02, because=Code.SIG_08)
    key = {"recipient": recipient, "official": paper.official, "day": day}
    values = {f"key_{name}": value for name, value in key.items()} | {"quota": paper.quota}
    counted = _counted(transaction, _USE_PAPER, _PAPERS_USED, values)
    if counted:
        return None
    if paper.quota < 1 or counted is False:
        wait = seconds_to_midnight(entry.decided_at)
        return Reason(code=Code.AGR_06, field="official", retry_after=wait)
    transaction.run(_OPEN_PAPERS, {**key, "used": 1})
    return None


# --- bytes of evidence, by recipient ----------------------------------------------------------

_THIS_EVIDENCE = (
    evidence_use.c.recipient == bindparam("key_recipient"),
    evidence_use.c.day == bindparam("key_day"),
)
_USE_EVIDENCE = (
    update(evidence_use)
    .where(*_THIS_EVIDENCE, evidence_use.c.bytes + bindparam("more") <= bindparam("budget"))
    .values(bytes=evidence_use.c.bytes + bindparam("more"))
)
_EVIDENCE_USED = select(evidence_use.c.bytes).where(*_THIS_EVIDENCE)
_OPEN_EVIDENCE = insert(evidence_use)


def use_evidence(
    transaction: Transaction, entry: Entry, size: int, *, budget: int = DOCUMENTS_A_DAY
) -> Reason | None:
    """Count `size` bytes of new evidence.

    Returns REQ-06 if the recipient's daily budget is exceeded.
    """
    if not size:
        return None
    key = {"recipient": entry.key.recipient, "day": utc_day(entry.decided_at)}
    values = {f"key_{name}": value for name, value in key.items()}
    more = {**values, "more": size, "budget": budget}
    counted = _counted(transaction, _USE_EVIDENCE, _EVIDENCE_USED, more)
    if counted:
        return None
    if size > budget or counted is False:
        return Reason(code=Code.REQ_06, retry_after=seconds_to_midnight(entry.decided_at))
    transaction.run(_OPEN_EVIDENCE, {**key, "bytes": size})
    return None


# --- uses of a ground -------------------------------------------------------------------------

_THIS_GROUND = (
    ground_use.c.recipient == bindparam("key_recipient"),
    ground_use.c.kind == bindparam("key_kind"),
    ground_use.c.ground_id == bindparam("key_ground"),
)
_USE_GROUND = (
    update(ground_use)
    .where(
        *_THIS_GROUND,
        ground_use.c.digest == bindparam("key_digest"),
        ground_use.c.used < ground_use.c.allowed,
        ground_use.c.revoked_at.is_(None),
    )
    .values(used=ground_use.c.used + 1)
)
_REGISTER_GROUND = (
    update(ground_use)
    .where(
        *_THIS_GROUND,
        ground_use.c.digest == bindparam("key_digest"),
        ground_use.c.revoked_at.is_(None),
    )
    .values(registered_at=func.coalesce(ground_use.c.registered_at, bindparam("now")))
)
_GROUND_STATE = select(ground_use.c.digest, ground_use.c.revoked_at).where(*_THIS_GROUND)
_OPEN_GROUND = insert(ground_use)

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

    The limit is the condition of the UPDATE itself, so concurrent requests cannot share the last
    use.
    """
    ground = entry.ground
    if ground is None or not (entry.meter or entry.register_consent):
        return None
    if taken_back(transaction, sealer, entry.key.recipient, ground):
        return revoked(ground.kind)
    now = micros(entry.decided_at)
    values = {
        "key_recipient": entry.key.recipient,
        "key_kind": ground.kind.value,
        "key_ground": ground.id.bytes,
        "key_digest": ground.digest,
        "now": now,
    }
    use = _USE_GROUND if entry.meter else _REGISTER_GROUND
    counted = _counted(transaction, use, _GROUND_STATE, values)
    if counted:
        return None
    if counted is False:
        return _why_not(ground, transaction.one(_GROUND_STATE, values) or (b"", None))
    if entry.meter and ground.max_disclosures < 1:
        return _USED_UP[ground.kind]
    transaction.run(
        _OPEN_GROUND,
        {
            "recipient": entry.key.recipient,
            "kind": ground.kind.value,
            "ground_id": ground.id.bytes,
            "digest": ground.digest,
            "allowed": ground.max_disclosures,
            "used": 1 if entry.meter else 0,
            "valid_from": micros(ground.valid_from),
            "valid_to": micros(ground.valid_to),
            "subject": _seal_subject(sealer, entry, ground),
            "registered_at": now if entry.register_consent else None,
            "revoked_at": None,
        },
    )
    keep_giver(transaction, sealer, entry.key.recipient, ground)
    return None


def _why_not(ground: GroundRef, row: Row) -> Reason:
    digest, revoked_at = row
    if digest != ground.digest:
        return _DIFFERS[ground.kind]
    return revoked(ground.kind) if revoked_at is not None else _USED_UP[ground.kind]


def _seal_subject(sealer: FieldCipher, entry: Entry, ground: GroundRef) -> bytes | None:
    if entry.subject is None:
        return None
    where = subject_place(entry.key.recipient, ground.kind, ground.id.bytes)
    return sealer.seal(entry.subject.digits.encode("ascii"), where)
