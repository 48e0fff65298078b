"""GetReceipt after rights have ended, and for ids that are used often.

Invariant 4: a receipt reveals nothing that a repeated request would not. Procedure, cl. 11: a
receipt that is evidence is not withheld for any other reason.
"""

import base64
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from lxml import etree

from makul.domain.recipients import RecipientState
from makul_sandbox.data.recipients import BANK
from makul_testing.builders.agreements import agree
from makul_testing.builders.consents import handing_in, hands_of, revocation
from makul_testing.in_process_service import (
    NS,
    RECIPIENT,
    Answered,
    InProcess,
    RecordDatabase,
    about,
    build_house,
    person_request,
)


class Clock:
    def __init__(self) -> None:
        self.now = datetime.now(UTC).replace(microsecond=0)

    def __call__(self) -> datetime:
        """Return a time that is a millisecond later each time, so that no two messages
        are equal.
        """
        self.now += timedelta(milliseconds=1)
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def house(tmp_path: Path, clock: Clock, record_database: RecordDatabase) -> Iterator[InProcess]:
    built = build_house(tmp_path, clock=clock, database=record_database)
    yield built
    built.close()


def get_receipt(house: InProcess, of_request: UUID, *, by: str = "bank") -> Answered:
    body = (
        f'<r:GetReceipt xmlns:r="{RECIPIENT}"><r:requestId>{uuid4()}</r:requestId>'
        f"<r:ofRequest>{of_request}</r:ofRequest></r:GetReceipt>"
    )
    return house.ask(body.encode(), by=by)


def operation_of(answer: Answered) -> tuple[str | None, str | None] | None:
    """Return the operation and outcome of a receipt, or None if none was given."""
    given = answer.child.findtext("r:receipt", namespaces=NS)
    if given is None:
        return None
    receipt = etree.fromstring(base64.b64decode(given))
    return receipt.findtext("{*}operation"), receipt.findtext("{*}outcome")


def consent_of(house: InProcess, **changes: Any) -> tuple[UUID, bytes]:
    hands = hands_of(house)
    consent = hands.consent(BANK, 2, **changes)
    return consent.consent_id, hands.sign_consent(consent, BANK, house.world.citizens[2])


def data(house: InProcess, request_id: UUID, document: bytes) -> bytes:
    fields = about(house.world.people[2], of=BANK, request_id=request_id)
    return person_request(**fields | {"ground": ("CONSENT", document)})


def registering(request_id: UUID, document: bytes) -> bytes:
    return (
        f'<r:RegisterConsent xmlns:r="{RECIPIENT}"><r:requestId>{request_id}</r:requestId>'
        f"<r:agreementNumber>{BANK.agreement}</r:agreementNumber>"
        f"<r:consentDocument>{base64.b64encode(document).decode()}</r:consentDocument>"
        "</r:RegisterConsent>"
    ).encode()


def explaining(request_id: UUID) -> bytes:
    return (
        f'<r:ExplainDecision xmlns:r="{RECIPIENT}"><r:requestId>{request_id}</r:requestId>'
        f"<r:agreementNumber>{BANK.agreement}</r:agreementNumber>"
        f"<r:purpose>{BANK.purpose}</r:purpose><r:operation>VerifyPerson</r:operation>"
        "<r:methods><r:method>demographic</r:method></r:methods></r:ExplainDecision>"
    ).encode()


def on_hold(house: InProcess) -> None:
    _set_state(house, RecipientState.ON_HOLD)


def cut_off(house: InProcess) -> None:
    _set_state(house, RecipientState.CUT_OFF)


def _set_state(house: InProcess, state: RecipientState) -> None:
    bank = next(each for each in house.store.registry.recipients() if each.code == BANK.code)
    house.store.registry.set_state(replace(bank, state=state), reason="test", at=house.clock())


def terminated(house: InProcess) -> None:
    house.store.registry.terminate_agreement(BANK.agreement, reason="test", at=house.clock())


STOPS: list[tuple[Callable[[InProcess], None], str]] = [
    (on_hold, "RCP-02"),
    (cut_off, "RCP-03"),
    (terminated, "AGR-02"),
]


