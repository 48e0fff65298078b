"""Consent documents: what is read is what was signed (Procedure, cl. 4)."""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from makul.app.ports import DocumentError
from makul.documents import (
    PaperConsentDetails,
    Party,
    Representative,
    UnwritableError,
    XmlDocuments,
    render_consent,
)
from makul.domain.consents import Consent, PaperConsent, Representation, ResultForm
from makul.domain.reasons import Code
from makul_testing.builders.documents import (
    BANK,
    CONSENT,
    CONSENT_DISPLAY,
    INSTANTS,
    OPERATOR,
    SUBJECT,
    canonical,
    valid,
)
from makul_testing.paths import SAMPLES

DOCUMENTS = XmlDocuments(OPERATOR)
PLAIN = render_consent(CONSENT, CONSENT_DISPLAY)
NAMES = st.text(alphabet="АБВГДЕабвгдежзөүңӨҮҢ &<>'\"-", min_size=1, max_size=40)


def read(document: bytes) -> Consent:
    return DOCUMENTS.read_consent(etree.fromstring(document))


def refused_field(document: bytes) -> str | None:
    with pytest.raises(DocumentError) as caught:
        read(document)
    assert caught.value.reason.code is Code.REQ_01
    assert str(caught.value) == "REQ-01"
    return caught.value.reason.field


@given(
    st.builds(
        replace,
        st.just(CONSENT),
        consent_id=st.uuids(),
        notice_digest=st.binary(min_size=32, max_size=32),
        language=st.sampled_from(["ky", "ru", "en"]),
        attributes=st.frozensets(st.from_regex(r"[a-z][A-Za-z]{1,9}", fullmatch=True), max_size=5),
        methods=st.frozensets(st.sampled_from(["demographic", "face", "finger"]), min_size=1),
        result_form=st.sampled_from(ResultForm),
        given_at=INSTANTS,
        valid_from=INSTANTS,
        valid_to=INSTANTS,
        max_disclosures=st.integers(1, 1_000_000),
    )
)
def test_consent_is_read_as_it_was_written(consent: Consent) -> None:
    """Rendering and reading are inverse, and the document is canonical and valid."""
    document = render_consent(consent, CONSENT_DISPLAY)

    assert canonical(valid(document, "consent")) == document
    assert read(document) == consent


def test_representative_paper_and_onward_recipients_are_carried() -> None:
    """All parts of a consent are read; the decision checks their presence (CNS-11, CNS-12)."""
    consent = replace(
        CONSENT,
        representative=Representation(
            pin=SUBJECT,
            kind="POWER_OF_ATTORNEY",
            valid_to=date(2027, 11, 1),
            document_digest=bytes(range(32)),
            media_type="image/png",
        ),
        paper=PaperConsent(
            date=date(2026, 11, 1),
            official="test-official-1",
            media_type="application/pdf",
            scan_digest=bytes(32),
        ),
    )
    display = replace(
        CONSENT_DISPLAY,
        representative=Representative(
            name="Үлгүлөв", number="1-2026", issued_on=date(2026, 10, 1), issuer="Сыноо нотариус"
        ),
        paper=PaperConsentDetails(place="Сыноо шаары"),
        onward=(Party(member_code=BANK, name="«Сыноо» ЖЧК"),),
        relation_ref="TEST-CONTRACT-1",
    )
    document = render_consent(consent, display)

    valid(document, "consent")
    assert read(document) == consent
    for half in (replace(display, paper=None), replace(display, representative=None)):
        with pytest.raises(UnwritableError):
            render_consent(consent, half)
    with pytest.raises(UnwritableError):
        render_consent(CONSENT, display)


def test_display_data_do_not_print() -> None:
    """docs/architecture.md, invariant 7: a repr does not bring a subject's names into a log."""
    assert CONSENT_DISPLAY.surname not in repr(CONSENT_DISPLAY)


@pytest.mark.parametrize(
    ("name", "represented", "on_paper"),
    [
        ("consent-electronic.xml", False, False),
        ("consent-paper.xml", False, True),
        ("consent-represented-yes-no.xml", True, False),
    ],
)
def test_the_contracts_samples_are_read(name: str, represented: bool, on_paper: bool) -> None:
    """The published examples, with white space and a signature, are read; local time
    becomes UTC.
    """
    consent = read((SAMPLES / name).read_bytes())

    assert (consent.represented, consent.on_paper) == (represented, on_paper)
    assert consent.valid_from == datetime(2026, 11, 1, 4, tzinfo=UTC)
    assert consent.valid_from.tzinfo is UTC
    assert consent.methods == {"demographic", "face"}


def swap(old: str, new: str) -> Callable[[], bytes]:
    def mutated() -> bytes:
        assert PLAIN.count(old.encode()) >= 1
        return PLAIN.replace(old.encode(), new.encode(), 1)

    return mutated


