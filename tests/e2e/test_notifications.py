"""Notifications and their links, end to end: a subject learns of a disclosure and denies it."""

import json
from collections.abc import Iterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest

from makul.app.ports import Duty, UsageStatement
from makul.composition.adapters import utc_now
from makul.domain.identifiers import Pin
from makul.ledger.signed_note import ED25519
from makul.store import StoreKeys
from makul.store.encryption.compression import Compressor
from makul.store.encryption.fields import FieldCipher
from makul.store.log.tile_files import LogDirectory
from makul.store.open import database_at
from makul.store.records.private_fields import open_private
from makul.trust.tlog.note_keys import NoteSigner, new_key_file
from makul_testing.builders.messages import xroad_message
from makul_testing.in_process_service import (
    InProcessService,
    RecordDatabase,
    ServiceAnswer,
    about,
    build_installation,
    party,
    person_request,
)
from makul_testing.raw_sql import count, parameters, raw
from makul_testing.tlog.builder import ORIGIN, check_ledger, sequence

S = "urn:makul:subject:1"
O = "urn:makul:oversight:1"  # noqa: E741 - the prefix of the schema


@pytest.fixture
def own(tmp_path: Path, record_database: RecordDatabase) -> Iterator[InProcessService]:
    """A service of its own, whose ledger must agree with every act of the test."""
    built = build_installation(tmp_path, database=record_database)
    yield built
    if not (tmp_path / "ledger.key").exists():
        new_key_file(tmp_path / "ledger.key", ORIGIN, ED25519)
    signer = NoteSigner.load(tmp_path / "ledger.key", ORIGIN)
    sequence(built.store, signer, at=utc_now())
    assert check_ledger(built.store, signer, at=utc_now()).finding is None
    built.close()


def release(service: InProcessService, document: str = "bank-02-data", by: str = "bank") -> Pin:
    """Give data about a citizen, and return the citizen's PIN."""
    ready = service.document(document)
    person = service.person_of(ready)
    request = person_request(**about(person, of=party(by), document=ready))
    answer = service.ask(request, by=by)
    assert answer.outcome in {"RELEASED", "MATCHED"}, answer.codes
    return person.pin


def delivered(service: InProcessService) -> list[Mapping[str, Any]]:
    """Send what is due, and return every notification in the directory."""
    service.makul(Duty.NOTIFYING).run_json("notification", "send", "--once")
    directory = service.settings.store.keys.parent / "notifications"
    return [json.loads(each.read_bytes()) for each in sorted(directory.glob("*.json"))]


def token_of(notification: Mapping[str, Any]) -> str:
    prefix, _, token = notification["link"]["url"].rpartition("/")
    assert prefix == "https://portal.example/not-me"
    return str(token)


def speak(
    service: InProcessService,
    operation: str,
    content: str,
    *,
    pin: Pin | None = None,
    request_id: UUID | None = None,
) -> ServiceAnswer:
    """Send a request of the portal; with `pin`, the citizen is logged in."""
    request_id = request_id or uuid4()
    name, _, more = content.partition("|")
    token = service.id_token(pin, request_id) if pin is not None else None
    login = f"<s:idToken>{token}</s:idToken>" if token else ""
    child = (
        f'<s:{operation} xmlns:s="{S}"><s:requestId>{request_id}</s:requestId>'
        f"{name}{login}{more}</s:{operation}>"
    )
    return service.ask_as_citizen(child.encode())


def report(
    service: InProcessService, token: str, *, lock: str = "", **options: Any
) -> ServiceAnswer:
    content = f"<s:linkToken>{token}</s:linkToken>|"
    content += f"<s:lockMatching>{lock}</s:lockMatching>" if lock else ""
    return speak(service, "ReportNotMe", content, **options)


def case_exceptions(service: InProcessService) -> str:
    """Return the exceptions that `makul case build` would contain now."""
    makul, day = service.makul(), utc_now().date()
    new_key_file(makul.directory / "ledger.key", ORIGIN, ED25519)
    with (makul.directory / "makul.toml").open("a") as settings:
        settings.write(f'\n[ledger]\norigin = "{ORIGIN}"\nkey = "ledger.key"\npublish = "log"\n')
    signer = NoteSigner.load(makul.directory / "ledger.key", ORIGIN)
    sequence(service.store, signer, at=utc_now())
    latest = service.store.ledger.latest()
    assert latest is not None
    LogDirectory(makul.directory / "log").write_checkpoint(latest.note)
    preview = makul.run_json(
        *("case", "build", service.bank.code, "--reason", "test", "--preview"),
        *("--from", str(day - timedelta(days=1)), "--to", str(day + timedelta(days=2))),
    )
    return json.dumps(preview)


