"""Read the ZIP file of a container, and refuse every layout that two readers may see differently.

Nothing is extracted. Contents are read in blocks, and each within its stated size and within the
limits, so that no small file becomes a large one.
"""

import stat
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import BinaryIO

from makul.trust.containers import zip_layout as layout
from makul.trust.containers.entry_names import MIMETYPE, DistinctNames, require_safe_name
from makul.trust.containers.findings import ContainerFailure, ContainerFinding
from makul.trust.containers.zip_layout import ZipEntry

MEDIA_TYPE = "application/vnd.etsi.asic-e+zip"
"""The content of `mimetype` (ETSI EN 319 162-1, 4.4.3.2)."""

BLOCK_BYTES = 64 * 1024
_DIRECTORY_ATTRIBUTE = 0x10
"""The attribute of a directory in FAT."""
_REGULAR = frozenset({0, stat.S_IFREG})
_MAX_COMMENT = layout.MAX_16


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerLimits:
    """The limits within which a container is read."""

    max_file_bytes: int = layout.MAX_32
    """No entry and no container needs the sizes of ZIP64."""
    max_entries: int = 250_000
    """An evidence file has some three entries for each decision."""
    max_total_bytes: int = 8 * 1024**3
    """All contents, decompressed."""
    max_ratio: int = 200
    """Size by compressed size. Repetitive XML has some 20, and deflate can do 1032."""
    min_judged_bytes: int = 256 * 1024
    """Smaller entries may have any ratio, because they can do no harm."""


LIMITS = ContainerLimits()


class Container:
    """A container whose layout was verified. Nothing of its content was."""

    def __init__(self, file: BinaryIO, entries: tuple[ZipEntry, ...]) -> None:
        self._file = file
        self.entries: Mapping[str, ZipEntry] = {each.name: each for each in entries}

    def read(self, entry: ZipEntry) -> Iterator[bytes]:
        """Yield the content of an entry in blocks; the last is yielded only if all is as stated.

        Raises `ContainerFailure` for content of another size or checksum.
        """
        checksum, size, held = 0, 0, b""
        for block in self._blocks(entry):
            size += len(block)
            if size > entry.size:
                raise ContainerFailure(ContainerFinding.CONTENT, entry.name)
            checksum = zlib.crc32(block, checksum)
            if held:
                yield held
            held = block
        if (size, checksum) != (entry.size, entry.checksum):
            raise ContainerFailure(ContainerFinding.CONTENT, entry.name)
        if held:
            yield held

    def read_whole(self, entry: ZipEntry, max_bytes: int) -> bytes:
        """Return the content of an entry. Raises `ContainerFailure` if it is larger."""
        if entry.size > max_bytes:
            raise ContainerFailure(ContainerFinding.TOO_LARGE, entry.name)
        return b"".join(self.read(entry))

    def _blocks(self, entry: ZipEntry) -> Iterator[bytes]:
        raw = self._raw(entry)
        if entry.method == layout.STORED:
            yield from raw
            return
        inflater = zlib.decompressobj(-zlib.MAX_WBITS)
        try:
            for block in raw:
                rest = block
                while rest:
                    if inflater.eof:
                        raise ContainerFailure(ContainerFinding.CONTENT, entry.name)
                    yield inflater.decompress(rest, BLOCK_BYTES)
                    rest = inflater.unconsumed_tail or inflater.unused_data
            while not inflater.eof:
                block = inflater.decompress(inflater.unconsumed_tail, BLOCK_BYTES)
                if not block:
                    raise ContainerFailure(ContainerFinding.CONTENT, entry.name)
                yield block
        except zlib.error:
            raise ContainerFailure(ContainerFinding.CONTENT, entry.name) from None

    def _raw(self, entry: ZipEntry) -> Iterator[bytes]:
        position, left = entry.content_offset, entry.compressed
        while left:
            self._file.seek(position)
            block = self._file.read(min(left, BLOCK_BYTES))
            if not block:
                raise ContainerFailure(ContainerFinding.CONTENT, entry.name)
            yield block
            position, left = position + len(block), left - len(block)


