"""The person who gave a consent revokes it (Procedure, cl. 4): at commit, and permanently."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from makul.app.ports import Committed, Conflict, Recorded, Replay, Space
from makul.domain.agreements import AgreementState
from makul.domain.disclosures import GroundRef, GroundUse
from makul.domain.reasons import Code
from makul.domain.recipients import RecipientState
from makul.store import Store
from makul.store.db.location import DatabaseLocation
from makul_testing.builders.agreements import agree
from makul_testing.builders.entries import (
    a_metered_release,
    a_registration,
    a_release,
    a_revocation,
)
from makul_testing.builders.records import (
    AZAMAT,
    BANK,
    GULNARA,
    NOON,
    POLICE,
    a_caller,
    a_consent,
    a_key,
    a_recipient,
    an_agreement,
    an_evidence,
)
from makul_testing.raw_sql import count, raw

LATER = NOON + timedelta(minutes=1)


def of_azamat(**changes: Any) -> GroundRef:
    return a_consent(subject=AZAMAT, **changes)


def codes(result: Recorded) -> list[Code]:
    assert isinstance(result, Conflict)
    return [reason.code for reason in result.reasons]


def test_a_revoked_consent_permits_nothing_more(store: Store) -> None:
    """CNS-05 applies from its commit on, and before a stored answer is given again."""
    ground = of_azamat(allowed=5)
    used = a_metered_release(ground)
    assert store.recorder.record(used) == Committed()

    assert store.recorder.record(a_revocation(ground)) == Committed()

    assert codes(store.recorder.record(a_metered_release(ground))) == [Code.CNS_05]
    assert codes(store.recorder.record(a_release(ground=ground))) == [Code.CNS_05]
    assert codes(store.recorder.replay(used.key, a_caller(), at=NOON)) == [Code.CNS_05]
    assert store.register.use(BANK, ground) == GroundUse(used=1, revoked=True)
    status = store.register.consent_status(BANK, ground.id)
    assert status is not None
    assert status.revoked


def test_a_revocation_may_come_before_the_consent(store: Store) -> None:
    """The consent's first use and its registration are then refused."""
    ground = of_azamat()
    store.recorder.record(a_revocation(ground))

    first_use = a_metered_release(ground, evidence=(an_evidence(),))
    registration = a_registration(ground)
    assert store.register.use(BANK, ground) == GroundUse(revoked=True)
    assert codes(store.recorder.record(first_use)) == [Code.CNS_05]
    assert codes(store.recorder.record(registration)) == [Code.CNS_05]


@pytest.mark.parametrize("changed", ["subject", "recipient"])
def test_a_revocation_counts_only_for_its_subject_and_recipient(store: Store, changed: str) -> None:
    """Nobody can revoke another person's consent by a signature about it."""
    ground = of_azamat(allowed=5)
    foreign = (
        a_revocation(ground, subject=GULNARA)
        if changed == "subject"
        else a_revocation(ground, key=a_key(space=Space.REVOCATION, recipient=POLICE))
    )
    assert store.recorder.record(foreign) == Committed()

    assert store.recorder.record(a_metered_release(ground)) == Committed()
    assert store.register.revocations(BANK, since=None, after=None, limit=9)[0] == []


def test_a_repeated_revocation_changes_nothing(store: Store, place: DatabaseLocation) -> None:
    """A revocation cannot be undone or dated again."""
    ground = of_azamat()
    store.recorder.record(a_revocation(ground))

    assert store.recorder.record(a_revocation(ground, decided_at=LATER)) == Committed()

    assert count(place, "revocation") == 1
    ((revocation,), _) = store.register.revocations(BANK, since=None, after=None, limit=9)
    assert (revocation.consent_id, revocation.revoked_at) == (ground.id, NOON)


@pytest.mark.parametrize("state", [RecipientState.ON_HOLD, RecipientState.CUT_OFF])
def test_a_stopped_recipient_may_still_submit_a_revocation(
    store: Store, state: RecipientState
) -> None:
    """A revocation only takes away: on hold, stopped completely, or without an agreement."""
    ground = of_azamat()
    store.registry.set_state(a_recipient(state=state), reason="r", at=NOON)
    agree(store.registry, an_agreement(state=AgreementState.TERMINATED), at=NOON)
    entry = a_revocation(ground)

    assert store.recorder.record(entry) == Committed()
    assert store.recorder.replay(entry.key, a_caller(), at=NOON) == Replay(entry.answer)
    assert store.register.use(BANK, ground).revoked


def test_the_representative_who_gave_it_is_known(store: Store) -> None:
    """No other representative is accepted, and none for another consent."""
    ground = of_azamat(representative=GULNARA)
    store.recorder.record(a_metered_release(ground))

    assert store.register.given_by(BANK, ground.id, GULNARA)
    assert not store.register.given_by(BANK, ground.id, AZAMAT)
    assert not store.register.given_by(POLICE, ground.id, GULNARA)
    assert not store.register.given_by(BANK, of_azamat().id, GULNARA)


def test_revocations_are_listed_in_pages(store: Store) -> None:
    """The oldest come first; the last one listed selects the next page; the operator's are
    included.
    """
    grounds = [of_azamat() for _ in range(5)]
    for number, ground in enumerate(grounds):
        at = NOON + timedelta(seconds=number // 2)
        store.recorder.record(a_revocation(ground, decided_at=at))
    by_hand = of_azamat()
    store.recorder.record(a_metered_release(by_hand))
    store.registry.revoke_ground(BANK, by_hand.kind, by_hand.id, reason="asked", at=LATER)

    consent_ids, since, after, more = [], None, None, True
    while more:
        page, more = store.register.revocations(BANK, since=since, after=after, limit=2)
        consent_ids += [row.consent_id for row in page]
        since, after = page[-1].revoked_at, page[-1].consent_id

    assert sorted(consent_ids) == sorted([*(ground.id for ground in grounds), by_hand.id])
    assert consent_ids[-1] == by_hand.id
    assert store.register.revocations(POLICE, since=None, after=None, limit=2) == ([], False)


def test_nothing_is_disclosed_after_a_revocation_under_load(
    store: Store, place: DatabaseLocation
) -> None:
    """Many requests use one consent while it is revoked, and none is ordered after the
    revocation.
    """
    ground = of_azamat(allowed=10_000)
    go = threading.Event()

    def ask(_: int) -> Recorded:
        go.wait()
        return store.recorder.record(a_metered_release(ground))

    def take_back() -> Recorded:
        go.wait()
        return store.recorder.record(a_revocation(ground))

    with ThreadPoolExecutor(9) as pool:
        asking = [pool.submit(ask, number) for number in range(40)]
        asking.insert(20, pool.submit(take_back))
        go.set()
        results = [each.result() for each in asking]

    refused = [result for result in results if isinstance(result, Conflict)]
    assert all(codes(result) == [Code.CNS_05] for result in refused)
    with raw(place) as connection:
        (in_all,) = connection.execute("SELECT used FROM ground_use").fetchone()
    # one more is committed: the revocation itself
    assert in_all == sum(isinstance(result, Committed) for result in results) - 1
    assert codes(store.recorder.record(a_metered_release(ground))) == [Code.CNS_05]
