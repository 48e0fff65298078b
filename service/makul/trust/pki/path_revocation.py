"""Judge the revocation of every certificate of a valid path, from the anchor down.

Each certificate is judged by the statements of its own issuer.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from cryptography import x509

from makul.trust.base.findings import RevocationFinding, RevocationStatus
from makul.trust.revocation.archive import Archive
from makul.trust.revocation.crl import Term
from makul.trust.revocation.status import (
    CertificateQuery,
    IssuerAssertions,
    common_term,
    status_at_signature_time,
    status_now,
)


@dataclass(frozen=True, slots=True)
class Moments:
    """The moment for which a path is judged, and the moment whose knowledge is used."""

    known: datetime
    """Only statements that were made up to this moment count."""
    valid: datetime
    """`known`, or the moment at which the signature provably existed."""
    past: bool
    """Whether `valid` is the moment at which the signature provably existed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A certificate below the anchor, and the revocation statements of its issuer.

    The issuer is identified by the certificate whose key validated the path, not only by a name.
    """

    query: CertificateQuery
    term: Term
    """notBefore and notAfter of the certificate."""
    issuer: bytes
    """The issuer's certificate, as DER."""
    statements: IssuerAssertions


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """A path that is valid by RFC 5280, 6.1; its revocation is judged separately."""

    anchor: bytes
    """SHA-256 of the anchor's certificate."""
    anchor_term: Term
    links: tuple[Link, ...]
    """The links from the anchor down; the signer's is the last. The anchor itself has no link."""
    policies: frozenset[str]
    """Certificate policies that hold along the path, as in `PathFinding`."""

    @property
    def digests(self) -> tuple[bytes, ...]:
        """SHA-256 of every certificate, the signer's first and the anchor's last."""
        return (*(link.query.fingerprint for link in reversed(self.links)), self.anchor)


def check_path_revocation(
    path: Path, archive: Archive | None, moments: Moments
) -> tuple[RevocationStatus | None, Sequence[RevocationFinding]]:
    """Return the status of the first certificate that is not GOOD, else GOOD; and all findings.

    The finding on the signer comes first. If the path is only an anchor, the status is None: such a
    path states nothing about the certificate that led to it.
    """
    end: RevocationStatus | None = None
    findings: list[RevocationFinding] = []
    heard_until = path.anchor_term[1]
    for link in path.links:
        query = link.query
        heard_until = min(heard_until, query.not_after)
        assertions = list(link.statements.of(query, at=moments.known))
        if not moments.past:
            finding = status_now(query, assertions, at=moments.known)
        else:
            if archive is not None and heard_until < moments.known:
                assertions += archive.assertions(
                    query, link.issuer, since=moments.valid, until=heard_until
                )
            finding = status_at_signature_time(
                query,
                assertions,
                at=moments.known,
                existed_at=moments.valid,
                heard_until=heard_until,
            )
        end = finding.end
        findings.insert(0, finding)
        if end is not RevocationStatus.GOOD:
            break
        if finding.revoked_at is not None:
            # Revoked after the signature. Another party may have its key since then, so later
            # statements by this CA do not count.
            heard_until = min(heard_until, finding.revoked_at - timedelta.resolution)
    return end, findings


def validity_term(path: Path, at: datetime) -> Term:
    """Return the term during which a good verdict on this path does not change by itself."""
    terms = [path.anchor_term]
    for link in path.links:
        terms.append(link.term)
        terms.append(common_term(link.statements.terms(link.query), at))
    return max(since for since, _ in terms), min(until for _, until in terms)


def build_link(
    certificate: x509.Certificate,
    fingerprint: bytes,
    *,
    issuer: bytes,
    statements: IssuerAssertions,
) -> Link:
    """Build the link of a certificate.

    Raises `ValueError`, or another exception of `cryptography`, for extensions that cannot be read.
    """
    constraints = points = None
    for extension in certificate.extensions:
        if isinstance(extension.value, x509.BasicConstraints):
            constraints = extension.value
        elif isinstance(extension.value, x509.CRLDistributionPoints):
            points = extension.value
    term = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    return Link(
        query=CertificateQuery(
            fingerprint=fingerprint,
            serial=certificate.serial_number,
            not_after=term[1],
            is_ca=constraints is not None and constraints.ca,
            places=frozenset(place for point in points or () for place in _point_uris(point)),
            listed_elsewhere=any(point.crl_issuer is not None for point in points or ()),
        ),
        term=term,
        issuer=issuer,
        statements=statements,
    )


def _point_uris(point: x509.DistributionPoint) -> Sequence[str]:
    """Return the URIs of a distribution point if it covers all reasons (RFC 5280, 4.2.1.13)."""
    if point.reasons is not None:
        return ()
    return [
        name.value
        for name in point.full_name or ()
        if isinstance(name, x509.UniformResourceIdentifier)
    ]
