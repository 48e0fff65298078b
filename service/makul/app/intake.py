"""First steps of every decision: identify the request and read the state of the record."""

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
    """A request with the state of the record, and the refusal that stands until it is judged."""

    draft: PendingDecision
    standing: RequestSnapshot
    excess: Reason | None = None
    """The limit that the recipient reached (REQ-06).

    The request is then refused without judgement.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestIntake:
    """Receives requests of callers that a channel has authenticated."""

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
        """Read the caller's state of the record and draft a refusal.

        Raises `RejectedError` for an unknown recipient (RCP-01), and for a recipient far beyond its
        limits (REQ-06). Nothing is recorded in either case.

        `purpose` and `subject` are the values that the request itself states.
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
            # The agreement of another recipient sets no limit for this one.
            own = agreement if agreement.recipient == recipient.code else None
            limits = limits.under(own, at=at)
        if space is Space.REVOCATION:
            limits = limits.doubled()
        return find_excess(standing.usage, limits, at=at)
