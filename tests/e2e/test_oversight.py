"""The oversight port, end to end: officers cut off and terminate, in the ledger (cl. 12)."""

import threading
from base64 import b64decode
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from lxml import etree

from makul.composition.adapters import utc_now
from makul.domain.months import month_of
from makul_sandbox.data.recipients import XROAD_INSTANCE
from makul_testing.builders.messages import signed_message
from makul_testing.in_process_service import (
    InProcessService,
    RecordDatabase,
    about,
    build_installation,
    person_request,
)
from makul_testing.tlog.builder import a_note_signer, check_ledger, sequence

O = "urn:makul:oversight:1"  # noqa: E741 - the prefix of the schema
R = "{urn:makul:receipt:1}"


def act(operation: str, request_id: UUID | None = None, **fields: str) -> bytes:
    content = "".join(f"<o:{name}>{value}</o:{name}>" for name, value in fields.items())
    return (
        f'<o:{operation} xmlns:o="{O}"><o:requestId>{request_id or uuid4()}</o:requestId>'
        f"{content}</o:{operation}>"
    ).encode()


def cut_off(recipient: str, request_id: UUID | None = None) -> bytes:
    return act(
        "CutOffRecipient", request_id, recipient=recipient, justification="data without consent"
    )


def terminate(number: str) -> bytes:
    return act("TerminateAgreement", agreementNumber=number, justification="data without consent")


def reinstate(recipient: str, request_id: UUID | None = None) -> bytes:
    return act(
        "ReinstateRecipient", request_id, recipient=recipient, justification="the cause is removed"
    )


def text(answer: etree._Element, name: str) -> str | None:
    return answer.findtext(f"{{{O}}}{name}")


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


def bank_request(installation: InProcessService) -> bytes:
    ready = installation.document("bank-02-data")
    person = installation.person_of(ready)
    return person_request(**about(person, of=installation.bank, document=ready))


def test_a_cut_off_recipient_gets_nothing_more(own: InProcessService) -> None:
    """The act is effective at its commit: not even the retry of an earlier request is answered."""
    before = bank_request(own)
    assert own.ask(before).outcome == "RELEASED"

    done = own.oversee(cut_off(own.bank.code))

    assert (done.outcome, text(done.child, "recipientState")) == ("DONE", "CUT_OFF")
    assert own.ask(before).codes == ["RCP-03"]
    assert own.ask(bank_request(own)).codes == ["RCP-03"]


def test_an_act_is_answered_with_a_receipt_of_its_leaf(own: InProcessService) -> None:
    """The receipt names the act, the officer's body and the leaf, and binds the whole answer."""
    done = own.oversee(cut_off(own.bank.code))

    receipt = etree.fromstring(b64decode(text(done.child, "receipt") or ""))
    assert receipt.findtext(f"{R}receiptId") == text(done.child, "actId")
    assert receipt.findtext(f"{R}operation") == "CutOffRecipient"
    assert receipt.findtext(f"{R}recipient") == own.world.officers["inspector"].member
    assert receipt.findtext(f"{R}outcome") == "DONE"


def test_a_retry_gets_the_same_answer(own: InProcessService) -> None:
    """Another officer, or other content under the id, is REQ-04."""
    request_id = uuid4()
    first = own.oversee(cut_off(own.bank.code, request_id))

    assert own.oversee(cut_off(own.bank.code, request_id)).body == first.body
    for again, by in (
        (cut_off(own.bank.code, request_id), "second-inspector"),
        (cut_off("COM/99999999", request_id), "inspector"),
    ):
        refused = own.oversee(again, by=by)
        assert (refused.outcome, refused.codes) == ("REFUSED", ["REQ-04"])


def test_what_cannot_be_cut_off(own: InProcessService) -> None:
    """An unknown recipient is OVR-06, one that is cut off already is OVR-02."""
    assert own.oversee(cut_off("COM/99999999")).codes == ["OVR-06"]
    assert own.oversee(cut_off(own.bank.code)).outcome == "DONE"
    assert own.oversee(cut_off(own.bank.code)).codes == ["OVR-02"]


def test_a_termination_needs_two_officers(own: InProcessService) -> None:
    """The first proposes; the same officer cannot complete; the second terminates."""
    number = own.bank.agreement

    proposed = own.oversee(terminate(number))
    again = own.oversee(terminate(number))
    assert own.ask(bank_request(own)).outcome == "RELEASED"
    done = own.oversee(terminate(number), by="head")

    assert (proposed.outcome, text(proposed.child, "terminationState")) == ("DONE", "PROPOSED")
    assert (again.outcome, again.codes) == ("REFUSED", ["OVR-05"])
    assert (done.outcome, text(done.child, "terminationState")) == ("DONE", "TERMINATED")
    assert own.ask(bank_request(own)).codes == ["AGR-02"]
    assert own.oversee(terminate(number)).codes == ["OVR-02"]


