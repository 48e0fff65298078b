"""Write and read the documents of an evidence file (case.xsd; Procedure, cl. 12)."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from lxml import etree

from makul.documents.canonical_writer import binary, element, group, instant, optional
from makul.documents.case_timeline import render_page, render_timeline
from makul.documents.media_types import media_type
from makul.documents.schemas import (
    case_act_schema,
    case_decision_schema,
    case_schema,
    malformed_document_error,
)
from makul.documents.xml_reader import Reader, uuid
from makul.documents.xml_reader import binary as read_binary
from makul.documents.xml_reader import instant as read_instant
from makul.domain.cases import (
    DIRECTORIES,
    Case,
    CaseAct,
    CaseContent,
    CaseDecision,
    CaseDocument,
    CaseEvent,
    CaseLeaf,
    CaseRevocation,
    CaseScope,
    ContentCount,
    JudgedRule,
)
from makul.domain.identifiers import MemberCode, parse_member_code
from makul.ledger.leaf_statement import read_statement
from makul.net.xml_parser import own_parser

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

NAMESPACE = "urn:makul:case:1"

_XML_START = (b"<", b"\xef\xbb\xbf<")
_SUFFIXES = {
    "application/pdf": "pdf",
    "image/png": "png",
    "image/jpeg": "jpg",
    "image/tiff": "tif",
}
_WHY = {
    CaseContent.DECISION: "What was asked and decided, every rule, and the proof in the ledger.",
    CaseContent.REQUEST: "The requests, as the recipient signed them (channel wsse).",
    CaseContent.RECEIPT: "The signed answer of the operator to each request.",
    CaseContent.REPORT: "How each document was judged when the decision was made.",
    CaseContent.DOCUMENT: "Consents, basis statements, scans and revocations, as they were signed.",
    CaseContent.AGREEMENT: "The agreements of the recipient, as each party signed them.",
    CaseContent.ACT: "Acts about the recipient and its agreements, each with its leaf.",
    CaseContent.TRUST: "Certificates, CRLs and OCSP responses on which the verdicts rest.",
    CaseContent.STATEMENT: "Monthly statements that the operator signed before.",
    CaseContent.CHECKPOINT: "The signed tree of the ledger, in which every leaf is.",
    CaseContent.TIMELINE: "All events in order, for people and for programs.",
}


class XmlCaseDocuments:
    """The adapter for `ports.CaseDocuments`."""

    def render_case(self, case: Case) -> bytes:
        """Return the head."""
        return _root(
            "Case",
            element("caseId", str(case.case_id)),
            element("operator", case.operator),
            group(
                "recipient",
                element("code", case.recipient),
                element("name", case.recipient_name),
            ),
            element("from", instant(case.begins)),
            element("to", instant(case.ends)),
            element("scope", case.scope),
            element("reason", case.reason),
            element("builtAt", instant(case.built_at)),
            element("logKey", case.log_key),
            element("treeSize", str(case.tree_size)),
            element("decisions", str(case.decisions)),
            element("included", str(case.included)),
            *(
                group("exceptionTotal", element("key", key), element("count", str(count)))
                for key, count in case.exceptions
            ),
            *(element("agreement", number) for number in case.agreements),
            element("missingDocuments", str(case.missing_documents)),
            element("missingTrust", str(case.missing_trust)),
            *map(_content, case.contents),
        )

    def render_decision(self, decision: CaseDecision, tree_size: int) -> bytes:
        """Return the description of a decision."""
        recorded = decision.decision
        return _root(
            "CaseDecision",
            element("disclosureId", str(recorded.disclosure_id)),
            element("decidedAt", instant(recorded.decided_at)),
            element("requestId", str(recorded.request_id)),
            element("requestDigest", binary(decision.request_digest)),
            element("operation", recorded.operation),
            element("outcome", recorded.outcome),
            *(
                group("reason", element("code", each.code), optional("field", each.field))
                for each in decision.reasons
            ),
            *(element("attribute", name) for name in recorded.attributes),
            optional("purpose", recorded.purpose),
            optional("agreementNumber", recorded.agreement_number),
            _ground(decision),
            *map(_rule, decision.rules),
            *map(_document, decision.documents),
            _revocation(decision.revocation),
            _leaf(decision.leaf, tree_size),
        )

    def render_act(self, act: CaseAct, tree_size: int) -> bytes:
        """Return the description of an act."""
        return _root(
            "CaseAct",
            element("number", str(act.number)),
            element("at", instant(act.at)),
            element("who", act.who),
            element("kind", act.kind),
            element("target", act.target),
            _leaf(act.leaf, tree_size),
        )

    def render_timeline(self, events: Iterable[CaseEvent]) -> Iterator[bytes]:
        """Return the timeline for programs, in blocks."""
        return render_timeline(NAMESPACE, events)

    def render_timeline_page(self, case: Case, events: Iterable[CaseEvent]) -> Iterator[bytes]:
        """Return the timeline for people, in blocks."""
        return render_page(case, events)

    def document_type(self, content: bytes) -> tuple[str, str]:
        """Return the suffix and the media type of a document, by its content."""
        if content.startswith(_XML_START):
            return "xml", "text/xml"
        known = media_type(content)
        if known is None:
            return "bin", "application/octet-stream"
        return _SUFFIXES.get(known, "bin"), known


def _root(name: str, *parts: str) -> bytes:
    return f'<{name} xmlns="{NAMESPACE}">{"".join(parts)}</{name}>'.encode()


def _content(content: ContentCount) -> str:
    return group(
        "content",
        element("kind", content.kind),
        element("path", DIRECTORIES[content.kind]),
        element("files", str(content.files)),
        element("why", _WHY[content.kind]),
    )


def _ground(decision: CaseDecision) -> str:
    ground = read_statement(decision.leaf.statement).get("ground")
    if not isinstance(ground, list):
        return ""
    kind, identifier, digest = ground
    return group(
        "ground",
        element("kind", kind),
        element("id", identifier),
        element("digest", binary(bytes.fromhex(digest))),
    )


def _rule(rule: JudgedRule) -> str:
    return group(
        "rule",
        element("kind", rule.kind),
        element("fact", rule.fact),
        element("result", rule.result),
        optional("attribute", rule.attribute),
    )


def _document(document: CaseDocument) -> str:
    return group(
        "document",
        element("digest", binary(document.digest)),
        optional("kind", document.kind),
        optional("file", document.file),
        optional("report", document.report),
    )


def _revocation(revocation: CaseRevocation | None) -> str:
    if revocation is None:
        return ""
    return group(
        "revocation",
        element("revokedAt", instant(revocation.revoked_at)),
        optional("file", revocation.file),
    )


def _leaf(leaf: CaseLeaf, tree_size: int) -> str:
    return group(
        "leaf",
        element("statement", binary(leaf.statement)),
        element("salt", binary(leaf.salt)),
        element("index", str(leaf.index)),
        element("treeSize", str(tree_size)),
        *(element("hash", binary(each)) for each in leaf.proof),
    )


# --- Reading ----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadLeaf(CaseLeaf):
    """A leaf as a file states it, with the size of the tree of its proof."""

    tree_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadDecision:
    """A decision as its file describes it."""

    disclosure_id: UUID
    decided_at: datetime
    request_id: UUID
    request_digest: bytes
    operation: str
    outcome: str
    codes: tuple[str, ...]
    attributes: frozenset[str]
    purpose: str | None
    agreement_number: str | None
    ground: tuple[str, UUID, bytes] | None
    documents: tuple[CaseDocument, ...]
    revocation: CaseRevocation | None
    leaf: ReadLeaf


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadAct:
    """An act as its file describes it."""

    number: int
    at: datetime
    who: str
    kind: str
    target: str
    leaf: ReadLeaf


def read_case(content: bytes) -> Case:
    """Return the head. Raises `DocumentError` (REQ-01)."""
    root = _parse(content, "Case")
    case_schema().check(root)
    reader = Reader(root)
    recipient = reader.inside("recipient")
    return Case(
        case_id=reader.read("caseId", uuid),
        operator=reader.read("operator", parse_member_code),
        recipient=recipient.read("code", parse_member_code),
        recipient_name=recipient.text("name"),
        begins=reader.read("from", read_instant),
        ends=reader.read("to", read_instant),
        scope=reader.read("scope", CaseScope),
        reason=reader.text("reason"),
        built_at=reader.read("builtAt", read_instant),
        log_key=reader.text("logKey"),
        tree_size=reader.read("treeSize", int),
        decisions=reader.read("decisions", int),
        included=reader.read("included", int),
        exceptions=tuple(
            (each.text("key"), each.read("count", int))
            for each in reader.each_inside("exceptionTotal")
        ),
        agreements=tuple(sorted(reader.texts("agreement"))),
        missing_documents=reader.read("missingDocuments", int),
        missing_trust=reader.read("missingTrust", int),
        contents=tuple(
            ContentCount(kind=each.read("kind", CaseContent), files=each.read("files", int))
            for each in reader.each_inside("content")
        ),
    )


def read_decision(content: bytes) -> ReadDecision:
    """Return the description of a decision. Raises `DocumentError` (REQ-01)."""
    root = _parse(content, "CaseDecision")
    case_decision_schema().check(root)
    reader = Reader(root)
    ground, revocation = reader.inside_if_any("ground"), reader.inside_if_any("revocation")
    return ReadDecision(
        disclosure_id=reader.read("disclosureId", uuid),
        decided_at=reader.read("decidedAt", read_instant),
        request_id=reader.read("requestId", uuid),
        request_digest=reader.read("requestDigest", read_binary),
        operation=reader.text("operation"),
        outcome=reader.text("outcome"),
        codes=tuple(each.text("code") for each in reader.each_inside("reason")),
        attributes=reader.texts("attribute"),
        purpose=reader.read_if_any("purpose", str),
        agreement_number=reader.read_if_any("agreementNumber", str),
        ground=None if ground is None else _read_ground(ground),
        documents=tuple(map(_read_document, reader.each_inside("document"))),
        revocation=None if revocation is None else _read_revocation(revocation),
        leaf=_read_leaf(reader.inside("leaf")),
    )


def read_act(content: bytes) -> ReadAct:
    """Return the description of an act. Raises `DocumentError` (REQ-01)."""
    root = _parse(content, "CaseAct")
    case_act_schema().check(root)
    reader = Reader(root)
    return ReadAct(
        number=reader.read("number", int),
        at=reader.read("at", read_instant),
        who=reader.text("who"),
        kind=reader.text("kind"),
        target=reader.text("target"),
        leaf=_read_leaf(reader.inside("leaf")),
    )


def read_receipt_leaf(signed: "Element") -> tuple[MemberCode, bytes]:
    """Return the operator and the leaf that a verified receipt names."""
    reader = Reader(signed)
    return reader.read("operator", parse_member_code), reader.read("leafHash", read_binary)


def _parse(content: bytes, name: str) -> "Element":
    try:
        return etree.fromstring(content, own_parser())
    except etree.XMLSyntaxError:
        raise malformed_document_error(name) from None


def _read_ground(reader: Reader) -> tuple[str, UUID, bytes]:
    return reader.text("kind"), reader.read("id", uuid), reader.read("digest", read_binary)


def _read_document(reader: Reader) -> CaseDocument:
    return CaseDocument(
        digest=reader.read("digest", read_binary),
        kind=reader.read_if_any("kind", str),
        file=reader.read_if_any("file", str),
        report=reader.read_if_any("report", str),
    )


def _read_revocation(reader: Reader) -> CaseRevocation:
    return CaseRevocation(
        revoked_at=reader.read("revokedAt", read_instant), file=reader.read_if_any("file", str)
    )


def _read_leaf(reader: Reader) -> ReadLeaf:
    return ReadLeaf(
        statement=reader.read("statement", read_binary),
        salt=reader.read("salt", read_binary),
        index=reader.read("index", int),
        tree_size=reader.read("treeSize", int),
        proof=reader.values("hash", read_binary),
    )
