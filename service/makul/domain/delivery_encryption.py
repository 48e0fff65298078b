"""Whether data can be encrypted to a recipient now (Procedure, cl. 7: delivery as agreed)."""

from dataclasses import dataclass

from makul.domain.reasons import Code


@dataclass(frozen=True, slots=True, kw_only=True)
class SealingCertificate:
    """The certificate to which a recipient's data are encrypted, as it was judged this moment."""

    der: bytes
    against: Code | None
    """Why nothing is encrypted to it (SIG-*); SIG-07 where that could not be told. None: good."""
