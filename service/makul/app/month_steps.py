"""Steps that the month operations of both ports share (Procedure, cl. 11)."""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from makul.app.acts import ActServices
from makul.app.ports import VerifiedDocument
from makul.app.ports.acts import ActDecision, MonthRights, refuse_act
from makul.domain.agreements import AgreementRole
from makul.domain.disclosures import Outcome
from makul.domain.identifiers import MemberCode
from makul.domain.month_closing import (
    IssuedMonth,
    MonthState,
    StatementSignature,
    judge_closing,
    judge_confirmation,
    judge_document,
)
from makul.domain.months import Month
from makul.domain.reasons import Code, Reason


def read_month(
    services: ActServices, recipient: MemberCode, month: Month, page: int | None, *, at: datetime
) -> ActDecision:
    """Return the state of a month with the head of its statement, or with one page.

    A page is given only if its bytes have the digest that the head names.
    """
    issued = next(iter(services.register.issued_months(month, recipient)), None)
    if issued is None:
        return refuse_act((Reason(code=Code.OVR_06, field="month"),))
    head = services.register.signed_document(issued.head)
    if head is None:
        return _undetermined()
    documents = services.documents
    status = documents.month_status(issued, at=at)
    lines = documents.contested_lines(services.register.contested_lines(recipient, month))
    if page is None:
        return ActDecision(
            outcome=Outcome.DONE, content=status + documents.encoded("statement", head) + lines
        )
    digest = documents.page_digest(head, page)
    if digest is None:
        return refuse_act((Reason(code=Code.OVR_06, field="page"),))
    read = services.pages.read(recipient, month, page)
    if read is None or sha256(read).digest() != digest:
        return _undetermined()
    return ActDecision(
        outcome=Outcome.DONE, content=status + documents.encoded("page", read) + lines
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedStatement:
    """A document that a party sent as its signature under a statement."""

    document: bytes
    verified: VerifiedDocument
    content: bytes | None

    @classmethod
    def verify(cls, services: ActServices, document: bytes, *, at: datetime) -> "SignedStatement":
        """Verify a document; nothing is locked while its signature is verified."""
        verified = services.verifier.verify(document, at=at)
        signed = verified.signed
        content = services.documents.content_digest(signed) if signed is not None else None
        return cls(document=document, verified=verified, content=content)

    def record(
        self,
        services: ActServices,
        rights: MonthRights,
        issued: IssuedMonth | None,
        signer: tuple[MemberCode, AgreementRole],
        *,
        at: datetime,
    ) -> ActDecision:
        """Record the signature of a party under a month, if the document is that."""
        member, role = signer
        known = self.verified.proof.signer
        outcome, reasons = judge_document(
            issued,
            StatementSignature(proof=self.verified.proof, content=self.content),
            is_signatory=known is not None and rights.may_sign(member, known.fingerprint, role),
        )
        if issued is None or outcome is not Outcome.DONE:
            return ActDecision(outcome=outcome, reasons=reasons)
        if role is AgreementRole.AUTHORISED_BODY:
            contested = rights.contested_lines(issued.recipient, issued.month)
            state, reasons = MonthState.SIGNED, judge_closing(issued, contested)
        else:
            state, reasons = MonthState.CONFIRMED, judge_confirmation(issued)
        if reasons:
            return refuse_act(reasons)
        changed = rights.keep_signed(issued, state, self.document, self.verified.report)
        return month_done(services, changed, at=at)


def month_done(services: ActServices, issued: IssuedMonth, *, at: datetime) -> ActDecision:
    """Return the decision that an act on a month was done, with the state after it."""
    return ActDecision(
        outcome=Outcome.DONE,
        content=services.documents.month_status(issued, at=at),
        stated={"monthState": issued.state.value},
    )


def _undetermined() -> ActDecision:
    """Return the decision if the stored statement cannot be read now."""
    return ActDecision(outcome=Outcome.UNDETERMINED, reasons=(Reason(code=Code.OPS_01),))
