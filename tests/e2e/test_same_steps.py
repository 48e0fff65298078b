"""The steps of a request are the same for any record (Procedure, cl. 10; invariant 6).

They are counted and not timed, so a busy machine changes nothing: statements, rows and bytes of a
database, its work, and the calls of Python.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from os import urandom
from types import FrameType
from typing import Any, NamedTuple, cast
from uuid import uuid4

import pytest

from makul.app.disclose import Disclose
from makul.app.ports import Caller, Committed, Entry, Recorder
from makul.app.requests import PersonRequest, PresentedBasis
from makul.composition.adapters import Adapters
from makul.composition.service import recipient_port
from makul.domain.agreements import Channel
from makul.domain.attributes import BIOMETRIC, Attribute
from makul.domain.consents import ResultForm
from makul.domain.disclosures import Operation
from makul.domain.match_attempts import AttemptLimits
from makul.domain.matches import DemographicProbe
from makul.domain.persons import LocalizedName, Person
from makul_sandbox.data.citizens import citizens
from makul_sandbox.data.recipients import OPERATOR, POLICE
from makul_testing.builders.consents import signers_of
from makul_testing.in_process_service import InProcessService, RecordDatabase, build_installation

NO_LIMITS = AttemptLimits(
    window=timedelta(0),
    failures_by_recipient_and_pin=10**9,
    failures_by_pin=10**9,
    failures_by_employee=10**9,
    distinct_failed_pins_by_recipient=10**9,
)
NUMBER = {"document_number": "ID0000000"}
NAMES = {"surname": "Образцов", "given_name": "Образец"}
EVERY = {
    **NUMBER,
    **NAMES,
    "patronymic": "Образцович",
    "birth_date": date(1901, 2, 3),
    "sex": "M",
}
FEW_CALLS = 20
"""Of two to three thousand: a microsecond of three hundred."""


class Unsigned:
    """A signer that signs nothing: its work sees no record of a person."""

    def sign(self, document: bytes, *, at: datetime) -> bytes:
        del at
        return document

    def ready(self) -> bool:
        return True


class Unrecorded:
    """A recorder that stores nothing: it sees no record of a person either."""

    def record(self, entry: Entry) -> Committed:
        del entry
        return Committed()


def bare(parts: Adapters) -> Adapters:
    return replace(parts, signer=Unsigned(), recorder=cast("Recorder", Unrecorded()))


@pytest.fixture(scope="module")
def installation(
    tmp_path_factory: pytest.TempPathFactory, record_database: RecordDatabase
) -> Iterator[InProcessService]:
    built = build_installation(
        tmp_path_factory.mktemp("steps"), parts=bare, database=record_database
    )
    yield built
    built.close()


def kept_as(person: Person) -> dict[str, Person]:
    """Return the same person, recorded in the ways that must look alike."""
    sample = urandom(1_000_000)
    samples = dict.fromkeys(BIOMETRIC, sample)
    values = {n: v for n, v in person.values.items() if n not in BIOMETRIC}
    nothing = {Attribute.DOCUMENT_NUMBER: "ID0000001"}
    one_name = {**values, Attribute.SURNAME: LocalizedName(ky="Сукарно")}
    del one_name[Attribute.GIVEN_NAME], one_name[Attribute.PATRONYMIC]
    return {
        "no samples": replace(person, values=values),
        "1 MB of each": replace(person, values={**values, **samples}),
        "locked": replace(person, values=values, locked=True),
        "disputed": replace(person, values=values, disputed=frozenset(values)),
        "locked and disputed, with samples": replace(
            person,
            values={**values, **samples},
            disputed=frozenset(Attribute),
            locked=True,
        ),
        "next to nothing": replace(person, values=nothing),
        "one name": replace(person, values=one_name),
    }


class Steps(NamedTuple):
    """The steps of one piece of work."""

    statements: int
    rows: int
    octets: int
    """Octets of the texts and bytes that the database returned."""
    calls: int
    """Calls of Python's functions and of those in C."""


