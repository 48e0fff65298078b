"""Write a container while its files come, with no file in memory (ETSI EN 319 162-1)."""

import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from hashlib import new as new_hash
from typing import BinaryIO, Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from makul.trust.containers import zip_layout as layout
from makul.trust.containers.asice_manifest import render_manifest
from makul.trust.containers.asice_reader import BLOCK_BYTES, LIMITS, MEDIA_TYPE
from makul.trust.containers.asice_signature import (
    ContainerSignature,
    SignedFile,
    ValidationValues,
    hash_name_of,
)
from makul.trust.containers.entry_names import (
    MANIFEST,
    META_DIRECTORY,
    MIMETYPE,
    SIGNATURE,
    DistinctNames,
    require_safe_name,
)
from makul.trust.containers.findings import ContainerFailure, ContainerFinding
from makul.trust.containers.zip_layout import ZipEntry
from makul.trust.keys.files import RawSigner, same_key
from makul.trust.pki.certificates import read_certificate

_MEDIA_TYPE: Final = re.compile(r"[a-z]+/[a-z0-9.+-]{1,80}", re.ASCII)
_COMPRESSIBLE: Final = re.compile(r"text/|application/json")
"""Other files are stored: scans are compressed already, and a blank one would look like a bomb."""
_LEVEL: Final = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class LongTermData:
    """What is added to a signature value to prove its time, and that its signer was trusted."""

    timestamps: tuple[bytes, ...] = ()
    values: ValidationValues | None = None


Prolong = Callable[[bytes], LongTermData]
"""A function from the canonical SignatureValue to its timestamp and the values of the paths."""


def add_nothing(_: bytes) -> LongTermData:
    """Return no timestamp: the signature has level B."""
    return LongTermData()


class AsiceWriter:
    """Writes one container to a new file that can be positioned.

    Equal files in equal order give equal bytes, but for the signature. Memory holds the names and
    digests of the files.
    """

    def __init__(
        self, file: BinaryIO, signer: RawSigner, certificate: x509.Certificate, *, at: datetime
    ) -> None:
        """Write `mimetype`. Raises `ValueError` if the certificate is not that of the key."""
        if not same_key(signer.public_key, certificate):
            raise ValueError("the certificate is not that of the key")
        self._file = file
        self._signer = signer
        self._certificate = read_certificate(certificate.public_bytes(Encoding.DER))
        self._hash_name = hash_name_of(self._certificate.key)
        self._at = at
        self._time = _dos_time(at)
        self._names = DistinctNames()
        self._directory = bytearray()
        self._count = 0
        self._files: list[SignedFile] = []
        self._write(MIMETYPE, iter((MEDIA_TYPE.encode(),)), layout.STORED)

    def add(self, name: str, media_type: str, content: Iterable[bytes]) -> bytes:
        """Write a file, and return its digest in the signature.

        Raises `ContainerFailure` for a name that the reader refuses.
        """
        if name.startswith(META_DIRECTORY):
            raise ContainerFailure(ContainerFinding.NAME_MALFORMED, name)
        if _MEDIA_TYPE.fullmatch(media_type) is None:
            raise ValueError("not a media type")
        digest = new_hash(self._hash_name)
        method = layout.DEFLATED if _COMPRESSIBLE.match(media_type) else layout.STORED
        self._write(name, _digested(content, digest.update), method)
        self._files.append(SignedFile(name, media_type, digest.digest()))
        return digest.digest()

    def finish(self, prolong: Prolong = add_nothing) -> ContainerSignature:
        """Write the manifest, the signature and the directory; return what was signed.

        Raises `SignerUnavailableError` if the key cannot sign now.
        """
        signature = ContainerSignature(
            files=sorted(self._files, key=lambda each: each.name),
            certificate=self._certificate,
            signing_time=self._at,
        )
        signature = replace(signature, value=self._signer.sign(signature.signed_octets))
        added = prolong(signature.stamped_octets)
        signature = replace(signature, timestamps=added.timestamps, values=added.values)
        self._write(MANIFEST, render_manifest(signature.files), layout.DEFLATED)
        self._write(SIGNATURE, signature.render(), layout.DEFLATED)
        offset = self._file.tell()
        self._file.write(self._directory)
        self._file.write(layout.end_records(self._count, len(self._directory), offset))
        self._file.flush()
        return signature

    def _write(self, name: str, content: Iterator[bytes], method: int) -> None:
        require_safe_name(name)
        self._names.add(name)
        empty = ZipEntry(
            name=name,
            method=method,
            time=self._time,
            checksum=0,
            compressed=0,
            size=0,
            offset=self._file.tell(),
        )
        self._file.write(empty.local_header())
        entry = self._write_content(empty, content)
        if entry.end >= LIMITS.max_file_bytes or entry.size >= layout.MAX_32:
            raise ContainerFailure(ContainerFinding.TOO_LARGE, name)
        self._file.seek(entry.offset)
        self._file.write(entry.local_header())
        self._file.seek(entry.end)
        self._directory += entry.central_header()
        self._count += 1

    def _write_content(self, entry: ZipEntry, content: Iterator[bytes]) -> ZipEntry:
        deflater = zlib.compressobj(_LEVEL, zlib.DEFLATED, -zlib.MAX_WBITS)
        checksum = size = compressed = 0
        for block in content:
            checksum, size = zlib.crc32(block, checksum), size + len(block)
            packed = block if entry.method == layout.STORED else deflater.compress(block)
            compressed += self._file.write(packed)
        if entry.method == layout.DEFLATED:
            compressed += self._file.write(deflater.flush())
        return replace(entry, checksum=checksum, size=size, compressed=compressed)


def blocks_of(file: BinaryIO) -> Iterator[bytes]:
    """Yield the content of an open file in blocks."""
    while block := file.read(BLOCK_BYTES):
        yield block


def _digested(content: Iterable[bytes], update: Callable[[bytes], None]) -> Iterator[bytes]:
    for block in content:
        update(block)
        yield block


def _dos_time(at: datetime) -> int:
    """Return an instant in UTC as DOS time and date, which begin in 1980 (APPNOTE 4.4.6)."""
    utc = at.astimezone(UTC)
    year = min(max(utc.year - 1980, 0), 127)
    date = year << 9 | utc.month << 5 | utc.day
    return date << 16 | utc.hour << 11 | utc.minute << 5 | utc.second // 2
