"""Parse the CA certificates into the form that the path validator takes.

asn1crypto parses a certificate only while it is read. It also completes a class only when the first
object of its kind is read. A second thread would see either of them half done. Every thread that
makes or uses these objects must hold `READING`.
"""

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from asn1crypto import x509
from pyhanko_certvalidator.authority import Authority, CertTrustAnchor, TrustAnchor
from pyhanko_certvalidator.registry import CertificateRegistry, TrustManager

READING = threading.RLock()
"""The lock that a thread holds while it uses objects of asn1crypto. A process has one, because
asn1crypto's classes are shared.

All of this work is Python under the interpreter's own lock. Threads without `READING` would
therefore judge no more paths a second; more processes do.
"""

_TbsCertificate: Any = x509.TbsCertificate  # asn1crypto has no type hints


class _Signed(_TbsCertificate):  # type: ignore[misc]
    """The part of a certificate that its issuer signed, in the exact bytes that were read.

    asn1crypto 1.5.1 takes a length whose last octet is 0x80 for an indefinite one, and then encodes
    the whole part again. A URI such as `ldap:///` comes out changed, and no signature verifies over
    that.
    """

    def dump(self, **_: bool) -> bytes:
        return self._header + self.contents  # type: ignore[no-any-return]


class _Certificate(x509.Certificate):
    _fields = [("tbs_certificate", _Signed), *x509.Certificate._fields[1:]]  # noqa: RUF012


def asn1_certificate(der: bytes) -> x509.Certificate:
    """Parse a certificate for the path validator; raise `ValueError` if it is malformed."""
    load: Any = _Certificate.load
    return cast("x509.Certificate", load(der, strict=True))


class Anchors(TrustManager):
    """The trust anchors, by name.

    This class replaces the validator's own manager. That manager keeps an entry for every name that
    it is asked for, hence for every citizen, as long as it exists.
    """

    def __init__(self, certificates: Iterable[x509.Certificate]) -> None:
        by_name: dict[str, list[TrustAnchor]] = {}
        for certificate in certificates:
            by_name.setdefault(certificate.subject.hashable, []).append(
                CertTrustAnchor(certificate)
            )
        self._by_name: Mapping[str, Sequence[TrustAnchor]] = by_name

    def as_trust_anchor(self, authority: Authority) -> TrustAnchor | None:
        """Return the anchor with that name and key, or None."""
        candidates = self._by_name.get(authority.name.hashable, ())
        return next((each for each in candidates if each.authority == authority), None)

    def find_potential_issuers(self, cert: x509.Certificate) -> Iterator[TrustAnchor]:
        """Return the anchors with the issuer's name, unless a key identifier excludes them."""
        candidates = self._by_name.get(cert.issuer.hashable, ())
        return (each for each in candidates if each.authority.is_potential_issuer_of(cert))


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorities:
    """The authorities that may be above a certificate in a path."""

    anchors: Anchors
    registry: CertificateRegistry
    names: frozenset[str]
    """The names of all authorities. An issuer with another name needs no search, and so leaves no
    entry in the registry."""

    @classmethod
    def of(cls, *, anchors: Iterable[bytes], intermediates: Iterable[bytes]) -> "Authorities":
        """Build the authorities from certificates in DER; raise `ValueError` for a broken one."""
        roots = [asn1_certificate(der) for der in anchors]
        others = [asn1_certificate(der) for der in intermediates]
        return cls(
            anchors=Anchors(roots),
            registry=CertificateRegistry.build([*others, *roots], cert_fetcher=None),
            names=frozenset(each.subject.hashable for each in (*others, *roots)),
        )
