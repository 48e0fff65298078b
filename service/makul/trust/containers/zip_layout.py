"""The records of a ZIP file that a container may have (PKWARE APPNOTE 6.3.10, 4.3).

Other readers of ZIP files accept much more, and disagree about it: what the central directory
hides, which of two entries counts, or where the content ends. So reader and writer here share one
strict layout. Entries follow one another from the first byte. The central directory follows in the
same order, and the end record is the last. No field is optional.
"""

from dataclasses import dataclass
from struct import Struct

from makul.trust.containers.findings import ContainerFailure, ContainerFinding

STORED = 0
DEFLATED = 8
UTF8 = 1 << 11
ENCRYPTION = 1 << 0 | 1 << 6 | 1 << 13
DESCRIPTOR = 1 << 3
VERSION_NEEDED = 20

LOCAL_SIGNATURE = b"PK\x03\x04"
CENTRAL_SIGNATURE = b"PK\x01\x02"
END_SIGNATURE = b"PK\x05\x06"
END64_SIGNATURE = b"PK\x06\x06"
LOCATOR_SIGNATURE = b"PK\x06\x07"

LOCAL = Struct("<4s5H3L2H")
CENTRAL = Struct("<4s6H3L5H2L")
END = Struct("<4s4H2LH")
END64 = Struct("<4sQ2H2L4Q")
LOCATOR = Struct("<4sLQL")
END64_REST = END64.size - 12
"""The size that the record states of itself: without its first two fields."""

MAX_16 = 0xFFFF
MAX_32 = 0xFFFF_FFFF
VERSION_64 = 45
"""The version of the format that has ZIP64."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ZipEntry:
    """One file of a container, as both its headers state it."""

    name: str
    method: int
    time: int
    """DOS time and date, as one number."""
    checksum: int
    compressed: int
    size: int
    offset: int
    """The offset of the local header."""

    @property
    def raw_name(self) -> bytes:
        """The name in UTF-8."""
        return self.name.encode()

    @property
    def flags(self) -> int:
        """The only flags that an entry may have: UTF-8 for a name that is not in ASCII."""
        return 0 if self.name.isascii() else UTF8

    @property
    def content_offset(self) -> int:
        """The offset of the content."""
        return self.offset + LOCAL.size + len(self.raw_name)

    @property
    def end(self) -> int:
        """The offset after the content."""
        return self.content_offset + self.compressed

    def local_header(self) -> bytes:
        """Return the only local header that this entry may have."""
        raw = self.raw_name
        return (
            LOCAL.pack(
                LOCAL_SIGNATURE,
                VERSION_NEEDED,
                self.flags,
                self.method,
                self.time & MAX_16,
                self.time >> 16,
                self.checksum,
                self.compressed,
                self.size,
                len(raw),
                0,
            )
            + raw
        )

    def central_header(self) -> bytes:
        """Return this entry's header of the central directory, as it is written."""
        raw = self.raw_name
        return (
            CENTRAL.pack(
                CENTRAL_SIGNATURE,
                VERSION_NEEDED,
                VERSION_NEEDED,
                self.flags,
                self.method,
                self.time & MAX_16,
                self.time >> 16,
                self.checksum,
                self.compressed,
                self.size,
                len(raw),
                0,
                0,
                0,
                0,
                0,
                self.offset,
            )
            + raw
        )


def end_records(count: int, directory_size: int, directory_offset: int) -> bytes:
    """Return the records after the central directory, with ZIP64 only for very many entries."""
    if directory_offset + directory_size >= MAX_32:
        raise ContainerFailure(ContainerFinding.TOO_LARGE)
    short = min(count, MAX_16)
    end = END.pack(END_SIGNATURE, 0, 0, short, short, directory_size, directory_offset, 0)
    if count < MAX_16:
        return end
    end64 = END64.pack(
        END64_SIGNATURE,
        END64_REST,
        VERSION_64,
        VERSION_64,
        0,
        0,
        count,
        count,
        directory_size,
        directory_offset,
    )
    locator = LOCATOR.pack(LOCATOR_SIGNATURE, 0, directory_offset + directory_size, 1)
    return end64 + locator + end
