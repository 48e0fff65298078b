"""Revoked consents, end to end: real documents, messages, records (Procedure, cl. 4)."""

from uuid import UUID, uuid4

import pytest

from makul.domain.identifiers import MemberCode
from makul.domain.recipients import RecipientState
from makul_sandbox.world.documents import SandboxDocument
from makul_testing.builders.consents import build_revocation_request, revocation, signers_of
from makul_testing.in_process_service import NS, RECIPIENT, InProcessService, about, person_request


def fresh_consent(installation: InProcessService, citizen: int = 2) -> tuple[UUID, bytes]:
    able = signers_of(installation)
    consent = able.consent(installation.bank, citizen)
    signed = able.sign_consent(consent, installation.bank, installation.world.citizens[citizen])
    return consent.consent_id, signed


def using(installation: InProcessService, document: bytes) -> bytes:
    ready: SandboxDocument = installation.document("bank-02-data")
    fields = about(installation.world.people[2], of=installation.bank, document=ready)
    return person_request(**(fields | {"ground": ("CONSENT", document)}))


def inquiry(operation: str, content: str) -> bytes:
    return (
        f'<r:{operation} xmlns:r="{RECIPIENT}"><r:requestId>{uuid4()}</r:requestId>'
        f"{content}</r:{operation}>"
    ).encode()


def test_a_revoked_consent_gives_nothing_more(installation: InProcessService) -> None:
    """Neither a new request nor the retry of an old one; the state and the list show it."""
    consent_id, document = fresh_consent(installation)
    used = using(installation, document)
    assert installation.ask(used).outcome == "RELEASED"

    revoked = installation.ask(build_revocation_request(revocation(installation, consent_id)))

    assert (revoked.outcome, revoked.codes) == ("ACCEPTED", [])
    assert revoked.child.findtext("r:consentId", namespaces=NS) == str(consent_id)
    for again in (used, using(installation, document)):
        answer = installation.ask(again)
        assert (answer.outcome, answer.codes, answer.released) == ("REFUSED", ["CNS-05"], set())
    query = inquiry("GetConsentStatus", f"<r:consentId>{consent_id}</r:consentId>")
    assert installation.ask(query).child.findtext("r:state", namespaces=NS) == "REVOKED"
    listed = installation.ask(inquiry("ListRevocations", "<r:limit>1000</r:limit>")).child
    assert str(consent_id) in [each.text for each in listed.iterfind(".//r:consentId", NS)]
    assert listed.findtext("r:more", namespaces=NS) == "false"


def test_a_consent_may_be_revoked_before_it_was_seen(installation: InProcessService) -> None:
    """The consent is refused when it comes."""
    consent_id, document = fresh_consent(installation)
    assert (
        installation.ask(build_revocation_request(revocation(installation, consent_id))).outcome
        == "ACCEPTED"
    )

    assert installation.ask(using(installation, document)).codes == ["CNS-05"]


def test_a_repeated_revocation_is_accepted(installation: InProcessService) -> None:
    """Under the same id the answer is the same, under another it is ACCEPTED once more."""
    consent_id, _ = fresh_consent(installation)
    document = revocation(installation, consent_id)
    message = build_revocation_request(document)

    first = installation.ask(message)

    assert installation.ask(message).body == first.body
    assert installation.ask(build_revocation_request(document)).outcome == "ACCEPTED"


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({"signer": 1}, ["CNS-02"]),
        ({"of": 1, "signer": 1}, ["CNS-14"]),
        ({"recipient": MemberCode("COM/60000003")}, ["CNS-07"]),
    ],
)
def test_invalid_revocations_are_refused(
    installation: InProcessService, changes: dict[str, object], codes: list[str]
) -> None:
    """Another's signature, another's consent, another recipient: the consent stays valid."""
    consent_id, document = fresh_consent(installation)
    assert installation.ask(using(installation, document)).outcome == "RELEASED"

    refused = installation.ask(
        build_revocation_request(revocation(installation, consent_id, **changes))  # type: ignore[arg-type]
    )

    assert (refused.outcome, refused.codes) == ("REFUSED", codes)
    assert installation.ask(using(installation, document)).outcome == "RELEASED"


def test_consents_and_revocations_are_not_confused(installation: InProcessService) -> None:
    """Each document states its kind, and is not read as another kind."""
    consent_id, document = fresh_consent(installation)

    assert installation.ask(build_revocation_request(document)).codes == ["CNS-02"]
    assert installation.ask(using(installation, revocation(installation, consent_id))).codes == [
        "CNS-02"
    ]


def test_a_recipient_on_hold_may_submit_one(installation: InProcessService) -> None:
    """A revocation only takes away."""
    consent_id, document = fresh_consent(installation)
    bank = installation.bank.recipient
    hold = type(bank)(code=bank.code, kind=bank.kind, name=bank.name, state=RecipientState.ON_HOLD)
    installation.store.registry.set_state(hold, reason="test", at=installation.clock())
    try:
        answer = installation.ask(build_revocation_request(revocation(installation, consent_id)))
    finally:
        installation.store.registry.set_state(bank, reason="test", at=installation.clock())

    assert answer.outcome == "ACCEPTED"
    assert installation.ask(using(installation, document)).codes == ["CNS-05"]
