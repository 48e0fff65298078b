"""Write and read the head and the pages of a monthly statement (month.xsd; Procedure, cl. 11)."""

from collections.abc import Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from lxml import etree

from makul.app.ports import DocumentError
from makul.documents.agreements import read_agreement
from makul.documents.bases import read_basis
from makul.documents.canonical_writer import attribute, binary, element, group, instant, optional
from makul.documents.consents import read_consent
from makul.documents.ground_forms import read_exact_form
from makul.documents.page_form import read_exact_page
from makul.documents.schemas import malformed_document_error, page_schema, statement_schema
from makul.documents.xml_reader import Reader, uuid
from makul.documents.xml_reader import binary as read_binary
from makul.documents.xml_reader import instant as read_instant
from makul.domain.agreements import Agreement
from makul.domain.disclosures import GroundKind, Outcome
from makul.domain.identifiers import parse_member_code
from makul.domain.monthly_statements import (
    GroundTerms,
    LineException,
    ListedDecision,
    MonthlyStatement,
    PageReference,
    StatementException,
    StatementLine,
    StatementPage,
    StatementTotals,
    Totals,
)
from makul.domain.months import parse_month
from makul.net.xml_parser import own_parser

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

NAMESPACE = "urn:makul:month:1"

_REMEMBERED = 1024
"""Maximum number of equal parts of lines in memory. A month has few different ones."""

_TOTALS = (
    ("operationTotal", "operations"),
    ("outcomeTotal", "outcomes"),
    ("groundTotal", "grounds"),
    ("purposeTotal", "purposes"),
    ("dayTotal", "days"),
    ("attributeTotal", "attributes"),
    ("refusalTotal", "refusals"),
    ("exceptionTotal", "exceptions"),
)
"""The totals by the name of their element, in the order of the schema, and of their field."""


class XmlStatementDocuments:
    """The adapter for `ports.StatementDocuments`."""

    def render_statement(self, statement: MonthlyStatement) -> bytes:
        """Return the unsigned head in exclusive canonical form; its root has an `Id`."""
        totals = statement.totals
        parts = (
            element("month", str(statement.month)),
            element("draft", "true" if statement.draft else "false"),
            element("operator", statement.operator),
            group(
                "recipient",
                element("code", statement.recipient),
                element("name", statement.recipient_name),
            ),
            *(element("agreement", number) for number in statement.agreements),
            element("builtAt", instant(statement.built_at)),
            element("checkpoint", binary(statement.checkpoint)),
            element("lines", str(totals.lines)),
            element("disclosures", str(totals.disclosures)),
            element("subjects", str(totals.subjects)),
            element("repetitions", str(totals.repetitions)),
            *(_totals(name, getattr(totals, field)) for name, field in _TOTALS),
            *map(_listed_exception, statement.exceptions),
            *map(_page_reference, statement.pages),
        )
        identifier = f"statement-{statement.month}-{statement.recipient.replace('/', '-')}"
        root = f'<MonthlyStatement xmlns="{NAMESPACE}" Id="{attribute(identifier)}">'
        return f"{root}{''.join(parts)}</MonthlyStatement>".encode()

    def render_page(self, page: StatementPage) -> bytes:
        """Return the page in exclusive canonical form, which `documents.page_form` reads."""
        parts = (
            element("month", str(page.month)),
            element("recipient", page.recipient),
            element("number", str(page.number)),
            *map(_line, page.lines),
        )
        return f'<StatementPage xmlns="{NAMESPACE}">{"".join(parts)}</StatementPage>'.encode()

    def read_agreement_terms(self, document: bytes) -> Agreement | None:
        """Return the terms of a draft of an agreement; None if it cannot be read."""
        try:
            return read_agreement(etree.fromstring(document, own_parser())).terms
        except (etree.XMLSyntaxError, DocumentError):
            return None

    def read_terms(self, kind: str, document: bytes) -> GroundTerms | None:
        """Return the terms of a ground; None if the document cannot be read as this kind.

        The bytes were verified when the decision was made. The signature is not verified again.
        """
        terms = read_exact_form(kind, document)
        if terms is not None:
            return terms
        try:
            root = etree.fromstring(document, own_parser())
            if kind == GroundKind.CONSENT:
                return _consent_terms(root)
            if kind == GroundKind.BASIS:
                return _basis_terms(root)
        except (etree.XMLSyntaxError, DocumentError):
            pass
        return None


def _consent_terms(root: "Element") -> GroundTerms:
    consent = read_consent(root)
    return GroundTerms(
        recipient=consent.recipient,
        subject=consent.subject,
        result_form=consent.result_form,
        max_disclosures=consent.max_disclosures,
        agreement_number=consent.agreement_number,
        purpose=consent.purpose,
        attributes=consent.attributes,
        valid_from=consent.begins_at,
        valid_to=consent.valid_to,
        on_paper=consent.on_paper,
    )


def _basis_terms(root: "Element") -> GroundTerms:
    statement = read_basis(root)
    return GroundTerms(
        recipient=statement.recipient,
        subject=statement.subject,
        result_form=statement.result_form,
        max_disclosures=statement.max_disclosures,
        agreement_number=statement.agreement_number,
        purpose=statement.purpose,
        attributes=statement.attributes,
        valid_from=statement.issued_at,
        valid_to=statement.valid_to,
        provision=statement.provision,
    )


def _totals(name: str, totals: Totals) -> str:
    return "".join(
        group(name, element("key", key), element("count", str(count))) for key, count in totals
    )


def _exception_parts(found: LineException) -> tuple[str, ...]:
    return (
        element("kind", found.kind),
        element("fact", found.fact),
        optional("attribute", found.attribute),
    )


