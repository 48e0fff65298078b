"""Queue certificates whose status the refresher must request by OCSP.

A worker never asks a responder itself. It queues a signer's certificate if the path is good and
only its revocation status is unknown, because no statement exists. The request stays open (SIG-07,
retry later).
"""

import logging
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger(__name__)

MAX_PENDING = 1000
"""The maximum number of queued files: about 2 MB, and minutes of a responder's time. When it is
reached, no more certificates are queued."""
SUFFIX = ".cer"


@dataclass(frozen=True, slots=True)
class PendingOcsp:
    """The queue's directory, and the CAs for which the refresher knows a responder."""

    directory: Path
    issuers: frozenset[bytes]
    """SHA-256 of the certificates of these CAs."""

    def enqueue(self, der: bytes, fingerprint: bytes) -> None:
        """Write a certificate to the queue if it is not full.

        Never raises, because the queue is only a convenience.
        """
        path = self.directory / f"{fingerprint.hex()}{SUFFIX}"
        try:
            if path.exists() or sum(1 for _ in self.directory.iterdir()) >= MAX_PENDING:
                return
            aside = path.with_suffix(f".{os.getpid()}.{threading.get_ident()}.new")
            handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(der)
            aside.replace(path)
        except OSError as error:
            log.warning("%s: cannot leave a certificate (%s)", self.directory, error.strerror)


def queued_files(directory: Path) -> Iterator[Path]:
    """Yield the queued files, the oldest first."""
    files = [path for path in directory.iterdir() if path.suffix == SUFFIX]
    yield from sorted(files, key=lambda path: path.stat().st_mtime)[:MAX_PENDING]
