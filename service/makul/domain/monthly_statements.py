"""Monthly statements: the operator's account of a recipient's month (Procedure, cl. 11).

Pure code: no XML, no SQL, no clock. A statement has a head with totals, and pages with a line for
each decision. The rules here compare a disclosure with its ground and its agreement, again and
independently of the decision, and return what does not fit.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from makul.domain.agreements import Agreement, AgreementState
from makul.domain.calendar import CLOCK_TOLERANCE, has_begun
from makul.domain.consents import ResultForm
from makul.domain.disclosures import Operation, Outcome
from makul.domain.identifiers import MemberCode, Pin
from makul.domain.months import Month
from makul.domain.subject_answers import SubjectAnswer, SubjectAnswers

MAX_PAGE_LINES = 10_000
"""Maximum number of lines on a page (month.xsd). Such a page has some six megabytes."""

MAX_PAGES = 900
"""Maximum number of pages (month.xsd): nine million decisions.

A signed document may contain 1024 signs `=`, and each digest of a page ends with one.
"""

MAX_LISTED_EXCEPTIONS = 400
"""Maximum number of exceptions in a head, so that the head fits a signed document of 256 KiB.

The lines have every exception, and the head counts them all.
"""

DISCLOSING = frozenset({Outcome.RELEASED, Outcome.MATCHED})
"""Outcomes that give data or a yes. Only they use a ground, so only they are compared with one."""


class ExceptionKind(StrEnum):
    """The kind of an exception. Readers must accept other kinds: the list may grow."""

    NO_GROUND = "NO_GROUND"
    OVERUSED = "OVERUSED"
    OUT_OF_SCOPE = "OUT_OF_SCOPE"
    OUT_OF_TERM = "OUT_OF_TERM"
    REVOKED_BEFORE = "REVOKED_BEFORE"
    NO_LONGER_PROVABLE = "NO_LONGER_PROVABLE"
    """The ground was registered when it was used, and the stored evidence does not prove it now."""
    PAPER_TO_INSPECT = "PAPER_TO_INSPECT"
    NECESSITY_UNCONFIRMED = "NECESSITY_UNCONFIRMED"
    DENIED_BY_SUBJECT = "DENIED_BY_SUBJECT"
    SUBJECT_SILENT = "SUBJECT_SILENT"
    TO_INSPECT = "TO_INSPECT"
    """The record cannot answer the question. A person must look at the documents."""


class ExceptionFact(StrEnum):
    """What was found, as a word for programs. Readers must accept other words."""

    GROUND_NOT_NAMED = "GROUND_NOT_NAMED"
    GROUND_NOT_REGISTERED = "GROUND_NOT_REGISTERED"
    OTHER_DOCUMENT_REGISTERED = "OTHER_DOCUMENT_REGISTERED"
    DOCUMENT_NOT_STORED = "DOCUMENT_NOT_STORED"
    MORE_USES_THAN_ALLOWED = "MORE_USES_THAN_ALLOWED"
    OTHER_LIMIT_REGISTERED = "OTHER_LIMIT_REGISTERED"
    GROUND_SUBJECT = "GROUND_SUBJECT"
    GROUND_RECIPIENT = "GROUND_RECIPIENT"
    GROUND_FORM = "GROUND_FORM"
    GROUND_AGREEMENT = "GROUND_AGREEMENT"
    GROUND_PURPOSE = "GROUND_PURPOSE"
    GROUND_ATTRIBUTE = "GROUND_ATTRIBUTE"
    GROUND_TERM = "GROUND_TERM"
    NO_AGREEMENT = "NO_AGREEMENT"
    AGREEMENT_PURPOSE = "AGREEMENT_PURPOSE"
    AGREEMENT_ATTRIBUTE = "AGREEMENT_ATTRIBUTE"
    AGREEMENT_TERM = "AGREEMENT_TERM"
    AGREEMENT_CHANGED_SINCE = "AGREEMENT_CHANGED_SINCE"
    GROUND_REVOKED = "GROUND_REVOKED"
    REVOKED_ABOUT_THEN = "REVOKED_ABOUT_THEN"
    """Revoked so shortly before that the order of the commits may be the other one."""
    CONSENT_ON_PAPER = "CONSENT_ON_PAPER"
    VITAL_INTEREST_INVOKED = "VITAL_INTEREST_INVOKED"
    SUBJECT_REPORTED = "SUBJECT_REPORTED"
    SUBJECT_ANSWERED_NO = "SUBJECT_ANSWERED_NO"
    NO_ANSWER_IN_TERM = "NO_ANSWER_IN_TERM"
    REPORT_NOT_STORED = "REPORT_NOT_STORED"
    SIGNATURE_NOT_PROVED = "SIGNATURE_NOT_PROVED"
    PROOF_NOT_STORED = "PROOF_NOT_STORED"
    ANCHOR_NOT_TRUSTED = "ANCHOR_NOT_TRUSTED"
    CERTIFICATE_REVOKED = "CERTIFICATE_REVOKED"


@dataclass(frozen=True, slots=True, kw_only=True)
class LineException:
    """An exception of one line: its kind, what was found, and the attribute, if it is about one."""

    kind: str
    fact: str
    attribute: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementException(LineException):
    """An exception together with its disclosure, as a head lists it."""

    disclosure_id: UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundTerms:
    """The terms of a consent or basis statement, as its signed document states them."""

    recipient: str
    subject: Pin | None = field(repr=False)
    """The person; None for a basis statement about a probe."""
    result_form: ResultForm
    max_disclosures: int
    agreement_number: str
    purpose: str
    attributes: frozenset[str]
    valid_from: datetime
    valid_to: datetime
    on_paper: bool = False
    provision: str | None = None
    """The provision of cl. 5 that a basis statement names; None for a consent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class GroundRecord:
    """The record of a ground, as the disclosure found it."""

    digest: bytes
    revoked_at: datetime | None
    """The earliest revocation by the subject or the operator; None if there is none."""
    uses_before: int
    """Uses by earlier disclosures of the month.

    It is counted only for grounds that the month used more often than they allow.
    """
    allowed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedDecision:
    """A decision as a line has it, without personal data."""

    disclosure_id: UUID
    decided_at: datetime
    request_id: UUID
    operation: str
    outcome: Outcome
    attributes: tuple[str, ...]
    ground_kind: str | None
    ground_digest: bytes | None
    receipt_digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedDecision(ListedDecision):
    """A decision as the record has it, without personal data."""

    recipient: MemberCode
    codes: tuple[str, ...]
    purpose: str | None
    agreement_number: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class TermsInForce:
    """Terms of an agreement, and when they were in force: [`begins`, `ends`)."""

    terms: Agreement
    begins: datetime
    ends: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordedAgreement:
    """An agreement as the registry has it now. A new draft replaces the terms of the old one."""

    agreement: Agreement
    changed_at: datetime
    """The last draft, signature or termination."""
    versions: tuple[TermsInForce, ...] = ()
    """The terms that were in force, also earlier ones, as far as they can be read."""

    def find_terms(self, at: datetime) -> Agreement | None:
        """Return the terms that were certainly in force at this instant; None if unknown."""
        if self.agreement.state is AgreementState.IN_FORCE and self.changed_at <= at:
            return self.agreement
        for each in self.versions:
            if each.begins <= at and (each.ends is None or at < each.ends):
                return each.terms
        return None


