"""`makul month report`: a report for people is made and verified (Procedure, cl. 11)."""

import json
import re
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from makul.admin import month_report
from makul.composition.adapters import utc_now
from makul.store import Store
from makul_testing.builders.agreements import agree
from makul_testing.builders.months import AGREED_AT
from makul_testing.builders.recorded_months import publish, record
from makul_testing.builders.records import AZAMAT, an_agreement
from makul_testing.cli_runner import CommandLine
from makul_testing.leak_scanner import Secret
from makul_testing.pki.client import TestAuthority, pem_of
from makul_testing.stores import store_of


@pytest.fixture
def store(with_bank: CommandLine) -> Iterator[Store]:
    """Open the bank's installation with an agreement and a published October."""
    with store_of(with_bank.directory / "makul.toml") as opened:
        agree(opened.registry, an_agreement(), at=AGREED_AT)
        record(opened)
        publish(with_bank, opened)
        yield opened


@pytest.fixture
def statement(with_bank: CommandLine, store: Store, tmp_path: Path) -> Path:
    """Build the bank's October and return its directory."""
    del store
    with_bank.run_json("month", "build", "2026-10", "--output", tmp_path / "months")
    return tmp_path / "months" / "2026-10" / "COM-60000001"


def report(makul: CommandLine, statement: Path, out: Path, *options: str | Path) -> Any:
    return makul.run_json("month", "report", statement, "--out", out, *options)


def test_a_report_is_made_and_verified(
    with_bank: CommandLine, statement: Path, tmp_path: Path
) -> None:
    """It names the digest of the signed head, and the same statement gives the same bytes."""
    out, again = tmp_path / "report.html", tmp_path / "again.html"
    made = report(with_bank, statement, out, "--audience", "parties", "--language", "ky")

    digest = sha256((statement / "statement.xml").read_bytes()).hexdigest()
    assert made["statements"] == [digest]
    assert made["digest"] == sha256(out.read_bytes()).hexdigest()
    page = out.read_text(encoding="utf-8")
    assert page.count(digest) == 2
    assert "GROUND_NOT_NAMED" in page
    assert "Айлык баяндама" in page
    verified = with_bank.run_json("month", "report", statement, "--verify", out)
    assert (verified["result"], verified["audience"], verified["language"]) == (
        *("PASSED", "parties"),
        "ky",
    )
    report(with_bank, statement, again, "--audience", "parties", "--language", "ky")
    assert again.read_bytes() == out.read_bytes()


