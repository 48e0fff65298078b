"""The head and pages of a monthly statement, and the terms of grounds (month.xsd)."""

import random
import re
from dataclasses import fields, replace
from datetime import date
from uuid import UUID

import pytest
from lxml import etree

from makul.app.ports import DocumentError
from makul.documents import PaperConsentDetails, monthly_statements, render_basis, render_consent
from makul.documents.monthly_statements import (
    XmlStatementDocuments,
    read_page,
    read_statement,
)
from makul.documents.page_form import read_exact_page
from makul.domain.consents import PaperConsent
from makul.domain.identifiers import MemberCode
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
)
from makul_testing.builders.documents import (
    BASIS,
    BASIS_DISPLAY,
    CONSENT,
    CONSENT_DISPLAY,
    canonical,
    valid,
)
from makul_testing.builders.months import BUILT_AT, OCTOBER, month_decisions
from makul_testing.builders.records import BANK

DOCUMENTS = XmlStatementDocuments()
FOUND = LineException(kind="OUT_OF_SCOPE", fact="GROUND_ATTRIBUTE", attribute="surname")
STATEMENT = MonthlyStatement(
    month=OCTOBER,
    draft=False,
    operator=MemberCode("GOV/70000001"),
    recipient=BANK,
    recipient_name="«Үлгү & банк» ААК",
    agreements=("A-1", "A-2"),
    built_at=BUILT_AT,
    checkpoint=b"log\n1\nroot\n",
    totals=StatementTotals(
        lines=2,
        disclosures=2,
        subjects=1,
        repetitions=0,
        operations=(("GetPersonData", 2),),
        outcomes=(("RELEASED", 2),),
        grounds=(("CONSENT", 2),),
        purposes=(("other", 2),),
        days=(("2026-10-01", 2),),
        attributes=(("surname", 2),),
        refusals=(("CNS-01", 1),),
        exceptions=(("OUT_OF_SCOPE", 1),),
    ),
    exceptions=(
        StatementException(
            disclosure_id=UUID(int=1),
            kind=FOUND.kind,
            fact=FOUND.fact,
            attribute=FOUND.attribute,
        ),
    ),
    pages=(PageReference(number=1, lines=2, digest=b"d" * 32),),
)
PAGE = StatementPage(
    month=OCTOBER,
    recipient=BANK,
    number=1,
    lines=tuple(
        StatementLine(decision=each.decision, exceptions=(FOUND,)) for each in month_decisions(2)
    ),
)


@pytest.mark.parametrize("draft", [False, True])
def test_a_head_reads_back(draft: bool) -> None:
    """It is canonical and valid, and is read as it was written."""
    statement = replace(STATEMENT, draft=draft)
    content = DOCUMENTS.render_statement(statement)
    root = valid(content, "month")

    assert canonical(root) == content
    assert read_statement(root) == statement


def test_a_page_is_valid_and_names_its_statement() -> None:
    """The digest of a page is known to the reader before it is parsed."""
    content = DOCUMENTS.render_page(PAGE)

    assert canonical(valid(content, "month")) == content
    read = read_page(content)
    assert (read.month, read.recipient, read.number) == (OCTOBER, BANK, 1)
    for written, found in zip(PAGE.lines, read.lines, strict=True):
        assert found.exceptions == written.exceptions
        for each in fields(ListedDecision):
            assert getattr(found.decision, each.name) == getattr(written.decision, each.name)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<StatementPage",
        b"<StatementPage/>",
        DOCUMENTS.render_statement(STATEMENT),
        DOCUMENTS.render_page(replace(PAGE, lines=())),
        DOCUMENTS.render_page(PAGE).replace(b"2026-10", b"2026-13"),
        DOCUMENTS.render_page(PAGE).replace(b"<line>", b"<!-- --><line>", 1),
    ],
)
def test_what_is_no_page_is_refused(content: bytes) -> None:
    with pytest.raises(DocumentError):
        read_page(content)


@pytest.mark.parametrize("name", ["month", "operator", "checkpoint", "lines", "count", "digest"])
def test_a_head_without_an_element_is_refused(name: str) -> None:
    """Each of them is required."""
    content = DOCUMENTS.render_statement(STATEMENT)
    without = re.sub(rb"<%s>[^<]*</%s>" % (name.encode(), name.encode()), b"", content)
    assert without != content

    with pytest.raises(DocumentError):
        read_statement(etree.fromstring(without))


