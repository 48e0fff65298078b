"""The page of a report is complete, escaped, bound to its statements, and always the same."""

import re
from base64 import b64encode
from collections.abc import Iterable
from hashlib import sha256
from html import unescape
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import html

from makul.domain.attributes import Attribute
from makul.domain.disclosures import GroundKind, Operation, Outcome
from makul.domain.monthly_reports import Audience, compose_report
from makul.domain.monthly_statements import ExceptionFact, ExceptionKind, LineException
from makul.domain.months import Month
from makul.domain.reasons import Code
from makul.domain.report_tables import Part
from makul.domain.sample_answers import AnswerState
from makul.language.translation import Language, use_language
from makul.reports.html import (
    MalformedReportError,
    ReportBinding,
    make_visible,
    name_month,
    read_binding_unsafe,
    read_version_unsafe,
    render_html,
)
from makul.reports.labels import explain_kind, label_of, label_of_fact
from makul_testing.builders.records import POLICE
from makul_testing.builders.reports import (
    SEPTEMBER,
    a_listed_exception,
    a_verified_statement,
    answers_of_a_sample,
)

PUBLIC, PARTIES = Audience.PUBLIC, Audience.PARTIES

ANSWERS = answers_of_a_sample(yes=40, no=3, silent=17)


def render(
    audience: Audience = PARTIES,
    language: Language = Language.EN,
    earlier: Any = (),
    **changes: Any,
) -> bytes:
    report = compose_report([a_verified_statement(**changes)], earlier, audience, [ANSWERS])
    return render_html(report, language, version="1.2.3")


def text_of(page: bytes) -> str:
    body = html.document_fromstring(page).find("body")
    assert body is not None
    return " ".join(str(body.text_content()).split())


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("audience", Audience)
def test_the_same_statement_gives_the_same_bytes(language: Language, audience: Audience) -> None:
    earlier = [a_verified_statement(month=SEPTEMBER)]

    assert render(audience, language, earlier) == render(audience, language, earlier)


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("audience", Audience)
def test_the_page_needs_nothing_else_and_runs_nothing(
    language: Language, audience: Audience
) -> None:
    """No script, no style attribute, no address; the policy names the digest of the one style."""
    page = html.document_fromstring(render(audience, language))

    assert page.get("lang") == language
    assert not page.xpath("//script | //link | //img | //iframe | //object | //form | //base")
    assert not page.xpath("//@style | //@href | //@src | //@*[starts-with(name(), 'on')]")
    (policy,) = page.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    (style,) = page.xpath("//style/text()")
    digest = b64encode(sha256(str(style).encode()).digest()).decode()
    assert policy == (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    assert "url(" not in str(style)
    assert "@import" not in str(style)


@pytest.mark.parametrize("language", [Language.KY, Language.RU])
@pytest.mark.parametrize("audience", Audience)
def test_no_english_is_left(language: Language, audience: Audience) -> None:
    """Codes, names of files and what a person types stay as they are."""
    found = text_of(render(audience, language, [a_verified_statement(month=SEPTEMBER)]))
    for known in (
        *("makul month report DIR --verify FILE", "ledger.example/makul", "UTC", "SHA-256"),
        "A" * 43,
    ):
        found = found.replace(known, "")
    words = re.findall(r"(?<![\w/.-])[A-Za-z][a-z]+ [a-z]+(?![\w/])", found)

    assert words == []


@pytest.mark.parametrize("language", Language)
def test_each_kind_and_fact_is_explained(language: Language) -> None:
    with use_language(language):
        explained = {explain_kind(kind) for kind in ExceptionKind}
        facts = {label_of_fact(fact) for fact in ExceptionFact}
        unknown = explain_kind("NEW_KIND")

    assert len(explained) == len(ExceptionKind)
    assert unknown not in explained
    assert len(facts) == len(ExceptionFact)
    assert "" not in facts


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize(
    ("part", "keys"),
    [
        (Part.OPERATIONS, Operation),
        (Part.OUTCOMES, set(Outcome) - {Outcome.DONE}),
        (Part.GROUNDS, GroundKind),
        (Part.ATTRIBUTES, Attribute),
        (Part.EXCEPTIONS, ExceptionKind),
        (Part.REFUSALS, Code),
        (Part.ANSWERS, AnswerState),
    ],
)
def test_each_code_has_words(language: Language, part: Part, keys: Iterable[str]) -> None:
    with use_language(language):
        words = [label_of(part, key) for key in keys]

    assert all(words)
    assert label_of(part, "NEW_CODE") == ""


def test_what_was_found_is_listed_for_the_parties() -> None:
    found = (LineException(kind="NEW_KIND", fact="NEW_FACT", attribute="faceImage"),)
    page = text_of(
        render(
            exceptions={"NEW_KIND": 700},
            listed=tuple(a_listed_exception(7, found=each) for each in found),
        )
    )

    assert "NEW_FACT" in page
    assert "faceImage" in page
    assert "does not know the kind" in page
    assert "the first 1 of 700" in page
    assert "00000000-0000-0000-0000-000000000008" in page


def test_the_public_reads_no_id() -> None:
    page = render(PUBLIC).decode()

    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-", page)
    assert "How small numbers are hidden" in page
    assert "How small numbers are hidden" not in render(PARTIES).decode()


def test_the_digest_is_printed_and_in_the_head_of_the_page() -> None:
    statement, earlier = a_verified_statement(), a_verified_statement(month=SEPTEMBER)
    page = render(earlier=[earlier])

    assert statement.digest.hex() in text_of(page)
    assert earlier.digest.hex() in text_of(page)
    assert ANSWERS.digest.hex() in text_of(page)
    assert read_binding_unsafe(page) == ReportBinding(
        audience=PARTIES,
        language=Language.EN,
        statements=(statement.digest.hex(),),
        earlier=(earlier.digest.hex(),),
        answers=(ANSWERS.digest.hex(),),
    )
    assert read_version_unsafe(page) == "1.2.3"


def test_the_agreements_and_the_checkpoint_are_printed() -> None:
    page = text_of(render())

    for each in ("2026/118, 2026/119", "ledger.example/makul", "123,456 entries", "A" * 43 + "="):
        assert each in page
    odd = text_of(render(checkpoint=b"not a note"))
    assert sha256(b"not a note").hexdigest() in odd


def test_a_draft_is_marked_on_the_page_and_below_each_printed_page() -> None:
    page = render(draft=True)

    assert page.decode().count("DRAFT") >= 3
    assert "proves nothing" in text_of(page)
    assert "DRAFT" not in render().decode()


@pytest.mark.parametrize(
    "name",
    [
        "</style><script>alert(1)</script>",
        "\"><img src=x onerror=alert(1)> & 'more'",
        "{{ 7 * 7 }} {% raw %}",
        "Банк \u202ekazak\u202c \u200f\u2066x",
        "\u0627\u0644\u0628\u0646\u0643 2026",
        "Ө" * 300,
        "x" * 300,
    ],
)
@pytest.mark.parametrize("audience", Audience)
def test_a_hostile_name_is_text(name: str, audience: Audience) -> None:
    page = html.document_fromstring(render(audience, name=name))

    names = {str(each.text_content()) for each in page.iter("bdi")}
    assert names == {make_visible(name)}
    assert not page.xpath("//script | //img | //*[@onerror]")


NAMES = st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=300)


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow])
@given(NAMES)
def test_any_name_is_text(name: str) -> None:
    page = render(name=name).decode()
    shown = re.findall(r"<bdi>(.*?)</bdi>", page, re.DOTALL)

    assert {unescape(each) for each in shown} == {make_visible(name)}
    assert page.count("<script") == 0


