"""Certificates whose status the refresher is to ask for: left by workers, taken by it.

A worker never asks anybody itself. It leaves the certificate of a signer whose path is good but for
its revocation, which nobody has stated; the request stays open (SIG-07, retry later).
"""

import logging
import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

log = logging.getLogger(__name__)

MAX_WANTED = 1000
"""Files at most: some 2 MB, and minutes of a responder's time. Beyond it nothing more is asked."""
SUFFIX = ".cer"


@dataclass(frozen=True, slots=True)
class Wanted:
    """The directory, and the CAs for which the refresher knows a responder."""

    directory: Path
    issuers: frozenset[bytes]
    """SHA-256 of their certificates."""

    def leave(self, der: bytes, fingerprint: bytes) -> None:
        """Leave a certificate, if there is room. Never raises: it is a convenience."""
        path = self.directory / f"{fingerprint.hex()}{SUFFIX}"
        try:
            if path.exists() or sum(1 for _ in self.directory.iterdir()) >= MAX_WANTED:
                return
            aside = path.with_suffix(f".{os.getpid()}.{threading.get_ident()}.new")
            handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(der)
            aside.replace(path)
        except OSError as error:
            log.warning("%s: cannot leave a certificate (%s)", self.directory, error.strerror)


def left_in(directory: Path) -> Iterator[Path]:
    """The files that were left, the oldest first."""
    found = [path for path in directory.iterdir() if path.suffix == SUFFIX]
    yield from sorted(found, key=lambda path: path.stat().st_mtime)[:MAX_WANTED]
