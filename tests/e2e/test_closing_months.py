"""A month is closed by three: issued, confirmed or contested, answered, and signed (cl. 11)."""

import json
import re
from base64 import b64decode
from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from lxml import etree

from makul.app.ports import Duty
from makul.composition.adapters import utc_now
from makul.domain.identifiers import Pin
from makul.domain.monthly_statements import find_denials
from makul_sandbox.data.recipients import AUTHORISED_BODY
from makul_testing.builders.records import AZAMAT, GULNARA
from makul_testing.closing_month import Closing, T, document_of, open_closing, state_of
from makul_testing.in_process_service import RECIPIENT, RecordDatabase, ServiceAnswer


@pytest.fixture
def closing(tmp_path: Path, record_database: RecordDatabase) -> Iterator[Closing]:
    with open_closing(tmp_path, record_database) as opened:
        yield opened


def test_a_month_is_closed_by_three_signatures(closing: Closing) -> None:
    """Issued, confirmed, signed: a month closes once, and nothing changes it afterwards."""
    assert closing.ask("GetMonthlyStatement", closing.in_month()).codes == ["OVR-06"]
    closing.issue()
    assert closing.state() == "ISSUED"

    confirmed = closing.confirm()
    signed = closing.sign()

    assert (confirmed.outcome, state_of(confirmed)) == ("DONE", "CONFIRMED")
    assert (signed.outcome, state_of(signed)) == ("DONE", "SIGNED")
    assert closing.sign().codes == ["OVR-02"]
    assert closing.confirm().codes == ["OVR-02"]
    assert closing.contest(closing.lines[0]).codes == ["OVR-02"]
    assert closing.makul("month", "issue", closing.bank, str(closing.month), "--apply").code == 1
    (row,) = closing.makul.run_json("month", "list")
    assert (row["recipient"], row["state"], row["overdue"]) == (closing.bank, "SIGNED", False)


def test_pages_have_the_digests_of_the_head(closing: Closing) -> None:
    """The head is signed and names each page by its digest; another page does not exist."""
    closing.issue()
    head = etree.fromstring(
        document_of(closing.ask("GetMonthlyStatement", closing.in_month()), "statement")
    )

    for asked in (
        closing.ask("GetMonthlyStatement", closing.in_month("<page>1</page>")),
        closing.oversee("GetMonth", closing.of_bank("<page>1</page>")),
    ):
        page = document_of(asked, "page")
        named = head.findtext("{*}page/{*}digest") or ""
        assert sha256(page).digest() == b64decode(named)
    beyond = closing.ask("GetMonthlyStatement", closing.in_month("<page>2</page>"))
    assert beyond.codes == ["OVR-06"]


def test_an_altered_page_is_not_given(closing: Closing) -> None:
    """A page with other bytes than the head names is withheld, and the id stays open."""
    closing.issue()
    (page,) = (closing.makul.directory / "months").rglob("page-001.xml")
    page.write_bytes(page.read_bytes().replace(b"GetPersonData", b"VerifyPerson"))

    answer = closing.ask("GetMonthlyStatement", closing.in_month("<page>1</page>"))

    assert (answer.outcome, answer.codes) == ("UNDETERMINED", ["OPS-01"])


def test_contested_lines_are_answered_before_the_month_closes(closing: Closing) -> None:
    """A contested line cannot vanish: it is answered once, one by one, and everybody sees it."""
    closing.issue()
    first, second = closing.lines

    contested = closing.contest(first)
    assert (contested.outcome, state_of(contested)) == ("DONE", "CONTESTED")
    assert closing.contest(first, second).codes == ["OVR-02"]
    assert closing.contest(uuid4()).codes == ["OVR-06"]
    assert closing.sign().codes == ["OVR-02"]
    answer = ("month", "answer", closing.bank, str(closing.month), str(first), "--as", "UPHELD")
    closing.makul.run_json(*answer, "--reason", "the consent is in the file", "--apply")
    assert closing.makul(*answer, "--reason", "again", "--apply").code == 1

    read = closing.ask("GetMonthlyStatement", closing.in_month())
    (line,) = read.child.findall(f"{{{RECIPIENT}}}contestedLine")
    assert line.findtext(f"{T}disclosureId") == str(first)
    assert line.findtext(f"{T}answer") == "UPHELD"
    assert line.findtext(f"{T}answerReason") == "the consent is in the file"
    assert state_of(closing.sign()) == "SIGNED"


def test_what_is_not_the_statement_is_not_signed(closing: Closing) -> None:
    """One byte of difference is OVR-03, and so is the signature of another party."""
    closing.issue()
    changed = closing.content().replace(b"<lines>2</lines>", b"<lines>1</lines>")

    for refused in (
        closing.confirm(content=changed),
        closing.confirm(AUTHORISED_BODY),
        closing.ask("ConfirmMonth", closing.in_month("<statement>PGE+</statement>")),
    ):
        assert (refused.outcome, refused.codes[0]) == ("REFUSED", "OVR-03")
    assert closing.confirm().outcome == "DONE"
    assert closing.sign(closing.bank).codes[0] == "OVR-03"
    assert closing.state() == "CONFIRMED"


def test_nobody_reads_the_month_of_another(closing: Closing) -> None:
    """Another recipient has no such month; a protection officer reads and does not sign."""
    closing.issue()

    assert closing.ask("GetMonthlyStatement", closing.in_month(), by="insurer").codes == ["OVR-06"]
    assert closing.oversee("GetMonth", closing.of_bank(), by="protection").outcome == "DONE"
    assert closing.sign(by="protection").codes == ["OVR-01"]
    states = closing.oversee("GetMonth", closing.in_month())
    assert [each.text for each in states.child.iter(f"{T}recipient")] == [closing.bank]


