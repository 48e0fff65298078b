"""Paper consents and consents by representatives, end to end (Procedure, cl. 4)."""

import base64
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from cryptography.hazmat.primitives.serialization import Encoding

from makul.domain.agreements import AgreementState
from makul.domain.attributes import Attribute
from makul.domain.calendar import legal_day
from makul.domain.consents import Consent, PaperConsent, Representation
from makul.store.records.recorder import StoreRecorder
from makul_sandbox.data.recipients import MUNICIPALITY
from makul_sandbox.data.scans import pdf_scan, png_scan
from makul_testing.builders.agreements import agree
from makul_testing.builders.consents import build_revocation_request, revocation, signers_of
from makul_testing.builders.messages import signed_message
from makul_testing.in_process_service import (
    RECIPIENT,
    InProcessService,
    RecordDatabase,
    ServiceAnswer,
    about,
    build_installation,
    person_request,
)

SUBJECT = "urn:makul:subject:1"
ASKED = {Attribute.SURNAME, Attribute.GIVEN_NAME}
SCAN, AUTHORITY = pdf_scan(), png_scan()


def on_paper(
    installation: InProcessService, scan: bytes = SCAN, **changes: Any
) -> tuple[Consent, bytes]:
    able = signers_of(installation)
    paper = PaperConsent(
        date=legal_day(installation.world.made_at - timedelta(hours=1)),
        official="M-1001",
        media_type="application/pdf",
        scan_digest=sha256(scan).digest(),
    )
    consent = able.consent(MUNICIPALITY, 3, **({"paper": paper} | changes))
    signer = installation.world.officials[MUNICIPALITY.key]
    return consent, able.sign_consent(consent, MUNICIPALITY, signer)


def build_registration(
    document: bytes,
    *,
    scan: bytes | None = SCAN,
    authority: bytes | None = None,
    employee: str | None = "clerk-7",
) -> bytes:
    def encode_element(name: str, content: bytes | None) -> str:
        return f"<r:{name}>{base64.b64encode(content).decode()}</r:{name}>" if content else ""

    by = f"<r:employee>{employee}</r:employee>" if employee else ""
    return (
        f'<r:RegisterConsent xmlns:r="{RECIPIENT}"><r:requestId>{uuid4()}</r:requestId>'
        f"<r:agreementNumber>{MUNICIPALITY.agreement}</r:agreementNumber>{by}"
        f"{encode_element('consentDocument', document)}{encode_element('scan', scan)}"
        f"{encode_element('authorityDocument', authority)}</r:RegisterConsent>"
    ).encode()


def using(
    installation: InProcessService, document: bytes, *, employee: str | None = "clerk-7"
) -> bytes:
    fields = about(
        installation.world.people[3], of=MUNICIPALITY, attributes=["givenName", "surname"]
    )
    body = person_request(**(fields | {"ground": ("CONSENT", document)})).decode()
    by = f"<r:employee>{employee}</r:employee>" if employee else ""
    return body.replace("<r:purpose>", f"{by}<r:purpose>", 1).encode()


def ask(installation: InProcessService, child: bytes) -> ServiceAnswer:
    return installation.ask(child, by=MUNICIPALITY.key)


def fields_of(answer: ServiceAnswer) -> list[tuple[str | None, str | None]]:
    names = {"t": "urn:makul:types:1", "r": RECIPIENT}
    return [
        (each.findtext("t:code", namespaces=names), each.findtext("t:field", namespaces=names))
        for each in answer.child.iterfind("r:reason", names)
    ]


def test_a_paper_consent_is_registered_and_used(installation: InProcessService) -> None:
    """It has its scan; later only the document is needed, by another employee than the official."""
    consent, document = on_paper(installation)
    assert ("CNS-13", "scan") in fields_of(ask(installation, using(installation, document)))

    registered = ask(installation, build_registration(document))

    assert (registered.outcome, registered.codes) == ("ACCEPTED", [])
    assert ask(installation, using(installation, document)).outcome == "RELEASED"
    refused = ask(installation, using(installation, document, employee="M-1001"))
    assert fields_of(refused) == [("CNS-12", "employee")]
    assert ask(installation, build_registration(document, scan=None)).outcome == "ACCEPTED"
    assert consent.on_paper


