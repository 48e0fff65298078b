"""Agreements and approvals as documents: each is read back as it was written, with every term."""

from collections.abc import Mapping
from dataclasses import fields, replace
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from makul.app.ports import (
    AgreementDraft,
    DocumentError,
    NamedParty,
    NoticeApproval,
    UnwritableError,
)
from makul.documents.agreements import content_digest, read_agreement, render_agreement
from makul.documents.notices import read_approval, render_approval
from makul.domain.agreements import Agreement, AgreementState, Channel, Delivery
from makul.domain.attributes import Attribute
from makul.domain.identifiers import AgreementNumber, MemberCode, PurposeCode
from makul.domain.legal_bases import Provision
from makul.domain.matches import MatchMethod
from makul_testing.builders.documents import (
    AGREEMENT,
    AT,
    BANK,
    INSTANTS,
    OPERATOR,
    PURPOSE,
    canonical,
    valid,
)

BODY = NamedParty(code=MemberCode("GOV/00000009"), name="Сыноо органы")
TERMS = Agreement(
    number=AGREEMENT,
    recipient=BANK,
    state=AgreementState.DRAFT,
    valid_from=AT,
    valid_to=AT + timedelta(days=365),
    purposes=frozenset({PURPOSE, PurposeCode("LOAN")}),
    attributes=frozenset({Attribute.SURNAME, Attribute.ADDRESS}),
    methods=frozenset({MatchMethod.DEMOGRAPHIC}),
    channels=frozenset({Channel.WSSE}),
    provisions=frozenset({Provision.OFFICIAL_REQUEST}),
    powers={PURPOSE: frozenset({Attribute.ADDRESS})},
    competences={PURPOSE: "«Сыноо & мыйзам», 1-берене"},
    daily_quota=1_000,
)
DRAFT = AgreementDraft(
    terms=TERMS,
    drafted_at=AT,
    authorised_body=BODY,
    operator=NamedParty(code=OPERATOR, name="Сыноо оператору"),
    recipient_name="«Сыноо & банк» ААК",
)
APPROVAL = NoticeApproval(
    authorised_body=BODY,
    ref="TEST-NOTICE/1",
    digests={"ky": b"k" * 32, "ru": b"r" * 32, "en": b"e" * 32},
)

PURPOSES = st.sampled_from([PurposeCode(name) for name in ("LOAN", "CASE_1", "PENSION", "AA")])
NAMES = st.text(alphabet="AбҮң«»&'x", min_size=1, max_size=12)


def some(kind: Any, least: int = 1) -> st.SearchStrategy[frozenset[Any]]:
    return st.frozensets(st.sampled_from(list(kind)), min_size=least)


@st.composite
def drafts(draw: st.DrawFn) -> AgreementDraft:
    """Draw any terms that two parties could agree."""
    terms = Agreement(
        number=draw(st.sampled_from([AGREEMENT, AgreementNumber("9"), AgreementNumber("A-1/b_2")])),
        recipient=BANK,
        state=AgreementState.DRAFT,
        valid_from=draw(INSTANTS),
        valid_to=draw(INSTANTS),
        purposes=draw(st.frozensets(PURPOSES, min_size=1, max_size=5)),
        attributes=draw(some(Attribute)),
        methods=draw(some(MatchMethod)),
        channels=draw(some(Channel)),
        provisions=draw(some(Provision, least=0)),
        powers=draw(st.dictionaries(PURPOSES, some(Attribute), max_size=3)),
        competences=draw(st.dictionaries(PURPOSES, NAMES, max_size=3)),
        daily_quota=draw(st.none() | st.integers(1, 10_000_000)),
        delivery=draw(st.sampled_from(Delivery)),
        scores_out=draw(st.booleans()),
        paper_allowed=draw(st.booleans()),
        paper_daily_quota=draw(st.integers(1, 10_000)),
        representatives_allowed=draw(st.booleans()),
        undertakings_required=draw(st.booleans()),
    )
    return AgreementDraft(
        terms=terms,
        drafted_at=draw(INSTANTS),
        authorised_body=NamedParty(code=BODY.code, name=draw(NAMES)),
        operator=NamedParty(code=OPERATOR, name=draw(NAMES)),
        recipient_name=draw(NAMES),
    )


@given(drafts())
def test_an_agreement_reads_back_as_written(draft: AgreementDraft) -> None:
    """The document is valid by the published schema, and in the canonical form of its digest."""
    document = render_agreement(draft)
    root = valid(document, "agreement")

    assert canonical(root) == document
    assert read_agreement(root) == draft
    assert render_agreement(read_agreement(root)) == document