def find_exceptions(
    decision: RecordedDecision,
    ground: GroundRecord | None,
    terms: GroundTerms | None,
    agreement: RecordedAgreement | None,
    *,
    of_subject: bool,
    proof_fault: ExceptionFact | None = None,
) -> tuple[LineException, ...]:
    """Return what does not fit, or what a person must inspect. It says nothing about guilt.

    `ground` is None if no use of the ground is recorded, and `terms` is None if its document is not
    stored or cannot be read. `agreement` is the recipient's agreement with the decision's number.
    `of_subject` is whether the document is about the subject of the decision. `proof_fault` is why
    the signature of the document cannot be proved now; it is not asked of an unreadable document.
    """
    if decision.outcome not in DISCLOSING:
        return ()
    return (
        *_judge_presence(decision, ground, terms),
        *(() if proof_fault is None else (_no_longer_provable(proof_fault),)),
        *(() if ground is None else _judge_use(decision, ground)),
        *(() if ground is None or terms is None else _judge_limit(ground, terms)),
        *(() if terms is None else _judge_scope(decision, terms, of_subject)),
        *(() if terms is None else _judge_terms(decision, terms)),
        *_judge_agreement(decision, agreement),
    )


def _judge_presence(
    decision: RecordedDecision, ground: GroundRecord | None, terms: GroundTerms | None
) -> Iterator[LineException]:
    kind = ExceptionKind.NO_GROUND
    if decision.ground_digest is None:
        yield LineException(kind=kind, fact=ExceptionFact.GROUND_NOT_NAMED)
        return
    if ground is None:
        yield LineException(kind=kind, fact=ExceptionFact.GROUND_NOT_REGISTERED)
    elif ground.digest != decision.ground_digest:
        yield LineException(kind=kind, fact=ExceptionFact.OTHER_DOCUMENT_REGISTERED)
    elif terms is None:
        yield _no_longer_provable(ExceptionFact.DOCUMENT_NOT_STORED)
        return
    if terms is None:
        yield LineException(kind=kind, fact=ExceptionFact.DOCUMENT_NOT_STORED)


