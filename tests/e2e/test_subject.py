"""The subject port, end to end: a citizen sees who asked for data about them (cl. 4 and 11)."""

import copy
import io
import json
from base64 import b64decode, b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

import pytest
from lxml import etree
from sqlalchemy import select

from makul.app.ports import DisclosureRow
from makul.composition.adapters import utc_now
from makul.documents.bases import read_stored_basis
from makul.documents.unlocks import render_unlock
from makul.domain.disclosures import Outcome
from makul.domain.identifiers import Pin
from makul.domain.person_locks import UnlockOrder
from makul.store import StoreKeys, open_store
from makul.store.db.codecs import unpack
from makul.store.records.acts import act_associated_data
from makul.store.schema.ledger_tables import act as act_table
from makul.trust.xades.signing import sign_document
from makul_sandbox.data.recipients import XROAD_INSTANCE
from makul_testing.builders.messages import signed_message
from makul_testing.builders.notifications import RecordingChannel, Times, a_sender
from makul_testing.in_process_service import (
    InProcessService,
    RecordDatabase,
    ServiceAnswer,
    about,
    build_installation,
    party,
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


# --- receipts -----------------------------------------------------------------------------------


def lines(answer: etree._Element) -> list[etree._Element]:
    return answer.findall(f"{{{S}}}disclosure")


def test_a_receipt_is_given_to_its_subject_alone(own: InProcessService) -> None:
    """An id of another person and an unknown one have the same answer but for ids and times."""
    pin = released_to_bank(own)
    other = next(each.pin for each in own.world.people if each.pin != pin)
    (line,) = lines(own.ask_as_citizen(act(own, "ListDisclosures", pin)).child)
    disclosure_id = text(line, "disclosureId") or ""

    mine = own.ask_as_citizen(act(own, "GetDisclosureReceipt", pin, disclosureId=disclosure_id))
    foreign = own.ask_as_citizen(
        act(own, "GetDisclosureReceipt", other, disclosureId=disclosure_id)
    )
    unknown = own.ask_as_citizen(act(own, "GetDisclosureReceipt", other, disclosureId=str(uuid4())))

    receipt = etree.fromstring(b64decode(text(mine.child, "disclosureReceipt") or ""))
    assert receipt.findtext(f"{R}receiptId") == disclosure_id
    assert (foreign.outcome, foreign.codes) == ("REFUSED", ["OVR-06"])
    assert without_ids(foreign) == without_ids(unknown)


def without_ids(answer: ServiceAnswer) -> bytes:
    """Return an answer without what belongs to the act itself: ids, times and its receipt."""
    child = copy.deepcopy(answer.child)
    for name in ("requestId", "actId", "decidedAt", "receipt"):
        for each in child.findall(f"{{{S}}}{name}"):
            each.text = ""
    return etree.tostring(child, method="c14n")


# --- consents and locks -------------------------------------------------------------------------


def test_a_citizen_lists_and_revokes_a_consent(own: InProcessService) -> None:
    """The revocation is effective at its commit, and recipients see it as any other."""
    ready = own.document("taken-back")
    person = own.person_of(ready)
    request = person_request(**about(person, of=own.bank, document=ready))
    assert own.ask(request).outcome == "RELEASED"

    (consent,) = consents(own, person.pin)
    assert (text(consent, "state"), text(consent, "used")) == ("IN_FORCE", "1")
    assert text(consent, "consentId") == str(ready.ground_id)
    assert text(consent, "purpose") == own.bank.purpose
    names = {"recipient": own.bank.code, "consentId": str(ready.ground_id)}
    revoked = own.ask_as_citizen(act(own, "RevokeConsent", person.pin, **names))

    assert (revoked.outcome, text(revoked.child, "consentState")) == ("DONE", "REVOKED")
    again = person_request(**about(person, of=own.bank, document=ready))
    assert own.ask(again).codes == ["CNS-05"]
    assert [text(each, "state") for each in consents(own, person.pin)] == ["REVOKED"]
    assert own.ask_as_citizen(act(own, "RevokeConsent", person.pin, **names)).codes == ["OVR-02"]


def consents(service: InProcessService, pin: Pin) -> list[etree._Element]:
    answer = service.ask_as_citizen(act(service, "ListConsents", pin))
    assert answer.outcome == "DONE"
    return answer.child.findall(f"{{{S}}}consent")


def test_the_consent_of_another_is_not_ones_own(own: InProcessService) -> None:
    """It is neither listed nor revoked, and the answer is that of an unknown one."""
    ready = own.document("taken-back")
    person = own.person_of(ready)
    assert own.ask(person_request(**about(person, of=own.bank, document=ready))).outcome
    other = next(each.pin for each in own.world.people if each.pin != person.pin)
    names = {"recipient": own.bank.code, "consentId": str(ready.ground_id)}

    assert consents(own, other) == []
    foreign = own.ask_as_citizen(act(own, "RevokeConsent", other, **names))
    unknown = own.ask_as_citizen(
        act(own, "RevokeConsent", other, **names | {"consentId": str(uuid4())})
    )

    assert foreign.codes == ["OVR-06"]
    assert without_ids(foreign) == without_ids(unknown)
    assert [text(each, "state") for each in consents(own, person.pin)] == ["IN_FORCE"]


def test_another_persons_consent_that_was_misused_stays_unnamed(own: InProcessService) -> None:
    """The bank presents one person's consent for another: the other learns that, and no id."""
    ready = own.document("taken-back")
    victim = next(each for each in own.world.people if each.pin != own.person_of(ready).pin)
    request = person_request(**about(victim, of=own.bank, document=ready))
    assert "CNS-14" in own.ask(request).codes

    (line,) = lines(own.ask_as_citizen(act(own, "ListDisclosures", victim.pin)).child)

    assert text(line, "groundId") is None
    assert consents(own, victim.pin) == []
    named = {"recipient": own.bank.code, "consentId": str(ready.ground_id)}
    assert lines(own.ask_as_citizen(act(own, "ListDisclosures", victim.pin, **named)).child) == []


def test_a_lock_stops_consents_until_the_citizen_signs(own: InProcessService) -> None:
    """MAT-05 while locked; the order to unlock is signed by this citizen, for this request."""
    number = own.document("taken-back").citizen
    pin = own.world.people[number].pin

    given = bank_request(own)
    assert own.ask(given).outcome == "RELEASED"

    def ask() -> list[str]:
        ready = own.document("taken-back")
        return own.ask(
            person_request(**about(own.person_of(ready), of=own.bank, document=ready))
        ).codes

    locked = own.ask_as_citizen(act(own, "LockMatching", pin))
    assert (locked.outcome, text(locked.child, "matchingState")) == ("DONE", "LOCKED")
    assert ask() == ["MAT-05"]
    assert own.ask(given).codes == ["MAT-05"]  # nor is the stored answer given again
    assert own.ask_as_citizen(act(own, "LockMatching", pin)).codes == ["OVR-02"]

    assert own.ask_as_citizen(act(own, "UnlockMatching", pin)).codes == ["SUB-03"]
    for signer, subject, wrong_id in ((12, pin, False), (number, pin, True)):
        request_id = uuid4()
        order = unlock_order(own, signer, subject, uuid4() if wrong_id else request_id)
        refused = own.ask_as_citizen(act(own, "UnlockMatching", pin, request_id, document=order))
        assert (refused.outcome, refused.codes[0]) == ("REFUSED", "SUB-03")
    assert ask() == ["MAT-05"]

    request_id = uuid4()
    order = unlock_order(own, number, pin, request_id)
    done = own.ask_as_citizen(act(own, "UnlockMatching", pin, request_id, document=order))
    assert (done.outcome, text(done.child, "matchingState")) == ("DONE", "UNLOCKED")
    assert ask() == []


def bank_request(service: InProcessService) -> bytes:
    ready = service.document("taken-back")
    person = service.person_of(ready)
    return person_request(**about(person, of=service.bank, document=ready))


def unlock_order(service: InProcessService, signer: int, subject: Pin, unlock_id: UUID) -> str:
    credential = service.world.citizens[signer]
    order = UnlockOrder(unlock_id=unlock_id, subject=subject, signed_at=service.clock())
    document = sign_document(
        render_unlock(order), credential.key, [credential.certificate], at=service.clock()
    )
    return b64encode(document).decode()


# --- tokens over the wire -------------------------------------------------------------------------


def test_a_token_serves_one_request(own: InProcessService) -> None:
    """Equal bytes may come again; another request with this token is SUB-01 and recorded."""
    pin = released_to_bank(own)
    request_id = uuid4()
    token = own.id_token(pin, request_id)
    listing = body("ListDisclosures", request_id, token)

    first, again = own.ask_as_citizen(listing), own.ask_as_citizen(listing)
    narrowed = own.ask_as_citizen(body("ListDisclosures", request_id, token, limit="1"))
    repeated = own.ask_as_citizen(body("ListDisclosures", request_id, token, limit="1"))
    other = own.ask_as_citizen(body("LockMatching", request_id, token))

    assert (first.outcome, again.outcome) == ("DONE", "DONE")
    for refused in (other, narrowed, repeated):
        assert (refused.outcome, refused.codes) == ("REFUSED", ["SUB-01"])
        assert lines(refused.child) == []


def test_a_change_is_done_once(own: InProcessService) -> None:
    """A retry with the same bytes gets the stored answer."""
    pin = own.world.people[0].pin
    request_id = uuid4()
    request = body("LockMatching", request_id, own.id_token(pin, request_id))

    assert own.ask_as_citizen(request).body == own.ask_as_citizen(request).body


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"acr": "low"}, "SUB-02"),
        ({"nonce": "00000000-0000-0000-0000-000000000000"}, "SUB-01"),
        ({"aud": "bank"}, "SUB-01"),
        ({"iat": 0}, "SUB-01"),
    ],
)
def test_a_false_token_opens_nothing(
    installation: InProcessService, changes: dict[str, object], code: str
) -> None:
    """The refusal is recorded and answered with a receipt, without any line."""
    pin, request_id = installation.world.people[0].pin, uuid4()
    token = installation.id_token(pin, request_id, **changes)

    answer = installation.ask_as_citizen(body("ListDisclosures", request_id, token))

    assert (answer.outcome, answer.codes) == ("REFUSED", [code])
    assert text(answer.child, "receipt")


