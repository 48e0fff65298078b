"""The validation report: what each check found, at which times, from which evidence.

After ETSI EN 319 102-1, 5.1.3 and 5.1.4. Kept as evidence beside the document's bytes, so it holds
nothing of the document's content and nobody's name: digests, times, reasons, words of ours.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache

from makul.domain.disclosures import ProofStatus
from makul.domain.reasons import Code
from makul.trust.findings import (
    Indication,
    PathFinding,
    RevocationFinding,
    SubIndication,
    TimestampFinding,
)

VERSION = 1
"""Of the report's JSON. Fields may be added under one number, never changed or taken away."""

_UNDECIDED = frozenset({Code.SIG_07})
"""Reasons for which a decision is "could not tell" rather than "no": the same document may pass
once there is fresh revocation data. Every other INDETERMINATE of the standard is a "no" to it."""

Json = None | str | int | Sequence["Json"] | Mapping[str, "Json"]


# Made once: `json.dumps` with settings of one's own makes an encoder for every call.
_ENCODE = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


class CheckVerdict(StrEnum):
    """What one check gave."""

    PASSED = "passed"
    FAILED = "failed"
    INDETERMINATE = "indeterminate"
    NOT_RUN = "not run"
    """An earlier check ended the course, or it does not apply; `why` tells."""


@dataclass(frozen=True, slots=True)
class CheckResult:
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

    def render(self) -> bytes:
        """The report as JSON, its fields in an order that does not change."""
        return _ENCODE(self.as_json()).encode()

    def as_json(self) -> Mapping[str, Json]:
        """The report's fields, as docs/auditors.md lists them."""
        return {
            "version": VERSION,
            "indication": self.indication.value,
            "subIndication": self.sub_indication.value if self.sub_indication else None,
            "reason": self.code.value if self.code else None,
            "why": self.why,
            "status": self.status.value,
            "profile": self.profile,
            "certificate": _hex(self.certificate),
            "signatureMethod": self.signature_method,
            "times": _times(self.times),
            "checks": [_check(result) for result in self.checks],
            "evidence": {
                "document": self.document.hex(),
                **_path(self.path),
                "timestamps": [_timestamp(each) for each in self.timestamps],
            },
        }


def _times(times: Times) -> Json:
    proof = times.existence
    return {
        "judgedAt": _instant(times.judged_at),
        "claimedSigningTime": _instant(times.claimed),
        "proofOfExistence": {"time": _instant(proof.time), "source": proof.source.value}
        if proof is not None
        else None,
        "bestSignatureTime": _instant(times.best_signature_time),
    }


@lru_cache(maxsize=256)
def _check(result: CheckResult) -> Json:
    """Cached: nearly every check of nearly every document has passed."""
    said: dict[str, Json] = {
        "check": result.check,
        "clause": result.clause,
        "verdict": result.verdict.value,
    }
    if result.code is not None:
        said["reason"] = result.code.value
    if result.sub is not None:
        said["subIndication"] = result.sub.value
    if result.why is not None:
        said["why"] = result.why
    return said


def _path(finding: PathFinding | None) -> Mapping[str, Json]:
    if finding is None:
        return {"certificates": [], "revocation": []}
    return {
        "certificates": [each.hex() for each in finding.path],
        "revocation": [_revocation(each) for each in finding.revocation],
    }


@lru_cache(maxsize=1024)
def _revocation(finding: RevocationFinding) -> Json:
    """Cached: what is known of a CA's certificate is the same for all whom it certified."""
    return {
        "certificate": finding.certificate.hex(),
        "end": finding.end.value,
        "source": finding.source,
        "digest": _hex(finding.digest),
        "thisUpdate": _instant(finding.this_update),
        "nextUpdate": _instant(finding.next_update),
        "revokedAt": _instant(finding.revoked_at),
        "crlReason": finding.reason,
    }


def _timestamp(finding: TimestampFinding) -> Json:
    return {
        "digest": finding.digest.hex(),
        "time": _instant(finding.time),
        "reason": finding.code.value if finding.code else None,
        "why": finding.why,
        **_path(finding.path),
    }


def _instant(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat() if at is not None else None


def _hex(octets: bytes | None) -> str | None:
    return octets.hex() if octets is not None else None
