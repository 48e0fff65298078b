"""The steps with earlier answers: repetition, repetition by others, and receipts."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from uuid import UUID, uuid4

from makul_client import Client, Context, RefusedError
from makul_client.models.response import PersonData, Receipt
from makul_sandbox.demo.client_session import DemoClient, describe_result
from makul_sandbox.demo.intercepting_proxy import Eavesdropper

_XROAD = b"http://x-road.eu/xsd/xroad.xsd"
_END_OF_HEADER = re.compile(rb"(?=</[\w-]+:Header>)")
_SUBSYSTEM = re.compile(rb"(subsystemCode>)bank(<)")

ON_HOLD_PARTY = "insurer"
"""The party that the operator releases and holds. It is on hold before and after."""


@dataclass(frozen=True, slots=True)
class _Asker:
    """The asker, as the headers of X-Road name them."""

    employee: bytes = b"clerk-1"
    case: bytes = b"case-1"
    subsystem: bytes = b"bank"

    def named_in(self, message: bytes) -> bytes:
        """Return a message of the bank with these headers.

        Its Body stays the same byte for byte.
        """
        template = b'<x:userId xmlns:x="%s">%s</x:userId><x:issue xmlns:x="%s">%s</x:issue>'
        headers = template % (_XROAD, self.employee, _XROAD, self.case)
        message_with_asker = _END_OF_HEADER.sub(lambda _: headers, message, count=1)
        return _SUBSYSTEM.sub(rb"\g<1>%s\g<2>" % self.subsystem, message_with_asker, count=1)


FIRST = _Asker()
OTHERS = (
    _Asker(employee=b"clerk-2"),
    _Asker(case=b"case-2"),
    _Asker(subsystem=b"branch"),
)


class _InformationSystem:
    """The bank's own system behind its security server, which names the asker."""

    asker = FIRST

    def name_asker(self, message: bytes) -> bytes:
        """Return the message with the headers of the present asker."""
        return self.asker.named_in(message)


def repeat_by_others(demo: DemoClient) -> str:
    """Send one Body under one id for others of the same bank, then for the first asker again."""
    request_id, system = uuid4(), _InformationSystem()
    with Eavesdropper(demo.urls["xroad"], system.name_asker) as way:
        client = demo.intercepted_client("bank", way.url, "xroad")
        first = _get_data(demo, client, request_id).decision
        others = []
        for system.asker in OTHERS:
            others.append(_describe_with_fields(lambda: _get_data(demo, client, request_id)))
        before, system.asker = demo.repetitions(first.disclosure_id), FIRST
        second = _get_data(demo, client, request_id).decision
    recorded = demo.repetitions(first.disclosure_id) - before
    same = first.receipt.document == second.receipt.document
    return (
        f"{first.outcome}; {', '.join(others)};"
        f" then {'the same' if same else 'another'} answer, {recorded} recorded"
    )


def receipt_of_disclosure(demo: DemoClient) -> str:
    """Fetch a disclosure's receipt after other answers under its id, on hold, and after release."""
    demo.release(ON_HOLD_PARTY)
    try:
        return _fetch_each_time(demo)
    finally:
        demo.hold(ON_HOLD_PARTY)


def _fetch_each_time(demo: DemoClient) -> str:
    source, client, request_id = (
        demo.document("insurer-01-data"),
        demo.client(ON_HOLD_PARTY),
        uuid4(),
    )
    released = demo.data("insurer-01-data", request_id=request_id)
    document = released.decision.receipt.document
    refused = describe_result(
        lambda: demo.data("insurer-01-data", attributes=("surname",), request_id=request_id)
    )
    explained = describe_result(
        lambda: client.explain(
            source.operation,
            methods=["demographic"],
            attributes=source.attributes,
            ground=source.ground,
            context=Context(request_id=request_id),
        )
    )
    after = _fetch_receipt(client, request_id, document)
    demo.hold(ON_HOLD_PARTY)
    held = _fetch_receipt(client, request_id, document)
    demo.release(ON_HOLD_PARTY)
    again = _fetch_receipt(client, request_id, document)
    return (
        f"{describe_result(lambda: released)}, {refused}, {explained}, then {after};"
        f" on hold {held}; released {again}"
    )


def _fetch_receipt(client: Client, request_id: UUID, document: bytes) -> str:
    receipts: list[Receipt] = []
    refusal = describe_result(lambda: receipts.append(client.receipt(request_id)))
    if not receipts:
        return refusal
    return f"{'the same' if receipts[0].document == document else 'another'} receipt"


def _get_data(demo: DemoClient, client: Client, request_id: UUID) -> PersonData:
    return demo.data("bank-07-data", client=client, request_id=request_id)


def _describe_with_fields(act: Callable[[], PersonData]) -> str:
    """Return the result as text, with the fields that the reasons name."""
    try:
        result = act()
    except RefusedError as error:
        return " ".join(f"{each.code} ({each.field})" for each in error.reasons)
    return describe_result(lambda: result)