@pytest.mark.parametrize(
    ("changes", "against"),
    [
        ({"scan": None}, [("CNS-13", "scan")]),
        ({"scan": png_scan()}, [("CNS-13", "scan")]),
        ({"scan": SCAN + b"<html>"}, [("CNS-13", "scan")]),
        ({"employee": None}, [("CNS-12", "employee")]),
        ({"employee": "m-1001"}, [("CNS-12", "employee")]),
    ],
)
def test_a_paper_consent_needs_its_scan_and_another_employee(
    installation: InProcessService, changes: dict[str, Any], against: list[tuple[str, str]]
) -> None:
    """CNS-12 and CNS-13, each names the missing part."""
    _, document = on_paper(installation)

    assert fields_of(ask(installation, build_registration(document, **changes))) == against


@pytest.mark.parametrize("scan", [b"not a scan", png_scan(), SCAN + b"x"])
def test_a_scan_has_the_type_of_the_consent(installation: InProcessService, scan: bytes) -> None:
    """The digest may be right, but a file of another type is no scan."""
    _, document = on_paper(installation, scan)

    assert fields_of(ask(installation, build_registration(document, scan=scan))) == [
        ("CNS-13", "scan")
    ]


def test_a_scan_of_ten_mebibytes_is_accepted(installation: InProcessService) -> None:
    """One byte more is refused."""
    scan = SCAN[:9] + b"%" + b"x" * (10 * 1024 * 1024 - len(SCAN) - 2) + b"\n" + SCAN[9:]
    assert len(scan) == 10 * 1024 * 1024
    _, document = on_paper(installation, scan)

    assert ask(installation, build_registration(document, scan=scan)).outcome == "ACCEPTED"
    larger = SCAN[:9] + b"%x" + scan[10:]
    message = build_registration(document, scan=larger)
    holder = installation.world.messages[MUNICIPALITY.key]
    refused = installation.post(
        signed_message(message, holder.key, holder.certificate, at=installation.clock())
    )
    assert refused.codes == ["REQ-01"]


def of_a_child(installation: InProcessService, **changes: Any) -> bytes:
    """Return the municipality's consent by citizen 4 for an adult, for whom no parent
    can consent.
    """
    able = signers_of(installation)
    authority = Representation(
        pin=installation.world.people[4].pin,
        kind="POWER_OF_ATTORNEY",
        valid_to=legal_day(installation.world.made_at + timedelta(days=30)),
        document_digest=sha256(AUTHORITY).digest(),
        media_type="image/png",
    )
    consent = able.consent(MUNICIPALITY, 3, **({"representative": authority} | changes))
    return able.sign_consent(consent, MUNICIPALITY, installation.world.citizens[4])


def test_a_representative_consents_and_revokes(installation: InProcessService) -> None:
    """The consent has the document of authority, the revocation the representative's signature."""
    consent_id: UUID = uuid4()
    document = of_a_child(installation, consent_id=consent_id)
    missing = ask(installation, build_registration(document, scan=None))
    assert fields_of(missing) == [("CNS-11", "authorityDocument")]

    registered = ask(installation, build_registration(document, scan=None, authority=AUTHORITY))

    assert (registered.outcome, registered.codes) == ("ACCEPTED", [])
    assert ask(installation, using(installation, document)).outcome == "RELEASED"
    by_stranger = revocation(installation, consent_id, of=3, signer=5, recipient=MUNICIPALITY.code)
    assert ask(installation, build_revocation_request(by_stranger)).codes == ["CNS-02"]
    by_giver = revocation(installation, consent_id, of=3, signer=4, recipient=MUNICIPALITY.code)
    assert ask(installation, build_revocation_request(by_giver)).outcome == "ACCEPTED"
    assert ask(installation, using(installation, document)).codes == ["CNS-05"]


def list_disclosures(service: InProcessService, citizen: int, **fields: object) -> ServiceAnswer:
    """Ask for the list of a citizen at the portal."""
    request_id = uuid4()
    token = service.id_token(service.world.people[citizen].pin, request_id)
    stated = {"requestId": request_id, "idToken": token} | fields
    content = "".join(f"<s:{name}>{value}</s:{name}>" for name, value in stated.items())
    body = f'<s:ListDisclosures xmlns:s="{SUBJECT}">{content}</s:ListDisclosures>'.encode()
    return service.ask_as_citizen(body)


