"""The mechanism of acts: identify the officer, judge, record, and answer with a receipt.

An operation is one module of `app.oversight`, `app.recipient_acts` or `app.subject_acts`, with one
class that derives from `OversightOperation`, `RecipientOperation` or `SubjectOperation`
(CONTRIBUTING.md, "Add an operation"). The class names its request type and its target, and decides.
Everything else is done here, once.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, timedelta
from importlib import import_module
from inspect import getmembers, isclass
from pkgutil import iter_modules
from typing import Any, ClassVar, Generic, TypeVar
from uuid import UUID

from makul.app.citizen_identification import CitizenIdentification
from makul.app.ports import (
    Caller,
    Clock,
    Documents,
    DocumentVerifier,
    NamedParty,
    Receipt,
    ReceiptSigner,
    RejectedError,
    SignedDocuments,
)
from makul.app.ports.acts import (
    ActDecision,
    ActFacts,
    ActRecorder,
    ActRegister,
    Decide,
    OwnReceipts,
    RecordedAct,
    StatementPages,
    refuse_act,
)
from makul.app.ports.corrections import CorrectionReader
from makul.app.ports.identity import IdToken
from makul.app.ports.oversight import EvidenceParts
from makul.app.ports.subject import SubjectRecord
from makul.app.recording import Recording
from makul.domain.corrections import CorrectionTerms
from makul.domain.identifiers import MemberCode, Pin
from makul.domain.months import Month
from makul.domain.officers import Officer, OfficerRole
from makul.domain.reasons import Code, Reason

_STATED = (str, int, Month, UUID, date)
"""The types of the values that an act states as texts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActRequest:
    """The part that the request of every act has.

    A subclass adds the fields of its operation. Their names are those of the schema in snake case;
    their types say how the text is parsed (`soap.act_operations`).
    """

    request_id: UUID
    digest: bytes


RequestT = TypeVar("RequestT", bound=ActRequest)
RightsT = TypeVar("RightsT")


@dataclass(frozen=True, slots=True, kw_only=True)
class ActServices:
    """What every operation that is an act needs."""

    clock: Clock
    register: ActRegister
    recorder: ActRecorder[Any]
    recording: Recording
    documents: Documents
    signed_documents: SignedDocuments
    verifier: DocumentVerifier
    pages: StatementPages
    evidence: EvidenceParts
    receipts: OwnReceipts
    signer: ReceiptSigner
    corrections: CorrectionReader
    correction_terms: CorrectionTerms
    operator: MemberCode
    authorised_body: NamedParty | None
    """The authorised body; None if the settings name none."""


class ActOperation(ABC, Generic[RequestT, RightsT]):
    """One operation that is carried out as an act. A subclass gives its name, request and rule."""

    port: ClassVar[str]
    """The port that publishes it: `recipient`, `oversight` or `subject`."""
    name: ClassVar[str]
    """The name of the operation in the WSDL."""
    request: ClassVar[type[ActRequest]]
    reads_only: ClassVar[bool] = False
    """True if the operation changes nothing."""

    def __init__(self, services: ActServices) -> None:
        self._services = services

    @abstractmethod
    def identify(self, request: RequestT, caller: Caller) -> Officer | None:
        """Return the officer who acts; None if the caller itself acts.

        Raises `RejectedError` for a caller who may request nothing at this port.
        """

    def admit(
        self,
        request: RequestT,  # noqa: ARG002 - the signature of all operations
        facts: ActFacts,
    ) -> tuple[ActFacts, tuple[Reason, ...]]:
        """Return the facts, completed, and the reasons against this actor's request."""
        return facts, ()

    @abstractmethod
    def target(self, request: RequestT) -> str:
        """Return what the act is about, for the ledger; no personal data."""

    def recipient_to_lock(self, request: RequestT) -> MemberCode | None:  # noqa: ARG002
        """Return the recipient from which this act may withdraw a right; None if there is none."""
        return None

    def find_lock(
        self,
        request: RequestT,
        facts: ActFacts,  # noqa: ARG002 - an act of a recipient names no recipient
    ) -> MemberCode | None:
        """Return the recipient whose running decisions end before this act."""
        return self.recipient_to_lock(request)

    def prepare(self, request: RequestT, facts: ActFacts) -> Decide[RightsT]:
        """Return the function that decides. An operation that only reads does so here, unlocked."""
        return lambda rights: self.decide(request, facts, rights)

    def decide(self, request: RequestT, facts: ActFacts, rights: RightsT) -> ActDecision:
        """Judge the act on locked rows, and apply it if it is allowed."""
        raise NotImplementedError

    def __call__(self, request: RequestT, caller: Caller) -> bytes:
        """Return the answer of the act after its commit.

        Raises `RejectedError` for an unknown caller, for a repeated message (REQ-09), and for too
        many in a minute (REQ-06). Raises `StoreUnavailableError`.
        """
        services = self._services
        officer = self.identify(request, caller)
        at = services.clock()
        services.recording.register_message_id(caller, request.request_id, at=at)
        facts = ActFacts(
            operation=self.name,
            port=self.port,
            caller=caller,
            officer=officer,
            request_id=request.request_id,
            request_digest=request.digest,
            at=at,
            target=self.target(request),
            stated=_stated(request),
            reads_only=self.reads_only,
        )
        facts, reasons = self.admit(request, facts)
        decide: Decide[RightsT] = lambda _: refuse_act(reasons)  # noqa: E731
        if not reasons:
            # Only who may act makes the decisions of a recipient wait.
            facts = replace(facts, locks=self.find_lock(request, facts))
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
            recipient=facts.caller.recipient,
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


