"""A ledger of a few leaves, published by C2SP tlog-tiles; a test may make it dishonest."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from makul.ledger.checkpoint import Checkpoint
from makul.ledger.compact_range import EMPTY_EDGE, build_edge
from makul.ledger.signed_note import ED25519
from makul.trust.tlog.note_keys import NoteSigner, NoteVerifier, new_key_file

ORIGIN = "log.example/makul"


def leaf(number: int, branch: str = "") -> bytes:
    """Return a leaf hash; another `branch` has another one."""
    return hashlib.sha256(f"{branch}{number}".encode()).digest()


def leaves(count: int, branch: str = "") -> list[bytes]:
    """Return the first leaves of a branch."""
    return [leaf(number, branch) for number in range(count)]


@dataclass
class PublishedLog:
    """A ledger that publishes into a directory."""

    directory: Path
    key_file: Path
    signer: NoteSigner = field(init=False)

    def __post_init__(self) -> None:
        if not self.key_file.exists():
            new_key_file(self.key_file, ORIGIN, ED25519)
        self.signer = NoteSigner.load(self.key_file, ORIGIN)
        self.directory.mkdir(parents=True, exist_ok=True)

    @property
    def verifier(self) -> NoteVerifier:
        return NoteVerifier(key=self.signer.key)

    def note(self, hashes: Sequence[bytes]) -> bytes:
        """Return the signed checkpoint over these leaves."""
        root = build_edge(hashes).root()
        return self.signer.sign(Checkpoint(ORIGIN, len(hashes), root).body())

    def publish_tiles(self, hashes: Sequence[bytes]) -> None:
        """Write the tiles of these leaves; tiles of other leaves stay unless they are
        overwritten.
        """
        for tile, octets in EMPTY_EDGE.extended(hashes).tiles.items():
            path = self.directory / tile.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(octets)

    def show(self, document: bytes) -> None:
        """Publish this as the checkpoint."""
        (self.directory / "checkpoint").write_bytes(document)

    def publish(self, hashes: Sequence[bytes]) -> bytes:
        """Publish the tiles and then the checkpoint, like a ledger; return the checkpoint."""
        document = self.note(hashes)
        self.publish_tiles(hashes)
        self.show(document)
        return document
