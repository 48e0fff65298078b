"""RegisterConsent and GetConsentStatus: consents that the operator holds and counts (cl. 4)."""

from dataclasses import dataclass, replace
from datetime import datetime

from makul.app.ground_verification import GroundVerifier
from makul.app.intake import RequestIntake
from makul.app.ports import (
    Caller,
    Clock,
    ConsentAcceptance,
    ConsentRegistration,
    ConsentStatus,
    Documents,
    PaperConsentUse,
    PendingDecision,
    Refusal,
    Register,
    RegistrationFacts,
    RejectedError,
    RequestSnapshot,
    refuse_by_rulings,
)
from makul.app.recording import Recording
from makul.app.requests import ConsentQuery, ConsentRequest, PresentedConsent
from makul.domain.consents import Consent, ResultForm
from makul.domain.decision import decide
from makul.domain.disclosures import (
    ConsentGround,
    DisclosureRequest,
    Ground,
    Operation,
    reference,
)
from makul.domain.eligibility import EligibilityCase, find_stop, judge_entry
from makul.domain.grounds import judge_ground
from makul.domain.identifiers import MemberCode, PurposeCode
from makul.domain.reasons import Code, Reason

_NOT_YET_JUDGED = frozenset({Code.CNS_03, Code.RCP_05})
"""Codes that do not count at a registration.

A consent that begins later may be registered. An employee who registers one learns no data, so
needs no undertaking.
"""