def open_container(file: BinaryIO, limits: ContainerLimits = LIMITS) -> Container:
    """Return the container in a file that can be positioned. Raises `ContainerFailure`."""
    size = file.seek(0, 2)
    if size > limits.max_file_bytes:
        raise ContainerFailure(ContainerFinding.TOO_LARGE)
    count, directory_offset, directory_size = _find_directory(file, size)
    if count > limits.max_entries:
        raise ContainerFailure(ContainerFinding.TOO_MANY_ENTRIES)
    if count == 0:
        raise ContainerFailure(ContainerFinding.MIMETYPE_MISSING)
    entries: list[ZipEntry] = []
    names, next_offset, total = DistinctNames(), 0, 0
    for entry in _read_directory(file, count, directory_offset, directory_size):
        _require_mimetype_first(entry, is_first=not entries)
        require_safe_name(entry.name)
        names.add(entry.name)
        total += entry.size
        _require_moderate(entry, total, limits)
        if entry.offset != next_offset:
            raise ContainerFailure(ContainerFinding.BYTES_BETWEEN, entry.name)
        _require_same_header(file, entry)
        next_offset = entry.end
        entries.append(entry)
    if next_offset != directory_offset:
        raise ContainerFailure(ContainerFinding.BYTES_BETWEEN)
    container = Container(file, tuple(entries))
    if container.read_whole(entries[0], len(MEDIA_TYPE)) != MEDIA_TYPE.encode():
        raise ContainerFailure(ContainerFinding.MIMETYPE_OTHER)
    return container


def _find_directory(file: BinaryIO, size: int) -> tuple[int, int, int]:
    """Return the number of entries, and offset and size of the central directory."""
    file.seek(max(0, size - layout.END.size))
    tail = file.read(layout.END.size)
    if len(tail) < layout.END.size or not tail.startswith(layout.END_SIGNATURE):
        raise _not_at_the_end(file, size)
    _, disk, first_disk, here, count, length, offset, comment = layout.END.unpack(tail)
    if comment:
        raise ContainerFailure(ContainerFinding.BYTES_AFTER)
    if disk or first_disk or here != count:
        raise ContainerFailure(ContainerFinding.UNKNOWN_FEATURE)
    file.seek(0)
    if file.read(4) not in {layout.LOCAL_SIGNATURE, layout.END_SIGNATURE}:
        raise ContainerFailure(ContainerFinding.BYTES_BEFORE)
    end = size - layout.END.size
    count, end = _read_zip64(file, end, (count, length, offset))
    if layout.MAX_32 in (length, offset):
        raise ContainerFailure(ContainerFinding.ZIP64)
    if offset + length > end:
        raise ContainerFailure(ContainerFinding.NOT_A_ZIP)
    if offset + length < end:
        raise ContainerFailure(ContainerFinding.BYTES_BETWEEN)
    return count, offset, length


def _not_at_the_end(file: BinaryIO, size: int) -> ContainerFailure:
    """Return the failure for a file that does not end with the end record."""
    file.seek(max(0, size - layout.END.size - _MAX_COMMENT))
    position = file.read().rfind(layout.END_SIGNATURE)
    finding = ContainerFinding.NOT_A_ZIP if position < 0 else ContainerFinding.BYTES_AFTER
    return ContainerFailure(finding)


def _read_zip64(file: BinaryIO, end: int, stated: tuple[int, int, int]) -> tuple[int, int]:
    """Return the number of entries, and the offset after the central directory.

    ZIP64 is accepted only for a number of entries that needs it, and only in one form.
    """
    count, length, offset = stated
    start = end - layout.LOCATOR.size - layout.END64.size
    file.seek(max(0, end - layout.LOCATOR.size))
    is_there = file.read(4) == layout.LOCATOR_SIGNATURE
    if count != layout.MAX_16 and not is_there:
        return count, end
    if count != layout.MAX_16 or not is_there or start < 0:
        raise ContainerFailure(ContainerFinding.ZIP64)
    file.seek(start)
    found = file.read(layout.END64.size + layout.LOCATOR.size)
    many = layout.END64.unpack(found[: layout.END64.size])[6]
    written = layout.end_records(many, length, offset) if many >= layout.MAX_16 else b""
    if written[: len(found)] != found:
        raise ContainerFailure(ContainerFinding.ZIP64)
    return many, start


