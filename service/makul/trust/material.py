"""What is trusted, read from directories: anchors, intermediate certificates and CRLs.

Files are PEM or DER, one or several objects each, `.pem`, `.crt`, `.cer`, `.der` or `.crl`. Put a
new file in place by renaming it: one that cannot be read makes the whole store doubtful.
"""

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any, Generic, TypeVar

from asn1crypto import pem as asn1_pem
from cryptography import x509

from makul.trust.algorithms import strong_public_key
from makul.trust.failures import SignatureFailure
from makul.trust.knowledge import Statements
from makul.trust.revocation import Statement, Term, issuers_of, statement_of, term_of

log = logging.getLogger(__name__)

ParsedT = TypeVar("ParsedT")

SUFFIXES = frozenset({".pem", ".crt", ".cer", ".der", ".crl"})
"""Anything else in the directories (a README, an editor's copy) is passed over."""


class TrustStoreError(Exception):
    """The trusted material cannot be used. The message names the file and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustDirectories:
    """Where the trusted material lies."""

    anchors: Path
    """CA certificates that are trusted as they are."""
    crls: Path
    """Every CA that issues certificates here must have a current CRL here."""
    intermediates: Path | None = None
    """CA certificates that lead to an anchor."""

    def fingerprint(self) -> tuple[tuple[str, int, int, int], ...]:
        """What changes when a file is added, replaced or removed; costs one `stat` a file."""
        return tuple(
            (str(path), status.st_mtime_ns, status.st_size, status.st_ino)
            for path, status in ((path, path.stat()) for path in self._files())
        )

    def _files(self) -> Iterator[Path]:
        for directory in (self.anchors, self.intermediates, self.crls):
            if directory is not None:
                yield from files_in(directory)


def files_in(directory: Path) -> Sequence[Path]:
    """The material's files in a directory, in order."""
    try:
        entries = [entry for entry in os.scandir(directory) if entry.is_file()]
    except OSError as error:
        raise TrustStoreError(
            f"{directory}: {error.strerror}. Make this directory and put the files there."
        ) from None
    return sorted(Path(entry) for entry in entries if Path(entry).suffix.lower() in SUFFIXES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """The trusted material of one moment. Never changed, and safe between threads."""

    anchors: Sequence[bytes]
    """CA certificates, as DER."""
    intermediates: Sequence[bytes]
    """CA certificates, as DER."""
    statements: Mapping[bytes, Statements]
    """What a CA states, by SHA-256 of its certificate: that is, by its name *and* its key."""
    anchor_terms: Mapping[bytes, Term]
    """notBefore and notAfter of every anchor, by SHA-256 of the certificate."""
    digest: bytes
    """SHA-256 over every object: verdicts are remembered under it."""


def load_material(directories: TrustDirectories) -> Material:
    """Reads everything; raises `TrustStoreError` for a file that is not what it should be."""
    anchors = _read(directories.anchors, _ca_certificate)
    if not anchors:
        raise TrustStoreError(
            f"{directories.anchors}: no anchors. Put the CA certificates to be trusted there."
        )
    intermediates = (
        _read(directories.intermediates, _ca_certificate) if directories.intermediates else []
    )
    crls = _read(directories.crls, _crl)
    return Material(
        anchors=tuple(each.der for each in anchors),
        intermediates=tuple(each.der for each in intermediates),
        statements=_by_issuer(_stated(crls, [*anchors, *intermediates])),
        anchor_terms={each.fingerprint: _certificate_term(each.parsed) for each in anchors},
        digest=_digest(anchors, intermediates, crls),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Object(Generic[ParsedT]):
    """A certificate or a CRL, and where it lay."""

    path: Path
    der: bytes
    parsed: ParsedT

    @property
    def fingerprint(self) -> bytes:
        return sha256(self.der).digest()


def _by_issuer(stated: Iterable[tuple[bytes, Statement]]) -> Mapping[bytes, Statements]:
    found: dict[bytes, list[Statement]] = {}
    for fingerprint, statement in stated:
        found.setdefault(fingerprint, []).append(statement)
    return MappingProxyType({key: Statements(crls=tuple(each)) for key, each in found.items()})


def _stated(
    crls: Sequence[_Object[x509.CertificateRevocationList]],
    authorities: Sequence[_Object[x509.Certificate]],
) -> Iterator[tuple[bytes, Statement]]:
    """Each CRL's statement, with the fingerprint of each certificate of the CA that made it."""
    fingerprints = {each.parsed: each.fingerprint for each in authorities}
    for crl in crls:
        issuers = issuers_of(crl.parsed, fingerprints)
        if not issuers:
            log.warning("%s: a CRL states nothing, no CA known here signed it", crl.path)
            continue
        statement = statement_of(crl.parsed, crl.fingerprint)
        if statement.revoked is None:
            log.warning("%s: a CRL cannot tell, it is partial or not understood", crl.path)
        for issuer in issuers:
            yield fingerprints[issuer], statement


_pem: Any = asn1_pem  # it writes no types


def ca_certificates(directory: Path) -> Iterator[tuple[Path, x509.Certificate]]:
    """Every CA certificate in a directory, with its file; raises `TrustStoreError`."""
    for each in _read(directory, _ca_certificate):
        yield each.path, each.parsed


def _read(directory: Path, parse: Callable[[bytes], ParsedT]) -> list[_Object[ParsedT]]:
    """Every object in the directory's files."""
    objects: list[_Object[ParsedT]] = []
    for path in files_in(directory):
        try:
            content = path.read_bytes()
            if _pem.detect(content):
                found = [der for _, _, der in _pem.unarmor(content, multiple=True)]
            else:
                found = [content]
            objects.extend(_Object(path=path, der=der, parsed=parse(der)) for der in found)
        except Exception as error:  # noqa: BLE001 - whatever a parser says of it: it cannot be used
            raise TrustStoreError(
                f"{path}: cannot be used ({error}). Replace it, or take it away."
            ) from None
    return objects


def _ca_certificate(der: bytes) -> x509.Certificate:
    certificate = x509.load_der_x509_certificate(der)
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    if not constraints.value.ca:
        raise ValueError("it is not a CA's certificate")
    try:
        strong_public_key(certificate.public_key())
    except SignatureFailure as failure:
        raise ValueError(failure.why) from None
    return certificate


def _crl(der: bytes) -> x509.CertificateRevocationList:
    crl = x509.load_der_x509_crl(der)
    _ = crl.issuer, term_of(crl)
    return crl


def _certificate_term(certificate: x509.Certificate) -> Term:
    return certificate.not_valid_before_utc, certificate.not_valid_after_utc


def _digest(*kinds: Sequence[_Object[Any]]) -> bytes:
    """Over the digests of all objects, kind by kind."""
    whole = sha256()
    for objects in kinds:
        whole.update(len(objects).to_bytes(4, "big"))
        for each in objects:
            whole.update(each.fingerprint)
    return whole.digest()
