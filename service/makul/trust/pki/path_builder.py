"""Find and validate the paths of a certificate with pyhanko-certvalidator.

The library builds and validates paths by RFC 5280, 6.1, offline. Its revocation checks are off,
because it would walk through a whole CRL for every certificate. `path_revocation` judges
revocation, and no path counts before that.
"""

import logging
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from hashlib import sha256
from itertools import pairwise
from types import MappingProxyType
from typing import Any, TypeVar

import asn1crypto.x509
from pyhanko_certvalidator import ValidationContext
from pyhanko_certvalidator.authority import AuthorityWithCert
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
from makul.language.translation import mark
from makul.net.certificate_der import load_certificate
from makul.trust.base.algorithms import MIN_RSA_BITS
from makul.trust.base.asn1 import Authorities, asn1_certificate
from makul.trust.pki.certificates import SigningCertificate, is_issued_by
from makul.trust.pki.path_revocation import Link, Path, build_link
from makul.trust.pki.trust_material import Material
from makul.trust.revocation.status import NOTHING_STATED

ResultT = TypeVar("ResultT")

# The validator writes certificates' subjects to its log, and these are personal data
# (docs/architecture.md, invariant 7).
logging.getLogger("pyhanko_certvalidator").setLevel(logging.CRITICAL + 1)


class PathStatus(Enum):
    """The result of validating a path. Only `TRUSTED` lets a signature count."""

    TRUSTED = mark("trusted")
    EXPIRED = mark("expired")
    NOT_YET_VALID = mark("not yet valid")
    REVOKED = mark("revoked")
    REVOCATION_UNKNOWN = mark("revocation unknown or stale")
    UNKNOWN_ISSUER = mark("unknown issuer")
    WEAK_ALGORITHM = mark("weak algorithm")

    @property
    def code(self) -> Code | None:
        """The reason code of this status, or None for `TRUSTED`."""
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

_REVOCATION_IS_OURS = CertRevTrustPolicy(
    RevocationCheckingPolicy(
        ee_certificate_rule=RevocationCheckingRule.NO_CHECK,
        intermediate_ca_cert_rule=RevocationCheckingRule.NO_CHECK,
    ),
    freshness_req_type=FreshnessReqType.DEFAULT,
    retroactive_revinfo=False,
)
_WeakAlgorithms: Any = DisallowWeakAlgorithmsPolicy  # the library has no type hints
_ALGORITHMS = _WeakAlgorithms(
    weak_hash_algos=frozenset({"md2", "md5", "sha1"}),
    weak_signature_algos=frozenset({"dsa"}),
    rsa_key_size_threshold=MIN_RSA_BITS,
)


@dataclass(frozen=True, slots=True)
class RejectedPath:
    """A path that is not valid, or the absence of any path."""

    status: PathStatus
    digests: tuple[bytes, ...] = ()
    """SHA-256 of every certificate, as in `Path.digests`; empty if no path was found."""


def build_paths(
    certificate: SigningCertificate, authorities: Authorities, material: Material, *, at: datetime
) -> Iterator[Path | RejectedPath]:
    """Yield each path from an anchor to this certificate at that moment, as valid or refused.

    If there is no path, yields one refusal. The caller must hold `READING` until it is done with
    the iterator. Raises any exception of a parser for a malformed certificate, which then has no
    path.
    """
    parsed = asn1_certificate(certificate.der)
    if parsed.issuer.hashable not in authorities.names:
        yield RejectedPath(PathStatus.UNKNOWN_ISSUER)
        return
    context = ValidationContext(
        moment=at,
        allow_fetching=False,
        revinfo_policy=_REVOCATION_IS_OURS,
        algorithm_usage_policy=_ALGORITHMS,
        time_tolerance=timedelta(0),
        trust_manager=authorities.anchors,
        certificate_registry=authorities.registry,
        crls=(),
        ocsps=(),
    )
    paths = context.path_builder.async_build_paths_lazy(parsed)
    while True:
        try:
            path = _run_coroutine(anext(paths))
        except StopAsyncIteration:
            return
        except (ValidationError, PathError) as error:
            yield RejectedPath(_classify_error(error))
            return
        try:
            _run_coroutine(async_validate_path(context, path))
        except (ValidationError, PathError) as error:
            status = _classify_error(error)
            if status is PathStatus.WEAK_ALGORITHM and not _is_signed(path):
                status = PathStatus.UNKNOWN_ISSUER
            yield RejectedPath(status, tuple(each.sha256 for each in _certificates_upwards(path)))
        else:
            yield _convert_path(path, material)


def _classify_error(error: Exception) -> PathStatus:
    return next(status for kind, status in _STATUS_BY_ERROR if isinstance(error, kind))


def _is_signed(path: ValidationPath) -> bool:
    """Return whether each issuer's key signed the certificate below it, by a weak algorithm or not.

    The validator checks algorithms before signatures. A false certificate in an authority's name,
    with a key of another kind, must not be reported as an authority with a weak key.
    """
    ders = [_der(each) for each in _certificates_upwards(path)]
    return all(
        is_issued_by(der, load_certificate(der), load_certificate(above))
        for der, above in pairwise(ders)
    )


def _run_coroutine(awaitable: Awaitable[ResultT]) -> ResultT:
    """Return the result of a coroutine without an event loop.

    Offline the validator waits for nothing.
    """
    try:
        next(awaitable.__await__())
    except StopIteration as ended:
        return ended.value  # type: ignore[no-any-return]
    raise RuntimeError("the path validator waits for something")


def _convert_path(path: ValidationPath, material: Material) -> Path:
    """Convert a valid path to our own type; raise what `build_link` raises."""
    ders = [_der(each) for each in reversed(_certificates_upwards(path))]
    anchor = sha256(ders[0]).digest()
    links: list[Link] = []
    above = anchor
    for issuer, der in pairwise(ders):
        links.append(
            build_link(
                load_certificate(der),
                sha256(der).digest(),
                issuer=issuer,
                statements=material.statements.get(above, NOTHING_STATED),
            )
        )
        above = links[-1].query.fingerprint
    return Path(
        anchor=anchor,
        anchor_term=material.anchor_terms[anchor],
        links=tuple(links),
        policies=_policies(path),
    )


def _der(certificate: asn1crypto.x509.Certificate) -> bytes:
    der: bytes = certificate.dump()  # type: ignore[no-untyped-call]
    return der


def _certificates_upwards(path: ValidationPath) -> list[asn1crypto.x509.Certificate]:
    """Return every certificate of a path, the signer's first and the anchor's last."""
    authority = path.trust_anchor.authority
    if not isinstance(authority, AuthorityWithCert):
        raise TypeError("an anchor without a certificate")
    return [authority.certificate, *path.iter_certs(include_root=False)][::-1]


def _policies(path: ValidationPath) -> frozenset[str]:
    """Return the policies that the signer's certificate names and every CA below the anchor gives.

    RFC 5280, 6.1: an authority may not give a policy that its own certificate neither names nor
    covers by anyPolicy. An authority without any policy gives none.
    """
    stated = _certificates_upwards(path)[0].certificate_policies_value
    named = {each["policy_identifier"].dotted for each in stated or ()}
    return frozenset(
        each.user_domain_policy_id
        for each in path.qualified_policies() or ()
        if each.issuer_domain_policy_id in named
    )
