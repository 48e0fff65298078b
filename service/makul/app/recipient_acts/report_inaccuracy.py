"""ReportInaccuracy: a recipient reports a wrong value that it was given (Procedure, cl. 14)."""

from dataclasses import dataclass
from typing import ClassVar
from uuid import UUID

from makul.app.acts import ActRequest, RecipientOperation
from makul.app.correction_steps import ReportedValue, report_value
from makul.app.ports.acts import ActDecision, ActFacts
from makul.app.ports.corrections import CorrectionReportRights
from makul.domain.attributes import Attribute
from makul.domain.corrections import CorrectionKind, CorrectionOrigin


@dataclass(frozen=True, slots=True, kw_only=True)
class InaccuracyReport(ActRequest):
    """A report of one value of one disclosure."""

    disclosure_id: UUID
    attribute: Attribute
    kind: CorrectionKind
    justification: str
    proposed_value: str | None


class ReportInaccuracy(RecipientOperation[InaccuracyReport, CorrectionReportRights]):
    """Records a report by the disclosure that gave the value.

    The recipient names no person, so it learns nothing about anybody by reporting.
    """

    name = "ReportInaccuracy"
    request: ClassVar[type[ActRequest]] = InaccuracyReport

    def target(self, request: InaccuracyReport) -> str:
        """Return the disclosure."""
        return str(request.disclosure_id)

    def decide(
        self, request: InaccuracyReport, facts: ActFacts, rights: CorrectionReportRights
    ) -> ActDecision:
        """Record the report, unless the value was not given or is reported already."""
        recipient = facts.caller.recipient
        return report_value(
            self._services,
            rights,
            facts,
            ReportedValue(
                subject=rights.subject_given(recipient, request.disclosure_id, request.attribute),
                origin=CorrectionOrigin.RECIPIENT,
                attribute=request.attribute,
                kind=request.kind,
                justification=request.justification,
                proposed=request.proposed_value,
                field="disclosureId",
            ),
        )
