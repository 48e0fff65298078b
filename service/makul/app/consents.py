"""RegisterConsent and GetConsentStatus: consents held and metered by the operator (cl. 4)."""

from dataclasses import dataclass, replace
from datetime import datetime

from makul.app.grounds import Grounds
from makul.app.ports import (
    Caller,
    Clock,
    ConsentStatus,
    Documents,
    Register,
    RejectedError,
    RequestKey,
    Space,
    Standing,
)
from makul.app.recording import Draft, Recording
from makul.app.requests import ConsentQuery, ConsentRequest, PresentedConsent
from makul.domain.consents import Consent, ResultForm
from makul.domain.decide import decide
from makul.domain.disclosures import (
    ConsentGround,
    DisclosureRequest,
    Ground,
    Operation,
    Outcome,
    reference,
)
from makul.domain.identifiers import MemberCode, PurposeCode
from makul.domain.reasons import Code, Reason
from makul.domain.standing import StandingCase, judge_entry
from makul.domain.verdicts import Ruling

_OPERATION_FOR = {
    ResultForm.YES_NO: Operation.VERIFY_PERSON,
    ResultForm.DATA: Operation.GET_PERSON_DATA,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterConsent:
    """Keeps a consent document that would carry the request it was made for."""

    clock: Clock
    register: Register
    grounds: Grounds
    recording: Recording
    operator: MemberCode

    def __call__(self, asked: ConsentRequest, caller: Caller) -> bytes:
        """Judge the consent against its own terms; one that is not yet in force is kept too."""
        at = self.clock()
        key = RequestKey(
            recipient=caller.recipient,
            space=Space.CONSENT,
            request_id=asked.request_id,
            digest=asked.digest,
        )
        standing = self.register.standing(key, asked.agreement_number)
        if standing.recipient is None:
            raise RejectedError(Reason(code=Code.RCP_01), request_id=asked.request_id)
        draft = Draft(
            key=key,
            caller=caller,
            operation=Operation.REGISTER_CONSENT,
            agreement_number=asked.agreement_number,
            terms=standing.agreement,
            outcome=Outcome.REFUSED,
            at=at,
            employee=asked.employee,
            case_number=asked.case_number,
        )
        if standing.known_digest is not None:
            return self.recording.asked_before(draft, standing.known_digest)
        against = _may_not_enter(asked, caller, standing, at)
        if against:
            return self.recording.settle(draft.refused(against))
        ground, evidence = self.grounds.establish(
            PresentedConsent(asked.document), caller.recipient, at=at
        )
        draft = replace(draft, ground=reference(ground), evidence=evidence)
        if not isinstance(ground, ConsentGround) or ground.consent is None:
            return self.recording.settle(draft.refused(_reasons_unread(ground)))
        consent = ground.consent
        decision = decide(
            _as_if_used(consent, asked, caller),
            standing.recipient,
            standing.agreement,
            ground,
            operator=self.operator,
            at=at,
        )
        against = tuple(reason for ruling in decision.rulings for reason in _counting(ruling))
        if against:
            draft = replace(draft, outcome=decision.outcome_if_not_permitted, reasons=against)
        else:
            draft = replace(
                draft,
                outcome=Outcome.ACCEPTED,
                consent=_status(consent, ground),
                register_consent=True,
            )
        return self.recording.settle(
            replace(draft, subject=consent.subject, purpose=consent.purpose)
        )


def _may_not_enter(
    asked: ConsentRequest, caller: Caller, standing: Standing, at: datetime
) -> tuple[Reason, ...]:
    """Why they may not hand in anything; no document is opened or kept for those (cl. 3 and 7)."""
    request = DisclosureRequest(
        request_id=asked.request_id,
        operation=Operation.REGISTER_CONSENT,
        recipient=caller.recipient,
        channel=caller.channel,
        agreement_number=asked.agreement_number,
        purpose=PurposeCode(""),  # the document tells it, and is not open yet
        subject=None,
        methods=frozenset(),
    )
    case = StandingCase(
        request=request, recipient=standing.recipient, agreement=standing.agreement, at=at
    )
    return tuple(reason for ruling in judge_entry(case) for reason in ruling.reasons)


def _as_if_used(consent: Consent, asked: ConsentRequest, caller: Caller) -> DisclosureRequest:
    """The widest request that this consent could carry under the agreement named."""
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


def _counting(ruling: Ruling) -> tuple[Reason, ...]:
    """The reasons that count against registering; one that only begins later may be kept."""
    return () if ruling.code is Code.CNS_03 else ruling.reasons


def _reasons_unread(ground: Ground) -> tuple[Reason, ...]:
    because = ground.proof.reasons if ground is not None else ()
    return tuple(Reason(code=Code.CNS_02, because=code) for code in because) or (
        Reason(code=Code.CNS_02),
    )


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
    """What became of this recipient's own consent."""

    clock: Clock
    register: Register
    documents: Documents
    recording: Recording

    def __call__(self, asked: ConsentQuery, caller: Caller) -> bytes:
        """The consent's state and how often it was used; another recipient's is unknown."""
        at = self.clock()
        self.recording.admit(caller.mark, asked.request_id, at=at)
        if self.register.recipient(caller.recipient) is None:
            raise RejectedError(Reason(code=Code.RCP_01), request_id=asked.request_id)
        status = self.register.consent_status(caller.recipient, asked.consent_id)
        return self.documents.consent_status(asked.request_id, status, at=at)
