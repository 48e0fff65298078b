"""A PDF of a report is drawn without network, and the same page gives the same bytes."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from makul.domain.monthly_reports import Audience, compose_report
from makul.language.translation import Language
from makul.reports.html import render_html
from makul.reports.pdf import PdfUnavailableError, render_pdf
from makul_testing.builders.reports import a_verified_statement
from makul_testing.external.requirements import needs

pytestmark = needs("pdftotext")


def page(language: Language = Language.KY, name: str = "Үлгү банк") -> bytes:
    report = compose_report([a_verified_statement(name=name)], [], Audience.PARTIES)
    return render_html(report, language, version="1")


def words_of(document: bytes, tmp_path: Path) -> str:
    file = tmp_path / "report.pdf"
    file.write_bytes(document)
    read = subprocess.run(
        ["pdftotext", "-layout", str(file), "-"], capture_output=True, check=True, timeout=60
    )
    return read.stdout.decode()


@pytest.mark.parametrize("language", Language)
def test_the_page_is_drawn_in_each_language(language: Language, tmp_path: Path) -> None:
    words = words_of(render_pdf(page(language)), tmp_path)

    assert a_verified_statement().digest.hex() in "".join(words.split())
    title = {"ky": "Айлык баяндама", "ru": "Месячная сводка", "en": "Monthly report"}[language]
    assert words.count(title) >= 2, "the first page and the line below each page"
    assert "2026/118" in words
    facts = subprocess.run(
        ["pdfinfo", str(tmp_path / "report.pdf")], capture_output=True, check=True, timeout=60
    ).stdout.decode()
    assert "(A4)" in facts
    assert re.search(r"Tagged: +yes", facts)


def test_the_same_page_gives_the_same_bytes() -> None:
    """Another machine may have other fonts, and then other bytes."""
    assert render_pdf(page()) == render_pdf(page())


def test_a_page_with_an_address_loads_nothing(tmp_path: Path) -> None:
    """Neither a file of this machine nor the network."""
    secret = tmp_path / "secret.txt"
    secret.write_text("SECRET")
    hostile = (
        f'<html><title>x</title><body><p>text</p><a rel="attachment" href="{secret.as_uri()}">a</a>'
        f'<object data="{secret.as_uri()}">o</object><img src="http://127.0.0.1:9/x.png" alt="i">'
    )

    words = words_of(render_pdf(hostile.encode()), tmp_path)

    assert "text" in words
    assert "SECRET" not in words


def test_a_machine_without_the_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)

    with pytest.raises(PdfUnavailableError, match="weasyprint"):
        render_pdf(page())
