"""Askers with similar spellings, and ids that every operation used (invariants 1 and 5)."""

import base64
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
from lxml import etree

from makul.app.ports import Asker, RepetitionRow
from makul.composition.adapters import utc_now
from makul.domain.agreements import Channel
from makul.domain.calendar import legal_day
from makul.domain.months import Month
from makul_sandbox.data.recipients import BANK
from makul_testing.builders.consents import build_revocation_request, revocation, signers_of
from makul_testing.in_process_service import (
    RECIPIENT,
    TYPES,
    InProcessService,
    RecordDatabase,
    ServiceAnswer,
    about,
    build_installation,
    party,
    person_request,
)
from makul_testing.soap_client import XRD, enveloped, xroad_headers
from makul_testing.tlog.builder import a_note_signer, check_ledger, sequence

BY = "police"
NFC, NFD = "Гүлайым Ё", "Гүлайым Е\N{COMBINING DIAERESIS}"


@pytest.fixture(scope="module")
def installation(
    tmp_path_factory: pytest.TempPathFactory, record_database: RecordDatabase
) -> Iterator[InProcessService]:
    built = build_installation(tmp_path_factory.mktemp("askers"), database=record_database)
    yield built
    signer = a_note_signer(tmp_path_factory.mktemp("log"))
    sequence(built.store, signer, at=utc_now())
    # every row agrees with its leaf, and every leaf has its row
    assert check_ledger(built.store, signer, at=utc_now()).finding is None
    built.close()


def header(name: str, text: str | None) -> str:
    return "" if text is None else f'<x:{name} xmlns:x="{XRD}">{text}</x:{name}>'


def over_xroad(
    installation: InProcessService,
    body: bytes,
    *,
    employee: str | None = "EMP-1",
    case: str | None = "CASE-1",
    subsystem: str | None = "core",
    more: str = "",
    by: str = BY,
) -> ServiceAnswer:
    """Send a Body over X-Road; None omits the header, or the part of it."""
    child = etree.fromstring(body)
    written = xroad_headers(
        etree.QName(child).localname,
        request_id=str(child.findtext(f"{{{RECIPIENT}}}requestId")),
        member=party(by).code,
        more=header("userId", employee) + header("issue", case) + more,
    ).replace(">KG<", ">KG-SANDBOX<")
    theirs = "<i:subsystemCode>core</i:subsystemCode>"
    ours = "" if subsystem is None else f"<i:subsystemCode>{subsystem}</i:subsystemCode>"
    written = written.replace(theirs, ours, 1)
    if subsystem is None:
        written = written.replace('"SUBSYSTEM"', '"MEMBER"', 1)
    return installation.post(enveloped(body.decode(), header=written), listener="xroad")


def a_body(
    installation: InProcessService, request_id: UUID, *, more: str = "", name: str | None = None
) -> bytes:
    name = name or next(
        each
        for each, document in installation.world.documents.items()
        if document.presented_by.key == BY and document.operation.value == "GetPersonData"
    )
    document = installation.document(name)
    fields: dict[str, Any] = about(
        installation.person_of(document),
        of=document.presented_by,
        document=document,
        request_id=request_id,
    )
    return person_request(**fields).replace(b"<r:purpose>", f"{more}<r:purpose>".encode(), 1)


def repeated(installation: InProcessService, request_id: UUID) -> list[RepetitionRow]:
    found = installation.store.registry.repetitions(limit=10_000)
    return [each for each in found if each.request_id == request_id]


def count_records(installation: InProcessService, by: str) -> tuple[int, int]:
    today = legal_day(installation.clock())
    rows = [
        each
        for each in installation.store.registry.statistics(Month(today.year, today.month))
        if each.recipient == party(by).code
    ]
    return sum(row.decisions for row in rows), sum(row.repetitions for row in rows)


ALIKE: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({}, {"employee": " EMP-1\n"}),
    ({"employee": "A B"}, {"employee": "A\t  B"}),
    ({"employee": "EMP-&#49;"}, {"employee": "<![CDATA[EMP-1]]>"}),
    ({"case": None}, {"case": ""}),
    ({"case": None}, {"case": " \n "}),
    ({"employee": None, "case": None}, {"employee": "", "case": " "}),
    ({"employee": NFD}, {"employee": NFD}),
]
OTHERS: list[tuple[dict[str, Any], dict[str, Any], str]] = [
    ({}, {"employee": "EMP-1\N{NO-BREAK SPACE}"}, "employee"),
    ({"employee": "A B"}, {"employee": "AB"}, "employee"),
    ({"employee": NFC}, {"employee": NFD}, "employee"),
    ({"employee": NFD}, {"employee": NFC}, "employee"),
    ({"employee": "EMP-A"}, {"employee": "EMP-\N{CYRILLIC CAPITAL LETTER A}"}, "employee"),
    ({"employee": "EMP-1"}, {"employee": "EMP-\N{FULLWIDTH DIGIT ONE}"}, "employee"),
    ({"employee": ""}, {"employee": "EMP-1"}, "employee"),
    ({"employee": "1"}, {"employee": "01"}, "employee"),
    ({"case": NFC}, {"case": NFD}, "caseNumber"),
    ({"case": "CASE-1"}, {"case": "case-1"}, "caseNumber"),
    ({"case": "CASE-1"}, {"case": " "}, "caseNumber"),
    ({"case": "0"}, {"case": None}, "caseNumber"),
    ({"employee": "A", "case": "B"}, {"employee": "B", "case": "A"}, "employee"),
    ({}, {"subsystem": "Core"}, "subsystemCode"),
    ({}, {"subsystem": " core "}, "subsystemCode"),
    ({}, {"subsystem": None}, "subsystemCode"),
    ({"subsystem": None}, {"subsystem": "core"}, "subsystemCode"),
]


