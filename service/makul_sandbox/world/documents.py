"""Consents, statements and revocations that cause each answer, signed and ready to send.

Each states how it is used and what the result is. So any SOAP stack can be tried with only the
files. The only flaw of a document is the one that its name states.
"""

from collections.abc import Iterable

from makul_sandbox.data.timestamp_authority import StampingAuthority
from makul_sandbox.world.consent_revocations import (
    SandboxConsentRevocation,
    taken_back,
    takings_back,
)
from makul_sandbox.world.document import Registration, SandboxDocument
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
    "Registration",
    "SandboxConsentRevocation",
    "SandboxDocument",
    "draw_up",
    "take_back",
]


def draw_up(hands: SandboxSigners, stamping: StampingAuthority) -> dict[str, SandboxDocument]:
    """Return every document of a sandbox, by name."""
    documents: Iterable[SandboxDocument] = (
        *everyday(hands),
        *spoilt(hands),
        *statements(hands),
        *by_hand(hands),
        *represented(hands),
        *dated(hands, stamping),
        *taken_back(hands),
        *foreign(hands),
    )
    return {document.name: document for document in documents}


def take_back(
    hands: SandboxSigners, documents: dict[str, SandboxDocument]
) -> dict[str, SandboxConsentRevocation]:
    """Return every consent revocation of a sandbox, by name."""
    return {each.name: each for each in takings_back(hands, documents)}
