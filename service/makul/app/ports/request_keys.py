"""Keys by which a repeated request is recognised (docs/architecture.md, invariant 5)."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from makul.domain.identifiers import MemberCode


class Space(StrEnum):
    """The scope in which a request id is unique for one recipient."""

    DISCLOSURE = "DISCLOSURE"
    CONSENT = "CONSENT"
    REVOCATION = "REVOCATION"
    """Consent revocations, which only remove rights.

    A replay of their stored answers therefore needs no rights.
    """
    EXPLANATION = "EXPLANATION"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asker:
    """The party within a recipient that sends a request.

    A request id belongs to exactly one asker (docs/architecture.md, invariant 5).
    """

    subsystem: str | None = None
    """The X-Road subsystem of the member; None on other channels."""
    employee: str | None = None
    case_number: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestKey:
    """The values by which a repeated request is recognised."""

    recipient: MemberCode
    space: Space
    request_id: UUID
    digest: bytes
    """SHA-256 over the exclusive canonical form of the Body's child."""
    asker: Asker = Asker()

    def reused_by(self, known: "KnownRequest") -> str | None:
        """Return the element in which this request differs from the one that closed its id.

        Return None if it is the same request of the same asker. An answer goes to no other asker:
        another employee, case or subsystem must present its own consent (Procedure, cl. 4 and 15).
        """
        if self.digest != known.digest:
            return "requestId"
        pairs = (
            ("subsystemCode", self.asker.subsystem, known.asker.subsystem),
            ("employee", self.asker.employee, known.asker.employee),
            ("caseNumber", self.asker.case_number, known.asker.case_number),
        )
        return next((name for name, ours, theirs in pairs if ours != theirs), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownRequest:
    """The request that closed a request id."""

    digest: bytes
    asker: Asker
