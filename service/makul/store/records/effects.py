"""Effects of a decision, applied by their type in the transaction that records it.

The order is fixed and does not depend on the order in which a decision names its effects. Otherwise
two transactions could wait for each other.
"""

from typing import assert_never

from makul.app.ports import (
    Comparison,
    ConsentRegistration,
    ConsentRevocation,
    DecisionEffect,
    Entry,
    FailedMatch,
    MeteredUse,
    QuotaUse,
    SubjectNotification,
)
from makul.domain.reasons import Reason
from makul.store.db.base import Transaction
from makul.store.encryption.fields import FieldCipher
from makul.store.records.consent_revocations import revoke_consent
from makul.store.records.ground_uses import register_consent, use_ground
from makul.store.records.usage_limits import add_attempt, check_attempts, use_quota

_ORDER: tuple[type[DecisionEffect], ...] = (
    Comparison,
    FailedMatch,
    ConsentRegistration,
    MeteredUse,
    QuotaUse,
    ConsentRevocation,
    SubjectNotification,
)


def _sorted_effects(entry: Entry) -> list[DecisionEffect]:
    return sorted(entry.decision.effects, key=lambda effect: _ORDER.index(type(effect)))


def count_effects(transaction: Transaction, cipher: FieldCipher, entry: Entry) -> Reason | None:
    """Check the limits that a decision names, and count its uses.

    Returns the first reason that forbids the decision. Call it before the decision is written.
    """
    for effect in _sorted_effects(entry):
        reason = _count(transaction, cipher, entry, effect)
        if reason is not None:
            return reason
    return None


def _count(
    transaction: Transaction, cipher: FieldCipher, entry: Entry, effect: DecisionEffect
) -> Reason | None:
    match effect:
        case Comparison() | FailedMatch():
            return check_attempts(transaction, cipher, entry, effect)
        case ConsentRegistration():
            return register_consent(transaction, cipher, entry, effect)
        case MeteredUse():
            return use_ground(transaction, cipher, entry, effect)
        case QuotaUse():
            return use_quota(transaction, entry, effect)
        case ConsentRevocation() | SubjectNotification():
            # They use up nothing: `write_effects` and `EntryRows` record them.
            return None
    assert_never(effect)


def write_effects(transaction: Transaction, cipher: FieldCipher, entry: Entry) -> None:
    """Record failed matches and consent revocations. Call it after the decision is written."""
    for effect in _sorted_effects(entry):
        match effect:
            case FailedMatch():
                add_attempt(transaction, cipher, entry, effect)
            case ConsentRevocation():
                revoke_consent(
                    transaction,
                    cipher,
                    entry.facts.caller.recipient,
                    effect.consent_id,
                    subject=effect.subject,
                    document=effect.document.digest,
                    at=entry.facts.at,
                )
            case Comparison() | ConsentRegistration() | MeteredUse() | QuotaUse():
                # `count_effects` has written their rows, if they have any.
                pass
            case SubjectNotification():
                # Its row is encrypted before the transaction begins: `EntryRows` has written it.
                pass
            case _:
                assert_never(effect)
