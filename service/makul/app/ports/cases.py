"""What the evidence file of a case needs of the record and of documents (Procedure, cl. 12)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol
from uuid import UUID

from makul.app.ports.monthly_statements import RecordedMonth
from makul.app.ports.registry import EvidenceDocument
from makul.domain.cases import Case, CaseAct, CaseDecision, CaseEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRecord:
    """All that is recorded of one decision."""

    salt: bytes
    statement: bytes
    """The statement of the leaf, whose facts are those of the decision."""
    receipt: bytes
    documents: tuple[EvidenceDocument, ...]
    request: bytes | None
    """The message that the recipient signed; None if none is stored or readable."""
    has_unreadable_request: bool
    revoked_at: datetime | None
    revocation: bytes | None
    """The subject's signed revocation of the consent; None if the operator revoked the ground."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ActRecord:
    """An act of the operator, as recorded."""

    number: int
    at: datetime
    who: str
    kind: str
    target: str
    leaf_index: int | None
    salt: bytes
    statement: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedDraft:
    """The signed document of one party under a draft of an agreement."""

    number: str
    drafted_at: datetime
    terms_digest: bytes
    role: str
    member: str
    signer: bytes
    recorded_at: datetime
    document: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedCase:
    """A recipient's period in the record, and how to read the rest of a decision."""

    period: RecordedMonth
    total: int
    """Number of decisions in the period."""
    acts: Sequence[ActRecord]
    """Acts about the recipient and its agreements, the earliest first."""
    signed_drafts: Sequence[SignedDraft]
    read_record: Callable[[UUID], CaseRecord]


class CaseDocuments(Protocol):
    """Writes the documents of a case."""

    def render_case(self, case: Case) -> bytes:
        """Return the head."""

    def render_decision(self, decision: CaseDecision, tree_size: int) -> bytes:
        """Return the description of a decision."""

    def render_act(self, act: CaseAct, tree_size: int) -> bytes:
        """Return the description of an act."""

    def render_timeline(self, events: Iterable[CaseEvent]) -> Iterable[bytes]:
        """Return the timeline for programs, in blocks."""

    def render_timeline_page(self, case: Case, events: Iterable[CaseEvent]) -> Iterable[bytes]:
        """Return the timeline for people, in blocks."""

    def document_type(self, content: bytes) -> tuple[str, str]:
        """Return the suffix and the media type of a document, by its content."""


class EvidenceContainer(Protocol):
    """Receives the files of a case, one after another."""

    def add(self, name: str, media_type: str, content: Iterable[bytes]) -> bytes:
        """Write a file."""


class InclusionProofs(Protocol):
    """The tree of the published checkpoint on which a case rests."""

    size: int

    def inclusion_proof(self, index: int) -> tuple[bytes, ...]:
        """Return the audit path of a leaf, the lowest node first."""


class TrustArchive(Protocol):
    """The archive of certificates and revocation data on which verdicts rest."""

    def read(self, digest: bytes) -> tuple[bytes, str] | None:
        """Return an object and its suffix, or None. Raises `ValueError` if it was altered."""
