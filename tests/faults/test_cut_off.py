"""A recipient is cut off while it sends requests without a pause (cl. 12; invariant 4)."""

import http.client
import os
import random
import signal
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID, uuid4

import pytest

from makul.composition.adapters import utc_now
from makul.domain.recipients import RecipientState
from makul.store.db.codecs import micros
from makul_testing.builders.messages import signed_message
from makul_testing.exhaustive import rounds
from makul_testing.external.postgres import Cluster
from makul_testing.faults.record_audit import Count
from makul_testing.in_process_service import InProcessService, build_installation_on
from makul_testing.load.concurrent_clients import RELEASED, ConcurrentClients
from makul_testing.load.steady_load import HEADERS
from makul_testing.processes.gunicorn import run_preforked_service
from makul_testing.processes.service import Server
from makul_testing.raw_sql import raw
from makul_testing.tlog.builder import a_note_signer, sequence

KILLS = rounds(6, exhaustive=60)
CUT_OFF = "REFUSED RCP-03"
NAMESPACE = "urn:makul:oversight:1"

_RELEASES = (
    "SELECT ledger_position.position, disclosure.decided_at FROM disclosure"
    " JOIN ledger_position ON ledger_position.disclosure_id = disclosure.disclosure_id"
    " WHERE disclosure.outcome IN ('RELEASED', 'MATCHED')"
)
_ACT = (
    "SELECT ledger_position.position FROM act"
    " JOIN ledger_position ON ledger_position.disclosure_id = act.act_id"
    " WHERE act.kind = 'oversight.CutOffRecipient'"
)
_COUNT = "SELECT count(*) FROM disclosure WHERE outcome IN ('RELEASED', 'MATCHED')"


@pytest.fixture
def own(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, database: str
) -> Iterator[InProcessService]:
    """A service of its own: a cut-off has no end."""

    def server() -> Cluster:
        cluster: Cluster = request.getfixturevalue("server")
        return cluster

    built = build_installation_on(tmp_path_factory.mktemp("cut-off"), database, server)
    yield built
    built.close()


def cut_off(installation: InProcessService, request_id: UUID) -> bytes:
    """Return the inspector's act against the bank, signed now."""
    act = (
        f'<CutOffRecipient xmlns="{NAMESPACE}"><requestId>{request_id}</requestId>'
        f"<recipient>{installation.bank.code}</recipient>"
        "<justification>data without consent</justification></CutOffRecipient>"
    ).encode()
    officer = installation.world.officers["inspector"].credential
    return signed_message(act, officer.key, officer.certificate, at=utc_now())


def send(server: Server, message: bytes) -> bytes:
    """Return the answer of the oversight port; empty if the connection broke."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
    try:
        connection.request("POST", "/v1/oversight", message, HEADERS)
        return connection.getresponse().read()
    except (OSError, http.client.HTTPException):
        return b""
    finally:
        connection.close()


def insist(server: Server, message: Callable[[], bytes]) -> bytes:
    """Repeat an act, signed again, until it is answered."""
    for _ in range(200):
        answer = send(server, message())
        if b"<outcome>" in answer:
            return answer
        time.sleep(0.05)
    raise AssertionError("the act was never answered")


def test_nothing_is_released_after_the_leaf_of_a_cut_off(
    own: InProcessService, database: str, count: Count, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The ledger itself shows the order.

    Leaves of one batch have no order among them (docs/decisions), so what has an index in a later
    batch than the act is refused. What shares its batch was decided before the act was answered.
    """
    signer = a_note_signer(tmp_path_factory.mktemp("log"))
    with (
        run_preforked_service(own, workers=3) as server,
        ConcurrentClients(own, server.port, threads=8, repeats=0.25) as clients,
    ):
        clients.more(20)
        sequence(own.store, signer, at=utc_now())
        clients.more(20)
        done = own.oversee(
            f'<CutOffRecipient xmlns="{NAMESPACE}"><requestId>{uuid4()}</requestId>'
            f"<recipient>{own.bank.code}</recipient>"
            "<justification>data without consent</justification></CutOffRecipient>".encode()
        )
        clients.closed, answered_at = object(), utc_now()
        size = sequence(own.store, signer, at=utc_now()).size
        clients.until(lambda: clients.words[CUT_OFF] >= 32)
    sequence(own.store, signer, at=utc_now())
    with raw(own.settings.place) as connection:
        releases = connection.execute(_RELEASES).fetchall()
        ((act,),) = connection.execute(_ACT).fetchall()

    assert done.outcome == "DONE"
    assert act < size
    assert len(releases) >= 40
    assert [index for index, _ in releases if index >= size] == []
    late = [at for index, at in releases if index > act and at > micros(answered_at)]
    assert late == []
    assert clients.given_after == []
    assert set(clients.words) == {RELEASED, CUT_OFF}
    count(
        f"a cut-off under load of 8 clients [{database}]: {len(releases):,} released with an index"
        f" below {size}, 0 after the batch of the act, {clients.words[CUT_OFF]} refused"
    )


