"""Use cases that approve a notice: three texts and one approval by the authorised body (cl. 4)."""

from dataclasses import dataclass
from datetime import datetime

from makul.app.agreements import NotSigned, find_signatory, signed_bytes, unproven
from makul.app.ports import (
    DocumentError,
    DocumentVerifier,
    NamedParty,
    Notice,
    NoticeApproval,
    OperatorRegistry,
    OperatorRegistryError,
    SignedBytes,
    SignedDocuments,
    UnwritableError,
)
from makul.domain.agreements import AgreementRole
from makul.domain.reasons import Code
from makul.language.translation import translate


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedApproval:
    """An approval that is proven to be the authorised body's."""

    approval: NoticeApproval
    signer: bytes
    signed: SignedBytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Notices:
    """Drafts approvals and judges the documents that the authorised body signed."""

    registry: OperatorRegistry
    documents: SignedDocuments
    verifier: DocumentVerifier
    authorised_body: NamedParty | None

    def find(self, ref: str) -> Notice | None:
        """Return a notice as registered."""
        return next((notice for notice in self.registry.notices() if notice.ref == ref), None)

    def approval(self, ref: str) -> bytes:
        """Return the approval of a registered notice, for the authorised body to sign."""
        notice = self.find(ref)
        if notice is None:
            raise OperatorRegistryError(translate("no notice of this number is registered"))
        if self.authorised_body is None:
            raise OperatorRegistryError(
                translate("name the authorised body in the settings first: [authorised_body]")
            )
        approval = NoticeApproval(
            authorised_body=self.authorised_body, ref=ref, digests=notice.digests
        )
        try:
            return self.documents.render_approval(approval)
        except UnwritableError:
            raise OperatorRegistryError(
                translate("this notice's number does not fit the schema")
            ) from None

    def judge(self, document: bytes, *, at: datetime) -> SignedApproval | NotSigned:
        """Return the authorised body's approval of the registered texts, or why there is none.

        Records nothing.
        """
        verified = self.verifier.verify(document, at=at)
        if verified.signed is None:
            return unproven(verified)
        try:
            approval = self.documents.read_approval(verified.signed)
        except DocumentError as error:
            return NotSigned(why=translate("it is not an approval"), codes=(error.reason.code,))
        signatory = find_signatory(self.registry, verified)
        if signatory is None or signatory.role is not AgreementRole.AUTHORISED_BODY:
            why = translate("the signer is not a signatory of the authorised body")
            return NotSigned(why=why, codes=(Code.SIG_08,))
        body = self.authorised_body
        if body is None or {signatory.member, approval.authorised_body.code} != {body.code}:
            return NotSigned(
                why=translate("it is not this authorised body's"), codes=(Code.SIG_08,)
            )
        notice = self.find(approval.ref)
        if notice is None or dict(notice.digests) != dict(approval.digests):
            return NotSigned(why=translate("its texts are not those registered under that number"))
        return SignedApproval(
            approval=approval,
            signer=signatory.fingerprint,
            signed=signed_bytes(document, verified),
        )

    def record(self, signed: SignedApproval, *, at: datetime) -> None:
        """Record an approval. From now on consents may cite the notice."""
        self.registry.approve_notice(signed.approval, signed.signer, signed.signed, at=at)
