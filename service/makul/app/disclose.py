"""VerifyPerson and GetPersonData: the steps of a request, cheap ones first (cl. 4, 5, 7, 10).

The steps check eligibility, repetition, the ground and the match. Then `recording` returns the
answer. A step that fails ends the request with a recorded refusal.
"""

from dataclasses import dataclass, replace

from makul.app.delivery_encryption import Sealing
from makul.app.ground_verification import GroundVerifier
from makul.app.intake import RequestIntake
from makul.app.ports import (
    MAX_SEALED_PERSON,
    Caller,
    Documents,
    Matcher,
    Register,
    Space,
    StoreUnavailableError,
    UnwritableError,
)
from makul.app.recording import PendingDecision, Recording
from makul.app.requests import PersonRequest
from makul.domain.agreements import Agreement
from makul.domain.decision import Conclusion, Decision, conclude, decide
from makul.domain.delivery_encryption import SealingCertificate
from makul.domain.disclosures import BasisGround, DisclosureRequest, Ground, Outcome, reference
from makul.domain.eligibility import EligibilityCase, can_be_sealed, judge_standing
from makul.domain.identifiers import MemberCode
from makul.domain.match_attempts import AttemptLimits, exhausted
from makul.domain.matches import MatchMethod, MatchResult, MatchVerdict, MethodVerdict
from makul.domain.persons import Person
from makul.domain.reasons import Code, Reason
from makul.domain.rules import Ruling, Verdict

_COUNTS_AS_A_DISCLOSURE = frozenset({Outcome.RELEASED, Outcome.MATCHED})


