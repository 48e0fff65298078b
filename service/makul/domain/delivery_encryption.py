"""The certificate to which a recipient's data are encrypted (Procedure, cl. 7: agreed delivery)."""

from dataclasses import dataclass

from makul.domain.reasons import Code


@dataclass(frozen=True, slots=True, kw_only=True)
class EncryptionCertificate:
    """The certificate to which a recipient's data are encrypted, as judged at this moment."""

    der: bytes
    against: Code | None
    """The reason why nothing is encrypted to it (SIG-*); None if it is good.

    SIG-07 means that its state could not be determined.
    """