@pytest.mark.parametrize(("stop", "code"), STOPS)
def test_only_revocations_have_receipts_after_a_stop(
    house: InProcess, stop: Callable[[InProcess], None], code: str
) -> None:
    """Releases, refusals, dry runs and registrations are withheld; a revocation's
    receipt is given.
    """
    consent_id, document = consent_of(house)
    asked = {name: uuid4() for name in ("data", "refused", "registered", "explained", "revoked")}
    assert house.ask(registering(asked["registered"], document)).outcome == "ACCEPTED"
    assert house.ask(data(house, asked["data"], document)).outcome == "RELEASED"
    assert house.ask(data(house, asked["refused"], b"<x/>")).outcome == "REFUSED"
    house.ask(explaining(asked["explained"]))
    taking = handing_in(revocation(house, consent_id), asked["revoked"])
    assert house.ask(taking).outcome == "ACCEPTED"
    assert all(operation_of(get_receipt(house, each)) for each in asked.values())

    stop(house)

    answers = {name: get_receipt(house, each) for name, each in asked.items()}
    assert operation_of(answers.pop("revoked")) == ("RevokeConsent", "ACCEPTED")
    assert {name: operation_of(each) for name, each in answers.items()} == dict.fromkeys(answers)
    assert {name: each.codes for name, each in answers.items()} == {
        name: [code] for name in answers
    }


def test_a_revoked_consent_leaves_the_receipt_of_its_use(house: InProcess) -> None:
    """Procedure, cl. 11: a receipt holds no data, and the recipient needs it to explain its
    request.
    """
    consent_id, document = consent_of(house)
    request_id = uuid4()
    body = data(house, request_id, document)
    assert house.ask(body).outcome == "RELEASED"
    assert house.ask(handing_in(revocation(house, consent_id))).outcome == "ACCEPTED"

    assert house.ask(body).codes == ["CNS-05"]
    assert operation_of(get_receipt(house, request_id)) == ("GetPersonData", "RELEASED")


def test_an_expired_agreement_leaves_its_receipts(house: InProcess, clock: Clock) -> None:
    """The stored answer is withheld, but the receipt is given: it holds no data."""
    known = {each.number: each for each in house.store.registry.agreements(BANK.code)}
    ends = house.clock() + timedelta(hours=1)
    agree(house.store.registry, replace(known[BANK.agreement], valid_to=ends), at=house.clock())
    _, document = consent_of(house)
    request_id = uuid4()
    body = data(house, request_id, document)
    assert house.ask(body).outcome == "RELEASED"
    clock.now += timedelta(hours=2)

    assert house.ask(body).codes == ["AGR-01"]
    assert operation_of(get_receipt(house, request_id)) == ("GetPersonData", "RELEASED")


def test_a_withdrawn_certificate_gets_no_receipt(house: InProcess) -> None:
    """RCP-04: the key of a withdrawn certificate identifies nobody."""
    _, document = consent_of(house)
    request_id = uuid4()
    assert house.ask(data(house, request_id, document)).outcome == "RELEASED"
    for code, der in house.store.registry.certificates():
        if code == BANK.code:
            fingerprint = sha256(der).digest()
            house.store.registry.withdraw_certificate(
                BANK.code, fingerprint, reason="test", at=house.clock()
            )

    answer = get_receipt(house, request_id)

    assert answer.codes == ["RCP-04"]
    assert operation_of(answer) is None


def test_one_id_in_every_space_gives_the_disclosure(house: InProcess) -> None:
    """The order of uses makes no difference; what closed an id comes before what left it open."""
    _, document = consent_of(house)
    request_id = uuid4()
    house.ask(explaining(request_id))
    assert operation_of(get_receipt(house, request_id))[0] == "ExplainDecision"
    house.ask(handing_in(revocation(house, uuid4()), request_id))
    house.ask(registering(request_id, document))
    assert operation_of(get_receipt(house, request_id)) == ("RegisterConsent", "ACCEPTED")
    assert house.ask(data(house, request_id, document)).outcome == "RELEASED"
    assert house.ask(data(house, request_id, document + b" ")).codes == ["REQ-04"]
    house.ask(explaining(request_id))

    assert operation_of(get_receipt(house, request_id)) == ("GetPersonData", "RELEASED")


def test_another_recipient_finds_nothing_under_an_id(house: InProcess) -> None:
    """An id belongs to one recipient; unknown and foreign ids get one answer."""
    _, document = consent_of(house)
    request_id = uuid4()
    house.ask(data(house, request_id, document))

    foreign, unknown = (get_receipt(house, each, by="wallet") for each in (request_id, uuid4()))

    assert foreign.codes == unknown.codes == ["REQ-01"]
    assert operation_of(foreign) is None
