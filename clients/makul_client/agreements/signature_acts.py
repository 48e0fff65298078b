"""The acts by which the authorised body signs agreements and approves notices (cl. 4 and 7)."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

from makul_client._internal.party_signature import require_signed_content
from makul_client.agreements import answers
from makul_client.models.acts import Act
from makul_client.models.signatures import (
    AgreementSigned,
    DraftList,
    DraftToSign,
    NoticeApproved,
    NoticeList,
    NoticeToApprove,
)

T = TypeVar("T")


class SignatureActs(ABC):
    """The part of the officer's client that reads what is to be signed, and sends what was."""

    @abstractmethod
    def _carry_out(
        self,
        operation: str,
        fields: Mapping[str, Any],
        request_id: UUID | None,
        read: Callable[[Any, Act], T],
    ) -> T: ...

    def drafts(self, *, request_id: UUID | None = None) -> DraftList:
        """Return the drafts of agreements that wait for signatures (Procedure, cl. 7)."""
        return self._carry_out("GetAgreementDraft", {}, request_id, answers.read_drafts)

    def draft(self, agreement: str, *, request_id: UUID | None = None) -> DraftToSign:
        """Return the newest draft of an agreement. Raises `RefusedError` if it is no draft."""
        fields = {"agreementNumber": agreement}
        return self._carry_out(
            "GetAgreementDraft",
            fields,
            request_id,
            partial(answers.read_draft, agreement=agreement),
        )

    def sign_agreement(
        self, draft: DraftToSign, document: bytes, *, request_id: UUID | None = None
    ) -> AgreementSigned:
        """Sign an agreement by the draft that a signatory of the authorised body signed.

        `document` is the whole document or only its ds:Signature. Raises `ConfirmationError` before
        anything is sent if something else was signed.
        """
        number = draft.draft.agreement
        fields = {
            "agreementNumber": number,
            "document": require_signed_content(draft.document, document),
        }
        return self._carry_out(
            "SignAgreement", fields, request_id, partial(answers.read_signed, agreement=number)
        )

    def notices(self, *, request_id: UUID | None = None) -> NoticeList:
        """Return all notices, approved or not (Procedure, cl. 4)."""
        return self._carry_out("GetNotice", {}, request_id, answers.read_notices)

    def notice(self, ref: str, *, request_id: UUID | None = None) -> NoticeToApprove:
        """Return a notice with its texts, which are those that the approval names."""
        return self._carry_out(
            "GetNotice", {"ref": ref}, request_id, partial(answers.read_notice, ref=ref)
        )

    def approve_notice(
        self, notice: NoticeToApprove, document: bytes, *, request_id: UUID | None = None
    ) -> NoticeApproved:
        """Approve a notice, as `sign_agreement` signs an agreement (Procedure, cl. 4)."""
        ref = notice.notice.ref
        fields = {"ref": ref, "approval": require_signed_content(notice.approval, document)}
        return self._carry_out(
            "ApproveNotice", fields, request_id, lambda _, act: NoticeApproved(ref=ref, act=act)
        )
