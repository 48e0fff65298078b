"""Read consents from verified XML, and write them (consent.xsd; Procedure, cl. 4).

`Consent` contains what a decision needs. `ConsentDisplay` contains what only people read: names,
texts, how to revoke the consent. The service never judges these parts, so it never reads them.
"""

from dataclasses import dataclass
from datetime import date
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
    optional,
)
from makul.documents.schemas import consent_schema, malformed_document_error
from makul.documents.xml_reader import Reader, subject_pin, uuid
from makul.documents.xml_reader import binary as read_binary
from makul.documents.xml_reader import day as read_day
from makul.documents.xml_reader import instant as read_instant
from makul.domain.consents import Consent, PaperConsent, Representation, ResultForm
from makul.domain.identifiers import (
    MemberCode,
    Pin,
    parse_agreement_number,
    parse_member_code,
    parse_purpose,
)
from makul.net.xml_parser import own_parser

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

NAMESPACE = "urn:makul:consent:1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """An organisation, with its code for programs and its name for people."""

    member_code: MemberCode
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Representative:
    """The person who consents for the subject, and the document that authorises this person."""

    name: str
    number: str
    """The number of the authority document. `Consent` contains its kind, term and digest."""
    issued_on: date
    issuer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PaperConsentDetails:
    """The location at which a consent was signed by hand. `Consent` contains the other facts."""

    place: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ConsentDisplay:
    """The parts of a consent that only people read.

    They are personal data, so `repr` does not show them.
    """

    surname: str | None = None
    given_name: str | None = None
    """The given name. At least one of surname and given name must be present; a person with one
    name has only one of the two."""
    patronymic: str | None = None
    controller_name: str
    recipient_name: str
    purpose_text: str
    retention: str = "P1Y"
    """The time for which the recipient keeps the data, as xs:duration."""
    withdrawal: str
    """The text on how the subject can revoke the consent."""
    onward: tuple[Party, ...] = ()
    relation_ref: str | None = None
    representative: Representative | None = None
    paper: PaperConsentDetails | None = None


def read_consent(signed: "Element") -> Consent:
    """Read a consent from its verified root element. Raises `DocumentError` (REQ-01)."""
    consent_schema().check(signed)
    reader = Reader(signed)
    attributes = reader.inside_if_any("attributes")
    notice = reader.inside("notice")
    subject = reader.inside("subject")
    if all(subject.read_if_any(name, str) is None for name in ("surname", "givenName")):
        raise malformed_document_error(
            "subject"
        )  # without a name the subject could not see whose consent it is
    return Consent(
        consent_id=reader.read("consentId", uuid),
        subject=subject_pin(subject),
        controller=reader.inside("controller").read("memberCode", parse_member_code),
        recipient=reader.inside("recipient").read("memberCode", parse_member_code),
        agreement_number=reader.read("agreementNumber", parse_agreement_number),
        notice_ref=notice.text("ref"),
        notice_digest=notice.read("digest", read_binary),
        language=notice.text("language"),
        purpose=reader.inside("purpose").read("code", parse_purpose),
        attributes=frozenset() if attributes is None else attributes.texts("attribute"),
        methods=reader.inside("matchMethods").texts("method"),
        result_form=reader.read("resultForm", ResultForm),
        given_at=reader.read("givenAt", read_instant),
        valid_from=reader.read("validFrom", read_instant),
        valid_to=reader.read("validTo", read_instant),
        max_disclosures=reader.read("maxDisclosures", int),
        representative=_read_representative(reader.inside_if_any("representative")),
        paper=_read_paper(reader.inside_if_any("paper")),
    )


def _read_representative(reader: Reader | None) -> Representation | None:
    if reader is None:
        return None
    authority = reader.inside("authority")
    return Representation(
        pin=reader.read_if_any("pin", Pin),
        kind=authority.text("kind"),
        valid_to=authority.read_if_any("validTo", read_day),
        document_digest=authority.read("digest", read_binary),
        media_type=authority.text("mediaType"),
    )


def _read_paper(reader: Reader | None) -> PaperConsent | None:
    if reader is None:
        return None
    return PaperConsent(
        date=reader.read("date", read_day),
        official=reader.text("official"),
        media_type=reader.text("mediaType"),
        scan_digest=reader.read("scanDigest", read_binary),
    )


def render_consent(consent: Consent, display: ConsentDisplay) -> bytes:
    """Return an unsigned consent in exclusive canonical form, with `Id="consent-<consentId>"`.

    Raises `UnwritableError` if only one of the two arguments has a representative or describes a
    consent on paper, and for a subject without a name.
    """
    if display.surname is None and display.given_name is None:
        raise UnwritableError("a subject has at least one name")
    if (consent.representative is not None) != (display.representative is not None):
        raise UnwritableError("a represented consent names its representative, and no other does")
    if (consent.paper is not None) != (display.paper is not None):
        raise UnwritableError("a consent on paper describes the paper, and no other does")
    parts = (
        element("consentId", str(consent.consent_id)),
        group(
            "subject",
            element("pin", consent.subject.digits),
            optional("surname", display.surname),
            optional("givenName", display.given_name),
            optional("patronymic", display.patronymic),
        ),
        _representative(consent.representative, display.representative),
        _party("controller", consent.controller, display.controller_name),
        _party("recipient", consent.recipient, display.recipient_name),
        element("agreementNumber", consent.agreement_number),
        group(
            "notice",
            element("ref", consent.notice_ref),
            element("digest", binary(consent.notice_digest)),
            element("language", consent.language),
        ),
        group("purpose", element("code", consent.purpose), element("text", display.purpose_text)),
        group("attributes", each("attribute", consent.attributes)) if consent.attributes else "",
        group("matchMethods", each("method", consent.methods)),
        element("resultForm", consent.result_form),
        element("givenAt", instant(consent.given_at)),
        element("validFrom", instant(consent.valid_from)),
        element("validTo", instant(consent.valid_to)),
        element("maxDisclosures", str(consent.max_disclosures)),
        element("retentionAtRecipient", display.retention),
        group(
            "onwardRecipients",
            *(_party("recipient", party.member_code, party.name) for party in display.onward),
        ),
        element("withdrawal", display.withdrawal),
        optional("relationRef", display.relation_ref),
        _paper(consent.paper, display.paper),
    )
    root = f'<Consent xmlns="{NAMESPACE}" Id="consent-{consent.consent_id}">'
    return f"{root}{''.join(parts)}</Consent>".encode()


def _party(role: str, code: MemberCode, name: str) -> str:
    return group(role, element("memberCode", code), element("name", name))


def _representative(representation: Representation | None, display: Representative | None) -> str:
    if representation is None or display is None:
        return ""
    return group(
        "representative",
        element("name", display.name),
        optional("pin", representation.pin.digits if representation.pin is not None else None),
        group(
            "authority",
            element("kind", representation.kind),
            element("number", display.number),
            element("date", day(display.issued_on)),
            element("issuer", display.issuer),
            optional(
                "validTo",
                day(representation.valid_to) if representation.valid_to is not None else None,
            ),
            element("mediaType", representation.media_type),
            element("digest", binary(representation.document_digest)),
        ),
    )


def _paper(paper: PaperConsent | None, display: PaperConsentDetails | None) -> str:
    if paper is None or display is None:
        return ""
    return group(
        "paper",
        element("date", day(paper.date)),
        element("place", display.place),
        element("official", paper.official),
        element("mediaType", paper.media_type),
        element("scanDigest", binary(paper.scan_digest)),
    )


def read_stored_retention(document: bytes) -> str | None:
    """Read how long the recipient may keep the data; None for another document.

    The bytes were verified when they were recorded, as in `read_stored_consent`.
    """
    try:
        root = etree.fromstring(document, own_parser())
        consent_schema().check(root)
        return Reader(root).text("retentionAtRecipient")
    except (etree.XMLSyntaxError, DocumentError):
        return None


def read_stored_consent(document: bytes) -> Consent | None:
    """Read a stored consent; None for a document that cannot be read as one.

    The bytes were verified when they were recorded. The signature is not verified again.
    """
    try:
        return read_consent(etree.fromstring(document, own_parser()))
    except (etree.XMLSyntaxError, DocumentError):
        return None
