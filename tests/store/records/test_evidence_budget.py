"""The evidence of one recipient is limited by day, and revocations are not blocked by it."""

import pytest

from makul.app.ports import Committed, Conflict, Entry, Recorder
from makul.domain.disclosures import GroundRef, GroundUse
from makul.domain.reasons import Code
from makul.store import Store
from makul.store.records.recorder import StoreRecorder
from makul_testing.builders.entries import a_metered_release, a_release, a_revocation
from makul_testing.builders.records import AZAMAT, BANK, a_consent, an_evidence

BUDGET = 4096
SCAN = b"s" * (BUDGET - 512)


@pytest.fixture
def full(store: Store) -> Recorder:
    """Build a store in which the bank has almost used up its day."""
    recorder = StoreRecorder(store._database, store.recorder._cipher, evidence_a_day=BUDGET)
    filling = a_release(evidence=(an_evidence(SCAN, "SCAN"),))
    assert recorder.record(filling) == Committed()
    return recorder


def a_large_revocation(document: bytes, ground: GroundRef | None = None) -> Entry:
    return a_revocation(ground or a_consent(subject=AZAMAT), an_evidence(document, "REVOCATION"))


def test_evidence_beyond_the_budget_is_not_stored(full: Recorder) -> None:
    """REQ-06 applies; evidence that is already stored takes no more space."""
    more = full.record(a_release(evidence=(an_evidence(b"m" * 1024),)))

    assert isinstance(more, Conflict)
    assert [reason.code for reason in more.reasons] == [Code.REQ_06]
    assert full.record(a_release(evidence=(an_evidence(SCAN, "SCAN"),))) == Committed()


def test_a_full_day_does_not_block_revocations(full: Recorder, store: Store) -> None:
    """Procedure, cl. 4: a stored consent stays valid until its revocation is accepted."""
    ground = a_consent(subject=AZAMAT, allowed=5)
    assert full.record(a_metered_release(ground)) == Committed()

    assert full.record(a_large_revocation(b"r" * 1024, ground)) == Committed()

    assert store.register.use(BANK, ground) == GroundUse(used=1, revoked=True)


def test_revocations_have_a_limit_too(full: Recorder) -> None:
    """A party that signs thousands of them fills as much again, and no more."""
    results = [full.record(a_large_revocation(bytes([number]) * 1024)) for number in range(8)]

    assert Committed() in results
    assert isinstance(results[-1], Conflict)
