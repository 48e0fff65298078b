"""Read the answers about cases and lines, which the receipt proved already (oversight.xsd)."""

from typing import Any
from uuid import UUID

from makul_client._internal.act_exchange import unsuitable_answer
from makul_client.models.acts import Act
from makul_client.models.cases import (
    CaseAct,
    CaseStep,
    CaseSummary,
    DecisionLine,
    DecisionPage,
    EvidencePart,
    ReadCases,
)


def read_cases(answer: Any, act: Act) -> ReadCases:
    """Return the cases of an answer, and the steps of a single one."""
    return ReadCases(
        cases=tuple(map(_summary, answer.case)), steps=tuple(map(_step, answer.step)), act=act
    )


def read_case_act(answer: Any, act: Act, state: str) -> CaseAct:
    """Return an act on a case. Raises `TransportError` for another state than the act leads to."""
    if answer.caseId is None or answer.caseState != state:
        raise unsuitable_answer()
    return CaseAct(case_id=UUID(answer.caseId), case_state=answer.caseState, act=act)


def read_part(answer: Any, act: Act, offset: int) -> EvidencePart:
    """Return a part. Raises `TransportError` for another offset, or a part that is too long."""
    part, size, digest = answer.part, answer.evidenceBytes, answer.evidenceDigest
    if part is None or size is None or digest is None or answer.offset != offset:
        raise unsuitable_answer()
    if not part or offset + len(part) > size:
        raise unsuitable_answer()
    return EvidencePart(digest=digest, size=int(size), offset=offset, content=part, act=act)


def read_lines(answer: Any, act: Act) -> DecisionPage:
    """Return a page of lines. Raises `TransportError` for more lines after none."""
    lines = tuple(map(_line, answer.line))
    if answer.more and not lines:
        raise unsuitable_answer()
    return DecisionPage(lines=lines, more=bool(answer.more), act=act)


def _summary(read: Any) -> CaseSummary:
    size = read.evidenceBytes
    return CaseSummary(
        case_id=UUID(read.caseId),
        recipient=read.recipient,
        first_day=read.firstDay,
        last_day=read.lastDay,
        scope=read.scope,
        case_state=read.caseState,
        changed_at=read.changedAt,
        evidence_digest=read.evidenceDigest,
        evidence_bytes=None if size is None else int(size),
    )


def _step(read: Any) -> CaseStep:
    return CaseStep(
        kind=read.kind,
        at=read.at,
        party=read.party,
        text=read.text,
        evidence_digest=read.evidenceDigest,
    )


def _line(read: Any) -> DecisionLine:
    return DecisionLine(
        disclosure_id=UUID(read.disclosureId),
        request_id=UUID(read.requestId),
        decided_at=read.decidedAt,
        operation=read.operation,
        outcome=read.outcome,
        codes=tuple(read.code),
        attributes=tuple(read.attribute),
        purpose=read.purpose,
        agreement_number=read.agreementNumber,
        ground_kind=read.groundKind,
        ground_digest=read.groundDigest,
    )
