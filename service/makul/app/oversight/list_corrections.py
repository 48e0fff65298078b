"""ListCorrections: the reports of wrong data, with their deadlines (Procedure, cl. 14)."""

from dataclasses import dataclass
from typing import ClassVar

from makul.app.acts import ActRequest, OversightOperation
from makul.app.ports.acts import ActDecision, ActFacts, Decide
from makul.domain.disclosures import Outcome
from makul.domain.officers import OfficerRole


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionsQuery(ActRequest):
    """A request for all reports, or for those without a result."""

    open_only: bool | None


class ListCorrections(OversightOperation[CorrectionsQuery, object]):
    """Lists the reports, and how many recipients still have to acknowledge each correction."""

    name = "ListCorrections"
    request: ClassVar[type[ActRequest]] = CorrectionsQuery
    roles = frozenset(OfficerRole)
    reads_only = True

    def target(self, request: CorrectionsQuery) -> str:  # noqa: ARG002 - one for all
        """Return that corrections are read."""
        return "corrections"

    def prepare(self, request: CorrectionsQuery, facts: ActFacts) -> Decide[object]:
        """Read the corrections before the act is recorded."""
        services = self._services
        found = services.corrections.all_corrections(open_only=bool(request.open_only))
        content = services.documents.corrections(found, at=facts.at)
        return lambda _: ActDecision(outcome=Outcome.DONE, content=content)
