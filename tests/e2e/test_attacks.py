"""Attacks through the whole service, each by a party with a genuine key to part of it."""

from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import pytest
from lxml import etree

from makul.domain.attributes import Attribute
from makul_sandbox.data.end_entities import CITIZEN_POLICY
from makul_sandbox.data.recipients import BANK, NOTARY, XROAD_INSTANCE
from makul_sandbox.world.signers import SandboxSigners
from makul_testing.builders.agreements import agree
from makul_testing.builders.consents import signers_of
from makul_testing.in_process_service import (
    InProcessService,
    RecordDatabase,
    ServiceAnswer,
    about,
    build_installation,
    person_request,
)

CITIZEN = 6


@pytest.fixture(scope="module")
def installation(
    tmp_path_factory: pytest.TempPathFactory, record_database: RecordDatabase
) -> Iterator[InProcessService]:
    """Build a separate service, because the attackers damage it."""
    built = build_installation(tmp_path_factory.mktemp("attacked"), database=record_database)
    yield built
    built.close()


@pytest.fixture(scope="module")
def sandbox_signers(installation: InProcessService) -> SandboxSigners:
    return signers_of(installation)


def test_no_answer_leaves_by_an_unagreed_channel(installation: InProcessService) -> None:
    """REQ-08: the notary's agreement names only WS-Security.

    A party that can speak for the notary at the security server repeats a request of the notary. It
    gets neither the stored answer nor a new one.
    """
    document, request_id = installation.document("notary-06-data"), uuid4()
    child = person_request(
        **about(
            installation.person_of(document), of=NOTARY, document=document, request_id=request_id
        )
    )
    assert installation.ask(child, by="notary").outcome == "RELEASED"

    stolen = installation.post(by_xroad(child, request_id), listener="xroad")

    assert (stolen.outcome, stolen.codes) == ("REFUSED", ["REQ-08"])
    assert stolen.released == set()


def by_xroad(child: bytes, request_id: object) -> bytes:
    """Return the notary's request as its security server would forward it."""
    member_class, member_code = NOTARY.code.split("/")
    operation = etree.QName(etree.fromstring(child)).localname
    instance = f"<id:xRoadInstance>{XROAD_INSTANCE}</id:xRoadInstance>"
    return (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"'
        ' xmlns:xrd="http://x-road.eu/xsd/xroad.xsd" xmlns:id="http://x-road.eu/xsd/identifiers">'
        f'<s:Header><xrd:client id:objectType="MEMBER">{instance}'
        f"<id:memberClass>{member_class}</id:memberClass>"
        f"<id:memberCode>{member_code}</id:memberCode></xrd:client>"
        f'<xrd:service id:objectType="SERVICE">{instance}<id:memberClass>GOV</id:memberClass>'
        "<id:memberCode>70000001</id:memberCode>"
        f"<id:serviceCode>{operation}</id:serviceCode></xrd:service>"
        f"<xrd:id>{request_id}</xrd:id><xrd:protocolVersion>4.0</xrd:protocolVersion></s:Header>"
        "<s:Body>"
    ).encode() + (child + b"</s:Body></s:Envelope>")


@pytest.fixture
def broken_face(installation: InProcessService, sandbox_signers: SandboxSigners) -> bytes:
    """Return a consent to a face image that the record holds in an unknown format."""
    person, at = installation.world.people[CITIZEN], installation.clock()
    known = {each.number: each for each in installation.store.registry.agreements(BANK.code)}
    agreed = known[BANK.agreement]
    wider = replace(agreed, attributes=agreed.attributes | {Attribute.FACE_IMAGE})
    broken = replace(person, values={**person.values, Attribute.FACE_IMAGE: b"no image"})
    agree(installation.store.registry, wider, at=at)
    installation.store.registry.put_persons([broken], at=at)
    consent = sandbox_signers.consent(
        BANK, CITIZEN, attributes=frozenset({"faceImage"}), max_disclosures=1
    )
    return sandbox_signers.sign_consent(consent, BANK, installation.world.citizens[CITIZEN])


def test_an_unrenderable_record_reveals_nothing_unrecorded(
    installation: InProcessService, broken_face: bytes
) -> None:
    """docs/architecture.md, invariant 1: a match is recorded and counted, for any data after it.

    A fault would reveal it without a trace, beyond the consent's one use and every limit.
    """
    since = installation.clock()

    answers = [ask_face(installation, broken_face) for _ in range(6)]

    outcomes = [(answer.outcome, answer.codes) for answer in answers]
    assert outcomes == [("UNDETERMINED", ["OPS-99"])] * 5 + [("REFUSED", ["MAT-06"])]
    recorded = installation.store.registry.disclosures(recipient=BANK.code, since=since, limit=10)
    assert len(recorded) == len(answers)


def ask_face(installation: InProcessService, consent: bytes) -> ServiceAnswer:
    fields = about(installation.world.people[CITIZEN], of=BANK)
    changed = fields | {"ground": ("CONSENT", consent), "attributes": ["faceImage"]}
    return installation.ask(person_request(**changed))


def test_an_organisation_is_not_certified_as_a_citizen(
    installation: InProcessService, sandbox_signers: SandboxSigners
) -> None:
    """Procedure, cl. 4 (CNS-02, SIG-08): an authority for organisations cannot identify citizens.

    An official's certificate has any identifier that the organisation requested: here, a PIN.
    """
    victim = installation.world.people[1]
    forger = installation.world.hierarchy.official(
        member_code=BANK.code, name="Forger", identifier=f"PNOKG-{victim.pin.digits}"
    )
    consent = sandbox_signers.sign_consent(sandbox_signers.consent(BANK, 1), BANK, forger)

    answer = installation.ask(
        person_request(**about(victim, of=BANK) | {"ground": ("CONSENT", consent)})
    )

    assert (answer.outcome, answer.codes) == ("REFUSED", ["CNS-02"])


def test_an_authority_cannot_write_the_policy_of_citizens(
    installation: InProcessService, sandbox_signers: SandboxSigners
) -> None:
    """RFC 5280, 6.1: an authority cannot give a policy that it does not have.

    A holder of the key of the CA for organisations makes a certificate that looks like a citizen's
    in every part but the path.
    """
    victim, hierarchy = installation.world.people[1], installation.world.hierarchy
    subject = installation.world.citizens[1].certificate.subject
    forger = hierarchy.organisations.issue(subject, policy=CITIZEN_POLICY)
    consent = sandbox_signers.sign_consent(sandbox_signers.consent(BANK, 1), BANK, forger)

    answer = installation.ask(
        person_request(**about(victim, of=BANK) | {"ground": ("CONSENT", consent)})
    )

    assert (answer.outcome, answer.codes) == ("REFUSED", ["CNS-02"])
    because = answer.child.findtext(".//{urn:makul:types:1}because")
    assert because == "SIG-08"
