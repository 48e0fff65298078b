"""Consents, statements and revocations that provoke each answer, signed and ready to be sent.

Each says how it is to be used and what comes of it, so that any SOAP stack can be tried with the
files alone. What is wrong with a paper is the one thing that its name tells.
"""

from collections.abc import Iterable

from makul.sandbox.hands import Hands
from makul.sandbox.papers.by_hand import by_hand
from makul.sandbox.papers.dated import dated
from makul.sandbox.papers.everyday import ASK_BY_CONSENT, SERVED, everyday
from makul.sandbox.papers.foreign import foreign
from makul.sandbox.papers.paper import Paper, Registration
from makul.sandbox.papers.represented import represented
from makul.sandbox.papers.spoilt import spoilt
from makul.sandbox.papers.statements import statements
from makul.sandbox.papers.taken_back import TakingBack, taken_back, takings_back
from makul.sandbox.tsa import StampingAuthority

__all__ = [
    "ASK_BY_CONSENT",
    "SERVED",
    "Paper",
    "Registration",
    "TakingBack",
    "draw_up",
    "take_back",
]


def draw_up(hands: Hands, stamping: StampingAuthority) -> dict[str, Paper]:
    """Every paper of a sandbox, by name."""
    papers: Iterable[Paper] = (
        *everyday(hands),
        *spoilt(hands),
        *statements(hands),
        *by_hand(hands),
        *represented(hands),
        *dated(hands, stamping),
        *taken_back(hands),
        *foreign(hands),
    )
    return {paper.name: paper for paper in papers}


def take_back(hands: Hands, papers: dict[str, Paper]) -> dict[str, TakingBack]:
    """Every revocation of a sandbox, by name."""
    return {each.name: each for each in takings_back(hands, papers)}
