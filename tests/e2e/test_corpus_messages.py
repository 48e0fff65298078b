"""The corpus's messages, sent to the service as bytes: a fault with its reason, and nothing else.

Nothing is disclosed: no name of the person is in the answer. No use is counted, and no disclosure
is recorded.
"""

import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta

import pytest

from makul.domain.attributes import Attribute
from makul.trust.pki.trust_store import RELOAD_INTERVAL
from makul_testing.in_process_service import (
    FAULTS,
    TYPES,
    InProcessService,
    RecordDatabase,
    about,
    build_installation,
    person_request,
)
from makul_testing.pki.authorities import NOW, Holder
from makul_testing.raw_sql import count
from vectors.attacks import messages, messages_signed
from vectors.attacks.cast import Cast
from vectors.attacks.message_edits import MessageVector, Sender

Recorder = Callable[[str, object], None]
PAPER = "bank-00-data"
VECTORS = messages.VECTORS + messages_signed.VECTORS
A_LOOK_LATER = RELOAD_INTERVAL + timedelta(seconds=1)
METERED = ("ground_use", "disclosure", "ledger_leaf", "request_key", "attempt")


@pytest.fixture(scope="module")
def installation(
    tmp_path_factory: pytest.TempPathFactory, record_database: RecordDatabase
) -> Iterator[InProcessService]:
    built = build_installation(
        tmp_path_factory.mktemp("messages"), clock=Clock(), database=record_database
    )
    yield built
    built.close()


class Clock:
    """A clock at the corpus's moment, some seconds on after the corpus is installed."""

    now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(scope="module")
def sender(installation: InProcessService) -> Sender:
    bank = installation.world.messages["bank"]
    alike = (
        each for each in installation.world.citizens.values() if type(each.key) is type(bank.key)
    )
    stranger = next(alike)
    document = installation.document(PAPER)
    return Sender(
        holder=Holder(bank.key, bank.certificate),
        stranger=Holder(stranger.key, stranger.certificate),
        child=lambda: person_request(
            **about(installation.person_of(document), of=installation.bank, document=document)
        ),
        at=NOW + A_LOOK_LATER,
        cast=_installed(installation),
    )


def _installed(installation: InProcessService) -> Cast:
    """Install the corpus's authorities, which are trusted from the next check on."""
    cast = Cast()
    cast.install_in(installation.settings.trust)
    Clock.now = NOW + A_LOOK_LATER
    return cast


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_attack_message_is_a_fault(
    installation: InProcessService, sender: Sender, vector: MessageVector, record_property: Recorder
) -> None:
    """Body and Timestamp must be signed with a registered certificate, or the answer is a fault."""
    database = installation.settings.place
    before = [count(database, table) for table in METERED]

    message = vector.build(sender)
    started = time.thread_time()
    answer = installation.post(message)
    took = time.thread_time() - started

    record_property("corpus", vector.code.value if vector.code else "accepted")
    if vector.code is None:
        assert answer.outcome == "RELEASED", answer.codes
        return
    assert answer.codes == [vector.code.value]
    FAULTS.assertValid(next(answer.child.iter(f"{{{TYPES}}}Fault")))
    assert [count(database, table) for table in METERED] == before
    if vector.within is not None:
        assert took < vector.within.total_seconds()
    for secret in secrets_of(installation):
        assert secret not in answer.body


def secrets_of(installation: InProcessService) -> list[bytes]:
    values = installation.person_of(installation.document(PAPER)).values
    names = [values[name] for name in (Attribute.SURNAME, Attribute.GIVEN_NAME)]
    return [form.encode() for name in names for form in (name.ky, name.latin) if form]
