"""The clock steps back, by minutes and over a month's border, and nothing happens twice.

Moments are recorded as the clock showed them. On PostgreSQL the two months are two partitions.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from makul.app.ports import Committed, Conflict, QuotaUse, Recorded, Replay
from makul.app.ports.ledger import Lease, Sequenced, Standby
from makul.domain.match_attempts import AttemptLimits
from makul.domain.reasons import Code
from makul.store import Store, StoreKeys, open_store
from makul.store.db.location import DatabaseLocation
from makul_testing.builders.entries import a_failed_match, a_metered_release, a_release
from makul_testing.builders.records import a_caller, a_consent, a_mark
from makul_testing.clock import SteppedClock
from makul_testing.faults.record_audit import Count, audit_records
from makul_testing.in_process_service import InProcessService, build_installation_on
from makul_testing.load.concurrent_clients import RELEASED, WireAnswer, message
from makul_testing.raw_sql import count, raw
from makul_testing.tlog.builder import (
    LEASE,
    a_note_signer,
    build_recording,
    check_ledger,
    move_draft,
    sequence,
    some_drafts,
)

BORDER = datetime(2026, 11, 1, tzinfo=UTC)
AFTER = BORDER + timedelta(minutes=2)
BEFORE = BORDER - timedelta(minutes=3)
"""Five minutes earlier, and in October."""

KEPT = timedelta(hours=24)
LIMITS = AttemptLimits(failures_by_recipient_and_pin=3)


@pytest.fixture
def store(place: DatabaseLocation, keys: StoreKeys) -> Iterator[Store]:
    opened = open_store(place, keys, who="operator")
    yield opened
    opened.close()


def codes(recorded: Recorded) -> list[Code]:
    """Return why it was overtaken."""
    assert isinstance(recorded, Conflict)
    return [reason.code for reason in recorded.reasons]


@pytest.mark.parametrize(("first", "second"), [(AFTER, BEFORE), (BEFORE, AFTER)])
def test_an_id_discloses_once(
    store: Store, place: DatabaseLocation, first: datetime, second: datetime
) -> None:
    """docs/architecture.md, invariant 5: the id is closed in either month, and its answer is
    repeated.
    """
    entry = a_release(decided_at=first, keep_answer_until=first + KEPT)
    assert store.recorder.record(entry) == Committed()

    again = store.recorder.record(a_release(key=entry.key, decided_at=second))

    assert again == Replay(entry.answer)
    assert audit_records(place).twice == 0


def test_the_moment_is_recorded_as_the_clock_showed_it(store: Store) -> None:
    """It is later in the record and earlier in time, and nothing is corrected."""
    ids = []
    for at in (AFTER, BEFORE, AFTER - timedelta(seconds=1)):
        entry = a_release(decided_at=at)
        assert store.recorder.record(entry) == Committed()
        ids.append(entry.disclosure_id)

    disclosures = [store.registry.disclosure(each) for each in ids]

    assert [row.decided_at for row in disclosures if row is not None] == [
        AFTER,
        BEFORE,
        AFTER - timedelta(seconds=1),
    ]


def test_a_use_is_not_given_back(store: Store) -> None:
    """CNS-06, AGR-06: neither a use of a consent nor one of a day's quota."""
    ground = a_consent(valid_from=BORDER - timedelta(days=1))
    for at in (AFTER, BEFORE):
        recorded = store.recorder.record(a_metered_release(ground, decided_at=at))
        assert recorded == Committed() if at == AFTER else codes(recorded) == [Code.CNS_06]
    for at, left in ((AFTER, 2), (BEFORE, 2), (AFTER, 0), (BEFORE, 0)):
        results = [
            store.recorder.record(a_release(QuotaUse(quota=2), decided_at=at)) for _ in range(3)
        ]
        assert results.count(Committed()) == left
        assert codes(results[-1]) == [Code.AGR_06]


def test_later_failed_matches_count(store: Store) -> None:
    """MAT-06: setting the clock back gives no more guesses, and neither does its next step."""
    for _ in range(3):
        assert store.recorder.record(a_failed_match(decided_at=AFTER)) == Committed()

    for at in (BEFORE, AFTER, BEFORE + LIMITS.window, AFTER + LIMITS.window):
        guess = a_failed_match(decided_at=at, limits=LIMITS)
        assert codes(store.recorder.record(guess)) == [Code.MAT_06], at
    later = AFTER + LIMITS.window + timedelta(seconds=1)
    guess = a_failed_match(decided_at=later, limits=LIMITS)
    assert store.recorder.record(guess) == Committed()


def test_a_mark_survives_a_step_forward_and_back(store: Store) -> None:
    """REQ-09: marks stay for a time, so that a clock ahead by minutes does not delete them."""
    mark = a_mark(bytes(32))  # its first byte starts the deletion of each kind
    assert store.recorder.register_message_id(mark, at=AFTER)
    ahead = mark.forget_after + timedelta(minutes=9)
    assert store.recorder.register_message_id(a_mark(b"\0" + b"m" * 31), at=ahead)
    store.housekeep(at=ahead)

    assert not store.recorder.register_message_id(mark, at=BEFORE)


