"""The sample of a month: the disclosures whose subjects are asked about them (Procedure, cl. 11).

The rule is published, so that anybody with the statement can draw the sample again:

    seed = SHA-256("makul month sample/1" LF recipient LF month LF, then the checkpoint's body)
    rank = SHA-256(seed, then the 16 bytes of the disclosure id)

The sample is the disclosures with the smallest ranks, in the order of the ranks. Only decisions
that disclosed something are drawn. The operator cannot choose it: every decision of the month is in
the tree of the checkpoint, so a changed decision changes the root, and with it all ranks. The
signatures under the checkpoint are left out, because they could be made in many ways.
"""

from dataclasses import dataclass, field
from hashlib import sha256
from heapq import heappush, heappushpop
from uuid import UUID

from makul.domain.disclosures import Outcome
from makul.domain.identifiers import MemberCode
from makul.domain.months import Month

RULE = "makul month sample/1"
DISCLOSED = frozenset({Outcome.RELEASED, Outcome.MATCHED})


def sample_seed(recipient: MemberCode, month: Month, checkpoint_body: bytes) -> bytes:
    """Return the seed of a month's sample, 32 bytes.

    `checkpoint_body` is the body of the signed note that the statement names: origin, size and root
    (C2SP tlog-checkpoint), with its last line feed.
    """
    return sha256(f"{RULE}\n{recipient}\n{month}\n".encode() + checkpoint_body).digest()


def rank(seed: bytes, disclosure_id: UUID) -> bytes:
    """Return the rank of a disclosure, 32 bytes."""
    return sha256(seed + disclosure_id.bytes).digest()


@dataclass(slots=True)
class SampleDraw:
    """A draw in progress. It holds at most `size` disclosures, for any number of lines."""

    seed: bytes
    size: int
    _largest_first: list[tuple[int, bytes]] = field(default_factory=list)

    def add(self, disclosure_id: UUID, outcome: Outcome) -> None:
        """Consider a decision of the month."""
        if outcome not in DISCLOSED or self.size < 1:
            return
        # The heap has its smallest item on top, so the ranks are negated.
        item = (-int.from_bytes(rank(self.seed, disclosure_id)), disclosure_id.bytes)
        if len(self._largest_first) < self.size:
            heappush(self._largest_first, item)
        else:
            heappushpop(self._largest_first, item)

    def drawn(self) -> tuple[UUID, ...]:
        """Return the sample, the smallest rank first."""
        return tuple(UUID(bytes=each) for _, each in sorted(self._largest_first, reverse=True))
