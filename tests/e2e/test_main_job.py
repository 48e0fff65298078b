"""The main use case in one process: real messages, documents, paths, records, receipts.

A bank gets a consenting citizen's data, and nobody else does (Procedure, cl. 4, 5, 7, 10).
"""

import base64
import logging
import threading
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from uuid import uuid4

import makul_schemas
import pytest
from lxml import etree

from makul.domain.attributes import Attribute
from makul.domain.disclosures import GroundKind
from makul.domain.identifiers import Pin
from makul.domain.persons import LocalizedName, Person
from makul.domain.recipients import RecipientState
from makul.soap.operation_input import request_digest
from makul_sandbox.data.citizens import LOCKED
from makul_sandbox.world.documents import SandboxDocument
from makul_sandbox.world.signers import SandboxSigners
from makul_testing.builders.messages import signed_message, xroad_message
from makul_testing.in_process_service import (
    RECIPIENT,
    InProcessService,
    about,
    party,
    person_request,
)

RECEIPT = {"rc": "urn:makul:receipt:1"}
SCHEMA = etree.XMLSchema(etree.parse(str(makul_schemas.location() / "recipient.xsd")))
RECEIPT_SCHEMA = etree.XMLSchema(etree.parse(str(makul_schemas.location() / "receipt.xsd")))


def ask(installation: InProcessService, document: SandboxDocument, **changes: object) -> bytes:
    fields = about(installation.person_of(document), of=document.presented_by, document=document)
    body = person_request(**(fields | {"agreement": document.agreement} | changes)).decode()
    by = f"<r:employee>{document.employee}</r:employee>" if document.employee else ""
    return body.replace("<r:purpose>", f"{by}<r:purpose>", 1).encode()


def request_of(installation: InProcessService, document: SandboxDocument) -> bytes:
    """Return the first operation for a document: to register it, or to use it."""
    registration = document.registration
    if registration is None:
        return ask(installation, document)
    sent = {
        "consentDocument": document.document,
        "scan": registration.scan,
        "authorityDocument": registration.authority,
    }
    fields = "".join(
        f"<r:{name}>{base64.b64encode(content).decode()}</r:{name}>"
        for name, content in sent.items()
        if content is not None
    )
    return (
        f'<r:RegisterConsent xmlns:r="{RECIPIENT}"><r:requestId>{uuid4()}</r:requestId>'
        f"<r:agreementNumber>{document.agreement}</r:agreementNumber>"
        f"<r:employee>{registration.employee}</r:employee>{fields}</r:RegisterConsent>"
    ).encode()


def receipt_of(child: etree._Element) -> etree._Element:
    encoded = child.findtext("r:receipt", namespaces={"r": "urn:makul:recipient:1"})
    assert encoded is not None
    return etree.fromstring(base64.b64decode(encoded))


def test_every_document_of_the_sandbox_has_its_outcome(installation: InProcessService) -> None:
    """Each ready document, sent as its party would, has the outcome that is written beside it.

    One that must be submitted first is used only if it was accepted.
    """
    came_out = {}
    for name, document in installation.world.documents.items():
        answer = installation.ask(request_of(installation, document), by=document.presented_by.key)
        if answer.outcome == "ACCEPTED":
            answer = installation.ask(ask(installation, document), by=document.presented_by.key)
        SCHEMA.assertValid(answer.child)
        RECEIPT_SCHEMA.assertValid(receipt_of(answer.child))
        came_out[name] = (answer.outcome, answer.codes)

    assert came_out == {
        name: (document.outcome.value, [code.value for code, _ in document.reasons])
        for name, document in installation.world.documents.items()
    }


def test_exactly_the_requested_attributes_leave(installation: InProcessService) -> None:
    """docs/architecture.md, invariant 3: two attributes of a wider consent are requested; two
    leave.
    """
    document = installation.document("bank-00-data")

    answer = installation.ask(ask(installation, document, attributes=["surname", "documentNumber"]))

    assert answer.outcome == "RELEASED"
    assert answer.released == {"surname", "documentNumber"}


