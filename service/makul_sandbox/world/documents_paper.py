"""Consents on paper: signed by hand, scanned, and signed by an official (Procedure, cl. 4)."""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from makul.domain.calendar import legal_day
from makul.domain.consents import PaperConsent
from makul.domain.reasons import Code
from makul_sandbox.data.recipients import BANK, MUNICIPALITY, Party
from makul_sandbox.data.scans import png_scan
from makul_sandbox.world.document import Reasons, Registration, SandboxDocument, consent
from makul_sandbox.world.signers import SandboxSigners

CITIZEN = 10
REGISTRAR, CLERK = "clerk-1", "clerk-2"
"""Two employees who are no officials: the first registers consents, the second uses them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Case:
    name: str
    reasons: Reasons = ()
    party: Party = MUNICIPALITY
    sent_scan: bytes | None = None
    """The scan that is sent when the consent is registered."""
    used_by: str = CLERK
    """The employee who requests data on its basis."""


def consents_on_paper(signers: SandboxSigners) -> Iterator[SandboxDocument]:
    """Yield a valid consent on paper and four invalid ones.

    One has no scan, one has another scan, one is used by the official who signed it, and one is for
    a recipient whose agreement allows no paper.
    """
    scan = png_scan()
    not_permitted, scan_missing = ((Code.CNS_12, None),), ((Code.CNS_13, None),)
    official = MUNICIPALITY.official.identifier if MUNICIPALITY.official is not None else ""
    for case in (
        _Case(name="paper", sent_scan=scan),
        _Case(name="paper-without-scan", reasons=scan_missing),
        _Case(name="paper-other-scan", sent_scan=png_scan(0x10), reasons=scan_missing),
        _Case(
            name="paper-used-by-official", sent_scan=scan, used_by=official, reasons=not_permitted
        ),
        _Case(name="paper-not-agreed", sent_scan=scan, party=BANK, reasons=not_permitted),
    ):
        yield _paper(signers, case, sha256(scan).digest())


def _paper(signers: SandboxSigners, case: _Case, scan_digest: bytes) -> SandboxDocument:
    party = case.party
    given_at = signers.consent(party, CITIZEN).given_at
    paper = PaperConsent(
        date=legal_day(given_at),
        official=party.official.identifier if party.official is not None else "",
        media_type="image/png",
        scan_digest=scan_digest,
    )
    return consent(
        signers,
        case.name,
        party,
        CITIZEN,
        reasons=case.reasons,
        signer=signers.officials[party.key],
        registration=Registration(employee=REGISTRAR, scan=case.sent_scan),
        employee=case.used_by,
        paper=paper,
    )
