"""The type of a scan is determined by its content (CNS-13): a whole file of one type only."""

import io
import struct
from zipfile import ZipFile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makul.documents.media_types import media_type
from makul_sandbox.data.scans import pdf_scan, png_scan

PNG, PDF = png_scan(), pdf_scan()


def a_jpeg(more: bytes = b"", scan: bytes = b"\x12\xff\x00\x34\xff\xd0\x56") -> bytes:
    """Return the skeleton of a baseline JPEG."""
    frame = b"\xff\xc0" + struct.pack(">HBHHB", 11, 8, 8, 8, 1) + b"\x01\x11\x00"
    start = b"\xff\xda" + struct.pack(">HB", 8, 1) + b"\x01\x00\x00\x3f\x00"
    return b"\xff\xd8" + more + frame + start + scan + b"\xff\xd9"


def a_tiff(order: str = "<", tags: tuple[int, ...] = (256, 257, 273), following: int = 0) -> bytes:
    """Return the skeleton of a TIFF of one page."""
    head = (b"II*\x00" if order == "<" else b"MM\x00*") + struct.pack(order + "I", 8)
    entries = b"".join(struct.pack(order + "HHII", tag, 4, 1, 1) for tag in tags)
    end = struct.pack(order + "I", following)
    return head + struct.pack(order + "H", len(tags)) + entries + end


def a_zip() -> bytes:
    held = io.BytesIO()
    with ZipFile(held, "w") as archive:
        archive.writestr("a.txt", "a")
    return held.getvalue()


GOOD = {
    "png": (PNG, "image/png"),
    "pdf": (PDF, "application/pdf"),
    "jpeg": (a_jpeg(), "image/jpeg"),
    "jpeg-with-exif": (a_jpeg(b"\xff\xe1\x00\x08Exif\xff\xd9"), "image/jpeg"),
    "tiff": (a_tiff(), "image/tiff"),
    "tiff-big-endian": (a_tiff(">"), "image/tiff"),
}

BAD = {
    "nothing": b"",
    "text": b"a scan",
    "html": b"<html><script>alert(1)</script></html>",
    "xml": b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>",
    "zip": a_zip(),
    "png-and-zip": PNG + a_zip(),
    "pdf-and-zip": PDF + a_zip(),
    "zip-hidden-in-a-pdf": PDF[:9] + a_zip() + PDF[9:],
    "png-and-more": PNG + b"x",
    "png-without-its-end": PNG[:-12],
    "png-cut": PNG[:-1],
    "png-head-alone": PNG[:8],
    "png-checksum": PNG[:-1] + bytes([PNG[-1] ^ 1]),
    "png-before-pdf": PNG + PDF,
    "pdf-behind-something": b"x" + PDF,
    "pdf-cut": PDF[:-6],
    "pdf-and-more": PDF + b"<html>",
    "pdf-head-alone": b"%PDF-1.4\n",
    "jpeg-and-more": a_jpeg() + b"x",
    "jpeg-cut": a_jpeg()[:-1],
    "jpeg-without-a-frame": b"\xff\xd8\xff\xd9",
    "jpeg-twice": a_jpeg() + a_jpeg(),
    "jpeg-segment-of-no-length": b"\xff\xd8\xff\xe1\x00\x00" + a_jpeg()[2:],
    "tiff-cut": a_tiff()[:-5],
    "tiff-without-a-picture": a_tiff(tags=(256, 257)),
    "tiff-in-a-circle": a_tiff(following=8),
    "tiff-beyond-its-end": a_tiff(following=4_000),
    "tiff-head-alone": b"II*\x00\x08\x00\x00\x00",
}


@pytest.mark.parametrize("name", GOOD)
def test_a_whole_file_has_its_type(name: str) -> None:
    """PDF, PNG, JPEG and TIFF are recognised (docs/recipients.md)."""
    content, known_as = GOOD[name]

    assert media_type(content) == known_as


@pytest.mark.parametrize("name", BAD)
def test_other_files_have_no_type(name: str) -> None:
    """Garbage, incomplete files, and files of two types are refused."""
    assert media_type(BAD[name]) is None


@given(st.sampled_from([content for content, _ in GOOD.values()]), st.data())
def test_no_file_crashes_the_recognition(content: bytes, data: st.DataObject) -> None:
    """A file that is changed, cut or lengthened anywhere gets an answer, and never an exception."""
    at = data.draw(st.integers(0, len(content)))
    media_type(content[:at] + data.draw(st.binary(max_size=9)) + content[at:])
    media_type(content[:at] + content[at + 1 :])
    assert media_type(content[:at] + b"\x00" * (len(content) - at)) in {None, media_type(content)}
