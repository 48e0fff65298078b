"""Consents, statements and revocations that cause each answer, signed and ready to send.

Each states how it is used and what the result is. So any SOAP stack can be tried with only the
files. The only flaw of a document is the one that its name states.
"""

from collections.abc import Iterable

from makul_sandbox.data.timestamp_authority import StampingAuthority
from makul_sandbox.world.consent_revocations import (
    SandboxConsentRevocation,
    consent_revocations,
    consents_to_revoke,
)
from makul_sandbox.world.document import Registration, SandboxDocument
from makul_sandbox.world.documents_by_representative import consents_by_representative
from makul_sandbox.world.documents_foreign import foreign_consents
from makul_sandbox.world.documents_invalid import invalid_consents
from makul_sandbox.world.documents_paper import consents_on_paper
from makul_sandbox.world.documents_timestamped import timestamped_consents
from makul_sandbox.world.documents_valid import ASK_BY_CONSENT, SERVED, everyday_consents
from makul_sandbox.world.legal_basis_statements import statements
from makul_sandbox.world.signers import SandboxSigners

__all__ = [
    "ASK_BY_CONSENT",
    "SERVED",
    "Registration",
    "SandboxConsentRevocation",
    "SandboxDocument",
    "draw_up",
    "draw_up_revocations",
]


def draw_up(signers: SandboxSigners, stamping: StampingAuthority) -> dict[str, SandboxDocument]:
    """Return every document of a sandbox, by name."""
    documents: Iterable[SandboxDocument] = (
        *everyday_consents(signers),
        *invalid_consents(signers),
        *statements(signers),
        *consents_on_paper(signers),
        *consents_by_representative(signers),
        *timestamped_consents(signers, stamping),
        *consents_to_revoke(signers),
        *foreign_consents(signers),
    )
    return {document.name: document for document in documents}


def draw_up_revocations(
    signers: SandboxSigners, documents: dict[str, SandboxDocument]
) -> dict[str, SandboxConsentRevocation]:
    """Return every consent revocation of a sandbox, by name."""
    return {each.name: each for each in consent_revocations(signers, documents)}
