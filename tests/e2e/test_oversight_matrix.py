"""Every operation of the oversight port, tried with the credentials of everybody else.

The table says who may request what. A new operation needs a row: a test compares the rows with the
published operations. Which case or month of a permitted operation an officer may see is tested in
`test_oversight_cases` and `test_closing_months`.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from makul.composition.adapters import utc_now
from makul.soap.request_models import published_operations
from makul_sandbox.data.pki import Credential
from makul_sandbox.data.recipients import XROAD_INSTANCE
from makul_testing.builders.messages import signed_message
from makul_testing.in_process_service import (
    RECIPIENT,
    InProcessService,
    RecordDatabase,
    ServiceAnswer,
    build_installation,
)
from makul_testing.tlog.builder import a_note_signer, check_ledger, sequence

OVERSIGHT = "urn:makul:oversight:1"
WHY = "<justification>data without consent</justification>"
CASE = "<caseId>7d9a3c1e-0000-4000-8000-0000000000c1</caseId>"
CORRECTION = "<correctionId>7d9a3c1e-0000-4000-8000-0000000000c2</correctionId>"
MONTH = "<month>2026-10</month>"
UNKNOWN = "<recipient>COM/99999999</recipient>"
NONE = "<agreementNumber>NONE-1</agreementNumber>"
SIGNED = "<statement>PGE+</statement>"

BODY = frozenset({"inspector", "head"})
PROTECTION = frozenset({"protection"})
EVERYBODY = BODY | PROTECTION

OPERATIONS = {
    "AcknowledgeCase": (CASE, PROTECTION),
    "ApproveNotice": ("<ref>NONE</ref><approval>PGE+</approval>", BODY),
    "CutOffRecipient": (UNKNOWN + WHY, BODY),
    "GetAgreementDraft": (NONE, BODY),
    "GetCase": (CASE, EVERYBODY),
    "GetEvidenceFile": (CASE + "<offset>0</offset>", EVERYBODY),
    "GetMonth": (MONTH + UNKNOWN, EVERYBODY),
    "GetNotice": ("<ref>NONE</ref>", BODY),
    "GetStatistics": (MONTH, EVERYBODY),
    "ListCorrections": ("", EVERYBODY),
    "ListDisclosures": (UNKNOWN + MONTH, EVERYBODY),
    "OpenCase": (CASE + "<choice>OPEN</choice>" + WHY, BODY),
    "ReferCase": (CASE + WHY, BODY),
    "ReinstateRecipient": (UNKNOWN + WHY, BODY),
    "ResolveCorrection": (
        CORRECTION + "<resolution>REJECTED</resolution>" + WHY,
        BODY,
    ),
    "SignAgreement": (NONE + "<document>PGE+</document>", BODY),
    "SignMonth": (UNKNOWN + MONTH + SIGNED, BODY),
    "TerminateAgreement": (NONE + WHY, BODY),
}
"""The content of a request about something that does not exist, and who may request it."""

MONTHS_OF_RECIPIENTS = {
    "GetMonthlyStatement": MONTH,
    "ConfirmMonth": MONTH + SIGNED,
    "RecordUndertaking": "<document>PGE+</document>",
    "AttestDeletion": "",
}

NO_PARTY = {"RCP-04", "SIG-04", "SIG-05", "SIG-06"}
"""The codes of a fault: a certificate that is registered for nobody, or is of the wrong kind."""


@pytest.fixture(scope="module")
def installation(
    tmp_path_factory: pytest.TempPathFactory, record_database: RecordDatabase
) -> Iterator[InProcessService]:
    """A service from whose officers one was withdrawn, and whose ledger must agree."""
    built = build_installation(tmp_path_factory.mktemp("matrix"), database=record_database)
    withdrawn = built.world.officers["second-inspector"].credential.fingerprint
    built.store.registry.withdraw_officer(withdrawn, reason="left", at=built.clock())
    yield built
    signer = a_note_signer(tmp_path_factory.mktemp("log"))
    sequence(built.store, signer, at=utc_now())
    assert check_ledger(built.store, signer, at=utc_now()).finding is None
    built.close()


def request(operation: str, request_id: UUID | None = None) -> bytes:
    content, _ = OPERATIONS[operation]
    return (
        f'<{operation} xmlns="{OVERSIGHT}"><requestId>{request_id or uuid4()}</requestId>'
        f"{content}</{operation}>"
    ).encode()


def post(installation: InProcessService, child: bytes, holder: Credential) -> ServiceAnswer:
    """Send a request of the oversight port, signed by anybody."""
    message = signed_message(child, holder.key, holder.certificate, at=installation.clock())
    return installation.post(message, listener="oversight", PATH_INFO="/v1/oversight")


def test_the_table_has_every_operation() -> None:
    """An operation without a row would be tried by nobody."""
    assert OPERATIONS.keys() == published_operations("oversight").models.keys()


@pytest.mark.parametrize("by", sorted(EVERYBODY))
@pytest.mark.parametrize("operation", OPERATIONS)
def test_each_role_may_request_its_operations(
    installation: InProcessService, operation: str, by: str
) -> None:
    """Any other operation is OVR-01, which is recorded and says nothing of its target."""
    answer = installation.oversee(request(operation), by=by)

    if by in OPERATIONS[operation][1]:
        assert "OVR-01" not in answer.codes
        assert answer.outcome in {"DONE", "REFUSED"}
    else:
        assert (answer.outcome, answer.codes) == ("REFUSED", ["OVR-01"])


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_withdrawn_officer_requests_nothing(
    installation: InProcessService, operation: str
) -> None:
    """RCP-04, a fault: the service does not know the certificate any more."""
    answer = installation.oversee(request(operation), by="second-inspector")

    assert (answer.status, answer.codes) == (500, ["RCP-04"])


@pytest.mark.parametrize("operation", OPERATIONS)
def test_no_other_party_requests_an_act(installation: InProcessService, operation: str) -> None:
    """The certificates of recipients, signatories and the operator open nothing."""
    world = installation.world
    holders = {
        **world.messages,
        **{f"signatory {key}": each.credential for key, each in world.signatories.items()},
        "operator": world.operator,
    }
    for name, holder in holders.items():
        answer = post(installation, request(operation), holder)
        assert answer.status == 500, name
        assert answer.codes, name
        assert set(answer.codes) <= NO_PARTY, name


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_message_without_a_signature_is_no_act(
    installation: InProcessService, operation: str
) -> None:
    """SIG-01, a fault."""
    envelope = (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>'
        f"{request(operation).decode()}</s:Body></s:Envelope>"
    ).encode()

    answer = installation.post(envelope, listener="oversight", PATH_INFO="/v1/oversight")

    assert (answer.status, answer.codes) == (500, ["SIG-01"])


@pytest.mark.parametrize("operation", OPERATIONS)
def test_over_x_road_the_user_must_be_an_officer_of_the_member(
    installation: InProcessService, operation: str
) -> None:
    """The user of another body, a withdrawn one, an unknown one, and a recipient are RCP-04."""
    for member, user in (
        ("GOV/70000009", "O-protection"),
        ("GOV/70000010", "O-inspector"),
        ("GOV/70000009", "O-second-inspector"),
        ("GOV/70000009", "O-nobody"),
        ("COM/60000001", "O-inspector"),
    ):
        request_id = uuid4()
        message = over_xroad(operation, member, user, request_id)
        answer = installation.post(message, listener="oversight-xroad", PATH_INFO="/v1/oversight")
        assert (answer.status, answer.codes) == (500, ["RCP-04"]), (member, user)


@pytest.mark.parametrize("operation", MONTHS_OF_RECIPIENTS)
def test_officers_have_no_month_on_the_port_of_recipients(
    installation: InProcessService, operation: str
) -> None:
    """Nobody acts for two parties: an officer's certificate is RCP-04 there."""
    for officer in installation.world.officers.values():
        child = (
            f'<{operation} xmlns="{RECIPIENT}"><requestId>{uuid4()}</requestId>'
            f"{MONTHS_OF_RECIPIENTS[operation]}</{operation}>"
        ).encode()
        holder = officer.credential
        message = signed_message(child, holder.key, holder.certificate, at=installation.clock())
        answer = installation.post(message)
        assert (answer.status, answer.codes) == (500, ["RCP-04"])