@dataclass
class Killed:
    """What the kills met."""

    done: int = 0
    undone: int = 0
    broken: int = 0


def test_a_process_that_is_killed_while_it_cuts_off(
    own: InProcessService, database: str, count: Count
) -> None:
    """Kill -9: the act is done or not. Its retry is answered once, and then nothing is given."""
    dice, met = random.Random(20261201), Killed()  # noqa: S311 -- moments of kills, not a secret
    with (
        run_preforked_service(own, workers=1, listener="oversight") as overseer,
        run_preforked_service(own, workers=2) as server,
        ConcurrentClients(own, server.port, threads=4) as clients,
    ):
        for _ in range(KILLS):
            clients.more(5)
            request_id = uuid4()
            kill_while_it_cuts_off(own, overseer, request_id, dice.uniform(0, 0.06), met)
            answers = [
                insist(overseer, lambda: cut_off(own, request_id))  # noqa: B023
                for _ in range(2)
            ]
            clients.closed = object()
            released = released_so_far(own)
            refused = clients.words[CUT_OFF]
            clients.until(lambda: clients.words[CUT_OFF] >= refused + 8)  # noqa: B023
            assert released_so_far(own) == released
            assert b"<outcome>DONE</outcome>" in answers[0]
            assert answer_of(answers[0]) == answer_of(answers[1])
            clients.closed = None
            undo(own)
    assert clients.given_after == []
    assert met.broken > 0, "no kill met the act"
    count(
        f"kill -9 of the oversight process at a cut-off under load x{KILLS} [{database}]:"
        f" {met.done} done, {met.undone} not done, each answered once afterwards,"
        " 0 released after the answer"
    )


def kill_while_it_cuts_off(
    own: InProcessService, overseer: Server, request_id: UUID, after_seconds: float, met: Killed
) -> None:
    """Kill the worker some milliseconds after the act was sent, and note what became of it."""
    answers: list[bytes] = []
    deadline = time.monotonic() + 30
    while not overseer.workers and time.monotonic() < deadline:
        time.sleep(0.01)
    (worker,) = overseer.workers
    message = cut_off(own, request_id)
    sender = threading.Thread(target=lambda: answers.append(send(overseer, message)))
    sender.start()
    time.sleep(after_seconds)
    os.kill(worker, signal.SIGKILL)
    sender.join()
    met.broken += answers == [b""]
    with raw(own.settings.place) as connection:
        (state,) = connection.execute(
            f"SELECT state FROM recipient WHERE code = '{own.bank.code}'"  # noqa: S608
        ).fetchone()
    if state == RecipientState.CUT_OFF:
        met.done += 1
    else:
        met.undone += 1
        assert state == RecipientState.ACTIVE


def released_so_far(own: InProcessService) -> int:
    with raw(own.settings.place) as connection:
        (number,) = connection.execute(_COUNT).fetchone()
    return int(number)


def answer_of(envelope: bytes) -> bytes:
    """Return the answer without the envelope, whose bytes are those that are stored."""
    begins = envelope.index(b"<CutOffRecipientResponse")
    return envelope[begins : envelope.index(b"</CutOffRecipientResponse>")]


def undo(own: InProcessService) -> None:
    """Make the bank active again, which no act can do."""
    with raw(own.settings.place) as connection:
        connection.execute(
            f"UPDATE recipient SET state = 'ACTIVE' WHERE code = '{own.bank.code}'"  # noqa: S608
        )
