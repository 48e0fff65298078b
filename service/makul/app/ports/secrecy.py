"""Ports of secrecy: undertakings, reported incidents, and deletions that are due (cl. 15, 16)."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

from makul.domain.deletions import DeletionDue
from makul.domain.identifiers import MemberCode
from makul.domain.incidents import Incident
from makul.domain.undertakings import Undertaking

if TYPE_CHECKING:
    from lxml.etree import _Element as Element


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedIncident:
    """An incident in the register."""

    incident_id: UUID
    recipient: MemberCode
    case_id: UUID
    """The case that it proposed."""
    reported_at: datetime
    incident: Incident


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleasedData:
    """A decision that released data, with what determines for how long they may be kept."""

    disclosure_id: UUID
    decided_at: datetime
    consent: bytes | None
    """The document of the consent; None if the ground is a basis statement."""
    basis_ends: datetime | None
    """The end of the term of the basis statement; None for a consent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionsPage:
    """A part of what is due, and the decision after which the next part begins, if there is one."""

    due: Sequence[DeletionDue]
    following: UUID | None


class SecrecyDocuments(Protocol):
    """Converts the documents and answers of secrecy."""

    def read_undertaking(self, signed: "Element") -> Undertaking:
        """Read an undertaking of secrecy from its verified root element.

        Raises `DocumentError` (REQ-01).
        """

    def stored_retention(self, document: bytes) -> str | None:
        """Return how long the recipient may keep the data of a stored consent (cl. 15).

        Return None for a document that cannot be read as one.
        """

    def deletions_due(self, page: DeletionsPage, *, at: datetime) -> bytes:
        """Return the elements `due` of AttestDeletion, and `next` if there are more."""
