"""The search for a receipt's leaf in a published log, if nobody hands over the proof.

Receipts of acts have no proof beside them, as the port of the supervising bodies has no GetReceipt.
The proof found here is not trusted: `LedgerVerifier` verifies it like any other.
"""

from typing import Final

from makul_client.errors import MakulError, TransportError
from makul_client.models.response import Inclusion
from makul_client.translation import translate
from makul_client.transparency.log_source import open_log
from makul_client.transparency.merkle import PublishedTree, TileError
from makul_client.transparency.signed_note import (
    MAX_NOTE,
    BadNoteError,
    parse_checkpoint_unsafe,
    parse_note,
)

MAX_TILES: Final = 20_000
"""The maximum number of tiles to search, from the newest: five million leaves, 160 MB."""


def find_inclusion(leaf: bytes, location: str) -> Inclusion | None:
    """Return the proof of a leaf hash in the log at this location; None if the log lacks the leaf.

    Raises `TransportError` if the log cannot be read, and `MakulError` if only a part of it was
    searched.
    """
    fetch = open_log(location)
    document = fetch("checkpoint", MAX_NOTE)
    if document is None:
        raise TransportError(translate("the log has no checkpoint"), passing=True)
    try:
        size = parse_checkpoint_unsafe(parse_note(document)).size
        tree = PublishedTree(size, fetch)
        index = tree.find_leaf(leaf, max_tiles=MAX_TILES)
        if index is not None:
            path = tree.audit_path(index)
            return Inclusion(index=index, size=size, path=path, checkpoint=document)
    except (BadNoteError, TileError) as error:
        raise TransportError(
            translate("the log cannot be read: {cause}", cause=error), passing=True
        ) from None
    if tree.tiles > MAX_TILES:
        raise MakulError(
            translate(
                "the receipt is not among the newest {number} tiles of the log; ask the operator"
                " for its proof",
                number=MAX_TILES,
            )
        )
    return None
