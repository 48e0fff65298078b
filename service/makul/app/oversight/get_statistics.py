"""GetStatistics: the numbers of a month's decisions for the supervising bodies (cl. 11)."""

from dataclasses import dataclass
from typing import ClassVar

from makul.app.acts import ActRequest, OversightOperation
from makul.app.ports.acts import ActDecision, ActFacts, Decide
from makul.domain.disclosures import Outcome
from makul.domain.identifiers import MemberCode
from makul.domain.months import Month
from makul.domain.officers import OfficerRole


@dataclass(frozen=True, slots=True, kw_only=True)
class StatisticsRequest(ActRequest):
    """A request for the numbers of a month."""

    month: Month
    recipient: MemberCode | None


class GetStatistics(OversightOperation[StatisticsRequest, object]):
    """Returns numbers without data of a person. Reading them is recorded like any act."""

    name = "GetStatistics"
    request: ClassVar[type[ActRequest]] = StatisticsRequest
    roles = frozenset(OfficerRole)
    reads_only = True

    def target(self, request: StatisticsRequest) -> str:
        """Return the month."""
        return str(request.month)

    def prepare(
        self,
        request: StatisticsRequest,
        facts: ActFacts,  # noqa: ARG002 - the signature of all operations
    ) -> Decide[object]:
        """Count the month before the act is recorded, because counting may take seconds."""
        counts = [
            count
            for count in self._services.register.month_counts(request.month)
            if request.recipient in (None, count.recipient)
        ]
        content = self._services.documents.month_counts(counts)
        return lambda _: ActDecision(outcome=Outcome.DONE, content=content)
