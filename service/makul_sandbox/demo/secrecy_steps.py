"""The steps of people bound to secrecy: undertakings, a leak, and an erasure (cl. 15 and 16)."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID, uuid4

from makul_client import Client, ConsentDocument, Context
from makul_client._internal.crypto.credentials import Credential, load_credential
from makul_client._internal.party_signature import sign_content
from makul_client.consent import documents as consents
from makul_client.consent.documents import ConsentContent, Subject
from makul_client.models.response import PersonData
from makul_client.models.secrecy import IncidentReport
from makul_client.secrecy import documents
from makul_client.secrecy.documents import UndertakingContent
from makul_sandbox.data.recipients import AUTHORISED_BODY, OPERATOR
from makul_sandbox.demo.client_session import DemoClient, describe_result

AGREEMENT = "2026/016"
EMPLOYEE, EMPLOYEE_NUMBER = "teller-7", 3
"""The employee of the bank, who is a citizen of the sandbox."""
CITIZEN = 2
_GIVEN = "secrecy: the disclosure"
_BISHKEK = timezone(timedelta(hours=6))
_TERMS = """\
number = "{number}"
recipient = "{recipient}"
valid_from = 2026-01-01
valid_to = 2099-01-01
purposes = ["ACCOUNT_OPENING"]
attributes = ["surname"]
methods = ["demographic"]
channels = ["wsse"]
undertakings_required = true
"""


def undertake_and_leave(demo: DemoClient) -> str:
    """Request as an employee before, during and after the employee's undertaking."""
    _conclude(demo)
    client = demo.client("bank", agreement=AGREEMENT)
    ground = _consent(demo, client)

    def ask() -> PersonData:
        data = client.get_person_data(
            demo.probe(CITIZEN), ["surname"], ground=ground, context=Context(employee=EMPLOYEE)
        )
        demo.notes[_GIVEN] = data.decision.disclosure_id
        return data

    before = describe_result(ask)
    draft, undertaking_id = _draft(demo, client)
    other = documents.sign(draft, _signer(demo, CITIZEN))
    by_another = describe_result(lambda: str(client.secrecy.record(other).act.outcome))
    client.secrecy.record(documents.sign(draft, _signer(demo, EMPLOYEE_NUMBER)))
    bound = describe_result(ask)
    client.secrecy.end(undertaking_id, datetime.now(_BISHKEK).date())
    return (
        f"{before}; signed by another: {by_another}; recorded, {bound};"
        f" ended, {describe_result(ask)}"
    )


def report_and_erase(demo: DemoClient) -> str:
    """Report a leak of what the scene before disclosed, and attest that it was erased."""
    client, given = demo.client("bank", agreement=AGREEMENT), demo.notes[_GIVEN]
    now = datetime.now(UTC).replace(microsecond=0)
    incident = client.secrecy.report(
        IncidentReport(
            kind="DISCLOSURE",
            happened_from=now,
            discovered_at=now,
            disclosures=(given,),
            affected=1,
            description="A visitor saw a screen.",
            measures="The screen is turned away.",
        )
    )
    reported = json.loads(demo.operate("incident", "show", str(incident.incident_id), "--json"))
    case = json.loads(demo.operate("case", "show", reported["case_id"], "--json"))
    attest: Callable[[], str] = lambda: str(  # noqa: E731
        client.secrecy.attest([given], datetime.now(_BISHKEK).date()).attested
    )
    return (
        f"a case is {case['state']}; attested {describe_result(attest)},"
        f" again: {describe_result(attest)}"
    )


def _conclude(demo: DemoClient) -> None:
    """Bring an agreement into force that demands undertakings."""
    directory = demo.path("secrecy")
    directory.mkdir(exist_ok=True)
    terms = directory / "terms.toml"
    terms.write_text(_TERMS.format(number=AGREEMENT, recipient=demo.code("bank")), encoding="utf-8")
    demo.operate("agreement", "add", str(terms), "--apply")
    document = demo.operate("agreement", "export", AGREEMENT).encode()
    for member in (OPERATOR, demo.code("bank"), AUTHORISED_BODY):
        file = directory / f"{member.replace('/', '-')}.xml"
        file.write_bytes(sign_content(document, demo.signatory(member)))
        demo.operate("agreement", "submit", str(file), "--apply")


def _consent(demo: DemoClient, client: Client) -> ConsentDocument:
    """Return a consent of a citizen under the agreement."""
    now = datetime.now(UTC).replace(microsecond=0)
    content = ConsentContent(
        subject=Subject(pin=demo.pin(CITIZEN), surname=demo.surname(CITIZEN)),
        attributes=("surname",),
        valid_from=now - timedelta(minutes=1),
        valid_to=now + timedelta(days=1),
        max_disclosures=9,
    )
    draft = consents.draft(client.profile, content, given_at=now)
    return ConsentDocument(consents.sign(client.profile, draft, _signer(demo, CITIZEN)))


def _draft(demo: DemoClient, client: Client) -> tuple[bytes, UUID]:
    """Return an undertaking of the employee to be signed, and its id."""
    now, undertaking_id = datetime.now(UTC).replace(microsecond=0), uuid4()
    content = UndertakingContent(
        pin=demo.pin(EMPLOYEE_NUMBER),
        name=demo.surname(EMPLOYEE_NUMBER),
        employee=EMPLOYEE,
        text="SECRECY/2026, version 1",
        valid_from=now,
    )
    draft = documents.draft(client.profile, content, signed_at=now, undertaking_id=undertaking_id)
    return draft, undertaking_id


def _signer(demo: DemoClient, citizen: int) -> Credential:
    certificate = demo.certificate(citizen)
    key = certificate.with_name(certificate.name.replace("cert", "key"))
    return load_credential(key, certificate)