def listed(service: InProcessService, citizen: int, **fields: object) -> list[str | None]:
    """Return the outcomes that ListDisclosures shows a citizen."""
    answer = list_disclosures(service, citizen, **fields)
    assert answer.outcome == "DONE"
    lines = answer.child.findall(f"{{{SUBJECT}}}disclosure")
    return [line.findtext(f"{{{SUBJECT}}}outcome") for line in lines]


def test_a_representative_sees_the_decisions_on_the_consent_they_gave(
    own: InProcessService,
) -> None:
    """Cl. 4: exactly those, for the giver and the subject; nothing for anybody else."""
    consent_id = uuid4()
    document = of_a_child(own, consent_id=consent_id)
    registered = ask(own, build_registration(document, scan=None, authority=AUTHORITY))
    assert registered.outcome == "ACCEPTED"
    assert ask(own, using(own, document)).outcome == "RELEASED"
    _, other_ground = on_paper(own)
    assert ask(own, build_registration(other_ground)).outcome == "ACCEPTED"
    assert ask(own, using(own, other_ground)).outcome == "RELEASED"
    on_it = {"recipient": MUNICIPALITY.code, "consentId": consent_id}

    assert listed(own, 4) == []
    assert listed(own, 4, **on_it) == ["RELEASED", "ACCEPTED"]
    assert listed(own, 4, limit=1, **on_it) == ["RELEASED"]
    assert listed(own, 3, **on_it) == ["RELEASED", "ACCEPTED"]
    assert len(listed(own, 3)) == 4
    assert listed(own, 5, **on_it) == []
    assert listed(own, 4, recipient="COM/60000001", consentId=consent_id) == []
    assert listed(own, 4, recipient=MUNICIPALITY.code, consentId=uuid4()) == []
    for name, value in on_it.items():
        assert list_disclosures(own, 3, **{name: value}).codes == ["REQ-01"]


def test_evidence_of_a_day_is_limited(
    installation: InProcessService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """REQ-06 comes before anything is stored; the id stays open."""
    _, document = on_paper(installation)
    recorder = installation.parts.recorder
    assert isinstance(recorder, StoreRecorder)
    monkeypatch.setattr(recorder, "_budget", 1)
    message = build_registration(document)

    refused = ask(installation, message)

    assert (refused.outcome, refused.codes) == ("REFUSED", ["REQ-06"])
    monkeypatch.undo()
    assert ask(installation, message).outcome == "ACCEPTED"


@pytest.fixture
def own(tmp_path: Path, record_database: RecordDatabase) -> Iterator[InProcessService]:
    """Build a separate service, for effects that others' must not have."""
    built = build_installation(tmp_path, database=record_database)
    yield built
    built.close()


def test_an_official_has_a_daily_quota(own: InProcessService) -> None:
    """AGR-06, field `official`, from the second on; a repeated consent does not count."""
    agreed = replace(MUNICIPALITY.agreed(own.world.made_at), state=AgreementState.IN_FORCE)
    agree(own.store.registry, replace(agreed, paper_daily_quota=1), at=own.clock())
    first = [on_paper(own)[1] for _ in range(3)]

    answers = [ask(own, build_registration(document)) for document in (*first, first[0])]

    assert [answer.outcome for answer in answers] == ["ACCEPTED", "REFUSED", "REFUSED", "ACCEPTED"]
    assert fields_of(answers[1]) == fields_of(answers[2]) == [("AGR-06", "official")]


def test_later_documents_of_a_withdrawn_official_do_not_count(own: InProcessService) -> None:
    """Earlier registrations of the official stay valid."""
    _, before = on_paper(own)
    assert ask(own, build_registration(before)).outcome == "ACCEPTED"
    _, after = on_paper(own)
    signer = own.world.officials[MUNICIPALITY.key]
    own.store.registry.withdraw_official(
        MUNICIPALITY.code,
        sha256(signer.certificate.public_bytes(Encoding.DER)).digest(),
        reason="left",
        at=own.clock(),
    )

    assert ask(own, build_registration(after)).codes == ["CNS-02"]
    assert ask(own, using(own, before)).outcome == "RELEASED"
