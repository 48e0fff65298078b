"""Gather the evidence file of a case from the record (Procedure, cl. 12)."""

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from makul.app.exception_finder import ComparedDecision, ExceptionFinder
from makul.app.ports.cases import (
    ActRecord,
    CaseDocuments,
    CaseRecord,
    EvidenceContainer,
    InclusionProofs,
    RecordedCase,
    SignedDraft,
    TrustArchive,
)
from makul.app.ports.monthly_statements import GroundProofs, MonthDecision, StatementDocuments
from makul.app.ports.registry import EvidenceDocument
from makul.app.statement_counts import sorted_totals
from makul.domain.agreements import Agreement
from makul.domain.cases import (
    CASE_FILE,
    CHECKPOINT_FILE,
    TIMELINE_HTML,
    TIMELINE_XML,
    Case,
    CaseAct,
    CaseContent,
    CaseDecision,
    CaseDocument,
    CaseEvent,
    CaseLeaf,
    CasePeriod,
    CaseReason,
    CaseRevocation,
    CaseScope,
    ContentCount,
    act_file,
    decision_file,
    list_rules,
    receipt_file,
    report_file,
    request_file,
)
from makul.domain.identifiers import MemberCode
from makul.domain.recipients import Recipient
from makul.ledger.leaf_statement import read_statement

MAX_WHAT_CHARACTERS = 500
"""Maximum length of an event's words (case.xsd). The file of the event has all of them."""

XML = "text/xml"
JSON = "application/json"


class UnpublishedRecordError(Exception):
    """A decision or act of the case is not in the tree of the published checkpoint yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseRequest:
    """What a case is about, and on which log it rests."""

    case_id: UUID
    operator: MemberCode
    recipient: Recipient
    period: CasePeriod
    scope: CaseScope
    reason: str
    agreements: Collection[Agreement]
    checkpoint: bytes
    """The published signed note of the log."""
    log_key: str
    months: Iterable[tuple[str, Iterable[bytes]]] = ()
    """Monthly statements to be included: the name of each file, and its content in blocks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseCounts:
    """The counts of a preview."""

    decisions: int
    included: int
    exceptions: tuple[tuple[str, int], ...]


def count_case(
    request: CaseRequest,
    recorded: RecordedCase,
    documents: StatementDocuments,
    proofs: GroundProofs,
    report: Callable[[int], None],
) -> CaseCounts:
    """Count what a case would contain. Nothing is written, and no receipt is read."""
    included, exceptions = 0, Counter[str]()
    for _, compared in _chosen(request, recorded, documents, proofs, report):
        included += 1
        exceptions.update(each.kind for each in compared.exceptions)
    return CaseCounts(
        decisions=recorded.total, included=included, exceptions=sorted_totals(exceptions)
    )


def _chosen(
    request: CaseRequest,
    recorded: RecordedCase,
    documents: StatementDocuments,
    proofs: GroundProofs,
    report: Callable[[int], None],
) -> Iterator[tuple[MonthDecision, ComparedDecision]]:
    """Yield the decisions that belong to the case, the earliest first."""
    finder = ExceptionFinder(documents, proofs, request.agreements, recorded.period)
    for each in recorded.period.decisions:
        compared = finder.compare(each)
        if request.scope is CaseScope.ALL or compared.exceptions:
            yield each, compared
        report(1)


