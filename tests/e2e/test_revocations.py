"""Revoked consents, end to end: real documents, messages, records (Procedure, cl. 4)."""

from uuid import UUID, uuid4

import pytest

from makul.domain.identifiers import MemberCode
from makul.domain.recipients import RecipientState
from makul_sandbox.world.documents import SandboxDocument
from makul_testing.builders.consents import handing_in, hands_of, revocation
from makul_testing.in_process_service import NS, RECIPIENT, InProcess, about, person_request


def fresh_consent(house: InProcess, citizen: int = 2) -> tuple[UUID, bytes]:
    able = hands_of(house)
    consent = able.consent(house.bank, citizen)
    signed = able.sign_consent(consent, house.bank, house.world.citizens[citizen])
    return consent.consent_id, signed


def using(house: InProcess, document: bytes) -> bytes:
    ready: SandboxDocument = house.paper("bank-02-data")
    fields = about(house.world.people[2], of=house.bank, paper=ready)
    return person_request(**(fields | {"ground": ("CONSENT", document)}))


def inquiry(operation: str, content: str) -> bytes:
    return (
        f'<r:{operation} xmlns:r="{RECIPIENT}"><r:requestId>{uuid4()}</r:requestId>'
        f"{content}</r:{operation}>"
    ).encode()


def test_a_revoked_consent_gives_nothing_more(house: InProcess) -> None:
    """Neither a new request nor the retry of an old one; the state and the list show it."""
    consent_id, document = fresh_consent(house)
    used = using(house, document)
    assert house.ask(used).outcome == "RELEASED"

    revoked = house.ask(handing_in(revocation(house, consent_id)))

    assert (revoked.outcome, revoked.codes) == ("ACCEPTED", [])
    assert revoked.child.findtext("r:consentId", namespaces=NS) == str(consent_id)
    for again in (used, using(house, document)):
        answer = house.ask(again)
        assert (answer.outcome, answer.codes, answer.released) == ("REFUSED", ["CNS-05"], set())
    asked = inquiry("GetConsentStatus", f"<r:consentId>{consent_id}</r:consentId>")
    assert house.ask(asked).child.findtext("r:state", namespaces=NS) == "REVOKED"
    listed = house.ask(inquiry("ListRevocations", "<r:limit>1000</r:limit>")).child
    assert str(consent_id) in [each.text for each in listed.iterfind(".//r:consentId", NS)]
    assert listed.findtext("r:more", namespaces=NS) == "false"


def test_a_consent_may_be_revoked_before_it_was_seen(house: InProcess) -> None:
    """The consent is refused when it comes."""
    consent_id, document = fresh_consent(house)
    assert house.ask(handing_in(revocation(house, consent_id))).outcome == "ACCEPTED"

    assert house.ask(using(house, document)).codes == ["CNS-05"]


def test_a_repeated_revocation_is_accepted(house: InProcess) -> None:
    """Under the same id the answer is the same, under another it is ACCEPTED once more."""
    consent_id, _ = fresh_consent(house)
    document = revocation(house, consent_id)
    message = handing_in(document)

    first = house.ask(message)

    assert house.ask(message).body == first.body
    assert house.ask(handing_in(document)).outcome == "ACCEPTED"


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({"signer": 1}, ["CNS-02"]),
        ({"of": 1, "signer": 1}, ["CNS-14"]),
        ({"recipient": MemberCode("COM/60000003")}, ["CNS-07"]),
    ],
)
def test_invalid_revocations_are_refused(
    house: InProcess, changes: dict[str, object], codes: list[str]
) -> None:
    """Another's signature, another's consent, another recipient: the consent stays valid."""
    consent_id, document = fresh_consent(house)
    assert house.ask(using(house, document)).outcome == "RELEASED"

    refused = house.ask(handing_in(revocation(house, consent_id, **changes)))  # type: ignore[arg-type]

    assert (refused.outcome, refused.codes) == ("REFUSED", codes)
    assert house.ask(using(house, document)).outcome == "RELEASED"


def test_consents_and_revocations_are_not_confused(house: InProcess) -> None:
    """Each document states its kind, and is not read as another kind."""
    consent_id, document = fresh_consent(house)

    assert house.ask(handing_in(document)).codes == ["CNS-02"]
    assert house.ask(using(house, revocation(house, consent_id))).codes == ["CNS-02"]


def test_a_recipient_on_hold_may_submit_one(house: InProcess) -> None:
    """A revocation only takes away."""
    consent_id, document = fresh_consent(house)
    bank = house.bank.recipient
    hold = type(bank)(code=bank.code, kind=bank.kind, name=bank.name, state=RecipientState.ON_HOLD)
    house.store.registry.set_state(hold, reason="test", at=house.clock())
    try:
        answer = house.ask(handing_in(revocation(house, consent_id)))
    finally:
        house.store.registry.set_state(bank, reason="test", at=house.clock())

    assert answer.outcome == "ACCEPTED"
    assert house.ask(using(house, document)).codes == ["CNS-05"]
