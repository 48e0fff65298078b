"""AnswerCheck: a subject of a month's sample answers whether they consented (Procedure, cl. 11)."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from makul.app.acts import ActRequest
from makul.app.answer_acts import LinkedOperation, LinkedRequest
from makul.app.ports.subject_answers import AnswerRights
from makul.domain.notifications import NotificationKind
from makul.domain.subject_answers import AnswerOrigin, SubjectAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRequest(LinkedRequest):
    """An answer, from the link of the question or by a citizen who logged in."""

    disclosure_id: UUID | None
    answer: SubjectAnswer


class AnswerCheck(LinkedOperation[AnswerRequest, AnswerRights]):
    """Records the answer to a question of the monthly check."""

    name = "AnswerCheck"
    request: ClassVar[type[ActRequest]] = AnswerRequest
    origin = AnswerOrigin.QUESTION

    def find_disclosure(self, request: AnswerRequest, rights: AnswerRights) -> UUID | None:
        """Return the disclosure of the link; without a link, the one that a citizen names.

        The schema requires a link, or an ID token with the id of a disclosure.
        """
        if request.link_token is not None:
            return rights.linked_disclosure(request.link_token, NotificationKind.QUESTION)
        return request.disclosure_id if request.id_token is not None else None

    def answer_of(self, request: AnswerRequest) -> SubjectAnswer:
        """Return the answer."""
        return request.answer
