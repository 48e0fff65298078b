"""The receipts that recipients present: verified by our own certificates and then read."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from makul.app.ports import DocumentError, ReceiptCertificate, ReceiptCertificateState
from makul.documents.receipts import read_receipt
from makul.domain.identifiers import MemberCode
from makul.domain.month_closing import OwnReceipt
from makul.trust.base.errors import SignatureFailure
from makul.trust.xades.operator_signature import verify_operator_signature


@dataclass(frozen=True, slots=True, kw_only=True)
class PinnedReceipts:
    """The implementation of `ports.acts.OwnReceipts`."""

    operator: MemberCode
    signers: Collection[bytes]

    @classmethod
    def of(
        cls, operator: MemberCode, certificates: Sequence[ReceiptCertificate]
    ) -> "PinnedReceipts":
        """Accept all our certificates except those of compromised keys.

        Who has such a key can sign a receipt of a decision that never was.
        """
        signers = frozenset(
            each.fingerprint
            for each in certificates
            if each.state is not ReceiptCertificateState.COMPROMISED
        )
        return cls(operator=operator, signers=signers)

    def read(self, document: bytes) -> OwnReceipt | None:
        """Return a receipt; None unless one of our certificates signed it, with a safe key."""
        try:
            operator, receipt = read_receipt(verify_operator_signature(document, self.signers))
        except (SignatureFailure, DocumentError):
            return None
        return receipt if operator == self.operator else None
