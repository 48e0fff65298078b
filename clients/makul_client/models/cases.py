"""The typed cases of the supervising bodies, and the lines that they list (cl. 11 and 12).

Nothing here contains data of a person.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import UUID

from makul_client.models.acts import Act


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseSummary:
    """A case and its state."""

    case_id: UUID
    recipient: str
    first_day: date
    last_day: date
    scope: str
    """`EXCEPTIONS` or `ALL`."""
    case_state: str
    """`PROPOSED`, `OPEN`, `REFERRED`, `ACKNOWLEDGED` or `DISMISSED`."""
    changed_at: datetime
    evidence_digest: bytes | None
    """The SHA-256 of the evidence file; None if there is none yet."""
    evidence_bytes: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseStep:
    """A step of a case."""

    kind: str
    at: datetime
    party: str
    text: str | None
    evidence_digest: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadCases:
    """The cases that the officer may know of; or one case with its steps."""

    cases: tuple[CaseSummary, ...]
    steps: tuple[CaseStep, ...]
    act: Act


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseAct:
    """An act on a case that was done, and the state after it."""

    case_id: UUID
    case_state: str
    act: Act


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidencePart:
    """A part of an evidence file, as it was received. Only the whole file can be verified."""

    digest: bytes
    """The SHA-256 of the whole file, by the answer."""
    size: int
    offset: int
    content: bytes = field(repr=False)
    act: Act


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionLine:
    """A decision of a recipient as the supervising bodies list it."""

    disclosure_id: UUID
    request_id: UUID
    decided_at: datetime
    operation: str
    outcome: str
    codes: tuple[str, ...]
    attributes: tuple[str, ...]
    purpose: str | None
    agreement_number: str | None
    ground_kind: str | None
    ground_digest: bytes | None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionPage:
    """A page of lines. If there are more, the next page follows the last line."""

    lines: tuple[DecisionLine, ...]
    more: bool
    act: Act


@dataclass(frozen=True, slots=True, kw_only=True)
class SavedEvidence:
    """An evidence file that was received completely and has the digest of the case."""

    case_id: UUID
    file: str
    digest: bytes
    size: int
