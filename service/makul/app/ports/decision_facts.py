"""Facts of a decision: who requested what, and on which documents it was judged.

Each kind of request has its own class. The class fixes the operation and the space of the request
id, so that neither can contradict what was decided (docs/decisions/0039-facts-outcome-effects.md).
"""

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar
from uuid import UUID

from makul.app.ports.caller import Caller
from makul.app.ports.request_keys import Asker, RequestKey, Space
from makul.domain.agreements import Agreement
from makul.domain.disclosures import GroundRef, Operation
from makul.domain.identifiers import AgreementNumber, Pin, PurposeCode
from makul.domain.rules import Ruling


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """A document on which a decision was judged, and the report of how it was judged."""

    digest: bytes
    kind: str
    document: bytes
    report: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionFacts:
    """The facts that every decision has, for any outcome."""

    operation: ClassVar[Operation]
    space: ClassVar[Space]

    caller: Caller
    request_id: UUID
    request_digest: bytes
    """SHA-256 over the exclusive canonical form of the Body's child."""
    employee: str | None = None
    case_number: str | None = None
    at: datetime
    """The time of the decision."""
    agreement_number: AgreementNumber | None = None
    """The agreement that the request names."""
    terms: Agreement | None = None
    """The agreement under which the request was decided.

    If its terms have changed by the commit, nothing is recorded and the id stays open (REQ-05). The
    request must then be judged by the new terms.
    """
    purpose: PurposeCode | None = None
    subject: Pin | None = None
    ground: GroundRef | None = None
    evidence: tuple[Evidence, ...] = ()
    official: bytes | None = None
    """SHA-256 of the certificate of the official who signed the basis statement.

    The official must not have been withdrawn by the commit.
    """

    @property
    def key(self) -> RequestKey:
        """The values by which a repetition of this request is recognised."""
        return RequestKey(
            recipient=self.caller.recipient,
            space=self.space,
            request_id=self.request_id,
            digest=self.request_digest,
            asker=Asker(
                subsystem=self.caller.subsystem,
                employee=self.employee,
                case_number=self.case_number,
            ),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DisclosureFacts(DecisionFacts):
    """The facts of a request about a person."""

    space = Space.DISCLOSURE

    corrections: tuple[UUID, ...] = ()
    """Corrections of values that the caller was given earlier, which its answer names (cl. 14)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationFacts(DisclosureFacts):
    """The facts of a request to verify a person."""

    operation = Operation.VERIFY_PERSON


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonDataFacts(DisclosureFacts):
    """The facts of a request for a person's data."""

    operation = Operation.GET_PERSON_DATA


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistrationFacts(DecisionFacts):
    """The facts of a request to register a consent."""

    operation = Operation.REGISTER_CONSENT
    space = Space.CONSENT


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationFacts(DecisionFacts):
    """The facts of a request to revoke a consent."""

    operation = Operation.REVOKE_CONSENT
    space = Space.REVOCATION


@dataclass(frozen=True, slots=True, kw_only=True)
class DryRunFacts(DecisionFacts):
    """The facts of a dry run, with the verdict of every rule."""

    operation = Operation.EXPLAIN_DECISION
    space = Space.EXPLANATION

    rulings: tuple[Ruling, ...] = ()
