"""Consents that are revoked, and the signed documents that revoke them (Procedure, cl. 4)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from makul.documents import render_revocation
from makul.domain.consent_revocations import Revocation
from makul.domain.disclosures import Outcome
from makul.domain.reasons import Code
from makul.trust.xades.signing import sign_document
from makul_sandbox.data.recipients import BANK, Party
from makul_sandbox.world.document import Reasons, SandboxDocument, consent
from makul_sandbox.world.signers import SandboxSigners

SUBJECT, STRANGER = 11, 12

_PAPERS = ("taken-back", "taken-back-asked-again", "taken-back-listed", "not-taken-back")
_BY_STRANGER = "not-taken-back"


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SandboxConsentRevocation:
    """A signed consent revocation, and the result of submitting it."""

    name: str
    document: bytes
    of: SandboxDocument
    handed_in_by: Party
    outcome: Outcome
    reasons: Reasons = ()

    @property
    def file_name(self) -> str:
        """The file name below `revocations/`."""
        return f"{self.name}.xml"


def consents_to_revoke(signers: SandboxSigners) -> Iterator[SandboxDocument]:
    """Yield consents for three disclosures each.

    They are valid until their revocation is submitted.
    """
    for name in _PAPERS:
        yield consent(signers, name, BANK, SUBJECT, max_disclosures=3)


def consent_revocations(
    signers: SandboxSigners, documents: Mapping[str, SandboxDocument]
) -> Iterator[SandboxConsentRevocation]:
    """Yield revocations by the subject, and one by a stranger, which revokes nothing."""
    for name in _PAPERS:
        document, stranger = documents[name], name == _BY_STRANGER
        content = Revocation(
            consent_id=document.ground_id,
            subject=signers.people[SUBJECT].pin,
            recipient=BANK.code,
            revoked_at=signers.at,
        )
        signer = signers.citizens[STRANGER if stranger else SUBJECT]
        yield SandboxConsentRevocation(
            name=name,
            document=sign_document(
                render_revocation(content), signer.key, [signer.certificate], at=signers.at
            ),
            of=document,
            handed_in_by=BANK,
            outcome=Outcome.REFUSED if stranger else Outcome.ACCEPTED,
            reasons=((Code.CNS_02, Code.SIG_08),) if stranger else (),
        )