def _no_longer_provable(fact: ExceptionFact) -> LineException:
    return LineException(kind=ExceptionKind.NO_LONGER_PROVABLE, fact=fact)


def _judge_use(decision: RecordedDecision, ground: GroundRecord) -> Iterator[LineException]:
    if ground.uses_before >= ground.allowed:
        yield LineException(kind=ExceptionKind.OVERUSED, fact=ExceptionFact.MORE_USES_THAN_ALLOWED)
    if ground.revoked_at is not None and ground.revoked_at < decision.decided_at:
        # Two clocks may differ, and the order of the commits decides.
        about_then = ground.revoked_at + CLOCK_TOLERANCE >= decision.decided_at
        fact = ExceptionFact.REVOKED_ABOUT_THEN if about_then else ExceptionFact.GROUND_REVOKED
        yield LineException(kind=ExceptionKind.REVOKED_BEFORE, fact=fact)


def _judge_limit(ground: GroundRecord, terms: GroundTerms) -> Iterator[LineException]:
    if ground.allowed != terms.max_disclosures:
        yield LineException(
            kind=ExceptionKind.TO_INSPECT, fact=ExceptionFact.OTHER_LIMIT_REGISTERED
        )


def _judge_scope(
    decision: RecordedDecision, terms: GroundTerms, of_subject: bool
) -> Iterator[LineException]:
    scope = ExceptionKind.OUT_OF_SCOPE
    if not of_subject:
        yield LineException(kind=scope, fact=ExceptionFact.GROUND_SUBJECT)
    if terms.recipient != decision.recipient:
        yield LineException(kind=scope, fact=ExceptionFact.GROUND_RECIPIENT)
    if terms.result_form is not Operation(decision.operation).result_form:
        yield LineException(kind=scope, fact=ExceptionFact.GROUND_FORM)
    if terms.agreement_number != decision.agreement_number:
        yield LineException(kind=scope, fact=ExceptionFact.GROUND_AGREEMENT)
    if terms.purpose != decision.purpose:
        yield LineException(kind=scope, fact=ExceptionFact.GROUND_PURPOSE)
    for name in decision.attributes:
        if name not in terms.attributes:
            yield LineException(kind=scope, fact=ExceptionFact.GROUND_ATTRIBUTE, attribute=name)