def test_marks_that_nobody_sees_are_written() -> None:
    assert make_visible("a\u202eb\u200f\x00") == "a[U+202E]b[U+200F][U+0000]"
    assert make_visible("Үлгү «Банк»") == "Үлгү «Банк»"


def test_several_recipients_are_compared() -> None:
    given = [
        a_verified_statement(),
        a_verified_statement(recipient=POLICE, name="<Police>", subjects=2),
    ]
    page = render_html(compose_report(given, [], PARTIES), Language.EN, version="1")

    shown = text_of(page)
    assert "By recipient" in shown
    assert "<Police>" in shown
    assert "For the operator and the authorised body" in shown
    assert all(each.digest.hex() in shown for each in given)


@pytest.mark.parametrize(
    ("language", "name", "number", "share"),
    [
        (Language.KY, "2026-жыл, октябрь", "1\xa0000", "90,0\xa0%"),
        (Language.RU, "Октябрь 2026 года", "1\xa0000", "90,0\xa0%"),
        (Language.EN, "October 2026", "1,000", "90.0\xa0%"),
    ],
)
def test_months_and_numbers_are_written_as_the_language_does(
    language: Language, name: str, number: str, share: str
) -> None:
    with use_language(language):
        assert name_month(Month(2026, 10)) == name
    page = render(PARTIES, language).decode()

    assert number in page
    assert share in page


def test_a_share_that_is_nearly_nothing_is_not_nothing() -> None:
    page = render(purposes={"ACCOUNT_OPENING": 9_999, "LOAN": 1}, outcomes={"RELEASED": 10_000})

    assert "&lt;0.1" in page.decode()


@pytest.mark.parametrize(
    "page",
    [
        b"",
        b"<html></html>",
        b'<meta name="makul.report" content="audience=all; language=ky; sha256=; earlier=">',
        b'<meta name="makul.report" content="audience=public; language=xx; sha256=; earlier=">',
        b'<meta name="makul.report" content="audience=public">',
        b"\xff" * 100,
    ],
)
def test_another_file_is_no_report(page: bytes) -> None:
    with pytest.raises(MalformedReportError):
        read_binding_unsafe(page)
    assert read_version_unsafe(page) == ""


def test_every_table_has_headings_and_every_chart_a_table() -> None:
    """Who does not see the charts reads the same numbers."""
    page = html.document_fromstring(render(earlier=[a_verified_statement(month=SEPTEMBER)]))

    assert page.xpath("count(//figure)") == 2
    for figure in page.iter("figure"):
        assert figure.xpath("svg[@role='img']/title")
        assert figure.xpath("following-sibling::*//table")
    for table in page.iter("table"):
        assert table.xpath(".//th[@scope='row']")
    assert page.xpath("count(//h1)") == 1
