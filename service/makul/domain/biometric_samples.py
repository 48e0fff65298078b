"""Biometric samples as the record holds them, taken apart for the answer.

The record keeps standard bytes; the answer names, beside each sample, what it is. What the bytes do
not say for themselves is not guessed: a sample that cannot be read raises `UnknownSampleError`. It
is refused when it is imported, and nothing is released of one that is held all the same.
"""

from collections.abc import Callable, Iterator, Mapping

from makul.domain.attributes import Attribute

_FACE_FORMATS = (
    (b"\xff\xd8\xff", "jpeg"),  # ISO/IEC 10918-1: start of image, then a marker
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "jp2"),  # ISO/IEC 15444-1, I.5.1: signature box
)

_PNG = b"\x89PNG\r\n\x1a\n"

_FINGERS = range(1, 11)

# ISO/IEC 19794-2:2005, 8.3 and 8.4: "FMR\0", version, length of the record in bytes 9 to 12; after
# a header of 24 bytes the first finger view, whose first byte is the finger's position.
_MINUTIAE_MAGIC = b"FMR\x00"
_MINUTIAE_LENGTH = slice(8, 12)
_MINUTIAE_HEADER = 24

# ISO/IEC 19794-4:2005, 7.1 and 7.2: "FIR\0", version, length in bytes 9 to 14, the compression in
# byte 30; after a header of 32 bytes each finger's own header of 14, with its length and position.
_IMAGES_MAGIC = b"FIR\x00"
_IMAGES_LENGTH = slice(8, 14)
_IMAGES_COMPRESSION = 29
_IMAGES_HEADER = 32
_IMAGE_HEADER = 14
_COMPRESSIONS = {2: "wsq", 4: "jp2", 5: "png"}


class UnknownSampleError(ValueError):
    """The bytes are no sample that can be exchanged. The message says why, never what they are."""


def require_known(attribute: Attribute, held: bytes) -> None:
    """Raises `UnknownSampleError` where these bytes could never be released as this attribute."""
    _READERS[attribute](held)


def face_format(image: bytes) -> str:
    """`jpeg` or `jp2`, by the image's first bytes (ISO/IEC 19794-5 allows these two)."""
    for magic, name in _FACE_FORMATS:
        if image.startswith(magic):
            return name
    raise UnknownSampleError("the face image is neither JPEG nor JPEG 2000")


def signature_image(image: bytes) -> bytes:
    """The picture of a signature, which is PNG."""
    if not image.startswith(_PNG):
        raise UnknownSampleError("the signature image is not PNG")
    return image


def finger_templates(held: bytes) -> Iterator[tuple[int, bytes]]:
    """Position and record of each finger, from ISO/IEC 19794-2 records that follow one another."""
    for record in _records(held, _MINUTIAE_MAGIC, _MINUTIAE_LENGTH, _MINUTIAE_HEADER):
        yield _finger(record[_MINUTIAE_HEADER]), record


def finger_images(held: bytes) -> Iterator[tuple[int, str, bytes]]:
    """Position, format and image of each finger, from ISO/IEC 19794-4 records in a row."""
    for record in _records(held, _IMAGES_MAGIC, _IMAGES_LENGTH, _IMAGES_HEADER):
        encoding = _COMPRESSIONS.get(record[_IMAGES_COMPRESSION])
        if encoding is None:
            raise UnknownSampleError("finger images in a compression that is not exchanged")
        at = _IMAGES_HEADER
        while at < len(record):
            length = int.from_bytes(record[at : at + 4], "big")
            if length <= _IMAGE_HEADER or at + length > len(record):
                raise UnknownSampleError("a finger image record of impossible length")
            image = record[at + _IMAGE_HEADER : at + length]
            yield _finger(record[at + 4]), encoding, image
            at += length


def _records(held: bytes, magic: bytes, length_at: slice, header: int) -> Iterator[bytes]:
    """Each record of a row, longer than its header; at least one."""
    if not held:
        raise UnknownSampleError("no finger record")
    at = 0
    while at < len(held):
        length = int.from_bytes(held[at:][length_at], "big")
        if not held.startswith(magic, at) or length <= header or at + length > len(held):
            raise UnknownSampleError("not a finger record of ISO/IEC 19794")
        yield held[at : at + length]
        at += length


def _finger(position: int) -> int:
    """ISO/IEC 19794-2, table 5: 1 to 10 are known fingers, 0 is unknown."""
    if position not in _FINGERS:
        raise UnknownSampleError("a finger of unknown position")
    return position


_READERS: Mapping[Attribute, Callable[[bytes], object]] = {
    Attribute.FACE_IMAGE: face_format,
    Attribute.SIGNATURE_IMAGE: signature_image,
    Attribute.FINGERPRINT_TEMPLATES: lambda held: list(finger_templates(held)),
    Attribute.FINGERPRINT_IMAGES: lambda held: list(finger_images(held)),
}
