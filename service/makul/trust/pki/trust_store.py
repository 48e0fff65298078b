"""Does a certificate lead to an anchor, at that moment, unrevoked? (RFC 5280, 6)

Paths are built and validated offline from the material in directories (`validator`; `branches`
where only the signer's certificate is new); whether a certificate in one is revoked is told by
`knowledge`. That is checked hard: without a current statement of every issuer in the path the
answer is "could not tell" (SIG-07), never "yes". A verdict is remembered by certificate *and*
material (ARCHITECTURE, invariant 9), and for no longer than every certificate and statement behind
it stays current.
"""

import threading
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType

from makul.domain.reasons import Code
from makul.trust.base.asn1 import READING, Authorities
from makul.trust.base.errors import SignatureFailure
from makul.trust.base.findings import PathFinding, RevocationStatus
from makul.trust.pki.certificates import SigningCertificate, Use, require_usage
from makul.trust.pki.issuer_cache import IssuerPathCache
from makul.trust.pki.path_builder import PathStatus, Refused, paths_of
from makul.trust.pki.path_revocation import Moments, Path, term_of, walk
from makul.trust.pki.pending_ocsp import Wanted
from makul.trust.pki.status_report import Freshness, freshness
from makul.trust.pki.trust_material import (
    Material,
    TrustDirectories,
    TrustStoreError,
    load_material,
)
from makul.trust.revocation.archive import Archive

RELOAD_INTERVAL = timedelta(seconds=5)
"""How long a new CRL may go unnoticed. Looking costs one `stat` a file, reading it some seconds for
10^6 entries, in which the others go on with the material there was."""
REMEMBERED_PATHS = 100_000
"""Verdicts kept, some 1.2 KB each; beyond it they are all forgotten and found anew."""

_STATUS_BY_END = MappingProxyType(
    {
        None: PathStatus.UNKNOWN_ISSUER,
        RevocationStatus.GOOD: PathStatus.TRUSTED,
        RevocationStatus.REVOKED: PathStatus.REVOKED,
        RevocationStatus.UNKNOWN: PathStatus.REVOCATION_UNKNOWN,
    }
)


@dataclass(frozen=True, slots=True)
class _Trusted:
    """What is trusted, read by us and by the validator."""

    material: Material
    authorities: Authorities
    archive: Archive | None


@dataclass(frozen=True, slots=True)
class _Remembered:
    """A finding that somebody is trusted, over [`since`, `until`)."""

    finding: PathFinding
    since: datetime
    until: datetime