# --- who may call ---------------------------------------------------------------------------------


OPERATIONS = {
    "ListDisclosures": {},
    "GetDisclosureReceipt": {"disclosureId": "7d9a3c1e-0000-4000-8000-000000000001"},
    "ListConsents": {},
    "RevokeConsent": {
        "recipient": "COM/60000001",
        "consentId": "7d9a3c1e-0000-4000-8000-000000000001",
    },
    "LockMatching": {},
    "UnlockMatching": {},
}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_no_other_party_is_a_portal(installation: InProcessService, operation: str) -> None:
    """The certificates of recipients, officers, signatories and citizens open nothing (RCP-04)."""
    world = installation.world
    holders = [
        *world.messages.values(),
        *(each.credential for each in world.officers.values()),
        *(each.credential for each in world.signatories.values()),
        *world.citizens.values(),
    ]
    child = act(installation, operation, world.people[0].pin, **OPERATIONS[operation])
    for holder in holders:
        message = signed_message(child, holder.key, holder.certificate, at=installation.clock())
        answer = installation.post(message, listener="subject", PATH_INFO="/v1/subject")
        assert answer.status == 500
        assert set(answer.codes) <= {"RCP-04", "SIG-04", "SIG-05", "SIG-06", "SIG-07"}
        assert answer.codes


