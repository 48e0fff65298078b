"""A stored answer belongs to its asker, and each repetition is recorded (invariants 1 and 5).

Over X-Road the employee, the case and the subsystem are in headers: the Body, and so its digest, is
the same for all of them.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from uuid import UUID, uuid4

import pytest

from makul.app.ports import Asker, RepetitionRow
from makul.domain.calendar import legal_day
from makul.domain.months import Month
from makul.domain.reasons import Code
from makul.domain.recipients import RecipientState
from makul_testing.in_process_service import (
    RECIPIENT,
    TYPES,
    InProcessService,
    RecordDatabase,
    ServiceAnswer,
    about,
    build_installation,
    party,
)
from makul_testing.in_process_service import person_request as body_of
from makul_testing.soap_client import XRD, enveloped, xroad_headers

BY = "police"


@pytest.fixture(scope="module")
def installation(
    tmp_path_factory: pytest.TempPathFactory, record_database: RecordDatabase
) -> Iterator[InProcessService]:
    built = build_installation(tmp_path_factory.mktemp("repetitions"), database=record_database)
    yield built
    built.close()


def ask(
    installation: InProcessService,
    body: bytes,
    request_id: UUID,
    *,
    employee: str | None = "EMP-1",
    case: str | None = "CASE-1",
    subsystem: str = "core",
    service: str = "GetPersonData",
    by: str = BY,
) -> ServiceAnswer:
    """Send a Body over X-Road, as this employee, in this case, from this subsystem."""
    more = ""
    if employee is not None:
        more += f'<x:userId xmlns:x="{XRD}">{employee}</x:userId>'
    if case is not None:
        more += f'<x:issue xmlns:x="{XRD}">{case}</x:issue>'
    header = xroad_headers(service, request_id=str(request_id), member=party(by).code, more=more)
    header = header.replace(">KG<", ">KG-SANDBOX<").replace(
        "<i:subsystemCode>core<", f"<i:subsystemCode>{subsystem}<"
    )
    message = enveloped(body.decode(), header=header)
    return installation.post(message, listener="xroad")


def a_body(installation: InProcessService, name: str, request_id: UUID, by: str) -> bytes:
    document = installation.document(name)
    fields: dict[str, Any] = about(
        installation.person_of(document), of=party(by), document=document
    )
    return body_of(**(fields | {"request_id": request_id}))


@pytest.fixture(scope="module")
def released(installation: InProcessService) -> tuple[UUID, bytes, ServiceAnswer]:
    request_id = uuid4()
    body = a_body(installation, find_document_name(installation), request_id, BY)
    answer = ask(installation, body, request_id)
    assert (answer.outcome, answer.codes) == ("RELEASED", [])
    return request_id, body, answer


def find_document_name(installation: InProcessService) -> str:
    """Return a document of the police by which data are released."""
    return next(
        name
        for name, document in installation.world.documents.items()
        if document.presented_by.key == BY and document.operation.value == "GetPersonData"
    )


def list_repetitions(installation: InProcessService) -> list[RepetitionRow]:
    return list(installation.store.registry.repetitions(limit=100))


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"employee": "EMP-2"}, "employee"),
        ({"employee": None}, "employee"),
        ({"employee": "emp-1"}, "employee"),
        ({"case": "CASE-2"}, "caseNumber"),
        ({"case": None}, "caseNumber"),
        ({"subsystem": "branch"}, "subsystemCode"),
    ],
    ids=["another", "none", "other case of letters", "other case", "no case", "other subsystem"],
)
def test_another_asker_gets_nothing_under_the_same_id(
    installation: InProcessService,
    released: tuple[UUID, bytes, ServiceAnswer],
    changed: dict[str, Any],
    field: str,
) -> None:
    """Procedure, cl. 15; invariant 5: REQ-04 names the difference, and no personal data leave."""
    request_id, body, _ = released
    before = len(list_repetitions(installation))

    answer = ask(installation, body, request_id, **changed)

    assert (answer.outcome, answer.codes) == ("REFUSED", ["REQ-04"])
    assert answer.child.findtext(f".//{{{TYPES}}}field") == field
    assert answer.child.find(f"{{{RECIPIENT}}}person") is None
    assert len(list_repetitions(installation)) == before


def test_each_repetition_is_recorded_with_who_asked(
    installation: InProcessService, released: tuple[UUID, bytes, ServiceAnswer]
) -> None:
    """Invariant 1; Procedure, cl. 11: who, when, by which channel, with its own leaf,
    and counted.
    """
    request_id, body, first = released
    before = list_repetitions(installation)
    counted = counts(installation)

    again = [ask(installation, body, request_id) for _ in range(3)]

    assert {answer.body for answer in again} == {first.body}
    added = list_repetitions(installation)[: len(list_repetitions(installation)) - len(before)]
    assert len(added) == 3
    assert {row.asker for row in added} == {
        Asker(subsystem="core", employee="EMP-1", case_number="CASE-1")
    }
    assert {(row.request_id, row.channel.value) for row in added} == {(request_id, "xroad")}
    assert len({row.leaf_hash for row in added}) == 3
    assert counts(installation)[1] - counted[1] == 3
    assert counts(installation)[0] == counted[0]


def counts(installation: InProcessService) -> tuple[int, int]:
    """Count decisions and repetitions of the police this month."""
    today = legal_day(installation.clock())
    rows = [
        each
        for each in installation.store.registry.statistics(Month(today.year, today.month))
        if each.recipient == party(BY).code
    ]
    return sum(row.decisions for row in rows), sum(row.repetitions for row in rows)


def get_receipt(installation: InProcessService, of_request: UUID, **who: Any) -> ServiceAnswer:
    request_id = uuid4()
    body = (
        f'<r:GetReceipt xmlns:r="{RECIPIENT}"><r:requestId>{request_id}</r:requestId>'
        f"<r:ofRequest>{of_request}</r:ofRequest></r:GetReceipt>"
    ).encode()
    return ask(installation, body, request_id, service="GetReceipt", **who)


def receipt_of(answer: ServiceAnswer) -> str | None:
    return answer.child.findtext(f"{{{RECIPIENT}}}receipt")


def test_a_later_refusal_does_not_hide_the_receipt_of_the_disclosure(
    installation: InProcessService,
) -> None:
    """GetReceipt finds the decision that closed the id, after any later request under it."""
    request_id = uuid4()
    body = a_body(installation, find_document_name(installation), request_id, BY)
    first = ask(installation, body, request_id)
    theirs = receipt_of(first)
    assert theirs is not None

    assert ask(installation, body, request_id, employee="EMP-9").codes == ["REQ-04"]
    assert receipt_of(get_receipt(installation, request_id)) == theirs


def test_a_stopped_recipient_gets_no_receipt(
    installation: InProcessService, released: tuple[UUID, bytes, ServiceAnswer]
) -> None:
    """Invariant 4; Procedure, cl. 12: a receipt reveals an outcome, so it is withheld after the
    commit.
    """
    request_id, _, _ = released
    police = next(r for r in installation.store.registry.recipients() if r.code == party(BY).code)
    installation.store.registry.set_state(
        replace(police, state=RecipientState.ON_HOLD), reason="test", at=installation.clock()
    )
    try:
        answer = get_receipt(installation, request_id)
    finally:
        installation.store.registry.set_state(police, reason="test", at=installation.clock())

    assert answer.codes == [Code.RCP_02.value]
    assert receipt_of(answer) is None
    assert receipt_of(get_receipt(installation, request_id)) is not None