def _judge_terms(decision: RecordedDecision, terms: GroundTerms) -> Iterator[LineException]:
    at = decision.decided_at
    ended = max(at, terms.valid_from) >= terms.valid_to
    if ended or not has_begun(terms.valid_from, at=at):
        yield LineException(kind=ExceptionKind.OUT_OF_TERM, fact=ExceptionFact.GROUND_TERM)
    if terms.on_paper:
        yield LineException(
            kind=ExceptionKind.PAPER_TO_INSPECT, fact=ExceptionFact.CONSENT_ON_PAPER
        )


def _judge_agreement(
    decision: RecordedDecision, recorded: RecordedAgreement | None
) -> Iterator[LineException]:
    scope = ExceptionKind.OUT_OF_SCOPE
    if recorded is None:
        yield LineException(kind=scope, fact=ExceptionFact.NO_AGREEMENT)
        return
    agreement = recorded.find_terms(decision.decided_at)
    if agreement is None:
        yield LineException(
            kind=ExceptionKind.TO_INSPECT, fact=ExceptionFact.AGREEMENT_CHANGED_SINCE
        )
        return
    if decision.purpose not in agreement.purposes:
        yield LineException(kind=scope, fact=ExceptionFact.AGREEMENT_PURPOSE)
    for name in decision.attributes:
        if name not in agreement.attributes:
            yield LineException(kind=scope, fact=ExceptionFact.AGREEMENT_ATTRIBUTE, attribute=name)
    if not agreement.valid_from <= decision.decided_at < agreement.valid_to:
        yield LineException(kind=ExceptionKind.OUT_OF_TERM, fact=ExceptionFact.AGREEMENT_TERM)


def find_denials(answers: SubjectAnswers, *, at: datetime) -> Iterator[LineException]:
    """Yield what the subject said against a decision by this time, or that they did not answer.

    It says nothing about guilt, and opens nothing by itself (Procedure, cl. 11). A consent on paper
    can be denied as well, at its registration.
    """
    denied = ExceptionKind.DENIED_BY_SUBJECT
    if answers.has_reported:
        yield LineException(kind=denied, fact=ExceptionFact.SUBJECT_REPORTED)
    if answers.answer is SubjectAnswer.NO:
        yield LineException(kind=denied, fact=ExceptionFact.SUBJECT_ANSWERED_NO)
    if answers.is_silent(at):
        yield LineException(kind=ExceptionKind.SUBJECT_SILENT, fact=ExceptionFact.NO_ANSWER_IN_TERM)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementLine:
    """A line of a page: a decision, and the exceptions that were found."""

    decision: ListedDecision
    exceptions: tuple[LineException, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementPage:
    """A page of a statement, the earliest decision first."""

    month: Month
    recipient: MemberCode
    number: int
    lines: tuple[StatementLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PageReference:
    """A page as the head names it: by its number, its lines and its exact bytes."""

    number: int
    lines: int
    digest: bytes


Totals = tuple[tuple[str, int], ...]
"""Numbers of decisions by a value, sorted by the value."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementTotals:
    """The counts of a month."""

    lines: int
    disclosures: int
    subjects: int
    """Distinct subjects of the disclosures."""
    repetitions: int
    operations: Totals
    outcomes: Totals
    grounds: Totals
    purposes: Totals
    days: Totals
    attributes: Totals
    refusals: Totals
    exceptions: Totals


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthlyStatement:
    """The head of a statement."""

    month: Month
    draft: bool
    operator: MemberCode
    recipient: MemberCode
    recipient_name: str
    agreements: tuple[str, ...]
    built_at: datetime
    checkpoint: bytes
    """The published signed note of the log, with cosignatures."""
    totals: StatementTotals
    exceptions: tuple[StatementException, ...]
    """The first exceptions of the month, at most `MAX_LISTED_EXCEPTIONS`."""
    pages: tuple[PageReference, ...]
