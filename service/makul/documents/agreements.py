"""Read and write agreements, with the terms that the three parties sign (agreement.xsd).

The Procedure requires them in cl. 7.
"""

from collections.abc import Callable
from hashlib import sha256
from typing import TYPE_CHECKING, TypeVar

from lxml import etree

from makul.app.ports import AgreementDraft, DocumentError, NamedParty, UnwritableError
from makul.documents.canonical_writer import each, element, group, instant, optional
from makul.documents.schemas import agreement_schema
from makul.documents.xml_reader import Reader
from makul.documents.xml_reader import instant as read_instant
from makul.domain.agreements import Agreement, AgreementState, Channel, Delivery
from makul.domain.attributes import Attribute
from makul.domain.identifiers import (
    PurposeCode,
    parse_agreement_number,
    parse_member_code,
    parse_purpose,
)
from makul.domain.legal_bases import Provision
from makul.domain.matches import MatchMethod
from makul.net.xml_parser import own_parser

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

NAMESPACE = "urn:makul:agreement:1"

ValueT = TypeVar("ValueT")


def render_agreement(draft: AgreementDraft) -> bytes:
    """Return an unsigned agreement in exclusive canonical form.

    The state of an agreement is not one of its terms. Raises `UnwritableError` if the terms would
    differ after they are read back.
    """
    terms = draft.terms
    parts = (
        element("number", terms.number),
        element("draftedAt", instant(draft.drafted_at)),
        _party("authorisedBody", draft.authorised_body),
        _party("operator", draft.operator),
        _party("recipient", NamedParty(code=terms.recipient, name=draft.recipient_name)),
        element("validFrom", instant(terms.valid_from)),
        element("validTo", instant(terms.valid_to)),
        group("purposes", each("purpose", terms.purposes)),
        group("attributes", each("attribute", terms.attributes)),
        group("methods", each("method", terms.methods)),
        group("channels", each("channel", terms.channels)),
        group("provisions", each("provision", terms.provisions)) if terms.provisions else "",
        group("powers", *_powers(terms)) if terms.powers else "",
        group("competences", *map(_competence, sorted(terms.competences.items())))
        if terms.competences
        else "",
        optional("dailyQuota", _number_text(terms.daily_quota)),
        optional("requestsPerMinute", _number_text(terms.requests_a_minute)),
        optional("bytesPerDay", _number_text(terms.bytes_a_day)),
        element("delivery", terms.delivery),
        element("scoresOut", _boolean(terms.scores_out)),
        element("paperAllowed", _boolean(terms.paper_allowed)),
        element("paperDailyQuota", str(terms.paper_daily_quota)),
        element("representativesAllowed", _boolean(terms.representatives_allowed)),
        element("undertakingsRequired", "true") if terms.undertakings_required else "",
    )
    root = f'<Agreement xmlns="{NAMESPACE}" Id="agreement">'
    document = f"{root}{''.join(parts)}</Agreement>".encode()
    _must_read_back(document, draft)
    return document


def _number_text(number: int | None) -> str | None:
    return None if number is None else str(number)


def read_agreement(signed: "Element") -> AgreementDraft:
    """Read the terms in a verified root element.

    Their state is DRAFT, because a document by itself does not bring an agreement into force.
    Raises `DocumentError` (REQ-01).
    """
    agreement_schema().check(signed)
    reader = Reader(signed)
    recipient = _read_party(reader.inside("recipient"))
    terms = Agreement(
        number=reader.read("number", parse_agreement_number),
        recipient=recipient.code,
        state=AgreementState.DRAFT,
        valid_from=reader.read("validFrom", read_instant),
        valid_to=reader.read("validTo", read_instant),
        purposes=_read_all(reader.inside("purposes"), "purpose", parse_purpose),
        attributes=_read_all(reader.inside("attributes"), "attribute", Attribute),
        methods=_read_all(reader.inside("methods"), "method", MatchMethod),
        channels=_read_all(reader.inside("channels"), "channel", Channel),
        provisions=_read_all(reader.inside_if_any("provisions"), "provision", Provision),
        powers=_read_powers(reader.inside_if_any("powers")),
        competences=_read_competences(reader.inside_if_any("competences")),
        daily_quota=reader.read_if_any("dailyQuota", int),
        requests_a_minute=reader.read_if_any("requestsPerMinute", int),
        bytes_a_day=reader.read_if_any("bytesPerDay", int),
        delivery=reader.read("delivery", Delivery),
        scores_out=reader.read("scoresOut", _read_boolean),
        paper_allowed=reader.read("paperAllowed", _read_boolean),
        paper_daily_quota=reader.read("paperDailyQuota", int),
        representatives_allowed=reader.read("representativesAllowed", _read_boolean),
        undertakings_required=reader.read_if_any("undertakingsRequired", _read_boolean) or False,
    )
    return AgreementDraft(
        terms=terms,
        drafted_at=reader.read("draftedAt", read_instant),
        authorised_body=_read_party(reader.inside("authorisedBody")),
        operator=_read_party(reader.inside("operator")),
        recipient_name=recipient.name,
    )


def content_digest(signed: "Element") -> bytes:
    """Return the SHA-256 digest of the signed content in exclusive canonical form.

    Two digests are equal only if the words are the same.
    """
    return sha256(
        etree.tostring(signed, method="c14n", exclusive=True, with_comments=False)
    ).digest()


def _must_read_back(document: bytes, draft: AgreementDraft) -> None:
    try:
        same = read_agreement(etree.fromstring(document, own_parser())) == draft
    except DocumentError:
        same = False
    if not same:
        raise UnwritableError("an agreement's terms do not fit its schema")


def _party(name: str, party: NamedParty) -> str:
    return group(name, element("memberCode", party.code), element("name", party.name))


def _read_party(party: Reader) -> NamedParty:
    return NamedParty(code=party.read("memberCode", parse_member_code), name=party.text("name"))


def _powers(terms: Agreement) -> list[str]:
    return [
        group("power", element("purpose", purpose), each("attribute", terms.powers[purpose]))
        for purpose in sorted(terms.powers)
    ]


def _read_powers(powers: Reader | None) -> dict[PurposeCode, frozenset[Attribute]]:
    return {
        power.read("purpose", parse_purpose): _read_all(power, "attribute", Attribute)
        for power in (powers.each_inside("power") if powers is not None else ())
    }


def _competence(stated: tuple[PurposeCode, str]) -> str:
    purpose, citation = stated
    return group("competence", element("purpose", purpose), element("citation", citation))


def _read_competences(competences: Reader | None) -> dict[PurposeCode, str]:
    return {
        each.read("purpose", parse_purpose): each.text("citation")
        for each in (competences.each_inside("competence") if competences is not None else ())
    }


def _read_all(
    listed: Reader | None, name: str, parse: Callable[[str], ValueT]
) -> frozenset[ValueT]:
    return frozenset() if listed is None else listed.read_all(name, parse)


def _boolean(value: bool) -> str:
    return "true" if value else "false"


def _read_boolean(value: str) -> bool:
    """Read a boolean of agreement.xsd, type Flag, which allows one spelling of each value."""
    return value == "true"
