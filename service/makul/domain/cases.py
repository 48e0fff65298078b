"""Evidence files of cases: what they contain, and where (Procedure, cl. 12).

Pure code: no XML, no SQL, no clock. A case is about one recipient and one period. Its file holds
what the operator recorded of the decisions, and nothing else about a person: what the documents of
the decisions and the statements of their leaves say.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from enum import StrEnum
from uuid import UUID

from makul.domain.calendar import BISHKEK
from makul.domain.identifiers import MemberCode
from makul.domain.monthly_statements import (
    DISCLOSING,
    ExceptionFact,
    ExceptionKind,
    GroundRecord,
    GroundTerms,
    LineException,
    RecordedAgreement,
    RecordedDecision,
    Totals,
)


class CaseScope(StrEnum):
    """Which decisions of the period a case contains."""

    EXCEPTIONS = "EXCEPTIONS"
    """Those with an exception by the rules of monthly statements."""
    ALL = "ALL"


@dataclass(frozen=True, slots=True)
class CasePeriod:
    """A period in days of the Republic's calendar: from the first day to before the last."""

    first: date
    end: date

    def __post_init__(self) -> None:
        if self.first >= self.end:
            raise ValueError("a period begins before it ends")

    @property
    def begins(self) -> datetime:
        """The first instant, in UTC."""
        return datetime.combine(self.first, time(), BISHKEK).astimezone(UTC)

    @property
    def ends(self) -> datetime:
        """The first instant after the period, in UTC."""
        return datetime.combine(self.end, time(), BISHKEK).astimezone(UTC)


class RuleResult(StrEnum):
    """What comparing a decision with its documents gave, for one rule."""

    FITS = "FITS"
    EXCEPTION = "EXCEPTION"
    NOT_JUDGED = "NOT_JUDGED"
    """A document or record that the rule compares with is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JudgedRule:
    """A rule of monthly statements, and its result for one decision."""

    kind: str
    fact: str
    result: RuleResult
    attribute: str | None = None


_GROUND, _TERMS, _REGISTERED, _AGREEMENT = "ground", "terms", "registered", "agreement"
_ASKED = "asked"
_RULES: tuple[tuple[ExceptionFact, ExceptionKind, frozenset[str]], ...] = (
    *(
        (fact, ExceptionKind.NO_GROUND, frozenset[str]())
        for fact in (
            ExceptionFact.GROUND_NOT_NAMED,
            ExceptionFact.GROUND_NOT_REGISTERED,
            ExceptionFact.DOCUMENT_NOT_STORED,
        )
    ),
    (
        ExceptionFact.OTHER_DOCUMENT_REGISTERED,
        ExceptionKind.NO_GROUND,
        frozenset({_GROUND}),
    ),
    *(
        (fact, ExceptionKind.NO_LONGER_PROVABLE, frozenset({_TERMS}))
        for fact in (
            ExceptionFact.REPORT_NOT_STORED,
            ExceptionFact.SIGNATURE_NOT_PROVED,
            ExceptionFact.PROOF_NOT_STORED,
            ExceptionFact.ANCHOR_NOT_TRUSTED,
            ExceptionFact.CERTIFICATE_REVOKED,
        )
    ),
    (ExceptionFact.MORE_USES_THAN_ALLOWED, ExceptionKind.OVERUSED, frozenset({_GROUND})),
    (ExceptionFact.GROUND_REVOKED, ExceptionKind.REVOKED_BEFORE, frozenset({_GROUND})),
    (ExceptionFact.REVOKED_ABOUT_THEN, ExceptionKind.REVOKED_BEFORE, frozenset({_GROUND})),
    (
        ExceptionFact.OTHER_LIMIT_REGISTERED,
        ExceptionKind.TO_INSPECT,
        frozenset({_GROUND, _TERMS}),
    ),
    *(
        (fact, ExceptionKind.OUT_OF_SCOPE, frozenset({_TERMS}))
        for fact in (
            ExceptionFact.GROUND_SUBJECT,
            ExceptionFact.GROUND_RECIPIENT,
            ExceptionFact.GROUND_FORM,
            ExceptionFact.GROUND_AGREEMENT,
            ExceptionFact.GROUND_PURPOSE,
            ExceptionFact.GROUND_ATTRIBUTE,
        )
    ),
    (ExceptionFact.GROUND_TERM, ExceptionKind.OUT_OF_TERM, frozenset({_TERMS})),
    (ExceptionFact.CONSENT_ON_PAPER, ExceptionKind.PAPER_TO_INSPECT, frozenset({_TERMS})),
    (
        ExceptionFact.VITAL_INTEREST_INVOKED,
        ExceptionKind.NECESSITY_UNCONFIRMED,
        frozenset({_TERMS}),
    ),
    (ExceptionFact.NO_AGREEMENT, ExceptionKind.OUT_OF_SCOPE, frozenset[str]()),
    (
        ExceptionFact.AGREEMENT_CHANGED_SINCE,
        ExceptionKind.TO_INSPECT,
        frozenset({_REGISTERED}),
    ),
    (ExceptionFact.AGREEMENT_PURPOSE, ExceptionKind.OUT_OF_SCOPE, frozenset({_AGREEMENT})),
    (ExceptionFact.AGREEMENT_ATTRIBUTE, ExceptionKind.OUT_OF_SCOPE, frozenset({_AGREEMENT})),
    (ExceptionFact.AGREEMENT_TERM, ExceptionKind.OUT_OF_TERM, frozenset({_AGREEMENT})),
    (ExceptionFact.SUBJECT_REPORTED, ExceptionKind.DENIED_BY_SUBJECT, frozenset[str]()),
    (ExceptionFact.SUBJECT_ANSWERED_NO, ExceptionKind.DENIED_BY_SUBJECT, frozenset({_ASKED})),
    (ExceptionFact.NO_ANSWER_IN_TERM, ExceptionKind.SUBJECT_SILENT, frozenset({_ASKED})),
)
"""Every rule of an exception, and what it compares a decision with.

