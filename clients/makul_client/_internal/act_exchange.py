"""One act at the service: sent, proved by its receipt, and only then read. Both ports use it.

An act changes or reads what is supervised. Its answer names the id of the act in the operator's
ledger. A refused act is recorded too, and proved in the same way.
"""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, Protocol, TypeVar
from uuid import UUID

from makul_client._internal import response_decoder as reading
from makul_client._internal.request_sender import Context, RequestSender
from makul_client.errors import RefusedError, TransportError, UndeterminedError
from makul_client.models.acts import Act
from makul_client.models.reasons import Language
from makul_client.models.response import Receipt
from makul_client.receipts.verifier import ClaimedAnswer, ReceiptVerifier, SentRequest
from makul_client.translation import translate

T = TypeVar("T")

_RAISED: Final[Mapping[str, type[RefusedError]]] = {
    "REFUSED": RefusedError,
    "UNDETERMINED": UndeterminedError,
}


class KeepReceipt(Protocol):
    """A function that keeps a verified receipt before the answer is read."""

    def __call__(self, receipt: Receipt, /) -> None: ...


def _keep_nothing(_: Receipt) -> None:
    return None


class ActExchange:
    """The sender of the acts of one member, an officer's body or a recipient."""

    def __init__(
        self,
        *,
        member: str,
        language: Language,
        receipts: ReceiptVerifier,
        sender: RequestSender,
        clock: Callable[[], datetime],
        keep: KeepReceipt = _keep_nothing,
    ) -> None:
        self._member = member
        self._language = language
        self._receipts = receipts
        self._sender = sender
        self._clock = clock
        self._keep = keep

    def carry_out(
        self,
        operation: str,
        fields: Mapping[str, Any],
        context: Context,
        read: Callable[[Any, Act], T],
    ) -> T:
        """Send an act, verify the answer by its receipt, and only then read it.

        Raises `RefusedError` or `UndeterminedError` if it was not done.
        """

        def attempt(request_id: UUID) -> T:
            values = {"requestId": str(request_id), **fields}
            digest, received = self._sender.send(operation, values, context, request_id)
            sent = SentRequest(
                request_id=request_id,
                digest=digest,
                operation=operation,
                recipient=self._member,
                agreement=None,
                attributes=frozenset(),
                ground_digest=None,
            )
            receipt = self._receipts.prove(
                received.receipt(), sent, received.digest(), at=self._clock()
            )
            self._keep(receipt)
            answer = self._sender.messages.read(operation, received).values
            act = self._act(answer, receipt, sent)
            self._require_done(act)
            return read(answer, act)

        return self._sender.send_with_retries(operation, context, attempt)

    def _act(self, answer: Any, receipt: Receipt, sent: SentRequest) -> Act:
        """Return the act that an answer reports, after comparing it with its receipt."""
        claimed = ClaimedAnswer(
            request_id=UUID(answer.requestId),
            disclosure_id=UUID(answer.actId),
            outcome=answer.outcome,
            reasons=reading.reasons(answer.reason),
            decided_at=answer.decidedAt,
            person=None,
            payload_salt=None,
            attributes=frozenset(),
        )
        self._receipts.compare(receipt, sent, claimed)
        return Act(
            request_id=sent.request_id,
            act_id=claimed.disclosure_id,
            outcome=claimed.outcome,
            reasons=claimed.reasons,
            decided_at=claimed.decided_at,
            receipt=receipt,
        )

    def _require_done(self, act: Act) -> None:
        if act.outcome == "DONE":
            return
        kind = _RAISED.get(act.outcome)
        if kind is None:
            raise unsuitable_answer()
        raise kind(
            act.reasons,
            request_id=act.request_id,
            language=self._language,
            decision=act,
        )


def unsuitable_answer() -> TransportError:
    """Return the error of an answer that does not fit the request."""
    return TransportError(
        translate("the answer's outcome does not fit the question"), passing=False
    )
