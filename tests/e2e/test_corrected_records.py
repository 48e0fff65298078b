"""Exceptional records through the whole service: corrected, of one name, with samples."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date

import pytest

from makul.domain.attributes import Attribute
from makul.domain.disclosures import GroundKind
from makul.domain.persons import AttributeValue, LocalizedName, Person
from makul_sandbox.data.recipients import BANK, POLICE
from makul_testing.builders.agreements import agree
from makul_testing.builders.consents import signers_of
from makul_testing.in_process_service import (
    InProcessService,
    RecordDatabase,
    ServiceAnswer,
    about,
    build_installation,
    person_request,
)

CORRECTED, ONE_NAME, PICTURED = 1, 2, 3
FACE = b"\xff\xd8\xff\xe0 not a face"


@pytest.fixture(scope="module")
def installation(
    tmp_path_factory: pytest.TempPathFactory, record_database: RecordDatabase
) -> Iterator[InProcessService]:
    built = build_installation(tmp_path_factory.mktemp("corrected"), database=record_database)
    people = built.world.people
    other_sex = {"M": "F", "F": "M"}[str(people[CORRECTED].pin.sex)]
    changes: dict[Attribute, AttributeValue] = {
        Attribute.BIRTH_DATE: date(1971, 2, 3),
        Attribute.SEX: other_sex,
    }
    corrected = _with(people[CORRECTED], changes)
    one_name = _with(people[ONE_NAME], {Attribute.SURNAME: LocalizedName(ky="Сукарно")})
    for name in (Attribute.GIVEN_NAME, Attribute.PATRONYMIC):
        one_name = _without(one_name, name)
    pictured = _with(people[PICTURED], {Attribute.FACE_IMAGE: FACE})
    built.store.registry.put_persons([corrected, one_name, pictured], at=built.clock())
    yield built
    built.close()


def _with(person: Person, values: Mapping[Attribute, AttributeValue]) -> Person:
    return replace(person, values={**person.values, **values})


def _without(person: Person, name: Attribute) -> Person:
    return replace(person, values={n: v for n, v in person.values.items() if n is not name})


def ask(installation: InProcessService, citizen: int, factors: str) -> ServiceAnswer:
    """Send the police's request about a citizen with these values."""
    sandbox_signers = signers_of(installation)
    statement = sandbox_signers.statement(POLICE, citizen, frozenset({Attribute.CITIZENSHIP}))
    document = sandbox_signers.sign_statement(
        statement, POLICE, installation.world.officials[POLICE.key]
    )
    person = installation.world.people[citizen]
    fields = about(person, of=POLICE, attributes=["citizenship"])
    child = person_request(**fields | {"ground": (GroundKind.BASIS.value, document)}).decode()
    number = f"<r:documentNumber>{fields['document_number']}</r:documentNumber>"
    child = child.replace(number, factors.replace("NUMBER", fields["document_number"]))
    by = "<r:employee>P-1001</r:employee><r:caseNumber>07-026-2026-000001</r:caseNumber>"
    child = child.replace("<r:purpose>", f"{by}<r:purpose>", 1)
    return installation.ask(child.encode(), by="police")


NUMBER = "<r:documentNumber>NUMBER</r:documentNumber>"


@pytest.mark.parametrize(
    ("citizen", "factors", "outcome"),
    [
        (CORRECTED, f"{NUMBER}<r:birthDate>1971-02-03</r:birthDate>", "RELEASED"),
        (CORRECTED, f"{NUMBER}<r:birthDate>PIN</r:birthDate>", "NOT_MATCHED"),
        (CORRECTED, NUMBER, "RELEASED"),
        (CORRECTED, f"{NUMBER}<r:sex>OTHER</r:sex>", "RELEASED"),
        (CORRECTED, f"{NUMBER}<r:sex>SEX</r:sex>", "NOT_MATCHED"),
        (
            CORRECTED,
            f"{NUMBER}<r:birthDate>1971-02-03</r:birthDate><r:sex>OTHER</r:sex>",
            "RELEASED",
        ),
        (CORRECTED, f"{NUMBER}<r:birthDate>PIN</r:birthDate><r:sex>OTHER</r:sex>", "NOT_MATCHED"),
        (
            ONE_NAME,
            "<r:surname>Sukarno</r:surname><r:givenName>Sukarno</r:givenName>",
            "NOT_MATCHED",
        ),
        (ONE_NAME, "<r:surname>Sukarno</r:surname>", "RELEASED"),
        (ONE_NAME, "<r:givenName>Сукарно</r:givenName>", "RELEASED"),
        (ONE_NAME, f"{NUMBER}<r:surname>Sukarno</r:surname>", "RELEASED"),
        (ONE_NAME, NUMBER, "RELEASED"),
        (ONE_NAME, "<r:surname>Suharto</r:surname>", "NOT_MATCHED"),
        (PICTURED, "<r:surname>SURNAME</r:surname>", "NOT_MATCHED"),
        (PICTURED, "<r:surname>SURNAME</r:surname><r:givenName>GIVEN</r:givenName>", "RELEASED"),
    ],
)
def test_people_are_matched_by_what_the_record_holds(
    installation: InProcessService, citizen: int, factors: str, outcome: str
) -> None:
    """Procedure, cl. 10 and 14: corrected values count, and one name is enough only for
    its holder.
    """
    person = installation.world.people[citizen]
    surname, given_name = (
        person.values[name] for name in (Attribute.SURNAME, Attribute.GIVEN_NAME)
    )
    assert isinstance(surname, LocalizedName)
    assert isinstance(given_name, LocalizedName)
    factors = factors.replace("PIN", person.pin.birth_date.isoformat())
    sex = str(person.pin.sex)
    factors = factors.replace("OTHER", "F" if sex == "M" else "M").replace("SEX", sex)
    filled_factors = factors.replace("SURNAME", str(surname.ru)).replace(
        "GIVEN", str(given_name.ru)
    )

    answer = ask(installation, citizen, filled_factors)

    assert answer.outcome == outcome, answer.codes
    assert answer.codes == ([] if outcome == "RELEASED" else ["MAT-01"])


def test_a_photograph_is_released_of_the_record_that_matched(
    installation: InProcessService,
) -> None:
    """Procedure, cl. 10: samples lie in separate rows, and are released unchanged."""
    known = {each.number: each for each in installation.store.registry.agreements(BANK.code)}
    agreed = known[BANK.agreement]
    wider = replace(agreed, attributes=agreed.attributes | {Attribute.FACE_IMAGE})
    agree(installation.store.registry, wider, at=installation.clock())
    sandbox_signers = signers_of(installation)
    consent = sandbox_signers.consent(
        BANK, PICTURED, attributes=frozenset({"faceImage", "surname"})
    )
    document = sandbox_signers.sign_consent(consent, BANK, installation.world.citizens[PICTURED])
    fields = about(
        installation.world.people[PICTURED], of=BANK, attributes=["faceImage", "surname"]
    )

    answer = installation.ask(person_request(**fields | {"ground": ("CONSENT", document)}))

    assert (answer.outcome, answer.codes) == ("RELEASED", [])
    assert answer.released == {"faceImage", "surname"}