def _read_directory(file: BinaryIO, count: int, offset: int, size: int) -> Iterator[ZipEntry]:
    """Yield the entries of the central directory, in its order."""
    position, end = offset, offset + size
    for _ in range(count):
        file.seek(position)
        fixed = file.read(layout.CENTRAL.size)
        if len(fixed) < layout.CENTRAL.size or not fixed.startswith(layout.CENTRAL_SIGNATURE):
            raise ContainerFailure(ContainerFinding.NOT_A_ZIP)
        fields = layout.CENTRAL.unpack(fixed)
        raw = file.read(fields[10])
        position += layout.CENTRAL.size + sum(fields[10:13])
        if position > end:
            raise ContainerFailure(ContainerFinding.NOT_A_ZIP)
        yield _entry(fields, raw)
    if position != end:
        raise ContainerFailure(ContainerFinding.BYTES_BETWEEN)


def _entry(fields: tuple[int, ...], raw: bytes) -> ZipEntry:
    _, _, _, flags, method, time, date, checksum, compressed, size = fields[:10]
    _, extra, _, _, _, external, offset = fields[10:]
    try:
        name = raw.decode()
    except UnicodeDecodeError:
        raise ContainerFailure(ContainerFinding.NAME_MALFORMED, repr(raw)) from None
    if flags & layout.ENCRYPTION:
        raise ContainerFailure(ContainerFinding.ENCRYPTED, name)
    if flags & layout.DESCRIPTOR:
        raise ContainerFailure(ContainerFinding.DATA_DESCRIPTOR, name)
    if extra:
        raise _extra_field(name)
    entry = ZipEntry(
        name=name,
        method=method,
        time=date << 16 | time,
        checksum=checksum,
        compressed=compressed,
        size=size,
        offset=offset,
    )
    if layout.MAX_32 in (compressed, size, offset):
        raise ContainerFailure(ContainerFinding.ZIP64, name)
    if stat.S_IFMT(external >> 16) not in _REGULAR or external & _DIRECTORY_ATTRIBUTE:
        raise ContainerFailure(ContainerFinding.NOT_A_FILE, name)
    if name.endswith("/"):
        raise ContainerFailure(ContainerFinding.NOT_A_FILE, name)
    if method == layout.STORED and compressed != size:
        raise ContainerFailure(ContainerFinding.DIRECTORY_DIFFERS, name)
    # The other fields (versions, flags, attributes, a comment) have one form.
    header = layout.CENTRAL.pack(*fields) + raw
    if method not in {layout.STORED, layout.DEFLATED} or header != entry.central_header():
        raise ContainerFailure(ContainerFinding.UNKNOWN_FEATURE, name)
    return entry


def _extra_field(name: str) -> ContainerFailure:
    is_mimetype = name == MIMETYPE
    finding = ContainerFinding.MIMETYPE_EXTRA_FIELD if is_mimetype else ContainerFinding.EXTRA_FIELD
    return ContainerFailure(finding, name)


def _require_mimetype_first(entry: ZipEntry, *, is_first: bool) -> None:
    if entry.name != MIMETYPE:
        if is_first:
            raise ContainerFailure(ContainerFinding.MIMETYPE_LATE, entry.name)
        return
    if is_first and entry.method != layout.STORED:
        raise ContainerFailure(ContainerFinding.MIMETYPE_COMPRESSED)


def _require_moderate(entry: ZipEntry, total: int, limits: ContainerLimits) -> None:
    if total > limits.max_total_bytes:
        raise ContainerFailure(ContainerFinding.TOO_LARGE, entry.name)
    if entry.size > max(limits.min_judged_bytes, entry.compressed * limits.max_ratio):
        raise ContainerFailure(ContainerFinding.RATIO, entry.name)


def _require_same_header(file: BinaryIO, entry: ZipEntry) -> None:
    """Require that the local header states what the central directory states, and nothing more."""
    file.seek(entry.offset)
    fixed = file.read(layout.LOCAL.size)
    if len(fixed) < layout.LOCAL.size or not fixed.startswith(layout.LOCAL_SIGNATURE):
        raise ContainerFailure(ContainerFinding.DIRECTORY_DIFFERS, entry.name)
    _, _, flags, *_, name_length, extra = layout.LOCAL.unpack(fixed)
    if flags & layout.ENCRYPTION:
        raise ContainerFailure(ContainerFinding.ENCRYPTED, entry.name)
    if flags & layout.DESCRIPTOR:
        raise ContainerFailure(ContainerFinding.DATA_DESCRIPTOR, entry.name)
    if extra:
        raise _extra_field(entry.name)
    if fixed + file.read(name_length) != entry.local_header():
        raise ContainerFailure(ContainerFinding.DIRECTORY_DIFFERS, entry.name)
