"""Containers that two readers may see differently are refused, each by its own finding."""

import io
import struct
import zipfile
import zlib
from base64 import b64encode
from collections.abc import Callable
from dataclasses import replace

import pytest

from makul.trust.containers.asice_reader import ContainerLimits
from makul.trust.containers.asice_verification import VerifiedContainer, verify_container
from makul.trust.containers.entry_names import MANIFEST, SIGNATURE
from makul.trust.containers.findings import ContainerFailure, ContainerFinding
from makul_testing.containers import (
    RawEntry,
    a_container,
    changed,
    entries_of,
    mimetype,
    zip_of,
)
from makul_testing.pki.authorities import Authority, Holder

F = ContainerFinding
CASE = "case.xml"
RECEIPT = "decisions/1/receipt.xml"


@pytest.fixture(scope="module")
def operator() -> Holder:
    return Authority.root("Root of Containers").issue()


@pytest.fixture(scope="module")
def good(operator: Holder) -> bytes:
    return a_container(operator)


def verify(
    container: bytes, operator: Holder, limits: ContainerLimits | None = None
) -> VerifiedContainer:
    """Verify a container and all its files."""
    signers = {operator.fingerprint}
    file = io.BytesIO(container)
    verified = verify_container(file, signers, *([limits] if limits is not None else []))
    assert sorted(verified.verify_files()) == sorted(verified.files)
    return verified


def finding_of(container: bytes, operator: Holder) -> ContainerFinding:
    with pytest.raises(ContainerFailure) as failure:
        verify(container, operator)
    return failure.value.finding


def test_a_container_taken_apart_and_built_again_passes(good: bytes, operator: Holder) -> None:
    """The vectors below differ from this one only by what they say."""
    assert len(verify(zip_of(entries_of(good)), operator).files) == 4


def test_other_programs_read_a_container(good: bytes) -> None:
    """The strict layout is an ordinary ZIP file."""
    with zipfile.ZipFile(io.BytesIO(good)) as archive:
        assert archive.testzip() is None
        first = archive.infolist()[0]
        assert (first.filename, first.compress_type, first.extra) == ("mimetype", 0, b"")
        assert "документы/макулдук келишими.xml" in archive.namelist()