def test_the_receipt_proves_the_answer(installation: InProcessService) -> None:
    """The receipt names request, digest, outcome and payload; its leaf is in the record."""
    document = installation.document("bank-00-data")
    message = ask(installation, document)

    child = installation.ask(message).child

    receipt = receipt_of(child)
    person = child.find("r:person", {"r": RECIPIENT})
    salt = base64.b64decode(child.findtext("r:payloadSalt", "", {"r": RECIPIENT}))
    canonical = etree.tostring(person, method="c14n", exclusive=True, with_tail=False)
    digest = base64.b64decode(receipt.findtext("rc:payloadDigest", namespaces=RECEIPT) or "")
    receipt_digest = base64.b64decode(
        receipt.findtext("rc:requestDigest", namespaces=RECEIPT) or ""
    )
    assert digest == sha256(salt + canonical).digest()
    assert receipt_digest == request_digest(etree.fromstring(message))
    answer_digest = base64.b64decode(receipt.findtext("rc:answerDigest", namespaces=RECEIPT) or "")
    child.remove(child[-1])
    assert answer_digest == sha256(etree.tostring(child, method="c14n", exclusive=True)).digest()
    leaf = base64.b64decode(receipt.findtext("rc:leafHash", namespaces=RECEIPT) or "")
    recorded = installation.store.registry.disclosures(recipient=None, since=None, limit=1)[0]
    assert recorded.leaf_hash == leaf


def test_unknown_not_matching_and_locked_look_alike(installation: InProcessService) -> None:
    """docs/architecture.md, invariant 6: without a subject's consent, nobody learns who exists.

    The ground is a basis in law: an unknown PIN, and a person with a wrong document number. The
    locked person is found by a basis (a lock stops matching by consent, never cl. 5).
    """
    nobody = Pin("20101190099999")
    by_basis = {
        "nobody": police_request(installation, nobody, "ID0000000"),
        "somebody": police_request(installation, installation.world.people[6].pin, "ID0000000"),
        "locked": police_request(installation, installation.world.people[LOCKED].pin, "ID0000000"),
    }

    answers = {name: installation.ask(child, by="police").child for name, child in by_basis.items()}

    shapes = {name: shape(child) for name, child in answers.items()}
    assert {codes(child) for child in answers.values()} == {("NOT_MATCHED", "MAT-01")}
    assert shapes["nobody"] == shapes["somebody"] == shapes["locked"]


def police_request(installation: InProcessService, subject: Pin, document_number: str) -> bytes:
    world, police = installation.world, party("police")
    sandbox_signers = SandboxSigners(
        people=world.people,
        citizens=world.citizens,
        officials=world.officials,
        stranger=world.stranger,
        notice_digest=b"",
        at=world.made_at,
    )
    statement = sandbox_signers.statement(
        police, 0, frozenset({Attribute.SURNAME}), subject=subject
    )
    document = sandbox_signers.sign_statement(statement, police, world.officials["police"])
    fields = about(world.people[0], of=police) | {
        "pin": subject.digits,
        "document_number": document_number,
        "ground": ("BASIS", document),
    }
    return person_request(**fields)


def codes(child: etree._Element) -> tuple[str | None, str | None]:
    names = {"r": "urn:makul:recipient:1", "t": "urn:makul:types:1"}
    return child.findtext("r:outcome", namespaces=names), child.findtext(
        ".//t:code", namespaces=names
    )


def test_a_person_is_not_compared_without_a_consent_of_theirs(
    installation: InProcessService,
) -> None:
    """Procedure, cl. 4: another citizen's consent gives one answer for known and unknown PINs."""
    document = installation.document("bank-00-data")
    known = installation.ask(
        ask(installation, document, pin=installation.world.people[5].pin.digits)
    )
    nobody = installation.ask(ask(installation, document, pin="20101190099999"))

    assert known.codes == nobody.codes == ["CNS-14"]
    assert shape(known.child) == shape(nobody.child)


