"""One exchange with the service: write, sign, send, verify, read, and repeat if that is safe.

The order is an invariant. The receipt, and by its digest the whole answer, is verified before any
part of the answer is read or decrypted. So a refusal is proved in the same way as a release. If the
profile names a directory for receipts, the receipt is on the disk before the answer is read.
"""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypeVar
from uuid import UUID

from makul_client._internal import response_decoder as reading
from makul_client._internal.act_exchange import ActExchange
from makul_client._internal.crypto.decryption import DeliveryDecryptor
from makul_client._internal.nonces import nonces_for
from makul_client._internal.request_sender import Context, RequestSender
from makul_client._internal.soap_messages import Answer, Port
from makul_client.errors import (
    EncryptionError,
    EncryptionFlaw,
    NotMatchedError,
    RefusedError,
    TransportError,
    UndeterminedError,
)
from makul_client.models.acts import Act
from makul_client.models.request import BasisDocument, ConsentDocument, Ground, ground_on_wire
from makul_client.models.response import Decision, Receipt
from makul_client.profile import Profile
from makul_client.receipts.directory import ReceiptDirectory
from makul_client.receipts.verifier import ClaimedAnswer, ReceiptVerifier, SentRequest
from makul_client.translation import translate

T = TypeVar("T")

_RAISED: Final[Mapping[str, type[RefusedError]]] = {
    "REFUSED": RefusedError,
    "NOT_MATCHED": NotMatchedError,
    "UNDETERMINED": UndeterminedError,
}

READ_MONTH: Final = "GetMonthlyStatement"
"""The act that only reads. It may be repeated at any time, so its receipts are not kept."""

_WITH_NONCE: Final = frozenset({"VerifyPerson", "GetPersonData", "ExplainDecision"})
"""The operations whose requests may contain nothing unguessable, so they carry a nonce.

The requests of the other operations contain a signed document.
"""