def test_a_portal_is_neither_recipient_nor_officer(installation: InProcessService) -> None:
    """Its certificate opens no other port."""
    portal = installation.world.portal
    for child, listener, path in (
        (
            b'<r:GetStatus xmlns:r="urn:makul:recipient:1"><r:requestId>%s</r:requestId>'
            b"</r:GetStatus>" % str(uuid4()).encode(),
            "wsse",
            "/v1/recipient",
        ),
        (
            b'<o:GetStatistics xmlns:o="urn:makul:oversight:1"><o:requestId>%s</o:requestId>'
            b"<o:month>2026-10</o:month></o:GetStatistics>" % str(uuid4()).encode(),
            "oversight",
            "/v1/oversight",
        ),
    ):
        message = signed_message(child, portal.key, portal.certificate, at=installation.clock())
        answer = installation.post(message, listener=listener, PATH_INFO=path)
        assert (answer.status, answer.codes) == (500, ["RCP-04"])


def test_over_x_road_the_client_is_the_portal(installation: InProcessService) -> None:
    """`xrd:client` names the portal; another member is RCP-04."""
    for code, expected in (("70000011", []), ("70000009", ["RCP-04"])):
        request_id = uuid4()
        child = act(installation, "ListDisclosures", installation.world.people[0].pin, request_id)
        message = over_xroad(child, request_id, code)
        answer = installation.post(message, listener="subject-xroad", PATH_INFO="/v1/subject")
        assert answer.codes == expected


