"""GetEvidenceFile: a part of the evidence file of a case (Procedure, cl. 12)."""

from dataclasses import dataclass
from hashlib import sha256
from typing import ClassVar
from uuid import UUID

from makul.app.acts import ActRequest, OversightOperation, require_officer
from makul.app.case_steps import find_visible_case
from makul.app.ports.acts import ActDecision, ActFacts, Decide, refuse_act
from makul.domain.disclosures import Outcome
from makul.domain.officers import Officer, OfficerRole
from makul.domain.oversight_cases import PART_BYTES, EvidenceFile
from makul.domain.reasons import Code, Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceQuery(ActRequest):
    """A request for the bytes of an evidence file from an offset on."""

    case_id: UUID
    offset: int


class GetEvidenceFile(OversightOperation[EvidenceQuery, object]):
    """Returns one part of the evidence file, only if its bytes are those that were attached."""

    name = "GetEvidenceFile"
    request: ClassVar[type[ActRequest]] = EvidenceQuery
    roles = frozenset(OfficerRole)
    reads_only = True

    def target(self, request: EvidenceQuery) -> str:
        """Return the id of the case."""
        return str(request.case_id)

    def prepare(self, request: EvidenceQuery, facts: ActFacts) -> Decide[object]:
        """Read the part before the act is recorded, because it is large."""
        decision = self._read(request, require_officer(facts))
        return lambda _: decision

    def _read(self, request: EvidenceQuery, officer: Officer) -> ActDecision:
        case = find_visible_case(self._services.register, request.case_id, officer)
        if case is None:
            return refuse_act((Reason(code=Code.OVR_06, field="caseId"),))
        if case.evidence is None:
            return refuse_act((Reason(code=Code.OVR_02, field="caseId"),))
        if request.offset >= case.evidence.size:
            return refuse_act((Reason(code=Code.OVR_06, field="offset"),))
        part = self._verified_part(case.evidence, request.offset)
        if part is None:
            return ActDecision(outcome=Outcome.UNDETERMINED, reasons=(Reason(code=Code.OPS_01),))
        return ActDecision(
            outcome=Outcome.DONE,
            content=self._services.documents.evidence_part(case.evidence, request.offset, part),
            stated={"evidenceDigest": case.evidence.digest.hex(), "partBytes": str(len(part))},
        )

    def _verified_part(self, evidence: EvidenceFile, offset: int) -> bytes | None:
        """Return the rest of the part that contains the offset; None if the file differs."""
        number, within = divmod(offset, PART_BYTES)
        if number >= len(evidence.part_digests):
            return None
        begins = number * PART_BYTES
        size = min(PART_BYTES, evidence.size - begins)
        part = self._services.evidence.read(evidence.digest, begins, size)
        if part is None or sha256(part).digest() != evidence.part_digests[number]:
            return None
        return part[within:]