They are those of `find_exceptions`, `find_unconfirmed_need` and `find_denials`.
"""


def list_rules(
    decision: RecordedDecision,
    ground: GroundRecord | None,
    terms: GroundTerms | None,
    agreement: RecordedAgreement | None,
    exceptions: tuple[LineException, ...],
    *,
    is_asked: bool = False,
) -> tuple[JudgedRule, ...]:
    """Return every rule with its result; of a decision that gave nothing, only its exceptions.

    The arguments are those of `find_exceptions`, and its result. `is_asked` is whether the subject
    is in the sample of the month.
    """
    if decision.outcome not in DISCLOSING:
        # Only a registered consent on paper can have one: its subject denied it.
        return tuple(
            JudgedRule(kind=each.kind, fact=each.fact, result=RuleResult.EXCEPTION)
            for each in exceptions
        )
    known = agreement.find_terms(decision.decided_at) if agreement is not None else None
    present = {
        name
        for name, value in (
            *((_GROUND, ground), (_TERMS, terms)),
            *((_REGISTERED, agreement), (_AGREEMENT, known), (_ASKED, is_asked or None)),
        )
        if value is not None
    }
    found: dict[str, list[LineException]] = {}
    for each in exceptions:
        found.setdefault(each.fact, []).append(each)
    rules: list[JudgedRule] = []
    for fact, kind, needed in _RULES:
        result = RuleResult.FITS if needed <= present else RuleResult.NOT_JUDGED
        rules += [
            JudgedRule(
                kind=each.kind,
                fact=each.fact,
                result=RuleResult.EXCEPTION,
                attribute=each.attribute,
            )
            for each in found.get(fact, ())
        ] or [JudgedRule(kind=kind, fact=fact, result=result)]
    return tuple(rules)


class CaseContent(StrEnum):
    """A kind of file in an evidence file."""

    DECISION = "DECISION"
    REQUEST = "REQUEST"
    RECEIPT = "RECEIPT"
    REPORT = "REPORT"
    DOCUMENT = "DOCUMENT"
    AGREEMENT = "AGREEMENT"
    ACT = "ACT"
    TRUST = "TRUST"
    STATEMENT = "STATEMENT"
    CHECKPOINT = "CHECKPOINT"
    TIMELINE = "TIMELINE"


CASE_FILE = "case.xml"
CHECKPOINT_FILE = "checkpoint.txt"
TIMELINE_XML = "timeline.xml"
TIMELINE_HTML = "timeline.html"
DIRECTORIES = {
    CaseContent.DECISION: "decisions/",
    CaseContent.REQUEST: "decisions/",
    CaseContent.RECEIPT: "decisions/",
    CaseContent.REPORT: "decisions/",
    CaseContent.DOCUMENT: "documents/",
    CaseContent.AGREEMENT: "agreements/",
    CaseContent.ACT: "acts/",
    CaseContent.TRUST: "trust/",
    CaseContent.STATEMENT: "months/",
    CaseContent.CHECKPOINT: CHECKPOINT_FILE,
    CaseContent.TIMELINE: "timeline",
}
"""The beginning of the names of each kind."""


def decision_file(disclosure_id: UUID) -> str:
    """Return the name of the file that describes a decision."""
    return f"decisions/{disclosure_id}/decision.xml"


def request_file(disclosure_id: UUID) -> str:
    """Return the name of the signed message of a decision's request."""
    return f"decisions/{disclosure_id}/request.xml"


