"""ListCorrections: what became of a citizen's own reports of wrong data (Procedure, cl. 14)."""

from typing import ClassVar

from makul.app.acts import ActRequest, SubjectOperation, SubjectRequest, require_subject
from makul.app.ports.acts import ActDecision, ActFacts, Decide
from makul.domain.disclosures import Outcome


class ListOwnCorrections(SubjectOperation[SubjectRequest, object]):
    """Lists the citizen's own reports. Reports and disclosures of others change nothing in it."""

    name = "ListCorrections"
    request: ClassVar[type[ActRequest]] = SubjectRequest
    reads_only = True

    def target(self, request: SubjectRequest) -> str:  # noqa: ARG002 - one for all
        """Return a word: what the act is about is a person."""
        return "corrections"

    def prepare(
        self,
        request: SubjectRequest,  # noqa: ARG002 - the signature of all operations
        facts: ActFacts,
    ) -> Decide[object]:
        """Read the reports before the act is recorded."""
        services = self._services
        found = services.corrections.own_reports(require_subject(facts))
        content = services.documents.corrections(found, at=facts.at)
        return lambda _: ActDecision(outcome=Outcome.DONE, content=content)
