"""Security events are a closed catalogue that covers all reasons, in terms of ECS."""

import ast
import inspect
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import create_autospec
from uuid import UUID

import pytest

import makul
from makul.app.ports import OperatorRegistry, OperatorRegistryError
from makul.app.ports.oversight import OversightRegistry
from makul.domain.identifiers import MemberCode
from makul.domain.reasons import Code, Reason
from makul.observability.audited_registry import AuditedRegistry
from makul.observability.logging_config import _Lines
from makul.observability.request_context import DecisionSummary, RequestContext
from makul.observability.security_events import BY_REASON, UNEVENTFUL, Event
from makul.observability.security_log import (
    emit_request_events,
    emit_security_event,
    group_reasons_by_event,
    redact_member_code,
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
"""The `event.type` values that ECS 8.17 permits for each `event.category` used here."""


def account(**of: Any) -> RequestContext:
    return RequestContext(listener="wsse", correlation="c0ffee", **of)


def decided(*reasons: Reason, outcome: str = "REFUSED") -> DecisionSummary:
    return DecisionSummary(outcome=outcome, reasons=reasons, recipient=BANK)


def test_every_reason_is_an_event_or_everyday_work() -> None:
    """A new reason cannot be forgotten: it is in exactly one of the two lists."""
    assert BY_REASON.keys() | UNEVENTFUL == set(Code)
    assert not BY_REASON.keys() & UNEVENTFUL


def test_no_reason_causes_two_events() -> None:
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
def test_a_request_is_reported_by_kind_and_reasons(
    seen: RequestContext, expected: dict[Event, list[str]]
) -> None:
    """Each kind occurs once, with all its reasons; a fault's reasons come before a decision's."""
    assert group_reasons_by_event(seen) == expected


def test_a_fault_after_a_decision_is_reported_as_a_fault() -> None:
    """A decision that could not be answered is not reported as if it had been."""
    both = account(decided=decided(Reason(code=Code.MAT_06)), faults=("OPS-99",))

    assert group_reasons_by_event(both) == {Event.INTERNAL_ERROR: ["OPS-99"]}


def test_an_event_has_ecs_fields(caplog: pytest.LogCaptureFixture) -> None:
    """Names are flat ECS; the caller is its member code, the request its correlation."""
    with caplog.at_level(logging.INFO, "makul.security"):
        emit_request_events(account(faults=("REQ-09",), caller=BANK))
    (record,) = caplog.records

    event = json.loads(_Lines("PRODUCTION").format(record))
    at = event.pop("@timestamp")

    assert at.endswith("Z")
    assert event == {
        "log.level": "error",
        "message": "A signed message was received a second time",
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


def test_a_notary_is_not_identified_by_a_pin() -> None:
    """Procedure, cl. 3, e: a recipient may be a natural person."""
    assert redact_member_code(MemberCode(f"NOT/{PIN}")) == "NOT/2***********23"
    assert redact_member_code(BANK) == BANK


EVENTS_OF_THE_DESK: dict[str, Event | None] = {
    "person_for_operator": Event.PERSON_SHOWN,
    "subject_lock": None,
    "search_persons": Event.PERSON_SHOWN,
    "read_decision_evidence": Event.EVIDENCE_SHOWN,
    "export": Event.RECORD_EXPORTED,
    "read_month": Event.RECORD_EXPORTED,
    "read_case": Event.RECORD_EXPORTED,
    "put_persons": Event.PERSONS_CHANGED,
    "change_person": Event.PERSONS_CHANGED,
    "add_recipient": Event.RECIPIENT_CHANGED,
    "rename_recipient": Event.RECIPIENT_CHANGED,
    "set_state": Event.RECIPIENT_CHANGED,
    "add_certificate": Event.CERTIFICATE_CHANGED,
    "withdraw_certificate": Event.CERTIFICATE_CHANGED,
    "add_encryption_certificate": Event.CERTIFICATE_CHANGED,
    "withdraw_encryption_certificate": Event.CERTIFICATE_CHANGED,
    "add_official": Event.CERTIFICATE_CHANGED,
    "withdraw_official": Event.CERTIFICATE_CHANGED,
    "add_signatory": Event.CERTIFICATE_CHANGED,
    "withdraw_signatory": Event.CERTIFICATE_CHANGED,
    "issue_month": Event.MONTH_CHANGED,
    "attach_evidence": Event.CASE_CHANGED,
    "answer_line": Event.MONTH_CHANGED,
    "add_officer": Event.CERTIFICATE_CHANGED,
    "withdraw_officer": Event.CERTIFICATE_CHANGED,
    "add_notice": Event.AGREEMENT_CHANGED,
    "approve_notice": Event.AGREEMENT_CHANGED,
    "draft_agreement": Event.AGREEMENT_CHANGED,
    "sign_agreement": Event.AGREEMENT_CHANGED,
    "terminate_agreement": Event.AGREEMENT_CHANGED,
    "revoke_ground": Event.GROUND_REVOKED,
    **dict.fromkeys(
        (
            *("recipients", "certificates", "encryption_certificates", "notices", "signatories"),
            *("draft_document", "agreement_signatures", "agreements", "disclosures", "disclosure"),
            *("repetitions", "statistics", "count_persons", "find_ground", "officers"),
            *("issued_months", "contested_lines", "cases", "case", "case_steps"),
        )
    ),
}
"""The event of each method of the registry, or None if it only lists or counts."""


def test_every_method_of_the_registry_is_an_event_or_none() -> None:
    """A new method needs an entry here, and in the registry that reports."""
    kinds = (OperatorRegistry, OversightRegistry)
    does = {name for kind in kinds for name in vars(kind) if not name.startswith("_")}

    assert EVENTS_OF_THE_DESK.keys() == does
    assert does <= vars(AuditedRegistry).keys()


def arguments_of(method: str) -> tuple[list[object], dict[str, object]]:
    """Return a distinct value for each parameter of a method of the registry."""
    parameters = list(inspect.signature(getattr(OperatorRegistry, method)).parameters.values())[1:]
    by_name = [each for each in parameters if each.kind is each.KEYWORD_ONLY]
    return (
        [object() for each in parameters if each.kind is not each.KEYWORD_ONLY],
        {each.name: object() for each in by_name},
    )


def perform(
    registry: AuditedRegistry, method: str, arguments: Sequence[Any], named: Mapping[str, Any]
) -> Any:
    """Call a method. A month is read inside a context, so it is entered."""
    returned = getattr(registry, method)(*arguments, **named)
    if method != "read_month":
        return returned
    with returned as entered:
        return entered


@pytest.mark.parametrize("method", EVENTS_OF_THE_DESK)
def test_an_operators_action_is_reported_without_the_person(
    caplog: pytest.LogCaptureFixture, method: str
) -> None:
    """Procedure, cl. 13 and 16: an event has the operator's action; the record says about whom."""
    registry = create_autospec(OperatorRegistry, instance=True)
    arguments, named = arguments_of(method)
    with caplog.at_level(logging.INFO, "makul.security"):
        returned = perform(AuditedRegistry(registry, "anna"), method, arguments, named)

    called = getattr(registry, method)
    called.assert_called_once_with(*arguments, **named)
    assert len(registry.method_calls) == 1
    entered = called.return_value.__enter__.return_value if method == "read_month" else None
    assert returned in (called.return_value, entered, None)
    expected = EVENTS_OF_THE_DESK[method]
    lines = [json.loads(_Lines(None).format(record)) for record in caplog.records]
    assert [(line["event.code"], line["user.name"]) for line in lines] == (
        [] if expected is None else [(expected.value.code, "anna")]
    )
    assert all("event.reason" not in line and "organization.id" not in line for line in lines)


@pytest.mark.parametrize("method", EVENTS_OF_THE_DESK)
def test_a_failed_action_is_not_reported(caplog: pytest.LogCaptureFixture, method: str) -> None:
    """A look or a change that failed did not happen."""
    registry = create_autospec(OperatorRegistry, instance=True)
    getattr(registry, method).side_effect = OperatorRegistryError("no")
    arguments, named = arguments_of(method)
    with (
        caplog.at_level(logging.INFO, "makul.security"),
        pytest.raises(OperatorRegistryError, match="no"),
    ):
        perform(AuditedRegistry(registry, "anna"), method, arguments, named)

    assert caplog.records == []


def test_every_event_of_the_catalogue_is_sent_somewhere() -> None:
    """Each is sent by the reasons of a request, or by name in a call."""
    root = Path(makul.__file__).parent
    catalogue = root / "observability" / "security_events.py"
    named = {
        node.attr
        for path in root.rglob("*.py")
        if path != catalogue
        for node in ast.walk(ast.parse(path.read_bytes()))
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) in {"Event", "SecurityEvent"}
    }

    assert {event.name for event in Event} == named | {event.name for event in BY_REASON.values()}


def test_events_may_have_no_request(caplog: pytest.LogCaptureFixture) -> None:
    """An event without a request has neither a recipient nor a trace."""
    with caplog.at_level(logging.INFO, "makul.security"):
        emit_security_event(Event.RELOAD_REFUSED, listener="wsse")

    event = json.loads(_Lines(None).format(caplog.records[0]))
    assert event.keys().isdisjoint({"organization.id", "trace.id", "user.name", "event.reason"})
    assert event["event.severity"] == Event.RELOAD_REFUSED.value.severity


def test_a_context_keeps_each_code_once() -> None:
    """Two attributes beyond an agreement are two reasons and one code."""
    twice = account(
        decided=decided(Reason(code=Code.AGR_04, field="a"), Reason(code=Code.AGR_04, field="b"))
    )

    assert twice.codes == ("AGR-04",)
    assert replace(twice, request_id=UUID(int=1)).outcome == "REFUSED"