def shape(element: etree._Element) -> list[str]:
    return [str(each.tag) for each in element.iter()]


def test_a_retry_gets_the_very_same_answer(installation: InProcessService) -> None:
    """docs/architecture.md, invariant 5: a request signed again gets the stored answer, to the
    byte.
    """
    message = ask(installation, installation.document("bank-00-data"))

    first, second = installation.ask(message), installation.ask(message)

    assert first.outcome == "RELEASED"
    assert first.body == second.body


def test_the_same_id_for_another_request_is_refused(installation: InProcessService) -> None:
    """REQ-04; the first answer can still be fetched by its own request."""
    document, request_id = installation.document("bank-00-data"), uuid4()
    message = ask(installation, document, request_id=request_id)
    first = installation.ask(message)

    other = installation.ask(
        ask(installation, document, request_id=request_id, attributes=["surname"])
    )

    assert (other.outcome, other.codes) == ("REFUSED", ["REQ-04"])
    assert installation.ask(message).body == first.body


def test_a_repeated_message_is_a_fault(installation: InProcessService) -> None:
    """REQ-09: an eavesdropper gets nothing by sending a message again."""
    holder = installation.world.messages["bank"]
    message = signed_message(
        ask(installation, installation.document("bank-00-data")),
        holder.key,
        holder.certificate,
        at=installation.clock(),
    )
    assert installation.post(message).outcome == "RELEASED"

    again = installation.post(message)

    assert again.status == 500
    assert again.codes == ["REQ-09"]


def test_an_old_message_is_a_fault(installation: InProcessService) -> None:
    """REQ-03: the timestamp is older than five minutes."""
    message = ask(installation, installation.document("bank-00-data"))

    answer = installation.ask(message, at=installation.clock() - timedelta(minutes=20))

    assert (answer.status, answer.codes) == (500, ["REQ-03"])


def test_another_recipients_certificate_does_not_help(installation: InProcessService) -> None:
    """The notary, signing the bank's very request, is judged as the notary (invariant 11)."""
    answer = installation.ask(ask(installation, installation.document("bank-00-data")), by="notary")

    assert answer.outcome == "REFUSED"
    assert "AGR-01" in answer.codes


def test_a_hold_stops_requests_and_stored_answers(installation: InProcessService) -> None:
    """docs/architecture.md, invariant 4: a hold withholds all answers, and its release
    ends that.
    """
    document = installation.document("mobile-00-data")
    message = ask(installation, document)
    assert installation.ask(message, by="mobile").outcome == "RELEASED"
    recipient = party("mobile").recipient
    held = replace(recipient, state=RecipientState.ON_HOLD)
    installation.store.registry.set_state(held, reason="test", at=installation.clock())
    try:
        replayed = installation.ask(message, by="mobile")
        fresh = installation.ask(ask(installation, document), by="mobile")
    finally:
        installation.store.registry.set_state(
            recipient, reason="test over", at=installation.clock()
        )

    assert (replayed.outcome, replayed.codes) == ("REFUSED", ["RCP-02"])
    assert (fresh.outcome, fresh.codes) == ("REFUSED", ["RCP-02"])
    assert installation.ask(message, by="mobile").outcome == "RELEASED"


def test_a_held_recipient_submits_nothing(installation: InProcessService) -> None:
    """Procedure, cl. 7: no document of a recipient on hold is read or stored."""
    insurer, request_id = party("insurer"), uuid4()
    child = (
        f'<r:RegisterConsent xmlns:r="urn:makul:recipient:1"><r:requestId>{request_id}'
        f"</r:requestId><r:agreementNumber>{insurer.agreement}</r:agreementNumber>"
        "<r:consentDocument>bm8gWE1M</r:consentDocument></r:RegisterConsent>"
    )

    answer = installation.ask(child.encode(), by="insurer")

    assert (answer.outcome, answer.codes) == ("REFUSED", ["RCP-02"])
    assert (
        installation.store.registry.disclosures(recipient=None, since=None, limit=1)[0].ground_kind
        is None
    )


