"""Consents that a parent gives for a child (Procedure, cl. 4)."""

from collections.abc import Iterator
from hashlib import sha256

from makul.domain.consents import AuthorityKind, Representation
from makul.domain.reasons import Code
from makul_sandbox.data.citizens import MINOR, PARENT
from makul_sandbox.data.recipients import BANK, MUNICIPALITY, Party
from makul_sandbox.data.scans import pdf_scan
from makul_sandbox.world.document import Reasons, Registration, SandboxDocument, consent
from makul_sandbox.world.signers import SandboxSigners

STRANGER = 9
"""An adult citizen who is nobody's parent here."""


def consents_by_representative(signers: SandboxSigners) -> Iterator[SandboxDocument]:
    """Yield a valid consent and four invalid ones.

    They lack the document, have another signer, concern an adult, or are not agreed.
    """
    unproven: Reasons = ((Code.CNS_11, None),)
    document = pdf_scan()
    yield _consent_by_parent(signers, "represented", authority=document)
    yield _consent_by_parent(signers, "represented-without-document", reasons=unproven)
    yield _consent_by_parent(
        signers,
        "represented-by-another",
        authority=document,
        signer=STRANGER,
        reasons=((Code.CNS_02, Code.SIG_08),),
    )
    yield _consent_by_parent(
        signers, "represented-of-age", authority=document, subject=STRANGER, reasons=unproven
    )
    yield _consent_by_parent(
        signers, "represented-not-agreed", authority=document, party=BANK, reasons=unproven
    )


def _consent_by_parent(
    signers: SandboxSigners,
    name: str,
    *,
    authority: bytes | None = None,
    party: Party = MUNICIPALITY,
    subject: int = MINOR,
    signer: int = PARENT,
    reasons: Reasons = (),
) -> SandboxDocument:
    by = Representation(
        pin=signers.people[PARENT].pin,
        kind=AuthorityKind.PARENT,
        valid_to=None,
        document_digest=sha256(pdf_scan()).digest(),
        media_type="application/pdf",
    )
    return consent(
        signers,
        name,
        party,
        subject,
        reasons=reasons,
        signer=signers.citizens[signer],
        registration=Registration(employee="clerk-1", authority=authority),
        representative=by,
    )