def test_an_answer_is_stored_for_its_term_and_its_id_permanently(store: Store) -> None:
    """REQ-04 after the term. A deleted answer does not return with the clock."""
    entry = a_release(decided_at=AFTER, keep_answer_until=AFTER + KEPT)
    store.recorder.record(entry)
    replay = store.recorder.replay

    assert replay(entry.key, a_caller(), at=BEFORE) == Replay(entry.answer)
    assert isinstance(replay(entry.key, a_caller(), at=AFTER + KEPT), Conflict)
    assert replay(entry.key, a_caller(), at=BEFORE) == Replay(entry.answer)
    store.housekeep(at=AFTER + KEPT)
    for at in (BEFORE, AFTER):
        assert isinstance(replay(entry.key, a_caller(), at=at), Conflict)
        anew = a_release(key=entry.key, decided_at=at)
        assert codes(store.recorder.record(anew)) == [Code.REQ_04]


def test_the_log_grows_in_the_order_of_commits(
    store: Store, place: DatabaseLocation, tmp_path: Path
) -> None:
    """The order does not depend on any moment, also the sequencer's; and every record agrees."""
    signer, office = a_note_signer(tmp_path), build_recording(store)
    sequence(store, signer)  # the acts of its set-up
    acts = count(place, "act")
    at = AFTER + timedelta(days=1)
    expected: list[UUID] = []
    for draft in some_drafts():
        at -= timedelta(hours=7)
        office.record_and_render(move_draft(draft, at))
        result = store.ledger.sequence(signer, LEASE, at=at, batch=10)
        assert isinstance(result, Sequenced)
        assert result.taken == 1
        with raw(place) as connection:
            placed = "SELECT disclosure_id FROM ledger_position ORDER BY position"
            ids = [UUID(bytes=bytes(each)) for (each,) in connection.execute(placed).fetchall()]
        ids = ids[acts:]
        assert ids[:-1] == expected
        expected = ids

    assert check_ledger(store, signer, at=AFTER).finding is None


def test_a_lease_of_a_fast_clock_delays_nobody(store: Store, tmp_path: Path) -> None:
    """A lease that ends in a day was not written by a right clock."""
    signer, length = a_note_signer(tmp_path), timedelta(seconds=10)
    ahead, other = (Lease(holder=uuid4(), length=length) for _ in range(2))
    store.ledger.sequence(signer, ahead, at=AFTER + timedelta(days=1), batch=1)

    assert isinstance(store.ledger.sequence(signer, other, at=AFTER, batch=1), Sequenced)
    assert isinstance(store.ledger.sequence(signer, ahead, at=AFTER, batch=1), Standby)


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock(BORDER - timedelta(hours=1))


@pytest.fixture
def installation_of_its_own(
    request: pytest.FixtureRequest, tmp_path: Path, database: str, clock: SteppedClock
) -> Iterator[InProcessService]:
    """Build a service an hour before the border."""
    on = lambda: request.getfixturevalue("server")  # noqa: E731
    built = build_installation_on(tmp_path, database, on, clock=clock)
    yield built
    built.close()


def send_request(
    installation: InProcessService, request_id: UUID, document_name: str = "bank-00-data"
) -> WireAnswer:
    answer = installation.post(message(installation, document_name, request_id), listener="xroad")
    return WireAnswer(answer.status, answer.body)


def test_a_service_works_when_its_clock_steps_back(
    installation_of_its_own: InProcessService, clock: SteppedClock, database: str, count: Count
) -> None:
    """A whole request works, over the border and back."""
    installation = installation_of_its_own
    clock.now, ids = AFTER, [uuid4() for _ in range(20)]
    first = {each: send_request(installation, each) for each in ids}
    assert send_request(installation, uuid4(), "single-use").word == RELEASED
    clock.step(BEFORE - AFTER)

    again = {each: send_request(installation, each) for each in ids}
    newer = {each: send_request(installation, each) for each in (uuid4() for _ in range(20))}

    assert again == first
    assert {answer.word for answer in (*first.values(), *newer.values())} == {RELEASED}
    assert send_request(installation, uuid4(), "single-use").word == "REFUSED CNS-06"
    after = audit_records(installation.settings.place)
    assert after.lost(first | newer) == set()
    assert (after.twice, after.without_leaf) == (0, 0)
    rows = installation.store.registry.disclosures(
        recipient=installation.bank.code, since=None, limit=100
    )
    moments = {row.request_id: row.decided_at for row in rows}
    assert {moments[each] for each in first} == {AFTER}
    assert {moments[each] for each in newer} == {BEFORE}
    count(
        f"clock set back over a month's border [{database}]: {len(first)} ids asked again, 0"
        f" disclosed twice, 0 answered otherwise; {len(newer)} recorded at their earlier moment,"
        " a used-up consent stays so"
    )
