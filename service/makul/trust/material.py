"""What is trusted, read from directories: anchors, intermediate certificates and CRLs.

Files are PEM or DER, one or several objects each, `.pem`, `.crt`, `.cer`, `.der` or `.crl`. Put a
new file in place by renaming it: one that cannot be read makes the whole store doubtful.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeAlias, cast

from asn1crypto import crl as asn1_crl
from asn1crypto import pem as asn1_pem
from asn1crypto import x509 as asn1_x509
from cryptography import x509
from pyhanko_certvalidator.ltv.poe import POEManager
from pyhanko_certvalidator.registry import CertificateRegistry, SimpleTrustManager
from pyhanko_certvalidator.revinfo.archival import CRLContainer
from pyhanko_certvalidator.revinfo.manager import RevinfoManager

from makul.trust.algorithms import strong_public_key
from makul.trust.failures import SignatureFailure

Term: TypeAlias = tuple[datetime, datetime]
"""From the first instant to the last."""

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
    """The trusted material of one moment, as the path validator takes it. Never changed."""

    anchors: SimpleTrustManager
    registry: CertificateRegistry
    revocation: RevinfoManager
    crl_terms: tuple[Term, ...]
    """thisUpdate and nextUpdate of every CRL."""
    anchor_terms: dict[bytes, Term]
    """notBefore and notAfter of every anchor, by SHA-256 of the certificate."""
    digest: bytes
    """SHA-256 over every object: verdicts are remembered under it."""


def load_material(directories: TrustDirectories) -> Material:
    """Reads everything; raises `TrustStoreError` for a file that is not what it should be."""
    anchors = _read(directories.anchors, _require_ca)
    if not anchors:
        raise TrustStoreError(
            f"{directories.anchors}: no anchors. Put the CA certificates to be trusted there."
        )
    intermediates = (
        _read(directories.intermediates, _require_ca) if directories.intermediates else []
    )
    crls = _read(directories.crls, _require_crl)
    roots = [asn1_certificate(der) for der in anchors]
    others = [asn1_certificate(der) for der in intermediates]
    registry = CertificateRegistry.build([*others, *roots], cert_fetcher=None)
    return Material(
        anchors=SimpleTrustManager.build(trust_roots=roots),
        registry=registry,
        revocation=RevinfoManager(
            certificate_registry=registry,
            poe_manager=POEManager(),
            crls=[CRLContainer(_asn1_crl(der)) for der in crls],
            ocsps=(),
            fetchers=None,
        ),
        crl_terms=tuple(_crl_term(der) for der in crls),
        anchor_terms={sha256(der).digest(): _certificate_term(der) for der in anchors},
        digest=_digest(anchors, intermediates, crls),
    )


def asn1_certificate(der: bytes) -> asn1_x509.Certificate:
    """A certificate as the path validator takes it; raises `ValueError`."""
    return cast("asn1_x509.Certificate", _Asn1Certificate.load(der, strict=True))


def _asn1_crl(der: bytes) -> asn1_crl.CertificateList:
    return cast("asn1_crl.CertificateList", _Asn1Crl.load(der, strict=True))


# asn1crypto writes no types; its loaders are called through these.
_Asn1Certificate: Any = asn1_x509.Certificate
_Asn1Crl: Any = asn1_crl.CertificateList
_pem: Any = asn1_pem


def _read(directory: Path, require: Callable[[bytes], None]) -> list[bytes]:
    """Every object in the directory's files, as DER that passed the requirement."""
    objects: list[bytes] = []
    for path in files_in(directory):
        try:
            content = path.read_bytes()
            if _pem.detect(content):
                found = [der for _, _, der in _pem.unarmor(content, multiple=True)]
            else:
                found = [content]
            for der in found:
                require(der)
        except (ValueError, TypeError, OSError, x509.ExtensionNotFound) as error:
            raise TrustStoreError(
                f"{path}: cannot be used ({error}). Replace it, or take it away."
            ) from None
        objects.extend(found)
    return objects


def _require_ca(der: bytes) -> None:
    certificate = x509.load_der_x509_certificate(der)
    constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    if not constraints.value.ca:
        raise ValueError("it is not a CA's certificate")
    try:
        strong_public_key(certificate.public_key())
    except SignatureFailure as failure:
        raise ValueError(failure.why) from None


def _require_crl(der: bytes) -> None:
    _ = _crl_term(der)


def _crl_term(der: bytes) -> Term:
    crl = x509.load_der_x509_crl(der)
    if crl.next_update_utc is None:
        raise ValueError("it has no nextUpdate, which RFC 5280, 5.1.2.5, requires")
    return crl.last_update_utc, crl.next_update_utc


def _certificate_term(der: bytes) -> Term:
    certificate = x509.load_der_x509_certificate(der)
    return certificate.not_valid_before_utc, certificate.not_valid_after_utc


def _digest(*kinds: Sequence[bytes]) -> bytes:
    """Over the digests of all objects, kind by kind."""
    whole = sha256()
    for objects in kinds:
        whole.update(len(objects).to_bytes(4, "big"))
        for der in objects:
            whole.update(sha256(der).digest())
    return whole.digest()
