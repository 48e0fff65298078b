"""ReportNotMe: a subject denies a decision, from the link of its notification (cl. 4, 11)."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from makul.app.acts import ActRequest
from makul.app.answer_acts import LinkedOperation, LinkedRequest
from makul.app.ports.subject_answers import AnswerRights, LinkToken
from makul.domain.notifications import NotificationKind
from makul.domain.person_locks import MatchingState
from makul.domain.subject_answers import AnswerOrigin, SubjectAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class DenialRequest(LinkedRequest):
    """A report from the link of a notification."""

    link_token: LinkToken
    lock: str | None
    """`true` to lock matching as well."""


class ReportNotMe(LinkedOperation[DenialRequest]):
    """Records that the subject denies a decision, which is an exception of its month at once."""

    name = "ReportNotMe"
    request: ClassVar[type[ActRequest]] = DenialRequest
    origin = AnswerOrigin.REPORT

    def find_disclosure(self, request: DenialRequest, rights: AnswerRights) -> UUID | None:
        """Return the decision of the link. The link of a question does not report."""
        return rights.linked_disclosure(
            request.link_token, NotificationKind.DISCLOSURE, NotificationKind.PAPER_CONSENT
        )

    def follow(
        self, request: DenialRequest, disclosure_id: UUID, rights: AnswerRights
    ) -> dict[str, str]:
        """Lock matching by consent, if asked for. It only restricts, so the link is enough.

        To remove the lock, the citizen must sign (UnlockMatching).
        """
        subject = rights.subject_of(disclosure_id) if request.lock == "true" else None
        if subject is None:
            return {}
        if rights.matching_state(subject) is not MatchingState.LOCKED:
            rights.set_matching_state(subject, MatchingState.LOCKED)
        return {"matchingState": MatchingState.LOCKED.value}

    def answer_of(self, request: DenialRequest) -> SubjectAnswer:  # noqa: ARG002 - one for all
        """Return the answer: a report denies."""
        return SubjectAnswer.NO
