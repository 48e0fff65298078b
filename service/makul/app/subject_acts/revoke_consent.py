"""RevokeConsent: a citizen revokes a consent at the portal (Procedure, cl. 4)."""

from dataclasses import dataclass
from typing import ClassVar, Protocol
from uuid import UUID

from makul.app.acts import ActRequest, SubjectOperation, SubjectRequest, require_subject
from makul.app.ports.acts import ActDecision, ActFacts, refuse_act
from makul.app.ports.subject import OwnConsent
from makul.domain.consents import ConsentState
from makul.domain.disclosures import Outcome
from makul.domain.identifiers import MemberCode, Pin
from makul.domain.reasons import Code, Reason

_UNKNOWN = Reason(code=Code.OVR_06, field="consentId")


@dataclass(frozen=True, slots=True, kw_only=True)
class CitizenRevocationRequest(SubjectRequest):
    """A request to revoke one consent."""

    recipient: MemberCode
    consent_id: UUID


class ConsentRights(Protocol):
    """The rows of a consent, locked against decisions for its recipient."""

    def own_consent(
        self, recipient: MemberCode, consent_id: UUID, citizen: Pin
    ) -> OwnConsent | None:
        """Return a consent that is about this citizen or was given by this citizen."""

    def revoke_consent(self, recipient: MemberCode, consent_id: UUID, subject: Pin) -> None:
        """Revoke a consent from this commit on."""


class RevokeOwnConsent(SubjectOperation[CitizenRevocationRequest, ConsentRights]):
    """Revokes a consent for everything that is ordered after the commit, as a signed one does."""

    name = "RevokeConsent"
    request: ClassVar[type[ActRequest]] = CitizenRevocationRequest

    def target(self, request: CitizenRevocationRequest) -> str:
        """Return the code of the recipient."""
        return request.recipient

    def admit(
        self, request: CitizenRevocationRequest, facts: ActFacts
    ) -> tuple[ActFacts, tuple[Reason, ...]]:
        """Refuse a consent of others before its recipient's decisions have to wait (OVR-06)."""
        facts, reasons = super().admit(request, facts)
        if not reasons:
            own = self._services.record.own_consent(
                request.recipient, request.consent_id, require_subject(facts)
            )
            if own is None:
                reasons = (_UNKNOWN,)
        return facts, reasons

    def recipient_to_lock(self, request: CitizenRevocationRequest) -> MemberCode:
        """Return the recipient, whose running decisions end before the act."""
        return request.recipient

    def decide(
        self, request: CitizenRevocationRequest, facts: ActFacts, rights: ConsentRights
    ) -> ActDecision:
        """Revoke the consent, unless it is not the citizen's or is revoked already."""
        citizen = require_subject(facts)
        own = rights.own_consent(request.recipient, request.consent_id, citizen)
        if own is None:
            return refuse_act((_UNKNOWN,))
        if own.revoked:
            return refuse_act((Reason(code=Code.OVR_02, field="consentId"),))
        rights.revoke_consent(request.recipient, request.consent_id, own.subject)
        return ActDecision(
            outcome=Outcome.DONE, results={"consentState": ConsentState.REVOKED.value}
        )
