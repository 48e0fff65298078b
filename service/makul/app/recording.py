"""Last steps of every decision: render it, record it, and only then return the answer.

A decision is rendered first (payload, leaf, receipt, answer) and then recorded in one transaction.
Its bytes are returned only after the commit (docs/architecture.md, invariant 1). If the transaction
finds a change that forbids the decision, the rendered bytes are discarded and a refusal is recorded
instead.
"""

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from makul.app.entry_renderer import EntryRenderer
from makul.app.ports import (
    Caller,
    Committed,
    Conflict,
    DecisionFacts,
    KnownRequest,
    MatchAttempt,
    NonDisclosure,
    PendingDecision,
    Recorder,
    Refusal,
    RejectedError,
    Replay,
)
from makul.domain.reasons import Code, Reason
from makul.domain.usage import DEFAULT_LIMITS, Usage, UsageLimits, find_excess

ATTEMPTS_TO_RECORD = 3
"""The decision, a refusal if it was overtaken, and one more refusal if that was overtaken too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recording:
    """Turns decisions into committed answers."""

    renderer: EntryRenderer
    recorder: Recorder
    limits: UsageLimits = DEFAULT_LIMITS

    def record_and_render(self, decision: PendingDecision) -> bytes:
        """Return the answer that was recorded: this one, an earlier one, or that of a refusal.

        Raises `RejectedError` for a repeated message (REQ-09). Also raises it if the record changed
        during every attempt (OPS-03); the caller must then retry with the same id.
        """
        for _ in range(ATTEMPTS_TO_RECORD):
            entry = self.renderer.render(decision)
            match self.recorder.record(entry):
                case Committed():
                    return entry.answer
                case Replay(answer):
                    return answer
                case Conflict(reasons):
                    decision = _refuse_overtaken(decision, reasons)
        raise RejectedError(Reason(code=Code.OPS_03), request_id=decision.facts.request_id)

    def replay_or_refuse(
        self, facts: DecisionFacts, known: KnownRequest, *, blocked_by: NonDisclosure | None = None
    ) -> bytes:
        """Handle a request id that is already closed.

        Return the stored answer if it is the same request of the same asker. Otherwise refuse with
        REQ-04. `blocked_by` is the decision not to give the stored answer either, if that is
        already known.
        """
        differs = facts.key.reused_by(known)
        if differs is not None:
            reused = Reason(code=Code.REQ_04, field=differs)
            return self.record_and_render(_refuse_misuse(facts, (reused,)))
        if blocked_by is not None:
            return self.record_and_render(replace(blocked_by, keep_request_id_open=True))
        return self._replay(facts)

    def _replay(self, facts: DecisionFacts) -> bytes:
        """Return the stored answer of a closed id if the rights to it still hold.

        Otherwise return a refusal.
        """
        match self.recorder.replay(facts.key, facts.caller, at=facts.at):
            case Replay(answer):
                return answer
            case Conflict(reasons):
                _reject_repeated(facts, reasons)
                return self.record_and_render(_refuse_misuse(facts, reasons))

    def register_message_id(self, caller: Caller, request_id: UUID, *, at: datetime) -> None:
        """Record a message that leads to no decision.

        Raises `RejectedError` for a repeated message (REQ-09). Also raises it if the recipient
        sends more of them in a minute than its limit allows (REQ-06).
        """
        if caller.mark is not None and not self.recorder.register_message_id(caller.mark, at=at):
            raise RejectedError(Reason(code=Code.REQ_09), request_id=request_id)
        usage = Usage(requests=self.recorder.count_inquiry(caller.recipient, at=at) - 1)
        excess = find_excess(usage, self.limits, at=at)
        if excess is not None:
            raise RejectedError(excess.reason, request_id=request_id)


def _refuse_misuse(facts: DecisionFacts, reasons: tuple[Reason, ...]) -> Refusal:
    """Return a refusal that leaves the stored answer of the request id unchanged."""
    return Refusal(facts=facts, reasons=reasons, keep_request_id_open=True)


def _refuse_overtaken(decision: PendingDecision, reasons: tuple[Reason, ...]) -> Refusal:
    """Return the refusal that replaces a decision which the record no longer allows.

    It keeps the facts of the decision, with those that its effects named, and none of its effects.
    """
    facts = replace(
        decision.facts,
        ground=decision.ground,
        subject=decision.subject,
        evidence=decision.evidence,
    )
    _reject_repeated(facts, reasons)
    codes = {reason.code for reason in reasons}
    if Code.REQ_06 in codes:
        # The recipient used up its bytes of the day, so no evidence of this request is kept.
        facts = replace(facts, evidence=())
        # Keep the original reasons of a refusal. Otherwise a recipient could use up its day first
        # and then present forgeries without record (cl. 12). The result of a comparison is dropped,
        # because that attempt is then not counted.
        compared = any(isinstance(effect, MatchAttempt) for effect in decision.effects)
        if isinstance(decision, Refusal) and not compared:
            reasons = (*decision.reasons, *reasons)
    return Refusal(facts=facts, reasons=reasons, keep_request_id_open=Code.REQ_04 in codes)


def _reject_repeated(facts: DecisionFacts, reasons: tuple[Reason, ...]) -> None:
    """Raise `RejectedError` if the message itself came before (REQ-09)."""
    if any(reason.code is Code.REQ_09 for reason in reasons):
        raise RejectedError(*reasons, request_id=facts.request_id)
