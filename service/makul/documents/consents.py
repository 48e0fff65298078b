"""Consent documents (consent.xsd; Procedure, cl. 4): read from verified XML, and drawn up.

What the decision needs is `Consent`; what only people need to read (names, texts, how to withdraw)
is `ConsentDisplay`, which the service never judges by and therefore never reads.
"""

from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from makul.app.ports import UnwritableError
from makul.documents.canonical import (
    binary,
    day,
    each,
    element,
    group,
    instant,
    optional,
)
from makul.documents.reading import Reader, subject_pin, uuid
from makul.documents.reading import binary as read_binary
from makul.documents.reading import instant as read_instant
from makul.documents.schemas import consent_schema
from makul.domain.consents import Consent, ResultForm
from makul.domain.identifiers import (
    MemberCode,
    Pin,
    parse_agreement_number,
    parse_member_code,
    parse_purpose,
)

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

NAMESPACE = "urn:makul:consent:1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """An organisation, for programs and for people."""

    member_code: MemberCode
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Representative:
    """Who consents for the subject, and by what authority."""

    name: str
    authority: str
    pin: Pin | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """A consent signed by hand: where it was, who took it, and the scan's SHA-256."""

    date: date
    place: str
    official: str
    media_type: str
    scan_digest: bytes


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class ConsentDisplay:
    """What a consent says to people besides what is judged. Personal data: it does not print."""

    surname: str
    given_name: str
    patronymic: str | None = None
    controller_name: str
    recipient_name: str
    purpose_text: str
    retention: str = "P1Y"
    """xs:duration: how long the recipient keeps the data."""
    withdrawal: str
    """How the subject can take the consent back."""
    onward: tuple[Party, ...] = ()
    relation_ref: str | None = None
    representative: Representative | None = None
    paper: Paper | None = None


def read_consent(signed: "Element") -> Consent:
    """A consent from its verified root element; raises `DocumentError` (REQ-01)."""
    consent_schema().check(signed)
    said = Reader(signed)
    attributes = said.inside_if_any("attributes")
    notice = said.inside("notice")
    return Consent(
        consent_id=said.read("consentId", uuid),
        subject=subject_pin(said.inside("subject")),
        controller=said.inside("controller").read("memberCode", parse_member_code),
        recipient=said.inside("recipient").read("memberCode", parse_member_code),
        agreement_number=said.read("agreementNumber", parse_agreement_number),
        notice_ref=notice.text("ref"),
        notice_digest=notice.read("digest", read_binary),
        language=notice.text("language"),
        purpose=said.inside("purpose").read("code", parse_purpose),
        attributes=frozenset() if attributes is None else attributes.texts("attribute"),
        methods=said.inside("matchMethods").texts("method"),
        result_form=said.read("resultForm", ResultForm),
        given_at=said.read("givenAt", read_instant),
        valid_from=said.read("validFrom", read_instant),
        valid_to=said.read("validTo", read_instant),
        max_disclosures=said.read("maxDisclosures", int),
        represented=said.has("representative"),
        representative=_representative_pin(said),
        on_paper=said.has("paper"),
    )


def _representative_pin(said: Reader) -> Pin | None:
    representative = said.inside_if_any("representative")
    return representative.read_if_any("pin", Pin) if representative is not None else None


def render_consent(consent: Consent, display: ConsentDisplay) -> bytes:
    """An unsigned consent document in exclusive canonical form, with `Id="consent-<consentId>"`.

    Raises `UnwritableError` where the two arguments tell of different documents.
    """
    if consent.represented != (display.representative is not None):
        raise UnwritableError("a represented consent names its representative, and no other does")
    if consent.on_paper != (display.paper is not None):
        raise UnwritableError("a consent on paper describes the paper, and no other does")
    said = (
        element("consentId", str(consent.consent_id)),
        group(
            "subject",
            element("pin", consent.subject.digits),
            element("surname", display.surname),
            element("givenName", display.given_name),
            optional("patronymic", display.patronymic),
        ),
        _representative(display.representative),
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
        _paper(display.paper),
    )
    root = f'<Consent xmlns="{NAMESPACE}" Id="consent-{consent.consent_id}">'
    return f"{root}{''.join(said)}</Consent>".encode()


def _party(role: str, code: MemberCode, name: str) -> str:
    return group(role, element("memberCode", code), element("name", name))


def _representative(representative: Representative | None) -> str:
    if representative is None:
        return ""
    return group(
        "representative",
        element("name", representative.name),
        optional("pin", representative.pin.digits if representative.pin is not None else None),
        element("authority", representative.authority),
    )


def _paper(paper: Paper | None) -> str:
    if paper is None:
        return ""
    return group(
        "paper",
        element("date", day(paper.date)),
        element("place", paper.place),
        element("official", paper.official),
        element("mediaType", paper.media_type),
        element("scanDigest", binary(paper.scan_digest)),
    )
