"""To what certificate data are encrypted: the newest that stands, read again at commit."""

from datetime import timedelta
from hashlib import sha256

import pytest

from makul.app.ports import Committed, Conflict, DeskError, Replay
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
    store.desk.add_sealing_certificate(BANK, fingerprint(der), der, at=at)


def withdraw(store: Store, der: bytes) -> None:
    store.desk.withdraw_sealing_certificate(BANK, fingerprint(der), reason="lost", at=NOON)


def test_the_newest_counts_that_is_not_withdrawn(store: Store) -> None:
    """None at first; then the newest; then the one before it."""
    assert store.register.sealing_certificate(BANK) is None
    add(store, FIRST)
    add(store, SECOND, minutes=1)
    assert store.register.sealing_certificate(BANK) == SECOND

    withdraw(store, SECOND)

    assert store.register.sealing_certificate(BANK) == FIRST


def test_one_that_was_withdrawn_does_not_come_back(store: Store) -> None:
    """Nor is one withdrawn that is not there."""
    add(store, FIRST)
    withdraw(store, FIRST)

    with pytest.raises(DeskError, match="withdrawn"):
        add(store, FIRST)
    with pytest.raises(DeskError, match="no such"):
        withdraw(store, FIRST)


def test_withdrawn_between_decision_and_commit(store: Store) -> None:
    """Invariant 1 and decision 0005: the answer is thrown away, nothing is recorded."""
    add(store, FIRST)
    entry = a_release(seal_to=FIRST)
    withdraw(store, FIRST)

    assert store.recorder.record(entry) == Conflict((RCP_04,))
    assert store.recorder.record(a_release(seal_to=SECOND)) == Conflict((RCP_04,))
    assert store.desk.disclosures(recipient=None, since=None, limit=1) == []


def test_a_stored_answer_is_not_repeated_once_withdrawn(store: Store) -> None:
    """While it stands, superseded or not, the stored ciphertext is given again."""
    add(store, FIRST)
    entry = a_release(seal_to=FIRST)
    assert store.recorder.record(entry) == Committed()
    add(store, SECOND, minutes=1)
    assert store.recorder.replay(entry.key, a_caller(), at=NOON) == Replay(entry.answer)

    withdraw(store, FIRST)

    assert store.recorder.replay(entry.key, a_caller(), at=NOON) == Conflict((RCP_04,))


def test_what_went_in_the_clear_does_not_go_so_again(store: Store) -> None:
    """The agreement is SEALED by now: the id stays closed, the answer stays in."""
    entry = a_release()
    assert store.recorder.record(entry) == Committed()
    agree(store.desk, an_agreement(delivery=Delivery.SEALED), at=NOON)

    reasons = Reason(code=Code.REQ_04, field="requestId")
    assert store.recorder.replay(entry.key, a_caller(), at=NOON) == Conflict((reasons,))