OTHER: Mapping[str, object] = {
    "number": AgreementNumber("TEST-2026/9"),
    "recipient": MemberCode("COM/9"),
    "valid_from": AT - timedelta(microseconds=1),
    "valid_to": AT + timedelta(days=366),
    "purposes": frozenset({PURPOSE}),
    "attributes": frozenset(Attribute),
    "methods": frozenset(MatchMethod),
    "channels": frozenset(Channel),
    "provisions": frozenset(Provision),
    "powers": {PURPOSE: frozenset({Attribute.SURNAME, Attribute.ADDRESS})},
    "competences": {PURPOSE: "Башка мыйзам"},
    "daily_quota": None,
    "requests_a_minute": 7,
    "bytes_a_day": 2**40,
    "delivery": Delivery.SEALED,
    "scores_out": True,
    "paper_allowed": True,
    "paper_daily_quota": 21,
    "representatives_allowed": True,
    "undertakings_required": True,
}


def test_every_term_is_signed() -> None:
    """If the document omitted a term, it could be changed behind three signatures."""
    assert set(OTHER) == {field.name for field in fields(Agreement)} - {"state"}
    written = {
        render_agreement(replace(DRAFT, terms=replace(TERMS, **{name: value})))  # type: ignore[arg-type]
        for name, value in OTHER.items()
    }

    assert len(written | {render_agreement(DRAFT)}) == len(OTHER) + 1


@pytest.mark.parametrize(
    "changes",
    [
        {"drafted_at": AT + timedelta(microseconds=1)},
        {"authorised_body": replace(BODY, name="Башка")},
        {"operator": replace(BODY, name="Башка")},
        {"recipient_name": "Башка"},
    ],
)
def test_each_draft_is_another_document(changes: dict[str, object]) -> None:
    """The parties and the time of the draft are part of what is signed."""
    changed = replace(DRAFT, **changes)  # type: ignore[arg-type]

    assert render_agreement(changed) != render_agreement(DRAFT)


@pytest.mark.parametrize(
    "changes",
    [
        {"recipient_name": ""},
        {"recipient_name": "two  spaces"},
        {"recipient_name": "a\x00b"},
        {"recipient_name": "x" * 301},
        {"terms": replace(TERMS, attributes=frozenset())},
        {"terms": replace(TERMS, state=AgreementState.IN_FORCE)},
    ],
)
def test_unreadable_agreement_is_not_written(changes: dict[str, object]) -> None:
    """No party is asked to sign a document that says something other than was meant."""
    with pytest.raises(UnwritableError):
        render_agreement(replace(DRAFT, **changes))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b">surname<", b">shoeSize<"),
        (b">demographic<", b">guess<"),
        (b">TYPED<", b">OPEN<"),
        (b"<channel>wsse</channel>", b""),
        (b"<Agreement ", b"<Consent "),
    ],
)
def test_other_content_is_malformed(old: bytes, new: bytes) -> None:
    """REQ-01 without an echo of the content."""
    changed = render_agreement(DRAFT).replace(old, new).replace(b"</Agreement>", b"</Agreement>")
    if old == b"<Agreement ":
        changed = changed.replace(b"</Agreement>", b"</Consent>")

    with pytest.raises(DocumentError):
        read_agreement(etree.fromstring(changed))


def test_content_is_compared_in_canonical_form() -> None:
    """Another prefix, order of attributes or quoting makes no difference; a space does."""
    document = render_agreement(DRAFT)
    dressed = document.replace(b'xmlns="', b"xmlns='").replace(
        b':1" Id="agreement"', b":1' Id='agreement'"
    )
    spaced = document.replace(b"<number>", b" <number>")
    digest = content_digest(etree.fromstring(document))

    assert content_digest(etree.fromstring(dressed)) == digest
    assert content_digest(etree.fromstring(spaced)) != digest


@given(
    st.from_regex(r"[A-Za-z0-9/-]{1,40}", fullmatch=True),
    st.lists(st.binary(min_size=32, max_size=32), min_size=3, max_size=3),
)
def test_an_approval_reads_back_as_written(ref: str, digests: list[bytes]) -> None:
    """The approval is valid by the published schema, and in canonical form."""
    approval = replace(
        APPROVAL, ref=ref, digests=dict(zip(("ky", "ru", "en"), digests, strict=True))
    )
    document = render_approval(approval)
    root = valid(document, "notice")

    assert canonical(root) == document
    assert read_approval(root) == approval


@pytest.mark.parametrize("languages", [("ky", "ru"), ("ky", "ru", "de"), ()])
def test_an_approval_has_three_languages(languages: tuple[str, ...]) -> None:
    """A reader of Russian must get the same information as a reader of Kyrgyz."""
    with pytest.raises(UnwritableError):
        render_approval(replace(APPROVAL, digests={name: bytes(32) for name in languages}))


def test_a_language_occurs_once() -> None:
    """Two Kyrgyz texts would be one too many and one too few."""
    twice = render_approval(APPROVAL).replace(b">ru<", b">ky<")

    with pytest.raises(DocumentError):
        read_approval(etree.fromstring(twice))