def test_a_proposal_of_a_withdrawn_officer_does_not_count(own: InProcessService) -> None:
    """Another officer's request is then a proposal again."""
    own.oversee(terminate(own.bank.agreement))
    inspector = own.world.officers["inspector"].credential
    own.store.registry.withdraw_officer(inspector.fingerprint, reason="left", at=own.clock())

    answer = own.oversee(terminate(own.bank.agreement), by="head")

    assert text(answer.child, "terminationState") == "PROPOSED"
    assert own.oversee(terminate(own.bank.agreement)).codes == ["RCP-04"]


def test_a_complete_stop_is_ended_by_an_officer_and_the_head(own: InProcessService) -> None:
    """Cl. 12: nothing is given before the second act; after it the valid agreement gives again."""
    before, same = bank_request(own), uuid4()
    assert own.ask(before).outcome == "RELEASED"
    assert own.oversee(reinstate(own.bank.code)).codes == ["OVR-02"]
    assert own.oversee(cut_off(own.bank.code)).outcome == "DONE"

    proposed = own.oversee(reinstate(own.bank.code, same))
    assert own.oversee(reinstate(own.bank.code, same)).body == proposed.body
    again = own.oversee(reinstate(own.bank.code))
    without_head = own.oversee(reinstate(own.bank.code), by="second-inspector")
    assert own.ask(before).codes == own.ask(bank_request(own)).codes == ["RCP-03"]
    done = own.oversee(reinstate(own.bank.code), by="head")

    assert text(proposed.child, "reinstatementState") == "PROPOSED"
    assert (again.codes, without_head.codes) == (["OVR-05"], ["OVR-01"])
    assert text(done.child, "reinstatementState") == "REINSTATED"
    assert own.ask(bank_request(own)).outcome == own.ask(before).outcome == "RELEASED"
    assert own.oversee(reinstate(own.bank.code)).codes == ["OVR-02"]
    assert own.oversee(cut_off(own.bank.code)).outcome == "DONE"
    later = own.oversee(reinstate(own.bank.code), by="head")
    assert text(later.child, "reinstatementState") == "PROPOSED", "the first proposal is over"


def test_a_stop_with_an_open_case_and_a_terminated_agreement(own: InProcessService) -> None:
    """OVR-02 until the case is decided; what was terminated stays terminated (AGR-02)."""
    day = str(own.clock().date())
    period = {"firstDay": day, "lastDay": day, "scope": "EXCEPTIONS"}
    opened = own.oversee(
        act("OpenCase", recipient=own.bank.code, **period, justification="report 14")
    )
    for request, officer in (
        (terminate(own.bank.agreement), "inspector"),
        (terminate(own.bank.agreement), "head"),
        (cut_off(own.bank.code), "inspector"),
    ):
        assert own.oversee(request, by=officer).outcome == "DONE"
    refused = own.oversee(reinstate(own.bank.code))
    case = text(opened.child, "caseId") or ""
    dismissed = act("OpenCase", caseId=case, choice="DISMISS", justification="no ground for it")
    assert own.oversee(dismissed).outcome == "DONE"

    assert refused.codes == ["OVR-02"]
    for officer in ("inspector", "head"):
        assert own.oversee(reinstate(own.bank.code), by=officer).outcome == "DONE"
    assert own.ask(bank_request(own)).codes == ["AGR-02"]


def test_the_protection_body_terminates_nothing(own: InProcessService) -> None:
    """It receives cases; cutting off and terminating are the authorised body's (cl. 12)."""
    for request in (cut_off(own.bank.code), terminate(own.bank.agreement)):
        refused = own.oversee(request, by="protection")
        assert (refused.outcome, refused.codes) == ("REFUSED", ["OVR-01"])
    assert own.ask(bank_request(own)).outcome == "RELEASED"


def test_numbers_of_a_month(own: InProcessService) -> None:
    """GetStatistics counts what was decided, and every officer may read it."""
    assert own.ask(bank_request(own)).outcome == "RELEASED"
    month = month_of(own.clock())

    answer = own.oversee(act("GetStatistics", month=str(month)), by="protection")

    assert answer.outcome == "DONE"
    counts = answer.child.findall(f"{{{O}}}count")
    assert [each.findtext(f"{{{O}}}decisions") for each in counts] == ["1"]
    only = act("GetStatistics", month=str(month), recipient="COM/99999999")
    assert own.oversee(only).child.find(f"{{{O}}}count") is None


def test_recipients_are_no_officers(installation: InProcessService) -> None:
    """Neither party's certificate opens the other port."""
    bank, inspector = installation.world.messages["bank"], installation.world.officers["inspector"]
    for holder, listener, path in (
        (bank, "oversight", "/v1/oversight"),
        (inspector.credential, "wsse", "/v1/recipient"),
    ):
        message = signed_message(
            cut_off("COM/99999999") if listener == "oversight" else bank_request(installation),
            holder.key,
            holder.certificate,
            at=utc_now(),
        )
        answer = installation.post(message, listener=listener, PATH_INFO=path)
        assert (answer.status, answer.codes) == (500, ["RCP-04"])


