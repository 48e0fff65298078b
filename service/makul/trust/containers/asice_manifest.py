"""The manifest of a container: every file with its media type (OpenDocument 1.2, part 3).

The signature does not cover it. So it must say exactly what the signature says of the same files,
byte for byte, and adds nothing that a reader could take for more.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from makul.trust.containers.asice_reader import MEDIA_TYPE
from makul.trust.containers.asice_signature import SignedFile

MANIFEST_NAMESPACE: Final = "urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"


def render_manifest(files: Sequence[SignedFile]) -> Iterator[bytes]:
    """Yield the manifest of these files, in blocks."""
    yield (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<manifest:manifest xmlns:manifest="{MANIFEST_NAMESPACE}" manifest:version="1.2">'
        f"{_entry('/', MEDIA_TYPE)}"
    ).encode()
    for each in files:
        yield _entry(each.name, each.media_type).encode()
    yield b"\n</manifest:manifest>\n"


def _entry(path: str, media_type: str) -> str:
    # A safe name has none of the characters < > ", so only & is to be escaped.
    return (
        f'\n  <manifest:file-entry manifest:full-path="{path.replace("&", "&amp;")}"'
        f' manifest:media-type="{media_type}"/>'
    )
