"""Ports that note, in the account of their request, how long they took and what was decided.

Each hands on what it is given and returns or raises what it gets: nothing is decided here.
"""

from dataclasses import dataclass
from datetime import datetime
from time import perf_counter
from types import TracebackType

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
from makul.domain.identifiers import MemberCode
from makul.domain.matches import DemographicProbe, MatchMethod, MatchVerdict
from makul.domain.persons import Person
from makul.observability.request_context import REPLAYED, DecisionSummary, Stage, current
from makul.soap.channels import Authenticated, RequestChannel
from makul.soap.envelope import Message


class _Time:
    """Notes how long a block took, however it ended."""

    __slots__ = ("_began", "_room")

    def __init__(self, room: Stage) -> None:
        self._room = room

    def __enter__(self) -> None:
        self._began = perf_counter()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        account = current()
        if account is not None:
            account.add(self._room, perf_counter() - self._began)


@dataclass(frozen=True, slots=True)
class TimedChannel:
    """A channel, its proving timed."""

    channel: RequestChannel

    @property
    def understood(self) -> frozenset[str]:
        """The channel's."""
        return self.channel.understood

    def authenticate(self, message: Message, *, at: datetime) -> Authenticated:
        """The channel's; raises what it raises."""
        with _Time(Stage.MESSAGE):
            return self.channel.authenticate(message, at=at)

    def echo(self, message: Message) -> bytes:
        """The channel's."""
        return self.channel.echo(message)


@dataclass(frozen=True, slots=True)
class TimedVerifier:
    """`ports.DocumentVerifier`, timed."""

    verifier: DocumentVerifier

    def verify(
        self, document: bytes, *, at: datetime, existed_at: datetime | None = None
    ) -> VerifiedDocument:
        """The verifier's verdict."""
        with _Time(Stage.GROUNDS):
            return self.verifier.verify(document, at=at, existed_at=existed_at)


@dataclass(frozen=True, slots=True)
class TimedMatcher:
    """`ports.Matcher`, timed."""

    matcher: Matcher

    @property
    def methods(self) -> frozenset[MatchMethod]:
        """The matcher's."""
        return self.matcher.methods

    def compare(self, probe: DemographicProbe, person: Person | None) -> MatchVerdict:
        """The matcher's verdict."""
        with _Time(Stage.MATCHING):
            return self.matcher.compare(probe, person)


@dataclass(frozen=True, slots=True)
class TimedSigner:
    """`ports.ReceiptSigner`, timed."""

    signer: ReceiptSigner

    def sign(self, canonical: bytes, *, at: datetime) -> bytes:
        """The signer's; raises `SignerUnavailableError`."""
        with _Time(Stage.SIGNING):
            return self.signer.sign(canonical, at=at)

    def ready(self) -> bool:
        """The signer's."""
        return self.signer.ready()


@dataclass(frozen=True, slots=True)
class WatchedRecorder:
    """`ports.Recorder`, timed; what was committed is what was decided."""

    recorder: Recorder

    def record(self, entry: Entry) -> Recorded:
        """The recorder's; raises `StoreUnavailableError`."""
        with _Time(Stage.RECORDING):
            recorded = self.recorder.record(entry)
        account = current()
        if account is not None:
            match recorded:
                case Committed():
                    account.decided = DecisionSummary(
                        outcome=entry.outcome.value,
                        reasons=entry.reasons,
                        recipient=entry.key.recipient,
                    )
                case Replay():
                    account.decided = _replayed(entry.key)
        return recorded

    def replay(self, key: RequestKey, caller: Caller, *, at: datetime) -> Replay | Conflict:
        """The recorder's; raises `StoreUnavailableError`."""
        with _Time(Stage.RECORDING):
            found = self.recorder.replay(key, caller, at=at)
        account = current()
        if account is not None and isinstance(found, Replay):
            account.decided = _replayed(key)
        return found

    def register_message_id(self, mark: MessageMark, *, at: datetime) -> bool:
        """The recorder's."""
        with _Time(Stage.RECORDING):
            return self.recorder.register_message_id(mark, at=at)

    def count_inquiry(self, recipient: MemberCode, *, at: datetime) -> int:
        """The recorder's."""
        with _Time(Stage.RECORDING):
            return self.recorder.count_inquiry(recipient, at=at)


def _replayed(key: RequestKey) -> DecisionSummary:
    return DecisionSummary(outcome=REPLAYED, reasons=(), recipient=key.recipient)