def test_a_body_sends_a_limited_number_of_requests(
    tmp_path: Path, record_database: RecordDatabase
) -> None:
    """REQ-06 counts all officers of a body together, and another body not at all."""
    built = build_installation(
        tmp_path,
        database=record_database,
        parts=lambda adapters: replace(
            adapters, limits=replace(adapters.limits, requests_a_minute=3)
        ),
    )
    by = ("inspector", "head", "second-inspector", "inspector", "head")
    answers = [built.oversee(request("GetCase"), by=each).codes for each in by]

    assert answers == [["OVR-06"]] * 3 + [["REQ-06"]] * 2
    assert built.oversee(request("GetCase"), by="protection").codes == ["OVR-06"]
    built.close()


def over_xroad(operation: str, member: str, user: str, request_id: UUID) -> bytes:
    """Return a request as the security server forwards it."""
    member_class, code = member.split("/")
    identifiers = "http://x-road.eu/xsd/identifiers"
    return (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"'
        f' xmlns:xrd="http://x-road.eu/xsd/xroad.xsd" xmlns:id="{identifiers}"><s:Header>'
        '<xrd:client id:objectType="MEMBER">'
        f"<id:xRoadInstance>{XROAD_INSTANCE}</id:xRoadInstance>"
        f"<id:memberClass>{member_class}</id:memberClass><id:memberCode>{code}</id:memberCode>"
        '</xrd:client><xrd:service id:objectType="SERVICE">'
        f"<id:xRoadInstance>{XROAD_INSTANCE}</id:xRoadInstance><id:memberClass>GOV</id:memberClass>"
        "<id:memberCode>70000001</id:memberCode><id:subsystemCode>makul</id:subsystemCode>"
        f"<id:serviceCode>{operation}</id:serviceCode>"
        "<id:serviceVersion>v1</id:serviceVersion></xrd:service>"
        f"<xrd:userId>{user}</xrd:userId><xrd:id>{request_id}</xrd:id>"
        "<xrd:protocolVersion>4.0</xrd:protocolVersion></s:Header>"
        f"<s:Body>{request(operation, request_id).decode()}</s:Body></s:Envelope>"
    ).encode()