def over_xroad(child: bytes, request_id: UUID, code: str) -> bytes:
    identifiers = "http://x-road.eu/xsd/identifiers"
    member = (
        f"<id:xRoadInstance>{XROAD_INSTANCE}</id:xRoadInstance><id:memberClass>GOV</id:memberClass>"
    )
    return (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"'
        f' xmlns:xrd="http://x-road.eu/xsd/xroad.xsd" xmlns:id="{identifiers}"><s:Header>'
        f'<xrd:client id:objectType="MEMBER">{member}<id:memberCode>{code}</id:memberCode>'
        f'</xrd:client><xrd:service id:objectType="SERVICE">{member}'
        "<id:memberCode>70000001</id:memberCode><id:subsystemCode>makul</id:subsystemCode>"
        "<id:serviceCode>ListDisclosures</id:serviceCode>"
        "<id:serviceVersion>v1</id:serviceVersion></xrd:service>"
        f"<xrd:id>{request_id}</xrd:id>"
        "<xrd:protocolVersion>4.0</xrd:protocolVersion></s:Header>"
        f"<s:Body>{child.decode()}</s:Body></s:Envelope>"
    ).encode()


# --- pages --------------------------------------------------------------------------------------


def test_pages_continue_where_the_last_one_ended(own: InProcessService) -> None:
    """Together they are the whole list, each decision once, the latest first."""
    ready = own.document("taken-back")
    person = own.person_of(ready)
    for _ in range(5):
        own.ask(person_request(**about(person, of=own.bank, document=ready)))

    whole = [
        text(each, "disclosureId")
        for each in lines(own.ask_as_citizen(act(own, "ListDisclosures", person.pin)).child)
    ]
    paged: list[str | None] = []
    after: dict[str, str] = {}
    for _ in range(3):
        page = own.ask_as_citizen(act(own, "ListDisclosures", person.pin, **after, limit="2")).child
        paged += [text(each, "disclosureId") for each in lines(page)]
        after = {"after": text(page, "next") or ""}

    assert len(whole) == 5
    assert paged == whole
    assert after == {"after": ""}


# --- what is hidden -----------------------------------------------------------------------------


def ask_police(service: InProcessService, name: str) -> Pin:
    """Let the police get data by a basis statement, and return the PIN of the person."""
    ready = service.document(name)
    person, police = service.person_of(ready), party("police")
    request = person_request(**about(person, of=police, document=ready))
    assert service.ask(request, by="police").outcome == "RELEASED"
    return person.pin


def test_a_hidden_decision_changes_no_answer_until_its_date(own: InProcessService) -> None:
    """Lists, pages, receipts and the tracker are equal with and without it (invariant 14)."""
    pin = ask_police(own, "police-judicial")
    listing = {"limit": "1"}
    before = without_ids(own.ask_as_citizen(act(own, "ListDisclosures", pin, **listing)))
    tracked = find_usage(own, pin).body
    known = {each.disclosure_id for each in decisions(own)}

    ask_police(own, "police-hidden")

    (hidden,) = [each for each in decisions(own) if each.disclosure_id not in known]
    again = own.ask_as_citizen(act(own, "ListDisclosures", pin, **listing))
    assert without_ids(again) == before
    assert find_usage(own, pin).body == tracked
    answers = [
        without_ids(
            own.ask_as_citizen(act(own, "GetDisclosureReceipt", pin, disclosureId=str(each)))
        )
        for each in (hidden.disclosure_id, uuid4())
    ]
    assert answers[0] == answers[1]


def decisions(service: InProcessService) -> list[DisclosureRow]:
    return list(service.store.registry.disclosures(recipient=None, since=None, limit=100))


def hidden_attempts(service: InProcessService) -> list[bytes]:
    """Return a request that is released, and one that is refused because it asks for too much."""
    ready = service.document("police-hidden")
    fields = about(service.person_of(ready), of=party("police"), document=ready)
    beyond = sorted({*ready.attributes, "birthDate"})
    return [
        person_request(**each)
        for each in (fields, fields | {"request_id": uuid4(), "attributes": beyond})
    ]


