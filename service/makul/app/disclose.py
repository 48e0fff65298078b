"""VerifyPerson and GetPersonData: the steps of a request, cheap ones first (cl. 4, 5, 7, 10).

The steps check eligibility, repetition, the ground and the match. Then `recording` returns the
answer. A step that fails ends the request with a recorded refusal.
"""

from dataclasses import dataclass, replace
from datetime import datetime

from makul.app.delivery_encryption import DeliveryEncryption
from makul.app.ground_verification import GroundVerifier
from makul.app.intake import RequestIntake
from makul.app.ports import (
    MAX_SEALED_PERSON,
    Caller,
    Comparison,
    DisclosureEffect,
    DisclosureFacts,
    Documents,
    FailedMatch,
    Match,
    MatchAttempt,
    Matcher,
    MeteredUse,
    NoMatch,
    NonDisclosure,
    PendingDecision,
    PersonDataFacts,
    QuotaUse,
    Refusal,
    Register,
    Release,
    StoreUnavailableError,
    SubjectNotification,
    Undetermined,
    UnwritableError,
    VerificationFacts,
    refuse_by_rulings,
)
from makul.app.recording import Recording
from makul.app.requests import PersonRequest
from makul.domain.agreements import Agreement
from makul.domain.decision import Conclusion, Decision, conclude, decide
from makul.domain.delivery_encryption import EncryptionCertificate
from makul.domain.disclosures import (
    BasisGround,
    ConsentGround,
    DisclosureRequest,
    Ground,
    Operation,
    Outcome,
    reference,
)
from makul.domain.eligibility import EligibilityCase, can_be_encrypted, judge_eligibility
from makul.domain.identifiers import MemberCode
from makul.domain.match_attempts import AttemptLimits, find_exhausted_limit
from makul.domain.matches import MatchMethod, MatchResult, MatchVerdict, MethodVerdict
from makul.domain.notifications import NotificationKind, provision_of, visible_from
from makul.domain.persons import Person
from makul.domain.reasons import Code, Reason
from makul.domain.rules import Ruling