@dataclass(slots=True, kw_only=True)
class CaseBuilder:
    """Builds one case. Memory holds the names of its files and the lines of its timeline."""

    request: CaseRequest
    documents: CaseDocuments
    statements: StatementDocuments
    proofs: GroundProofs
    container: EvidenceContainer
    tree: InclusionProofs
    archive: TrustArchive | None
    _files: Counter[CaseContent] = field(default_factory=Counter)
    _events: list[CaseEvent] = field(default_factory=list)
    _named: dict[bytes, str] = field(default_factory=dict)
    """The file of each document that was written."""
    _trust: set[str] = field(default_factory=set)
    """Digests of trust data that were written or missed."""
    _missing: dict[str, set[str]] = field(
        default_factory=lambda: {"documents": set(), "trust": set()}
    )

    def build(self, recorded: RecordedCase, *, report: Callable[[int], None], at: datetime) -> Case:
        """Write every file of the case into the container, and return its head.

        Raises `UnpublishedRecordError`.
        """
        included, exceptions = 0, Counter[str]()
        for each, compared in _chosen(self.request, recorded, self.statements, self.proofs, report):
            self._add_decision(each, compared, recorded.read_record)
            included += 1
            exceptions.update(found.kind for found in compared.exceptions)
        for act in recorded.acts:
            self._add_act(act)
        self._add_agreements(recorded.signed_drafts)
        for name, content in self.request.months:
            self._add(CaseContent.STATEMENT, f"months/{name}", XML, content)
        self._add(CaseContent.CHECKPOINT, CHECKPOINT_FILE, "text/plain", (self.request.checkpoint,))
        self._files[CaseContent.TIMELINE] = 2
        case = self._head(recorded, included, sorted_totals(exceptions), at)
        self._events.sort(key=lambda event: (event.at, event.file, event.kind))
        self.container.add(TIMELINE_XML, XML, self.documents.render_timeline(self._events))
        page = self.documents.render_timeline_page(case, self._events)
        self.container.add(TIMELINE_HTML, "text/html", page)
        self.container.add(CASE_FILE, XML, (self.documents.render_case(case),))
        return case

    def _head(
        self,
        recorded: RecordedCase,
        included: int,
        exceptions: tuple[tuple[str, int], ...],
        at: datetime,
    ) -> Case:
        request = self.request
        return Case(
            case_id=request.case_id,
            operator=request.operator,
            recipient=request.recipient.code,
            recipient_name=" ".join(request.recipient.name.split()),
            begins=request.period.begins,
            ends=request.period.ends,
            scope=request.scope,
            reason=" ".join(request.reason.split()),
            built_at=at,
            log_key=request.log_key,
            tree_size=self.tree.size,
            decisions=recorded.total,
            included=included,
            exceptions=exceptions,
            agreements=tuple(sorted(str(each.number) for each in request.agreements)),
            missing_documents=len(self._missing["documents"]),
            missing_trust=len(self._missing["trust"]),
            contents=tuple(
                ContentCount(kind=kind, files=self._files[kind])
                for kind in CaseContent
                if self._files[kind]
            ),
        )

    def _add(self, kind: CaseContent, name: str, media_type: str, content: Iterable[bytes]) -> None:
        self.container.add(name, media_type, content)
        self._files[kind] += 1

    def _add_decision(
        self,
        recorded: MonthDecision,
        compared: ComparedDecision,
        read_record: Callable[[UUID], CaseRecord],
    ) -> None:
        decision = recorded.decision
        identifier = decision.disclosure_id
        record = read_record(identifier)
        facts = read_statement(record.statement)
        documents = tuple(
            self._add_document(piece, report_file(identifier, number))
            for number, piece in enumerate(record.documents, start=1)
        )
        described = CaseDecision(
            decision=decision,
            request_digest=bytes.fromhex(_text(facts["requestDigest"])),
            reasons=_reasons(facts),
            rules=list_rules(
                decision,
                recorded.ground,
                compared.terms,
                compared.agreement,
                compared.exceptions,
                is_asked=compared.answers.answer_by is not None,
            ),
            documents=documents,
            revocation=self._add_revocation(identifier, record),
            leaf=self._leaf(recorded.leaf_index, record.salt, record.statement),
        )
        name = decision_file(identifier)
        content = self.documents.render_decision(described, self.tree.size)
        self._add(CaseContent.DECISION, name, XML, (content,))
        if record.request is not None:
            self._add(CaseContent.REQUEST, request_file(identifier), XML, (record.request,))
        elif record.has_unreadable_request:
            self._missing["documents"].add(request_file(identifier))
        self._add(CaseContent.RECEIPT, receipt_file(identifier), XML, (record.receipt,))
        words = [decision.outcome.value, *decision.codes]
        words += sorted({f"{each.kind}:{each.fact}" for each in compared.exceptions})
        self._note(decision.decided_at, str(decision.operation), " ".join(words), name)

    def _add_document(self, piece: EvidenceDocument, report_name: str) -> CaseDocument:
        if piece.report:
            self._add(CaseContent.REPORT, report_name, JSON, (piece.report,))
            self._add_trust(piece.report)
        if piece.document is None:
            self._missing["documents"].add(piece.digest.hex())
        return CaseDocument(
            digest=piece.digest,
            kind=piece.kind,
            file=self._document_file(piece.digest, piece.document),
            report=report_name if piece.report else None,
        )

    def _document_file(self, digest: bytes, document: bytes | None) -> str | None:
        """Write a document unless it is written already, and return its name."""
        if document is None:
            return None
        name = self._named.get(digest)
        if name is None:
            suffix, media_type = self.documents.document_type(document)
            name = self._named[digest] = f"documents/{digest.hex()}.{suffix}"
            self._add(CaseContent.DOCUMENT, name, media_type, (document,))
        return name

    def _add_revocation(self, identifier: UUID, record: CaseRecord) -> CaseRevocation | None:
        if record.revoked_at is None:
            return None
        name = None
        if record.revocation is not None:
            name = self._document_file(sha256(record.revocation).digest(), record.revocation)
        self._note(
            record.revoked_at,
            "REVOCATION",
            "BY_OPERATOR" if name is None else "BY_SUBJECT",
            name or decision_file(identifier),
        )
        return CaseRevocation(revoked_at=record.revoked_at, file=name)

    def _add_trust(self, report: bytes) -> None:
        """Write the certificates and revocation data on which a verdict rested."""
        for digest in _trust_digests(json.loads(report)):
            if digest in self._trust:
                continue
            self._trust.add(digest)
            stored = None if self.archive is None else self.archive.read(bytes.fromhex(digest))
            if stored is None:
                self._missing["trust"].add(digest)
                continue
            der, suffix = stored
            name = f"trust/{digest}{suffix}"
            self._add(CaseContent.TRUST, name, "application/octet-stream", (der,))

    def _add_act(self, act: ActRecord) -> None:
        described = CaseAct(
            number=act.number,
            at=act.at,
            who=act.who,
            kind=act.kind,
            target=act.target,
            leaf=self._leaf(act.leaf_index, act.salt, act.statement),
        )
        content = self.documents.render_act(described, self.tree.size)
        self._add(CaseContent.ACT, act_file(act.number), XML, (content,))
        self._note(act.at, "ACT", f"{act.kind} {act.target}", act_file(act.number))

    def _add_agreements(self, signed: Sequence[SignedDraft]) -> None:
        for each in signed:
            # A number may end with a dot, or be a name that Windows reads as a device.
            number = each.number.replace("/", "-").replace(".", "-")
            directory = f"agreements/number-{number}"
            version = each.terms_digest.hex()[:16]
            name = f"{directory}/{version}-{each.role}-{each.signer.hex()[:16]}.xml"
            self._add(CaseContent.AGREEMENT, name, XML, (each.document,))
            what = f"{each.number} {each.role} {each.member}"
            self._note(each.recorded_at, "AGREEMENT_SIGNED", what, name)

    def _leaf(self, index: int | None, salt: bytes, statement: bytes) -> CaseLeaf:
        if index is None or index >= self.tree.size:
            raise UnpublishedRecordError
        proof = self.tree.inclusion_proof(index)
        return CaseLeaf(statement=statement, salt=salt, index=index, proof=proof)

    def _note(self, at: datetime, kind: str, what: str, file: str) -> None:
        event = CaseEvent(at=at, kind=kind, what=what[:MAX_WHAT_CHARACTERS], file=file)
        self._events.append(event)


def _reasons(facts: Mapping[str, Any]) -> tuple[CaseReason, ...]:
    """Return the reasons in a statement of any format: the code, and the field after the cause."""
    reasons = []
    for each in facts.get("reasons") or ():
        code, *rest = each
        reasons.append(CaseReason(code=code, field=rest[1] if len(rest) > 1 else None))
    return tuple(reasons)


def _trust_digests(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield the digests of the trust data that a validation report names."""
    evidence = report.get("evidence") or {}
    for each in (evidence, *(evidence.get("timestamps") or ())):
        # The first certificate is the signer's, which the document or timestamp contains.
        yield from (each.get("certificates") or ())[1:]
        for answer in each.get("revocation") or ():
            if answer.get("digest"):
                yield answer["digest"]


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("a statement's fact is not a text")
    return value
