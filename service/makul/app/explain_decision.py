"""ExplainDecision: the same decision up to the match, with the verdict of every rule (cl. 7).

It reads no person's record and uses up no ground. It is recorded, and limited by the day. The
presented document itself is not kept, because nothing was given on it.
"""

from dataclasses import dataclass, replace

from makul.app.delivery_encryption import DeliveryEncryption
from makul.app.ground_verification import GroundVerifier
from makul.app.intake import RequestIntake
from makul.app.ports import (
    Caller,
    DryRunAcceptance,
    DryRunFacts,
    QuotaUse,
    RejectedError,
    refuse_by_rulings,
)
from makul.app.recording import Recording
from makul.app.requests import ExplainRequest
from makul.domain.decision import decide
from makul.domain.disclosures import DisclosureRequest, Operation, reference
from makul.domain.identifiers import MemberCode
from makul.domain.reasons import Code, Reason

EXPLANATIONS_A_DAY = 1_000
"""Maximum number of dry runs a day under one agreement.

This is ample for a programmer and useless as an oracle.
"""

_EXPLAINABLE = {
    operation.value: operation for operation in (Operation.VERIFY_PERSON, Operation.GET_PERSON_DATA)
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Explain:
    """Judges a request without carrying it out."""

    reception: RequestIntake
    grounds: GroundVerifier
    sealing: DeliveryEncryption
    recording: Recording
    operator: MemberCode

    def __call__(self, asked: ExplainRequest, caller: Caller) -> bytes:
        """Return the answer with every ruling.

        Its outcome is `ACCEPTED`, `REFUSED` or `UNDETERMINED`.
        """
        operation = _EXPLAINABLE.get(asked.asked_operation)
        if operation is None:
            reason = Reason(code=Code.REQ_01, field="operation")
            raise RejectedError(reason, request_id=asked.request_id)
        received = self.reception.receive(
            asked, caller, DryRunFacts, purpose=asked.purpose, subject=asked.subject
        )
        standing, facts = received.standing, received.facts
        if received.excess is not None:
            return self.recording.record_and_render(received.excess)
        if standing.known is not None:
            return self.recording.replay_or_refuse(facts, standing.known)
        ground, _ = self.grounds.verify_ground(asked.ground, caller.recipient, at=facts.at)
        decision = decide(
            _request(asked, caller, operation),
            standing.recipient,
            standing.agreement,
            ground,
            operator=self.operator,
            at=facts.at,
            sealing=self.sealing.certificate(caller.recipient, standing.agreement, at=facts.at),
        )
        facts = replace(facts, rulings=decision.rulings, ground=reference(ground))
        effects = (QuotaUse(quota=EXPLANATIONS_A_DAY),)
        if decision.permitted:
            return self.recording.record_and_render(DryRunAcceptance(facts=facts, effects=effects))
        refusal = refuse_by_rulings(facts, decision.rulings)
        return self.recording.record_and_render(replace(refusal, effects=effects))


def _request(asked: ExplainRequest, caller: Caller, operation: Operation) -> DisclosureRequest:
    return DisclosureRequest(
        request_id=asked.request_id,
        operation=operation,
        recipient=caller.recipient,
        channel=caller.channel,
        agreement_number=asked.agreement_number,
        purpose=asked.purpose,
        subject=asked.subject,
        methods=asked.methods,
        attributes=asked.attributes,
        employee=asked.employee,
        case_number=asked.case_number,
    )