def test_a_subject_learns_of_a_disclosure_and_denies_it(own: InProcessService) -> None:
    """Cl. 4, 11: the notification has a link; the report is an exception at once."""
    pin = release(own)

    (notification,) = delivered(own)
    assert notification["subject"] == {"pin": pin.digits}
    assert (notification["recipient"]["code"], notification["attempt"]) == (own.bank.code, 1)
    assert notification["attributes"]
    answer = report(own, token_of(notification))

    assert answer.outcome == "DONE"
    assert answer.child.findtext(f"{{{S}}}disclosureId") == notification["disclosureId"]
    assert "DENIED_BY_SUBJECT" in case_exceptions(own)
    assert pin.digits.encode() not in answer.body


def test_a_report_locks_matching_and_proposes_a_case(own: InProcessService) -> None:
    """Cl. 4, 12: without a login, at once; also the stored answer is not given again (MAT-05)."""
    ready = own.document("bank-02-data")
    person = own.person_of(ready)
    request = person_request(**about(person, of=party("bank"), document=ready))
    assert own.ask(request).outcome == "RELEASED"
    (notification,) = delivered(own)

    answer = report(own, token_of(notification), lock="true")

    assert (answer.outcome, answer.child.findtext(f"{{{S}}}matchingState")) == ("DONE", "LOCKED")
    assert own.ask(request).codes == ["MAT-05"]
    query = f'<GetCase xmlns="{O}"><requestId>{uuid4()}</requestId></GetCase>'
    seen = own.oversee(query.encode()).child
    cases = [
        (each.findtext(f"{{{O}}}recipient"), each.findtext(f"{{{O}}}caseState"))
        for each in seen.iter(f"{{{O}}}case")
    ]
    assert cases == [(own.bank.code, "PROPOSED")]


@pytest.mark.parametrize("lock", ["", "false"])
def test_a_report_without_a_lock_shows_no_state(own: InProcessService, lock: str) -> None:
    """The link alone shows no data."""
    release(own)
    (notification,) = delivered(own)

    answer = report(own, token_of(notification), lock=lock)

    assert answer.outcome == "DONE"
    assert answer.child.find(f"{{{S}}}matchingState") is None
    assert count(own.settings.place, "matching_lock") == 0


def test_a_used_an_expired_and_an_unknown_link_look_alike(own: InProcessService) -> None:
    """Only the same request again gets the answer of the first."""
    release(own)
    (notification,) = delivered(own)
    token, first = token_of(notification), uuid4()
    expired, unknown = "A" * 43, "B" * 42 + "A"
    with raw(own.settings.place) as connection:
        sql = "UPDATE notification_link SET expires_at = expires_at - 32 * 86400000000"
        done = report(own, token, request_id=first)
        connection.execute(sql)
    release(own, "bank-01-data")
    fresh = next(each for each in delivered(own) if each["id"] != notification["id"])
    with raw(own.settings.place) as connection:
        connection.execute(sql)

    answers = [report(own, each) for each in (token, token_of(fresh), expired, unknown)]

    assert done.outcome == "DONE"
    for answer in answers:
        assert (answer.outcome, answer.codes) == ("REFUSED", ["OVR-06"])
        assert {each.text for each in answer.child.iter("{*}field")} == {"linkToken"}
        assert answer.child.find(f"{{{S}}}disclosureId") is None
    assert report(own, token, request_id=first).body.count(b"DONE") == done.body.count(b"DONE")
    assert count(own.settings.place, "subject_answer") == 1


def test_each_link_of_a_repeated_notification_works_once_together(own: InProcessService) -> None:
    """A repetition has a link of its own. One decision is denied once."""
    release(own)
    (first,) = delivered(own)
    with raw(own.settings.place) as connection:
        row = connection.execute("SELECT count(*) FROM notification_link").fetchone()
    assert row[0] == 1
    assert report(own, token_of(first)).outcome == "DONE"
    assert report(own, token_of(first)).codes == ["OVR-06"]


def test_another_citizen_cannot_use_the_link_while_logged_in(own: InProcessService) -> None:
    """The login decides, and the link stays usable for its subject."""
    pin = release(own)
    other = next(each.pin for each in own.world.people if each.pin != pin)
    (notification,) = delivered(own)
    token = token_of(notification)

    assert report(own, token, pin=other).codes == ["OVR-06"]
    assert report(own, token, pin=pin).outcome == "DONE"