def test_a_hidden_decision_is_shown_at_its_date(
    tmp_path: Path, record_database: RecordDatabase
) -> None:
    """Cl. 5.1: released, refused and repeated decisions, in each view, not before and not later.

    If the clock is set back, they are hidden again. What was delivered stays delivered.
    """
    clock = Times(utc_now())
    service = build_installation(tmp_path, database=record_database, clock=clock)
    stated = read_stored_basis(service.document("police-hidden").document)
    assert stated is not None
    assert stated.hidden_until is not None
    pin, until = stated.subject, stated.hidden_until
    assert pin is not None
    released, refused = hidden_attempts(service)
    for request, outcome in ((released, "RELEASED"), (refused, "REFUSED"), (released, "RELEASED")):
        clock.pass_by(timedelta(seconds=1))
        assert service.ask(request, by="police").outcome == outcome
    keys = StoreKeys.load(service.settings.store.keys)
    outbox = open_store(service.settings.place, keys, who="test").outbox
    channel = RecordingChannel()
    sender = a_sender(outbox, channel, clock)
    (given,) = [each for each in decisions(service) if each.outcome is Outcome.RELEASED]

    def look(at: datetime) -> tuple[int, int, list[str], int]:
        """Return what list and tracker count, the codes of the receipt, and what was sent."""
        clock.now = at
        sender.run_once()
        listed = service.ask_as_citizen(act(service, "ListDisclosures", pin)).child
        receipt = act(service, "GetDisclosureReceipt", pin, disclosureId=str(given.disclosure_id))
        return (
            len(listed.findall(f"{{{S}}}disclosure")),
            find_usage(service, pin).json["totalUsages"],
            service.ask_as_citizen(receipt).codes,
            len(channel.sent),
        )

    hidden, shown = (0, 0, ["OVR-06"]), (2, 2, [])
    assert look(clock.now) == (*hidden, 0)
    assert look(until - timedelta(milliseconds=1)) == (*hidden, 0)
    assert look(until) == (*shown, 1)
    assert look(until + timedelta(days=1)) == (*shown, 1)
    assert look(until - timedelta(days=1)) == (*hidden, 1)
    (sent,) = channel.sent
    assert (sent.facts.disclosure_id, sent.facts.provision) == (given.disclosure_id, "JUDICIAL")
    service.close()


# --- the tracker ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class RestAnswer:
    status: int
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


def get(
    service: InProcessService,
    path: str,
    query: str = "",
    *,
    client: str = f"{XROAD_INSTANCE}/GOV/70000011/tracker",
    listener: str = "subject-xroad",
    method: str = "GET",
    **headers: str,
) -> RestAnswer:
    answered: dict[str, Any] = {}

    def start_response(status: str, headers: list[tuple[str, str]], *_: Any) -> None:
        answered.update(status=int(status.split(maxsplit=1)[0]))

    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "HTTP_X_ROAD_CLIENT": client,
        "wsgi.input": io.BytesIO(),
        **headers,
    }
    content = b"".join(service.applications[listener](environ, start_response))
    return RestAnswer(answered["status"], content)


def find_usage(service: InProcessService, pin: Pin, **parameters: str) -> RestAnswer:
    query = urlencode({"userCode": pin.digits} | parameters)
    return get(service, "/v2/findUsage", query)


def test_the_tracker_gets_what_the_citizen_sees(own: InProcessService) -> None:
    """The answer has the shape of the state's tracker, a count and pages."""
    pin = released_to_bank(own)

    answer = find_usage(own, pin)

    assert answer.status == 200
    assert answer.json["totalUsages"] == 1
    (usage,) = answer.json["usages"]
    assert usage.keys() == {"logtime", "action", "receiverCode", "receiverName", "receiverSystem"}
    assert (usage["receiverCode"], usage["receiverName"]) == (own.bank.code, own.bank.name)
    assert usage["action"].startswith("GetPersonData RELEASED")
    assert find_usage(own, pin, offset="1").json == {"totalUsages": 1, "usages": []}
    assert find_usage(own, pin, periodEnd="2020-01-01").json == {"totalUsages": 0, "usages": []}
    assert find_usage(own, own.world.people[20].pin).json["totalUsages"] == 0


