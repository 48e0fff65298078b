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
from makul_testing.builders.consents import build_revocation_request, revocation, signers_of
from makul_testing.in_process_service import (
    NS,
    RECIPIENT,
    InProcessService,
    RecordDatabase,
    ServiceAnswer,
    about,
    build_installation,
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
def installation(
    tmp_path: Path, clock: Clock, record_database: RecordDatabase
) -> Iterator[InProcessService]:
    built = build_installation(tmp_path, clock=clock, database=record_database)
    yield built
    built.close()


def get_receipt(
    installation: InProcessService, of_request: UUID, *, by: str = "bank"
) -> ServiceAnswer:
    body = (
        f'<r:GetReceipt xmlns:r="{RECIPIENT}"><r:requestId>{uuid4()}</r:requestId>'
        f"<r:ofRequest>{of_request}</r:ofRequest></r:GetReceipt>"
    )
    return installation.ask(body.encode(), by=by)


def operation_of(answer: ServiceAnswer) -> tuple[str | None, str | None] | None:
    """Return the operation and outcome of a receipt, or None if none was given."""
    encoded_receipt = answer.child.findtext("r:receipt", namespaces=NS)
    if encoded_receipt is None:
        return None
    receipt = etree.fromstring(base64.b64decode(encoded_receipt))
    return receipt.findtext("{*}operation"), receipt.findtext("{*}outcome")


def consent_of(installation: InProcessService, **changes: Any) -> tuple[UUID, bytes]:
    sandbox_signers = signers_of(installation)
    consent = sandbox_signers.consent(BANK, 2, **changes)
    return consent.consent_id, sandbox_signers.sign_consent(
        consent, BANK, installation.world.citizens[2]
    )


def data(installation: InProcessService, request_id: UUID, document: bytes) -> bytes:
    fields = about(installation.world.people[2], of=BANK, request_id=request_id)
    return person_request(**fields | {"ground": ("CONSENT", document)})


def build_registration(request_id: UUID, document: bytes) -> bytes:
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


def on_hold(installation: InProcessService) -> None:
    _set_state(installation, RecipientState.ON_HOLD)


def cut_off(installation: InProcessService) -> None:
    _set_state(installation, RecipientState.CUT_OFF)


def _set_state(installation: InProcessService, state: RecipientState) -> None:
    bank = next(each for each in installation.store.registry.recipients() if each.code == BANK.code)
    installation.store.registry.set_state(
        replace(bank, state=state), reason="test", at=installation.clock()
    )


def terminated(installation: InProcessService) -> None:
    installation.store.registry.terminate_agreement(
        BANK.agreement, reason="test", at=installation.clock()
    )


STOPS: list[tuple[Callable[[InProcessService], None], str]] = [
    (on_hold, "RCP-02"),
    (cut_off, "RCP-03"),
    (terminated, "AGR-02"),
]


@pytest.mark.parametrize(("stop", "code"), STOPS)
def test_only_revocations_have_receipts_after_a_stop(
    installation: InProcessService, stop: Callable[[InProcessService], None], code: str
) -> None:
    """Releases, refusals, dry runs and registrations are withheld; a revocation's
    receipt is given.
    """
    consent_id, document = consent_of(installation)
    request_ids = {
        name: uuid4() for name in ("data", "refused", "registered", "explained", "revoked")
    }
    assert (
        installation.ask(build_registration(request_ids["registered"], document)).outcome
        == "ACCEPTED"
    )
    assert installation.ask(data(installation, request_ids["data"], document)).outcome == "RELEASED"
    assert (
        installation.ask(data(installation, request_ids["refused"], b"<x/>")).outcome == "REFUSED"
    )
    installation.ask(explaining(request_ids["explained"]))
    taking = build_revocation_request(revocation(installation, consent_id), request_ids["revoked"])
    assert installation.ask(taking).outcome == "ACCEPTED"
    assert all(operation_of(get_receipt(installation, each)) for each in request_ids.values())

    stop(installation)

    answers = {name: get_receipt(installation, each) for name, each in request_ids.items()}
    assert operation_of(answers.pop("revoked")) == ("RevokeConsent", "ACCEPTED")
    assert {name: operation_of(each) for name, each in answers.items()} == dict.fromkeys(answers)
    assert {name: each.codes for name, each in answers.items()} == {
        name: [code] for name in answers
    }


def test_a_revoked_consent_leaves_the_receipt_of_its_use(installation: InProcessService) -> None:
    """Procedure, cl. 11: a receipt holds no data, and the recipient needs it to explain its
    request.
    """
    consent_id, document = consent_of(installation)
    request_id = uuid4()
    body = data(installation, request_id, document)
    assert installation.ask(body).outcome == "RELEASED"
    assert (
        installation.ask(build_revocation_request(revocation(installation, consent_id))).outcome
        == "ACCEPTED"
    )

    assert installation.ask(body).codes == ["CNS-05"]
    assert operation_of(get_receipt(installation, request_id)) == ("GetPersonData", "RELEASED")


def test_an_expired_agreement_leaves_its_receipts(
    installation: InProcessService, clock: Clock
) -> None:
    """The stored answer is withheld, but the receipt is given: it holds no data."""
    known = {each.number: each for each in installation.store.registry.agreements(BANK.code)}
    ends = installation.clock() + timedelta(hours=1)
    agree(
        installation.store.registry,
        replace(known[BANK.agreement], valid_to=ends),
        at=installation.clock(),
    )
    _, document = consent_of(installation)
    request_id = uuid4()
    body = data(installation, request_id, document)
    assert installation.ask(body).outcome == "RELEASED"
    clock.now += timedelta(hours=2)

    assert installation.ask(body).codes == ["AGR-01"]
    assert operation_of(get_receipt(installation, request_id)) == ("GetPersonData", "RELEASED")


def test_a_withdrawn_certificate_gets_no_receipt(installation: InProcessService) -> None:
    """RCP-04: the key of a withdrawn certificate identifies nobody."""
    _, document = consent_of(installation)
    request_id = uuid4()
    assert installation.ask(data(installation, request_id, document)).outcome == "RELEASED"
    for code, der in installation.store.registry.certificates():
        if code == BANK.code:
            fingerprint = sha256(der).digest()
            installation.store.registry.withdraw_certificate(
                BANK.code, fingerprint, reason="test", at=installation.clock()
            )

    answer = get_receipt(installation, request_id)

    assert answer.codes == ["RCP-04"]
    assert operation_of(answer) is None


def test_one_id_in_every_space_gives_the_disclosure(installation: InProcessService) -> None:
    """The order of uses makes no difference; what closed an id comes before what left it open."""
    _, document = consent_of(installation)
    request_id = uuid4()
    installation.ask(explaining(request_id))
    assert operation_of(get_receipt(installation, request_id))[0] == "ExplainDecision"
    installation.ask(build_revocation_request(revocation(installation, uuid4()), request_id))
    installation.ask(build_registration(request_id, document))
    assert operation_of(get_receipt(installation, request_id)) == ("RegisterConsent", "ACCEPTED")
    assert installation.ask(data(installation, request_id, document)).outcome == "RELEASED"
    assert installation.ask(data(installation, request_id, document + b" ")).codes == ["REQ-04"]
    installation.ask(explaining(request_id))

    assert operation_of(get_receipt(installation, request_id)) == ("GetPersonData", "RELEASED")


def test_another_recipient_finds_nothing_under_an_id(installation: InProcessService) -> None:
    """An id belongs to one recipient; unknown and foreign ids get one answer."""
    _, document = consent_of(installation)
    request_id = uuid4()
    installation.ask(data(installation, request_id, document))

    foreign, unknown = (
        get_receipt(installation, each, by="wallet") for each in (request_id, uuid4())
    )

    assert foreign.codes == unknown.codes == ["REQ-01"]
    assert operation_of(foreign) is None
