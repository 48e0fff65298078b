"""What a copy lacks in comparison with the published log and its witnesses.

The log says how many leaves are missing, and not what they are.
"""

from dataclasses import dataclass

from makul.admin.ledger import OpenLedger, load_witnesses
from makul.app.sequencer import compare
from makul.language.translation import translate
from makul.ledger.tile_proofs import TileTree
from makul.store.backup.errors import BackupError
from makul.store.db.base import QuerySource
from makul.store.log.recovery import find_waiting_leaves
from makul.trust.tlog.cosignatures import Collector


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishedGap:
    """What a copy lacks in comparison with the published log and its witnesses."""

    published: int | None
    """Leaves of the published tree; None if nothing is published."""
    witnessed: int | None
    """Leaves of the largest tree that a witness shows; None if no witness shows one."""
    unplaced: int
    """Published leaves that the log in the copy lacks."""
    lost: int
    """Of these, leaves whose records the copy lacks as well."""


def find_published_gap(ledger: OpenLedger, copy: QuerySource) -> PublishedGap:
    """Compare the log of a copy, which `ledger` reads, with what others can prove.

    Raises `OperatorError` or `BackupError` if the copy holds another log than was published.
    """
    latest = ledger.ledger.latest()
    size = latest.size if latest is not None else 0
    witnessed = _largest_witnessed(ledger, size)
    published = ledger.published_size()
    lacking = ledger.find_unstored_leaves()
    if lacking is None:
        unplaced, lost = 0, 0
    else:
        edge = TileTree(lacking.size, ledger.ledger.tile).edge().extended(lacking.leaves).edge
        if (edge.size, edge.root()) != (lacking.promised.size, lacking.promised.root):
            raise BackupError(
                translate("the copy holds another log than the one that was published")
            )
        waiting = find_waiting_leaves(copy)
        unplaced = len(lacking.leaves)
        lost = sum(leaf not in waiting for leaf in lacking.leaves)
    return PublishedGap(published=published, witnessed=witnessed, unplaced=unplaced, lost=lost)


def _largest_witnessed(ledger: OpenLedger, size: int) -> int | None:
    """Return the size of the largest tree that a witness shows.

    A tree that the copy has is compared with it.
    """
    largest = None
    for each in Collector(ledger.verifier, load_witnesses(ledger.settings)).collect():
        if each.checkpoint.size <= size:
            compare(ledger.ledger, each.checkpoint)
        largest = max(largest or 0, each.checkpoint.size)
    return largest