Change = Callable[[RawEntry], RawEntry]
ZIP64_EXTRA = struct.pack("<2HQ", 1, 8, 7)
ENTRIES: dict[str, tuple[str, Change, ContainerFinding]] = {
    "stored and stated smaller": (
        *(RECEIPT, lambda e: replace(e, local={"size": 1}), F.DIRECTORY_DIFFERS),
    ),
    "another name in the local header": (
        *(RECEIPT, lambda e: replace(e, local_name=b"decisions/2/receipt.xml")),
        F.DIRECTORY_DIFFERS,
    ),
    "another checksum in the local header": (
        *(RECEIPT, lambda e: replace(e, local={"crc": 1}), F.DIRECTORY_DIFFERS),
    ),
    "another method in the local header": (
        *(RECEIPT, lambda e: replace(e, local={"method": 0}), F.DIRECTORY_DIFFERS),
    ),
    "another time in the local header": (
        *(RECEIPT, lambda e: replace(e, local={"time": 7}), F.DIRECTORY_DIFFERS),
    ),
    "encrypted": (RECEIPT, lambda e: replace(e, flags=1), F.ENCRYPTED),
    "encrypted by the local header": (
        *(RECEIPT, lambda e: replace(e, local={"flags": 1}), F.ENCRYPTED),
    ),
    "encrypted directory": (RECEIPT, lambda e: replace(e, flags=1 << 13), F.ENCRYPTED),
    "data descriptor": (
        RECEIPT,
        lambda e: replace(
            e,
            flags=8,
            after=struct.pack("<4s3L", b"PK\x07\x08", zlib.crc32(e.content), 1, len(e.content)),
        ),
        F.DATA_DESCRIPTOR,
    ),
    "data descriptor by the local header": (
        RECEIPT,
        lambda e: replace(e, local={"flags": 8, "crc": 0, "compressed": 0, "size": 0}),
        F.DATA_DESCRIPTOR,
    ),
    "zip64 size": (RECEIPT, lambda e: replace(e, central={"size": 0xFFFFFFFF}), F.ZIP64),
    "zip64 extra": (RECEIPT, lambda e: replace(e, central_extra=ZIP64_EXTRA), F.EXTRA_FIELD),
    "extra field": (RECEIPT, lambda e: replace(e, local_extra=b"\1\2\0\0"), F.EXTRA_FIELD),
    "symbolic link": (RECEIPT, lambda e: replace(e, external=0o120777 << 16), F.NOT_A_FILE),
    "device": (RECEIPT, lambda e: replace(e, external=0o060600 << 16), F.NOT_A_FILE),
    "directory attribute": (RECEIPT, lambda e: replace(e, external=0x10), F.NOT_A_FILE),
    "unknown method": (RECEIPT, lambda e: replace(e, method=12), F.UNKNOWN_FEATURE),
    "unknown flag": (RECEIPT, lambda e: replace(e, flags=0x10), F.UNKNOWN_FEATURE),
    "bytes after the content": (RECEIPT, lambda e: replace(e, after=b"x"), F.BYTES_BETWEEN),
    "content of another length": (
        RECEIPT,
        lambda e: replace(e, central={"size": 7}, local={"size": 7}),
        F.CONTENT,
    ),
    "another checksum": (
        RECEIPT,
        lambda e: replace(e, central={"crc": 7}, local={"crc": 7}),
        F.CONTENT,
    ),
    "not deflated": (RECEIPT, lambda e: replace(e, stored=b"\xff" * 20), F.CONTENT),
    "deflated and more": (
        RECEIPT,
        lambda e: replace(e, stored=replace(e, stored=None).packed() + b"more"),
        F.CONTENT,
    ),
    "truncated": (
        RECEIPT,
        lambda e: replace(e, stored=replace(e, stored=None).packed()[:-2]),
        F.CONTENT,
    ),
    "altered": (RECEIPT, lambda e: replace(e, content=b"<Other/>"), F.ALTERED_FILE),
    "renamed": (RECEIPT, lambda e: replace(e, name=b"decisions/2.xml"), F.UNSIGNED_FILE),
    "name escapes": (RECEIPT, lambda e: replace(e, name=b"../receipt.xml"), F.NAME_ESCAPES),
    "another media type": (
        MANIFEST,
        lambda e: replace(e, content=e.content.replace(b"text/plain", b"text/html ")),
        F.MANIFEST_DIFFERS,
    ),
    "another container type in the manifest": (
        MANIFEST,
        lambda e: replace(e, content=e.content.replace(b"asic-e", b"asic-s")),
        F.MANIFEST_DIFFERS,
    ),
    "signature altered": (
        SIGNATURE,
        lambda e: replace(e, content=e.content.replace(b"file-0", b"file-9")),
        F.SIGNATURE_MALFORMED,
    ),
    "signature with a type declaration": (
        SIGNATURE,
        lambda e: replace(e, content=b"<!DOCTYPE a [<!ENTITY b 'c'>]>" + e.content),
        F.SIGNATURE_MALFORMED,
    ),
    "signature with a comment": (
        SIGNATURE,
        lambda e: replace(e, content=e.content.replace(b"<ds:KeyInfo>", b"<!--x--><ds:KeyInfo>")),
        F.SIGNATURE_MALFORMED,
    ),
    "signature with another space": (
        SIGNATURE,
        lambda e: replace(e, content=e.content.replace(b' Id="file-0"', b'  Id="file-0"')),
        F.SIGNATURE_MALFORMED,
    ),
    "signature with another media type": (
        SIGNATURE,
        lambda e: replace(e, content=e.content.replace(b">text/plain<", b">text/html<")),
        F.SIGNATURE_MALFORMED,
    ),
    "signature cut": (
        SIGNATURE,
        lambda e: replace(e, content=e.content[:-40]),
        F.SIGNATURE_MALFORMED,
    ),
    "empty signature": (SIGNATURE, lambda e: replace(e, content=b""), F.SIGNATURE_MALFORMED),
}


@pytest.mark.parametrize(("name", "change", "finding"), ENTRIES.values(), ids=ENTRIES)
def test_a_changed_entry_is_refused(
    good: bytes, operator: Holder, name: str, change: Change, finding: ContainerFinding
) -> None:
    assert finding_of(zip_of(changed(good, name, change)), operator) is finding


def _moved_mimetype(entries: list[RawEntry]) -> list[RawEntry]:
    return [*entries[1:], entries[0]]


