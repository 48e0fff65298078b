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
    delivery_encryption: DeliveryEncryption
    recording: Recording
    operator: MemberCode

    def __call__(self, explain_request: ExplainRequest, caller: Caller) -> bytes:
        """Return the answer with every ruling.

        Its outcome is `ACCEPTED`, `REFUSED` or `UNDETERMINED`.
        """
        operation = _EXPLAINABLE.get(explain_request.asked_operation)
        if operation is None:
            reason = Reason(code=Code.REQ_01, field="operation")
            raise RejectedError(reason, request_id=explain_request.request_id)
        received = self.reception.receive(
            explain_request,
            caller,
            DryRunFacts,
            purpose=explain_request.purpose,
            subject=explain_request.subject,
        )
        snapshot, facts = received.snapshot, received.facts
        if received.excess is not None:
            return self.recording.record_and_render(received.excess)
        if snapshot.known is not None:
            return self.recording.replay_or_refuse(facts, snapshot.known)
        ground, _ = self.grounds.verify_ground(
            explain_request.ground, caller.recipient, at=facts.at
        )
        decision = decide(
            _request(explain_request, caller, operation),
            snapshot.recipient,
            snapshot.agreement,
            ground,
            operator=self.operator,
            at=facts.at,
            encryption_certificate=self.delivery_encryption.certificate(
                caller.recipient, snapshot.agreement, at=facts.at
            ),
            bound_to_secrecy=snapshot.employee_bound,
        )
        facts = replace(facts, rulings=decision.rulings, ground=reference(ground))
        effects = (QuotaUse(quota=EXPLANATIONS_A_DAY),)
        if decision.permitted:
            return self.recording.record_and_render(DryRunAcceptance(facts=facts, effects=effects))
        refusal = refuse_by_rulings(facts, decision.rulings)
        return self.recording.record_and_render(replace(refusal, effects=effects))


def _request(
    explain_request: ExplainRequest, caller: Caller, operation: Operation
) -> DisclosureRequest:
    return DisclosureRequest(
        request_id=explain_request.request_id,
        operation=operation,
        recipient=caller.recipient,
        channel=caller.channel,
        agreement_number=explain_request.agreement_number,
        purpose=explain_request.purpose,
        subject=explain_request.subject,
        methods=explain_request.methods,
        attributes=explain_request.attributes,
        employee=explain_request.employee,
        case_number=explain_request.case_number,
    )
