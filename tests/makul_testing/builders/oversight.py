"""Officers, and the operations of the oversight port over a store, with answers that are short."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

from lxml import etree

from makul.app.acts import ActPort, ActServices, build_acts
from makul.app.oversight.terminate_agreement import TerminationRequest
from makul.app.ports import Caller, MonthCount, NamedParty, Receipt, VerifiedDocument
from makul.app.ports.acts import ActDecision, ActFacts, RecordedAct
from makul.app.ports.corrections import CorrectionView
from makul.app.ports.oversight import DecisionLine
from makul.app.ports.secrecy import DeletionsPage
from makul.app.ports.subject import (
    ConsentPosition,
    PagePosition,
    SubjectConsent,
    SubjectEntry,
)
from makul.app.recording import Recording
from makul.domain.agreements import Channel
from makul.domain.corrections import DEFAULT_TERMS, Correction
from makul.domain.disclosures import DocumentSigner, Outcome, Proof, ProofStatus
from makul.domain.identifiers import AgreementNumber, MemberCode, Pin
from makul.domain.month_closing import (
    Contest,
    ContestedLine,
    ContestException,
    IssuedMonth,
    LineAnswer,
    MonthState,
)
from makul.domain.months import Month
from makul.domain.officers import Officer, OfficerRole
from makul.domain.oversight_cases import CaseStep, OversightCase, propose_from_month
from makul.domain.person_locks import UnlockOrder
from makul.domain.undertakings import Undertaking
from makul.store import ActRights, Store
from makul_testing.builders.records import AZAMAT, BANK, NOON

CONTENT = b"c" * 32
"""The digest of every signed content."""
BODY = MemberCode("GOV/70000009")
MONTH = Month(2026, 10)
HEAD = b"<Head/>"
LINE = UUID(int=1)
"""The id of a contested line."""
UNLOCK_ID = UUID(int=3)
"""The id that every order to unlock names."""


AN_UNDERTAKING = Undertaking(
    undertaking_id=UUID(int=4),
    person=AZAMAT,
    name="Асанов Азамат",
    recipient=BANK,
    employee="teller-7",
    text="SECRECY/2026, version 1",
    valid_from=NOON,
    valid_to=None,
    lasts_after=True,
    signed_at=NOON,
)
"""The undertaking that every document is."""


def an_officer(number: int, role: OfficerRole = OfficerRole.BODY_OFFICER) -> Officer:
    """Return an officer of the authorised body."""
    return Officer(
        member=BODY,
        role=role,
        identifier=f"I-{number}",
        name=f"Officer {number}",
        fingerprint=bytes([number]) * 32,
        key_digest=bytes([100 + number]) * 32,
    )


def caller_of(officer: Officer) -> Caller:
    return Caller(recipient=officer.member, channel=Channel.WSSE, certificate=officer.fingerprint)


CONTEST = Contest(
    disclosure_id=LINE,
    reason="not ours",
    exception=ContestException.UNKNOWN_TO_OPERATOR,
    receipt=b"<Receipt/>",
)
"""A contested receipt, the largest form of a contested line."""


def record_acts(store: Store, *, recipient: MemberCode, agreement: AgreementNumber) -> None:
    """Fill each table of acts: a proposed termination, a proposed case, a month with an answer."""
    officer = an_officer(1)
    store.registry.add_officer(officer, at=NOON)
    proposal = TerminationRequest(
        request_id=uuid4(), digest=b"2" * 32, agreement_number=agreement, justification="t"
    )
    assert build_operations(store)["TerminateAgreement"](proposal, caller_of(officer)) == b"DONE"
    proposal_of_case = propose_from_month(recipient, MONTH, (("NO_GROUND", 1),))
    store.registry.issue_month(a_month(recipient), HEAD, at=NOON, proposal=proposal_of_case)

    def contest(rights: ActRights) -> ActDecision:
        rights.contest(recipient, MONTH, [CONTEST])
        return ActDecision(outcome=Outcome.DONE)

    facts = month_facts(recipient, MONTH)
    assert store.acts.carry_out(facts, contest, lambda _: b"DONE") == b"DONE"
    store.registry.answer_line(recipient, MONTH, LINE, LineAnswer.UPHELD, reason="it is", at=NOON)


def a_month(recipient: MemberCode) -> IssuedMonth:
    """Return a month as it is issued."""
    return IssuedMonth(
        recipient=recipient,
        month=MONTH,
        state=MonthState.ISSUED,
        head=sha256(HEAD).digest(),
        content=b"c" * 32,
        issued_at=NOON,
        confirm_by=NOON + timedelta(days=7),
    )


def month_facts(recipient: MemberCode, month: Month) -> ActFacts:
    """Return the facts of a recipient's act on its month."""
    return ActFacts(
        operation="ConfirmMonth",
        port="recipient",
        caller=Caller(recipient=recipient, channel=Channel.WSSE),
        officer=None,
        request_id=uuid4(),
        request_digest=b"3" * 32,
        at=NOON,
        target=str(month),
        stated={},
    )