LISTS: dict[str, tuple[Callable[[list[RawEntry]], list[RawEntry]], ContainerFinding]] = {
    "no mimetype": (lambda each: each[1:], F.MIMETYPE_LATE),
    "late mimetype": (_moved_mimetype, F.MIMETYPE_LATE),
    "compressed mimetype": (lambda each: [mimetype(method=8), *each[1:]], F.MIMETYPE_COMPRESSED),
    "mimetype with an extra field": (
        lambda each: [mimetype(local_extra=b"\1\2\0\0"), *each[1:]],
        F.MIMETYPE_EXTRA_FIELD,
    ),
    "mimetype with an extra field in the directory": (
        lambda each: [mimetype(central_extra=b"\1\2\0\0"), *each[1:]],
        F.MIMETYPE_EXTRA_FIELD,
    ),
    "another mimetype": (
        lambda each: [mimetype(content=b"application/vnd.etsi.asic-s+zip"), *each[1:]],
        F.MIMETYPE_OTHER,
    ),
    "mimetype with a line end": (
        lambda each: [mimetype(content=each[0].content + b"\n"), *each[1:]],
        F.TOO_LARGE,
    ),
    "unsigned file": (
        lambda each: [*each, RawEntry(name=b"note.txt", content=b"x")],
        F.UNSIGNED_FILE,
    ),
    "unsigned file in META-INF": (
        lambda each: [*each, RawEntry(name=b"META-INF/x.xml", content=b"x")],
        F.UNSIGNED_FILE,
    ),
    "two manifests": (
        lambda each: [*each, RawEntry(name=b"META-INF/ASiCManifest1.xml", content=b"x")],
        F.MANIFEST_REPEATED,
    ),
    "two signatures": (
        lambda each: [*each, RawEntry(name=b"META-INF/signatures1.xml", content=b"x")],
        F.SIGNATURE_REPEATED,
    ),
    "manifest twice": (
        lambda each: [*each, next(e for e in each if e.name == MANIFEST.encode())],
        F.NAME_REPEATED,
    ),
    "manifest in small letters": (
        lambda each: [*each, RawEntry(name=b"meta-inf/manifest.xml", content=b"x")],
        F.NAME_REPEATED,
    ),
    "no manifest": (
        lambda each: [e for e in each if e.name != MANIFEST.encode()],
        F.MANIFEST_MISSING,
    ),
    "no signature": (
        lambda each: [e for e in each if e.name != SIGNATURE.encode()],
        F.SIGNATURE_MISSING,
    ),
    "missing file": (
        lambda each: [e for e in each if e.name != RECEIPT.encode()],
        F.MISSING_FILE,
    ),
    "file twice": (
        lambda each: [*each, next(e for e in each if e.name == CASE.encode())],
        F.NAME_REPEATED,
    ),
    "file in another case": (
        lambda each: [*each, RawEntry(name=b"CASE.XML", content=b"x")],
        F.NAME_REPEATED,
    ),
    "a file where a directory is": (
        lambda each: [*each, RawEntry(name=b"decisions/1", content=b"x")],
        F.NAME_REPEATED,
    ),
    "a directory where a file is": (
        lambda each: [*each, RawEntry(name=b"case.xml/x", content=b"x")],
        F.NAME_REPEATED,
    ),
    "bomb": (
        lambda each: [*each, RawEntry(name=b"bomb.xml", content=bytes(40_000_000))],
        F.RATIO,
    ),
    "nothing": (lambda _: [], F.MIMETYPE_MISSING),
}


@pytest.mark.parametrize(("change", "finding"), LISTS.values(), ids=LISTS)
def test_another_list_of_entries_is_refused(
    good: bytes,
    operator: Holder,
    change: Callable[[list[RawEntry]], list[RawEntry]],
    finding: ContainerFinding,
) -> None:
    assert finding_of(zip_of(change(entries_of(good))), operator) is finding


def _hide_entry(zipped: bytes) -> bytes:
    """Leave the second entry out of the central directory, though its bytes stay."""
    size, offset = struct.unpack("<2L", zipped[-10:-2])
    directory = zipped[offset : offset + size]
    starts = []
    position = 0
    while position < size:
        starts.append(position)
        position += 46 + struct.unpack("<H", directory[position + 28 : position + 30])[0]
    shown = directory[: starts[1]] + directory[starts[2] :]
    count = len(starts) - 1
    end = struct.pack("<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, len(shown), offset, 0)
    return zipped[:offset] + shown + end


def _with_zip64(zipped: bytes) -> bytes:
    count, size, offset = struct.unpack("<HLL", zipped[-12:-2])
    record = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, count, count, size, offset)
    locator = struct.pack("<4sLQL", b"PK\x06\x07", 0, len(zipped) - 22, 1)
    return zipped[:-22] + record + locator + zipped[-22:]


