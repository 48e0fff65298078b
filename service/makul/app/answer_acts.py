"""Acts that a subject begins from the single-use link of a notification (Procedure, cl. 4, 11).

The link proves that who uses it received the notification. Such an act gives no right and shows no
data: the most that it does is to restrict. So the link alone is enough. A portal that has the
citizen logged in sends the ID token too; then the decision must be about this citizen.
"""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TypeVar
from uuid import UUID

from makul.app.acts import ActOperation, ActRequest, SubjectServices
from makul.app.ports import Caller
from makul.app.ports.acts import ActDecision, ActFacts, refuse_act
from makul.app.ports.identity import IdToken
from makul.app.ports.subject_answers import AnswerRights, LinkToken
from makul.domain.disclosures import Outcome
from makul.domain.identifiers import Pin
from makul.domain.reasons import Reason
from makul.domain.subject_answers import AnswerCase, AnswerOrigin, SubjectAnswer, judge_answer


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkedRequest(ActRequest):
    """The part that every request from a link has."""

    link_token: LinkToken | None
    id_token: IdToken | None


LinkedRequestT = TypeVar("LinkedRequestT", bound=LinkedRequest)
AnswerRightsT = TypeVar("AnswerRightsT", bound=AnswerRights)


class LinkedOperation(ActOperation[LinkedRequestT, AnswerRightsT]):
    """An operation of a portal by which a subject speaks about one decision."""

    port = "subject"
    origin: AnswerOrigin
    """Why the subject speaks."""
    _services: SubjectServices

    def __init__(self, services: SubjectServices) -> None:
        super().__init__(services)

    def identify(self, request: LinkedRequestT, caller: Caller) -> None:
        """Raise `RejectedError` (RCP-04) for a caller that is not a portal."""
        self._services.citizens.require_portal(caller, request.request_id)

    def admit(
        self, request: LinkedRequestT, facts: ActFacts
    ) -> tuple[ActFacts, tuple[Reason, ...]]:
        """Verify the ID token, if there is one, and name the citizen (SUB-01, SUB-02)."""
        stated = dict(facts.stated)
        if request.link_token is not None:
            stated["linkDigest"] = request.link_token.digest.hex()
        if request.id_token is None:
            return replace(facts, stated=stated), ()
        stated["idTokenDigest"] = request.id_token.digest.hex()
        facts = replace(facts, stated=stated)
        identified = self._services.citizens.identify(request.id_token, facts)
        if isinstance(identified, Pin):
            return replace(facts, subject=identified), ()
        return facts, identified

    def target(self, request: LinkedRequestT) -> str:  # noqa: ARG002 - one for all
        """Return a word: which decision it is about is in the rows of the act."""
        return "disclosure"

    @abstractmethod
    def find_disclosure(self, request: LinkedRequestT, rights: AnswerRightsT) -> UUID | None:
        """Return the decision that the request leads to; None if there is none."""

    @abstractmethod
    def answer_of(self, request: LinkedRequestT) -> SubjectAnswer:
        """Return what the subject says."""

    def follow_up(
        self,
        request: LinkedRequestT,  # noqa: ARG002 - the signature of all operations
        disclosure_id: UUID,  # noqa: ARG002
        rights: AnswerRightsT,  # noqa: ARG002
    ) -> Mapping[str, str]:
        """Do what follows from the recorded answer; return further elements of the answer."""
        return {}

    def decide(
        self, request: LinkedRequestT, facts: ActFacts, rights: AnswerRightsT
    ) -> ActDecision:
        """Record the answer, if the link or the citizen leads to a decision of theirs."""
        disclosure_id = self.find_disclosure(request, rights)
        field = "disclosureId" if request.link_token is None else "linkToken"
        reasons = judge_answer(self._case(disclosure_id, facts, rights), field, at=facts.at)
        if reasons or disclosure_id is None:
            return refuse_act(reasons)
        rights.add_answer(disclosure_id, self.origin, self.answer_of(request))
        results = {"disclosureId": str(disclosure_id)}
        results |= self.follow_up(request, disclosure_id, rights)
        return ActDecision(outcome=Outcome.DONE, results=results)

    def _case(
        self, disclosure_id: UUID | None, facts: ActFacts, rights: AnswerRightsT
    ) -> AnswerCase:
        if disclosure_id is None:
            return AnswerCase(is_known=False, is_own=False, is_answered=False)
        is_question = self.origin is AnswerOrigin.QUESTION
        answer_by = rights.asked_until(disclosure_id) if is_question else None
        return AnswerCase(
            is_known=not is_question or answer_by is not None,
            is_own=facts.subject is None or rights.is_about(disclosure_id, facts.subject),
            is_answered=rights.has_answer(disclosure_id, self.origin),
            answer_by=answer_by,
        )