def test_a_false_login_is_refused_although_the_link_is_right(own: InProcessService) -> None:
    """A portal that sends a token must send a good one."""
    pin = release(own)
    (notification,) = delivered(own)
    child = (
        f'<s:ReportNotMe xmlns:s="{S}"><s:requestId>{uuid4()}</s:requestId>'
        f"<s:linkToken>{token_of(notification)}</s:linkToken>"
        f"<s:idToken>{own.id_token(pin, uuid4())}</s:idToken></s:ReportNotMe>"
    )

    assert own.ask_as_citizen(child.encode()).codes == ["SUB-01"]
    assert count(own.settings.place, "subject_answer") == 0


def test_the_link_of_a_disclosure_answers_no_question(own: InProcessService) -> None:
    """A link is for what its notification says."""
    pin = release(own)
    (notification,) = delivered(own)
    link = f"<s:linkToken>{token_of(notification)}</s:linkToken>|"
    answer = "<s:answer>YES</s:answer>"
    named = f"|<s:disclosureId>{notification['disclosureId']}</s:disclosureId>{answer}"

    assert speak(own, "AnswerCheck", link + answer).codes == ["OVR-06"]
    assert speak(own, "AnswerCheck", named, pin=pin).codes == ["OVR-06"]
    assert speak(own, "AnswerCheck", f"|{answer}").codes == ["OVR-06"]


def test_a_recipient_cannot_use_a_link(own: InProcessService) -> None:
    """Only a portal speaks for citizens."""
    release(own)
    (notification,) = delivered(own)
    child = (
        f'<s:ReportNotMe xmlns:s="{S}"><s:requestId>{uuid4()}</s:requestId>'
        f"<s:linkToken>{token_of(notification)}</s:linkToken></s:ReportNotMe>"
    )

    assert own.ask_as_citizen(child.encode(), by="bank").codes == ["RCP-04"]


def test_a_report_locks_matching_if_asked(own: InProcessService) -> None:
    """A lock only restricts, so the link alone suffices; consent-based matching stops at once."""
    release(own)
    (notification,) = delivered(own)
    link = (
        f"<s:linkToken>{token_of(notification)}</s:linkToken>|<s:lockMatching>true</s:lockMatching>"
    )

    answer = speak(own, "ReportNotMe", link)

    assert answer.outcome == "DONE", answer.codes
    assert answer.child.findtext(f"{{{S}}}matchingState") == "LOCKED"
    ready = own.document("bank-02-yes-no")
    again = person_request(**about(own.person_of(ready), of=own.bank, document=ready))
    assert own.ask(again).codes == ["MAT-05"]


PDU = (
    '<p:pdu xmlns:p="http://x-road.eu/xsd/pdu.xsd"><p:reason>Насыя берүү</p:reason>'
    "<p:system>Core banking</p:system><p:hidden>true</p:hidden></p:pdu>"
)


def test_what_a_client_says_to_the_subject_is_recorded_and_hides_nothing(
    own: InProcessService,
) -> None:
    """The header `pdu`: `hidden` alone hides nothing from the subject (cl. 5.1)."""
    ready = own.document("bank-02-data")
    fields = about(own.person_of(ready), of=own.bank, document=ready)
    message = xroad_message(person_request(**fields), own.bank.code, fields["request_id"])
    head, _, rest = message.partition(b"</s:Header>")
    assert rest, "the header of the message was not found"
    answer = own.post(head + PDU.encode() + b"</s:Header>" + rest, listener="xroad")

    assert answer.outcome == "RELEASED", answer.codes
    assert PDU.split(">", maxsplit=1)[0].encode().split(b" ")[0] in answer.body
    (notification,) = delivered(own)
    with raw(own.settings.place) as connection:
        identifier = UUID(notification["disclosureId"]).bytes
        sql = parameters(
            own.settings.place, "SELECT sealed FROM disclosure WHERE disclosure_id = ?"
        )
        (sealed,) = connection.execute(sql, (identifier,)).fetchone()
    cipher = FieldCipher(
        StoreKeys.load(own.settings.store.keys), Compressor(database_at(own.settings.place))
    )
    assert b"Core banking" not in sealed
    assert open_private(cipher, identifier, sealed).usage == UsageStatement(
        reason="Насыя берүү", system="Core banking", hidden=True
    )
    pin = own.person_of(ready).pin
    request_id = uuid4()
    listed = own.ask_as_citizen(
        f'<ListDisclosures xmlns="{S}"><requestId>{request_id}</requestId>'
        f"<idToken>{own.id_token(pin, request_id)}</idToken></ListDisclosures>".encode()
    )
    (seen,) = listed.child.findall(f"{{{S}}}disclosure")
    assert seen.findtext(f"{{{S}}}statedReason") == "Насыя берүү"
    assert seen.findtext(f"{{{S}}}statedSystem") == "Core banking"
