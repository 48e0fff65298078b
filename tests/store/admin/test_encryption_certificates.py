"""Data are encrypted to the newest valid certificate, which the commit reads again."""

from datetime import timedelta
from hashlib import sha256

import pytest

from makul.app.ports import Committed, Conflict, OperatorRegistryError, Replay
from makul.domain.agreements import Delivery
from makul.domain.reasons import Code, Reason
from makul.store import Store
from makul_testing.builders.agreements import agree
from makul_testing.builders.entries import a_release
from makul_testing.builders.records import BANK, NOON, a_caller, an_agreement

FIRST, SECOND = b"the first certificate", b"the second certificate"
RCP_04 = Reason(code=Code.RCP_04, field="sealed")


def fingerprint(der: bytes) -> bytes:
    return sha256(der).digest()


def add(store: Store, der: bytes, minutes: int = 0) -> None:
    at = NOON + timedelta(minutes=minutes)
    store.registry.add_encryption_certificate(BANK, fingerprint(der), der, at=at)


def withdraw(store: Store, der: bytes) -> None:
    store.registry.withdraw_encryption_certificate(BANK, fingerprint(der), reason="lost", at=NOON)


def test_the_newest_valid_certificate_counts(store: Store) -> None:
    """There is none at first, then the newest counts, then the one before it."""
    assert store.register.encryption_certificate(BANK) is None
    add(store, FIRST)
    add(store, SECOND, minutes=1)
    assert store.register.encryption_certificate(BANK) == SECOND

    withdraw(store, SECOND)

    assert store.register.encryption_certificate(BANK) == FIRST


def test_a_withdrawn_certificate_is_not_registered_again(store: Store) -> None:
    """A certificate that is not registered cannot be withdrawn either."""
    add(store, FIRST)
    withdraw(store, FIRST)

    with pytest.raises(OperatorRegistryError, match="withdrawn"):
        add(store, FIRST)
    with pytest.raises(OperatorRegistryError, match="no such"):
        withdraw(store, FIRST)


def test_withdrawal_between_decision_and_commit_counts(store: Store) -> None:
    """docs/architecture.md, invariant 1, and decision 5: the answer is discarded, nothing is
    recorded.
    """
    add(store, FIRST)
    entry = a_release(encrypt_to=FIRST)
    withdraw(store, FIRST)

    assert store.recorder.record(entry) == Conflict((RCP_04,))
    assert store.recorder.record(a_release(encrypt_to=SECOND)) == Conflict((RCP_04,))
    assert store.registry.disclosures(recipient=None, since=None, limit=1) == []


def test_a_stored_answer_is_not_repeated_after_withdrawal(store: Store) -> None:
    """While the certificate is valid, superseded or not, the stored ciphertext is given again."""
    add(store, FIRST)
    entry = a_release(encrypt_to=FIRST)
    assert store.recorder.record(entry) == Committed()
    add(store, SECOND, minutes=1)
    assert store.recorder.replay(entry.key, a_caller(), at=NOON) == Replay(entry.answer)

    withdraw(store, FIRST)

    assert store.recorder.replay(entry.key, a_caller(), at=NOON) == Conflict((RCP_04,))


def test_an_unencrypted_answer_is_not_repeated(store: Store) -> None:
    """The agreement now requires encryption, so the id stays closed and the answer is withheld."""
    entry = a_release()
    assert store.recorder.record(entry) == Committed()
    agree(store.registry, an_agreement(delivery=Delivery.SEALED), at=NOON)

    reasons = Reason(code=Code.REQ_04, field="requestId")
    assert store.recorder.replay(entry.key, a_caller(), at=NOON) == Conflict((reasons,))
