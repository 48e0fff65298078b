"""The attack corpus in requests: from a genuine bank, over its channel, for a genuine citizen.

The code of the request path answers, from the socket to the record.
"""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from hashlib import sha256

import pytest

from makul.documents import ConsentDisplay, render_consent
from makul.domain.attributes import Attribute
from makul.domain.reasons import Code
from makul.trust.pki.trust_store import RELOAD_INTERVAL
from makul.trust.xmldsig.parsing import MAX_DOCUMENT_BYTES
from makul_sandbox.data.end_entities import CITIZEN_POLICY
from makul_sandbox.data.recipients import BANK
from makul_sandbox.world.signers import NOTICE, SandboxSigners
from makul_testing.builders.messages import signed_message
from makul_testing.in_process_service import (
    RECIPIENT,
    TYPES,
    InProcessService,
    RecordDatabase,
    ServiceAnswer,
    about,
    build_installation,
    person_request,
)
from makul_testing.pki.authorities import NOW
from makul_testing.raw_sql import count
from vectors.attacks import ACCEPTED, REFUSED, SIGNERS
from vectors.attacks.cast import Cast
from vectors.attacks.vector import UNDECIDED, Vector

CITIZEN = 3
Recorder = Callable[[str, object], None]
A_LOOK_LATER = RELOAD_INTERVAL + timedelta(seconds=1)
"""The seconds after which new trusted material is read."""


class Clock:
    """A clock at the corpus's moment, some seconds on after the corpus is installed."""

    now = NOW

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(scope="module")
def installation(
    tmp_path_factory: pytest.TempPathFactory, record_database: RecordDatabase
) -> Iterator[InProcessService]:
    built = build_installation(
        tmp_path_factory.mktemp("corpus"), clock=Clock(), database=record_database
    )
    yield built
    built.close()


@pytest.fixture(scope="module")
def cast(installation: InProcessService) -> Cast:
    """Return the corpus about a citizen of this service, its root trusted beside the
    sandbox's own.
    """
    person = installation.world.people[CITIZEN]
    sandbox_signers = SandboxSigners(
        people=installation.world.people,
        citizens=installation.world.citizens,
        officials=installation.world.officials,
        stranger=installation.world.stranger,
        notice_digest=sha256(NOTICE.encode()).digest(),
        at=installation.world.made_at,
    )
    values = person.values
    display = ConsentDisplay(
        surname=values[Attribute.SURNAME].ky,
        given_name=values[Attribute.GIVEN_NAME].ky,
        patronymic=values[Attribute.PATRONYMIC].ky,
        controller_name="Оператор",
        recipient_name=BANK.name,
        purpose_text=BANK.purpose_text,
        withdrawal="Ооба",
    )
    content = render_consent(sandbox_signers.consent(BANK, CITIZEN), display).decode()
    cast = Cast(content=content, pin=person.pin.digits, policy=CITIZEN_POLICY)
    trust = installation.settings.trust
    cast.install_in(trust)
    assert trust.tsa_crls is not None
    for crl in trust.crls.glob("corpus-*.crl"):
        (trust.tsa_crls / crl.name).write_bytes(crl.read_bytes())
    Clock.now = NOW + A_LOOK_LATER
    return cast


def ask(installation: InProcessService, document: bytes) -> ServiceAnswer:
    person = installation.world.people[CITIZEN]
    return installation.ask(
        person_request(**about(person, of=BANK) | {"ground": ("CONSENT", document)})
    )


def refused_by_the_schema(installation: InProcessService, document: bytes) -> list[str]:
    """Return whether the schema refuses the document's size, before trust sees it."""
    person, holder = installation.world.people[CITIZEN], installation.world.messages["bank"]
    child = person_request(**about(person, of=BANK) | {"ground": ("CONSENT", document)})
    signed = signed_message(child, holder.key, holder.certificate, at=installation.clock())
    return installation.post(signed).codes


def read_reasons(answer: ServiceAnswer) -> list[tuple[str, str | None]]:
    """Return each reason's code and its cause."""
    return [
        (
            str(reason.findtext(f"{{{TYPES}}}code")),
            reason.findtext(f"{{{TYPES}}}because"),
        )
        for reason in answer.child.iter(f"{{{RECIPIENT}}}reason", f"{{{TYPES}}}reason")
    ]


@pytest.mark.parametrize(
    ("vector", "because"),
    [(vector, vector.code) for vector in REFUSED] + [(vector, Code.SIG_08) for vector in SIGNERS],
    ids=lambda each: each.name if isinstance(each, Vector) else str(each),
)
def test_attack_is_refused(
    installation: InProcessService,
    cast: Cast,
    vector: Vector,
    because: Code,
    record_property: Recorder,
) -> None:
    """Procedure, cl. 4: CNS-02 with its cause, no data, and no use of any consent."""
    person = installation.world.people[CITIZEN]
    document = vector.build(cast)
    if not 0 < len(document) <= MAX_DOCUMENT_BYTES:
        record_property("corpus", "REQ-01")
        assert refused_by_the_schema(installation, document) == ["REQ-01"]
        return

    answer = ask(installation, document)

    record_property("corpus", f"CNS-02 because {because.value}")
    undecided = because in UNDECIDED
    assert answer.outcome == ("UNDETERMINED" if undecided else "REFUSED"), read_reasons(answer)
    assert ("CNS-02", because.value) in read_reasons(answer)
    assert answer.released == set()
    for name in (Attribute.SURNAME, Attribute.GIVEN_NAME):
        for form in (person.values[name].ky, person.values[name].latin):
            assert form.encode() not in answer.body


@pytest.mark.parametrize("vector", ACCEPTED, ids=lambda vector: vector.name)
def test_good_consent_is_accepted(
    installation: InProcessService, cast: Cast, vector: Vector, record_property: Recorder
) -> None:
    """Procedure, cl. 4: a good consent is accepted, by any signing tool."""
    answer = ask(installation, vector.build(cast))

    record_property("corpus", "accepted")
    assert answer.outcome == "RELEASED", read_reasons(answer)


def test_refusals_used_nothing_up(installation: InProcessService, cast: Cast) -> None:
    """Every refusal is recorded, and not one use is counted."""
    before = count(installation.settings.place, "ground_use")

    answer = ask(installation, REFUSED[0].build(cast))

    assert answer.outcome == "REFUSED"
    assert count(installation.settings.place, "ground_use") == before
