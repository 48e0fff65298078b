"""RegisterConsent and GetConsentStatus: consents that the operator holds and counts (cl. 4)."""

from dataclasses import dataclass, replace
from datetime import datetime

from makul.app.ground_verification import GroundVerifier
from makul.app.intake import RequestIntake
from makul.app.ports import (
    Caller,
    Clock,
    ConsentStatus,
    Documents,
    PaperUse,
    Register,
    RejectedError,
    RequestSnapshot,
    Space,
)
from makul.app.recording import PendingDecision, Recording
from makul.app.requests import ConsentQuery, ConsentRequest, PresentedConsent
from makul.domain.consents import Consent, ResultForm
from makul.domain.decision import decide
from makul.domain.disclosures import (
    ConsentGround,
    DisclosureRequest,
    Ground,
    Operation,
    Outcome,
    reference,
)
from makul.domain.eligibility import EligibilityCase, find_stop, judge_entry
from makul.domain.grounds import judge_ground
from makul.domain.identifiers import MemberCode, PurposeCode
from makul.domain.reasons import Code, Reason
from makul.domain.rules import Ruling, Verdict

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

    def __call__(self, asked: ConsentRequest, caller: Caller) -> bytes:
        """Judge the consent against its own terms.

        A consent that begins later is registered too.
        """
        received = self.reception.receive(
            asked, caller, space=Space.CONSENT, operation=Operation.REGISTER_CONSENT
        )
        draft, standing = received.draft, received.standing
        if received.excess is not None:
            return self.recording.record_and_render(draft.refused((received.excess,)))
        if standing.known is not None:
            return self.recording.replay_or_refuse(draft, standing.known)
        against = _may_not_enter(asked, caller, standing, draft.at)
        if against:
            return self.recording.record_and_render(draft.refused(against))
        ground, evidence = self.grounds.verify_ground(
            PresentedConsent(asked.document, asked.scan, asked.authority),
            caller.recipient,
            at=draft.at,
        )
        draft = replace(draft, ground=reference(ground), evidence=evidence)
        return self.recording.record_and_render(self._judge(draft, asked, caller, standing, ground))

    def _judge(
        self,
        draft: PendingDecision,
        asked: ConsentRequest,
        caller: Caller,
        standing: RequestSnapshot,
        ground: Ground,
    ) -> PendingDecision:
        """Judge the consent by the widest request that it could allow.

        If the consent cannot be read, judge only the proof of its signature.
        """
        consent = ground.consent if isinstance(ground, ConsentGround) else None
        request = _unread(asked, caller) if consent is None else _as_if_used(consent, asked, caller)
        parties = request, standing.recipient, standing.agreement
        if consent is None or not isinstance(ground, ConsentGround):
            return _against(
                draft, judge_ground(*parties, ground, operator=self.operator, at=draft.at)
            )
        draft = replace(draft, subject=consent.subject, purpose=consent.purpose)
        decision = decide(*parties, ground, operator=self.operator, at=draft.at)
        # A consent that begins later may be registered, so CNS-03 does not count here.
        rulings = tuple(each for each in decision.rulings if each.code is not Code.CNS_03)
        if any(ruling.reasons for ruling in rulings):
            return _against(draft, rulings)
        return replace(
            draft,
            outcome=Outcome.ACCEPTED,
            consent=_status(consent, ground),
            register_consent=True,
            paper=_paper_use(ground, standing),
        )


def _against(draft: PendingDecision, rulings: tuple[Ruling, ...]) -> PendingDecision:
    failed = any(ruling.verdict is Verdict.FAILED for ruling in rulings)
    return replace(
        draft,
        outcome=Outcome.REFUSED if failed else Outcome.UNDETERMINED,
        reasons=tuple(reason for ruling in rulings for reason in ruling.reasons),
    )


def _may_not_enter(
    asked: ConsentRequest, caller: Caller, standing: RequestSnapshot, at: datetime
) -> tuple[Reason, ...]:
    """Return why the caller may not present any consent (cl. 3 and 7).

    If there is a reason, no document is opened or stored.
    """
    case = EligibilityCase(
        request=_unread(asked, caller),
        recipient=standing.recipient,
        agreement=standing.agreement,
        at=at,
    )
    return tuple(reason for ruling in judge_entry(case) for reason in ruling.reasons)


def _unread(asked: ConsentRequest, caller: Caller) -> DisclosureRequest:
    """Return the request as far as it is known before the document is read."""
    return DisclosureRequest(
        request_id=asked.request_id,
        operation=Operation.REGISTER_CONSENT,
        recipient=caller.recipient,
        channel=caller.channel,
        agreement_number=asked.agreement_number,
        purpose=PurposeCode(""),
        subject=None,
        methods=frozenset(),
    )


def _as_if_used(consent: Consent, asked: ConsentRequest, caller: Caller) -> DisclosureRequest:
    """Return the widest request that this consent could allow under the named agreement."""
    return DisclosureRequest(
        request_id=asked.request_id,
        operation=_OPERATION_FOR[consent.result_form],
        recipient=caller.recipient,
        channel=caller.channel,
        agreement_number=asked.agreement_number,
        purpose=consent.purpose,
        subject=consent.subject,
        methods=consent.methods,
        attributes=consent.attributes,
        employee=asked.employee,
        case_number=asked.case_number,
    )


def _paper_use(ground: ConsentGround, standing: RequestSnapshot) -> PaperUse | None:
    """Return the quota that a consent on paper uses: that of the official who signed it."""
    signer, agreement = ground.proof.signer, standing.agreement
    on_paper = ground.consent is not None and ground.consent.on_paper
    if not on_paper or signer is None or agreement is None:
        return None
    return PaperUse(official=signer.fingerprint, quota=agreement.paper_daily_quota)


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
class TellConsentStatus:
    """Returns the status of a consent of this recipient."""

    clock: Clock
    register: Register
    documents: Documents
    recording: Recording

    def __call__(self, asked: ConsentQuery, caller: Caller) -> bytes:
        """Return the consent's state and usage; another recipient's consent is unknown (CNS-01).

        The usage reveals outcomes, so a recipient on hold or cut off gets nothing
        (docs/architecture.md, invariant 4). The state of the recipient is read last, so that a hold
        committed by then is not missed.
        """
        at = self.clock()
        self.recording.register_message_id(caller, asked.request_id, at=at)
        status = self.register.consent_status(caller.recipient, asked.consent_id)
        recipient = self.register.recipient(caller.recipient)
        if recipient is None:
            raise RejectedError(Reason(code=Code.RCP_01), request_id=asked.request_id)
        found = find_stop(recipient) or status or Reason(code=Code.CNS_01, field="consentId")
        return self.documents.consent_status(asked.request_id, found, at=at)
