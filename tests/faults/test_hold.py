"""A recipient is put on hold while it sends requests without a pause (cl. 12; invariant 4)."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from multiprocessing import get_context
from uuid import uuid4

import pytest
from sqlalchemy import bindparam, update

from makul.app.ports import Committed, Conflict
from makul.domain.reasons import Code, Reason
from makul.domain.recipients import RecipientState
from makul.store import Store, StoreKeys, open_store
from makul.store.db.location import DatabaseLocation, PostgresLocation
from makul.store.open import database_at
from makul.store.records.locks import announce_revocation, lock_for_revocation
from makul.store.schema.registry_tables import recipient
from makul_testing.builders.entries import a_release, a_revocation
from makul_testing.builders.records import AZAMAT, BANK, NOON, a_consent, a_recipient, an_evidence
from makul_testing.exhaustive import rounds
from makul_testing.faults.record_audit import Count, audit_records
from makul_testing.in_process_service import InProcessService
from makul_testing.load.concurrent_clients import RELEASED, ConcurrentClients
from makul_testing.processes.gunicorn import run_preforked_service
from makul_testing.raw_sql import count as sql_count
from makul_testing.raw_sql import raw

FORK = get_context("fork")
HOLDS = rounds(2, exhaustive=5)
PATIENCE_SECONDS = 15.0
"""The maximum wait of the operator, on busy cores: a wait for a gap would last as long
as the load.
"""

_NOTES = "CREATE TABLE released_before (number integer NOT NULL)"
_SO_FAR = (
    "INSERT INTO released_before SELECT count(*) FROM disclosure"
    " WHERE outcome = 'RELEASED' AND recipient = NEW.code"
)
_ON_HOLD = "AFTER UPDATE ON recipient FOR EACH ROW WHEN (NEW.state = 'ON_HOLD')"


@contextmanager
def noting_what_came_before(place: DatabaseLocation) -> Iterator[None]:
    """Let the hold's own transaction record how much was released before it."""
    with raw(place) as connection:
        connection.execute(_NOTES)
        if isinstance(place, PostgresLocation):
            connection.execute(
                "CREATE FUNCTION note_released() RETURNS trigger SECURITY DEFINER"
                f" LANGUAGE plpgsql AS $$ BEGIN {_SO_FAR}; RETURN NULL; END $$"
            )
            then = "EXECUTE FUNCTION note_released()"
        else:
            then = f"BEGIN {_SO_FAR}; END"
        connection.execute(f"CREATE TRIGGER note_released {_ON_HOLD} {then}")
    try:
        yield
    finally:
        with raw(place) as connection:
            if isinstance(place, PostgresLocation):
                connection.execute("DROP FUNCTION note_released CASCADE")
            else:
                connection.execute("DROP TRIGGER note_released")
            connection.execute("DROP TABLE released_before")


def released_before(place: DatabaseLocation) -> int:
    """Return what the last hold's transaction saw."""
    with raw(place) as connection:
        (number,) = connection.execute("SELECT max(number) FROM released_before").fetchone()
        return int(number)


def test_nothing_is_ordered_after_a_hold(
    installation: InProcessService, database: str, count: Count
) -> None:
    """All releases are those that the hold's own transaction counts; no stored answer either."""
    place, bank = installation.settings.place, installation.bank.recipient
    holds, took = 0, 0.0
    with (
        noting_what_came_before(place),
        run_preforked_service(installation, workers=3) as server,
        ConcurrentClients(installation, server.port, threads=8, repeats=0.5) as clients,
    ):
        for _ in range(HOLDS):
            clients.more(10)
            began = time.monotonic()
            set_state(installation.store, replace(bank, state=RecipientState.ON_HOLD))
            took, clients.closed = max(took, time.monotonic() - began), object()
            before, refused = released_before(place), clients.words["REFUSED RCP-02"]
            clients.until(lambda: clients.words["REFUSED RCP-02"] >= refused + 16)  # noqa: B023
            holds += len(audit_records(place).released) == before
            clients.closed = None
            set_state(installation.store, bank)
        set_state(installation.store, replace(bank, state=RecipientState.ON_HOLD))
        clients.closed = object()
        again = sorted(clients.released)[:50]
        clients.ask_again(again)
        clients.closed = None
        set_state(installation.store, bank)
    installation.store.close()

    assert holds == HOLDS
    assert clients.given_after == []
    assert clients.withheld["REFUSED RCP-02"] >= len(again) >= 10 * HOLDS
    assert set(clients.words) == {RELEASED, "REFUSED RCP-02"}
    assert (clients.unanswered, clients.differing) == ([], [])
    assert took < PATIENCE_SECONDS
    count(
        f"a hold under load of 8 clients x{HOLDS} [{database}]: {len(clients.released):,} released"
        f" before, 0 ordered after it, {clients.withheld.total()} stored answers withheld,"
        f" 0 given; it waited {took:.2f} s at most"
    )


