"""Officers: the persons who act for the bodies that supervise the operator and the recipients.

See the Procedure, cl. 11 and 12. The authorised body checks each month and can cut a recipient off.
The body for the protection of personal data receives cases and acknowledges them.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from makul.domain.identifiers import MemberCode


class OfficerRole(StrEnum):
    """The role in which an officer acts; a registered officer has exactly one."""

    BODY_OFFICER = "BODY_OFFICER"
    """An officer of the authorised body."""
    BODY_HEAD = "BODY_HEAD"
    """The head of the authorised body, or a deputy."""
    PROTECTION_OFFICER = "PROTECTION_OFFICER"
    """An officer of the body for the protection of personal data."""


AUTHORISED_BODY = frozenset({OfficerRole.BODY_OFFICER, OfficerRole.BODY_HEAD})
"""The roles of the authorised body."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Officer:
    """A person who acts for a supervising body, as the operator registered the person."""

    member: MemberCode
    """The member code of the body."""
    role: OfficerRole
    identifier: str
    """The identifier in the officer's certificate; over X-Road it is the value of `xrd:userId`."""
    name: str
    fingerprint: bytes
    """SHA-256 of the officer's certificate."""
    key_digest: bytes
    """SHA-256 of the public key. A second certificate over this key is the same person's."""
    withdrawn: bool = False
    not_after: datetime | None = None
    """The end of the certificate; None if an earlier release registered the officer."""

    def is_same_person(self, other: "Officer") -> bool:
        """Return whether two registrations may belong to one person, by identifier or key."""
        return self.identifier == other.identifier or self.key_digest == other.key_digest
