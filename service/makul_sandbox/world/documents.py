"""Consents, statements and revocations that provoke each answer, signed and ready to be sent.

Each says how it is to be used and what comes of it, so that any SOAP stack can be tried with the
files alone. What is wrong with a paper is the one thing that its name tells.
"""

from collections.abc import Iterable

from makul_sandbox.data.timestamp_authority import StampingAuthority
from makul_sandbox.world.consent_revocations import TakingBack, taken_back, takings_back
from makul_sandbox.world.document import Paper, Registration
from makul_sandbox.world.documents_by_representative import represented
from makul_sandbox.world.documents_foreign import foreign
from makul_sandbox.world.documents_invalid import spoilt
from makul_sandbox.world.documents_paper import by_hand
from makul_sandbox.world.documents_timestamped import dated
from makul_sandbox.world.documents_valid import ASK_BY_CONSENT, SERVED, everyday
from makul_sandbox.world.legal_basis_statements import statements
from makul_sandbox.world.signers import SandboxSigners

__all__ = [
    "ASK_BY_CONSENT",
    "SERVED",
    "Paper",
    "Registration",
    "TakingBack",
    "draw_up",
    "take_back",
]


def draw_up(hands: SandboxSigners, stamping: StampingAuthority) -> dict[str, Paper]:
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


def take_back(hands: SandboxSigners, papers: dict[str, Paper]) -> dict[str, TakingBack]:
    """Every revocation of a sandbox, by name."""
    return {each.name: each for each in takings_back(hands, papers)}