@pytest.mark.parametrize(("first", "again"), ALIKE)
def test_white_space_and_empty_headers_do_not_change_the_asker(
    installation: InProcessService, first: dict[str, Any], again: dict[str, Any]
) -> None:
    """A text is an xs:token, and an empty optional header counts as absent."""
    request_id = uuid4()
    body = a_body(installation, request_id)
    first_answer = over_xroad(installation, body, **first)
    assert first_answer.outcome == "RELEASED", first_answer.body

    answer = over_xroad(installation, body, **again)

    assert etree.tostring(answer.child) == etree.tostring(first_answer.child)
    assert len(repeated(installation, request_id)) == 1


@pytest.mark.parametrize(("first", "again", "field"), OTHERS)
def test_askers_that_look_alike_are_distinguished(
    installation: InProcessService, first: dict[str, Any], again: dict[str, Any], field: str
) -> None:
    """REQ-04: askers are compared character by character, and no answer leaves."""
    request_id = uuid4()
    body = a_body(installation, request_id)
    assert over_xroad(installation, body, **first).outcome == "RELEASED"

    answer = over_xroad(installation, body, **again)

    assert (answer.outcome, answer.codes) == ("REFUSED", ["REQ-04"])
    assert answer.child.findtext(f".//{{{TYPES}}}field") == field
    assert answer.released == set()
    assert repeated(installation, request_id) == []
    assert over_xroad(installation, body, **first).outcome == "RELEASED"


def test_other_headers_do_not_change_the_asker(installation: InProcessService) -> None:
    """The security server, the user's token and the represented party do not belong to
    the asker.
    """
    request_id = uuid4()
    body = a_body(installation, request_id)
    assert over_xroad(installation, body).outcome == "RELEASED"
    server = (
        f'<x:securityServer xmlns:x="{XRD}" xmlns:i="http://x-road.eu/xsd/identifiers"'
        ' i:objectType="SERVER"><i:xRoadInstance>KG-SANDBOX</i:xRoadInstance>'
        "<i:memberClass>GOV</i:memberClass><i:memberCode>1</i:memberCode>"
        "<i:serverCode>s</i:serverCode></x:securityServer>"
    )

    assert over_xroad(installation, body, more=server).outcome == "RELEASED"
    assert len(repeated(installation, request_id)) == 1


def test_a_channel_without_a_subsystem_is_another_asker(installation: InProcessService) -> None:
    """The recipient itself signs the same Body: the employee is the same, the system not."""
    request_id = uuid4()
    context_fields = "<r:employee>EMP-1</r:employee><r:caseNumber>CASE-1</r:caseNumber>"
    body = a_body(installation, request_id, more=context_fields)
    assert over_xroad(installation, body).outcome == "RELEASED"

    answer = installation.ask(body, by=BY)

    assert answer.codes == ["REQ-04"]
    assert answer.child.findtext(f".//{{{TYPES}}}field") == "subsystemCode"


def test_another_channel_does_not_change_the_asker(installation: InProcessService) -> None:
    """The row has the channel by which the answer was given again."""
    request_id = uuid4()
    context_fields = "<r:employee>EMP-1</r:employee><r:caseNumber>CASE-1</r:caseNumber>"
    body = a_body(installation, request_id, more=context_fields)
    first = over_xroad(installation, body, subsystem=None)
    assert first.outcome == "RELEASED"

    answer = installation.ask(body, by=BY)

    assert etree.tostring(answer.child) == etree.tostring(first.child)
    (row,) = repeated(installation, request_id)
    assert row.channel is Channel.WSSE
    assert row.certificate is not None
    assert row.asker == Asker(employee="EMP-1", case_number="CASE-1")


