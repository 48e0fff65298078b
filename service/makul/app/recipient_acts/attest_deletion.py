"""AttestDeletion: a recipient attests that it erased data, or reads what is due (cl. 15)."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import ClassVar, Protocol
from uuid import UUID

from makul.app.acts import ActRequest, RecipientOperation
from makul.app.deletions_due import find_deletions_due
from makul.app.ports import RejectedError
from makul.app.ports.acts import ActDecision, ActFacts, Decide, refuse_act
from makul.domain.deletions import GivenData, judge_attestation
from makul.domain.disclosures import Outcome
from makul.domain.identifiers import MemberCode
from makul.domain.reasons import Code, Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class AttestationRequest(ActRequest):
    """The decisions whose data were erased; or the position after which to list what is due."""

    disclosure_id: Sequence[str] | None
    erased_on: date | None
    after: UUID | None


class DeletionRights(Protocol):
    """The rows of a recipient's decisions and of its attestations."""

    def given_data(self, recipient: MemberCode, ids: Collection[UUID]) -> Mapping[UUID, GivenData]:
        """Return the decisions of this recipient among these ids."""

    def attest_deletions(self, recipient: MemberCode, ids: Sequence[UUID], erased_on: date) -> None:
        """Record that the recipient erased the data of these decisions."""


class AttestDeletion(RecipientOperation[AttestationRequest, DeletionRights]):
    """Records an attestation. Without a decision it lists what the caller must erase."""

    name = "AttestDeletion"
    request: ClassVar[type[ActRequest]] = AttestationRequest

    def target(self, request: AttestationRequest) -> str:
        """Return a word that says which of the two is done."""
        return "attestation" if request.disclosure_id else "due"

    def admit(
        self, request: AttestationRequest, facts: ActFacts
    ) -> tuple[ActFacts, tuple[Reason, ...]]:
        """Return the facts. A list is not stored for retries: it may be large."""
        return replace(facts, reads_only=not request.disclosure_id), ()

    def prepare(self, request: AttestationRequest, facts: ActFacts) -> Decide[DeletionRights]:
        """Read the list before the act is recorded, or attest on the locked rows."""
        erased_on = request.erased_on
        if not request.disclosure_id:
            if erased_on is not None:
                raise _contradiction("disclosureId", request)
            listed = self._list(request, facts)
            return lambda _: listed
        if erased_on is None or request.after is not None:
            raise _contradiction("erasedOn" if erased_on is None else "after", request)
        attested = [UUID(each) for each in request.disclosure_id]
        return lambda rights: _attest(attested, erased_on, facts, rights)

    def _list(self, request: AttestationRequest, facts: ActFacts) -> ActDecision:
        services = self._services
        found = find_deletions_due(
            services.register,
            services.documents,
            facts.caller.recipient,
            after=request.after,
            at=facts.at,
        )
        if found is None:
            return refuse_act((Reason(code=Code.OVR_06, field="after"),))
        return ActDecision(
            outcome=Outcome.DONE, content=services.documents.deletions_due(found, at=facts.at)
        )


def _attest(
    attested: Sequence[UUID], erased_on: date, facts: ActFacts, rights: DeletionRights
) -> ActDecision:
    recipient = facts.caller.recipient
    given = rights.given_data(recipient, attested)
    reasons = judge_attestation(attested, given, erased_on, at=facts.at)
    if reasons:
        return refuse_act(reasons)
    rights.attest_deletions(recipient, attested, erased_on)
    return ActDecision(
        outcome=Outcome.DONE,
        results={"attested": str(len(attested))},
        stated={"disclosures": " ".join(str(each) for each in attested)},
    )


def _contradiction(field: str, request: AttestationRequest) -> RejectedError:
    """Return the error of a request that neither attests nor lists."""
    return RejectedError(Reason(code=Code.REQ_01, field=field), request_id=request.request_id)