def test_the_terms_of_a_consent_are_those_of_its_document() -> None:
    terms = DOCUMENTS.read_terms("CONSENT", render_consent(CONSENT, CONSENT_DISPLAY))

    assert terms == GroundTerms(
        recipient=CONSENT.recipient,
        subject=CONSENT.subject,
        result_form=CONSENT.result_form,
        max_disclosures=CONSENT.max_disclosures,
        agreement_number=CONSENT.agreement_number,
        purpose=CONSENT.purpose,
        attributes=CONSENT.attributes,
        valid_from=CONSENT.begins_at,
        valid_to=CONSENT.valid_to,
    )


def test_the_terms_of_a_basis_are_those_of_its_document() -> None:
    terms = DOCUMENTS.read_terms("BASIS", render_basis(BASIS, BASIS_DISPLAY))

    assert terms is not None
    assert (terms.purpose, terms.attributes) == (BASIS.purpose, BASIS.attributes)
    assert (terms.valid_from, terms.valid_to) == (BASIS.issued_at, BASIS.valid_to)
    assert (terms.recipient, terms.subject) == (BASIS.recipient, BASIS.subject)
    assert (terms.result_form, terms.max_disclosures) == (BASIS.result_form, BASIS.max_disclosures)
    assert BASIS.subject is not None
    assert BASIS.subject.digits not in repr(terms)


def test_a_consent_on_paper_is_recognised() -> None:
    paper = PaperConsent(
        date=date(2026, 11, 2), official="P-1", media_type="image/png", scan_digest=b"s" * 32
    )
    display = replace(CONSENT_DISPLAY, paper=PaperConsentDetails(place="Бишкек"))
    terms = DOCUMENTS.read_terms("CONSENT", render_consent(replace(CONSENT, paper=paper), display))

    assert terms is not None
    assert terms.on_paper


@pytest.mark.parametrize(
    ("kind", "document"),
    [
        ("CONSENT", b"not XML"),
        ("CONSENT", b"<Consent/>"),
        ("BASIS", render_consent(CONSENT, CONSENT_DISPLAY)),
        ("OTHER", render_consent(CONSENT, CONSENT_DISPLAY)),
    ],
)
def test_an_unreadable_document_has_no_terms(kind: str, document: bytes) -> None:
    """The statement then says that there is no document."""
    assert DOCUMENTS.read_terms(kind, document) is None


def read_as_xml(content: bytes, monkeypatch: pytest.MonkeyPatch) -> StatementPage | None:
    """Return the page by its schema; None if that refuses it."""
    with monkeypatch.context() as patched:
        patched.setattr(monthly_statements, "read_exact_page", lambda content: None)
        try:
            return read_page(content)
        except DocumentError:
            return None


def test_pages_are_read_by_their_exact_form(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written has that form. Wherever a byte differs, the form reads what XML has."""
    content = DOCUMENTS.render_page(PAGE)
    assert read_exact_page(content) == read_as_xml(content, monkeypatch) is not None
    dice = random.Random(20261201)  # noqa: S311 -- places of changes, not a secret
    alphabet, alike = b"<>&/ A1az-:.Z=\n\x00\xff", 0
    for place in range(len(content)):
        changed = bytearray(content)
        changed[place] = dice.choice(alphabet)
        page = read_exact_page(bytes(changed))
        if page is not None:
            alike += 1
            assert page == read_as_xml(bytes(changed), monkeypatch), place
    assert alike > 50


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"<line>", b"<!-- --><line>"),
        (b"<line>", b" <line>"),
        (b"<StatementPage ", b"<?x?><StatementPage "),
        (b"<StatementPage ", b"<!DOCTYPE StatementPage><StatementPage "),
        (b"RELEASED", b"RELEASED2"),
        (b"RELEASED", b"&#82;ELEASED"),
        (b"</StatementPage>", b"<line/></StatementPage>"),
        (b"</StatementPage>", b"</StatementPage>\n"),
        (b"<number>1<", b"<number>901<"),
        (b"<month>2026-10<", b"<month>2026-13<"),
        (b"GetPersonData", "GetPersonDat\u0430".encode()),
    ],
)
def test_a_page_in_another_form_is_left_to_xml(old: bytes, new: bytes) -> None:
    """It may still be a page; the schema says that."""
    content = DOCUMENTS.render_page(PAGE)
    assert old in content
    assert read_exact_page(content.replace(old, new, 1)) is None