WHOLE: dict[str, tuple[Callable[[bytes], bytes], ContainerFinding]] = {
    "bytes before": (lambda zipped: b"MZ" + zipped, F.BYTES_BEFORE),
    "bytes before, offsets adjusted": (
        lambda zipped: zip_of(entries_of(zipped), prefix=b"#!/bin/sh\n", adjusted=True),
        F.BYTES_BEFORE,
    ),
    "another ZIP before": (lambda zipped: zipped + zipped, F.BYTES_BETWEEN),
    "bytes after": (lambda zipped: zipped + b"\0", F.BYTES_AFTER),
    "comment": (lambda zipped: zipped[:-2] + b"\1\0x", F.BYTES_AFTER),
    "comment's length without it": (lambda zipped: zipped[:-2] + b"\1\0", F.BYTES_AFTER),
    "no ZIP": (lambda _: b"<xml/>" * 10, F.NOT_A_ZIP),
    "empty": (lambda _: b"", F.NOT_A_ZIP),
    "cut": (lambda zipped: zipped[:-30], F.NOT_A_ZIP),
    "an entry that the directory hides": (_hide_entry, F.BYTES_BETWEEN),
    "zip64 records without need": (_with_zip64, F.ZIP64),
    "zip64 count without its record": (
        lambda zipped: zipped[:-14] + b"\xff\xff\xff\xff" + zipped[-10:],
        F.ZIP64,
    ),
    "fewer entries than the directory has": (
        lambda zipped: zipped[:-14] + b"\1\0\1\0" + zipped[-10:],
        F.BYTES_BETWEEN,
    ),
}


@pytest.mark.parametrize(("change", "finding"), WHOLE.values(), ids=WHOLE)
def test_another_layout_is_refused(
    good: bytes, operator: Holder, change: Callable[[bytes], bytes], finding: ContainerFinding
) -> None:
    assert finding_of(change(good), operator) is finding


def test_a_foreign_signer_is_refused(good: bytes, operator: Holder) -> None:
    """A container that verifies by its own certificate is refused if the reader knows another."""
    other = Authority.root("Another Root").issue()
    assert finding_of(a_container(other), operator) is F.FOREIGN_SIGNER
    assert finding_of(good, other) is F.FOREIGN_SIGNER


def test_a_certificate_of_another_key_is_refused(good: bytes, operator: Holder) -> None:
    """The known certificate in place of the signer's makes the signature wrong."""
    other = Authority.root("Another Root").issue()

    def replaced(entry: RawEntry) -> RawEntry:
        own, named = (b64encode(each.der) for each in (other, operator))
        return replace(entry, content=entry.content.replace(own, named))

    forged = zip_of(changed(a_container(other), SIGNATURE, replaced))
    assert finding_of(forged, operator) in {F.SIGNATURE_MALFORMED, F.SIGNATURE_INVALID}


def test_an_old_value_under_another_list_of_files_is_refused(good: bytes, operator: Holder) -> None:
    """A signature in the right form over other files does not verify."""
    signature = verify(good, operator).signature
    renamed = [
        replace(each, media_type="text/html") if each.name == "empty.txt" else each
        for each in signature.files
    ]
    other = replace(signature, files=renamed)
    entries = changed(good, SIGNATURE, lambda e: replace(e, content=b"".join(other.render())))

    assert finding_of(zip_of(entries), operator) is F.SIGNATURE_INVALID


def test_limits_hold(good: bytes, operator: Holder) -> None:
    """Each limit is held before contents are read."""
    for limits, finding in (
        (ContainerLimits(max_entries=6), F.TOO_MANY_ENTRIES),
        (ContainerLimits(max_total_bytes=500), F.TOO_LARGE),
        (ContainerLimits(max_file_bytes=500), F.TOO_LARGE),
        (ContainerLimits(max_ratio=1, min_judged_bytes=16), F.RATIO),
    ):
        with pytest.raises(ContainerFailure) as failure:
            verify(good, operator, limits)
        assert failure.value.finding is finding


def test_every_flipped_byte_is_refused(good: bytes, operator: Holder) -> None:
    """No byte of a container may change: nothing is ignored."""
    passed = []
    for position in range(len(good)):
        flipped = bytearray(good)
        flipped[position] ^= 1
        try:
            verify(bytes(flipped), operator)
        except ContainerFailure:
            continue
        passed.append(position)
    assert passed == []
