"""LockMatching: a citizen stops matching on the ground of consents (Procedure, cl. 4)."""

from typing import ClassVar, Protocol

from makul.app.acts import ActRequest, SubjectOperation, SubjectRequest, require_subject
from makul.app.ports.acts import ActDecision, ActFacts, refuse_act
from makul.domain.disclosures import Outcome
from makul.domain.identifiers import Pin
from makul.domain.person_locks import MatchingState, judge_lock


class LockRights(Protocol):
    """The row of a citizen's lock."""

    def matching_state(self, citizen: Pin) -> MatchingState | None:
        """Return the state that a citizen set; None if none was ever set."""

    def set_matching_state(self, citizen: Pin, state: MatchingState) -> None:
        """Set the state from this commit on."""


class LockMatching(SubjectOperation[SubjectRequest, LockRights]):
    """Locks matching by consent (MAT-05). It never stops what cl. 5 allows."""

    name = "LockMatching"
    request: ClassVar[type[ActRequest]] = SubjectRequest

    def target(self, request: SubjectRequest) -> str:  # noqa: ARG002 - one for all
        """Return a word: what the act is about is a person."""
        return "matching"

    def decide(
        self,
        request: SubjectRequest,  # noqa: ARG002 - the signature of all operations
        facts: ActFacts,
        rights: LockRights,
    ) -> ActDecision:
        """Set the lock, unless it is set already."""
        citizen = require_subject(facts)
        reasons = judge_lock(rights.matching_state(citizen))
        if reasons:
            return refuse_act(reasons)
        rights.set_matching_state(citizen, MatchingState.LOCKED)
        return ActDecision(
            outcome=Outcome.DONE, results={"matchingState": MatchingState.LOCKED.value}
        )
