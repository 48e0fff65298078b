"""Effects of a decision: what it checks, counts and changes beyond its own record.

Each effect carries exactly what its rows need. Which effects a decision may have follows from its
class (`app.ports.decisions`). The order in which they are applied is the store's.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from makul.app.ports.decision_facts import Evidence
from makul.domain.disclosures import GroundKind, GroundRef
from makul.domain.identifiers import Pin
from makul.domain.match_attempts import AttemptLimits
from makul.domain.notifications import NotificationKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """A comparison with a person's record that does not count as a failed match.

    The limits on failed matches must not have been reached by the commit (MAT-06).
    """

    subject: Pin
    limits: AttemptLimits


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedMatch:
    """A comparison that counts as a failed match of the recipient, the PIN and the employee.

    The limits on failed matches must not have been reached by the commit (MAT-06).
    """

    subject: Pin
    limits: AttemptLimits


MatchAttempt = Comparison | FailedMatch
"""Any comparison with a person's record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeteredUse:
    """One use of a ground, which must be neither used up nor revoked by the commit."""

    ground: GroundRef


@dataclass(frozen=True, slots=True, kw_only=True)
class QuotaUse:
    """One use of the agreement's daily quota, which must not be used up by the commit."""

    quota: int


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperConsentUse:
    """One more use of an official's daily quota of consents on paper."""

    official: bytes
    """The fingerprint of the official's certificate."""
    quota: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRegistration:
    """The registration of a consent together with its document. It is no use of the consent."""

    document: Evidence
    """The consent document, which is kept as evidence."""
    consent_id: UUID
    subject: Pin
    max_disclosures: int
    valid_from: datetime
    valid_to: datetime
    representative: Pin | None = None
    paper: PaperConsentUse | None = None
    """The official's quota to use, set if the consent is on paper."""

    @property
    def ground(self) -> GroundRef:
        """The registered consent, as records and receipts name it."""
        return GroundRef(
            kind=GroundKind.CONSENT,
            id=self.consent_id,
            digest=self.document.digest,
            max_disclosures=self.max_disclosures,
            valid_from=self.valid_from,
            valid_to=self.valid_to,
            subject=self.subject,
            representative=self.representative,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRevocation:
    """The revocation of a consent, signed by its subject or by the representative who gave it.

    The consent allows no disclosure from this commit on.
    """

    consent_id: UUID
    subject: Pin
    document: Evidence
    """The signed revocation, which is kept as evidence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubjectNotification:
    """A notification to the subject, which a sender delivers after the commit (cl. 4).

    What it says is read from the decision. The leaf does not state it: no decision rests on it.
    """

    kind: NotificationKind
    visible_at: datetime
    """The time from which the subject may learn of the decision (cl. 5.1)."""
    provision: str | None = None
    """The provision of cl. 5, if the ground is a basis in law."""
    on_paper: bool = False
    """True if the ground is a consent on paper."""


DecisionEffect = (
    MatchAttempt
    | MeteredUse
    | QuotaUse
    | ConsentRegistration
    | ConsentRevocation
    | SubjectNotification
)
"""Any effect of a decision."""
