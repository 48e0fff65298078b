"""Concurrent threads and processes: what may happen once happens once."""

import os
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from multiprocessing import get_context
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import bindparam, func, select, update

from makul.app.ports import Committed, Conflict, Entry, QuotaUse, Recorded, Replay
from makul.domain.disclosures import GroundUse
from makul.domain.match_attempts import AttemptLimits
from makul.store import Store, StoreKeys, open_store
from makul.store.db.base import Transaction
from makul.store.db.location import DatabaseLocation
from makul.store.open import database_at
from makul.store.records import ground_uses
from makul.store.schema.record_tables import disclosure
from makul.store.schema.registry_tables import recipient
from makul_testing.builders.entries import (
    a_failed_match,
    a_metered_release,
    a_registration,
    a_release,
    a_revocation,
)
from makul_testing.builders.records import BANK, NOON, a_consent, a_key, a_mark, an_evidence
from makul_testing.raw_sql import count

EIGHT = 8
DAY = timedelta(days=1)

RecordConcurrently = Callable[[Sequence[Entry]], list[Recorded]]


def threads(store: Store) -> RecordConcurrently:
    """Record all entries at once, each in a thread of this process."""

    def record_all(entries: Sequence[Entry]) -> list[Recorded]:
        ready = threading.Barrier(len(entries))

        def record(entry: Entry) -> Recorded:
            ready.wait()
            return store.recorder.record(entry)

        with ThreadPoolExecutor(len(entries)) as pool:
            return list(pool.map(record, entries))

    return record_all


def processes(place: DatabaseLocation, keys: StoreKeys) -> RecordConcurrently:
    """Record all entries at once, each in a process that opens the store itself."""
    context = get_context("fork")

    def record_all(entries: Sequence[Entry]) -> list[Recorded]:
        ready, results = context.Barrier(len(entries)), context.SimpleQueue()

        def record(entry: Entry) -> None:
            store = open_store(place, keys, who="operator")
            ready.wait()
            results.put(store.recorder.record(entry))
            store.close()

        workers = [context.Process(target=record, args=(entry,)) for entry in entries]
        for worker in workers:
            worker.start()
        found = [results.get() for _ in workers]
        for worker in workers:
            worker.join()
        assert [worker.exitcode for worker in workers] == [0] * len(workers)
        return found

    return record_all


@pytest.fixture(params=["threads", "processes"])
def record_concurrently(
    request: pytest.FixtureRequest, store: Store, place: DatabaseLocation, keys: StoreKeys
) -> RecordConcurrently:
    return threads(store) if request.param == "threads" else processes(place, keys)


def kinds(results: Sequence[Recorded]) -> Counter[str]:
    """Count each result; overtaken ones by their codes."""
    return Counter(
        " ".join(reason.code for reason in result.reasons)
        if isinstance(result, Conflict)
        else type(result).__name__
        for result in results
    )


def test_one_of_eight_equal_requests_is_recorded(
    record_concurrently: RecordConcurrently, place: DatabaseLocation
) -> None:
    """docs/architecture.md, invariant 5: one commits, and the others get its bytes."""
    key, ground = a_key(), a_consent()
    entries = [a_metered_release(ground, key=key) for _ in range(EIGHT)]

    results = record_concurrently(entries)

    assert kinds(results) == {"Committed": 1, "Replay": EIGHT - 1}
    answers = {result.answer for result in results if isinstance(result, Replay)}
    assert len(answers) == 1
    assert answers < {entry.answer for entry in entries}
    assert (count(place, "disclosure"), count(place, "repetition")) == (1, EIGHT - 1)
    assert count(place, "ledger_leaf") == EIGHT + count(place, "act")


def test_one_of_eight_requests_under_one_id_is_recorded(
    record_concurrently: RecordConcurrently, place: DatabaseLocation
) -> None:
    """REQ-04: other requests under the same id give nothing."""
    key = a_key()
    entries = [a_release(key=replace(key, digest=bytes([n]) * 32)) for n in range(EIGHT)]

    assert kinds(record_concurrently(entries)) == {"Committed": 1, "REQ-04": EIGHT - 1}
    assert count(place, "disclosure") == 1


