"""The subject port, end to end: a citizen sees who asked for data about them (cl. 4 and 11)."""

from base64 import b64decode
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from lxml import etree

from makul.composition.adapters import utc_now
from makul.domain.identifiers import Pin
from makul_testing.in_process_service import (
    InProcessService,
    RecordDatabase,
    about,
    build_installation,
    person_request,
)
from makul_testing.tlog.builder import a_note_signer, check_ledger, sequence

S = "urn:makul:subject:1"
R = "{urn:makul:receipt:1}"


def act(
    service: InProcessService,
    operation: str,
    pin: Pin,
    request_id: UUID | None = None,
    **fields: str,
) -> bytes:
    request_id = request_id or uuid4()
    token = service.id_token(pin, request_id)
    return body(operation, request_id, token, **fields)


def body(operation: str, request_id: UUID, token: str, **fields: str) -> bytes:
    content = "".join(f"<s:{name}>{value}</s:{name}>" for name, value in fields.items())
    return (
        f'<s:{operation} xmlns:s="{S}"><s:requestId>{request_id}</s:requestId>'
        f"<s:idToken>{token}</s:idToken>{content}</s:{operation}>"
    ).encode()


def text(element: etree._Element, name: str) -> str | None:
    return element.findtext(f"{{{S}}}{name}")


@pytest.fixture
def own(tmp_path: Path, record_database: RecordDatabase) -> Iterator[InProcessService]:
    """A service of its own, whose ledger must agree with every act of the test."""
    built = build_installation(tmp_path, database=record_database)
    yield built
    (tmp_path / "log").mkdir()
    signer = a_note_signer(tmp_path / "log")
    sequence(built.store, signer, at=utc_now())
    assert check_ledger(built.store, signer, at=utc_now()).finding is None
    built.close()


def released_to_bank(service: InProcessService) -> Pin:
    """Give data about a citizen to the bank, and return the citizen's PIN."""
    ready = service.document("bank-02-data")
    person = service.person_of(ready)
    request = person_request(**about(person, of=service.bank, document=ready))
    assert service.ask(request).outcome == "RELEASED"
    return person.pin


def test_a_citizen_sees_who_got_what(own: InProcessService) -> None:
    """Each decision is listed at once, with its ground and attributes and without a value."""
    pin = released_to_bank(own)

    answer = own.ask_as_citizen(act(own, "ListDisclosures", pin))

    assert answer.outcome == "DONE"
    (line,) = answer.child.findall(f"{{{S}}}disclosure")
    assert text(line, "recipient") == own.bank.code
    assert text(line, "recipientName") == own.bank.name
    assert (text(line, "outcome"), text(line, "groundKind")) == ("RELEASED", "CONSENT")
    assert line.findall(f"{{{S}}}attribute")
    receipt = etree.fromstring(b64decode(text(answer.child, "receipt") or ""))
    assert receipt.findtext(f"{R}receiptId") == text(answer.child, "actId")
    assert receipt.findtext(f"{R}operation") == "ListDisclosures"
    assert pin.digits.encode() not in answer.body
    assert pin.digits.encode() not in etree.tostring(receipt)


def test_another_citizen_sees_nothing_of_it(own: InProcessService) -> None:
    """The token alone determines whose record is read."""
    pin = released_to_bank(own)
    other = next(each.pin for each in own.world.people if each.pin != pin)

    answer = own.ask_as_citizen(act(own, "ListDisclosures", other))

    assert answer.outcome == "DONE"
    assert answer.child.find(f"{{{S}}}disclosure") is None