_OPERATION_FOR = {
    ResultForm.YES_NO: Operation.VERIFY_PERSON,
    ResultForm.DATA: Operation.GET_PERSON_DATA,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterConsent:
    """Registers a consent document that would allow the request it was made for."""

    reception: RequestIntake
    grounds: GroundVerifier
    recording: Recording
    operator: MemberCode

    def __call__(self, consent_request: ConsentRequest, caller: Caller) -> bytes:
        """Judge the consent against its own terms.

        A consent that begins later is registered too.
        """
        received = self.reception.receive(consent_request, caller, RegistrationFacts)
        facts, snapshot = received.facts, received.snapshot
        if received.excess is not None:
            return self.recording.record_and_render(received.excess)
        if snapshot.known is not None:
            return self.recording.replay_or_refuse(facts, snapshot.known)
        reasons = _may_not_enter(consent_request, caller, snapshot, facts.at)
        if reasons:
            return self.recording.record_and_render(Refusal(facts=facts, reasons=reasons))
        ground, evidence = self.grounds.verify_ground(
            PresentedConsent(
                consent_request.document, consent_request.scan, consent_request.authority
            ),
            caller.recipient,
            at=facts.at,
        )
        facts = replace(facts, ground=reference(ground), evidence=evidence)
        return self.recording.record_and_render(
            self._judge(facts, consent_request, snapshot, ground)
        )

    def _judge(
        self,
        facts: RegistrationFacts,
        consent_request: ConsentRequest,
        snapshot: RequestSnapshot,
        ground: Ground,
    ) -> PendingDecision:
        """Judge the consent by the widest request that it could allow.

        If the consent cannot be read, judge only the proof of its signature.
        """
        caller, parties = facts.caller, (snapshot.recipient, snapshot.agreement)
        consent = ground.consent if isinstance(ground, ConsentGround) else None
        if consent is None or not isinstance(ground, ConsentGround):
            request = _request_before_reading(consent_request, caller)
            return refuse_by_rulings(
                facts,
                judge_ground(request, *parties, ground, operator=self.operator, at=facts.at),
            )
        facts = replace(facts, subject=consent.subject, purpose=consent.purpose)
        request = _widest_request(consent, consent_request, caller)
        decision = decide(request, *parties, ground, operator=self.operator, at=facts.at)
        rulings = tuple(each for each in decision.rulings if each.code not in _NOT_YET_JUDGED)
        if any(ruling.reasons for ruling in rulings):
            return refuse_by_rulings(facts, rulings)
        return ConsentAcceptance(
            facts=facts,
            registration=_registration(consent, ground, facts, snapshot),
            status=_status(consent, ground),
        )


def _may_not_enter(
    consent_request: ConsentRequest, caller: Caller, snapshot: RequestSnapshot, at: datetime
) -> tuple[Reason, ...]:
    """Return why the caller may not present any consent (cl. 3 and 7).

    If there is a reason, no document is opened or stored.
    """
    case = EligibilityCase(
        request=_request_before_reading(consent_request, caller),
        recipient=snapshot.recipient,
        agreement=snapshot.agreement,
        at=at,
    )
    return tuple(reason for ruling in judge_entry(case) for reason in ruling.reasons)


def _request_before_reading(consent_request: ConsentRequest, caller: Caller) -> DisclosureRequest:
    """Return the request as far as it is known before the document is read."""
    return DisclosureRequest(
        request_id=consent_request.request_id,
        operation=Operation.REGISTER_CONSENT,
        recipient=caller.recipient,
        channel=caller.channel,
        agreement_number=consent_request.agreement_number,
        purpose=PurposeCode(""),
        subject=None,
        methods=frozenset(),
    )


def _widest_request(
    consent: Consent, consent_request: ConsentRequest, caller: Caller
) -> DisclosureRequest:
    """Return the widest request that this consent could allow under the named agreement."""
    return DisclosureRequest(
        request_id=consent_request.request_id,
        operation=_OPERATION_FOR[consent.result_form],
        recipient=caller.recipient,
        channel=caller.channel,
        agreement_number=consent_request.agreement_number,
        purpose=consent.purpose,
        subject=consent.subject,
        methods=consent.methods,
        attributes=consent.attributes,
        employee=consent_request.employee,
        case_number=consent_request.case_number,
    )


def _registration(
    consent: Consent, ground: ConsentGround, facts: RegistrationFacts, snapshot: RequestSnapshot
) -> ConsentRegistration:
    giver = consent.representative
    return ConsentRegistration(
        # The document of a verified ground is always among its evidence.
        document=next(piece for piece in facts.evidence if piece.digest == ground.digest),
        consent_id=consent.consent_id,
        subject=consent.subject,
        max_disclosures=consent.max_disclosures,
        valid_from=consent.begins_at,
        valid_to=consent.valid_to,
        representative=giver.pin if giver is not None else None,
        paper=_paper_use(ground, snapshot),
    )


def _paper_use(ground: ConsentGround, snapshot: RequestSnapshot) -> PaperConsentUse | None:
    """Return the quota that a consent on paper uses: that of the official who signed it."""
    signer, agreement = ground.proof.signer, snapshot.agreement
    on_paper = ground.consent is not None and ground.consent.on_paper
    if not on_paper or signer is None or agreement is None:
        return None
    return PaperConsentUse(official=signer.fingerprint, quota=agreement.paper_daily_quota)


def _status(consent: Consent, ground: ConsentGround) -> ConsentStatus:
    return ConsentStatus(
        consent_id=consent.consent_id,
        digest=ground.digest,
        subject=consent.subject,
        valid_from=consent.begins_at,
        valid_to=consent.valid_to,
        allowed=consent.max_disclosures,
        used=ground.use.used,
        revoked=ground.use.revoked,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportConsentStatus:
    """Returns the status of a consent of this recipient."""

    clock: Clock
    register: Register
    documents: Documents
    recording: Recording

    def __call__(self, query: ConsentQuery, caller: Caller) -> bytes:
        """Return the consent's state and usage; another recipient's consent is unknown (CNS-01).

        The usage reveals outcomes, so a recipient on hold or cut off gets nothing
        (docs/architecture.md, invariant 4). The state of the recipient is read last, so that a hold
        committed by then is not missed.
        """
        at = self.clock()
        self.recording.register_message_id(caller, query.request_id, at=at)
        status = self.register.consent_status(caller.recipient, query.consent_id)
        recipient = self.register.recipient(caller.recipient)
        if recipient is None:
            raise RejectedError(Reason(code=Code.RCP_01), request_id=query.request_id)
        answer = find_stop(recipient) or status or Reason(code=Code.CNS_01, field="consentId")
        return self.documents.consent_status(query.request_id, answer, at=at)