@dataclass(frozen=True, slots=True, kw_only=True)
class Disclose:
    """Decides on a request about a person, and discloses if the Procedure allows it."""

    reception: RequestIntake
    register: Register
    grounds: GroundVerifier
    sealing: Sealing
    documents: Documents
    matcher: Matcher
    recording: Recording
    operator: MemberCode
    limits: AttemptLimits

    def __call__(self, asked: PersonRequest, caller: Caller) -> bytes:
        """Return the answer's Body child, which is committed before it is returned."""
        received = self.reception.receive(
            asked,
            caller,
            space=Space.DISCLOSURE,
            operation=asked.operation,
            purpose=asked.purpose,
            subject=asked.probe.pin,
        )
        standing, draft = received.standing, received.draft
        if received.excess is not None:
            return self.recording.record_and_render(draft.refused((received.excess,)))
        case = EligibilityCase(
            request=_request(asked, caller),
            recipient=standing.recipient,
            agreement=standing.agreement,
            at=draft.at,
            sealing=self.sealing.certificate(caller.recipient, standing.agreement, at=draft.at),
        )
        if standing.known is not None:
            # An answer that could no longer be encrypted to the recipient is not replayed either.
            against = _against((can_be_sealed(case),))
            return self.recording.replay_or_refuse(draft, standing.known, against=against)
        return self.recording.record_and_render(self._judge(draft, asked, case))

    def _judge(
        self, draft: PendingDecision, asked: PersonRequest, case: EligibilityCase
    ) -> PendingDecision:
        # An ineligible caller is refused before any document is opened (cl. 3 and 7).
        against = _against(judge_standing(case))
        if against is not None:
            return draft.refused(against.reasons, outcome=against.outcome)
        request = case.request
        ground, evidence = self.grounds.verify_ground(asked.ground, request.recipient, at=draft.at)
        draft = replace(
            draft, ground=reference(ground), evidence=evidence, official=_official_behind(ground)
        )
        decision = decide(
            request,
            case.recipient,
            case.agreement,
            ground,
            operator=self.operator,
            at=draft.at,
            sealing=case.sealing,
        )
        if not decision.permitted:
            return _concluded(draft, conclude(decision, None, None))
        before_looking = self._check_before_lookup(asked, draft)
        if before_looking:
            return draft.refused(before_looking)
        return self._lookup_and_match(draft, asked, decision, case)

    def _check_before_lookup(
        self, asked: PersonRequest, draft: PendingDecision
    ) -> tuple[Reason, ...]:
        """Return reasons against the request that do not depend on the person's record.

        They therefore reveal nothing about the person.
        """
        missing = asked.other_methods - self.matcher.methods
        if missing:
            return tuple(Reason(code=Code.MAT_04, field=name) for name in sorted(missing))
        if not asked.probe.sufficient:
            return (Reason(code=Code.MAT_02, field="demographic"),)
        counts = self.register.attempts(
            draft.key.recipient,
            asked.probe.pin,
            asked.employee,
            since=draft.at - self.limits.window,
        )
        spent = exhausted(counts, self.limits)
        return (spent,) if spent is not None else ()

    def _lookup_and_match(
        self,
        draft: PendingDecision,
        asked: PersonRequest,
        decision: Decision,
        case: EligibilityCase,
    ) -> PendingDecision:
        agreement, sealing = case.agreement, case.sealing
        person = self.register.person(asked.probe.pin)
        match = self.matcher.compare(asked.probe, person)
        concluded = conclude(decision, match, person)
        conclusion, payload = self._rendered(concluded, person, sealing)
        counts = conclusion.outcome in _COUNTS_AS_A_DISCLOSURE
        return replace(
            draft,
            outcome=conclusion.outcome,
            reasons=conclusion.reasons,
            released=conclusion.released,
            payload=payload,
            seal_to=sealing.der if payload is not None and sealing is not None else None,
            matches=_tellable(match, conclusion.outcome, agreement),
            meter=counts,
            daily_quota=agreement.daily_quota if counts and agreement is not None else None,
            attempt_limits=self.limits,
            failed_attempt=not counts and match.result is not MatchResult.UNAVAILABLE,
        )

    def _rendered(
        self, conclusion: Conclusion, person: Person | None, sealing: SealingCertificate | None
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
        if sealing is not None and len(payload) > MAX_SEALED_PERSON:
            return unwritable, None
        return conclusion, payload


def _request(asked: PersonRequest, caller: Caller) -> DisclosureRequest:
    return DisclosureRequest(
        request_id=asked.request_id,
        operation=asked.operation,
        recipient=caller.recipient,
        channel=caller.channel,
        agreement_number=asked.agreement_number,
        purpose=asked.purpose,
        subject=asked.probe.pin,
        methods=asked.other_methods | {MatchMethod.DEMOGRAPHIC},
        attributes=asked.attributes,
        employee=asked.employee,
        case_number=asked.case_number,
    )


def _official_behind(ground: Ground) -> bytes | None:
    """Return the certificate of the official who signed a basis statement, to check at commit."""
    signer = ground.proof.signer if isinstance(ground, BasisGround) else None
    return signer.fingerprint if signer is not None else None


def _against(rulings: tuple[Ruling, ...]) -> Conclusion | None:
    """Return the conclusion of these rulings; None if all pass. A failure outweighs an unknown."""
    stopping = tuple(ruling for ruling in rulings if not ruling.passed)
    if not stopping:
        return None
    failed = any(ruling.verdict is Verdict.FAILED for ruling in stopping)
    return Conclusion(
        outcome=Outcome.REFUSED if failed else Outcome.UNDETERMINED,
        reasons=tuple(reason for ruling in stopping for reason in ruling.reasons),
    )


def _concluded(draft: PendingDecision, conclusion: Conclusion) -> PendingDecision:
    return replace(
        draft,
        outcome=conclusion.outcome,
        reasons=conclusion.reasons,
        released=conclusion.released,
    )


def _tellable(
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
    told = match.methods
    if outcome is Outcome.NOT_MATCHED:
        told = tuple(replace(verdict, result=MatchResult.NO_MATCH) for verdict in told)
    if not scores_out:
        told = tuple(replace(verdict, score=None, threshold=None) for verdict in told)
    return told
