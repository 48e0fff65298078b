"""Each recipient's usage is counted where it is recorded, across workers (REQ-06)."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from makul.app.ports import Committed, Entry
from makul.domain.identifiers import MemberCode
from makul.domain.reasons import Code
from makul.domain.recipients import RecipientState
from makul.domain.usage import Usage
from makul.store import Store
from makul.store.records.retention import ROWS_A_CALL
from makul.store.records.service_usage import KEEP_DAYS, KEEP_MINUTES, ROW_BYTES, SLOTS
from makul_testing.builders.entries import a_refusal, a_release
from makul_testing.builders.records import (
    BANK,
    NOON,
    POLICE,
    a_caller,
    a_key,
    a_recipient,
    an_evidence,
)

MINUTE = timedelta(minutes=1)


def used(store: Store, recipient: MemberCode = BANK, *, after: timedelta = timedelta()) -> Usage:
    return store.register.snapshot(a_key(recipient=recipient), None, at=NOON + after).usage


def record(store: Store, entry: Entry) -> None:
    assert store.recorder.record(entry) == Committed()


def test_each_decision_and_each_repetition_counts_as_one_request(store: Store) -> None:
    """Releases, refusals and repetitions count, for each recipient."""
    entry = a_release()
    record(store, entry)
    record(store, a_refusal())
    store.recorder.replay(entry.key, a_caller(), at=NOON)

    assert used(store).requests == 3
    assert used(store, POLICE) == Usage()


def test_a_new_minute_and_a_new_day_begin_at_zero(store: Store) -> None:
    """The limits are by UTC, for any time of the query."""
    record(store, a_release())

    assert used(store, after=MINUTE - timedelta(microseconds=1)).requests == 1
    assert used(store, after=MINUTE).requests == 0
    assert used(store, after=timedelta(hours=11, minutes=59)).bytes > 0
    assert used(store, after=timedelta(hours=12)).bytes == 0


def test_the_bytes_of_documents_count_when_they_are_stored(store: Store) -> None:
    """Equal documents are stored, and counted, once."""
    document = an_evidence(b"<Consent>" + b"x" * 100_000 + b"</Consent>")
    record(store, a_release(evidence=(document,)))
    first = used(store).bytes
    record(store, a_release(evidence=(document,)))

    assert 100_000 < first < 110_000
    assert ROW_BYTES < used(store).bytes - first < 10_000


def test_an_unrecorded_decision_is_not_counted(store: Store) -> None:
    """An overtaken decision leaves no trace; the refusal in its place counts."""
    store.registry.set_state(a_recipient(state=RecipientState.ON_HOLD), reason="asked", at=NOON)
    assert store.recorder.record(a_release()) != Committed()

    assert used(store) == Usage()
    record(store, a_refusal(Code.RCP_02))
    assert used(store).requests == 1


def test_concurrent_requests_are_all_counted(store: Store) -> None:
    """No update is lost, and there is no row for which all of them wait."""
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(store.recorder.record, [a_refusal() for _ in range(80)]))

    assert results == [Committed()] * 80
    assert used(store).requests == 80


def test_inquiries_are_counted_separately(store: Store) -> None:
    """A request without a decision uses nothing of the agreement's limits."""
    counts = [store.recorder.count_inquiry(BANK, at=NOON) for _ in range(3)]

    assert counts == [1, 2, 3]
    assert used(store) == Usage()
    assert store.recorder.count_inquiry(BANK, at=NOON + MINUTE) == 1


def test_old_usage_is_deleted(store: Store) -> None:
    """Minutes are deleted soon, days after more than a month, in bounded pieces."""
    for number in range(3):
        record(store, a_release(decided_at=NOON + number * MINUTE))
        store.recorder.count_inquiry(BANK, at=NOON + number * MINUTE)
    first = store.housekeep(at=NOON + (KEEP_MINUTES + 2) * MINUTE)
    late = store.housekeep(at=NOON + timedelta(days=KEEP_DAYS + 2))

    assert first.uses == 4
    assert 1 <= late.uses - 2 <= 3
    assert store.housekeep(at=NOON + timedelta(days=KEEP_DAYS + 3)).uses == 0
    assert SLOTS * 3 < ROWS_A_CALL
