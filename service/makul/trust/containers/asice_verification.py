"""Verify a container: its layout, its manifest, its signature, and every file of it.

The result names what was verified. Nothing else of the container may be read.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import new as new_hash
from typing import BinaryIO, Final

from cryptography.exceptions import InvalidSignature

from makul.trust.containers.asice_manifest import render_manifest
from makul.trust.containers.asice_reader import LIMITS, Container, ContainerLimits, open_container
from makul.trust.containers.asice_signature import (
    ContainerSignature,
    SignedFile,
    read_signature,
)
from makul.trust.containers.entry_names import MANIFEST, META_DIRECTORY, MIMETYPE, SIGNATURE
from makul.trust.containers.findings import ContainerFailure, ContainerFinding
from makul.trust.xmldsig.verification import verify_value

MAX_SIGNATURE_BYTES: Final = 256 * 1024 * 1024
"""The maximum size of the signature's file: 450 bytes for each file, and the values."""

_META_FILES: Final = frozenset({MANIFEST, SIGNATURE})


@dataclass(frozen=True, slots=True)
class VerifiedContainer:
    """A container whose signature and layout were verified.

    The digest of each file is compared when the file is read.
    """

    signature: ContainerSignature
    files: Mapping[str, SignedFile]
    _container: Container

    def read(self, name: str) -> Iterator[bytes]:
        """Yield a file in blocks. Use them only after the last one: then they are as signed.

        Raises `ContainerFailure`: MISSING_FILE, CONTENT or ALTERED_FILE.
        """
        file = self.files.get(name)
        if file is None:
            raise ContainerFailure(ContainerFinding.MISSING_FILE, name)
        digest = new_hash(self.signature.hash_name)
        for block in self._container.read(self._container.entries[name]):
            digest.update(block)
            yield block
        if digest.digest() != file.digest:
            raise ContainerFailure(ContainerFinding.ALTERED_FILE, name)

    def read_whole(self, name: str, max_bytes: int) -> bytes:
        """Return a file as it was signed. Raises `ContainerFailure`, also if it is larger."""
        entry = self._container.entries.get(name)
        if entry is not None and entry.size > max_bytes:
            raise ContainerFailure(ContainerFinding.TOO_LARGE, name)
        return b"".join(self.read(name))

    def verify_files(self) -> Iterator[str]:
        """Read every file and compare its digest; yield each name after that.

        Raises `ContainerFailure`.
        """
        for name in self.files:
            for _ in self.read(name):
                pass
            yield name


def verify_container(
    file: BinaryIO,
    signers: Collection[bytes] | None,
    limits: ContainerLimits = LIMITS,
) -> VerifiedContainer:
    """Verify all of a container but the contents of its files, which `VerifiedContainer` reads.

    `signers` are the SHA-256 digests of the certificates that may have signed. With None the caller
    must judge the certificate. The claimed signing time must lie within the certificate's term.
    Raises `ContainerFailure`.
    """
    container = open_container(file, limits)
    _require_meta_files(container)
    signature = _read_signature(container)
    _verify_signature(signature, signers)
    files = {each.name: each for each in signature.files}
    named = [each.name for each in signature.files]
    if len(files) != len(named) or named != sorted(named):
        raise ContainerFailure(ContainerFinding.SIGNATURE_MALFORMED, SIGNATURE)
    present = container.entries.keys() - _META_FILES - {MIMETYPE}
    for name in sorted(present - files.keys()):
        raise ContainerFailure(ContainerFinding.UNSIGNED_FILE, name)
    for name in sorted(files.keys() - present):
        raise ContainerFailure(ContainerFinding.MISSING_FILE, name)
    _require_same_manifest(container, signature)
    return VerifiedContainer(signature, files, container)


def _require_meta_files(container: Container) -> None:
    meta = [name for name in container.entries if name.upper().startswith(META_DIRECTORY)]
    for name in meta:
        lower = name.lower()
        if name in _META_FILES:
            continue
        if "manifest" in lower:
            raise ContainerFailure(ContainerFinding.MANIFEST_REPEATED, name)
        if "signature" in lower:
            raise ContainerFailure(ContainerFinding.SIGNATURE_REPEATED, name)
        raise ContainerFailure(ContainerFinding.UNSIGNED_FILE, name)
    if MANIFEST not in meta:
        raise ContainerFailure(ContainerFinding.MANIFEST_MISSING)
    if SIGNATURE not in meta:
        raise ContainerFailure(ContainerFinding.SIGNATURE_MISSING)


def _read_signature(container: Container) -> ContainerSignature:
    entry = container.entries[SIGNATURE]
    if entry.size > MAX_SIGNATURE_BYTES:
        raise ContainerFailure(ContainerFinding.TOO_LARGE, SIGNATURE)
    return read_signature(container.read(entry))


def _verify_signature(signature: ContainerSignature, signers: Collection[bytes] | None) -> None:
    certificate = signature.certificate
    if signers is not None and certificate.fingerprint not in signers:
        raise ContainerFailure(ContainerFinding.FOREIGN_SIGNER)
    try:
        octets = signature.signed_octets
        verify_value(certificate.key, signature.method, octets, signature.value)
    except InvalidSignature:
        raise ContainerFailure(ContainerFinding.SIGNATURE_INVALID) from None
    _require_in_term(
        signature.signing_time,
        certificate.x509.not_valid_before_utc,
        certificate.x509.not_valid_after_utc,
    )


def _require_in_term(at: datetime, begins: datetime, ends: datetime) -> None:
    if not begins <= at <= ends:
        raise ContainerFailure(
            ContainerFinding.SIGNATURE_INVALID, why="signed outside the certificate's validity"
        )


def _require_same_manifest(container: Container, signature: ContainerSignature) -> None:
    """Require the manifest that the signature implies, byte for byte."""
    entry = container.entries[MANIFEST]
    written = b"".join(render_manifest(signature.files))
    if entry.size != len(written) or container.read_whole(entry, len(written)) != written:
        raise ContainerFailure(ContainerFinding.MANIFEST_DIFFERS, MANIFEST)