class Counter:
    """Sees each row that a database returns, and each call."""

    def __init__(self, database: Any) -> None:
        self._kind = type(database)
        self.found: list[list[Any]] = []
        self.calls = 0

    def _called(self, frame: FrameType, event: str, _: object) -> None:
        del frame
        self.calls += event in ("call", "c_call")

    def count(self, work: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> Steps:
        one, every = self._kind.fetch_one, self._kind.fetch_all

        def seen(found: Any, rows: list[Any]) -> Any:
            self.found.append(rows)
            return found

        with monkeypatch.context() as patched:
            patched.setattr(
                self._kind,
                "fetch_one",
                lambda *arguments: seen(row := one(*arguments), [row] if row else []),
            )
            patched.setattr(
                self._kind, "fetch_all", lambda *arguments: seen(rows := every(*arguments), rows)
            )
            sys.setprofile(self._called)
            try:
                work()
            finally:
                sys.setprofile(None)
        rows = [row for found in self.found for row in found]
        texts = [value for row in rows for value in row if isinstance(value, bytes | str)]
        return Steps(len(self.found), len(rows), sum(map(len, texts)), self.calls)


@pytest.mark.parametrize("form", list(ResultForm))
@pytest.mark.parametrize("factors", [NUMBER, NAMES, EVERY], ids=["number", "names", "all"])
def test_a_request_takes_the_same_steps_for_any_record(
    installation: InProcessService,
    monkeypatch: pytest.MonkeyPatch,
    factors: dict[str, Any],
    form: ResultForm,
) -> None:
    """The records: none, without samples, with megabytes of them, locked, disputed,
    nearly empty.
    """
    unknown, person = citizens(60)[55], installation.world.people[5]
    database = cast("Any", installation.store.register)._database
    requests = {"unknown": asking(installation, unknown, factors, form)}
    requests |= dict.fromkeys(kept_as(person), asking(installation, person, factors, form))
    counts = {}
    for name, record in {"unknown": None, **kept_as(person)}.items():
        if record is not None:
            installation.store.registry.put_persons([record], at=installation.clock())
        requests[name]()  # everything that is read once in a process has been read now
        tries = [Counter(database).count(requests[name], monkeypatch) for _ in range(3)]
        counts[name] = min(tries)  # a driver or a collector may do other work in between

    assert {each[:3] for each in counts.values()} == {counts["unknown"][:3]}
    calls = [each.calls for each in counts.values()]
    assert max(calls) - min(calls) <= FEW_CALLS, counts


def asking(
    installation: InProcessService, person: Person, factors: dict[str, Any], form: ResultForm
) -> Callable[[], object]:
    """Return a request of the police about a person, with wrong values."""
    port = recipient_port(installation.parts, operator=OPERATOR, environment="SANDBOX")
    disclose = replace(cast("Disclose", port.disclose), limits=NO_LIMITS)
    data = form is ResultForm.DATA
    attributes = frozenset({Attribute.SURNAME} if data else ())
    sandbox_signers = signers_of(installation)
    statement = sandbox_signers.statement(
        POLICE, 0, attributes, subject=person.pin, result_form=form
    )
    document = sandbox_signers.sign_statement(
        statement, POLICE, installation.world.officials[POLICE.key]
    )

    def ask() -> None:
        request = PersonRequest(
            request_id=uuid4(),
            digest=urandom(32),
            employee="P-1",
            agreement_number=POLICE.agreement,
            operation=Operation.GET_PERSON_DATA if data else Operation.VERIFY_PERSON,
            purpose=POLICE.purpose,
            probe=DemographicProbe(pin=person.pin, **factors),
            ground=PresentedBasis(document),
            attributes=frozenset(name.value for name in attributes),
        )
        answer = disclose(request, Caller(recipient=POLICE.code, channel=Channel.WSSE))
        assert b">NOT_MATCHED<" in answer, answer

    return ask
