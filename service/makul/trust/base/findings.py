"""Define what the checks of a signature find, in the words of ETSI EN 319 102-1.

These frozen values pass between the packages of `trust`. `pki` and `timestamps` make findings, and
`validation` gathers them into a report. None of them holds anything of a document's content.
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


class SubIndication(StrEnum):
    """The reason why the indication is not TOTAL-PASSED (ETSI EN 319 102-1, 5.1.3, table 6).

    Values that no check here concludes are left out, among them `REVOKED` and `EXPIRED`. These two
    need proof that the signature was made *after* that moment (a content timestamp), which nothing
    here reads. Without that proof the conclusion is `…_NO_POE`.
    """

    FORMAT_FAILURE = "FORMAT_FAILURE"
    HASH_FAILURE = "HASH_FAILURE"
    SIG_CRYPTO_FAILURE = "SIG_CRYPTO_FAILURE"
    NOT_YET_VALID = "NOT_YET_VALID"
    SIG_CONSTRAINTS_FAILURE = "SIG_CONSTRAINTS_FAILURE"
    CHAIN_CONSTRAINTS_FAILURE = "CHAIN_CONSTRAINTS_FAILURE"
    CERTIFICATE_CHAIN_GENERAL_FAILURE = "CERTIFICATE_CHAIN_GENERAL_FAILURE"
    CRYPTO_CONSTRAINTS_FAILURE = "CRYPTO_CONSTRAINTS_FAILURE"
    CRYPTO_CONSTRAINTS_FAILURE_NO_POE = "CRYPTO_CONSTRAINTS_FAILURE_NO_POE"
    NO_SIGNING_CERTIFICATE_FOUND = "NO_SIGNING_CERTIFICATE_FOUND"
    NO_CERTIFICATE_CHAIN_FOUND = "NO_CERTIFICATE_CHAIN_FOUND"
    REVOKED_NO_POE = "REVOKED_NO_POE"
    REVOKED_CA_NO_POE = "REVOKED_CA_NO_POE"
    OUT_OF_BOUNDS_NO_POE = "OUT_OF_BOUNDS_NO_POE"
    TRY_LATER = "TRY_LATER"
    SIGNED_DATA_NOT_FOUND = "SIGNED_DATA_NOT_FOUND"

    @property
    def indication(self) -> Indication:
        """The main indication to which it belongs (table 5)."""
        return Indication.FAILED if self in _CERTAIN else Indication.INDETERMINATE


_CERTAIN = frozenset(
    {
        SubIndication.FORMAT_FAILURE,
        SubIndication.HASH_FAILURE,
        SubIndication.SIG_CRYPTO_FAILURE,
        SubIndication.NOT_YET_VALID,
    }
)
"""Failures that no further material could repair."""


class RevocationStatus(StrEnum):
    """The revocation status of a certificate at the moment for which it was judged."""

    GOOD = "good"
    REVOKED = "revoked"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationFinding:
    """What was known about the revocation of one certificate, and from which statement."""

    certificate: bytes
    """SHA-256 of the certificate whose status was asked for."""
    end: RevocationStatus
    source: str | None = None
    """`CRL` or `OCSP`; None if nothing was known."""
    digest: bytes | None = None
    """SHA-256 of that CRL or OCSP response."""
    this_update: datetime | None = None
    next_update: datetime | None = None
    revoked_at: datetime | None = None
    """The moment from which the certificate does not count: the revocation, or the date since which
    the key is suspect."""
    reason: str | None = None
    """The name of the CRLReason in RFC 5280, 5.3.1."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PathFinding:
    """The result of judging one certificate's path. `code` is None if and only if it is trusted."""

    code: Code | None
    why: str
    """A few words of ours."""
    judged_for: datetime
    """The moment for which it was judged: now, or when the signature provably existed."""
    path: tuple[bytes, ...] = ()
    """SHA-256 of each certificate, the signer's first and the anchor's last."""
    revocation: tuple[RevocationFinding, ...] = ()
    policies: frozenset[str] = frozenset()
    """Certificate policies that hold along the whole path (RFC 5280, 6.1.5, g), as dotted OIDs."""

    def __bool__(self) -> bool:
        raise TypeError("compare a finding's code; it has no truth of its own")


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampFinding:
    """The result of judging one signature timestamp. `code` is None if and only if it is proof."""

    code: Code | None
    why: str
    digest: bytes
    """SHA-256 of the token."""
    time: datetime | None = None
    """genTime plus its accuracy: the signature existed at this moment at the latest."""
    path: PathFinding | None = None

    def __bool__(self) -> bool:
        raise TypeError("compare a finding's code; it has no truth of its own")