_KINDS: dict[Operation, type[DisclosureFacts]] = {
    Operation.VERIFY_PERSON: VerificationFacts,
    Operation.GET_PERSON_DATA: PersonDataFacts,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclose:
    """Decides on a request about a person, and discloses if the Procedure allows it."""

    reception: RequestIntake
    register: Register
    grounds: GroundVerifier
    delivery_encryption: DeliveryEncryption
    documents: Documents
    matcher: Matcher
    recording: Recording
    operator: MemberCode
    limits: AttemptLimits

    def __call__(self, person_request: PersonRequest, caller: Caller) -> bytes:
        """Return the answer's Body child, which is committed before it is returned."""
        received = self.reception.receive(
            person_request,
            caller,
            _KINDS[person_request.operation],
            purpose=person_request.purpose,
            subject=person_request.probe.pin,
        )
        snapshot = received.snapshot
        facts = replace(received.facts, corrections=snapshot.corrections)
        if received.excess is not None:
            return self.recording.record_and_render(received.excess)
        case = EligibilityCase(
            request=_request(person_request, caller),
            recipient=snapshot.recipient,
            agreement=snapshot.agreement,
            at=facts.at,
            encryption_certificate=self.delivery_encryption.certificate(
                caller.recipient, snapshot.agreement, at=facts.at
            ),
            bound_to_secrecy=snapshot.employee_bound,
        )
        if snapshot.known is not None:
            # An answer that could no longer be encrypted to the recipient is not replayed either.
            refusal = _refusal_if_any(facts, (can_be_encrypted(case),))
            return self.recording.replay_or_refuse(facts, snapshot.known, blocked_by=refusal)
        return self.recording.record_and_render(self._judge(facts, person_request, case))

    def _judge(
        self, facts: DisclosureFacts, person_request: PersonRequest, case: EligibilityCase
    ) -> PendingDecision:
        # An ineligible caller is refused before any document is opened (cl. 3 and 7).
        refusal = _refusal_if_any(facts, judge_eligibility(case))
        if refusal is not None:
            return refusal
        request = case.request
        ground, evidence = self.grounds.verify_ground(
            person_request.ground, request.recipient, at=facts.at
        )
        ground_ref = reference(ground)
        facts = replace(
            facts, ground=ground_ref, evidence=evidence, official=_official_behind(ground)
        )
        decision = decide(
            request,
            case.recipient,
            case.agreement,
            ground,
            operator=self.operator,
            at=facts.at,
            encryption_certificate=case.encryption_certificate,
            bound_to_secrecy=case.bound_to_secrecy,
        )
        # A ground that cannot be named cannot be counted. No permitted request uses one.
        if not decision.permitted or ground_ref is None:
            return refuse_by_rulings(facts, decision.rulings)
        reasons = self._check_before_lookup(person_request, facts)
        if reasons:
            return Refusal(facts=facts, reasons=reasons)
        notification = _notification(ground, at=facts.at)
        return self._lookup_and_match(
            facts, person_request, decision, case, (MeteredUse(ground=ground_ref), notification)
        )

    def _check_before_lookup(
        self, person_request: PersonRequest, facts: DisclosureFacts
    ) -> tuple[Reason, ...]:
        """Return reasons against the request that do not depend on the person's record.

        They therefore reveal nothing about the person.
        """
        missing = person_request.other_methods - self.matcher.methods
        if missing:
            return tuple(Reason(code=Code.MAT_04, field=name) for name in sorted(missing))
        if not person_request.probe.sufficient:
            return (Reason(code=Code.MAT_02, field="demographic"),)
        counts = self.register.attempts(
            facts.caller.recipient,
            person_request.probe.pin,
            person_request.employee,
            since=facts.at - self.limits.window,
        )
        spent = find_exhausted_limit(counts, self.limits)
        return (spent,) if spent is not None else ()

    def _lookup_and_match(
        self,
        facts: DisclosureFacts,
        person_request: PersonRequest,
        decision: Decision,
        case: EligibilityCase,
        uses: tuple[MeteredUse, SubjectNotification],
    ) -> PendingDecision:
        encryption_certificate = case.encryption_certificate
        person = self.register.person(person_request.probe.pin)
        compared = self.matcher.compare(person_request.probe, person)
        conclusion, payload = self._render_payload(
            conclude(decision, compared, person), person, encryption_certificate
        )
        matches = _visible_verdicts(compared, conclusion.outcome, case.agreement)
        use = _disclosure_effects(self._comparison(person_request), uses, case.agreement)
        attempt = self._attempt(person_request, compared)
        reasons = conclusion.reasons
        if payload is not None:
            return Release(
                facts=facts,
                reasons=reasons,
                released=conclusion.released,
                payload=payload,
                encrypt_to=encryption_certificate.der
                if encryption_certificate is not None
                else None,
                matches=matches,
                effects=use,
            )
        match conclusion.outcome:
            case Outcome.MATCHED:
                return Match(facts=facts, matches=matches, effects=use)
            case Outcome.NOT_MATCHED:
                return NoMatch(facts=facts, reasons=reasons, matches=matches, effects=(attempt,))
            case Outcome.REFUSED:
                return Refusal(facts=facts, reasons=reasons, effects=(attempt,))
        return Undetermined(facts=facts, reasons=reasons, effects=(attempt,))

    def _comparison(self, person_request: PersonRequest) -> Comparison:
        return Comparison(subject=person_request.probe.pin, limits=self.limits)

    def _attempt(self, person_request: PersonRequest, compared: MatchVerdict) -> MatchAttempt:
        """Return the attempt of a request that discloses nothing.

        It is not a failed match if the matcher was not available.
        """
        if compared.result is MatchResult.UNAVAILABLE:
            return self._comparison(person_request)
        return FailedMatch(subject=person_request.probe.pin, limits=self.limits)

    def _render_payload(
        self,
        conclusion: Conclusion,
        person: Person | None,
        encryption_certificate: EncryptionCertificate | None,
    ) -> tuple[Conclusion, bytes | None]:
        """Return the conclusion with the payload that it releases.

        A record that cannot be written, or whose samples cannot be read, leads to a conclusion that
        is recorded and counted. A fault would reveal, without record or limit, that the person
        matched (docs/architecture.md, invariant 1).
        """
        if conclusion.outcome is not Outcome.RELEASED or person is None:
            return conclusion, None
        unwritable = Conclusion(outcome=Outcome.UNDETERMINED, reasons=(Reason(code=Code.OPS_99),))
        try:
            # Samples are read only now, and only those released. Until here the work was the same
            # for any record (docs/architecture.md, invariant 6).
            whole = self.register.with_samples(person, conclusion.released)
            payload = self.documents.person(whole, conclusion.released)
        except (UnwritableError, StoreUnavailableError):
            return unwritable, None
        if encryption_certificate is not None and len(payload) > MAX_SEALED_PERSON:
            return unwritable, None
        return conclusion, payload


def _request(person_request: PersonRequest, caller: Caller) -> DisclosureRequest:
    return DisclosureRequest(
        request_id=person_request.request_id,
        operation=person_request.operation,
        recipient=caller.recipient,
        channel=caller.channel,
        agreement_number=person_request.agreement_number,
        purpose=person_request.purpose,
        subject=person_request.probe.pin,
        methods=person_request.other_methods | {MatchMethod.DEMOGRAPHIC},
        attributes=person_request.attributes,
        employee=person_request.employee,
        case_number=person_request.case_number,
    )


def _official_behind(ground: Ground) -> bytes | None:
    """Return the certificate of the official who signed a basis statement, to check at commit."""
    signer = ground.proof.signer if isinstance(ground, BasisGround) else None
    return signer.fingerprint if signer is not None else None


def _notification(ground: Ground, *, at: datetime) -> SubjectNotification:
    """Return the notification to the subject of a disclosure on this ground (cl. 4)."""
    consent = ground.consent if isinstance(ground, ConsentGround) else None
    return SubjectNotification(
        kind=NotificationKind.DISCLOSURE,
        visible_at=visible_from(reference(ground), at=at),
        provision=provision_of(ground),
        on_paper=consent is not None and consent.on_paper,
    )


def _refusal_if_any(facts: DisclosureFacts, rulings: tuple[Ruling, ...]) -> NonDisclosure | None:
    """Return the decision that these rulings lead to; None if all pass."""
    if all(ruling.passed for ruling in rulings):
        return None
    return refuse_by_rulings(facts, rulings)


def _disclosure_effects(
    comparison: Comparison,
    of_ground: tuple[MeteredUse, SubjectNotification],
    agreement: Agreement | None,
) -> tuple[DisclosureEffect, ...]:
    """Return the effects of a disclosure: a comparison, those of its ground, and the quota."""
    uses: tuple[DisclosureEffect, ...] = (comparison, *of_ground)
    if agreement is not None and agreement.daily_quota is not None:
        uses += (QuotaUse(quota=agreement.daily_quota),)
    return uses


def _visible_verdicts(
    match: MatchVerdict, outcome: Outcome, agreement: Agreement | None
) -> tuple[MethodVerdict, ...]:
    """Return the match verdicts that the recipient may see.

    "Not matched" has one form for every record (docs/architecture.md, invariant 6). A refusal shows
    nothing. Scores are shown only if the agreement allows it.
    """
    if outcome in {Outcome.REFUSED, Outcome.UNDETERMINED}:
        return ()
    scores_out = (
        agreement is not None and agreement.scores_out and outcome is not Outcome.NOT_MATCHED
    )
    verdicts = match.methods
    if outcome is Outcome.NOT_MATCHED:
        verdicts = tuple(replace(verdict, result=MatchResult.NO_MATCH) for verdict in verdicts)
    if not scores_out:
        verdicts = tuple(replace(verdict, score=None, threshold=None) for verdict in verdicts)
    return verdicts
