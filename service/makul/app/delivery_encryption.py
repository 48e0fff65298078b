"""Find a valid certificate to which a recipient's data can be encrypted (Procedure, cl. 7)."""

from dataclasses import dataclass
from datetime import datetime

from makul.app.ports import DeliveryEncryptor, Register
from makul.domain.agreements import Agreement, Delivery
from makul.domain.delivery_encryption import EncryptionCertificate
from makul.domain.identifiers import MemberCode


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryEncryption:
    """Judges a recipient's encryption certificate.

    It is judged for each request before any person's record is read, so that the result reveals
    nothing of a person.
    """

    register: Register
    encryptor: DeliveryEncryptor

    def certificate(
        self, recipient: MemberCode, agreement: Agreement | None, *, at: datetime
    ) -> EncryptionCertificate | None:
        """Return the current encryption certificate; None if none is registered or needed."""
        if agreement is None or agreement.delivery is not Delivery.SEALED:
            return None
        der = self.register.encryption_certificate(recipient)
        if der is None:
            return None
        return EncryptionCertificate(der=der, against=self.encryptor.judge(der, at=at))
