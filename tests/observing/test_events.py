"""Security events: a closed catalogue, complete over the reasons, in words that ECS allows."""

import json
import logging
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from makul.app.ports import Desk
from makul.domain.identifiers import MemberCode
from makul.domain.reasons import Code, Reason
from makul.logs import _Lines
from makul.observing.accounts import Account, Decided
from makul.observing.events import BY_REASON, UNEVENTFUL, Event
from makul.observing.security import (
    WATCHED,
    WatchedDesk,
    events_of,
    tell,
    tell_of,
    told_member,
)

BANK = MemberCode("COM/60000001")
PIN = "20101199000123"

ECS_TYPES = {
    "api": {"access", "admin", "allowed", "change", "creation", "deletion", "denied", "end",
            "info", "start", "user"},
    "authentication": {"start", "end", "info"},
    "configuration": {"access", "change", "creation", "deletion", "info"},
    "database": {"access", "change", "info", "error"},
    "host": {"access", "change", "end", "info", "start"},
    "intrusion_detection": {"allowed", "denied", "info"},
}  # fmt: skip
"""Which `event.type` each `event.category` allows, of those used here (ECS 8.17)."""


def account(**of: Any) -> Account:
    return Account(listener="wsse", correlation="c0ffee", **of)


def decided(*reasons: Reason, outcome: str = "REFUSED") -> Decided:
    return Decided(outcome=outcome, reasons=reasons, recipient=BANK)


def test_every_reason_is_an_event_or_everyday_work() -> None:
    """A new reason cannot be forgotten: it is in exactly one of the two lists."""
    assert BY_REASON.keys() | UNEVENTFUL == set(Code)
    assert not BY_REASON.keys() & UNEVENTFUL


def test_no_reason_tells_two_events() -> None:
    """Each reason is one kind of event, so that nothing is counted twice."""
    listed = [code for event in Event for code in event.value.reasons]

    assert len(listed) == len(set(listed))


def test_codes_and_actions_are_unique_and_ecs_allows_their_words() -> None:
    """Rules in a SIEM rest on them."""
    entries = [event.value for event in Event]

    assert len({entry.code for entry in entries}) == len({entry.action for entry in entries})
    assert len({entry.code for entry in entries}) == len(entries)
    for entry in entries:
        assert entry.kind in ECS_TYPES[entry.category], entry.code
        assert entry.outcome in {"success", "failure"}


@pytest.mark.parametrize(
    ("seen", "expected"),
    [
        (account(faults=("SIG-03",)), {Event.WRAPPING_SUSPECTED: ["SIG-03"]}),
        (account(faults=("REQ-09",), caller=BANK), {Event.MESSAGE_REPLAYED: ["REQ-09"]}),
        (account(faults=("REQ-01",)), {}),
        (account(decided=decided(Reason(code=Code.MAT_01), outcome="NOT_MATCHED")), {}),
        (
            account(decided=decided(Reason(code=Code.CNS_02, because=Code.SIG_06))),
            {Event.DOCUMENT_UNPROVED: ["CNS-02"], Event.REVOKED_CERTIFICATE: ["SIG-06"]},
        ),
        (
            account(decided=decided(Reason(code=Code.CNS_02, because=Code.SIG_02))),
            {Event.DOCUMENT_UNPROVED: ["CNS-02"]},
        ),
        (
            account(decided=decided(Reason(code=Code.AGR_03), Reason(code=Code.AGR_04))),
            {Event.BEYOND_AGREEMENT: ["AGR-03", "AGR-04"]},
        ),
        (account(), {}),
    ],
)
def test_a_request_is_told_by_kind_and_reasons(
    seen: Account, expected: dict[Event, list[str]]
) -> None:
    """Each kind once, with all of its reasons; a fault's own reasons outweigh a decision's."""
    assert events_of(seen) == expected


def test_a_fault_after_a_decision_is_told_as_a_fault() -> None:
    """What was decided and then could not be answered is not told as if it had been."""
    both = account(decided=decided(Reason(code=Code.MAT_06)), faults=("OPS-99",))

    assert events_of(both) == {Event.INTERNAL_ERROR: ["OPS-99"]}


