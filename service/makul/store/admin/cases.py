"""The operator's acts on cases about recipients (Procedure, cl. 12)."""

from datetime import datetime
from uuid import UUID

from makul.app.ports import OperatorRegistryError
from makul.domain.oversight_cases import CaseState, EvidenceFile
from makul.language.translation import translate
from makul.store.admin.case_rights import CaseRows
from makul.store.admin.unit_of_work import RegistryUnitOfWork


def attach_evidence(
    unit_of_work: RegistryUnitOfWork,
    case_id: UUID,
    evidence: EvidenceFile,
    *,
    reason: str,
    at: datetime,
) -> None:
    """Record the evidence file of an open case.

    Raises `OperatorRegistryError` for a case that is not open: the file of a referred case never
    changes.
    """
    with unit_of_work.begin() as transaction:
        act = unit_of_work.act(transaction)
        rows = CaseRows(transaction, unit_of_work.cipher, act, at=at)
        case = rows.case(case_id)
        if case is None or case.state is not CaseState.OPEN:
            raise OperatorRegistryError(translate("this case is not open; see: makul case list"))
        rows.attach_evidence(case, evidence, reason)
        facts = {"evidence": evidence.digest.hex(), "bytes": evidence.size, "reason": reason}
        act.write("case.evidence", str(case_id), {"recipient": case.recipient, **facts}, at=at)
