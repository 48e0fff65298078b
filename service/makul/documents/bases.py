"""Read basis statements from verified XML, and write them (basis.xsd; Procedure, cl. 5)."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lxml import etree

from makul.app.ports import DocumentError, UnwritableError
from makul.documents.canonical_writer import (
    binary,
    day,
    each,
    element,
    group,
    instant,
)
from makul.documents.schemas import basis_schema
from makul.documents.xml_reader import Reader, subject_pin, uuid
from makul.documents.xml_reader import binary as read_binary
from makul.documents.xml_reader import day as read_day
from makul.documents.xml_reader import instant as read_instant
from makul.domain.consents import ResultForm
from makul.domain.identifiers import parse_agreement_number, parse_member_code, parse_purpose
from makul.domain.legal_bases import AuthorisingAct, BasisStatement
from makul.net.xml_parser import own_parser

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

NAMESPACE = "urn:makul:basis:1"


@dataclass(frozen=True, slots=True, kw_only=True)
class BasisDisplay:
    """The parts of a basis statement that only people read. The service does not judge them."""

    recipient_name: str
    official_name: str
    purpose_text: str
    probe_digest: bytes | None = None
    """The SHA-256 digest of the probe, if the statement names no subject (1:N)."""


def read_basis(signed: "Element") -> BasisStatement:
    """Read a basis statement from its verified root element. Raises `DocumentError` (REQ-01)."""
    basis_schema().check(signed)
    reader = Reader(signed)
    attributes = reader.inside_if_any("attributes")
    subject = reader.inside_if_any("subject")
    return BasisStatement(
        statement_id=reader.read("statementId", uuid),
        recipient=reader.inside("recipient").read("memberCode", parse_member_code),
        agreement_number=reader.read("agreementNumber", parse_agreement_number),
        provision=reader.text("provision"),
        citation=reader.text("citation"),
        act=_read_act(reader.inside("authorisingAct")),
        case_number=reader.text("caseNumber"),
        official=reader.inside("official").text("identifier"),
        subject=None if subject is None else subject_pin(subject),
        purpose=reader.inside("purpose").read("code", parse_purpose),
        attributes=frozenset() if attributes is None else attributes.texts("attribute"),
        result_form=reader.read("resultForm", ResultForm),
        justification=reader.text("justification"),
        issued_at=reader.read("issuedAt", read_instant),
        valid_to=reader.read("validTo", read_instant),
        max_disclosures=reader.read("maxDisclosures", int),
        hidden_until=reader.read_if_any("hiddenUntil", read_instant),
    )


def _read_act(act: Reader) -> AuthorisingAct:
    return AuthorisingAct(
        issuer=act.text("issuer"),
        number=act.text("number"),
        issued_on=act.read("date", read_day),
        digest=act.read_if_any("digest", read_binary),
    )


def render_basis(statement: BasisStatement, display: BasisDisplay) -> bytes:
    """Return an unsigned basis statement in exclusive canonical form.

    Its root has `Id="basis-<statementId>"`. Raises `UnwritableError` unless the statement names
    exactly one of subject and probe.
    """
    hidden = statement.hidden_until
    parts = (
        element("statementId", str(statement.statement_id)),
        group(
            "recipient",
            element("memberCode", statement.recipient),
            element("name", display.recipient_name),
        ),
        element("agreementNumber", statement.agreement_number),
        element("provision", statement.provision),
        element("citation", statement.citation),
        _act(statement.act),
        element("caseNumber", statement.case_number),
        group(
            "official",
            element("identifier", statement.official),
            element("name", display.official_name),
        ),
        _render_about(statement, display),
        group("attributes", each("attribute", statement.attributes))
        if statement.attributes
        else "",
        group("purpose", element("code", statement.purpose), element("text", display.purpose_text)),
        element("resultForm", statement.result_form),
        element("justification", statement.justification),
        element("issuedAt", instant(statement.issued_at)),
        element("validTo", instant(statement.valid_to)),
        element("maxDisclosures", str(statement.max_disclosures)),
        "" if hidden is None else element("hiddenUntil", instant(hidden)),
    )
    root = f'<BasisStatement xmlns="{NAMESPACE}" Id="basis-{statement.statement_id}">'
    return f"{root}{''.join(parts)}</BasisStatement>".encode()


def _act(act: AuthorisingAct) -> str:
    return group(
        "authorisingAct",
        element("issuer", act.issuer),
        element("number", act.number),
        element("date", day(act.issued_on)),
        "" if act.digest is None else element("digest", binary(act.digest)),
    )


def _render_about(statement: BasisStatement, display: BasisDisplay) -> str:
    match statement.subject, display.probe_digest:
        case None, bytes() as digest:
            return element("probeDigest", binary(digest))
        case subject, None if subject is not None:
            return group("subject", element("pin", subject.digits))
    raise UnwritableError("a basis statement names either its subject or a probe")


def read_stored_basis(document: bytes) -> BasisStatement | None:
    """Read a stored basis statement; None for a document that cannot be read as one.

    The bytes were verified when the decision was made. The signature is not verified again.
    """
    try:
        return read_basis(etree.fromstring(document, own_parser()))
    except (etree.XMLSyntaxError, DocumentError):
        return None
