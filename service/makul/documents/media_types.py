"""Determine the media type of a scan from its content (CNS-13): PDF, PNG, JPEG, TIFF, or none.

A scan is stored as evidence. People look at it years later, with any program that can open it. So
the whole file, from its first byte to its last, must be of the type that its first bytes show. A
file that is of two types at once, or that has data after its end, is of no type. This module
decodes no picture. The official must ensure that a well-formed file shows what was signed.
"""

import re
import struct
import zlib
from collections.abc import Callable
from typing import Final

PNG: Final = b"\x89PNG\r\n\x1a\n"
_PNG_CHUNKS: Final = 100_000
_TIFF_HEADS: Final = {b"II*\x00": "<", b"MM\x00*": ">"}
_TIFF_PAGES: Final = 1_000
_TIFF_NEEDED: Final = {256, 257}  # ImageWidth, ImageLength (TIFF 6.0, section 8)
_TIFF_PICTURE: Final = {273, 324}  # StripOffsets or TileOffsets
_IFD_ENTRY: Final = 12
_JPEG_MARKER: Final = re.compile(rb"\xff+([^\x00\xd0-\xd7\xff])", re.DOTALL)
_JPEG_FRAMES: Final = set(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_SOS, _EOI = 0xDA, 0xD9
_PDF_HEAD: Final = re.compile(rb"%PDF-[12]\.[0-9][\r\n]")
_PDF_TAIL: Final = re.compile(rb"startxref[\r\n]+[0-9]{1,10}[\r\n]+%%EOF[\r\n ]*\Z")
_PDF_TAIL_BYTES: Final = 1024
_ZIP_END: Final = b"PK\x05\x06"
"""The signature of a ZIP's end record. Programs find a ZIP from its end, so any file may also be a
ZIP (APPNOTE 4.3.16)."""


def media_type(content: bytes) -> str | None:
    """Return the media type of which these bytes are one whole file, or None.

    A file with data after its end, or one that may also be a ZIP, is None.
    """
    if _ZIP_END in content[-66_000:]:
        return None
    for name, is_one in _TYPES.items():
        if is_one(content):
            return name
    return None


def _is_pdf(content: bytes) -> bool:
    """Return whether the content is a PDF (ISO 32000-1, 7.5).

    The header must be at the very beginning and the trailer at the very end.
    """
    head = _PDF_HEAD.match(content)
    tail = _PDF_TAIL.search(content[-_PDF_TAIL_BYTES:])
    return head is not None and tail is not None and b" obj" in content


def _is_png(content: bytes) -> bool:
    """Return whether the content is a PNG (PNG, 5.3 and 5.6).

    IHDR must be the first chunk, IEND the last, and IDAT present. Every checksum must be right.
    """
    if not content.startswith(PNG):
        return False
    at = len(PNG)
    formats: list[bytes] = []
    while at + 12 <= len(content) and len(formats) < _PNG_CHUNKS:
        (length,) = struct.unpack_from(">I", content, at)
        end = at + 12 + length
        if end > len(content):
            return False
        kind = content[at + 4 : at + 8]
        (stated,) = struct.unpack_from(">I", content, end - 4)
        if zlib.crc32(content[at + 4 : end - 4]) != stated:
            return False
        formats.append(kind)
        at = end
        if kind == b"IEND":
            break
    whole = at == len(content) and len(formats) > 1 and formats[-1] == b"IEND"
    return whole and formats[0] == b"IHDR" and b"IDAT" in formats


def _is_jpeg(content: bytes) -> bool:
    """Return whether the content is a JPEG (ITU-T T.81, B).

    It must consist of segments from SOI to EOI, with a frame and a scan, and end there.
    """
    if not content.startswith(b"\xff\xd8\xff"):
        return False
    at, framed, scanned = 2, False, False
    while True:
        match = _JPEG_MARKER.search(content, at) if scanned else _JPEG_MARKER.match(content, at)
        if match is None:
            return False
        marker, at = match[1][0], match.end()
        if marker == _EOI:
            return framed and scanned and at == len(content)
        if at + 2 > len(content):
            return False
        (length,) = struct.unpack_from(">H", content, at)
        if length < 2:
            return False
        framed, scanned = framed or marker in _JPEG_FRAMES, scanned or marker == _SOS
        at += length


def _is_tiff(content: bytes) -> bool:
    """Return whether the content is a TIFF (TIFF 6.0, section 2).

    It must have a chain of directories inside the file, each of a picture.
    """
    order = _TIFF_HEADS.get(content[:4])
    if order is None or len(content) < 8:
        return False
    (at,) = struct.unpack_from(order + "I", content, 4)
    offsets: set[int] = set()
    while at:
        if at in offsets or len(offsets) >= _TIFF_PAGES or at + 2 > len(content):
            return False
        offsets.add(at)
        (entries,) = struct.unpack_from(order + "H", content, at)
        end = at + 2 + entries * _IFD_ENTRY
        if not entries or end + 4 > len(content):
            return False
        tags = {
            struct.unpack_from(order + "H", content, at + 2 + number * _IFD_ENTRY)[0]
            for number in range(entries)
        }
        if not tags >= _TIFF_NEEDED or not tags & _TIFF_PICTURE:
            return False
        (at,) = struct.unpack_from(order + "I", content, end)
    return bool(offsets)


_TYPES: Final[dict[str, Callable[[bytes], bool]]] = {
    "application/pdf": _is_pdf,
    "image/png": _is_png,
    "image/jpeg": _is_jpeg,
    "image/tiff": _is_tiff,
}
