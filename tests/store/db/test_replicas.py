"""PostgreSQL with a synchronous replica that is away: nothing counts as committed on one copy."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from makul.app.ports import Committed, Replay
from makul.store import StoreKeys, open_store
from makul_testing.builders.entries import a_release, a_revocation
from makul_testing.builders.records import AZAMAT, NOON, a_caller, a_consent
from makul_testing.external.postgres import Cluster
from makul_testing.tlog.builder import a_note_signer, begin_empty_log, sequence

WAITS = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
PATIENCE = 60.0
"""Seconds."""

DoneT = TypeVar("DoneT")


@contextmanager
def replica_away(server: Cluster) -> Iterator[None]:
    """A commit waits for a copy that nobody keeps."""
    server.execute("ALTER SYSTEM SET synchronous_standby_names = 'replica'")
    server.execute("SELECT pg_reload_conf()")
    try:
        yield
    finally:
        server.execute("ALTER SYSTEM RESET synchronous_standby_names")
        server.execute("SELECT pg_reload_conf()")


def once(found: Callable[[], object]) -> object:
    until = time.monotonic() + PATIENCE
    while not (value := found()):
        assert time.monotonic() < until
        time.sleep(0.05)
    return value


def cut_off(
    server: Cluster, work: Callable[[], DoneT], *, times: int, how: str
) -> tuple[list[DoneT], list[DoneT]]:
    """What work came to by the time its commits had been cut off, and once the replica was back."""
    done: list[DoneT] = []
    thread = threading.Thread(target=lambda: done.append(work()))
    with replica_away(server):
        once(lambda: server.execute("SHOW synchronous_standby_names") == [("replica",)])
        thread.start()
        for _ in range(times):
            once(lambda: server.execute(WAITS))
            ((pid,),) = server.execute(WAITS)
            server.execute(f"SELECT {how}({pid})")
            once(lambda gone=pid: (gone,) not in server.execute(WAITS))
        thread.join(2)
        before = list(done)
    thread.join(PATIENCE)
    return before, done


def waiting(server: Cluster, work: Callable[[], DoneT]) -> tuple[list[DoneT], list[DoneT]]:
    """What work came to while there was no replica, and once it was back."""
    done: list[DoneT] = []
    thread = threading.Thread(target=lambda: done.append(work()))
    with replica_away(server):
        once(lambda: server.execute("SHOW synchronous_standby_names") == [("replica",)])
        thread.start()
        thread.join(2)
        before = list(done)
    thread.join(PATIENCE)
    return before, done


@pytest.mark.parametrize("cut", ["pg_terminate_backend", "pg_cancel_backend"])
@pytest.mark.parametrize("cuts", [1, 2])
def test_a_commit_cut_off_while_it_waits_is_not_taken_for_one(
    cut: str, cuts: int, server: Cluster, server_template: str, keys: StoreKeys
) -> None:
    """Whose connection is ended sees its rows at once, and who is cancelled is told that all is
    done. They lie on one copy: a failover would take them back after the answer left (invariant 1).
    """
    name = server.create(template=server_template)
    store = open_store(server.place(name), keys, who="operator")
    assert store.recorder.record(a_release()) == Committed(), "the dictionary is kept by then"

    before, done = cut_off(server, lambda: store.recorder.record(a_release()), times=cuts, how=cut)
    store.close()
    server.drop(name)

    assert before == []
    assert done == [Committed()]


def test_a_revocation_is_not_told_again_before_the_replica_has_it(
    server: Cluster, server_template: str, keys: StoreKeys
) -> None:
    """Its first commit may have been cut off, and be seen all the same: whoever is told that a
    consent is taken back must not find it in force after a failover.
    """
    name = server.create(template=server_template)
    store = open_store(server.place(name), keys, who="operator")
    revocation = a_revocation(a_consent(subject=AZAMAT))
    assert store.recorder.record(revocation) == Committed()

    before, done = waiting(
        server, lambda: store.recorder.replay(revocation.key, a_caller(), at=NOON)
    )
    store.close()
    server.drop(name)

    assert before == []
    assert done == [Replay(revocation.answer)]


def test_nor_is_a_tree_published_that_lies_on_one_copy(
    server: Cluster, server_template: str, keys: StoreKeys, tmp_path: Path
) -> None:
    """Whoever fetched it would hold the log to leaves that a failover takes back."""
    name = server.create(template=server_template)
    begin_empty_log(server.place(name))
    store = open_store(server.place(name), keys, who="operator")
    store.recorder.record(a_release())
    signer = a_note_signer(tmp_path)

    before, done = cut_off(
        server, lambda: sequence(store, signer), times=1, how="pg_terminate_backend"
    )
    newest = store.ledger.latest()
    store.close()
    server.drop(name)

    assert before == []
    assert [each.size for each in done] == [1]
    assert newest is not None
    assert newest.size == 1
