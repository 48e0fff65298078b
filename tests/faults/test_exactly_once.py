"""What may happen once happens once, although many processes request it at one moment."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import get_context
from threading import Barrier
from uuid import UUID, uuid4

from makul.app.ports import Committed, Recorded, Replay
from makul.store import StoreKeys, open_store
from makul.store.db.location import DatabaseLocation
from makul_testing.builders.entries import a_release
from makul_testing.builders.records import a_key
from makul_testing.exhaustive import rounds
from makul_testing.faults.record_audit import Count, audit_records
from makul_testing.in_process_service import InProcessService
from makul_testing.load.concurrent_clients import RELEASED, WireAnswer, message
from makul_testing.load.steady_load import ask
from makul_testing.processes.gunicorn import run_preforked_service

FORK = get_context("fork")
PROCESSES = 8
IDS = rounds(240, exhaustive=1_000)
RACERS = 50
RUN_SECONDS = 600
"""A deadline, for cores that are busy with other work; alone it takes some fifteen."""
START = FORK.Barrier(PROCESSES)
"""A barrier: all processes have opened the store."""
CONSENT = "single-use"
"""A document whose `maxDisclosures` is 1."""


def record_all(
    place: DatabaseLocation, keys: StoreKeys, ids: list[UUID], process: int
) -> dict[UUID, Recorded]:
    """Record every id: all processes meet at each few, and each begins at another one."""
    store = open_store(place, keys, who="operator")
    order = [
        each
        for start in range(0, len(ids), PROCESSES)
        for each in _rotated(ids[start : start + PROCESSES], process)
    ]
    try:
        START.wait(RUN_SECONDS)
        return {each: store.recorder.record(a_release(key=a_key(each))) for each in order}
    finally:
        store.close()


def _rotated(ids: list[UUID], by: int) -> list[UUID]:
    return ids[by:] + ids[:by]


def test_eight_processes_disclose_each_id_once(
    place: DatabaseLocation, keys: StoreKeys, database: str, count: Count
) -> None:
    """docs/architecture.md, invariant 5: one of each id is disclosed, and others get its bytes."""
    ids = [uuid4() for _ in range(IDS)]
    with FORK.Pool(PROCESSES) as pool:
        request_message = [
            pool.apply_async(record_all, (place, keys, ids, each)) for each in range(PROCESSES)
        ]
        answers = [each.get(RUN_SECONDS) for each in request_message]

    for request_id in ids:
        results = [mine[request_id] for mine in answers]
        kinds = Counter(type(result) for result in results)
        assert kinds == {Committed: 1, Replay: PROCESSES - 1}
        assert len({result.answer for result in results if isinstance(result, Replay)}) == 1
    first = sum(any(isinstance(each, Committed) for each in mine.values()) for mine in answers)
    after = audit_records(place)
    assert set(after.released) == set(ids)
    assert (after.twice, after.without_leaf) == (0, 0)
    assert first > 1, "one process did it all: there was no race"
    count(
        f"the same id from {PROCESSES} processes x{IDS:,} [{database}]:"
        f" {len(after.released):,} disclosed once, 0 twice; first were {first} of the processes"
    )


def test_one_of_fifty_requests_gets_the_last_use(
    installation: InProcessService, database: str, count: Count
) -> None:
    """CNS-06: one of fifty requests gets the data, over HTTP from three workers."""
    ids = [uuid4() for _ in range(RACERS)]
    with run_preforked_service(installation, workers=3, threads=8) as server:
        ready = Barrier(RACERS)

        def race(request_id: UUID) -> WireAnswer:
            request_message = message(installation, CONSENT, request_id)
            ready.wait(RUN_SECONDS)
            return WireAnswer(*ask(server.port, request_message))

        with ThreadPoolExecutor(RACERS) as pool:
            answers = dict(zip(ids, pool.map(race, ids, timeout=RUN_SECONDS), strict=True))
        again = {
            each: WireAnswer(*ask(server.port, message(installation, CONSENT, each)))
            for each in ids
        }

    words = Counter(answer.word for answer in answers.values())
    assert words == {RELEASED: 1, "REFUSED CNS-06": RACERS - 1}
    assert [answer.gives for answer in answers.values()].count(True) == 1
    assert {each: answer.word for each, answer in again.items()} == {
        each: answer.word for each, answer in answers.items()
    }
    assert len(audit_records(installation.settings.place).released.keys() & set(ids)) == 1
    count(
        f"maxDisclosures=1 raced by {RACERS} requests [{database}]: {words[RELEASED]} released,"
        f" {words['REFUSED CNS-06']} told that it is used up; asked again, all the same"
    )
