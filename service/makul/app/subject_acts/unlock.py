"""UnlockMatching: a citizen removes the lock of matching by a signed order (Procedure, cl. 4)."""

from dataclasses import dataclass
from typing import ClassVar, Protocol

from makul.app.acts import ActRequest, SubjectOperation, SubjectRequest, require_subject
from makul.app.ports import DocumentError, VerifiedDocument
from makul.app.ports.acts import ActDecision, ActFacts, Decide, refuse_act
from makul.domain.disclosures import Outcome
from makul.domain.identifiers import MemberCode, Pin
from makul.domain.person_locks import (
    MatchingState,
    UnlockOrder,
    judge_unlock,
    judge_unlock_order,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class UnlockRequest(SubjectRequest):
    """A request to unlock, with the order that the citizen signed."""

    document: bytes | None


class UnlockRights(Protocol):
    """The row of a citizen's lock, and the evidence of its removal."""

    def matching_state(self, citizen: Pin) -> MatchingState | None:
        """Return the state that a citizen set; None if none was ever set."""

    def set_matching_state(
        self, citizen: Pin, state: MatchingState, document: bytes | None = None
    ) -> None:
        """Set the state from this commit on; `document` is the digest of the signed order."""

    def keep_order(self, portal: MemberCode, document: bytes) -> bytes:
        """Store the exact bytes of a signed order, and return their digest."""


class UnlockMatching(SubjectOperation[UnlockRequest, UnlockRights]):
    """Unlocks matching. A login is not enough: the citizen must have signed (SUB-03)."""

    name = "UnlockMatching"
    request: ClassVar[type[ActRequest]] = UnlockRequest

    def target(self, request: UnlockRequest) -> str:  # noqa: ARG002 - one for all
        """Return a word: what the act is about is a person."""
        return "matching"

    def prepare(self, request: UnlockRequest, facts: ActFacts) -> Decide[UnlockRights]:
        """Verify the signature, and then act on the locked row."""
        citizen, document = require_subject(facts), request.document
        verified, order = self._verify(document, facts)
        outcome, reasons = judge_unlock_order(
            order, verified.proof if verified is not None else None, citizen, facts.request_id
        )
        if outcome is not Outcome.DONE or document is None or verified is None:
            return lambda _: ActDecision(outcome=outcome, reasons=reasons)
        report = verified.report.decode("utf-8")
        return lambda rights: self._unlock(document, report, facts, rights)

    def _verify(
        self, document: bytes | None, facts: ActFacts
    ) -> tuple[VerifiedDocument | None, UnlockOrder | None]:
        """Return the proof of a document, and the order if the proof passed and it is one."""
        if document is None:
            return None, None
        verified = self._services.verifier.verify(document, at=facts.at)
        if verified.signed is None:
            return verified, None
        try:
            return verified, self._services.documents.read_unlock(verified.signed)
        except DocumentError:
            return verified, None

    def _unlock(
        self, document: bytes, report: str, facts: ActFacts, rights: UnlockRights
    ) -> ActDecision:
        citizen = require_subject(facts)
        reasons = judge_unlock(rights.matching_state(citizen))
        if reasons:
            return refuse_act(reasons)
        digest = rights.keep_order(facts.caller.recipient, document)
        rights.set_matching_state(citizen, MatchingState.UNLOCKED, digest)
        return ActDecision(
            outcome=Outcome.DONE,
            results={"matchingState": MatchingState.UNLOCKED.value},
            stated={"report": report},
        )