def test_the_last_use_of_a_consent_is_given_once(
    record_concurrently: RecordConcurrently, store: Store
) -> None:
    """CNS-06: eight requests compete for one remaining use."""
    ground = a_consent(allowed=3)
    for _ in range(2):
        store.recorder.record(a_metered_release(ground))
    store.close()

    results = record_concurrently([a_metered_release(ground) for _ in range(EIGHT)])

    assert kinds(results) == {"Committed": 1, "CNS-06": EIGHT - 1}
    assert store.register.use(BANK, ground) == GroundUse(used=3)


def test_a_first_use_is_given_once(record_concurrently: RecordConcurrently) -> None:
    """Nobody has used the consent before, so there is no row to update yet."""
    ground = a_consent()

    results = record_concurrently([a_metered_release(ground) for _ in range(EIGHT)])

    assert kinds(results) == {"Committed": 1, "CNS-06": EIGHT - 1}


def test_concurrent_guesses_are_counted_one_by_one(
    record_concurrently: RecordConcurrently, place: DatabaseLocation
) -> None:
    """MAT-06: all eight saw no failures when they began."""
    limits = AttemptLimits(failures_by_recipient_and_pin=3)

    results = record_concurrently([a_failed_match(limits=limits) for _ in range(EIGHT)])

    assert kinds(results) == {"Committed": 3, "MAT-06": EIGHT - 3}
    assert count(place, "attempt") == 3


def test_the_days_quota_is_not_exceeded(record_concurrently: RecordConcurrently) -> None:
    """AGR-06."""
    results = record_concurrently([a_release(QuotaUse(quota=5)) for _ in range(EIGHT)])

    assert kinds(results) == {"Committed": 5, "AGR-06": EIGHT - 5}


def test_one_message_sent_eight_times_is_accepted_once(
    record_concurrently: RecordConcurrently,
) -> None:
    """REQ-09."""
    results = record_concurrently([a_release(mark=a_mark()) for _ in range(EIGHT)])

    assert kinds(results) == {"Committed": 1, "REQ-09": EIGHT - 1}


def test_nothing_is_ordered_after_a_hold(store: Store, place: DatabaseLocation) -> None:
    """docs/architecture.md, invariant 4: the hold's own transaction counts all disclosures."""
    hold = (
        update(recipient)
        .where(recipient.c.code == bindparam("key_code"))
        .values(state=bindparam("state"))
    )
    so_far = select(func.count()).select_from(disclosure)
    held, begun = threading.Event(), threading.Barrier(5)

    def ask() -> list[Recorded]:
        begun.wait()
        results = [store.recorder.record(a_release()) for _ in range(5)]
        while not held.is_set():
            results.append(store.recorder.record(a_release()))
        return [*results, store.recorder.record(a_release())]

    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask) for _ in range(4)]
        begun.wait()
        database = database_at(place)
        with database.transaction() as transaction:
            transaction.execute(hold, {"key_code": BANK, "state": "ON_HOLD"})
            counted = transaction.fetch_one(so_far, {})
        held.set()
        results = [result for future in asking for result in future.result()]
        database.close()

    assert counted == (kinds(results)["Committed"],)
    assert kinds(results)["RCP-02"] >= 4
    assert count(place, "disclosure") == counted[0]


def test_a_store_used_before_a_fork_is_not_used_after_it(
    store: Store, place: DatabaseLocation, keys: StoreKeys
) -> None:
    """SQLite's locks do not survive a fork, so a child refuses rather than corrupt the database."""
    store.recorder.record(a_release())
    context = get_context("fork")
    queue = context.SimpleQueue()

    def child() -> None:
        for use in (lambda: store.recorder.record(a_release()), store.registry.recipients):
            try:
                use()
                queue.put("used")
            except Exception as error:  # noqa: BLE001 -- the parent judges it
                queue.put(str(error))

    process = context.Process(target=child)
    process.start()
    reports = [queue.get(), queue.get()]
    process.join()

    assert reports == ["the store was in use before this process was forked"] * 2
    assert count(place, "disclosure") == 1
    assert store.recorder.record(a_release()) == Committed()


