"""Find the published leaves that a store lacks after it was restored from an older copy."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from makul.app.ports.ledger import (
    LedgerBrokenError,
    LedgerStore,
    NoteChecking,
    PublishedLog,
    SignedTree,
)
from makul.app.sequencer import compare, read_published
from makul.language.translation import translate, translate_error
from makul.ledger.signed_note import Note, format_note, parse_note
from makul.ledger.tile_proofs import TileError, TileTree


@dataclass(frozen=True, slots=True, kw_only=True)
class UnstoredLeaves:
    """The published part of the log that is not in the store."""

    size: int
    """The size of the store's tree."""
    promised: SignedTree
    """The published tree, without witnesses' signature lines."""
    leaves: Sequence[bytes]
    """The leaf hashes from leaf index `size` on."""


def find_unstored_leaves(
    store: LedgerStore, published: PublishedLog, checker: NoteChecking, origin: str, *, at: datetime
) -> UnstoredLeaves | None:
    """Return the published leaves that the store lacks; None if it lacks nothing.

    Raises `LedgerBrokenError` if the published log is of another log, incomplete, or of another
    tree than the store's.
    """
    note = published.checkpoint()
    if note is None:
        return None
    promised = read_published(note, checker, origin)
    size = store.state().size
    if promised.size <= size:
        compare(store, promised)
        return None
    tree = TileTree(promised.size, published.tile)
    try:
        leaves = [tree.leaf(index) for index in range(size, promised.size)]
    except TileError as error:
        raise LedgerBrokenError(
            translate("published: {problem}", problem=translate_error(error))
        ) from None
    return UnstoredLeaves(
        size=size,
        promised=SignedTree(
            size=promised.size, root=promised.root, note=_own_line(note, origin), made_at=at
        ),
        leaves=leaves,
    )


def _own_line(note: bytes, origin: str) -> bytes:
    """Return the note with only the log's signature; witnesses' lines are stored separately."""
    parsed = parse_note(note)
    own = tuple(line for line in parsed.signatures if line.name == origin)
    return format_note(Note(text=parsed.text, signatures=own))
