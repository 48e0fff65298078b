"""Port of the recording transaction, and the entry that it records."""

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from makul.app.ports.caller import Caller, MessageMark
from makul.app.ports.decision_facts import DecisionFacts
from makul.app.ports.decisions import PendingDecision
from makul.app.ports.request_keys import RequestKey
from makul.domain.identifiers import MemberCode
from makul.domain.reasons import Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaf:
    """A leaf of the ledger: a salted commitment, which reveals nothing once the salt is deleted."""

    salt: bytes
    statement: bytes
    """The exact bytes committed to: the facts of the decision, including the subject's PIN."""
    hash: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One rendered decision, recorded completely or not at all before any of its bytes leaves.

    The recording transaction checks again at commit that recipient, agreement and ground still
    allow the decision (`has_preconditions`), and the limits that its effects name. If one of them
    does not hold, nothing is recorded (`Conflict`).
    """

    disclosure_id: UUID
    decision: PendingDecision
    leaf: Leaf
    receipt: bytes
    answer: bytes
    keep_answer_until: datetime
    """The end of the time for which the answer is stored, if the decision closes its id."""

    @property
    def facts(self) -> DecisionFacts:
        """The facts of the decision."""
        return self.decision.facts

    @property
    def key(self) -> RequestKey:
        """The key of the request that was decided."""
        return self.decision.facts.key


@dataclass(frozen=True, slots=True)
class Committed:
    """The entry is committed and its answer may leave."""


@dataclass(frozen=True, slots=True)
class Replay:
    """The stored answer of a request that was decided before."""

    answer: bytes


@dataclass(frozen=True, slots=True)
class Conflict:
    """A change since the decision forbids recording it. Nothing was recorded."""

    reasons: tuple[Reason, ...]


Recorded = Committed | Replay | Conflict


class Recorder(Protocol):
    """The recording transaction. If it raises `StoreUnavailableError`, no answer may be given."""

    def record(self, entry: Entry) -> Recorded:
        """Record a decision and all that belongs to it, or nothing.

        This covers the request key, usage, attempts, disclosure, leaf, evidence and answer.
        """

    def replay(self, key: RequestKey, caller: Caller, *, at: datetime) -> Replay | Conflict:
        """Return the stored answer of a closed id after checking its rights again.

        See docs/architecture.md, invariants 4 and 5. The same transaction records the repetition
        with a leaf of its own (docs/architecture.md, invariant 1).

        `Conflict` carries what forbids the replay: RCP-02, RCP-03 or RCP-04; AGR-01 to AGR-04;
        CNS-05; REQ-08 for a channel that is not agreed; REQ-04 for another digest or asker; REQ-09
        for a repeated message.
        """

    def register_message_id(self, mark: MessageMark, *, at: datetime) -> bool:
        """Record the mark of a message that records nothing else.

        Return False if the message was received before (REQ-09).
        """

    def count_inquiry(self, recipient: MemberCode, *, at: datetime) -> int:
        """Count a request that records nothing else; return the count of this minute."""