def test_a_store_closed_before_a_fork_serves_parent_and_child(
    store: Store, place: DatabaseLocation
) -> None:
    """A prefork server uses the store, closes it, and forks."""
    store.recorder.record(a_release())
    store.close()
    context = get_context("fork")
    queue = context.SimpleQueue()

    def child() -> None:
        queue.put((os.getpid(), store.recorder.record(a_release())))
        store.close()

    workers = [context.Process(target=child) for _ in range(3)]
    for worker in workers:
        worker.start()
    reports = [queue.get() for _ in workers]
    for worker in workers:
        worker.join()

    assert {result for _, result in reports} == {Committed()}
    assert store.recorder.record(a_release()) == Committed()
    assert count(place, "disclosure") == 5


def test_threads_that_end_close_their_connections(store: Store) -> None:
    """A connection lives as long as its thread, so short threads leak none."""
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208

    for _ in range(20):
        thread = threading.Thread(target=store.registry.recipients)
        thread.start()
        thread.join()

    assert len(os.listdir("/proc/self/fd")) < before + 10  # noqa: PTH208


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)  # a file has no concurrent writers
def test_a_usage_row_created_meanwhile_is_incremented(
    store: Store, place: DatabaseLocation, keys: StoreKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another's first use commits between the UPDATE that finds no row and the search for it."""
    ground, other = a_consent(allowed=2), open_store(place, keys, who="other")
    looked, entered = Transaction.fetch_one, threading.Event()

    def fetch_one(self: Transaction, statement: Any, values: Any) -> Any:
        if statement is ground_uses._GROUND.known and not entered.is_set():
            entered.set()
            assert other.recorder.record(a_metered_release(ground)) == Committed()
        return looked(self, statement, values)

    monkeypatch.setattr(Transaction, "fetch_one", fetch_one)

    assert store.recorder.record(a_metered_release(ground)) == Committed()
    assert entered.is_set()
    assert store.register.use(BANK, ground) == GroundUse(used=2)
    other.close()


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)  # a file has no concurrent writers
def test_concurrent_registrations_of_one_consent_do_not_deadlock(
    place: DatabaseLocation, keys: StoreKeys
) -> None:
    """A transaction that checks for a revocation and then writes must not hold what
    another writes.
    """
    retries: list[str] = []
    store = open_store(place, keys, who="operator", retried=lambda: retries.append("again"))
    ground, evidence = a_consent(allowed=2), (an_evidence(),)
    store.recorder.record(a_metered_release(ground, evidence=evidence))
    registrations = [a_registration(ground) for _ in range(EIGHT)]

    results = threads(store)(registrations)
    store.close()

    assert kinds(results) == {"Committed": EIGHT}
    assert retries == []


@pytest.mark.parametrize("place", ["postgresql"], indirect=True)  # a file has no concurrent writers
def test_deleting_stale_marks_does_not_deadlock(place: DatabaseLocation, keys: StoreKeys) -> None:
    """Deleting stale marks does not cause a deadlock.

    Every message may start the deletion, because its sender chooses its mark. Decisions and
    revocations of one recipient that all do so must not wait for one another.
    """
    retries: list[str] = []
    store = open_store(place, keys, who="operator", retried=lambda: retries.append("again"))
    marks = [replace(a_mark(b"\0" + uuid4().bytes), forget_after=NOON - DAY) for _ in range(32)]
    entries = [
        a_revocation(a_consent(), mark=mark) if number % 4 == 0 else a_release(mark=mark)
        for number, mark in enumerate(marks)
    ]

    results = threads(store)(entries)
    store.close()

    assert kinds(results) == {"Committed": len(entries)}
    assert retries == []
