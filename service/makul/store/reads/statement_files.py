"""The files of monthly statements: their names, and the pages that the service serves."""

from dataclasses import dataclass
from pathlib import Path

from makul.domain.identifiers import MemberCode
from makul.domain.months import Month
from makul.net.files import FileError, read_bounded

HEAD_NAME = "statement.xml"
MAX_PAGE_BYTES = 64 * 1024 * 1024
"""Maximum size of a page: 10,000 lines of 32 attributes each have some 30 megabytes."""


def page_name(number: int) -> str:
    """Return the name of a page's file, beside the head."""
    return f"page-{number:03d}.xml"


def statement_directory(base: Path, month: Month, recipient: MemberCode, *, draft: bool) -> Path:
    """Return the directory of a statement: BASE/2026-10/COM-60000001."""
    name = f"{month}-draft" if draft else f"{month}"
    return base / name / recipient.replace("/", "-")


@dataclass(frozen=True, slots=True)
class StatementDirectory:
    """The directory of issued statements; None if the settings name none."""

    base: Path | None

    def read(self, recipient: MemberCode, month: Month, number: int) -> bytes | None:
        """Return the bytes of a page; None if it cannot be read now."""
        if self.base is None:
            return None
        directory = statement_directory(self.base, month, recipient, draft=False)
        try:
            return read_bounded(directory / page_name(number), MAX_PAGE_BYTES)
        except FileError:
            return None