def receipt_file(disclosure_id: UUID) -> str:
    """Return the name of a decision's receipt."""
    return f"decisions/{disclosure_id}/receipt.xml"


def report_file(disclosure_id: UUID, number: int) -> str:
    """Return the name of a validation report of a decision."""
    return f"decisions/{disclosure_id}/report-{number}.json"


def act_file(number: int) -> str:
    """Return the name of the file of an act."""
    return f"acts/{number}.xml"


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseDocument:
    """A document on which a decision was judged, as the case contains it."""

    digest: bytes
    kind: str | None
    file: str | None
    """None if the record does not hold the document."""
    report: str | None = None
    """The file of the report that judged it for this decision."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseLeaf:
    """A leaf of the ledger, with what it commits to and the proof that it is in the tree."""

    statement: bytes
    salt: bytes
    index: int
    proof: tuple[bytes, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRevocation:
    """That the ground of a decision was revoked, before or after it."""

    revoked_at: datetime
    file: str | None
    """The subject's signed document; None if the operator revoked it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseReason:
    """A reason of a decision, by its code."""

    code: str
    field: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseDecision:
    """A decision in a case."""

    decision: RecordedDecision
    request_digest: bytes
    """SHA-256 over the exclusive canonical form of the request, the Body's child."""
    reasons: tuple[CaseReason, ...]
    rules: tuple[JudgedRule, ...]
    documents: tuple[CaseDocument, ...]
    revocation: CaseRevocation | None
    leaf: CaseLeaf


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseAct:
    """An act about the recipient or its agreements, with its leaf."""

    number: int
    at: datetime
    who: str
    kind: str
    target: str
    leaf: CaseLeaf


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseEvent:
    """A line of the timeline."""

    at: datetime
    kind: str
    what: str
    """Fixed words and codes; no personal data."""
    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ContentCount:
    """How many files of a kind a case contains."""

    kind: CaseContent
    files: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """The head of a case: what its file contains, and on which log it rests."""

    case_id: UUID
    operator: MemberCode
    recipient: MemberCode
    recipient_name: str
    begins: datetime
    ends: datetime
    scope: CaseScope
    reason: str
    built_at: datetime
    log_key: str
    """The verifier key of the log (C2SP signed-note), by the operator's word."""
    tree_size: int
    decisions: int
    """All decisions of the recipient in the period."""
    included: int
    exceptions: Totals
    agreements: tuple[str, ...]
    missing_documents: int
    """Documents that decisions name and the record does not hold."""
    missing_trust: int
    """Certificates and revocation data that reports name and the archive does not hold."""
    contents: tuple[ContentCount, ...]