@dataclass(frozen=True, slots=True)
class _Answer:
    """An answer that is only its outcome."""

    content: bytes
    digest: bytes = b"d" * 32

    def with_receipt(self, receipt: bytes) -> bytes:
        return self.content


class _Documents:
    def act_answer(self, facts: ActFacts, recorded: RecordedAct) -> _Answer:
        decision = recorded.decision
        codes = (reason.code.value for reason in decision.reasons)
        return _Answer(" ".join((decision.outcome.value, *codes)).encode())

    def month_counts(self, counts: Sequence[MonthCount]) -> bytes:
        return b""

    def receipt(self, receipt: Receipt) -> bytes:
        return b""

    def month_status(self, issued: IssuedMonth, *, at: datetime) -> bytes:
        return b""

    def contested_lines(self, lines: Sequence[ContestedLine]) -> bytes:
        return b""

    def cases(self, cases: Sequence[OversightCase]) -> bytes:
        return b""

    def corrections(self, views: Sequence[CorrectionView], *, at: datetime) -> bytes:
        return b""

    def correction_result(self, changed: Correction) -> bytes:
        return b""

    def acknowledged(self, *, at: datetime) -> bytes:
        return b""

    def case_steps(self, steps: Sequence[CaseStep]) -> bytes:
        return b""

    def decision_lines(self, lines: Sequence[DecisionLine], *, more: bool) -> bytes:
        return b""

    def subject_entries(
        self, entries: Sequence[SubjectEntry], following: PagePosition | None
    ) -> bytes:
        return b""

    def subject_consents(
        self, listed: Sequence[SubjectConsent], following: ConsentPosition | None, *, at: datetime
    ) -> bytes:
        return b""

    def stored_consent(self, document: bytes) -> None:
        return None

    def read_unlock(self, signed: Any) -> UnlockOrder:
        return UnlockOrder(unlock_id=UNLOCK_ID, subject=AZAMAT, signed_at=NOON)

    def stored_retention(self, document: bytes) -> str | None:
        return "P1D"

    def deletions_due(self, page: DeletionsPage, *, at: datetime) -> bytes:
        return b""

    def read_undertaking(self, signed: Any) -> Undertaking:
        return AN_UNDERTAKING

    def stored_basis(self, document: bytes) -> None:
        return None

    def encoded(self, name: str, document: bytes) -> bytes:
        return b""

    def page_digest(self, head: bytes, number: int) -> bytes | None:
        return None

    def content_digest(self, signed: Any) -> bytes:
        return CONTENT


@dataclass(frozen=True, slots=True)
class _Verifier:
    """A verifier that finds every document signed by one certificate."""

    fingerprint: bytes
    pin: Pin | None = None

    def verify(self, document: bytes, *, at: datetime) -> VerifiedDocument:
        signer = DocumentSigner(fingerprint=self.fingerprint, pin=self.pin)
        return VerifiedDocument(
            proof=Proof(status=ProofStatus.PASSED, signer=signer),
            signed=etree.Element("signed"),
            report=b"{}",
        )


class _Signer:
    def sign(self, document: bytes, *, at: datetime) -> bytes:
        return document


def build_operations(
    store: Store,
    *,
    at: datetime = NOON,
    package: str = "makul.app.oversight",
    document_signer: bytes = b"",
    pin: Pin | None = None,
) -> ActPort:
    """Return the operations of a port over a store. An answer is the outcome and its codes.

    Every document that they verify is signed with the certificate `document_signer`.
    """
    return build_acts(
        package, build_services(store, at=at, document_signer=document_signer, pin=pin)
    )


def build_services(
    store: Store, *, at: datetime = NOON, document_signer: bytes = b"", pin: Pin | None = None
) -> ActServices:
    """Return the services of operations over a store.

    Every document that they verify is signed with one certificate, which may carry a PIN.
    """
    documents: Any = _Documents()
    signer: Any = _Signer()
    renderer: Any = None
    verifier: Any = _Verifier(document_signer, pin)
    pages: Any = None
    receipts: Any = None
    return ActServices(
        clock=lambda: at,
        register=store.oversight,
        recorder=store.acts,
        recording=Recording(renderer=renderer, recorder=store.recorder),
        documents=documents,
        signed_documents=documents,
        verifier=verifier,
        pages=pages,
        evidence=pages,
        receipts=receipts,
        signer=signer,
        corrections=store.corrections,
        correction_terms=DEFAULT_TERMS,
        operator=MemberCode("GOV/70000001"),
        authorised_body=NamedParty(code=MemberCode("GOV/70000009"), name="Authorised body"),
    )
