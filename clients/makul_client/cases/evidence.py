"""Save the evidence file of a case, part by part, and verify it as a whole (Procedure, cl. 12).

An interrupted run leaves `FILE.DIGEST.part`, from which the next run continues. The file gets its
name only when its SHA-256 is that of the case.
"""

import hashlib
import os
import stat
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO, Final, Protocol
from uuid import UUID

from makul_client.errors import EvidenceError, OutputError
from makul_client.models.cases import CaseSummary, EvidencePart, ReadCases, SavedEvidence
from makul_client.translation import translate, translate_cause

_OPEN: Final = (os.O_RDWR | os.O_CREAT) | sum(
    getattr(os, flag, 0) for flag in ("O_NOFOLLOW", "O_CLOEXEC", "O_BINARY", "O_NOINHERIT")
)
_BLOCK: Final = 1024 * 1024
_DIGITS: Final = 16


class EvidenceSource(Protocol):
    """The service, as far as saving an evidence file needs it."""

    def case(self, case_id: UUID) -> ReadCases:
        """Return a case."""

    def evidence_part(self, case_id: UUID, offset: int) -> EvidencePart:
        """Return the bytes of the evidence file from an offset on."""


def save_evidence(
    source: EvidenceSource, case_id: UUID, file: Path, report: Callable[[int, int], None]
) -> SavedEvidence:
    """Save the evidence file of a case as a new file.

    `report` receives the number of received bytes and the total. Raises `EvidenceError` for a case
    without a file, and for a file that is not that of the case; raises `OutputError`.
    """
    (case,) = source.case(case_id).cases
    if case.evidence_digest is None or case.evidence_bytes is None:
        raise EvidenceError(translate("the case has no evidence file yet"))
    if os.path.lexists(file):
        raise OutputError(
            translate("{file}: there is such a file already; name another", file=file)
        )
    part = file.with_name(f"{file.name}.{case.evidence_digest.hex()[:_DIGITS]}.part")
    try:
        with _open_part(part) as opened:
            _receive(source, case, opened, report)
            opened.flush()
            os.fsync(opened.fileno())
            if _digest(opened) != case.evidence_digest:
                part.unlink()
                raise EvidenceError(
                    translate("the file is not that of the case; it was deleted, start again")
                )
        part.rename(file)
    except OSError as error:
        cause = translate_cause(error.strerror or "")
        raise OutputError(
            translate("{file}: it cannot be written ({cause})", file=file, cause=cause)
        ) from None
    return SavedEvidence(
        case_id=case_id,
        file=str(file),
        digest=case.evidence_digest,
        size=case.evidence_bytes,
    )


def _receive(
    source: EvidenceSource,
    case: CaseSummary,
    opened: BinaryIO,
    report: Callable[[int, int], None],
) -> None:
    """Append what is missing. Each part must belong to the same file."""
    size = case.evidence_bytes or 0
    offset = opened.seek(0, os.SEEK_END)
    if offset > size:
        offset = opened.truncate(0)
        opened.seek(0)
    report(offset, size)
    while offset < size:
        part = source.evidence_part(case.case_id, offset)
        if (part.digest, part.size) != (case.evidence_digest, size):
            raise EvidenceError(translate("the case has another evidence file now; start again"))
        opened.write(part.content)
        offset += len(part.content)
        report(offset, size)


def _open_part(part: Path) -> BinaryIO:
    """Open the file of the received parts, which must be a regular file of this user's own."""
    descriptor = os.open(part, _OPEN, 0o600)
    facts = os.fstat(descriptor)
    if not stat.S_ISREG(facts.st_mode) or facts.st_nlink != 1:
        os.close(descriptor)
        raise OutputError(translate("{file}: not a regular file", file=part))
    return os.fdopen(descriptor, "r+b")


def _digest(opened: BinaryIO) -> bytes:
    whole = hashlib.sha256()
    opened.seek(0)
    while block := opened.read(_BLOCK):
        whole.update(block)
    return whole.digest()