def test_an_event_in_ecs(caplog: pytest.LogCaptureFixture) -> None:
    """Flat ECS names; who asked by member code, the request by its correlation."""
    with caplog.at_level(logging.INFO, "makul.security"):
        tell_of(account(faults=("REQ-09",), caller=BANK))
    (record,) = caplog.records

    event = json.loads(_Lines("PRODUCTION").format(record))
    at = event.pop("@timestamp")

    assert at.endswith("Z")
    assert event == {
        "log.level": "error",
        "message": "A signed message came a second time",
        "ecs.version": "8.17",
        "event.dataset": "makul.security",
        "log.logger": "makul.security",
        "service.name": "makul",
        "service.environment": "production",
        "event.kind": "alert",
        "event.code": "MKL-103",
        "event.action": "message-replayed",
        "event.severity": 73,
        "event.category": ["intrusion_detection"],
        "event.type": ["denied"],
        "event.outcome": "failure",
        "event.reason": "REQ-09",
        "organization.id": "COM/60000001",
        "trace.id": "c0ffee",
        "service.node.name": "wsse",
    }


def test_a_notary_is_not_told_by_their_pin() -> None:
    """Procedure, cl. 3, e: a recipient may be a natural person."""
    assert told_member(MemberCode(f"NOT/{PIN}")) == "NOT/2***********23"
    assert told_member(BANK) == BANK


def test_what_is_watched_is_what_the_desk_does() -> None:
    """Each name is the desk's, and whatever else it does only lists or counts."""
    does = {name for name in vars(Desk) if not name.startswith("_")}

    assert WATCHED.keys() <= does
    assert does - WATCHED.keys() == {
        *("recipients", "certificates", "sealing_certificates", "notices", "signatories"),
        *("draft_document", "agreement_signatures", "agreements", "disclosures", "disclosure"),
        *("repetitions", "statistics", "count_persons"),
    }


class FakeDesk:
    """Does nothing, or fails."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error

    def person_for_operator(self, pin: str, *, reason: str) -> str:
        if self.error is not None:
            raise self.error
        return f"{pin} {reason}"

    def recipients(self) -> tuple[str, ...]:
        return ("COM/1",)


def test_a_look_at_a_person_is_told_and_not_at_whom(caplog: pytest.LogCaptureFixture) -> None:
    """Procedure, cl. 13 and 16: that an operator looked, and which; the record says at whom."""
    desk: Any = WatchedDesk(FakeDesk(), "anna")  # type: ignore[arg-type]
    with caplog.at_level(logging.INFO, "makul.security"):
        assert desk.person_for_operator(PIN, reason="complaint") == f"{PIN} complaint"
        assert desk.recipients() == ("COM/1",)

    (record,) = caplog.records
    line = _Lines(None).format(record)
    assert json.loads(line)["event.code"] == "MKL-301"
    assert json.loads(line)["user.name"] == "anna"
    assert PIN not in line
    assert "complaint" not in line


def test_what_did_not_happen_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    """A look that failed is no look."""
    desk: Any = WatchedDesk(FakeDesk(ValueError("no")), "anna")  # type: ignore[arg-type]
    with caplog.at_level(logging.INFO, "makul.security"), pytest.raises(ValueError, match="no"):
        desk.person_for_operator(PIN, reason="complaint")

    assert caplog.records == []


def test_events_without_a_request(caplog: pytest.LogCaptureFixture) -> None:
    """What nobody asked for has neither a recipient nor a trace."""
    with caplog.at_level(logging.INFO, "makul.security"):
        tell(Event.RELOAD_REFUSED, listener="wsse")

    event = json.loads(_Lines(None).format(caplog.records[0]))
    assert event.keys().isdisjoint({"organization.id", "trace.id", "user.name", "event.reason"})
    assert event["event.severity"] == Event.RELOAD_REFUSED.value.severity


def test_an_account_keeps_each_code_once() -> None:
    """Two attributes beyond an agreement are two reasons and one code."""
    twice = account(
        decided=decided(Reason(code=Code.AGR_04, field="a"), Reason(code=Code.AGR_04, field="b"))
    )

    assert twice.codes == ("AGR-04",)
    assert replace(twice, request_id=UUID(int=1)).outcome == "REFUSED"
