"""The rows of a case that acts read and change, in the act's transaction (Procedure, cl. 12)."""

from dataclasses import replace
from uuid import UUID, uuid4

from sqlalchemy import bindparam, func, insert, select, update

from makul.domain.cases import CasePeriod, CaseScope
from makul.domain.identifiers import MemberCode
from makul.domain.oversight_cases import (
    CaseParty,
    CaseProposal,
    CaseState,
    CaseStepKind,
    EvidenceFile,
    OversightCase,
)
from makul.store.admin.act_rows import ActRows
from makul.store.db.codecs import micros
from makul.store.reads.oversight_cases import (
    encrypt_step_text,
    find_case,
    find_proposed,
    has_case,
)
from makul.store.schema.registry_tables import oversight_case, oversight_case_step

_ADD_CASE = insert(oversight_case)
_ADD_STEP = insert(oversight_case_step)
_LAST_STEP = select(func.max(oversight_case_step.c.number)).where(
    oversight_case_step.c.case_id == bindparam("case_id")
)
_THIS_CASE = oversight_case.c.case_id == bindparam("key_case_id")
_SET_STATE = (
    update(oversight_case)
    .where(_THIS_CASE)
    .values(state=bindparam("state"), changed_at=bindparam("changed_at"))
)
_ATTACH = (
    update(oversight_case)
    .where(_THIS_CASE)
    .values(
        evidence=bindparam("evidence"),
        evidence_bytes=bindparam("evidence_bytes"),
        evidence_parts=bindparam("evidence_parts"),
        changed_at=bindparam("changed_at"),
    )
)


class CaseRows(ActRows):
    """The part of an act's rows that belongs to cases."""

    def case(self, case_id: UUID) -> OversightCase | None:
        """Return a case; None if there is none."""
        return find_case(self._transaction, case_id)

    def has_case(self, recipient: MemberCode, period: CasePeriod) -> bool:
        """Return whether a recipient's period has a case that was not dismissed."""
        return has_case(self._transaction, recipient, period)

    def propose_case(self, proposal: CaseProposal) -> OversightCase:
        """Propose a case, or add the facts to the case that is proposed for the same period."""
        case = find_proposed(self._transaction, proposal.recipient, proposal.period)
        if case is None:
            new = OversightCase(
                case_id=uuid4(),
                recipient=proposal.recipient,
                period=proposal.period,
                scope=CaseScope.EXCEPTIONS,
                state=CaseState.PROPOSED,
                changed_at=self._at,
            )
            return self.add_case(new, proposal.party, proposal.reason)
        self._add_step(case.case_id, CaseStepKind.PROPOSED, proposal.party, proposal.reason)
        return case

    def add_proposal(self, case: OversightCase, proposal: CaseProposal) -> None:
        """Add another text to a case that was proposed in this act."""
        self._add_step(case.case_id, CaseStepKind.PROPOSED, proposal.party, proposal.reason)

    def add_case(self, case: OversightCase, party: CaseParty, text: str) -> OversightCase:
        """Register a new case with its first step."""
        self._track("oversight_case", case_id=case.case_id.bytes)
        row = {
            "case_id": case.case_id.bytes,
            "recipient": case.recipient,
            "first_day": case.period.first.isoformat(),
            "end_day": case.period.end.isoformat(),
            "scope": case.scope.value,
            "state": case.state.value,
            "evidence": None,
            "evidence_bytes": None,
            "evidence_parts": None,
            "changed_at": micros(self._at),
        }
        self._transaction.execute(_ADD_CASE, row)
        proposed = case.state is CaseState.PROPOSED
        kind = CaseStepKind.PROPOSED if proposed else CaseStepKind.OPENED
        self._add_step(case.case_id, kind, party, text)
        return case

    def set_case_state(
        self,
        case: OversightCase,
        state: CaseState,
        kind: CaseStepKind,
        party: CaseParty,
        text: str,
    ) -> OversightCase:
        """Record the step that leads to a state; return the case after it."""
        self._track("oversight_case", case_id=case.case_id.bytes)
        values = {
            "key_case_id": case.case_id.bytes,
            "state": state.value,
            "changed_at": micros(self._at),
        }
        self._transaction.execute(_SET_STATE, values)
        referred = case.evidence if kind is CaseStepKind.REFERRED else None
        self._add_step(case.case_id, kind, party, text, referred)
        return replace(case, state=state, changed_at=self._at)

    def attach_evidence(self, case: OversightCase, evidence: EvidenceFile, text: str) -> None:
        """Record the evidence file of a case. An earlier file stays in its steps."""
        self._track("oversight_case", case_id=case.case_id.bytes)
        values = {
            "key_case_id": case.case_id.bytes,
            "evidence": evidence.digest,
            "evidence_bytes": evidence.size,
            "evidence_parts": b"".join(evidence.part_digests),
            "changed_at": micros(self._at),
        }
        self._transaction.execute(_ATTACH, values)
        kind, party = CaseStepKind.EVIDENCE_ATTACHED, CaseParty.OPERATOR
        self._add_step(case.case_id, kind, party, text, evidence)

    def _add_step(
        self,
        case_id: UUID,
        kind: CaseStepKind,
        party: CaseParty,
        text: str,
        evidence: EvidenceFile | None = None,
    ) -> None:
        (last,) = self._transaction.fetch_one(_LAST_STEP, {"case_id": case_id.bytes}) or (None,)
        number = 1 if last is None else int(last) + 1
        self._track("oversight_case_step", case_id=case_id.bytes, number=number)
        row = {
            "case_id": case_id.bytes,
            "number": number,
            "kind": kind.value,
            "party": party.value,
            "evidence": evidence.digest if evidence is not None else None,
            "sealed": encrypt_step_text(self._cipher, case_id, number, text),
            "taken_at": micros(self._at),
        }
        self._transaction.execute(_ADD_STEP, row)
