"""Ordinary consents, because most recipients ask with the consent of the person."""

from collections.abc import Iterator

from makul.domain.consents import ResultForm
from makul.domain.disclosures import Operation
from makul_sandbox.data.recipients import BANK, INSURER, MOBILE, NOTARY, WALLET
from makul_sandbox.world.document import SandboxDocument, consent
from makul_sandbox.world.signers import SandboxSigners

SERVED = 8
"""The number of citizens with a ready consent for every recipient that asks by consent."""

ASK_BY_CONSENT = (BANK, NOTARY, MOBILE, INSURER, WALLET)


def everyday_consents(signers: SandboxSigners) -> Iterator[SandboxDocument]:
    """Yield consents to data, and consents to a yes or no."""
    for party in ASK_BY_CONSENT:
        for citizen in range(SERVED):
            yield consent(signers, f"{party.key}-{citizen:02d}-data", party, citizen)
            yield consent(
                signers,
                f"{party.key}-{citizen:02d}-yes-no",
                party,
                citizen,
                operation=Operation.VERIFY_PERSON,
                result_form=ResultForm.YES_NO,
                attributes=frozenset(),
            )