def test_the_public_reads_no_decision(
    with_bank: CommandLine, statement: Path, tmp_path: Path
) -> None:
    """The public is the default audience, and three decisions are too few for any number."""
    report(with_bank, statement, tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")

    assert "GROUND_NOT_NAMED" not in page
    assert not re.search(r'<td class="number">\d', page)
    assert re.search(r"<b><span class=\"hidden\"", page)


def test_no_byte_is_of_a_person(with_bank: CommandLine, statement: Path, tmp_path: Path) -> None:
    report(with_bank, statement, tmp_path / "report.html", "--audience", "parties")
    lower = (tmp_path / "report.html").read_text(encoding="utf-8").lower()

    for secret in (Secret("PIN", AZAMAT.digits), Secret("surname", "Toktogulov")):
        assert [name for name, form in secret.forms() if form.lower() in lower] == []


@pytest.mark.parametrize(("language", "title"), [("ru", "Месячная сводка"), ("ky", "Айлык")])
def test_the_language_of_the_messages_is_the_default(
    with_bank: CommandLine, statement: Path, tmp_path: Path, language: str, title: str
) -> None:
    out = tmp_path / "report.html"
    result = with_bank("--language", language, "month", "report", statement, "--out", out)

    assert (result.code, title in out.read_text(encoding="utf-8")) == (0, True), result.err


def test_a_pdf_is_written_beside_it(
    with_bank: CommandLine, statement: Path, tmp_path: Path
) -> None:
    made = report(with_bank, statement, tmp_path / "r.html", "--pdf", tmp_path / "r.pdf")

    assert (tmp_path / "r.pdf").read_bytes().startswith(b"%PDF-")
    assert made["pdf"] == str(tmp_path / "r.pdf")


def test_nothing_is_written_without_the_library(
    with_bank: CommandLine, statement: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(page: bytes) -> bytes:
        del page
        raise month_report.PdfUnavailableError("No module named 'weasyprint'")

    monkeypatch.setattr(month_report, "render_pdf", refuse)
    arguments = ("--out", tmp_path / "r.html", "--pdf", tmp_path / "r.pdf")
    result = with_bank("month", "report", statement, *arguments)

    assert (result.code, "makul[report]" in result.err) == (1, True)
    assert not (tmp_path / "r.html").exists()


@pytest.mark.parametrize("name", ["statement.xml", "page-001.xml"])
def test_a_statement_that_does_not_verify_is_refused(
    with_bank: CommandLine, statement: Path, tmp_path: Path, name: str
) -> None:
    """No report shows what was not signed."""
    file = statement / name
    file.write_bytes(file.read_bytes().replace(b"RELEASED", b"REFUSED", 1))
    result = with_bank("month", "report", statement, "--out", tmp_path / "report.html")

    assert (result.code, result.err.count("\n")) == (1, 1)
    assert not (tmp_path / "report.html").exists()


def test_another_signer_is_refused(with_bank: CommandLine, statement: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.pem"
    other.write_bytes(pem_of(TestAuthority.new("Other", utc_now()).certificate))
    result = with_bank(
        *("month", "report", statement, "--out", tmp_path / "r.html", "--certificate", other)
    )

    assert (result.code, "the signature is not accepted" in result.err) == (1, True)


@pytest.mark.parametrize(
    ("old", "new"),
    [("<h1>", "<h1> "), ("audience=public", "audience=parties"), ("NO_GROUND", "NO_GROUNDS")],
)
def test_a_changed_report_is_refused(
    with_bank: CommandLine, statement: Path, tmp_path: Path, old: str, new: str
) -> None:
    out = tmp_path / "report.html"
    report(with_bank, statement, out)
    page = out.read_text(encoding="utf-8")
    assert old in page
    out.write_text(page.replace(old, new, 1), encoding="utf-8")

    result = with_bank("month", "report", statement, "--verify", out)

    assert (result.code, "changed; the statements give another report" in result.err) == (1, True)


def test_a_report_of_another_statement_is_refused(
    with_bank: CommandLine, statement: Path, tmp_path: Path
) -> None:
    """Each statement has its own signature, so a second build has another digest."""
    out = tmp_path / "report.html"
    report(with_bank, statement, out)
    with_bank.run_json("month", "build", "2026-10", "--output", tmp_path / "second")
    second = tmp_path / "second" / "2026-10" / "COM-60000001"
    head = (second / "statement.xml").read_bytes()
    assert head != (statement / "statement.xml").read_bytes()

    result = with_bank("month", "report", second, "--verify", out)
    assert (result.code, "the report of other statements" in result.err) == (1, True)


def test_another_version_is_named(
    with_bank: CommandLine, statement: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An honest report of an earlier version may differ from what this one writes."""
    out = tmp_path / "report.html"
    monkeypatch.setattr(month_report, "version", lambda name: "0.0.9")
    report(with_bank, statement, out)
    monkeypatch.undo()

    result = with_bank("month", "report", statement, "--verify", out)

    assert (result.code, "0.0.9" in result.err) == (1, True)


def test_earlier_statements_are_compared_and_verified(
    with_bank: CommandLine, statement: Path, tmp_path: Path
) -> None:
    """A report with them is verified with the same ones only."""
    with_bank.run_json("month", "build", "2026-09", "--output", tmp_path / "months")
    earlier = tmp_path / "months" / "2026-09" / "COM-60000001"
    out = tmp_path / "report.html"
    made = report(with_bank, statement, out, "--earlier", earlier, "--audience", "parties")

    assert made["earlier"] == [sha256((earlier / "statement.xml").read_bytes()).hexdigest()]
    without = with_bank("month", "report", statement, "--verify", out)
    assert (without.code, "--earlier" in without.err) == (1, True)
    arguments = ("--verify", out, "--earlier", earlier)
    assert with_bank.run_json("month", "report", statement, *arguments)["result"] == "PASSED"
    mistaken = with_bank("month", "report", earlier, "--out", out, "--earlier", statement)
    assert (mistaken.code, "an earlier statement is of" in mistaken.err) == (1, True)


def answers_file(statement: Path, place: Path, *said: str | None) -> Path:
    """Write answers about the first disclosures of a statement, as the command prints them."""
    page = (statement / "page-001.xml").read_text(encoding="utf-8")
    found = list(dict.fromkeys(re.findall(r"<(?:\w+:)?disclosureId>([^<]+)<", page)))
    assert len(found) >= len(said)
    rows = [
        {"disclosure_id": each, "answer": answer, "silent": answer is None}
        for each, answer in zip(found, said, strict=False)
    ]
    place.write_text(json.dumps(rows), encoding="utf-8")
    return place


def test_the_answers_of_the_sample_are_counted(
    with_bank: CommandLine, statement: Path, tmp_path: Path
) -> None:
    """Cl. 11: the parties read every answer; the page names the list, and is verified with it."""
    out = tmp_path / "report.html"
    said = answers_file(statement, tmp_path / "said.json", "YES", "NO", None)
    made = report(with_bank, statement, out, "--audience", "parties", "--answers", said)

    digest = sha256(said.read_bytes()).hexdigest()
    page = out.read_text(encoding="utf-8")
    assert made["answers"] == [digest]
    assert page.count(digest) == 2
    assert re.search(r'No, I did not consent.*?<td class="number">1</td>', page)
    verify = ("month", "report", statement, "--verify", out)
    assert with_bank.run_json(*verify, "--answers", said)["answers"] == [digest]

    other = answers_file(statement, tmp_path / "other.json", "YES", "YES", None)
    for given in ((), ("--answers", other)):
        result = with_bank(*verify, *given)
        assert (result.code, "made with other answers" in result.err) == (1, True)


def test_the_public_reads_no_small_number_of_answers(
    with_bank: CommandLine, statement: Path, tmp_path: Path
) -> None:
    out = tmp_path / "report.html"
    said = answers_file(statement, tmp_path / "said.json", "YES", "NO", None)
    report(with_bank, statement, out, "--answers", said)
    page = out.read_text(encoding="utf-8")

    assert "No, I did not consent" in page
    assert not re.search(r'<td class="number">\d', page)


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([{"disclosure_id": str(uuid4()), "answer": "YES", "silent": False}], "in none of"),
        ([{"disclosure_id": str(uuid4()), "answer": "MAYBE", "silent": False}], "not a list"),
        ([{"disclosure_id": str(uuid4()), "answer": "YES", "silent": True}], "not a list"),
        ([{"disclosure_id": "7", "answer": None, "silent": True}], "not a list"),
        ([{"disclosure_id": str(uuid4()), "answer": None}], "not a list"),
        ({"disclosures": []}, "not a list"),
        ([[]], "not a list"),
        (7, "not a list"),
    ],
)
def test_answers_of_another_month_or_shape_are_refused(
    with_bank: CommandLine, statement: Path, tmp_path: Path, rows: Any, said: str
) -> None:
    """A list that does not belong to the statements would count answers about other decisions."""
    file, out = tmp_path / "said.json", tmp_path / "report.html"
    file.write_text(json.dumps(rows), encoding="utf-8")
    result = with_bank("month", "report", statement, "--out", out, "--answers", file)

    assert (result.code, said in result.err, result.err.count("\n")) == (1, True, 1), result.err
    assert not out.exists()


def test_an_answer_counts_once(with_bank: CommandLine, statement: Path, tmp_path: Path) -> None:
    """A disclosure that is in one list twice, or in two lists, is refused."""
    said = answers_file(statement, tmp_path / "said.json", "YES")
    twice, out = tmp_path / "twice.json", tmp_path / "report.html"
    twice.write_text(json.dumps(2 * json.loads(said.read_text("utf-8"))), encoding="utf-8")
    for files in ((twice,), (said, said)):
        options = [option for file in files for option in ("--answers", file)]
        result = with_bank("month", "report", statement, "--out", out, *options)
        assert (result.code, out.exists()) == (1, False), result.err


@pytest.mark.usefixtures("store")
def test_a_draft_is_refused_or_marked(with_bank: CommandLine, tmp_path: Path) -> None:
    with_bank.run_json("month", "build", "2999-12", "--output", tmp_path / "m", "--draft")
    draft = tmp_path / "m" / "2999-12-draft" / "COM-60000001"
    out = tmp_path / "report.html"

    refused = with_bank("month", "report", draft, "--out", out)
    assert (refused.code, "--draft" in refused.err, out.exists()) == (1, True, False)
    assert report(with_bank, draft, out, "--draft")["draft"] is True
    assert "DRAFT" in out.read_text(encoding="utf-8")
    assert with_bank.run_json("month", "report", draft, "--verify", out)["result"] == "PASSED"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "either --out"),
        (("--out", "a.html", "--verify", "b.html"), "either --out"),
        (("--verify", "b.html", "--pdf", "c.pdf"), "either --out"),
    ],
)
def test_what_was_typed_wrong_is_named(
    with_bank: CommandLine, statement: Path, arguments: tuple[str, ...], message: str
) -> None:
    result = with_bank("month", "report", statement, *arguments)

    assert (result.code, message in result.err, result.out) == (1, True, "")


def test_a_statement_is_never_overwritten(
    with_bank: CommandLine, statement: Path, tmp_path: Path
) -> None:
    """A report beside the pages would also stop the next build of a draft."""
    before = (statement / "statement.xml").read_bytes()
    link = tmp_path / "link"
    link.symlink_to(statement)
    for options in (
        ("--out", statement / "statement.xml"),
        ("--out", link / "report.html"),
        ("--out", tmp_path / "r.html", "--pdf", statement / "r.pdf"),
    ):
        result = with_bank("month", "report", statement, *options)
        assert (result.code, "write the report elsewhere" in result.err) == (1, True)
    same = ("--out", tmp_path / "r", "--pdf", tmp_path / "." / "r")
    assert "give two names" in with_bank("month", "report", statement, *same).err
    assert (statement / "statement.xml").read_bytes() == before
    assert sorted(each.name for each in statement.iterdir()) == ["page-001.xml", "statement.xml"]
    assert not (tmp_path / "r.html").exists()


def test_another_file_is_no_report(with_bank: CommandLine, statement: Path) -> None:
    result = with_bank("month", "report", statement, "--verify", statement / "statement.xml")

    assert (result.code, "not a monthly report" in result.err) == (1, True)


def test_a_missing_statement_is_named(with_bank: CommandLine, tmp_path: Path) -> None:
    result = with_bank("month", "report", tmp_path / "none", "--out", tmp_path / "r.html", "--json")

    assert result.code == 1
    assert "none" in json.loads(result.out)["error"]["message"]


def test_too_many_statements_are_refused(
    with_bank: CommandLine, statement: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(month_report, "MAX_STATEMENTS", 1)
    arguments = ("--out", tmp_path / "r.html", "--earlier", statement)
    result = with_bank("month", "report", statement, *arguments)

    assert (result.code, "at most 1 statements" in result.err) == (1, True)
