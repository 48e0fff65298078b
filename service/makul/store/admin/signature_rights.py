"""The rows of agreements and notices that acts read and sign, in the act's transaction (cl. 4, 7).

An act and the operator's command record a signature by the same functions.
"""

from makul.app.ports import AgreementSignature, NoticeApproval, SignedBytes
from makul.domain.agreements import AgreementState
from makul.domain.signature_rules import ApprovalCase, SigningCase
from makul.store.admin import agreement_signatures, notices
from makul.store.admin.act_rows import ActRows


class SignedRows(ActRows):
    """The part of an act's rows that belongs to signed agreements and notices."""

    def signing_case(self, signature: AgreementSignature) -> SigningCase:
        """Return the rows by which a signature is judged."""
        return agreement_signatures.signing_case(self._transaction, signature, at=self._at)

    def sign_agreement(self, signature: AgreementSignature) -> AgreementState:
        """Record a signature, and return the state of the agreement after it."""
        for row in agreement_signatures.signature_rows(signature):
            self._track(row.table, **row.key)
        return agreement_signatures.record_signature(
            self._transaction, self._cipher, signature, at=self._at
        )

    def approval_case(self, approval: NoticeApproval, signer: bytes) -> ApprovalCase:
        """Return the rows by which an approval is judged."""
        return notices.approval_case(self._transaction, approval, signer)

    def approve_notice(self, approval: NoticeApproval, signer: bytes, signed: SignedBytes) -> None:
        """Record an approval. From this commit on consents may cite the notice."""
        for row in notices.approval_rows(approval, signed):
            self._track(row.table, **row.key)
        notices.record_approval(
            self._transaction, self._cipher, approval, signer, signed, at=self._at
        )
