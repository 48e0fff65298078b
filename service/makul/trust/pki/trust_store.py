"""Judge whether a certificate leads to a trusted anchor at a given moment, unrevoked (RFC 5280, 6).

`path_builder` builds and validates paths offline from the material in the trust directories.
`issuer_cache` replaces it if only the signer's certificate is new. `path_revocation` judges the
revocation of every certificate in a path. A current statement of every issuer in the path is
required. Without it the result is "undetermined" (SIG-07), never "yes".

A verdict is cached under certificate *and* material (docs/architecture.md, invariant 9). It is kept
only while every certificate and statement behind it stays current.
"""

import threading
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType

from makul.domain.reasons import Code
from makul.language.report_reasons import CERTIFICATE_PATH
from makul.language.translation import translate
from makul.trust.base.asn1 import READING, Authorities
from makul.trust.base.errors import SignatureFailure
from makul.trust.base.findings import PathFinding, RevocationStatus
from makul.trust.pki.certificates import SigningCertificate, Use, require_usage
from makul.trust.pki.issuer_cache import IssuerPathCache
from makul.trust.pki.path_builder import PathStatus, RejectedPath, build_paths
from makul.trust.pki.path_revocation import Moments, Path, check_path_revocation, validity_term
from makul.trust.pki.pending_ocsp import PendingOcsp
from makul.trust.pki.status_report import Freshness, freshness
from makul.trust.pki.trust_material import (
    Material,
    TrustDirectories,
    TrustStoreError,
    load_material,
)
from makul.trust.revocation.archive import Archive

RELOAD_INTERVAL = timedelta(seconds=5)
"""The maximum time for which a new CRL may go unnoticed. A check costs one `stat` for each file.
Reading a CRL takes some seconds for 10^6 entries; meanwhile other threads use the earlier
material."""
REMEMBERED_PATHS = 100_000
"""The maximum number of cached verdicts, of about 1.2 KB each. When it is reached, the whole cache
is cleared."""

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
    """The trust material, as read by us and as parsed for the path validator."""

    material: Material
    authorities: Authorities
    archive: Archive | None


@dataclass(frozen=True, slots=True)
class _Remembered:
    """A cached finding that a certificate is trusted, valid over [`since`, `until`)."""

    finding: PathFinding
    since: datetime
    until: datetime


