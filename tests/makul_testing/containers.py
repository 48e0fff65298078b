"""Evidence containers for tests, and ZIP files whose every field a test can change."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from makul.trust.containers.asice_reader import MEDIA_TYPE
from makul.trust.containers.asice_writer import AsiceWriter, Prolong, add_nothing
from makul.trust.containers.entry_names import MIMETYPE
from makul.trust.keys.files import KeySigner
from makul_testing.pki.authorities import NOW, Holder

FILES: Mapping[str, tuple[str, bytes]] = {
    "case.xml": ("text/xml", b"<Case/>"),
    "decisions/1/receipt.xml": ("text/xml", b"<Receipt/>" * 40),
    "документы/макулдук келишими.xml": ("text/xml", "<Макулдук/>".encode()),
    "empty.txt": ("text/plain", b""),
}


def a_container(
    holder: Holder,
    files: Mapping[str, tuple[str, bytes]] = FILES,
    *,
    prolong: Prolong = add_nothing,
    at: datetime = NOW,
) -> bytes:
    """Return a container of these files, signed by the holder."""
    file = io.BytesIO()
    writer = AsiceWriter(file, KeySigner(holder.key), holder.certificate, at=at)
    for name, (media_type, content) in files.items():
        writer.add(name, media_type, (content,))
    writer.finish(prolong)
    return file.getvalue()


@dataclass(frozen=True, kw_only=True)
class RawEntry:
    """An entry whose two headers a test can change on their own."""

    name: bytes
    content: bytes
    stored: bytes | None = None
    """The bytes between the headers; by default the content by its method."""
    method: int = 8
    flags: int = 0
    local_extra: bytes = b""
    central_extra: bytes = b""
    local: Mapping[str, int] = field(default_factory=dict)
    """Fields of the local header that differ from the central directory."""
    central: Mapping[str, int] = field(default_factory=dict)
    after: bytes = b""
    """Bytes after the content, such as a data descriptor."""
    external: int = 0
    local_name: bytes | None = None

    def packed(self) -> bytes:
        if self.stored is not None:
            return self.stored
        if self.method == 0:
            return self.content
        deflater = zlib.compressobj(6, zlib.DEFLATED, -15)
        return deflater.compress(self.content) + deflater.flush()


def entries_of(container: bytes) -> list[RawEntry]:
    """Take a container apart; `zip_of` gives it again."""
    with zipfile.ZipFile(io.BytesIO(container)) as archive:
        return [
            RawEntry(
                name=info.filename.encode(),
                content=archive.read(info),
                method=info.compress_type,
                flags=0 if info.filename.isascii() else 0x800,
            )
            for info in archive.infolist()
        ]


def changed(container: bytes, name: str, change: Callable[[RawEntry], RawEntry]) -> list[RawEntry]:
    """Return the entries with one of them changed."""
    entries = entries_of(container)
    assert name.encode() in {each.name for each in entries}
    return [change(each) if each.name == name.encode() else each for each in entries]


def mimetype(**changes: object) -> RawEntry:
    """Return the entry `mimetype` with some fields changed."""
    entry = RawEntry(name=MIMETYPE.encode(), content=MEDIA_TYPE.encode(), method=0)
    return replace(entry, **changes)  # type: ignore[arg-type]


def zip_of(entries: Iterable[RawEntry], *, prefix: bytes = b"", adjusted: bool = False) -> bytes:
    """Return a ZIP of these entries. With `adjusted` its offsets count the prefix."""
    body, directory, count = bytearray(), bytearray(), 0
    base = len(prefix) if adjusted else 0
    for each in entries:
        packed = each.packed()
        fields = {
            "needed": 20,
            "flags": each.flags,
            "method": each.method,
            "time": 0,
            "date": 0x21,
            "crc": zlib.crc32(each.content),
            "compressed": len(packed),
            "size": len(each.content),
        }
        local, central = {**fields, **each.local}, {**fields, **each.central}
        local_name = each.name if each.local_name is None else each.local_name
        offset = base + len(body)
        body += struct.pack("<4s5H3L", b"PK\x03\x04", *local.values())
        body += struct.pack("<2H", len(local_name), len(each.local_extra))
        body += local_name + each.local_extra + packed + each.after
        directory += struct.pack("<4sH5H3L", b"PK\x01\x02", 20, *central.values())
        directory += struct.pack(
            "<5H2L", len(each.name), len(each.central_extra), 0, 0, 0, each.external, offset
        )
        directory += each.name + each.central_extra
        count += 1
    end = struct.pack(
        "<4s4H2LH", b"PK\x05\x06", 0, 0, count, count, len(directory), base + len(body), 0
    )
    return prefix + bytes(body) + bytes(directory) + end