def test_anybody_draws_the_same_sample(closing: Closing, tmp_path: Path) -> None:
    """The rule is published, so a chosen sample is found (cl. 11)."""
    (head,) = (closing.makul.directory / "months").rglob("statement.xml")
    certificate = ("--certificate", closing.makul.directory / "receipts.cert.pem")
    drawn = closing.makul.run_json("month", "sample", head, "--size", "1", *certificate)
    sample = tmp_path / "sample.json"
    sample.write_text(json.dumps(drawn))
    (chosen,) = drawn["disclosures"]

    assert UUID(chosen) in closing.lines
    assert closing.makul("month", "sample", head, *certificate, "--verify", sample).code == 0
    (other,) = {str(line) for line in closing.lines} - {chosen}
    sample.write_text(json.dumps({**drawn, "disclosures": [other]}))
    assert closing.makul("month", "sample", head, *certificate, "--verify", sample).code == 1


SUBJECT = "urn:makul:subject:1"


def questions(closing: Closing) -> dict[UUID, str]:
    """Send what is due, and return the token of each question by its disclosure."""
    closing.installation.makul(Duty.NOTIFYING).run_json("notification", "send", "--once")
    found = {}
    for file in (closing.makul.directory / "notifications").glob("*.json"):
        content = json.loads(file.read_bytes())
        if content["kind"] == "QUESTION":
            assert content["answerBy"]
            found[UUID(content["disclosureId"])] = content["link"]["url"].rpartition("/")[2]
    return found


def answer_check(closing: Closing, content: str, *, pin: Pin | None = None) -> ServiceAnswer:
    """Answer as the portal; with `pin`, the citizen is logged in. `|` marks the ID token."""
    request_id = uuid4()
    token = ""
    if pin is not None:
        token = f"<idToken>{closing.installation.id_token(pin, request_id)}</idToken>"
    child = (
        f'<AnswerCheck xmlns="{SUBJECT}"><requestId>{request_id}</requestId>'
        f"{content.replace('|', token)}</AnswerCheck>"
    )
    return closing.installation.ask_as_citizen(child.encode())


def test_subjects_of_the_sample_are_asked_and_answer(closing: Closing) -> None:
    """Cl. 11: each answer counts once; a "no" is an exception, and so is silence after the term."""
    ask = ("month", "ask", closing.bank, str(closing.month), "--apply")
    assert closing.makul(*ask).code == 1  # not issued yet
    closing.issue()
    closing.makul.run_json(*ask)
    assert closing.makul(*ask).code == 1  # a month asks once
    tokens = questions(closing)
    assert set(tokens) == set(closing.lines)
    (denied, token), (silent, _) = tokens.items()
    no = "<answer>NO</answer>"

    link = f"<linkToken>{token}</linkToken>|"
    named = f"|<disclosureId>{denied}</disclosureId>"
    assert answer_check(closing, named + no, pin=GULNARA).codes == ["OVR-06"]
    assert answer_check(closing, link + no).outcome == "DONE"
    assert answer_check(closing, link + no).codes == ["OVR-06"]
    assert answer_check(closing, named + no, pin=AZAMAT).codes == ["OVR-06"]

    rows = closing.makul.run_json("month", "answers", closing.bank, str(closing.month))
    assert {row["disclosure_id"]: row["answer"] for row in rows} == {
        str(denied): "NO",
        str(silent): None,
    }
    _report_with_answers(closing, rows)
    registry, later = closing.installation.store.registry, utc_now() + timedelta(days=15)
    with registry.read_month(closing.month, closing.bank, draft=True, at=later) as read:
        found = {
            each: [exception.fact for exception in find_denials(answers, at=later)]
            for each, answers in read.answers.items()
        }
    assert found == {denied: ["SUBJECT_ANSWERED_NO"], silent: ["NO_ANSWER_IN_TERM"]}


def _report_with_answers(closing: Closing, rows: object) -> None:
    """The report of the month counts what `makul month answers --json` printed."""
    said, page = (closing.makul.directory / name for name in ("said.json", "report.html"))
    said.write_text(json.dumps(rows), encoding="utf-8")
    (head,) = (closing.makul.directory / "months").rglob("statement.xml")
    certificate = ("--certificate", closing.makul.directory / "receipts.cert.pem")
    files = ("--answers", said, "--audience", "parties", "--out", page)
    closing.makul.run_json("month", "report", head.parent, *certificate, *files)
    counted = re.findall(
        r"<code>(NO|WAITING|YES)</code></span>\s*</th><td class=\"number\">(\d)",
        page.read_text(encoding="utf-8"),
    )
    assert counted == [("YES", "0"), ("NO", "1"), ("WAITING", "1")]


def test_a_citizen_answers_without_the_link(closing: Closing) -> None:
    """The login proves who it is, and the disclosure must be theirs."""
    closing.issue()
    closing.makul.run_json("month", "ask", closing.bank, str(closing.month), "--apply")
    first, second = closing.lines
    named = f"|<disclosureId>{first}</disclosureId><answer>DONT_KNOW</answer>"

    assert answer_check(closing, named, pin=AZAMAT).outcome == "DONE"
    assert answer_check(closing, named).codes == ["OVR-06"]
    unknown = named.replace(str(first), str(uuid4()))
    assert answer_check(closing, unknown, pin=AZAMAT).codes == ["OVR-06"]
    assert second in questions(closing)
