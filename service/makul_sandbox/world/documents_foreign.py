"""Consents signed in the default forms of other vendors' libraries."""

from collections.abc import Iterator

from makul_sandbox.data.recipients import BANK
from makul_sandbox.world.document import SandboxDocument, consent
from makul_sandbox.world.foreign_forms import DSS, XADES4J
from makul_sandbox.world.signers import SandboxSigners

SUBJECT = 15


def foreign_consents(signers: SandboxSigners) -> Iterator[SandboxDocument]:
    """Yield valid consents, each in the form of one library."""
    for name, form in (("signed-by-dss", DSS), ("signed-by-xades4j", XADES4J)):
        yield consent(signers, name, BANK, SUBJECT, form=form)