class Exchange:
    """The sender of one recipient's requests. Loads the keys; raises `ProfileError`."""

    def __init__(
        self,
        profile: Profile,
        *,
        clock: Callable[[], datetime],
        pause: Callable[[float], None],
    ) -> None:
        self.receipts = ReceiptVerifier(profile.operator)
        self.clock = clock
        self._profile = profile
        self._sender = RequestSender(profile, Port.RECIPIENT, clock=clock, pause=pause)
        directory = profile.recipient.receipts
        self.kept = ReceiptDirectory(directory) if directory is not None else None
        self._acts = ActExchange(
            member=profile.recipient.code,
            language=profile.language,
            receipts=self.receipts,
            sender=self._sender,
            clock=clock,
            keep=self._keep_act_receipt,
        )
        self._nonces = nonces_for(profile)
        self._decryptor = (
            DeliveryDecryptor(profile.sealing) if profile.sealing is not None else None
        )

    def close(self) -> None:
        """Close the connections."""
        self._sender.close()

    def carry_out(
        self,
        operation: str,
        fields: Mapping[str, Any],
        context: Context,
        read: Callable[[Any, Act], T],
    ) -> T:
        """Send an act about the recipient's own month, and read its answer once it is proved."""
        if operation != READ_MONTH:
            self._require_directory()
        return self._acts.carry_out(operation, fields, context, read)

    def keep_receipt(self, receipt: Receipt) -> None:
        """Keep the receipt of a decision, if the profile names a directory for receipts."""
        if self.kept is not None:
            self.kept.keep(receipt)

    def _keep_act_receipt(self, receipt: Receipt) -> None:
        """Keep the receipt of an act that changes a month. A read may be repeated at any time."""
        if self.kept is not None and receipt.operation != READ_MONTH:
            self.kept.keep_act(receipt)

    def _require_directory(self) -> None:
        """Raise `ProfileError` before anything is sent, if a receipt could not be kept."""
        if self.kept is not None:
            self.kept.require_writable()

    def inquire(
        self,
        operation: str,
        fields: Mapping[str, Any],
        context: Context,
        read: Callable[[Any], T],
    ) -> T:
        """Send an inquiry, which is no decision and gets no receipt.

        Raises reasons as a refusal.
        """

        def attempt(request_id: UUID) -> T:
            values = {"requestId": str(request_id), "employee": context.employee, **fields}
            _, received = self._sender.send(operation, values, context, request_id)
            answer = self._sender.messages.read(operation, received)
            if UUID(answer.values.requestId) != request_id:
                raise TransportError(translate("the answer is to another request"), passing=False)
            if answer.values.reason if "reason" in answer.values else ():
                raise RefusedError(
                    reading.reasons(answer.values.reason),
                    request_id=request_id,
                    language=self._profile.language,
                )
            return read(answer.values)

        return self._sender.send_with_retries(operation, context, attempt)

    def decide(
        self,
        operation: str,
        fields: Mapping[str, Any],
        context: Context,
        read: Callable[[Any, Decision], T],
        *,
        ground: Ground | None = None,
        attributes: Sequence[str] = (),
        under_agreement: bool = True,
    ) -> T:
        """Request a decision, verify it by its receipt, and only then read it."""
        self._require_directory()
        agreement = self._profile.agreement if under_agreement else None
        values = {
            **({} if agreement is None else {"agreementNumber": agreement}),
            "employee": context.employee,
            "caseNumber": context.case_number,
            **fields,
        }
        if ground is not None:
            values["ground"] = ground_on_wire(ground)

        def attempt(request_id: UUID) -> T:
            message = {"requestId": str(request_id), **values}
            if self._nonces is not None and operation in _WITH_NONCE:
                message["nonce"] = self._nonces.nonce_for_request(request_id)
            digest, received = self._sender.send(operation, message, context, request_id)
            sent = SentRequest(
                request_id=request_id,
                digest=digest,
                operation=operation,
                recipient=self._profile.recipient.code,
                agreement=agreement,
                attributes=frozenset(attributes),
                ground_digest=_ground_digest(ground),
            )
            receipt = self.receipts.prove(
                received.receipt(), sent, received.digest(), at=self.clock()
            )
            self.keep_receipt(receipt)
            decrypted = self._decrypt_answer(self._sender.messages.read(operation, received), sent)
            return read(decrypted.values, self._decision(decrypted, receipt, sent))

        return self._sender.send_with_retries(operation, context, attempt)

    def require_outcome(self, decision: Decision, *outcomes: str) -> None:
        """Raise the error of the decision's outcome, unless it is one of the outcomes wanted."""
        if decision.outcome in outcomes:
            return
        kind = _RAISED.get(decision.outcome)
        if kind is None:
            raise TransportError(
                translate("the answer's outcome does not fit the question"), passing=False
            )
        raise kind(
            decision.reasons,
            request_id=decision.request_id,
            language=self._profile.language,
            decision=decision,
        )

    def _decrypt_answer(self, answer: Answer, sent: SentRequest) -> Answer:
        """Return the answer with its data decrypted and the signature inside verified."""
        if answer.sealed is None:
            sealing = self._profile.sealing
            if answer.person is not None and sealing is not None and not sealing.or_typed:
                raise EncryptionError(
                    EncryptionFlaw.MISSING, translate("the profile requires encryption")
                )
            return answer
        if self._decryptor is None:
            raise EncryptionError(EncryptionFlaw.NO_KEY, translate("add [sealing]"))
        document = self._decryptor.decrypt(answer.sealed)
        disclosure_id = UUID(answer.values.disclosureId)
        delivered = self.receipts.open_delivery(document, sent, disclosure_id, at=self.clock())
        return self._sender.messages.with_person(answer, delivered.person, delivered.payload_salt)

    def _decision(self, answer: Answer, receipt: Receipt, sent: SentRequest) -> Decision:
        values = answer.values
        claimed = ClaimedAnswer(
            request_id=UUID(values.requestId),
            disclosure_id=UUID(values.disclosureId),
            outcome=values.outcome,
            reasons=reading.reasons(values.reason),
            decided_at=values.decidedAt,
            person=answer.person,
            payload_salt=answer.payload_salt,
            attributes=reading.attributes_in(values.person if "person" in values else None),
        )
        self.receipts.compare(receipt, sent, claimed)
        return Decision(
            request_id=sent.request_id,
            disclosure_id=claimed.disclosure_id,
            outcome=claimed.outcome,
            reasons=claimed.reasons,
            decided_at=claimed.decided_at,
            receipt=receipt,
            corrections=tuple(map(UUID, values.corrections)) if "corrections" in values else (),
        )


def _ground_digest(ground: Ground | None) -> bytes | None:
    if isinstance(ground, ConsentDocument | BasisDocument):
        return hashlib.sha256(ground.document).digest()
    return None
