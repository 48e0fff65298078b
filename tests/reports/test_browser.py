"""A browser shows a report without an error, without a request, and without overflow."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from makul.domain.monthly_reports import Audience, compose_report
from makul.language.translation import Language
from makul.reports.html import render_html
from makul_testing.builders.records import POLICE
from makul_testing.builders.reports import (
    SEPTEMBER,
    a_listed_exception,
    a_verified_statement,
    answers_of_a_sample,
)
from makul_testing.external.chromium import Chromium, running_chromium
from makul_testing.external.requirements import needs

pytestmark = needs("chromium")


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with running_chromium() as started:
        yield started


def write_page(directory: Path, language: Language, audience: Audience) -> Path:
    """Write a report of two recipients, one with a name of 300 letters without a space."""
    given = [
        a_verified_statement(listed=tuple(map(a_listed_exception, range(40)))),
        a_verified_statement(recipient=POLICE, name="Ө" * 300),
    ]
    answers = [answers_of_a_sample(yes=40, no=3, silent=7)]
    report = compose_report(given, [a_verified_statement(month=SEPTEMBER)], audience, answers)
    file = directory / "report.html"
    file.write_bytes(render_html(report, language, version="1"))
    return file


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("audience", Audience)
@pytest.mark.parametrize("width", [360, 1280])
def test_a_browser_has_nothing_to_complain_about(
    browser: Chromium, tmp_path: Path, language: Language, audience: Audience, width: int
) -> None:
    """Nothing is wider than a phone or a screen; the policy permits all that the page has."""
    browser.open(write_page(tmp_path, language, audience), width=width)

    assert browser.overflow() == {"page": 0, "wide": []}
    assert browser.complaints() == []
    assert browser.requests() == []
    assert browser.evaluate("document.querySelectorAll('svg[role=img]').length") == 2
    size = browser.evaluate("getComputedStyle(document.querySelector('h1')).fontSize")
    assert float(size.removesuffix("px")) > 20, "the style is in use"


def test_a_chart_has_its_size_and_letters(browser: Chromium, tmp_path: Path) -> None:
    browser.open(write_page(tmp_path, Language.KY, Audience.PARTIES), width=1280)

    box = browser.evaluate(
        "(({width, height}) => [width, height])"
        "(document.querySelector('figure svg').getBoundingClientRect())"
    )
    assert box[0] > 600
    assert box[1] > 150


def test_the_policy_stops_a_script(browser: Chromium, tmp_path: Path) -> None:
    """If somebody adds one to the file, it does not run. This shows that complaints are noticed."""
    file = write_page(tmp_path, Language.EN, Audience.PUBLIC)
    page = file.read_text(encoding="utf-8")
    added = "<script>document.title = 'changed'</script><img src='http://127.0.0.1:9/x.png' alt=''>"
    file.write_text(page.replace("</body>", f"{added}</body>"), encoding="utf-8")

    browser.open(file, width=1280)

    assert browser.evaluate("document.title") == "Monthly report 2026-10"
    assert len(browser.complaints()) >= 2


def test_a_page_that_is_too_wide_is_noticed(browser: Chromium, tmp_path: Path) -> None:
    file = tmp_path / "wide.html"
    file.write_text("<html><body><p style='width: 3000px'>wide</p></body></html>")

    browser.open(file, width=360)

    assert browser.overflow()["page"] > 2000


@needs("pdfinfo")
def test_it_is_printed_on_a4(browser: Chromium, tmp_path: Path) -> None:
    browser.open(write_page(tmp_path, Language.RU, Audience.PARTIES), width=1280)
    file = tmp_path / "printed.pdf"
    file.write_bytes(browser.print_pdf())

    facts = subprocess.run(["pdfinfo", str(file)], capture_output=True, check=True, timeout=60)
    assert "(A4)" in facts.stdout.decode()
