"""Parsers of biometric samples as the record holds them, for the answer.

The record keeps standard bytes. The answer states the type of each sample with it. A type that the
bytes do not state is not guessed: a sample that cannot be read raises `UnknownSampleError`. Such a
sample is refused at import. If the record holds one nevertheless, nothing of it is released.
"""

from collections.abc import Callable, Iterator, Mapping

from makul.domain.attributes import Attribute

_FACE_FORMATS = (
    (b"\xff\xd8\xff", "jpeg"),  # ISO/IEC 10918-1: start of image, then a marker
    (b"\x00\x00\x00\x0cjP  \r\n\x87\n", "jp2"),  # ISO/IEC 15444-1, I.5.1: signature box
)

_PNG = b"\x89PNG\r\n\x1a\n"

_FINGERS = range(1, 11)

# ISO/IEC 19794-2:2005, 8.3 and 8.4: "FMR\0", the version, and the record's length in bytes 9 to 12.
# The first finger view follows a header of 24 bytes. Its first byte is the finger's position.
_MINUTIAE_MAGIC = b"FMR\x00"
_MINUTIAE_LENGTH = slice(8, 12)
_MINUTIAE_HEADER = 24

# ISO/IEC 19794-4:2005, 7.1 and 7.2: "FIR\0", the version, the length in bytes 9 to 14, the
# compression in byte 30. After a header of 32 bytes, each finger has a header of 14 bytes with its
# length and position.
_IMAGES_MAGIC = b"FIR\x00"
_IMAGES_LENGTH = slice(8, 14)
_IMAGES_COMPRESSION = 29
_IMAGES_HEADER = 32
_IMAGE_HEADER = 14
_COMPRESSIONS = {2: "wsq", 4: "jp2", 5: "png"}


class UnknownSampleError(ValueError):
    """The bytes are not an exchangeable sample. The message gives the reason, never the bytes."""


def require_known(attribute: Attribute, content: bytes) -> None:
    """Raise `UnknownSampleError` if these bytes could never be released as this attribute."""
    _READERS[attribute](content)


def face_format(image: bytes) -> str:
    """Return `jpeg` or `jp2`, by the image's first bytes (ISO/IEC 19794-5 allows these two)."""
    for magic, name in _FACE_FORMATS:
        if image.startswith(magic):
            return name
    raise UnknownSampleError("the face image is neither JPEG nor JPEG 2000")


def signature_image(image: bytes) -> bytes:
    """Return the image of a signature, which must be PNG."""
    if not image.startswith(_PNG):
        raise UnknownSampleError("the signature image is not PNG")
    return image


def finger_templates(content: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield position and record of each finger, from consecutive ISO/IEC 19794-2 records."""
    for record in _records(content, _MINUTIAE_MAGIC, _MINUTIAE_LENGTH, _MINUTIAE_HEADER):
        yield _finger(record[_MINUTIAE_HEADER]), record


def finger_images(content: bytes) -> Iterator[tuple[int, str, bytes]]:
    """Yield position, format and image of each finger, from consecutive ISO/IEC 19794-4 records."""
    for record in _records(content, _IMAGES_MAGIC, _IMAGES_LENGTH, _IMAGES_HEADER):
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


def _records(content: bytes, magic: bytes, length_at: slice, header: int) -> Iterator[bytes]:
    """Yield each of the consecutive records; there must be at least one, longer than its header."""
    if not content:
        raise UnknownSampleError("no finger record")
    at = 0
    while at < len(content):
        length = int.from_bytes(content[at:][length_at], "big")
        if not content.startswith(magic, at) or length <= header or at + length > len(content):
            raise UnknownSampleError("not a finger record of ISO/IEC 19794")
        yield content[at : at + length]
        at += length


def _finger(position: int) -> int:
    """Return a known finger position, 1 to 10; 0 is unknown (ISO/IEC 19794-2, table 5)."""
    if position not in _FINGERS:
        raise UnknownSampleError("a finger of unknown position")
    return position


_READERS: Mapping[Attribute, Callable[[bytes], object]] = {
    Attribute.FACE_IMAGE: face_format,
    Attribute.SIGNATURE_IMAGE: signature_image,
    Attribute.FINGERPRINT_TEMPLATES: lambda content: list(finger_templates(content)),
    Attribute.FINGERPRINT_IMAGES: lambda content: list(finger_images(content)),
}
