"""ReportNotMe: a subject denies a decision, from the link of its notification (cl. 4, 11, 12)."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from makul.app.acts import ActRequest
from makul.app.answer_acts import LinkedOperation, LinkedRequest
from makul.app.ports.subject_answers import LinkToken, ReportRights
from makul.domain.months import month_of
from makul.domain.notifications import NotificationKind
from makul.domain.oversight_cases import propose_from_report
from makul.domain.person_locks import MatchingState
from makul.domain.subject_answers import AnswerOrigin, SubjectAnswer


@dataclass(frozen=True, slots=True, kw_only=True)
class DenialRequest(LinkedRequest):
    """A report from the link of a notification."""

    link_token: LinkToken
    lock_matching: bool | None = None
    """True if the subject also locks matching by consent."""


class ReportNotMe(LinkedOperation[DenialRequest, ReportRights]):
    """Records that the subject denies a decision, which is an exception of its month at once.

    It proposes a case about the recipient, and locks matching if the subject wants it. The answer
    is the same whether or not there was a case or a lock before: the link alone shows no data.
    """

    name = "ReportNotMe"
    request: ClassVar[type[ActRequest]] = DenialRequest
    origin = AnswerOrigin.REPORT

    def find_disclosure(self, request: DenialRequest, rights: ReportRights) -> UUID | None:
        """Return the decision of the link. The link of a question does not report."""
        return rights.linked_disclosure(
            request.link_token, NotificationKind.DISCLOSURE, NotificationKind.PAPER_CONSENT
        )

    def answer_of(self, request: DenialRequest) -> SubjectAnswer:  # noqa: ARG002 - one for all
        """Return the answer: a report denies."""
        return SubjectAnswer.NO

    def follow_up(
        self, request: DenialRequest, disclosure_id: UUID, rights: ReportRights
    ) -> Mapping[str, str]:
        """Propose a case, and lock matching if the subject wants it."""
        recipient, decided_at = rights.recipient_and_time(disclosure_id)
        proposal = propose_from_report(recipient, month_of(decided_at))
        if not rights.has_case(recipient, proposal.period):
            rights.propose_case(proposal)
        if not request.lock_matching:
            return {}
        rights.lock_matching_of(disclosure_id)
        return {"matchingState": MatchingState.LOCKED.value}
