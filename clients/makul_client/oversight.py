"""The client of the supervising bodies: one method for each operation of the oversight port.

    from pathlib import Path
    from makul_client import OversightClient

    with OversightClient.from_file(Path("inspector.toml")) as client:
        done = client.cut_off("COM/60000001", justification="Data without consent, report 14")

A method returns what was done, and raises if it was not done (see `errors`). The receipt of every
act is verified before any part of the answer is read. An act that may safely be repeated is
repeated with its id, which takes effect only once.
"""

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar
from uuid import UUID

from makul_client._internal.act_exchange import ActExchange, unsuitable_answer
from makul_client._internal.request_sender import Context, RequestSender
from makul_client._internal.soap_messages import Port
from makul_client._internal.wsse import utc_now
from makul_client.models.acts import Act, CutOff, MonthCount, Statistics, Termination
from makul_client.models.response import Receipt
from makul_client.officer_profile import OfficerProfile
from makul_client.receipts.verifier import ReceiptVerifier

T = TypeVar("T")


class OversightClient:
    """The client of one officer, which sends acts to the service.

    Use one client for many acts, in one thread at a time. Close it, or use `with`. Raises
    `ProfileError` if the profile's keys or certificates cannot be used.
    """

    def __init__(
        self,
        profile: OfficerProfile,
        *,
        clock: Callable[[], datetime] = utc_now,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.profile = profile
        self._receipts = ReceiptVerifier(profile.operator)
        self._clock = clock
        self._sender = RequestSender(profile, Port.OVERSIGHT, clock=clock, pause=pause)
        self._acts = ActExchange(
            member=profile.officer.body,
            language=profile.language,
            receipts=self._receipts,
            sender=self._sender,
            clock=clock,
        )

    @classmethod
    def from_file(cls, profile: Path) -> Self:
        """Return a client for the profile in this file."""
        return cls(OfficerProfile.load(profile))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._sender.close()

    def cut_off(
        self, recipient: str, *, justification: str, request_id: UUID | None = None
    ) -> CutOff:
        """Stop a recipient completely (Procedure, cl. 12).

        Nothing that is decided after this act gives the recipient anything. Raises `RefusedError`
        (OVR-*) if it cannot be cut off, or if this officer may not do it.
        """

        def read(answer: Any, act: Act) -> CutOff:
            state = _state(answer.recipientState, "CUT_OFF")
            return CutOff(recipient=recipient, recipient_state=state, act=act)

        fields = {"recipient": recipient, "justification": justification}
        return self._carry_out("CutOffRecipient", fields, request_id, read)

    def terminate(
        self, agreement: str, *, justification: str, request_id: UUID | None = None
    ) -> Termination:
        """Propose to terminate an agreement, or carry out what another officer proposed (cl. 12).

        The result says which. Raises `RefusedError` (OVR-05) for the officer who proposed it.
        """

        def read(answer: Any, act: Act) -> Termination:
            state = _state(answer.terminationState, "PROPOSED", "TERMINATED")
            return Termination(agreement=agreement, termination_state=state, act=act)

        fields = {"agreementNumber": agreement, "justification": justification}
        return self._carry_out("TerminateAgreement", fields, request_id, read)

    def statistics(
        self, month: str, *, recipient: str | None = None, request_id: UUID | None = None
    ) -> Statistics:
        """Return the numbers of the decisions of a month, such as `2026-10` (Procedure, cl. 11)."""

        def read(answer: Any, act: Act) -> Statistics:
            counts = tuple(_month_count(each) for each in answer.count)
            return Statistics(month=month, recipient=recipient, counts=counts, act=act)

        fields = {"month": month, **({} if recipient is None else {"recipient": recipient})}
        return self._carry_out("GetStatistics", fields, request_id, read)

    def verify_receipt(self, document: bytes) -> Receipt:
        """Return the verified receipt of an earlier act of this body. Raises `ReceiptError`."""
        return self._receipts.verify_kept(document, at=self._clock())

    def _carry_out(
        self,
        operation: str,
        fields: Mapping[str, Any],
        request_id: UUID | None,
        read: Callable[[Any, Act], T],
    ) -> T:
        """Send an act of this officer, and read its answer once it is proved."""
        context = Context(employee=self.profile.officer.identifier, request_id=request_id)
        return self._acts.carry_out(operation, fields, context, read)


def _state(stated: str | None, *possible: str) -> str:
    """Return the state after an act that was done.

    Raises `TransportError` for a state that this version does not know, because it may mean that
    less was done than the officer believes.
    """
    if stated not in possible:
        raise unsuitable_answer()
    return stated


def _month_count(read: Any) -> MonthCount:
    return MonthCount(
        recipient=read.recipient,
        purpose=read.purpose,
        outcome=read.outcome,
        ground_kind=read.groundKind,
        decisions=int(read.decisions),
        repetitions=int(read.repetitions),
    )
