"""The CA certificates, as the path validator takes them.

asn1crypto parses a certificate while it is read, and a class of its own when the first of its kind
is: a second thread would see half of either. Whoever makes or uses these holds `READING`.
"""

import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from asn1crypto import x509
from pyhanko_certvalidator.authority import Authority, CertTrustAnchor, TrustAnchor
from pyhanko_certvalidator.registry import CertificateRegistry, TrustManager

READING = threading.RLock()
"""Held by whoever touches asn1crypto's objects; one for the process, for its classes are shared.

All of it is Python under the interpreter's own lock, so that threads without this one would judge
no more paths a second; processes do.
"""

_TbsCertificate: Any = x509.TbsCertificate  # it writes no types


class _Signed(_TbsCertificate):  # type: ignore[misc]
    """What an issuer has signed, in the very bytes that were read.

    asn1crypto 1.5.1 takes a length whose last octet is 0x80 for an indefinite one, and then writes
    the whole anew; a URI like `ldap:///` comes out as another, and no signature is good for that.
    """

    def dump(self, **_: bool) -> bytes:
        return self._header + self.contents  # type: ignore[no-any-return]


class _Certificate(x509.Certificate):
    _fields = [("tbs_certificate", _Signed), *x509.Certificate._fields[1:]]  # noqa: RUF012


def asn1_certificate(der: bytes) -> x509.Certificate:
    """A certificate as the path validator takes it; raises `ValueError`."""
    load: Any = _Certificate.load
    return cast("x509.Certificate", load(der, strict=True))


class Anchors(TrustManager):
    """The trust anchors, by name.

    The validator's own manager keeps an entry for every name that it is asked for, of every
    citizen, for as long as it lives.
    """

    def __init__(self, certificates: Iterable[x509.Certificate]) -> None:
        by_name: dict[str, list[TrustAnchor]] = {}
        for certificate in certificates:
            by_name.setdefault(certificate.subject.hashable, []).append(
                CertTrustAnchor(certificate)
            )
        self._by_name: Mapping[str, Sequence[TrustAnchor]] = by_name

    def as_trust_anchor(self, authority: Authority) -> TrustAnchor | None:
        """The anchor of that name and key, if it is one."""
        candidates = self._by_name.get(authority.name.hashable, ())
        return next((each for each in candidates if each.authority == authority), None)

    def find_potential_issuers(self, cert: x509.Certificate) -> Iterator[TrustAnchor]:
        """The anchors of the issuer's name, without those that a key identifier rules out."""
        candidates = self._by_name.get(cert.issuer.hashable, ())
        return (each for each in candidates if each.authority.is_potential_issuer_of(cert))


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorities:
    """Whoever may stand above a certificate."""

    anchors: Anchors
    registry: CertificateRegistry
    names: frozenset[str]
    """Of all of them; an issuer of another name needs no search, and leaves no trace in one."""

    @classmethod
    def of(cls, *, anchors: Iterable[bytes], intermediates: Iterable[bytes]) -> "Authorities":
        """From certificates in DER; raises `ValueError`."""
        roots = [asn1_certificate(der) for der in anchors]
        others = [asn1_certificate(der) for der in intermediates]
        return cls(
            anchors=Anchors(roots),
            registry=CertificateRegistry.build([*others, *roots], cert_fetcher=None),
            names=frozenset(each.subject.hashable for each in (*others, *roots)),
        )
