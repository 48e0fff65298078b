"""Basis statements: what is read is what the official signed (Procedure, cl. 5)."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from makul.app.ports import DocumentError
from makul.documents import UnwritableError, XmlDocuments, render_basis
from makul.domain.consents import ResultForm
from makul.domain.legal_bases import AuthorisingAct, BasisStatement
from makul_testing.builders.documents import BASIS, BASIS_DISPLAY, OPERATOR, canonical, valid
from makul_testing.paths import SAMPLES

DOCUMENTS = XmlDocuments(OPERATOR)
PLAIN = render_basis(BASIS, BASIS_DISPLAY)


def read(document: bytes) -> BasisStatement:
    return DOCUMENTS.read_basis(etree.fromstring(document))


@given(
    st.builds(
        replace,
        st.just(BASIS),
        statement_id=st.uuids(),
        provision=st.from_regex(r"[A-Z][A-Z_]{1,20}", fullmatch=True),
        attributes=st.frozensets(st.from_regex(r"[a-z][A-Za-z]{1,9}", fullmatch=True), max_size=5),
        result_form=st.sampled_from(ResultForm),
        hidden_until=st.none() | st.just(datetime(2027, 1, 1, tzinfo=UTC)),
        max_disclosures=st.integers(1, 1_000_000),
        act=st.builds(
            AuthorisingAct,
            issuer=st.just("Сыноо соту"),
            number=st.just("1"),
            issued_on=st.dates(date(1950, 1, 1), date(2100, 1, 1)),
            digest=st.none() | st.binary(min_size=32, max_size=32),
        ),
    )
)
def test_statement_is_read_as_it_was_written(statement: BasisStatement) -> None:
    """An unknown provision is read too: it is an answer (LAW-01), not an error."""
    document = render_basis(statement, BASIS_DISPLAY)

    assert canonical(valid(document, "basis")) == document
    assert read(document) == statement


def test_a_statement_about_a_probe_names_no_subject() -> None:
    """Procedure, cl. 5.1: for 1:N, the probe's digest replaces the subject; both never occur."""
    about_probe = replace(BASIS, subject=None)
    display = replace(BASIS_DISPLAY, probe_digest=bytes(32))

    assert read(render_basis(about_probe, display)) == about_probe
    for statement, shown in ((BASIS, display), (about_probe, BASIS_DISPLAY)):
        with pytest.raises(UnwritableError):
            render_basis(statement, shown)


@pytest.mark.parametrize(
    ("name", "named"), [("basis-subject.xml", True), ("basis-probe.xml", False)]
)
def test_the_contracts_samples_are_read(name: str, named: bool) -> None:
    """The published examples can be read."""
    statement = read((SAMPLES / name).read_bytes())

    assert (statement.subject is not None) is named
    assert statement.official == "test-official-2"
    assert statement.issued_at == datetime(2026, 11, 1, 4, tzinfo=UTC)


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("10101199000001", "13102199000001", "subject"),
        ("JUDICIAL", "judicial", "provision"),
        ("<date>2026-10-30", "<date>2026-02-30", "date"),
        ("<date>2026-10-30", "<date>0000-01-01", "date"),
        ("<hiddenUntil>2027", "<hiddenUntil>never", "hiddenUntil"),
        ("<subject><pin>10101199000001</pin></subject>", "", "attributes"),
        ("<caseNumber>TEST-CASE-1</caseNumber>", "", "official"),
        ("<justification>", "<justification>&lt;", "justification"),
    ],
)
def test_a_malformed_statement_names_only_the_element(old: str, new: str, field: str) -> None:
    """REQ-01 names the element at which the statement fails, never its value."""
    assert old.encode() in PLAIN
    with pytest.raises(DocumentError) as caught:
        read(PLAIN.replace(old.encode(), new.encode()))

    assert caught.value.reason.field == field


def test_a_consent_is_not_read_as_a_basis() -> None:
    """No kind of document is read as another kind."""
    with pytest.raises(DocumentError) as caught:
        read(b'<Consent xmlns="urn:makul:consent:1"></Consent>')

    assert caught.value.reason.field == "BasisStatement"