def _explained(installation: InProcessService, request_id: UUID) -> bytes:
    return (
        f'<r:ExplainDecision xmlns:r="{RECIPIENT}"><r:requestId>{request_id}</r:requestId>'
        f"<r:agreementNumber>{BANK.agreement}</r:agreementNumber>"
        f"<r:purpose>{BANK.purpose}</r:purpose><r:operation>GetPersonData</r:operation>"
        "<r:methods><r:method>demographic</r:method></r:methods>"
        "<r:requestedAttributes><r:attribute>surname</r:attribute></r:requestedAttributes>"
        "</r:ExplainDecision>"
    ).encode()


def _registered(installation: InProcessService, request_id: UUID) -> bytes:
    sandbox_signers = signers_of(installation)
    document = sandbox_signers.sign_consent(
        sandbox_signers.consent(BANK, 5), BANK, installation.world.citizens[5]
    )
    return (
        f'<r:RegisterConsent xmlns:r="{RECIPIENT}"><r:requestId>{request_id}</r:requestId>'
        f"<r:agreementNumber>{BANK.agreement}</r:agreementNumber>"
        f"<r:consentDocument>{base64.b64encode(document).decode()}</r:consentDocument>"
        "</r:RegisterConsent>"
    ).encode()


def _revoked(installation: InProcessService, request_id: UUID) -> bytes:
    sandbox_signers = signers_of(installation)
    consent = sandbox_signers.consent(BANK, 2)
    document = sandbox_signers.sign_consent(consent, BANK, installation.world.citizens[2])
    registering = _registered(installation, uuid4()).decode()
    begins, _, rest = registering.partition("<r:consentDocument>")
    ends = rest.partition("</r:consentDocument>")[2]
    encoded = base64.b64encode(document).decode()
    body = f"{begins}<r:consentDocument>{encoded}</r:consentDocument>{ends}"
    assert over_xroad(installation, body.encode(), by="bank").outcome == "ACCEPTED"
    return build_revocation_request(revocation(installation, consent.consent_id), request_id)


def _data(installation: InProcessService, request_id: UUID) -> bytes:
    return a_body(installation, request_id, name="bank-00-data")


def _yes_no(installation: InProcessService, request_id: UUID) -> bytes:
    return a_body(installation, request_id, name="bank-00-yes-no")


def _not_matched(installation: InProcessService, request_id: UUID) -> bytes:
    body = a_body(installation, request_id, name="bank-01-data").decode()
    begins, _, rest = body.partition("<r:documentNumber>")
    ends = rest.partition("</r:documentNumber>")[2]
    return f"{begins}<r:documentNumber>ID9999999</r:documentNumber>{ends}".encode()


def _without_ground(installation: InProcessService, request_id: UUID) -> bytes:
    body = a_body(installation, request_id, name="bank-02-data").decode()
    return (body.partition("<r:ground>")[0] + body.partition("</r:ground>")[2]).encode()


Make = Callable[[InProcessService, UUID], bytes]
MADE: list[Make] = [
    _data,
    _yes_no,
    _not_matched,
    _without_ground,
    _explained,
    _registered,
    _revoked,
]


@pytest.mark.parametrize("make", MADE)
def test_every_repeated_answer_is_recorded(installation: InProcessService, make: Make) -> None:
    """Refusals, dry runs, registrations, revocations and data are repeated to no other asker."""
    request_id = uuid4()
    body = make(installation, request_id)
    answer = over_xroad(installation, body, by="bank")
    before = count_records(installation, "bank")

    again = [over_xroad(installation, body, by="bank") for _ in range(2)]
    others = [
        over_xroad(installation, body, by="bank", **changed)
        for changed in ({"employee": "emp-1"}, {"case": ""}, {"subsystem": "CORE"})
    ]

    assert {etree.tostring(each.child) for each in again} == {etree.tostring(answer.child)}
    rows = repeated(installation, request_id)
    assert len(rows) == 2
    assert len({row.leaf_hash for row in rows}) == 2
    assert {row.asker.employee for row in rows} == {"EMP-1"}
    assert [each.codes for each in others] == [["REQ-04"]] * 3
    decisions, repetitions = count_records(installation, "bank")
    assert (decisions - before[0], repetitions - before[1]) == (3, 2)


def test_one_id_in_every_space_is_a_separate_id(installation: InProcessService) -> None:
    """Another operation within the space of disclosures is REQ-04."""
    request_id = uuid4()
    first = {
        make: (
            message := make(installation, request_id),
            over_xroad(installation, message, by="bank"),
        )
        for make in (_data, _explained, _registered, _revoked)
    }
    assert all(answer.codes != ["REQ-04"] for _, answer in first.values())

    assert over_xroad(installation, _yes_no(installation, request_id), by="bank").codes == [
        "REQ-04"
    ]
    for body, answer in first.values():
        again = over_xroad(installation, body, by="bank")
        assert etree.tostring(again.child) == etree.tostring(answer.child)
    assert len(repeated(installation, request_id)) == 4
