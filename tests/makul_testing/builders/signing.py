"""The authorised body signs itself, over a store: a draft that waits for it, and a notice."""

from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from makul.app.acts import ActPort, build_acts
from makul.app.oversight.approve_notice import ApprovalRequest
from makul.app.oversight.get_agreement_draft import DraftQuery
from makul.app.oversight.get_notice import NoticeQuery
from makul.app.oversight.sign_agreement import AgreementSigningRequest
from makul.app.ports import AgreementDraft, NamedParty, NoticeApproval, OperatorRegistry
from makul.domain.agreements import Agreement
from makul.domain.officers import Officer
from makul.store import Store
from makul_testing.builders.agreements import (
    AUTHORISED_BODY,
    NOTICE_TEXTS,
    a_signature,
    draft,
    register_signatory,
    three,
)
from makul_testing.builders.oversight import build_services, caller_of
from makul_testing.builders.records import NOON

WAITING = "BANK-2026/9"
"""The number of the notice that waits for its approval."""
BODY = NamedParty(code=AUTHORISED_BODY, name="Authorised body")


@dataclass(frozen=True, slots=True)
class _SignedDocuments:
    """Reads every document as the one that waits for the authorised body."""

    draft: AgreementDraft
    digest: bytes
    approval: NoticeApproval

    def read_agreement(self, signed: Any) -> AgreementDraft:
        return self.draft

    def read_approval(self, signed: Any) -> NoticeApproval:
        return self.approval

    def content_digest(self, signed: Any) -> bytes:
        return self.digest

    def render_approval(self, approval: NoticeApproval) -> bytes:
        return b"<approval/>"

    def pending_drafts(self, drafts: Any) -> bytes:
        return b""

    def notice_to_approve(self, notice: Any, approval: bytes) -> bytes:
        return b""


def lay_before_the_body(registry: OperatorRegistry, terms: Agreement) -> None:
    """Draft an agreement that the operator and the recipient sign, and register a notice."""
    digest = draft(registry, terms, at=NOON)
    for signatory in three(terms.recipient)[1:]:
        signer = register_signatory(registry, signatory, at=NOON)
        registry.sign_agreement(a_signature(terms, digest, signer), at=NOON)
    registry.add_notice(WAITING, NOTICE_TEXTS, at=NOON)


def sign_as_the_body(store: Store, terms: Agreement, officer: Officer) -> None:
    """Read the draft and the notice, and sign both."""
    operations = _operations(store, terms)
    number, caller = terms.number, caller_of(officer)
    query = DraftQuery(request_id=uuid4(), digest=b"b" * 32, agreement_number=number)
    signing = AgreementSigningRequest(
        request_id=uuid4(), digest=b"c" * 32, agreement_number=number, document=b"<signed/>"
    )
    notice = NoticeQuery(request_id=uuid4(), digest=b"d" * 32, ref=WAITING)
    approval = ApprovalRequest(
        request_id=uuid4(), digest=b"e" * 32, ref=WAITING, approval=b"<approved/>"
    )
    for request in (query, signing, notice, approval):
        name = _NAMES[type(request)]
        assert operations[name](request, caller) == b"DONE", name


_NAMES = {
    DraftQuery: "GetAgreementDraft",
    AgreementSigningRequest: "SignAgreement",
    NoticeQuery: "GetNotice",
    ApprovalRequest: "ApproveNotice",
}


def _operations(store: Store, terms: Agreement) -> ActPort:
    (pending,) = store.oversight.pending_drafts(terms.number)
    notice = next(each for each in store.oversight.notices() if each.ref == WAITING)
    documents: Any = _SignedDocuments(
        draft=AgreementDraft(
            terms=terms,
            drafted_at=NOON,
            authorised_body=BODY,
            operator=BODY,
            recipient_name="Recipient",
        ),
        digest=pending.digest,
        approval=NoticeApproval(authorised_body=BODY, ref=WAITING, digests=notice.digests),
    )
    services = build_services(store, document_signer=three(terms.recipient)[0].fingerprint)
    return build_acts("makul.app.oversight", replace(services, signed_documents=documents))
