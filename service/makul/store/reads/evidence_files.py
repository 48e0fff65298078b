"""The evidence files of cases, which the service gives in parts (Procedure, cl. 12)."""

from dataclasses import dataclass
from pathlib import Path

from makul.net.files import FileError, open_regular


def evidence_name(digest: bytes) -> str:
    """Return the name of an evidence file: its digest, so that no other file can have it."""
    return f"{digest.hex()}.asice"


@dataclass(frozen=True, slots=True)
class EvidenceDirectory:
    """The directory of evidence files; None if the settings name none."""

    base: Path | None

    def read(self, digest: bytes, offset: int, size: int) -> bytes | None:
        """Return bytes of the file with this digest; None if they cannot be read now."""
        if self.base is None:
            return None
        try:
            with open_regular(self.base / evidence_name(digest)) as file:
                file.seek(offset)
                return file.read(size)
        except (FileError, OSError):
            return None
