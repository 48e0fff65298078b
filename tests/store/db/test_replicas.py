"""PostgreSQL whose synchronous replica is away: no commit on only one copy counts."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import pytest

from makul.app.ports import Committed, Replay
from makul.app.ports.acts import ActDecision
from makul.domain.disclosures import Outcome
from makul.domain.recipients import RecipientState
from makul.store import ActRights, StoreKeys, open_store
from makul_testing.builders.entries import a_release, a_revocation
from makul_testing.builders.oversight import MONTH, month_facts
from makul_testing.builders.records import AZAMAT, BANK, NOON, a_caller, a_consent
from makul_testing.external.postgres import Cluster
from makul_testing.raw_sql import raw
from makul_testing.tlog.builder import a_note_signer, begin_empty_log, sequence

WAITS = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
PATIENCE = 60.0
"""A time in seconds."""

DoneT = TypeVar("DoneT")


@contextmanager
def replica_away(server: Cluster) -> Iterator[None]:
    """Let commits wait for a copy that does not exist."""
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
    """Return the result of work whose commits were interrupted, when the replica is back."""
    outcomes: list[DoneT] = []
    thread = threading.Thread(target=lambda: outcomes.append(work()))
    with replica_away(server):
        once(lambda: server.execute("SHOW synchronous_standby_names") == [("replica",)])
        thread.start()
        for _ in range(times):
            once(lambda: server.execute(WAITS))
            ((pid,),) = server.execute(WAITS)
            server.execute(f"SELECT {how}({pid})")
            once(lambda gone=pid: (gone,) not in server.execute(WAITS))
        thread.join(2)
        before = list(outcomes)
    thread.join(PATIENCE)
    return before, outcomes


def run_without_replica(
    server: Cluster, work: Callable[[], DoneT]
) -> tuple[list[DoneT], list[DoneT]]:
    """Return the result of work that began without a replica, when it is back."""
    outcomes: list[DoneT] = []
    thread = threading.Thread(target=lambda: outcomes.append(work()))
    with replica_away(server):
        once(lambda: server.execute("SHOW synchronous_standby_names") == [("replica",)])
        thread.start()
        thread.join(2)
        before = list(outcomes)
    thread.join(PATIENCE)
    return before, outcomes


@pytest.mark.parametrize("cut", ["pg_terminate_backend", "pg_cancel_backend"])
@pytest.mark.parametrize("cuts", [1, 2])
def test_an_interrupted_commit_counts_as_unknown(
    cut: str, cuts: int, server: Cluster, server_template: str, keys: StoreKeys
) -> None:
    """A commit whose wait for the replica was interrupted does not count as done.

    If its connection is ended, its rows are visible at once; if it is cancelled, it is reported as
    done. Both are on one copy, and a failover would remove them after the answer left (invariant
    1).
    """
    name = server.create(template=server_template)
    store = open_store(server.place(name), keys, who="operator")
    assert store.recorder.record(a_release()) == Committed(), "the dictionary is kept by then"

    before, outcomes = cut_off(
        server, lambda: store.recorder.record(a_release()), times=cuts, how=cut
    )
    store.close()
    server.drop(name)

    assert before == []
    assert outcomes == [Committed()]


@pytest.mark.parametrize("cut", ["pg_terminate_backend", "pg_cancel_backend"])
def test_an_act_whose_commit_was_interrupted_is_done_once(
    cut: str, server: Cluster, server_template: str, keys: StoreKeys
) -> None:
    """The caller gets the stored answer after the replica has it, and there is one act."""
    name = server.create(template=server_template)
    store = open_store(server.place(name), keys, who="operator")
    facts, answers = month_facts(BANK, MONTH), iter((b"first", b"second"))

    def cut_off_bank(rights: ActRights) -> ActDecision:
        rights.set_recipient_state(BANK, RecipientState.CUT_OFF)
        return ActDecision(outcome=Outcome.DONE)

    before, outcomes = cut_off(
        server,
        lambda: store.acts.carry_out(facts, cut_off_bank, lambda _: next(answers)),
        times=1,
        how=cut,
    )
    with raw(server.place(name)) as connection:
        (number,) = connection.execute(
            "SELECT count(*) FROM act WHERE kind = 'recipient.ConfirmMonth'"
        ).fetchone()
    store.close()
    server.drop(name)

    assert before == []
    assert outcomes == [b"first"]
    assert number == 1


def test_a_revocation_is_not_confirmed_before_the_replica_has_it(
    server: Cluster, server_template: str, keys: StoreKeys
) -> None:
    """A repeated revocation is confirmed only after the replica has it.

    Its first commit may have been interrupted and still be visible. A subject who got the
    confirmation must not find the consent in force after a failover.
    """
    name = server.create(template=server_template)
    store = open_store(server.place(name), keys, who="operator")
    revocation = a_revocation(a_consent(subject=AZAMAT))
    assert store.recorder.record(revocation) == Committed()

    before, outcomes = run_without_replica(
        server, lambda: store.recorder.replay(revocation.key, a_caller(), at=NOON)
    )
    store.close()
    server.drop(name)

    assert before == []
    assert outcomes == [Replay(revocation.answer)]


def test_a_tree_on_only_one_copy_is_not_published(
    server: Cluster, server_template: str, keys: StoreKeys, tmp_path: Path
) -> None:
    """A party that fetched it would expect leaves that a failover removes."""
    name = server.create(template=server_template)
    begin_empty_log(server.place(name))
    store = open_store(server.place(name), keys, who="operator")
    store.recorder.record(a_release())
    signer = a_note_signer(tmp_path)

    before, outcomes = cut_off(
        server, lambda: sequence(store, signer), times=1, how="pg_terminate_backend"
    )
    newest = store.ledger.latest()
    store.close()
    server.drop(name)

    assert before == []
    assert [each.size for each in outcomes] == [1]
    assert newest is not None
    assert newest.size == 1
