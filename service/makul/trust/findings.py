"""What judging a signature finds, check by check, in the words of ETSI EN 319 102-1.

Frozen values that pass between the parts of this room: `paths` and `timestamps` make findings,
`documents` gathers them into a report. None of them holds anything of a document's content.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from makul.domain.reasons import Code


class Indication(StrEnum):
    """The three main indications (ETSI EN 319 102-1, 5.1.3)."""

    PASSED = "TOTAL-PASSED"
    FAILED = "TOTAL-FAILED"
    INDETERMINATE = "INDETERMINATE"


class CertificateEnd(StrEnum):
    """Why a certificate's status is what it is at the moment it was judged for."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationFinding:
    """What was known of one certificate's revocation, and from what."""

    certificate: bytes
    """SHA-256 of the certificate asked about."""
    end: CertificateEnd
    source: str | None = None
    """`CRL` or `OCSP`; None where nothing was known."""
    digest: bytes | None = None
    """SHA-256 of that CRL or OCSP response."""
    this_update: datetime | None = None
    next_update: datetime | None = None
    revoked_at: datetime | None = None
    """From when it does not count: the revocation, or the date since which the key is suspect."""
    reason: str | None = None
    """The CRLReason by its name in RFC 5280, 5.3.1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PathFinding:
    """What judging one certificate's path gave. `code` is None exactly where it is trusted."""

    code: Code | None
    why: str
    """A few words of ours."""
    judged_for: datetime
    """The moment for which it was judged: now, or when the signature provably existed."""
    path: tuple[bytes, ...] = ()
    """SHA-256 of each certificate, the signer's first, the anchor last."""
    revocation: tuple[RevocationFinding, ...] = ()

    def __bool__(self) -> bool:
        raise TypeError("compare a finding's code; it has no truth of its own")


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampFinding:
    """What judging one signature timestamp gave. `code` is None exactly where it is proof."""

    code: Code | None
    why: str
    digest: bytes
    """SHA-256 of the token."""
    time: datetime | None = None
    """genTime plus its accuracy: the latest moment at which the signature did not yet exist."""
    path: PathFinding | None = None

    def __bool__(self) -> bool:
        raise TypeError("compare a finding's code; it has no truth of its own")