class TrustStore:
    """The anchors, intermediates and CRLs for one use, with cached verdicts that depend on them.

    Safe between threads. The constructor raises `TrustStoreError` if the material cannot be loaded.
    If the material becomes unreadable later, verdicts are `REVOCATION_UNKNOWN` until it is
    repaired.
    """

    def __init__(
        self,
        directories: TrustDirectories,
        *,
        reload_interval: timedelta = RELOAD_INTERVAL,
        pending_ocsp: PendingOcsp | None = None,
    ) -> None:
        self._directories = directories
        self._pending_ocsp = pending_ocsp
        self._reload_interval = reload_interval
        self._reloading = threading.Lock()
        self._checked_at: datetime | None = None
        self._fingerprint = directories.fingerprint()
        self._trust: _Trusted | None = None
        self._trust = self._load()
        self._remembered: dict[tuple[bytes, bytes], _Remembered] = {}
        self._issuer_paths = IssuerPathCache()

    def judge(
        self, certificate: SigningCertificate, *, at: datetime, existed_at: datetime | None = None
    ) -> PathFinding:
        """Return the finding on this certificate's path; a bad certificate never raises.

        The path is judged for the moment `at`. If it is proved that the signature existed at
        `existed_at`, the path is judged for that moment, with the revocations that are known at
        `at`.
        """
        if existed_at is not None:
            return self._judge_past(certificate, at, min(existed_at, at))
        trust = self._current_material(at)
        if trust is None:
            return _not_trusted(PathStatus.REVOCATION_UNKNOWN, at)
        key = (certificate.fingerprint, trust.material.digest)
        remembered = self._remembered.get(key)
        if remembered is not None and remembered.since <= at < remembered.until:
            return replace(remembered.finding, judged_for=at)
        finding, path = self._find_path(certificate, trust, at)
        if path is not None:
            since, until = validity_term(path, at)
            if not since <= at < until:
                return _not_trusted(PathStatus.EXPIRED, at)
            if len(self._remembered) >= REMEMBERED_PATHS:
                self._remembered.clear()
            self._remembered[key] = _Remembered(finding, since, until)
        elif self._pending_ocsp is not None and _needs_ocsp(finding, self._pending_ocsp):
            self._pending_ocsp.enqueue(certificate.der, certificate.fingerprint)
        return finding

    def freshness(self, *, at: datetime) -> Freshness | None:
        """Return how fresh the revocation data are, or None while the material cannot be read."""
        trust = self._current_material(at)
        issuers = self._pending_ocsp.issuers if self._pending_ocsp is not None else frozenset()
        return freshness(trust.material, issuers, at=at) if trust is not None else None

    def _judge_past(
        self, certificate: SigningCertificate, at: datetime, existed_at: datetime
    ) -> PathFinding:
        """Return the finding for a past moment.

        It is not cached, because no request asks about the past twice.
        """
        trust = self._current_material(at)
        if trust is None:
            return _not_trusted(PathStatus.REVOCATION_UNKNOWN, existed_at)
        return _validate(certificate, trust, Moments(at, existed_at, past=True))[0]

    def _find_path(
        self, certificate: SigningCertificate, trust: _Trusted, at: datetime
    ) -> tuple[PathFinding, Path | None]:
        """Return the finding, and the path if the finding is `TRUSTED`."""
        moments = Moments(at, at, past=False)
        path = self._issuer_paths.path_to(certificate, trust.material, at=at)
        if path is not None:
            finding = _check_revocation(path, trust, moments)
            if finding.code is None:
                return finding, path
        finding, path, first = _validate(certificate, trust, moments)
        if path is not None and first and trust is self._trust:
            self._issuer_paths.add_path(certificate, path, trust.material)
        return finding, path

    def require(self, certificate: SigningCertificate, use: Use, *, at: datetime) -> None:
        """Raise `SignatureFailure` unless the certificate suits this use and has a trusted path."""
        require_usage(certificate, use)
        finding = self.judge(certificate, at=at)
        if finding.code is not None:
            raise SignatureFailure(finding.code, CERTIFICATE_PATH.format(why=finding.why))

    def _current_material(self, at: datetime) -> _Trusted | None:
        """Return the material, read again if a file has changed; None while it is unreadable."""
        looked = self._checked_at
        if looked is not None and looked <= at < looked + self._reload_interval:
            return self._trust
        with self._reloading:
            self._checked_at = at
            try:
                fingerprint = self._directories.fingerprint()
                if fingerprint != self._fingerprint or self._trust is None:
                    self._trust = self._load()
                    self._remembered = {}
                    self._issuer_paths.clear()
                    self._fingerprint = fingerprint
            except (TrustStoreError, OSError):
                self._trust = None
            except BaseException:
                self._trust = None  # after an unexpected error the earlier material may be outdated
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
                translate(
                    "{path}: a CA certificate, or an intermediate one, cannot be used ({problem})."
                    " Replace it, or take it away.",
                    path=self._directories.anchors,
                    problem=error,
                )
            ) from None
        archive = self._directories.archive
        return _Trusted(material, authorities, Archive(archive) if archive is not None else None)


def _needs_ocsp(finding: PathFinding, pending_ocsp: PendingOcsp) -> bool:
    """Return whether the refresher can ask for the only unknown fact, the signer's revocation."""
    if finding.code is not Code.SIG_07 or len(finding.path) != len(finding.revocation) + 1:
        return False
    return finding.path[1] in pending_ocsp.issuers


def _not_trusted(status: PathStatus, moment: datetime, path: tuple[bytes, ...] = ()) -> PathFinding:
    return PathFinding(code=status.code, why=status.value, judged_for=moment, path=path)


def _validate(
    certificate: SigningCertificate, trust: _Trusted, moments: Moments
) -> tuple[PathFinding, Path | None, bool]:
    """Return the finding; if it is `TRUSTED`, also the path and whether that is the first one.

    One trusted path is enough. If none is trusted, the finding explains the first path that failed
    for another reason than an unknown issuer.
    """
    verdict = _not_trusted(PathStatus.UNKNOWN_ISSUER, moments.valid)
    try:
        with READING:
            paths = build_paths(certificate, trust.authorities, trust.material, at=moments.valid)
            for position, path in enumerate(paths):
                if isinstance(path, RejectedPath):
                    finding = _not_trusted(path.status, moments.valid, path.digests)
                else:
                    finding = _check_revocation(path, trust, moments)
                    if finding.code is None:
                        return finding, path, position == 0
                if verdict.code is Code.SIG_09:
                    verdict = finding
    except Exception:  # noqa: BLE001 - an untrusted certificate may break any parser: no path
        return _not_trusted(PathStatus.UNKNOWN_ISSUER, moments.valid), None, False
    return verdict, None, False


def _check_revocation(path: Path, trust: _Trusted, moments: Moments) -> PathFinding:
    """Return the finding on a valid path, with the revocations that are known."""
    end, findings = check_path_revocation(path, trust.archive, moments)
    status = _STATUS_BY_END[end]
    return PathFinding(
        code=status.code,
        why=status.value,
        judged_for=moments.valid,
        path=path.digests,
        revocation=tuple(findings),
        policies=path.policies,
    )
