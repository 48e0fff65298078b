"""RequestCorrection: a citizen reports a wrong value about themselves (Procedure, cl. 4, 14)."""

from dataclasses import dataclass
from typing import ClassVar

from makul.app.acts import ActRequest, SubjectOperation, SubjectRequest, require_subject
from makul.app.correction_steps import ReportedValue, report_value
from makul.app.ports.acts import ActDecision, ActFacts
from makul.app.ports.corrections import CorrectionReportRights
from makul.domain.attributes import Attribute
from makul.domain.corrections import CorrectionKind, CorrectionOrigin


@dataclass(frozen=True, slots=True, kw_only=True)
class CorrectionRequest(SubjectRequest):
    """A report of one value."""

    attribute: Attribute
    kind: CorrectionKind
    justification: str
    proposed_value: str | None


class RequestCorrection(SubjectOperation[CorrectionRequest, CorrectionReportRights]):
    """Records a citizen's report.

    The answer does not depend on the register: not on whether it holds the citizen or the value,
    and not on reports of others.
    """

    name = "RequestCorrection"
    request: ClassVar[type[ActRequest]] = CorrectionRequest

    def target(self, request: CorrectionRequest) -> str:  # noqa: ARG002 - one for all
        """Return a word: what the act is about is a person."""
        return "correction"

    def decide(
        self, request: CorrectionRequest, facts: ActFacts, rights: CorrectionReportRights
    ) -> ActDecision:
        """Record the report, unless the citizen has an open one about the same attribute."""
        return report_value(
            self._services,
            rights,
            facts,
            ReportedValue(
                subject=require_subject(facts),
                origin=CorrectionOrigin.SUBJECT,
                attribute=request.attribute,
                kind=request.kind,
                justification=request.justification,
                proposed=request.proposed_value,
                field="attribute",
            ),
        )