def _listed_exception(found: StatementException) -> str:
    identifier = element("disclosureId", str(found.disclosure_id))
    return group("exception", identifier, *_exception_parts(found))


def _page_reference(page: PageReference) -> str:
    return group(
        "page",
        element("number", str(page.number)),
        element("lines", str(page.lines)),
        element("digest", binary(page.digest)),
    )


def _line(line: StatementLine) -> str:
    """Return one line. Ids, times and digests contain nothing to be escaped."""
    decision = line.decision
    return (
        f"<line><disclosureId>{decision.disclosure_id}</disclosureId>"
        f"<decidedAt>{instant(decision.decided_at)}</decidedAt>"
        f"<requestId>{decision.request_id}</requestId>"
        f"{_line_result(decision.operation, decision.outcome, decision.attributes)}"
        f"{_line_ground(decision.ground_kind, decision.ground_digest)}"
        f"<receiptDigest>{binary(decision.receipt_digest)}</receiptDigest>"
        f"{_line_exceptions(line.exceptions) if line.exceptions else ''}</line>"
    )


@lru_cache(maxsize=_REMEMBERED)
def _line_result(operation: str, outcome: str, attributes: tuple[str, ...]) -> str:
    parts = (element("attribute", name) for name in attributes)
    return "".join((element("operation", operation), element("outcome", outcome), *parts))


@lru_cache(maxsize=_REMEMBERED)
def _line_exceptions(exceptions: tuple[LineException, ...]) -> str:
    return "".join(group("exception", *_exception_parts(each)) for each in exceptions)


def _line_ground(kind: str | None, digest: bytes | None) -> str:
    if kind is None or digest is None:
        return ""
    return f"<ground>{_ground_kind(kind)}<digest>{binary(digest)}</digest></ground>"


@lru_cache(maxsize=_REMEMBERED)
def _ground_kind(kind: str) -> str:
    return element("kind", kind)


def read_statement(signed: "Element") -> MonthlyStatement:
    """Read a head from its verified root element. Raises `DocumentError` (REQ-01)."""
    statement_schema().check(signed)
    reader = Reader(signed)
    recipient = reader.inside("recipient")
    return MonthlyStatement(
        month=reader.read("month", parse_month),
        draft=reader.text("draft") == "true",
        operator=reader.read("operator", parse_member_code),
        recipient=recipient.read("code", parse_member_code),
        recipient_name=recipient.text("name"),
        agreements=tuple(sorted(reader.texts("agreement"))),
        built_at=reader.read("builtAt", read_instant),
        checkpoint=reader.read("checkpoint", read_binary),
        totals=StatementTotals(
            lines=reader.read("lines", int),
            disclosures=reader.read("disclosures", int),
            subjects=reader.read("subjects", int),
            repetitions=reader.read("repetitions", int),
            **{field: _read_totals(reader.each_inside(name)) for name, field in _TOTALS},
        ),
        exceptions=tuple(map(_read_exception, reader.each_inside("exception"))),
        pages=tuple(map(_read_page_reference, reader.each_inside("page"))),
    )


def page_digest(head: bytes, number: int) -> bytes | None:
    """Return the digest of a page that a head names; None if it names no such page.

    The head must have been verified before.
    """
    pages = Reader(etree.fromstring(head, own_parser())).each_inside("page")
    references = {each.number: each for each in map(_read_page_reference, pages)}
    return references[number].digest if number in references else None


def _read_totals(readers: Iterable[Reader]) -> Totals:
    return tuple((each.text("key"), each.read("count", int)) for each in readers)


def _read_exception(reader: Reader) -> StatementException:
    return StatementException(
        disclosure_id=reader.read("disclosureId", uuid),
        kind=reader.text("kind"),
        fact=reader.text("fact"),
        attribute=reader.read_if_any("attribute", str),
    )


def _read_page_reference(reader: Reader) -> PageReference:
    return PageReference(
        number=reader.read("number", int),
        lines=reader.read("lines", int),
        digest=reader.read("digest", read_binary),
    )


def read_page(content: bytes) -> StatementPage:
    """Return a page. Raises `DocumentError` (REQ-01).

    The head must have named the digest of these bytes before. The attributes of a line are sorted.
    """
    page = read_exact_page(content)
    if page is not None:
        return page
    try:
        root = etree.fromstring(content, own_parser())
    except etree.XMLSyntaxError:
        raise malformed_document_error("StatementPage") from None
    page_schema().check(root)
    reader = Reader(root)
    return StatementPage(
        month=reader.read("month", parse_month),
        recipient=reader.read("recipient", parse_member_code),
        number=reader.read("number", int),
        lines=tuple(map(_read_line, reader.each_inside("line"))),
    )


def _read_line(reader: Reader) -> StatementLine:
    ground = reader.inside_if_any("ground")
    decision = ListedDecision(
        disclosure_id=reader.read("disclosureId", uuid),
        decided_at=reader.read("decidedAt", read_instant),
        request_id=reader.read("requestId", uuid),
        operation=reader.text("operation"),
        outcome=reader.read("outcome", Outcome),
        attributes=tuple(sorted(reader.texts("attribute"))),
        ground_kind=None if ground is None else ground.text("kind"),
        ground_digest=None if ground is None else ground.read("digest", read_binary),
        receipt_digest=reader.read("receiptDigest", read_binary),
    )
    exceptions = tuple(map(_read_line_exception, reader.each_inside("exception")))
    return StatementLine(decision=decision, exceptions=exceptions)


def _read_line_exception(reader: Reader) -> LineException:
    return LineException(
        kind=reader.text("kind"),
        fact=reader.text("fact"),
        attribute=reader.read_if_any("attribute", str),
    )
