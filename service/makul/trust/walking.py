"""Is any certificate of a valid path revoked? From the anchor down, each by its own issuer."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from asn1crypto import x509
from pyhanko_certvalidator.authority import AuthorityWithCert
from pyhanko_certvalidator.path import ValidationPath

from makul.trust.archive import Archive
from makul.trust.findings import CertificateEnd, RevocationFinding
from makul.trust.knowledge import (
    NOTHING_STATED,
    Asked,
    Statements,
    common_term,
    judge_now,
    judge_past,
)
from makul.trust.material import Material
from makul.trust.revocation import Term


@dataclass(frozen=True, slots=True)
class Moments:
    """For when a path is judged, and by what is known when."""

    known: datetime
    valid: datetime
    """`known`, or the moment at which the signature provably existed."""
    past: bool


def walk(
    path: ValidationPath, material: Material, archive: Archive | None, moments: Moments
) -> tuple[CertificateEnd | None, Sequence[RevocationFinding]]:
    """The end of the first certificate that is not GOOD, else GOOD; findings, the signer's first.

    A path of nothing but an anchor says nothing of the certificate that led to it: None.
    """
    end: CertificateEnd | None = None
    findings: list[RevocationFinding] = []
    heard_until = _anchor_of(path).not_valid_after
    for issuer, certificate, statements in _steps(path, material):
        asked = _asked(certificate)
        heard_until = min(heard_until, asked.not_after)
        said = list(statements.of(asked, at=moments.known))
        if not moments.past:
            found = judge_now(asked, said, at=moments.known)
        else:
            if archive is not None and heard_until < moments.known:
                der: bytes = issuer.dump()  # type: ignore[no-untyped-call]
                said += archive.said(asked, der, since=moments.valid, until=heard_until)
            found = judge_past(
                asked, said, at=moments.known, existed_at=moments.valid, heard_until=heard_until
            )
        end = found.end
        findings.insert(0, found)
        if end is not CertificateEnd.GOOD:
            break
        if found.revoked_at is not None:
            # Revoked after the signature: whoever has its key since then is heard no more.
            heard_until = min(heard_until, found.revoked_at - timedelta.resolution)
    return end, findings


def _asked(certificate: x509.Certificate) -> Asked:
    points = certificate.crl_distribution_points_value or ()
    return Asked(
        fingerprint=certificate.sha256,
        serial=certificate.serial_number,
        not_after=certificate.not_valid_after,
        is_ca=bool(certificate.ca),
        places=frozenset(place for point in points for place in _places(point)),
        listed_elsewhere=any(point["crl_issuer"].native is not None for point in points),
    )


def _places(point: Any) -> Iterator[str]:
    """The URIs of a distribution point that is for all reasons (RFC 5280, 4.2.1.13)."""
    name = point["distribution_point"]
    if point["reasons"].native is not None or name.native is None or name.name != "full_name":
        return
    for each in name.chosen:
        if each.name == "uniform_resource_identifier":
            yield each.native


def upwards(path: ValidationPath) -> Sequence[x509.Certificate]:
    """Every certificate, the signer's first, the anchor last."""
    return [_anchor_of(path), *path.iter_certs(include_root=False)][::-1]


def _steps(
    path: ValidationPath, material: Material
) -> Iterator[tuple[x509.Certificate, x509.Certificate, Statements]]:
    """Each certificate below the anchor, after its issuer, with what that one has stated.

    The issuer is its certificate, by whose key the path was found valid, not a name alone.
    """
    issuer = _anchor_of(path)
    for certificate in path.iter_certs(include_root=False):
        yield issuer, certificate, material.statements.get(issuer.sha256, NOTHING_STATED)
        issuer = certificate


def _anchor_of(path: ValidationPath) -> x509.Certificate:
    authority = path.trust_anchor.authority
    if not isinstance(authority, AuthorityWithCert):
        raise TypeError("an anchor without a certificate")
    return authority.certificate


def term_of(path: ValidationPath, material: Material, at: datetime) -> Term:
    """Over what time nothing behind a good verdict changes of itself."""
    terms = [material.anchor_terms[_anchor_of(path).sha256]]
    for _, certificate, statements in _steps(path, material):
        terms.append((certificate.not_valid_before, certificate.not_valid_after))
        terms.append(common_term(statements.terms(_asked(certificate)), at))
    return max(since for since, _ in terms), min(until for _, until in terms)
