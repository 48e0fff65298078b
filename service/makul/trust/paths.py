"""Does a certificate lead to an anchor, at that moment, unrevoked? (RFC 5280, 6)

Paths are built and validated by pyhanko-certvalidator, offline, from the material in directories;
whether a certificate in one is revoked is told by `knowledge`. That is checked hard: without
a current statement of every issuer in the path the answer is "could not tell" (SIG-07), never
"yes". A verdict is remembered by certificate *and* material (ARCHITECTURE, invariant 9), and for no
longer than every certificate and statement behind it stays current.
"""

import logging
import threading
from collections.abc import Coroutine
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from types import MappingProxyType
from typing import Any, TypeVar

from asn1crypto import x509
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.errors import (
    DisallowedAlgorithmError,
    ExpiredError,
    NotYetValidError,
    PathError,
    ValidationError,
)
from pyhanko_certvalidator.path import ValidationPath
from pyhanko_certvalidator.policy_decl import (
    CertRevTrustPolicy,
    DisallowWeakAlgorithmsPolicy,
    FreshnessReqType,
    RevocationCheckingPolicy,
    RevocationCheckingRule,
)
from pyhanko_certvalidator.validate import async_validate_path

from makul.domain.reasons import Code
from makul.trust.algorithms import MIN_RSA_BITS
from makul.trust.archive import Archive
from makul.trust.authorities import READING, Authorities, asn1_certificate
from makul.trust.certificates import SigningCertificate, Use, require_usage
from makul.trust.failures import SignatureFailure
from makul.trust.findings import CertificateEnd, PathFinding
from makul.trust.material import Material, TrustDirectories, TrustStoreError, load_material
from makul.trust.telling import Freshness, freshness
from makul.trust.walking import Moments, term_of, upwards, walk
from makul.trust.wanted import Wanted

ResultT = TypeVar("ResultT")

RELOAD_INTERVAL = timedelta(seconds=5)
"""How long a new CRL may go unnoticed. Looking costs one `stat` a file, reading it some seconds for
10^6 entries, in which the others go on with the material there was."""
REMEMBERED_PATHS = 100_000
"""Verdicts kept, some 1.2 KB each; beyond it they are all forgotten and found anew."""

# The validator names certificates' subjects in its log.
logging.getLogger("pyhanko_certvalidator").setLevel(logging.CRITICAL + 1)


class PathStatus(Enum):
    """What validating a path gave. Only `TRUSTED` lets a signature count."""

    TRUSTED = "trusted"
    EXPIRED = "expired"
    NOT_YET_VALID = "not yet valid"
    REVOKED = "revoked"
    REVOCATION_UNKNOWN = "revocation unknown or stale"
    UNKNOWN_ISSUER = "unknown issuer"
    WEAK_ALGORITHM = "weak algorithm"

    @property
    def code(self) -> Code | None:
        """The reason it stands for; None for `TRUSTED`."""
        return _CODES[self]


_CODES = MappingProxyType(
    {
        PathStatus.TRUSTED: None,
        PathStatus.EXPIRED: Code.SIG_05,
        PathStatus.NOT_YET_VALID: Code.SIG_05,
        PathStatus.REVOKED: Code.SIG_06,
        PathStatus.REVOCATION_UNKNOWN: Code.SIG_07,
        PathStatus.UNKNOWN_ISSUER: Code.SIG_09,
        PathStatus.WEAK_ALGORITHM: Code.SIG_04,
    }
)

_STATUS_BY_ERROR: tuple[tuple[type[Exception], PathStatus], ...] = (
    (ExpiredError, PathStatus.EXPIRED),
    (NotYetValidError, PathStatus.NOT_YET_VALID),
    (DisallowedAlgorithmError, PathStatus.WEAK_ALGORITHM),
    (ValidationError, PathStatus.UNKNOWN_ISSUER),
    (PathError, PathStatus.UNKNOWN_ISSUER),
)

_STATUS_BY_END = MappingProxyType(
    {
        None: PathStatus.UNKNOWN_ISSUER,
        CertificateEnd.GOOD: PathStatus.TRUSTED,
        CertificateEnd.REVOKED: PathStatus.REVOKED,
        CertificateEnd.UNKNOWN: PathStatus.REVOCATION_UNKNOWN,
    }
)

