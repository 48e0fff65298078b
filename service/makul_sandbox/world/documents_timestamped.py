"""Consents whose certificates were revoked after signing (ETSI EN 319 102-1, 5.5.4).

A signature timestamp proves that the signing came first. It proves nothing if the key was already
compromised at that time.
"""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from cryptography import x509

from makul.domain.reasons import Code
from makul.trust.xades.signing import add_timestamp
from makul_sandbox.data.citizens import COMPROMISED, REVOKED_LATE
from makul_sandbox.data.pki import Credential, RevocationEntry
from makul_sandbox.data.recipients import BANK
from makul_sandbox.data.timestamp_authority import StampingAuthority
from makul_sandbox.world.document import Reasons, SandboxDocument, consent
from makul_sandbox.world.signers import SandboxSigners

_SIGNED = timedelta(days=10)
_REVOKED = timedelta(days=1)
_SUSPECTED = timedelta(days=20)
"""The times between these events and the making of the sandbox."""

ENDED_LATER = 13
"""The citizen whose certificate is valid until the demo revokes it while the sandbox runs."""


def ended(compromised: Credential, late: Credential, at: datetime) -> tuple[RevocationEntry, ...]:
    """Return the certificates that were revoked after their consents had been signed."""
    return (
        RevocationEntry(
            certificate=late.certificate,
            at=at - _REVOKED,
            reason=x509.ReasonFlags.cessation_of_operation,
        ),
        RevocationEntry(
            certificate=compromised.certificate, at=at - _REVOKED, invalid_since=at - _SUSPECTED
        ),
    )


def timestamped_consents(
    signers: SandboxSigners, stamping: StampingAuthority
) -> Iterator[SandboxDocument]:
    """Yield consents with and without a timestamp, and two of a certificate that is still valid."""
    revoked: Reasons = ((Code.CNS_02, Code.SIG_06),)
    for name, citizen, reasons, stamped in (
        ("timestamped", REVOKED_LATE, (), True),
        ("not-timestamped", REVOKED_LATE, revoked, False),
        ("timestamped-compromised", COMPROMISED, revoked, True),
    ):
        signed_at = signers.at - _SIGNED
        sample = consent(
            signers,
            name,
            BANK,
            citizen,
            reasons=reasons,
            given_at=signed_at,
            valid_from=signed_at,
        )
        document = sample.document
        if stamped:
            document = add_timestamp(
                document, lambda octets: stamping.stamp(octets, at=signers.at - _SIGNED)
            )
        yield replace(sample, document=document)
    yield consent(signers, "held-when-revoked", BANK, ENDED_LATER)
    yield consent(signers, "new-when-revoked", BANK, ENDED_LATER)
