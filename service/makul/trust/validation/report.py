"""The validation report: what each check found, at which times, from which evidence.

After ETSI EN 319 102-1, 5.1.3 and 5.1.4. Kept as evidence beside the document's bytes, so it holds
nothing of the document's content and nobody's name: digests, times, reasons, words of ours.
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
"""Of the report's JSON. Fields may be added under one number, never changed or taken away."""

_UNDECIDED = frozenset({Code.SIG_07})
"""Reasons for which a decision is "could not tell" rather than "no": the same document may pass
once there is fresh revocation data. Every other INDETERMINATE of the standard is a "no" to it."""


class CheckVerdict(StrEnum):
    """What one check gave."""

    PASSED = "passed"
    FAILED = "failed"
    INDETERMINATE = "indeterminate"
    NOT_RUN = "not run"
    """An earlier check ended the course, or it does not apply; `why` tells."""


class CheckResult(NamedTuple):
    """One check's own verdict."""

    check: str
    clause: str
    """Of ETSI EN 319 102-1."""
    verdict: CheckVerdict
    code: Code | None = None
    why: str | None = None
    """A few words of ours."""
    sub: SubIndication | None = None


class ExistenceSource(StrEnum):
    """Who proves that the signature existed."""

    TIMESTAMP = "timestamp"
    """A time-stamping authority (RFC 3161), over the signature's value."""
    HELD = "held"
    """The verifier itself, which recorded these very bytes at that time."""


@dataclass(frozen=True, slots=True)
class Existence:
    """That the signature existed at that moment, or before."""

    time: datetime
    source: ExistenceSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """The times used. Only `best_signature_time` decides."""

    judged_at: datetime
    claimed: datetime | None = None
    """SigningTime, as the signer wrote it: it proves nothing."""
    existence: Existence | None = None
    """The earliest proof of existence; None where there is none before `judged_at`."""

    @property
    def best_signature_time(self) -> datetime:
        """The earliest moment at which the signature provably existed (5.5.4)."""
        return self.existence.time if self.existence is not None else self.judged_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """How one signature was judged."""

    code: Code | None
    """The reason; None exactly where the indication is TOTAL-PASSED."""
    why: str | None
    field: str | None
    """The element that the reason is about, by name."""
    cause: Cause | None
    """What people are told to do about it; no part of the report's JSON."""
    sub_indication: SubIndication | None
    profile: str
    checks: tuple[CheckResult, ...]
    """Every check, in the order of their course."""
    times: Times
    document: bytes
    """SHA-256 of the document's exact bytes."""
    certificate: bytes | None
    """SHA-256 of the signing certificate, as soon as it was identified."""
    signature_method: str | None
    path: PathFinding | None
    timestamps: tuple[TimestampFinding, ...]

    @property
    def indication(self) -> Indication:
        """The main indication (5.1.3, table 5)."""
        return self.sub_indication.indication if self.sub_indication else Indication.PASSED

    @property
    def status(self) -> ProofStatus:
        """What a decision makes of it: only "could not tell for now" stays undecided."""
        if self.code is None:
            return ProofStatus.PASSED
        return ProofStatus.INDETERMINATE if self.code in _UNDECIDED else ProofStatus.FAILED