def test_guessing_is_limited(installation: InProcessService) -> None:
    """MAT-06: after five wrong guesses about a person the right one is refused too."""
    document = installation.document("notary-07-data")
    wrong = [
        installation.ask(
            ask(installation, document, document_number=f"ID000000{n}"), by="notary"
        ).codes
        for n in range(5)
    ]

    after = installation.ask(ask(installation, document), by="notary")

    assert wrong == [["MAT-01"]] * 5
    assert (after.outcome, after.codes) == ("REFUSED", ["MAT-06"])


def test_eight_threads_on_one_id_disclose_once(installation: InProcessService) -> None:
    """docs/architecture.md, invariant 5: one commits, and the others get its bytes."""
    message = ask(installation, installation.document("bank-01-data"))
    answers: list[bytes] = []
    threads = [
        threading.Thread(target=lambda: answers.append(installation.ask(message).body))
        for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(answers)) == 1
    assert len(answers) == 8


def test_a_refusal_is_recorded_with_its_evidence(installation: InProcessService) -> None:
    """Procedure, cl. 12: the presented document is stored, and the leaf commits to the refusal."""
    answer = installation.ask(ask(installation, installation.document("expired")))

    recorded = installation.store.registry.disclosures(recipient=None, since=None, limit=1)[0]
    assert answer.outcome == "REFUSED"
    assert recorded.codes == ("CNS-04",)
    assert recorded.ground_kind == GroundKind.CONSENT.value


def test_nothing_personal_is_logged(
    installation: InProcessService, caplog: pytest.LogCaptureFixture
) -> None:
    """docs/architecture.md, invariant 7: no log record has a name, PIN or document number."""
    caplog.set_level(logging.DEBUG)
    for name in ("bank-02-data", "expired", "tampered"):
        installation.ask(ask(installation, installation.document(name)))
    installation.post(b"<broken>20101199000123")

    person = installation.person_of(installation.document("bank-02-data"))
    for value in said_of(person):
        assert value not in caplog.text


def said_of(person: Person) -> list[str]:
    values = [person.pin.digits]
    for attribute, value in person.values.items():
        if isinstance(value, LocalizedName):
            values += value.forms
        elif isinstance(value, str) and attribute in {
            Attribute.DOCUMENT_NUMBER,
            Attribute.ADDRESS,
        }:
            values.append(value)
    return values


def test_the_xroad_front_speaks_for_a_member(installation: InProcessService) -> None:
    """The identity comes from `xrd:client`, and every header is returned in order."""
    document, request_id = installation.document("bank-03-data"), uuid4()
    child = ask(installation, document, request_id=request_id)
    message = xroad_message(child, installation.bank.code, request_id)

    answer = installation.post(message, listener="xroad")

    assert answer.outcome == "RELEASED"
    assert headers_of(answer.body) == headers_of(message)


def test_the_xroad_front_of_another_member_gets_nothing(installation: InProcessService) -> None:
    """Invariant 11: the mobile operator presents the bank's consent."""
    document, request_id = installation.document("bank-03-data"), uuid4()
    child = ask(installation, document, request_id=request_id)

    answer = installation.post(
        xroad_message(child, party("mobile").code, request_id), listener="xroad"
    )

    assert answer.outcome == "REFUSED"
    assert answer.released == set()


def headers_of(message: bytes) -> list[bytes]:
    header = etree.fromstring(message).find("{http://schemas.xmlsoap.org/soap/envelope/}Header")
    assert header is not None
    return [etree.tostring(each, method="c14n", exclusive=True) for each in header]