class TrustStore:
    """Anchors, intermediates and CRLs for one use, with the verdicts reached by them.

    Safe between threads. Loading raises `TrustStoreError`; later, material that has become
    unreadable gives `REVOCATION_UNKNOWN` until it is mended.
    """

    def __init__(
        self,
        directories: TrustDirectories,
        *,
        reload_interval: timedelta = RELOAD_INTERVAL,
        wanted: Wanted | None = None,
    ) -> None:
        self._directories = directories
        self._wanted = wanted
        self._reload_interval = reload_interval
        self._reloading = threading.Lock()
        self._looked_at: datetime | None = None
        self._seen = directories.fingerprint()
        self._trust: _Trusted | None = None
        self._trust = self._load()
        self._trusted: dict[tuple[bytes, bytes], _Remembered] = {}
        self._branches = IssuerPathCache()

    def judge(
        self, certificate: SigningCertificate, *, at: datetime, existed_at: datetime | None = None
    ) -> PathFinding:
        """What this certificate's path is worth. Never raises for a bad one.

        For the moment `at`; or, where it is proved that the signature existed at `existed_at`, for
        that moment, by what is known of revocations at `at`.
        """
        if existed_at is not None:
            return self._judge_past(certificate, at, min(existed_at, at))
        trust = self._current(at)
        if trust is None:
            return _untrusted(PathStatus.REVOCATION_UNKNOWN, at)
        key = (certificate.fingerprint, trust.material.digest)
        known = self._trusted.get(key)
        if known is not None and known.since <= at < known.until:
            return replace(known.finding, judged_for=at)
        finding, path = self._found(certificate, trust, at)
        if path is not None:
            since, until = term_of(path, at)
            if not since <= at < until:
                return _untrusted(PathStatus.EXPIRED, at)
            if len(self._trusted) >= REMEMBERED_PATHS:
                self._trusted.clear()
            self._trusted[key] = _Remembered(finding, since, until)
        elif self._wanted is not None and _is_wanted(finding, self._wanted):
            self._wanted.leave(certificate.der, certificate.fingerprint)
        return finding

    def freshness(self, *, at: datetime) -> Freshness | None:
        """How fresh revocation data are; None while the material cannot be read."""
        trust = self._current(at)
        asked = self._wanted.issuers if self._wanted is not None else frozenset()
        return freshness(trust.material, asked, at=at) if trust is not None else None

    def _judge_past(
        self, certificate: SigningCertificate, at: datetime, existed_at: datetime
    ) -> PathFinding:
        """Not remembered: no request asks for the past twice."""
        trust = self._current(at)
        if trust is None:
            return _untrusted(PathStatus.REVOCATION_UNKNOWN, existed_at)
        return _validate(certificate, trust, Moments(at, existed_at, past=True))[0]

    def _found(
        self, certificate: SigningCertificate, trust: _Trusted, at: datetime
    ) -> tuple[PathFinding, Path | None]:
        """The finding, and the path where it is `TRUSTED`."""
        moments = Moments(at, at, past=False)
        path = self._branches.path_to(certificate, trust.material, at=at)
        if path is not None:
            finding = _unrevoked(path, trust, moments)
            if finding.code is None:
                return finding, path
        finding, path, first = _validate(certificate, trust, moments)
        if path is not None and first and trust is self._trust:
            self._branches.learn(certificate, path, trust.material)
        return finding, path

    def require(self, certificate: SigningCertificate, use: Use, *, at: datetime) -> None:
        """Usage and path, or the `SignatureFailure` they stand for."""
        require_usage(certificate, use)
        finding = self.judge(certificate, at=at)
        if finding.code is not None:
            raise SignatureFailure(finding.code, f"certificate path: {finding.why}")

    def _current(self, at: datetime) -> _Trusted | None:
        """The material, read again if a file has changed; None while it cannot be read."""
        looked = self._looked_at
        if looked is not None and looked <= at < looked + self._reload_interval:
            return self._trust
        with self._reloading:
            self._looked_at = at
            try:
                seen = self._directories.fingerprint()
                if seen != self._seen or self._trust is None:
                    self._trust = self._load()
                    self._trusted = {}
                    self._branches.forget()
                    self._seen = seen
            except (TrustStoreError, OSError):
                self._trust = None
            except BaseException:
                self._trust = None  # whatever broke, what was there before is no longer the truth
                raise
        return self._trust

    def _load(self) -> _Trusted:
        before = self._trust.material if self._trust is not None else None
        material = load_material(self._directories, before)
        try:
            with READING:
                authorities = Authorities.of(
                    anchors=material.anchors, intermediates=material.intermediates
                )
        except (ValueError, TypeError) as error:
            raise TrustStoreError(
                f"{self._directories.anchors}: a CA certificate, or an intermediate one, cannot be"
                f" used ({error}). Replace it, or take it away."
            ) from None
        kept = self._directories.archive
        return _Trusted(material, authorities, Archive(kept) if kept is not None else None)


def _is_wanted(finding: PathFinding, wanted: Wanted) -> bool:
    """Is nothing unknown but the signer's own revocation, for which the refresher can ask?"""
    if finding.code is not Code.SIG_07 or len(finding.path) != len(finding.revocation) + 1:
        return False
    return finding.path[1] in wanted.issuers


def _untrusted(status: PathStatus, moment: datetime, path: tuple[bytes, ...] = ()) -> PathFinding:
    return PathFinding(code=status.code, why=status.value, judged_for=moment, path=path)


def _validate(
    certificate: SigningCertificate, trust: _Trusted, moments: Moments
) -> tuple[PathFinding, Path | None, bool]:
    """The finding; where it is `TRUSTED` the path, and whether that is the first there is.

    Of several paths one suffices. If none is good, the first that was more than a wrong guess at
    the issuer says why.
    """
    found = _untrusted(PathStatus.UNKNOWN_ISSUER, moments.valid)
    try:
        with READING:
            paths = paths_of(certificate, trust.authorities, trust.material, at=moments.valid)
            for place, path in enumerate(paths):
                if isinstance(path, Refused):
                    finding = _untrusted(path.status, moments.valid, path.digests)
                else:
                    finding = _unrevoked(path, trust, moments)
                    if finding.code is None:
                        return finding, path, place == 0
                if found.code is Code.SIG_09:
                    found = finding
    except Exception:  # noqa: BLE001 - a stranger's certificate may trip any parser: it is no path
        return _untrusted(PathStatus.UNKNOWN_ISSUER, moments.valid), None, False
    return found, None, False


def _unrevoked(path: Path, trust: _Trusted, moments: Moments) -> PathFinding:
    """A valid path, by what is known of revocations."""
    end, findings = walk(path, trust.archive, moments)
    status = _STATUS_BY_END[end]
    return PathFinding(
        code=status.code,
        why=status.value,
        judged_for=moments.valid,
        path=path.digests,
        revocation=tuple(findings),
        policies=path.policies,
    )
