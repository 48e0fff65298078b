"""The first steps that every decision takes: who asks, by which id, and what the record knows."""

from dataclasses import dataclass
from datetime import datetime

from makul.app.ports import (
    Asker,
    Caller,
    Clock,
    Register,
    RejectedError,
    RequestKey,
    RequestSnapshot,
    Space,
)
from makul.app.recording import PendingDecision
from makul.app.requests import AgreementRequest, BaseRequest
from makul.domain.disclosures import Operation, Outcome
from makul.domain.identifiers import Pin, PurposeCode
from makul.domain.reasons import Code, Reason
from makul.domain.usage import DEFAULT_LIMITS, Excess, UsageLimits, find_excess


@dataclass(frozen=True, slots=True)
class IntakeResult:
    """A request beside what the record holds, and the refusal it is until it is judged."""

    draft: PendingDecision
    standing: RequestSnapshot
    excess: Reason | None = None
    """The limit that the recipient reached (REQ-06): the request is refused and not judged."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestIntake:
    """Receives requests of callers whom a channel has proved."""

    clock: Clock
    register: Register
    limits: UsageLimits = DEFAULT_LIMITS

    def receive(
        self,
        asked: BaseRequest,
        caller: Caller,
        *,
        space: Space,
        operation: Operation,
        purpose: PurposeCode | None = None,
        subject: Pin | None = None,
    ) -> IntakeResult:
        """Read the caller's standing.

        Raises `RejectedError` for a stranger (RCP-01), and for a recipient that goes on far beyond
        its limits (REQ-06): of that nothing is recorded.

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
        under = asked.agreement_number if isinstance(asked, AgreementRequest) else None
        standing = self.register.standing(key, under, at=at)
        if standing.recipient is None:
            raise RejectedError(Reason(code=Code.RCP_01), request_id=asked.request_id)
        excess = self._excess(standing, space, at)
        if excess is not None and not excess.recorded:
            raise RejectedError(excess.reason, request_id=asked.request_id)
        draft = PendingDecision(
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
        return IntakeResult(draft, standing, excess.reason if excess is not None else None)

    def _excess(self, standing: RequestSnapshot, space: Space, at: datetime) -> Excess | None:
        agreement, recipient = standing.agreement, standing.recipient
        limits = self.limits
        if agreement is not None and recipient is not None:
            # Another's agreement sets no limit for this recipient.
            own = agreement if agreement.recipient == recipient.code else None
            limits = limits.under(own, at=at)
        if space is Space.REVOCATION:
            limits = limits.doubled()
        return find_excess(standing.usage, limits, at=at)