@pytest.mark.parametrize(
    ("mutant", "field"),
    [
        (swap("<pin>10101199000001", "<pin>10199199000001"), "pin"),
        (swap("<pin>10101199000001", "<pin>13102199000001"), "subject"),
        (swap("<pin>10101199000001", "<pin>1 0101199000001"), "pin"),
        (swap("<pin>10101199000001", "<pin>１0101199000001"), "pin"),
        (swap("COM/00000001", "com/1"), "memberCode"),
        (swap("TEST-2026/001", "TEST 2026"), "agreementNumber"),
        (swap("<maxDisclosures>1<", "<maxDisclosures>0<"), "maxDisclosures"),
        (swap("<maxDisclosures>1<", "<maxDisclosures>1000001<"), "maxDisclosures"),
        (swap("<resultForm>DATA<", "<resultForm>ALL<"), "resultForm"),
        (swap("<attribute>surname<", "<attribute>*<"), "attribute"),
        (swap("<validTo>2027", "<validTo>12027"), "validTo"),
        (swap("<validTo>2027-11-02T04:15:00.123000Z", "<validTo>2027-11-02T04:15:00"), "validTo"),
        (swap("<validTo>2027-11-02T04:15:00.123000Z", "<validTo>2027-11-02T24:00:00Z"), "validTo"),
        (swap("<validTo>2027-11-02T04:15:00.123000Z", "<validTo>2027-02-30T04:15:00Z"), "validTo"),
        (
            swap("<validTo>2027-11-02T04:15:00.123000Z", "<validTo>9999-12-31T23:59:59-14:00"),
            "validTo",
        ),
        (
            swap("<givenAt>2026-11-02T04:15:00.123000Z", "<givenAt>0001-01-01T00:00:00+14:00"),
            "givenAt",
        ),
        (swap("<digest>", "<digest>AA"), "digest"),
        (swap("</Consent>", "<extra></extra></Consent>"), "Consent"),
        (swap("<withdrawal>", '<withdrawal x="1">'), "withdrawal"),
        (swap(' Id="', ' onlyFor="'), "Consent"),
    ],
)
def test_a_malformed_document_names_only_the_element(
    mutant: Callable[[], bytes], field: str
) -> None:
    """REQ-01 has the element's name, and neither a value nor a name that the attacker chose."""
    assert refused_field(mutant()) == field


def test_an_element_named_by_the_document_is_not_repeated() -> None:
    """Attack: personal data as an element's name would appear in a reason."""
    smuggled = PLAIN.replace(b"<withdrawal>", b"<secret10101199000001/><withdrawal>")

    assert refused_field(smuggled) == "Consent"


@pytest.mark.parametrize(
    "document",
    [
        b'<Fault xmlns="urn:makul:types:1"></Fault>',
        PLAIN.replace(b"urn:makul:consent:1", b"urn:makul:consent:2"),
        b'<BasisStatement xmlns="urn:makul:basis:1"></BasisStatement>',
        b"<Consent></Consent>",
    ],
)
def test_another_root_is_no_consent(document: bytes) -> None:
    """A schema accepts every global element that it imports, but only one of them is a consent."""
    assert refused_field(document) == "Consent"


@pytest.mark.parametrize("noise", [b"<!-- -->", b"<?pi?>"])
def test_comments_and_instructions_are_refused(noise: bytes) -> None:
    """Attack: `.text` ends at a comment, so COM/00000001<!-- -->9 would be read as another code."""
    assert refused_field(PLAIN.replace(b"COM/0", b"COM/" + noise + b"0")) == "Consent"


def test_the_order_and_the_number_of_elements_are_fixed() -> None:
    """Attack: no code reads a second `recipient`, or one in another position."""
    root = etree.fromstring(PLAIN)
    recipient = root[3]
    assert recipient.tag.endswith("}recipient")
    root.insert(3, etree.fromstring(etree.tostring(recipient)))
    assert refused_field(etree.tostring(root)) == "recipient"

    root = etree.fromstring(PLAIN)
    root.append(root[3])
    assert refused_field(etree.tostring(root)) is not None


def test_a_foreign_element_of_the_same_name_is_not_read() -> None:
    """Attack: other content may stand inside the signature, but it is not the
    document's content.
    """
    evil = (
        b'<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:Object>'
        b"<representative/><validTo>9000-01-01T00:00:00Z</validTo></ds:Object></ds:Signature>"
    )
    consent = read(PLAIN.replace(b"</Consent>", evil + b"</Consent>"))

    assert consent == CONSENT


def test_white_space_around_values_is_not_part_of_them() -> None:
    """xs:token, xs:dateTime and xs:int collapse white space, and so does the reader."""
    spaced = PLAIN
    for name in (b"pin", b"consentId", b"validTo", b"maxDisclosures", b"digest", b"method"):
        spaced = spaced.replace(b"<" + name + b">", b"<" + name + b">\n\t ")

    assert read(spaced) == CONSENT


@given(NAMES)
def test_any_name_is_carried_unchanged(name: str) -> None:
    """Kyrgyz letters, quotes and markup characters are a value, never XML."""
    document = render_consent(CONSENT, replace(CONSENT_DISPLAY, surname=name))
    root = etree.fromstring(document)

    assert canonical(root) == document
    assert root.findtext("{*}subject/{*}surname") == name


@pytest.mark.parametrize("names", [("Үлгүлөва", None), (None, "Айгүл")])
def test_a_subject_may_have_one_name(names: tuple[str | None, str | None]) -> None:
    """Procedure, cl. 4: a person with one name can consent; the other name is omitted,
    not empty.
    """
    display = replace(CONSENT_DISPLAY, surname=names[0], given_name=names[1])
    document = render_consent(CONSENT, display)

    assert read(document) == CONSENT
    assert len(valid(document, "consent").xpath("//*[local-name()='subject']/*")) == 3


def test_a_subject_without_a_name_is_refused() -> None:
    """The subject would otherwise not see whose consent they sign."""
    nameless = re.sub(b"<(surname|givenName)>[^<]*</(surname|givenName)>", b"", PLAIN)

    assert refused_field(nameless) == "subject"
    with pytest.raises(UnwritableError):
        render_consent(CONSENT, replace(CONSENT_DISPLAY, surname=None, given_name=None))
