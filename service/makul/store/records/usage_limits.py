"""Limits that a decision uses up, counted in the transaction that records the decision.

They are replay guards of messages, failed matches, daily quotas and bytes of evidence.
`store.records.ground_uses` counts the uses of a ground.
"""

from collections.abc import Mapping
from datetime import datetime
from hashlib import sha256

from sqlalchemy import bindparam, distinct, func, insert, select

from makul.app.ports import Entry, FailedMatch, MatchAttempt, MessageMark, QuotaUse
from makul.domain.match_attempts import AttemptCounts, find_exhausted_limit
from makul.domain.reasons import Code, Reason
from makul.domain.usage import DOCUMENTS_A_DAY, seconds_to_midnight
from makul.store.db.base import Row, Transaction
from makul.store.db.codecs import micros, utc_day
from makul.store.encryption.fields import FieldCipher
from makul.store.records.locks import LockKind, acquire_lock
from makul.store.records.usage_counter import UsageCounter
from makul.store.schema.usage_tables import attempt, daily_use, evidence_use, seen_message

# --- replay guards of messages ----------------------------------------------------------------

_MARK_SEEN = select(seen_message.c.digest).where(seen_message.c.digest == bindparam("digest"))
_SEE_MARK = insert(seen_message)


def insert_replay_guard(transaction: Transaction, mark: MessageMark | None) -> Reason | None:
    """Store the replay guard of a message; return REQ-09 if the message came before."""
    if mark is None:
        return None
    values = {"digest": mark.digest, "forget_after": micros(mark.forget_after)}
    if transaction.fetch_one(_MARK_SEEN, values) is not None:
        return Reason(code=Code.REQ_09)
    transaction.execute(_SEE_MARK, values)
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
    cipher: FieldCipher, recipient: str, pin_digits: str, employee: str | None, since: datetime
) -> dict[str, object]:
    """Return the parameters of `COUNT_ATTEMPTS`. An employee belongs to one recipient."""
    return {
        "recipient": recipient,
        "pin_index": cipher.index("pin", pin_digits),
        "employee_index": employee_index(cipher, recipient, employee),
        "since": micros(since),
    }


def employee_index(cipher: FieldCipher, recipient: str, employee: str | None) -> bytes | None:
    """Return the blind index of a recipient's employee; None if the request names no employee."""
    return cipher.index("employee", recipient, employee) if employee is not None else None


def check_attempts(
    transaction: Transaction, cipher: FieldCipher, entry: Entry, attempt_made: MatchAttempt
) -> Reason | None:
    """Return MAT-06 if other requests have reached the limits since the decision."""
    facts = entry.facts
    recipient, since = facts.caller.recipient, facts.at - attempt_made.limits.window
    values = attempt_values(cipher, recipient, attempt_made.subject.digits, facts.employee, since)
    if isinstance(attempt_made, FailedMatch):
        _count_alone(transaction, recipient, values)
    return find_exhausted_limit(
        attempt_counts(transaction.fetch_one(COUNT_ATTEMPTS, values)), attempt_made.limits
    )


def _count_alone(transaction: Transaction, recipient: str, values: Mapping[str, object]) -> None:
    """Lock the counters of failed matches, so that failed matches are counted one at a time.

    Only failed matches are serialised. A concurrent successful match is equivalent to one that
    happened first. The locks are taken in a fixed order to avoid deadlocks.
    """
    keys = [sha256(recipient.encode()).digest(), values["pin_index"], values["employee_index"]]
    for key in keys:
        if isinstance(key, bytes):
            acquire_lock(transaction, LockKind.FAILED_MATCHES, key)


def add_attempt(
    transaction: Transaction, cipher: FieldCipher, entry: Entry, failed: FailedMatch
) -> None:
    """Count a failed match against the recipient, the PIN and the employee."""
    facts = entry.facts
    recipient = facts.caller.recipient
    transaction.execute(
        _ADD_ATTEMPT,
        {
            "disclosure_id": entry.disclosure_id.bytes,
            "recipient": recipient,
            "pin_index": cipher.index("pin", failed.subject.digits),
            "employee_index": employee_index(cipher, recipient, facts.employee),
            "at": micros(facts.at),
        },
    )


# --- uses by UTC day ---------------------------------------------------------------------------

_DISCLOSURES = UsageCounter(daily_use, "used")
_EVIDENCE = UsageCounter(evidence_use, "bytes")


def use_quota(transaction: Transaction, entry: Entry, use: QuotaUse) -> Reason | None:
    """Count one disclosure of the UTC day; return AGR-06 if the daily quota is reached."""
    facts = entry.facts
    key = key_of_day(entry) | {
        "agreement_number": facts.agreement_number or "",
        "space": facts.space.value,
    }
    if _DISCLOSURES.use(transaction, key, limit=use.quota):
        return None
    return Reason(code=Code.AGR_06, retry_after=seconds_to_midnight(facts.at))


def use_evidence(
    transaction: Transaction, entry: Entry, size: int, *, budget: int = DOCUMENTS_A_DAY
) -> Reason | None:
    """Count `size` bytes of new evidence.

    Returns REQ-06 if the recipient's daily budget is exceeded.
    """
    if not size or _EVIDENCE.use(transaction, key_of_day(entry), limit=budget, more=size):
        return None
    return Reason(code=Code.REQ_06, retry_after=seconds_to_midnight(entry.facts.at))


def key_of_day(entry: Entry) -> dict[str, object]:
    """Return the columns by which a use is counted in the UTC day of a decision."""
    return {"recipient": entry.facts.caller.recipient, "day": utc_day(entry.facts.at)}
