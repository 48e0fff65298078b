"""Is there a good certificate to encrypt this recipient's data to? (Procedure, cl. 7)"""

from dataclasses import dataclass
from datetime import datetime

from makul.app.ports import DeliverySealer, Register
from makul.domain.agreements import Agreement, Delivery
from makul.domain.delivery_encryption import SealingCertificate
from makul.domain.identifiers import MemberCode


@dataclass(frozen=True, slots=True, kw_only=True)
class Sealing:
    """Judged each time and before anyone is looked at, so that it tells nothing of a person."""

    register: Register
    sealer: DeliverySealer

    def certificate(
        self, recipient: MemberCode, agreement: Agreement | None, *, at: datetime
    ) -> SealingCertificate | None:
        """The one that counts now; None where none is registered, or none is needed."""
        if agreement is None or agreement.delivery is not Delivery.SEALED:
            return None
        der = self.register.sealing_certificate(recipient)
        if der is None:
            return None
        return SealingCertificate(der=der, against=self.sealer.judge(der, at=at))
