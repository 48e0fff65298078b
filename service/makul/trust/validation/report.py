"""The validation report: the result of each check, the times and the evidence.

It follows ETSI EN 319 102-1, 5.1.3 and 5.1.4. It is stored as evidence beside the document's bytes.
It contains only digests, times, reasons and our own words. So it has no content of the document and
no person's name.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple

from makul.domain.causes import Cause
from makul.domain.disclosures import ProofStatus
from makul.domain.reasons import Code
from makul.trust.base.findings import (
    Indication,
    PathFinding,
    SubIndication,
    TimestampFinding,
)

VERSION = 1
"""The version of the report's JSON. Under one number, fields may be added; they must not be changed
or removed."""

_UNDECIDED = frozenset({Code.SIG_07})
"""The reasons for which a decision is undetermined rather than "no". The same document may pass as
soon as fresh revocation data are available. Every other INDETERMINATE of the standard is a "no"."""


class CheckVerdict(StrEnum):
    """The verdict of one check."""

    PASSED = "passed"
    FAILED = "failed"
    INDETERMINATE = "indeterminate"
    NOT_RUN = "not run"
    """The check did not run: an earlier check failed, or it does not apply (see `why`)."""


class CheckResult(NamedTuple):
    """The result of one check."""

    check: str
    clause: str
    """The clause of ETSI EN 319 102-1, or `local`."""
    verdict: CheckVerdict
    code: Code | None = None
    why: str | None = None
    """The explanation, in a few words of our own."""
    sub: SubIndication | None = None


class ExistenceSource(StrEnum):
    """The source of the proof that a signature existed."""

    TIMESTAMP = "timestamp"
    """A time-stamping authority's token over the signature value (RFC 3161)."""
    HELD = "held"
    """The verifier's own record of these very bytes at that time."""


@dataclass(frozen=True, slots=True)
class Existence:
    """The proof that a signature existed at a moment or before it."""

    time: datetime
    source: ExistenceSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """The times that the validation used. Only `best_signature_time` affects the verdict."""

    judged_at: datetime
    claimed: datetime | None = None
    """The SigningTime as the signer wrote it. It proves nothing."""
    existence: Existence | None = None
    """The earliest proof of existence, or None if there is none before `judged_at`."""

    @property
    def best_signature_time(self) -> datetime:
        """Return the earliest moment at which the signature provably existed (5.5.4)."""
        return self.existence.time if self.existence is not None else self.judged_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """The report on the validation of one signature."""

    code: Code | None
    """The reason of failure. It is None exactly if the indication is TOTAL-PASSED."""
    why: str | None
    field: str | None
    """The name of the element to which the reason applies."""
    cause: Cause | None
    """The cause, which selects the text on what to do. It is not part of the report's JSON."""
    sub_indication: SubIndication | None
    profile: str
    checks: tuple[CheckResult, ...]
    """The results of all checks, in the order in which checks run."""
    times: Times
    document: bytes
    """The SHA-256 digest of the document's exact bytes."""
    certificate: bytes | None
    """The SHA-256 digest of the signing certificate, or None if it was not identified."""
    signature_method: str | None
    path: PathFinding | None
    timestamps: tuple[TimestampFinding, ...]

    @property
    def indication(self) -> Indication:
        """Return the main indication (5.1.3, table 5)."""
        return self.sub_indication.indication if self.sub_indication else Indication.PASSED

    @property
    def status(self) -> ProofStatus:
        """Return the status for a decision.

        Only a result that could not be determined for now is `INDETERMINATE`.
        """
        if self.code is None:
            return ProofStatus.PASSED
        return ProofStatus.INDETERMINATE if self.code in _UNDECIDED else ProofStatus.FAILED
