"""The first steps that every decision takes: who asks, by which id, and what the record knows."""

from dataclasses import dataclass

from makul.app.ports import (
    Asker,
    Caller,
    Clock,
    Register,
    RejectedError,
    RequestKey,
    Space,
    Standing,
)
from makul.app.recording import Draft
from makul.app.requests import Asked, AskedUnderAgreement
from makul.domain.disclosures import Operation, Outcome
from makul.domain.identifiers import Pin, PurposeCode
from makul.domain.reasons import Code, Reason


@dataclass(frozen=True, slots=True)
class Received:
    """A request beside what the record holds, and the refusal it is until it is judged."""

    draft: Draft
    standing: Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class Reception:
    """Receives requests of callers whom a channel has proved."""

    clock: Clock
    register: Register

    def receive(
        self,
        asked: Asked,
        caller: Caller,
        *,
        space: Space,
        operation: Operation,
        purpose: PurposeCode | None = None,
        subject: Pin | None = None,
    ) -> Received:
        """Read the caller's standing; raises `RejectedError` for a stranger (RCP-01).

        `purpose` and `subject` are what the request itself says of them.
        """
        at = self.clock()
        key = RequestKey(
            recipient=caller.recipient,
            space=space,
            request_id=asked.request_id,
            digest=asked.digest,
            asker=Asker(
                subsystem=caller.subsystem,
                employee=asked.employee,
                case_number=asked.case_number,
            ),
        )
        under = asked.agreement_number if isinstance(asked, AskedUnderAgreement) else None
        standing = self.register.standing(key, under)
        if standing.recipient is None:
            raise RejectedError(Reason(code=Code.RCP_01), request_id=asked.request_id)
        draft = Draft(
            key=key,
            caller=caller,
            operation=operation,
            agreement_number=under,
            terms=standing.agreement,
            outcome=Outcome.REFUSED,
            at=at,
            purpose=purpose,
            subject=subject,
        )
        return Received(draft, standing)
