"""First steps of every decision: identify the request and read the state of the record."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Generic, TypeVar

from makul.app.ports import (
    Caller,
    Clock,
    DecisionFacts,
    Refusal,
    Register,
    RejectedError,
    RequestSnapshot,
    Space,
)
from makul.app.requests import AgreementRequest, BaseRequest
from makul.domain.identifiers import Pin, PurposeCode
from makul.domain.reasons import Code, Reason
from makul.domain.usage import DEFAULT_LIMITS, Excess, UsageLimits, find_excess

FactsT = TypeVar("FactsT", bound=DecisionFacts)


@dataclass(frozen=True, slots=True)
class IntakeResult(Generic[FactsT]):
    """The facts of a request with the state of the record."""

    facts: FactsT
    snapshot: RequestSnapshot
    excess: Refusal | None = None
    """The refusal if the recipient reached a limit (REQ-06).

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
        request: BaseRequest,
        caller: Caller,
        kind: type[FactsT],
        *,
        purpose: PurposeCode | None = None,
        subject: Pin | None = None,
    ) -> IntakeResult[FactsT]:
        """Read the caller's state of the record and collect the facts of this kind of request.

        Raises `RejectedError` for an unknown recipient (RCP-01), and for a recipient far beyond its
        limits (REQ-06). Nothing is recorded in either case.

        `purpose` and `subject` are the values that the request itself states.
        """
        facts = kind(
            caller=caller,
            request_id=request.request_id,
            request_digest=request.digest,
            employee=request.employee,
            case_number=request.case_number,
            at=self.clock(),
            agreement_number=(
                request.agreement_number if isinstance(request, AgreementRequest) else None
            ),
            purpose=purpose,
            subject=subject,
        )
        snapshot = self.register.snapshot(facts.key, facts.agreement_number, at=facts.at)
        if snapshot.recipient is None:
            raise RejectedError(Reason(code=Code.RCP_01), request_id=request.request_id)
        excess = self._find_excess(snapshot, facts.space, facts.at)
        if excess is not None and not excess.recorded:
            raise RejectedError(excess.reason, request_id=request.request_id)
        facts = replace(facts, terms=snapshot.agreement)
        refusal = Refusal(facts=facts, reasons=(excess.reason,)) if excess is not None else None
        return IntakeResult(facts, snapshot, refusal)

    def _find_excess(self, snapshot: RequestSnapshot, space: Space, at: datetime) -> Excess | None:
        agreement, recipient = snapshot.agreement, snapshot.recipient
        limits = self.limits
        if agreement is not None and recipient is not None:
            # The agreement of another recipient sets no limit for this one.
            own = agreement if agreement.recipient == recipient.code else None
            limits = limits.under(own, at=at)
        if space is Space.REVOCATION:
            limits = limits.doubled()
        return find_excess(snapshot.usage, limits, at=at)
