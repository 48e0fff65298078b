"""Determine since when a signature provably exists (ETSI EN 319 102-1, 5.4 and 5.5.4).

SigningTime proves nothing, because an attacker with a stolen key can write any time. There are two
proofs: a time-stamping authority's token over the signature value, and our own record of these
bytes. The time of the earliest proof is the best signature time.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from hashlib import sha256
from typing import Any

from asn1crypto import cms, tsp

from makul.domain.reasons import Code
from makul.language.translation import mark
from makul.trust import timestamps
from makul.trust.base.findings import TimestampFinding
from makul.trust.pki.trust_store import TrustStore
from makul.trust.validation.report import Existence, ExistenceSource

_cms: Any = cms  # asn1crypto has no type annotations
_tsp: Any = tsp

TimestampJudge = Callable[[bytes, bytes, datetime], TimestampFinding]
"""A function that judges a token, given the octets that it must be over and the present time. It
returns a finding and never raises an exception."""


def judge_by(store: TrustStore, policies: frozenset[str] = frozenset()) -> TimestampJudge:
    """Return a judge that trusts these time-stamping authorities.

    Only the given policies are accepted; if none are given, any policy is accepted.
    """
    return lambda token, octets, at: timestamps.judge(
        token, octets, store, at=at, policies=policies
    )


def distrust_all(token: bytes, octets: bytes, at: datetime) -> TimestampFinding:
    """Judge a token when no time-stamping authority is trusted.

    Bytes that are not a token are SIG-02; any token is SIG-09.
    """
    del octets, at
    digest = sha256(token).digest()
    if not _is_token(token):
        return TimestampFinding(code=Code.SIG_02, why=mark("not a timestamp token"), digest=digest)
    why = mark("no time-stamping authority is trusted here")
    return TimestampFinding(code=Code.SIG_09, why=why, digest=digest)


def _is_token(octets: bytes) -> bool:
    """Return whether these octets are a TimeStampToken of any authority (RFC 3161, 2.4.2)."""
    try:
        content = _cms.ContentInfo.load(octets, strict=True)
        if content["content_type"].native != "signed_data":
            return False
        inner = content["content"]["encap_content_info"]
        if inner["content_type"].native != "tst_info":
            return False
        return _tsp.TSTInfo.load(inner["content"].contents, strict=True).native is not None
    except Exception:  # noqa: BLE001 - untrusted bytes: any parser error means that this is no token
        return False


def earliest(
    findings: Iterable[TimestampFinding], existed_at: datetime | None, *, at: datetime
) -> Existence | None:
    """Return the earliest proof before `at`.

    Returns None if there is none; then the present is the best signature time.
    """
    first = min(_existence_proofs(findings, existed_at), key=lambda proof: proof.time, default=None)
    return first if first is not None and first.time < at else None


def _existence_proofs(
    findings: Iterable[TimestampFinding], existed_at: datetime | None
) -> Iterator[Existence]:
    if existed_at is not None:
        yield Existence(existed_at, ExistenceSource.HELD)
    for finding in findings:
        if finding.code is None and finding.time is not None:
            yield Existence(finding.time, ExistenceSource.TIMESTAMP)