class OversightOperation(ActOperation[RequestT, RightsT]):
    """An operation of an officer of a supervising body."""

    port = "oversight"
    roles: ClassVar[frozenset[OfficerRole]]
    """The roles that may request it."""

    def identify(self, request: RequestT, caller: Caller) -> Officer:
        """Return the registered officer. Raises `RejectedError` (RCP-04)."""
        return identify_officer(self._services.register, caller, request.request_id)

    def admit(
        self,
        request: RequestT,  # noqa: ARG002 - the signature of all operations
        facts: ActFacts,
    ) -> tuple[ActFacts, tuple[Reason, ...]]:
        """Require an officer with one of the roles (OVR-01)."""
        may_act = facts.officer is not None and facts.officer.role in self.roles
        return facts, () if may_act else (Reason(code=Code.OVR_01),)


class RecipientOperation(ActOperation[RequestT, RightsT]):
    """An operation of a recipient about its own affairs.

    A recipient in any state may request it: also one that is cut off answers for its months.
    """

    port = "recipient"

    def identify(self, request: RequestT, caller: Caller) -> None:
        """Raise `RejectedError` (RCP-01) for an unknown recipient."""
        if not self._services.register.is_recipient(caller.recipient):
            raise RejectedError(Reason(code=Code.RCP_01), request_id=request.request_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectRequest(ActRequest):
    """The part that every request of the subject port has."""

    id_token: IdToken


SubjectRequestT = TypeVar("SubjectRequestT", bound=SubjectRequest)


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectServices(ActServices):
    """What every operation of the subject port needs."""

    citizens: CitizenIdentification
    record: SubjectRecord
    hidden_at_most: timedelta
    """The longest time for which a statement may be kept from its subject (cl. 5.1)."""


class SubjectOperation(ActOperation[SubjectRequestT, RightsT]):
    """An operation of a portal on behalf of the citizen who logged in there.

    The channel identifies the portal, and the ID token the citizen. `facts.subject` is the citizen.
    """

    port = "subject"
    _services: SubjectServices

    def __init__(self, services: SubjectServices) -> None:
        super().__init__(services)

    def identify(self, request: SubjectRequestT, caller: Caller) -> None:
        """Raise `RejectedError` (RCP-04) for a caller that is not a portal."""
        self._services.citizens.require_portal(caller, request.request_id)

    def admit(
        self, request: SubjectRequestT, facts: ActFacts
    ) -> tuple[ActFacts, tuple[Reason, ...]]:
        """Verify the token and name the citizen in the facts (SUB-01, SUB-02)."""
        token = request.id_token
        stated = {**facts.stated, "idTokenDigest": token.digest.hex()}
        facts = replace(facts, stated=stated)
        identified = self._services.citizens.identify(token, facts)
        if isinstance(identified, Pin):
            return replace(facts, subject=identified), ()
        return facts, identified


ActPort = Mapping[str, ActOperation[Any, Any]]
"""Operations by their names in the WSDL."""


def find_operations(package: str) -> Sequence[type[ActOperation[Any, Any]]]:
    """Return every operation of a package, by name: each module that defines one is found."""
    paths = import_module(package).__path__
    operations = {
        each.name: each
        for module in iter_modules(paths, f"{package}.")
        for _, each in getmembers(import_module(module.name), isclass)
        if issubclass(each, ActOperation) and each.__module__ == module.name
    }
    return [operations[name] for name in sorted(operations)]


def build_acts(package: str, services: ActServices) -> ActPort:
    """Build every operation of a package with these services."""
    return {operation.name: operation(services) for operation in find_operations(package)}


def identify_officer(register: ActRegister, caller: Caller, request_id: UUID) -> Officer:
    """Return the officer who sent a message.

    The certificate identifies the officer. Over X-Road the member and its statement of the user
    (`xrd:userId`) do. Raises `RejectedError` (RCP-04).
    """
    if caller.certificate is not None:
        officer = register.officer(caller.certificate)
    elif caller.employee is not None:
        officer = register.officer_by_identifier(caller.recipient, caller.employee)
    else:
        officer = None
    if officer is None or officer.member != caller.recipient:
        raise RejectedError(Reason(code=Code.RCP_04), request_id=request_id)
    return officer


def require_officer(facts: ActFacts) -> Officer:
    """Return the officer of an act of the oversight port."""
    if facts.officer is None:
        raise TypeError("an act of the oversight port has an officer")
    return facts.officer


def require_subject(facts: ActFacts) -> Pin:
    """Return the citizen of an act of the subject port."""
    if facts.subject is None:
        raise TypeError("an act of the subject port has a citizen")
    return facts.subject


def _stated(request: ActRequest) -> dict[str, str | None]:
    """Return the fields of a request as texts by their names on the wire, for the act's statement.

    Documents and lists are stated by the digest of the request, so they are left out.
    """
    common = {field.name for field in fields(ActRequest)}
    stated: dict[str, str | None] = {}
    for field in fields(request):
        value = getattr(request, field.name)
        if field.name not in common and (value is None or isinstance(value, _STATED)):
            stated[wire_name(field.name)] = None if value is None else _text(value)
    return stated


def _text(value: object) -> str:
    """Return a value as the text that it has in XML."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def wire_name(field: str) -> str:
    """Return the name of a field in the schema: `agreement_number` is `agreementNumber`."""
    first, *others = field.split("_")
    return first + "".join(each.capitalize() for each in others)
