"""The mechanism of acts: identify the officer, judge, record, and answer with a receipt.

An operation of the oversight port is one module of this package with one class that derives from
`OversightOperation` (CONTRIBUTING.md, "Add an operation"). The class names its request type and its
target, and decides. Everything else is done here, once.
"""

from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Generic, TypeVar
from uuid import UUID

from makul.app.ports import (
    Caller,
    Clock,
    Documents,
    Receipt,
    ReceiptSigner,
    RejectedError,
)
from makul.app.ports.acts import (
    ActDecision,
    ActFacts,
    ActRecorder,
    Decide,
    OversightRegister,
    RecordedAct,
    refuse_act,
)
from makul.app.recording import Recording
from makul.domain.identifiers import MemberCode
from makul.domain.officers import Officer, OfficerRole
from makul.domain.reasons import Code, Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class ActRequest:
    """The part that every request of the oversight port has.

    A subclass adds the fields of its operation. Their names are those of the schema in snake case;
    their types say how the text is parsed (`soap.oversight_operations`).
    """

    request_id: UUID
    digest: bytes


RequestT = TypeVar("RequestT", bound=ActRequest)
RightsT = TypeVar("RightsT")


@dataclass(frozen=True, slots=True, kw_only=True)
class OversightServices:
    """What every operation of the oversight port needs."""

    clock: Clock
    register: OversightRegister
    recorder: ActRecorder[Any]
    recording: Recording
    documents: Documents
    signer: ReceiptSigner
    operator: MemberCode


class OversightOperation(Generic[RequestT, RightsT]):
    """One operation of the oversight port. A subclass gives its name, its request and its rule."""

    name: ClassVar[str]
    """The name of the operation in the WSDL."""
    request: ClassVar[type[ActRequest]]
    roles: ClassVar[frozenset[OfficerRole]]
    """The roles that may request it; any other is refused with OVR-01."""

    def __init__(self, services: OversightServices) -> None:
        self._services = services

    def target(self, request: RequestT) -> str:
        """Return what the act is about, for the ledger; no personal data."""
        raise NotImplementedError

    def recipient_to_lock(self, request: RequestT) -> MemberCode | None:  # noqa: ARG002
        """Return the recipient from which this act may withdraw a right; None if there is none."""
        return None

    def prepare(self, request: RequestT, facts: ActFacts) -> Decide[RightsT]:
        """Return the function that decides. An operation that only reads does so here, unlocked."""
        return lambda rights: self.decide(request, facts, rights)

    def decide(self, request: RequestT, facts: ActFacts, rights: RightsT) -> ActDecision:
        """Judge the act on locked rows, and apply it if it is allowed."""
        raise NotImplementedError

    def __call__(self, request: RequestT, caller: Caller) -> bytes:
        """Return the answer of the act after its commit.

        Raises `RejectedError` if the caller is not a registered officer (RCP-04), for a repeated
        message (REQ-09), and for too many in a minute (REQ-06). Raises `StoreUnavailableError`.
        """
        services = self._services
        officer = identify_officer(services.register, caller, request.request_id)
        at = services.clock()
        services.recording.register_message_id(caller, request.request_id, at=at)
        facts = ActFacts(
            operation=self.name,
            officer=officer,
            caller=caller,
            request_id=request.request_id,
            request_digest=request.digest,
            at=at,
            target=self.target(request),
            stated=_stated(request),
            locks=self.recipient_to_lock(request),
        )
        decide: Decide[RightsT] = _refuse_role
        if officer.role in self.roles:
            decide = self.prepare(request, facts)
        return services.recorder.carry_out(
            facts, decide, lambda recorded: self._render(facts, recorded)
        )

    def _render(self, facts: ActFacts, recorded: RecordedAct) -> bytes:
        """Return the answer with its receipt, which binds the whole answer (invariant 8)."""
        services = self._services
        answer = services.documents.act_answer(facts, recorded)
        receipt = Receipt(
            receipt_id=recorded.act_id,
            request_id=facts.request_id,
            request_digest=facts.request_digest,
            operation=facts.operation,
            recipient=facts.officer.member,
            agreement_number=None,
            outcome=recorded.decision.outcome,
            reasons=recorded.decision.reasons,
            released=frozenset(),
            payload_digest=None,
            answer_digest=answer.digest,
            ground=None,
            decided_at=facts.at,
            leaf_hash=recorded.leaf_hash,
            operator=services.operator,
        )
        signed = services.signer.sign(services.documents.receipt(receipt), at=facts.at)
        return answer.with_receipt(signed)


OversightPort = dict[str, Callable[[Any, Caller], bytes]]
"""The operations of the oversight port by their names in the WSDL."""


def identify_officer(officers: OversightRegister, caller: Caller, request_id: UUID) -> Officer:
    """Return the officer who sent a message.

    The certificate identifies the officer. Over X-Road the member and its statement of the user
    (`xrd:userId`) do. Raises `RejectedError` (RCP-04).
    """
    if caller.certificate is not None:
        officer = officers.officer(caller.certificate)
    elif caller.employee is not None:
        officer = officers.officer_by_identifier(caller.recipient, caller.employee)
    else:
        officer = None
    if officer is None or officer.member != caller.recipient:
        raise RejectedError(Reason(code=Code.RCP_04), request_id=request_id)
    return officer


def _refuse_role(_: object) -> ActDecision:
    return refuse_act((Reason(code=Code.OVR_01),))


def _stated(request: ActRequest) -> dict[str, str | None]:
    """Return the fields of a request as texts, for the statement of the act.

    A document is stated by the digest of the request, so bytes are left out.
    """
    common = {field.name for field in fields(ActRequest)}
    stated: dict[str, str | None] = {}
    for field in fields(request):
        value = getattr(request, field.name)
        if field.name not in common and not isinstance(value, bytes):
            stated[field.name] = None if value is None else str(value)
    return stated
