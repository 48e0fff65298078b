"""The directory in which a recipient keeps the operator's receipts, to compare the month with them.

    receipts/2026-10/7d9a3c1e-0000-4000-8000-000000000001.xml

There is one file for each receipt, named by its id, below the month of its decision. It has the
exact bytes, which contain no name, no PIN and no value of a person. Receipts of acts, such as
ConfirmMonth, are in `acts`.
"""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final
from uuid import UUID

from makul_client._internal.files import (
    MAX_DOCUMENT,
    UnreadableFileError,
    add_file,
    read_bounded,
    sync_directory,
)
from makul_client.errors import MakulError, OutputError, ProfileError
from makul_client.models.months import month_of
from makul_client.models.response import Receipt
from makul_client.translation import translate, translate_cause

ACTS: Final = "acts"
MAX_COPIES: Final = 9
"""The maximum number of different receipts with one id. An honest operator signs only one."""

_NAME: Final = re.compile(
    r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?:-([2-9]))?\.xml", re.ASCII
)


class ReceiptDirectory:
    """The receipts that a recipient keeps. Writing is durable; nothing is ever replaced."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def require_writable(self) -> None:
        """Create the directory if it is missing. Raises `ProfileError` if nothing can be kept."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ProfileError(f"[recipient] receipts: {_output_error(self.path, error)}") from None
        if not os.access(self.path, os.W_OK | os.X_OK):
            cause = translate("{file}: it cannot be written", file=self.path)
            raise ProfileError(f"[recipient] receipts: {cause}")

    def keep(self, receipt: Receipt) -> Path:
        """Keep the verified receipt of a decision, and return its file. Raises `OutputError`.

        The same receipt is kept once. Another one with the same id is kept beside it, because two
        receipts of one decision are evidence.
        """
        return self._keep(month_of(receipt.decided_at), receipt)

    def keep_act(self, receipt: Receipt) -> Path:
        """Keep the verified receipt of an act, and return its file. Raises `OutputError`."""
        return self._keep(ACTS, receipt)

    def _keep(self, folder: str, receipt: Receipt) -> Path:
        directory = self.path / folder
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            sync_directory(self.path)
            for file in self.candidates(folder, receipt.receipt_id):
                if not _exists(file):
                    with suppress(FileExistsError):  # another process may be faster
                        add_file(file, receipt.document)
                        return file
                if read_bounded(file, MAX_DOCUMENT) == receipt.document:
                    return file
        except OSError as error:
            raise _output_error(directory, error) from None
        except UnreadableFileError as error:
            raise OutputError(str(error)) from None
        raise OutputError(
            translate("{file}: there are too many receipts with one id", file=directory)
        )

    def candidates(self, folder: str, receipt_id: UUID) -> Iterator[Path]:
        """Yield the names that a receipt may have, in their order."""
        for number in range(1, MAX_COPIES + 1):
            suffix = f"-{number}" if number > 1 else ""
            yield self.path / folder / f"{receipt_id}{suffix}.xml"

    def read(self, month: str, receipt_id: UUID) -> tuple[bytes, ...]:
        """Return the bytes of the kept receipts with an id, most often one; empty if there is none.

        Raises `MakulError` for a file that cannot be read.
        """
        documents = []
        for file in self.candidates(month, receipt_id):
            if not _exists(file):  # much cheaper than the checks of `read_bounded`
                break
            try:
                documents.append(read_bounded(file, MAX_DOCUMENT))
            except FileNotFoundError:
                break
            except UnreadableFileError as error:
                raise MakulError(str(error)) from None
        return tuple(documents)

    def files_of(self, month: str) -> Iterator[tuple[Path, UUID | None]]:
        """Yield every file of a month, with the receipt id in its name; None for another name.

        The order is that of the file system. Files that are being written are left out. Raises
        `MakulError` if the directory cannot be read.
        """
        directory = self.path / month
        try:
            with os.scandir(directory) as entries:
                for entry in entries:
                    if entry.name.startswith("."):
                        continue
                    match = _NAME.fullmatch(entry.name)
                    yield directory / entry.name, None if match is None else UUID(match[1])
        except FileNotFoundError:
            return
        except OSError as error:
            cause = translate_cause(error.strerror or "")
            raise MakulError(f"{directory}: {cause}") from None


def _exists(file: Path) -> bool:
    return os.path.lexists(file)


def _output_error(path: Path, error: OSError) -> OutputError:
    return OutputError(
        translate(
            "{file}: it cannot be written ({cause})",
            file=path,
            cause=translate_cause(error.strerror or ""),
        )
    )
