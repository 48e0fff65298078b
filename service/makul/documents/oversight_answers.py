"""Render what the oversight operations return about decisions and cases (oversight.xsd)."""

from collections.abc import Iterable
from datetime import timedelta

from makul.app.ports.oversight import DecisionLine
from makul.documents.canonical_writer import (
    binary,
    day,
    each,
    element,
    group,
    instant,
    optional,
)
from makul.domain.oversight_cases import CaseStep, EvidenceFile, OversightCase


def render_lines(lines: Iterable[DecisionLine], *, more: bool) -> bytes:
    """Render the elements `line` and `more` of ListDisclosures."""
    return ("".join(map(_line, lines)) + element("more", "true" if more else "false")).encode()


def render_cases(cases: Iterable[OversightCase]) -> bytes:
    """Render the elements `case` of GetCase."""
    return "".join(
        group(
            "case",
            element("caseId", str(case.case_id)),
            element("recipient", case.recipient),
            element("firstDay", day(case.period.first)),
            element("lastDay", day(case.period.end - timedelta(days=1))),
            element("scope", case.scope),
            element("caseState", case.state),
            element("changedAt", instant(case.changed_at)),
            _evidence(case.evidence),
        )
        for case in cases
    ).encode()


def render_steps(steps: Iterable[CaseStep]) -> bytes:
    """Render the elements `step` of GetCase."""
    return "".join(
        group(
            "step",
            element("kind", step.kind),
            element("at", instant(step.at)),
            element("party", step.party),
            optional("text", step.text or None),
            optional("evidenceDigest", None if step.evidence is None else binary(step.evidence)),
        )
        for step in steps
    ).encode()


def render_part(evidence: EvidenceFile, offset: int, part: bytes) -> bytes:
    """Render a part of an evidence file, with the size and the digest of the whole."""
    return (
        element("evidenceDigest", binary(evidence.digest))
        + element("evidenceBytes", str(evidence.size))
        + element("offset", str(offset))
        + group("part", binary(part))
    ).encode()


def _evidence(evidence: EvidenceFile | None) -> str:
    if evidence is None:
        return ""
    return element("evidenceDigest", binary(evidence.digest)) + element(
        "evidenceBytes", str(evidence.size)
    )


def _line(line: DecisionLine) -> str:
    digest = None if line.ground_digest is None else binary(line.ground_digest)
    return group(
        "line",
        element("disclosureId", str(line.disclosure_id)),
        element("requestId", str(line.request_id)),
        element("decidedAt", instant(line.decided_at)),
        element("operation", line.operation),
        element("outcome", line.outcome),
        each("code", line.codes),
        each("attribute", line.attributes),
        optional("purpose", line.purpose),
        optional("agreementNumber", line.agreement_number),
        optional("groundKind", line.ground_kind),
        optional("groundDigest", digest),
    )
