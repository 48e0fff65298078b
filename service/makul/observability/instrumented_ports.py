"""Ports that note in the request context how long they took and what was decided.

Each passes on its arguments and returns or raises the result. None makes a decision.
"""

from dataclasses import dataclass
from datetime import datetime
from time import perf_counter
from types import TracebackType
from typing import Generic, TypeVar

from makul.app.ports import (
    Caller,
    Committed,
    Conflict,
    DocumentVerifier,
    Entry,
    Matcher,
    MessageMark,
    ReceiptSigner,
    Recorded,
    Recorder,
    Replay,
    RequestKey,
    VerifiedDocument,
)
from makul.app.ports.acts import ActDecision, ActFacts, ActRecorder, Decide, RecordedAct, Render
from makul.domain.disclosures import Outcome
from makul.domain.identifiers import MemberCode
from makul.domain.matches import DemographicProbe, MatchMethod, MatchVerdict
from makul.domain.persons import Person
from makul.observability.request_context import REPLAYED, DecisionSummary, Stage, current
from makul.observability.security_events import Event
from makul.observability.security_log import emit_security_event
from makul.soap.channels import AuthenticatedMessage, RequestChannel
from makul.soap.envelope import Message

RightsT = TypeVar("RightsT")


class _Time:
    """A context manager that notes the duration of its block, also after an exception."""

    __slots__ = ("_began", "_stage")

    def __init__(self, stage: Stage) -> None:
        self._stage = stage

    def __enter__(self) -> None:
        self._began = perf_counter()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        context = current()
        if context is not None:
            context.add(self._stage, perf_counter() - self._began)


@dataclass(frozen=True, slots=True)
class InstrumentedChannel:
    """A channel whose authentication is timed."""

    channel: RequestChannel

    @property
    def understood(self) -> frozenset[str]:
        """The header blocks that the channel understands."""
        return self.channel.understood

    def authenticate(self, message: Message, *, at: datetime) -> AuthenticatedMessage:
        """Authenticate with the channel. Raises its errors."""
        with _Time(Stage.MESSAGE):
            return self.channel.authenticate(message, at=at)

    def echo(self, message: Message) -> bytes:
        """Return the channel's header blocks for the answer."""
        return self.channel.echo(message)


@dataclass(frozen=True, slots=True)
class InstrumentedVerifier:
    """A timed `ports.DocumentVerifier`."""

    verifier: DocumentVerifier

    def verify(
        self, document: bytes, *, at: datetime, existed_at: datetime | None = None
    ) -> VerifiedDocument:
        """Return the verdict of the verifier."""
        with _Time(Stage.GROUNDS):
            return self.verifier.verify(document, at=at, existed_at=existed_at)


@dataclass(frozen=True, slots=True)
class InstrumentedMatcher:
    """A timed `ports.Matcher`."""

    matcher: Matcher

    @property
    def methods(self) -> frozenset[MatchMethod]:
        """The methods of the matcher."""
        return self.matcher.methods

    def compare(self, probe: DemographicProbe, person: Person | None) -> MatchVerdict:
        """Return the verdict of the matcher."""
        with _Time(Stage.MATCHING):
            return self.matcher.compare(probe, person)


@dataclass(frozen=True, slots=True)
class InstrumentedSigner:
    """A timed `ports.ReceiptSigner`."""

    signer: ReceiptSigner

    def sign(self, canonical: bytes, *, at: datetime) -> bytes:
        """Sign with the signer. Raises `SignerUnavailableError`."""
        with _Time(Stage.SIGNING):
            return self.signer.sign(canonical, at=at)

    def ready(self) -> bool:
        """Return whether the signer is ready."""
        return self.signer.ready()


@dataclass(frozen=True, slots=True)
class InstrumentedRecorder:
    """A timed `ports.Recorder`, which notes committed decisions."""

    recorder: Recorder

    def record(self, entry: Entry) -> Recorded:
        """Record with the recorder, and note the decision. Raises `StoreUnavailableError`."""
        with _Time(Stage.RECORDING):
            recorded = self.recorder.record(entry)
        context = current()
        if context is not None:
            match recorded:
                case Committed():
                    context.decided = DecisionSummary(
                        outcome=entry.decision.outcome.value,
                        reasons=entry.decision.reasons,
                        recipient=entry.key.recipient,
                    )
                case Replay():
                    context.decided = _replay_summary(entry.key)
        return recorded

    def replay(self, key: RequestKey, caller: Caller, *, at: datetime) -> Replay | Conflict:
        """Return the recorder's replay, and note it. Raises `StoreUnavailableError`."""
        with _Time(Stage.RECORDING):
            result = self.recorder.replay(key, caller, at=at)
        context = current()
        if context is not None and isinstance(result, Replay):
            context.decided = _replay_summary(key)
        return result

    def register_message_id(self, mark: MessageMark, *, at: datetime) -> bool:
        """Register a message id with the recorder."""
        with _Time(Stage.RECORDING):
            return self.recorder.register_message_id(mark, at=at)

    def count_inquiry(self, recipient: MemberCode, *, at: datetime) -> int:
        """Count an inquiry with the recorder."""
        with _Time(Stage.RECORDING):
            return self.recorder.count_inquiry(recipient, at=at)


@dataclass(frozen=True, slots=True)
class InstrumentedActRecorder(Generic[RightsT]):
    """A timed `ports.acts.ActRecorder`, which notes committed acts and reports those done."""

    recorder: ActRecorder[RightsT]

    def carry_out(self, facts: ActFacts, decide: Decide[RightsT], render: Render) -> bytes:
        """Carry out with the recorder, and note the act. Raises `StoreUnavailableError`."""
        rendered: list[ActDecision] = []

        def render_noting(recorded: RecordedAct) -> bytes:
            rendered[:] = [recorded.decision]  # work that lost a race renders once more
            return render(recorded)

        with _Time(Stage.RECORDING):
            answer = self.recorder.carry_out(facts, decide, render_noting)
        decision = rendered[0] if rendered else None
        context = current()
        if context is not None:
            context.decided = DecisionSummary(
                outcome=decision.outcome.value if decision is not None else REPLAYED,
                reasons=decision.reasons if decision is not None else (),
                recipient=facts.caller.recipient,
            )
        done = decision is not None and decision.outcome is Outcome.DONE
        if done and facts.officer is not None:
            emit_security_event(
                Event.OVERSIGHT_ACT,
                recipient=facts.caller.recipient,
                correlation=context.correlation if context is not None else None,
                listener=context.listener if context is not None else None,
            )
        return answer


def _replay_summary(key: RequestKey) -> DecisionSummary:
    return DecisionSummary(outcome=REPLAYED, reasons=(), recipient=key.recipient)