# The validator would walk through a whole CRL for every certificate. It gets none, and is told to
# leave revocation to `_revocation`, without which no path counts.
_REVOCATION_IS_OURS = CertRevTrustPolicy(
    RevocationCheckingPolicy(
        ee_certificate_rule=RevocationCheckingRule.NO_CHECK,
        intermediate_ca_cert_rule=RevocationCheckingRule.NO_CHECK,
    ),
    freshness_req_type=FreshnessReqType.DEFAULT,
    retroactive_revinfo=False,
)
_WeakAlgorithms: Any = DisallowWeakAlgorithmsPolicy  # it writes no types
_ALGORITHMS = _WeakAlgorithms(
    weak_hash_algos=frozenset({"md2", "md5", "sha1"}),
    weak_signature_algos=frozenset({"dsa"}),
    rsa_key_size_threshold=MIN_RSA_BITS,
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
        with READING:
            finding, term = _validate(certificate.der, trust, Moments(at, at, past=False))
        if term is not None:
            if not term.since <= at < term.until:
                return _untrusted(PathStatus.EXPIRED, at)
            if len(self._trusted) >= REMEMBERED_PATHS:
                self._trusted.clear()
            self._trusted[key] = term
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
        with READING:
            moments = Moments(at, existed_at, past=True)
            return _validate(certificate.der, trust, moments)[0]

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


def _digests(path: ValidationPath) -> tuple[bytes, ...]:
    return tuple(certificate.sha256 for certificate in upwards(path))


def _validate(
    der: bytes, trust: _Trusted, moments: Moments
) -> tuple[PathFinding, _Remembered | None]:
    """The finding, and over what time it stays so where it is `TRUSTED`.

    Of several paths one suffices. If none is good, the first that was more than a wrong guess at
    the issuer says why.
    """
    try:
        certificate = asn1_certificate(der)
        if certificate.issuer.hashable not in trust.authorities.names:
            return _untrusted(PathStatus.UNKNOWN_ISSUER, moments.valid), None
        return _completed(_first_good_path(certificate, trust, moments))
    except (ValidationError, PathError) as error:
        return _untrusted(_status_of(error), moments.valid), None
    except Exception:  # noqa: BLE001 - a stranger's certificate may trip any parser: it is no path
        return _untrusted(PathStatus.UNKNOWN_ISSUER, moments.valid), None


async def _first_good_path(
    certificate: x509.Certificate, trust: _Trusted, moments: Moments
) -> tuple[PathFinding, _Remembered | None]:
    context = ValidationContext(
        moment=moments.valid,
        allow_fetching=False,
        revinfo_policy=_REVOCATION_IS_OURS,
        algorithm_usage_policy=_ALGORITHMS,
        time_tolerance=timedelta(0),
        trust_manager=trust.authorities.anchors,
        certificate_registry=trust.authorities.registry,
        crls=(),
        ocsps=(),
    )
    found = _untrusted(PathStatus.UNKNOWN_ISSUER, moments.valid)
    async for path in context.path_builder.async_build_paths_lazy(certificate):
        try:
            await async_validate_path(context, path)
        except (ValidationError, PathError) as error:
            finding = _untrusted(_status_of(error), moments.valid, _digests(path))
        else:
            finding = _unrevoked(path, trust, moments)
        if finding.code is None:
            term = None if moments.past else _remembered(finding, path, trust, moments.known)
            return finding, term
        if found.code is Code.SIG_09:
            found = finding
    return found, None


def _status_of(error: Exception) -> PathStatus:
    return next(status for kind, status in _STATUS_BY_ERROR if isinstance(error, kind))


def _completed(coroutine: Coroutine[Any, Any, ResultT]) -> ResultT:
    """Its result. Offline the validator waits for nothing, so there is no need of an event loop."""
    try:
        coroutine.send(None)
    except StopIteration as ended:
        return ended.value  # type: ignore[no-any-return]
    coroutine.close()
    raise RuntimeError("the path validator waits for something")


def _unrevoked(path: ValidationPath, trust: _Trusted, moments: Moments) -> PathFinding:
    """A valid path, by what is known of revocations."""
    end, findings = walk(path, trust.material, trust.archive, moments)
    status = _STATUS_BY_END[end]
    return PathFinding(
        code=status.code,
        why=status.value,
        judged_for=moments.valid,
        path=_digests(path),
        revocation=tuple(findings),
        policies=_policies(path),
    )


def _policies(path: ValidationPath) -> frozenset[str]:
    """Those that the signer's certificate names and every CA below the anchor may give.

    RFC 5280, 6.1: a policy that an authority's own certificate neither names nor covers by
    anyPolicy is not that authority's to give, and one without any policy gives none.
    """
    stated = upwards(path)[0].certificate_policies_value
    named = {each["policy_identifier"].dotted for each in stated or ()}
    return frozenset(
        each.user_domain_policy_id
        for each in path.qualified_policies() or ()
        if each.issuer_domain_policy_id in named
    )


def _remembered(
    finding: PathFinding, path: ValidationPath, trust: _Trusted, at: datetime
) -> _Remembered:
    since, until = term_of(path, trust.material, at)
    return _Remembered(finding, since, until)