def set_state(store: Store, recipient: object) -> None:
    store.registry.set_state(recipient, reason="test", at=NOON)  # type: ignore[arg-type]


THREADS, PROCESSES = 4, 4
ANNOUNCEMENTS = "gate WHERE kind = 'TAKING_RIGHTS'"
_SLOWLY = (
    (
        "CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_sleep(0.01 + 0.02 * random()); RETURN NULL; END $$"
    ),
    "CREATE TRIGGER slowly AFTER INSERT ON ledger_leaf FOR EACH ROW EXECUTE FUNCTION slowly()",
)
"""The seconds of commits that a replica confirms, each at another time."""


def keep_recording(store: Store, stop: threading.Event) -> None:
    """Record decisions without a pause, in a few threads; each stores a document."""

    def record() -> None:
        while not stop.is_set():
            store.recorder.record(a_release(evidence=(an_evidence(uuid4().bytes),)))

    threads = [threading.Thread(target=record) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.close()


def hold(store: Store) -> None:
    set_state(store, a_recipient(state=RecipientState.ON_HOLD))


def withdraw(store: Store) -> None:
    fingerprint = uuid4().bytes * 2
    store.registry.add_certificate(BANK, fingerprint, b"der", at=NOON)
    store.registry.withdraw_certificate(BANK, fingerprint, reason="test", at=NOON)


def take_back(store: Store) -> None:
    revocation = a_revocation(a_consent(subject=AZAMAT))
    assert store.recorder.record(revocation) == Committed()


@pytest.mark.parametrize("take", [hold, withdraw, take_back])
def test_a_revocation_does_not_wait_for_a_gap(
    place: DatabaseLocation,
    keys: StoreKeys,
    database: str,
    count: Count,
    take: Callable[[Store], None],
) -> None:
    """A hold does not wait for a gap between decisions.

    Sixteen threads have long transactions: one of them always holds the recipient's row in share
    mode, and PostgreSQL lets others join it.
    """
    store, stop = open_store(place, keys, who="operator"), FORK.Event()
    if isinstance(place, PostgresLocation):
        with raw(place) as connection:
            for statement in _SLOWLY:
                connection.execute(statement)
    workers = [FORK.Process(target=keep_recording, args=(store, stop)) for _ in range(PROCESSES)]
    for worker in workers:
        worker.start()
    try:
        waited = [timed(take, store) for _ in range(3)]
        again = store.recorder.record(a_release())
    finally:
        stop.set()
        for worker in workers:
            worker.join(120)
        store.close()

    assert again == Committed()
    assert [worker.exitcode for worker in workers] == [0] * PROCESSES
    assert max(waited) < PATIENCE_SECONDS
    count(
        f"a right taken ({take.__name__}) from under {PROCESSES * THREADS} threads of slow"
        f" transactions [{database}]: waited {max(waited):.2f} s at most"
    )


def timed(take: Callable[[Store], None], store: Store) -> float:
    time.sleep(0.5)
    began = time.monotonic()
    take(store)
    took = time.monotonic() - began
    set_state(store, a_recipient())
    return took


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_an_announcement_of_a_dead_process_blocks_no_decision(
    place: DatabaseLocation, keys: StoreKeys
) -> None:
    """Its process was killed before the hold: decisions continue, and the next hold comes."""
    store = open_store(place, keys, who="operator")
    with announce_revocation(database_at(place), BANK) as left:
        assert left.announcement is not None
        with ThreadPoolExecutor(4) as pool:
            begun = [pool.submit(store.recorder.record, a_release()) for _ in range(20)]
            assert [each.result(PATIENCE_SECONDS) for each in begun] == [Committed()] * 20
        assert timed(hold, store) < PATIENCE_SECONDS
        assert sql_count(place, ANNOUNCEMENTS) == 1
        store.housekeep(at=NOON)
        assert sql_count(place, ANNOUNCEMENTS) == 0
        assert store.recorder.record(a_release()) == Committed()
    store.close()


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_a_decision_waits_for_an_announced_revocation(
    place: DatabaseLocation, keys: StoreKeys
) -> None:
    """It waits, and then finds the result: RCP-02."""
    store, database = open_store(place, keys, who="operator"), database_at(place)
    with ThreadPoolExecutor(1) as pool, announce_revocation(database, BANK) as pending:
        with database.transaction() as transaction:
            lock_for_revocation(transaction, pending)
            begun = pool.submit(store.recorder.record, a_release())
            with pytest.raises(TimeoutError):
                begun.result(0.3)
            hold = update(recipient).where(recipient.c.code == bindparam("bank"))
            transaction.execute(hold.values(state="ON_HOLD"), {"bank": BANK})
        found = begun.result(PATIENCE_SECONDS)
    store.close()
    database.close()

    assert found == Conflict((Reason(code=Code.RCP_02),))