def test_the_tracker_is_recorded(own: InProcessService) -> None:
    """Each answer is an act whose ledger statement has no PIN."""
    pin = released_to_bank(own)
    find_usage(own, pin)
    own.ask_as_citizen(act(own, "ListDisclosures", pin))

    recorded = acts(own)
    assert [each[0] for each in recorded] == ["subject.findUsage", "subject.ListDisclosures"]
    for each in recorded:
        assert pin.digits not in "".join(each)
        assert "eyJ" not in "".join(each)  # no ID token


def acts(service: InProcessService) -> list[tuple[str, str, str, str]]:
    """Return the acts of the port: kind, target, actor and the statement of the ledger."""
    recorder: Any = service.store.acts
    rows = recorder._database.fetch_all(
        select(
            act_table.c.kind,
            act_table.c.target,
            act_table.c.who,
            act_table.c.act_id,
            act_table.c.sealed,
        )
        .where(act_table.c.kind.like("subject.%"))
        .order_by(act_table.c.number),
        {},
    )
    return [
        (
            kind,
            target,
            who,
            unpack(recorder._cipher.decrypt(sealed, act_associated_data(act_id)))[1][1].decode(),
        )
        for kind, target, who, act_id, sealed in rows
    ]


HOSTILE_QUERIES = [
    "",
    "userCode=",
    "userCode=2010119900001",
    "userCode=20101199000017%0a",
    "userCode=20101199000017&userCode=20101199000025",
    "userCode=20101199000017&limit=0",
    "userCode=20101199000017&limit=1001",
    "userCode=20101199000017&limit=-1",
    "userCode=20101199000017&limit=1e3",
    "userCode=20101199000017&offset=999999",
    "userCode=20101199000017&offset=99999999999999999999",
    "userCode=20101199000017&periodStart=yesterday",
    "userCode=20101199000017&periodStart=2026-02-30",
    "userCode=20101199000017&periodStart=0001-01-01",
    "userCode=20101199000017&periodEnd=9999-12-31",
    "userCode=20101199000017&periodEnd=2026-01-01T00:00:00",
    "userCode=20101199000017&unknown=1",
    "userCode=" + "1" * 600,
    "%ff=%ff",
]


@pytest.mark.parametrize("query", HOSTILE_QUERIES)
def test_a_hostile_query_is_refused_as_json(installation: InProcessService, query: str) -> None:
    """The answer names the parameter, and has neither its value nor a trace."""
    answer = get(installation, "/v2/findUsage", query)

    assert answer.status == 400
    assert [each["code"] for each in answer.json["reasons"]] == ["REQ-01"]
    assert b"20101199" not in answer.body


@pytest.mark.parametrize(
    ("client", "status"),
    [
        ("", 400),
        ("KG-SANDBOX", 400),
        ("KG-SANDBOX/GOV/70000011/a/b", 400),
        ("KG-SANDBOX/gov/70000011", 400),
        ("KG-SANDBOX/GOV/70000011%0a", 400),
        ("EE/GOV/70000011", 403),
        ("KG-SANDBOX/GOV/70000009", 403),
        ("KG-SANDBOX/COM/60000001", 403),
        ("x" * 300, 400),
    ],
)
def test_only_the_portal_asks_the_tracker(
    installation: InProcessService, client: str, status: int
) -> None:
    """A member that the settings do not name learns nothing."""
    query = f"userCode={installation.world.people[0].pin.digits}"
    answer = get(installation, "/v2/findUsage", query, client=client)

    assert answer.status == status
    assert answer.json["reasons"]


def test_the_tracker_needs_a_channel_that_names_the_caller(installation: InProcessService) -> None:
    """A signed SOAP message is the proof on wsse; a plain GET has none there."""
    query = f"userCode={installation.world.people[0].pin.digits}"

    answer = get(installation, "/v2/findUsage", query, listener="subject")

    assert answer.status == 404
    assert b"totalUsages" not in answer.body


def test_heartbeat_and_period(installation: InProcessService) -> None:
    """The tracker checks both before it asks about anybody."""
    assert get(installation, "/v2/heartbeat").json == {"status": "OK"}
    assert get(installation, "/v2/usagePeriod").json.keys() == {"periodStart", "periodEnd"}
    assert get(installation, "/v2/findUsages").status == 404
    assert get(installation, "/v2/findUsage", method="POST").status == 405
