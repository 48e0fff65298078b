"""Large containers: memory holds names and digests, and never the files."""

import io
import struct
import tempfile
import tracemalloc
import zlib
from collections.abc import Iterator
from hashlib import sha512
from typing import BinaryIO

import pytest

from makul.trust.containers.asice_reader import MEDIA_TYPE, open_container
from makul.trust.containers.asice_verification import verify_container
from makul.trust.containers.asice_writer import AsiceWriter
from makul.trust.containers.findings import ContainerFailure, ContainerFinding
from makul.trust.containers.zip_layout import STORED, ZipEntry, end_records
from makul.trust.keys.files import KeySigner
from makul_testing.pki.authorities import NOW, Authority, Holder

BYTES_A_NAME = 2_500
"""Peak memory for each file while a container is written or verified: its name, its digest, and the
text of its reference. Measured: 940 on writing and 1,100 on verifying (2026-12-01)."""
BASE_BYTES = 3_000_000


@pytest.fixture(scope="module")
def operator() -> Holder:
    return Authority.root("Root of Sizes").issue()


def write(operator: Holder, file: BinaryIO, count: int, blocks: int) -> None:
    writer = AsiceWriter(file, KeySigner(operator.key), operator.certificate, at=NOW)
    for number in range(count):
        writer.add(f"decisions/{number:08d}.bin", "text/plain", _blocks(number, blocks))
    writer.finish()


def _blocks(seed: int, blocks: int) -> Iterator[bytes]:
    for number in range(blocks):
        yield sha512(struct.pack("<2L", seed, number)).digest() * 16


def peak_of(operator: Holder, count: int, blocks: int) -> tuple[int, int]:
    """Return the peak memory of writing and of verifying."""
    with tempfile.TemporaryFile() as file:
        tracemalloc.start()
        try:
            write(operator, file, count, blocks)
            written = tracemalloc.get_traced_memory()[1]
            tracemalloc.reset_peak()
            verified = verify_container(file, {operator.fingerprint})
            assert sum(1 for _ in verified.verify_files()) == count
            return written, tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()


def test_memory_does_not_grow_with_the_size_of_files(operator: Holder) -> None:
    """A file of 40 megabytes needs no more than one of a kilobyte."""
    small, large = peak_of(operator, 1, 1), peak_of(operator, 1, 40_000)
    for before, after in zip(small, large, strict=True):
        assert after < before + 1_000_000


def test_a_blank_scan_is_stored_as_it_is(operator: Holder) -> None:
    """A picture may compress a thousandfold, which the reader would take for a bomb."""
    file = io.BytesIO()
    writer = AsiceWriter(file, KeySigner(operator.key), operator.certificate, at=NOW)
    writer.add("scan.tif", "image/tiff", (bytes(2_000_000),))
    writer.finish()
    verified = verify_container(file, {operator.fingerprint})
    assert verified.read_whole("scan.tif", 2_000_000) == bytes(2_000_000)


def test_ten_thousand_files_need_little_memory(operator: Holder) -> None:
    """Memory grows by the names only."""
    for peak in peak_of(operator, 10_000, 1):
        assert peak < BASE_BYTES + 10_000 * BYTES_A_NAME


def test_more_files_than_a_plain_zip_can_count() -> None:
    """The records of ZIP64 are needed from 65,535 entries on, and accepted only then."""
    body, directory = bytearray(), bytearray()
    names = ["mimetype", *(f"{number:05d}" for number in range(65_600))]
    for name in names:
        content = MEDIA_TYPE.encode() if name == "mimetype" else b""
        entry = ZipEntry(
            name=name,
            method=STORED,
            time=0,
            checksum=zlib.crc32(content),
            compressed=len(content),
            size=len(content),
            offset=len(body),
        )
        body += entry.local_header() + content
        directory += entry.central_header()
    end = end_records(len(names), len(directory), len(body))
    assert len(open_container(io.BytesIO(body + directory + end)).entries) == len(names)

    record = b"PK\x06\x06" + struct.pack("<Q", 44)
    altered = end.replace(record, record[:4] + struct.pack("<Q", 45))
    with pytest.raises(ContainerFailure) as failure:
        open_container(io.BytesIO(body + directory + altered))
    assert failure.value.finding is ContainerFinding.ZIP64
