"""Does a certificate lead to an anchor, at that moment, unrevoked? (RFC 5280, 6)

By pyhanko-certvalidator, offline, from the material in directories. Revocation is checked hard:
without a current CRL of every issuer in the path the answer is "could not tell" (SIG-07), never
"yes". A verdict is remembered by certificate *and* material (ARCHITECTURE, invariant 9), and for
no longer than every certificate and CRL behind it stays current.
"""

import asyncio
import logging
import threading
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from types import MappingProxyType
from typing import Any

from pyhanko_certvalidator import CertificateValidator, ValidationContext
from pyhanko_certvalidator.authority import AuthorityWithCert
from pyhanko_certvalidator.errors import (
    DisallowedAlgorithmError,
    ExpiredError,
    InsufficientRevinfoError,
    NotYetValidError,
    PathError,
    RevokedError,
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

from makul.domain.reasons import Code
from makul.trust.algorithms import MIN_RSA_BITS
from makul.trust.certificates import SigningCertificate, Use, require_usage
from makul.trust.failures import SignatureFailure
from makul.trust.material import (
    Material,
    TrustDirectories,
    TrustStoreError,
    asn1_certificate,
    load_material,
)

RELOAD_INTERVAL = timedelta(seconds=5)
"""How long a new CRL may go unnoticed. Looking costs one `stat` a file."""
REMEMBERED_PATHS = 100_000
"""Verdicts kept, some 200 bytes each; beyond it they are all forgotten and found anew."""

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
    (RevokedError, PathStatus.REVOKED),
    (ExpiredError, PathStatus.EXPIRED),
    (NotYetValidError, PathStatus.NOT_YET_VALID),
    (InsufficientRevinfoError, PathStatus.REVOCATION_UNKNOWN),
    (DisallowedAlgorithmError, PathStatus.WEAK_ALGORITHM),
    (ValidationError, PathStatus.UNKNOWN_ISSUER),
    (PathError, PathStatus.UNKNOWN_ISSUER),
)

_REVOCATION = CertRevTrustPolicy(
    RevocationCheckingPolicy(
        ee_certificate_rule=RevocationCheckingRule.CRL_REQUIRED,
        intermediate_ca_cert_rule=RevocationCheckingRule.CRL_REQUIRED,
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
class _Remembered:
    """`TRUSTED`, over [`since`, `until`)."""

    since: datetime
    until: datetime


class TrustStore:
    """Anchors, intermediates and CRLs for one use, with the verdicts reached by them.

    Safe between threads. Loading raises `TrustStoreError`; later, material that has become
    unreadable gives `REVOCATION_UNKNOWN` until it is mended.
    """

    def __init__(
        self, directories: TrustDirectories, *, reload_interval: timedelta = RELOAD_INTERVAL
    ) -> None:
        self._directories = directories
        self._reload_interval = reload_interval
        self._reloading = threading.Lock()
        self._validating = threading.Lock()
        """asn1crypto parses a CRL as it is read: a second reader would see half its entries."""
        self._looked_at: datetime | None = None
        self._seen = directories.fingerprint()
        self._material: Material | None = load_material(directories)
        self._trusted: dict[tuple[bytes, bytes], _Remembered] = {}

    def judge(self, certificate: SigningCertificate, *, at: datetime) -> PathStatus:
        """The status of this certificate's path at that moment. Never raises for a bad one."""
        material = self._current(at)
        if material is None:
            return PathStatus.REVOCATION_UNKNOWN
        key = (certificate.fingerprint, material.digest)
        known = self._trusted.get(key)
        if known is not None and known.since <= at < known.until:
            return PathStatus.TRUSTED
        with self._validating:
            status, path = _validate(certificate.der, material, at)
        if status is PathStatus.TRUSTED and path is not None:
            term = _term(path, material, at)
            if not term.since <= at < term.until:
                return PathStatus.EXPIRED
            if len(self._trusted) >= REMEMBERED_PATHS:
                self._trusted.clear()
            self._trusted[key] = term
        return status

    def require(self, certificate: SigningCertificate, use: Use, *, at: datetime) -> None:
        """Usage and path, or the `SignatureFailure` they stand for."""
        require_usage(certificate.x509, use)
        status = self.judge(certificate, at=at)
        if status.code is not None:
            raise SignatureFailure(status.code, f"certificate path: {status.value}")

    def _current(self, at: datetime) -> Material | None:
        """The material, read again if a file has changed; None while it cannot be read."""
        looked = self._looked_at
        if looked is not None and looked <= at < looked + self._reload_interval:
            return self._material
        with self._reloading:
            self._looked_at = at
            try:
                seen = self._directories.fingerprint()
                if seen != self._seen or self._material is None:
                    self._material = load_material(self._directories)
                    self._trusted = {}
                    self._seen = seen
            except (TrustStoreError, OSError):
                self._material = None
        return self._material


def _validate(
    der: bytes, material: Material, at: datetime
) -> tuple[PathStatus, ValidationPath | None]:
    context = ValidationContext(
        moment=at,
        allow_fetching=False,
        revinfo_policy=_REVOCATION,
        algorithm_usage_policy=_ALGORITHMS,
        time_tolerance=timedelta(0),
        trust_manager=material.anchors,
        certificate_registry=material.registry,
        revinfo_manager=material.revocation,
    )
    try:
        validator = CertificateValidator(asn1_certificate(der), validation_context=context)
        return PathStatus.TRUSTED, asyncio.run(validator.async_validate_path())
    except (ValidationError, PathError) as error:
        status = next(status for kind, status in _STATUS_BY_ERROR if isinstance(error, kind))
        return status, None
    except Exception:  # noqa: BLE001 - a stranger's certificate may trip any parser: it is no path
        return PathStatus.UNKNOWN_ISSUER, None


def _term(path: ValidationPath, material: Material, at: datetime) -> _Remembered:
    """Over what time nothing behind this verdict changes of itself."""
    since = [certificate.not_valid_before for certificate in path.iter_certs(include_root=False)]
    until = [certificate.not_valid_after for certificate in path.iter_certs(include_root=False)]
    authority = path.trust_anchor.authority
    if isinstance(authority, AuthorityWithCert):
        begins, ends = material.anchor_terms[authority.certificate.sha256]
        since.append(begins)
        until.append(ends)
    for this_update, next_update in material.crl_terms:
        if this_update > at:
            until.append(this_update)
        elif at < next_update:
            since.append(this_update)
            until.append(next_update)
        else:
            since.append(next_update)
    return _Remembered(max(since), min(until))