def test_over_x_road_the_user_is_the_officer(installation: InProcessService) -> None:
    """`xrd:client` names the body and `xrd:userId` the officer; an unknown user is RCP-04."""
    for user, expected in (("O-inspector", ["OVR-06"]), ("O-protection", ["RCP-04"])):
        request_id = uuid4()
        message = _over_xroad(cut_off("COM/99999999", request_id), request_id, user)
        answer = installation.post(message, listener="oversight-xroad", PATH_INFO="/v1/oversight")
        assert answer.codes == expected


def _over_xroad(child: bytes, request_id: UUID, user: str) -> bytes:
    identifiers = "http://x-road.eu/xsd/identifiers"
    member = (
        f"<id:xRoadInstance>{XROAD_INSTANCE}</id:xRoadInstance><id:memberClass>GOV</id:memberClass>"
    )
    return (
        '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"'
        f' xmlns:xrd="http://x-road.eu/xsd/xroad.xsd" xmlns:id="{identifiers}"><s:Header>'
        f'<xrd:client id:objectType="MEMBER">{member}<id:memberCode>70000009</id:memberCode>'
        f'</xrd:client><xrd:service id:objectType="SERVICE">{member}'
        "<id:memberCode>70000001</id:memberCode><id:subsystemCode>makul</id:subsystemCode>"
        "<id:serviceCode>CutOffRecipient</id:serviceCode>"
        "<id:serviceVersion>v1</id:serviceVersion></xrd:service>"
        f"<xrd:userId>{user}</xrd:userId><xrd:id>{request_id}</xrd:id>"
        "<xrd:protocolVersion>4.0</xrd:protocolVersion></s:Header>"
        f"<s:Body>{child.decode()}</s:Body></s:Envelope>"
    ).encode()


def test_a_signed_act_is_accepted_once(own: InProcessService) -> None:
    """REQ-09: who resends a recorded message learns nothing and does nothing."""
    holder = own.world.officers["inspector"].credential
    message = signed_message(
        cut_off("COM/99999999"), holder.key, holder.certificate, at=own.clock()
    )

    codes = [
        own.post(message, listener="oversight", PATH_INFO="/v1/oversight").codes for _ in range(2)
    ]

    assert codes == [["OVR-06"], ["REQ-09"]]


@pytest.mark.parametrize(
    "child",
    [
        act("CutOffRecipient", recipient="COM/60000001", justification="x" * 2001),
        act("CutOffRecipient", recipient="60000001", justification="x"),
        act("CutOffRecipient", recipient="COM/60000001"),
        act("GetStatistics", month="2026-13"),
        act("GetStatistics", month="2026-10", officer="O-head"),
        act("TerminateAgreement", agreementNumber="../1", justification="x"),
        act("ReleaseRecipient", recipient="COM/60000001", justification="x"),
    ],
)
def test_what_the_schema_refuses_is_no_act(installation: InProcessService, child: bytes) -> None:
    """A fault, and nothing is recorded."""
    answer = installation.oversee(child)

    assert answer.status == 500
    assert answer.codes
    assert set(answer.codes) <= {"REQ-01", "REQ-02"}


def test_an_answer_names_no_officer(own: InProcessService) -> None:
    """Neither the answer nor its receipt has the officer's name or identifier."""
    for by in ("inspector", "head"):
        done = own.oversee(terminate(own.bank.agreement), by=by)
        receipt = b64decode(text(done.child, "receipt") or "")
        for officer in own.world.officers.values():
            for word in (officer.identifier, officer.registered.name):
                assert word.encode() not in done.body
                assert word.encode() not in receipt


def test_nothing_is_released_after_a_cut_off_under_load(own: InProcessService) -> None:
    """The act waits for running decisions, and no later one overtakes it (invariant 4)."""
    requests = [bank_request(own) for _ in range(24)]
    ended = threading.Event()
    late: list[str | None] = []

    def ask(request: bytes) -> str | None:
        began_late = ended.is_set()
        outcome = own.ask(request).outcome
        if began_late:
            late.append(outcome)
        return outcome

    with ThreadPoolExecutor(6) as pool:
        answers = [pool.submit(ask, each) for each in requests[:12]]
        done = pool.submit(own.oversee, cut_off(own.bank.code))
        answers += [pool.submit(ask, each) for each in requests[12:18]]
        assert done.result().outcome == "DONE"
        ended.set()
        answers += [pool.submit(ask, each) for each in requests[18:]]
        outcomes = [each.result() for each in answers]

    assert set(outcomes) <= {"RELEASED", "REFUSED"}
    assert len(late) >= 6
    assert set(late) == {"REFUSED"}
