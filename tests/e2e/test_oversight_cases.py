"""Cases, end to end: proposed, opened, referred with evidence, acknowledged (cl. 12)."""

import zipfile
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import pytest

from makul.admin import case as case_builder
from makul.app.oversight import get_evidence_file, list_disclosures
from makul.composition.adapters import utc_now
from makul_testing.closing_month import Closing, open_closing
from makul_testing.in_process_service import (
    RecordDatabase,
    ServiceAnswer,
    about,
    party,
    person_request,
)

O = "{urn:makul:oversight:1}"  # noqa: E741 - the prefix of the schema
FACTS = "<justification>data without consent</justification>"


@dataclass(frozen=True, slots=True)
class Cases:
    """An installation with two disclosures of the last month and one of this month."""

    closing: Closing

    def oversee(self, operation: str, content: str = "", *, by: str = "inspector") -> ServiceAnswer:
        return self.closing.oversee(operation, content, by=by)

    def open(self, *, by: str = "inspector", scope: str = "ALL") -> ServiceAnswer:
        month = self.closing.month.following
        last = month.following.begins.astimezone(UTC).date()
        return self.oversee(
            "OpenCase",
            f"<recipient>{self.closing.bank}</recipient><firstDay>{month}-01</firstDay>"
            f"<lastDay>{last}</lastDay><scope>{scope}</scope>{FACTS}",
            by=by,
        )

    def decide(self, case_id: str, choice: str, *, by: str = "inspector") -> ServiceAnswer:
        content = f"<caseId>{case_id}</caseId><choice>{choice}</choice>{FACTS}"
        return self.oversee("OpenCase", content, by=by)

    def refer(self, case_id: str, *, by: str = "inspector") -> ServiceAnswer:
        return self.oversee("ReferCase", f"<caseId>{case_id}</caseId>{FACTS}", by=by)

    def acknowledge(self, case_id: str, *, by: str = "protection") -> ServiceAnswer:
        return self.oversee("AcknowledgeCase", f"<caseId>{case_id}</caseId>", by=by)

    def get(self, case_id: str | None = None, *, by: str = "inspector") -> ServiceAnswer:
        content = f"<caseId>{case_id}</caseId>" if case_id is not None else ""
        return self.oversee("GetCase", content, by=by)

    def get_part(self, case_id: str, offset: int = 0, *, by: str = "inspector") -> ServiceAnswer:
        content = f"<caseId>{case_id}</caseId><offset>{offset}</offset>"
        return self.oversee("GetEvidenceFile", content, by=by)

    def attach(self, case_id: str) -> Path:
        """Build and attach the evidence file of an open case, as the operator does."""
        built = self.closing.makul.run_json(
            "case", "build", "--case", case_id, "--reason", "case of the body"
        )
        return Path(built["file"])


@pytest.fixture
def cases(tmp_path: Path, record_database: RecordDatabase) -> Iterator[Cases]:
    with open_closing(tmp_path, record_database) as closing:
        installation = closing.installation
        document = installation.document("bank-00-data")
        person = installation.person_of(document)
        request = person_request(**about(person, of=installation.bank, document=document))
        assert installation.ask(request).outcome == "RELEASED"
        closing.publish()
        yield Cases(closing)


def text(answer: ServiceAnswer, name: str) -> str:
    return answer.child.findtext(f".//{O}{name}") or ""


def texts(answer: ServiceAnswer, name: str) -> list[str | None]:
    return [each.text for each in answer.child.iter(f"{O}{name}")]


def part_of(answer: ServiceAnswer) -> bytes:
    return b64decode(text(answer, "part"))


def test_a_case_goes_to_the_data_protection_body(cases: Cases) -> None:
    """Opened, built by the operator, referred, read there, and acknowledged."""
    opened = cases.open()
    case_id = text(opened, "caseId")
    assert (opened.outcome, text(opened, "caseState")) == ("DONE", "OPEN")
    assert cases.refer(case_id).codes == ["OVR-02"]  # there is no evidence file yet
    assert cases.get_part(case_id).codes == ["OVR-02"]

    file = cases.attach(case_id)
    referred = cases.refer(case_id, by="head")
    read = cases.get_part(case_id, by="protection")
    acknowledged = cases.acknowledge(case_id)

    assert (referred.outcome, text(referred, "caseState")) == ("DONE", "REFERRED")
    assert part_of(read) == file.read_bytes()
    assert b64decode(text(read, "evidenceDigest")) == sha256(file.read_bytes()).digest()
    assert text(read, "evidenceBytes") == str(file.stat().st_size)
    assert text(acknowledged, "caseState") == "ACKNOWLEDGED"
    steps = texts(cases.get(case_id), "kind")
    assert steps == ["OPENED", "EVIDENCE_ATTACHED", "REFERRED", "ACKNOWLEDGED"]
    certificate = cases.closing.makul.directory / "receipts.cert.pem"
    verified = cases.closing.makul.run_json("case", "verify", file, "--certificate", certificate)
    assert (verified["case_id"], verified["included"]) == (case_id, 1)


def test_exceptions_of_an_issued_month_propose_a_case(cases: Cases) -> None:
    """The operator cannot omit it: the same act issues the statement and proposes the case."""
    cases.closing.issue()

    listed = cases.get()

    assert (text(listed, "caseState"), text(listed, "recipient")) == (
        "PROPOSED",
        cases.closing.bank,
    )
    case_id = text(listed, "caseId")
    shown = cases.get(case_id)
    assert (text(shown, "party"), text(shown, "text")) == (
        "OPERATOR",
        f"{cases.closing.month}: NO_GROUND 2",
    )
    assert text(cases.decide(case_id, "OPEN"), "caseState") == "OPEN"


def test_a_dismissed_case_stays_with_its_reason(cases: Cases) -> None:
    """A proposed or open case may be dismissed, once, and never after its referral."""
    opened = text(cases.open(), "caseId")
    assert text(cases.decide(opened, "DISMISS"), "caseState") == "DISMISSED"
    for choice in ("OPEN", "DISMISS"):
        assert cases.decide(opened, choice).codes == ["OVR-02"]
    assert texts(cases.get(opened), "text") == ["data without consent"] * 2
    sent = text(cases.open(), "caseId")
    cases.attach(sent)
    cases.refer(sent)
    assert cases.decide(sent, "DISMISS").codes == ["OVR-02"]
    assert cases.refer(sent).codes == ["OVR-02"]


def test_a_case_before_its_referral_is_unknown_to_the_data_protection_body(cases: Cases) -> None:
    """The answer is that of an id which does not exist, so guessing shows nothing."""
    case_id = text(cases.open(), "caseId")
    cases.attach(case_id)
    unknown = str(uuid4())

    for ask in (cases.get, cases.get_part):
        answers = [ask(each, by="protection") for each in (case_id, unknown)]
        assert [each.codes for each in answers] == [["OVR-06"], ["OVR-06"]]
        fields = {each.child.findtext(".//{*}field") for each in answers}
        assert fields == {"caseId"}
    assert cases.acknowledge(case_id).codes == cases.acknowledge(unknown).codes == ["OVR-06"]
    assert texts(cases.get(by="protection"), "caseId") == []
    cases.refer(case_id)
    assert texts(cases.get(by="protection"), "caseId") == [case_id]


def test_the_parts_of_an_evidence_file_are_those_that_were_attached(cases: Cases) -> None:
    """A part may begin anywhere; an altered, shorter or missing file gives nothing."""
    case_id = text(cases.open(), "caseId")
    file = cases.attach(case_id)
    content = file.read_bytes()

    assert part_of(cases.get_part(case_id, 1000)) == content[1000:]
    assert part_of(cases.get_part(case_id, len(content) - 1)) == content[-1:]
    assert cases.get_part(case_id, len(content)).codes == ["OVR-06"]
    for altered in (content[:-1] + b"x", content[:-1], content + b"x", b""):
        file.write_bytes(altered)
        answer = cases.get_part(case_id)
        if altered[: len(content)] == content:
            assert part_of(answer) == content
        else:
            assert (answer.outcome, answer.codes) == ("UNDETERMINED", ["OPS-01"])
            assert text(answer, "part") == ""
    file.unlink()
    assert cases.get_part(case_id).codes == ["OPS-01"]


def test_the_evidence_of_a_referred_case_never_changes(cases: Cases) -> None:
    """The operator may build again while the case is open, and every file stays in the steps."""
    case_id = text(cases.open(), "caseId")
    digests = [sha256(cases.attach(case_id).read_bytes()).digest() for _ in range(2)]
    cases.refer(case_id)

    again = cases.closing.makul("case", "build", "--case", case_id, "--reason", "again")

    assert (again.code, "not open" in again.err) == (1, True)
    steps = cases.get(case_id)
    listed = [b64decode(each or "") for each in texts(steps, "evidenceDigest")]
    assert listed == [digests[1], digests[0], digests[1], digests[1]]  # the case, then its steps


def test_what_cannot_be_opened(cases: Cases) -> None:
    """An unknown recipient or case is OVR-06; days in the wrong order are malformed."""
    assert cases.decide(str(uuid4()), "OPEN").codes == ["OVR-06"]
    fields = "<firstDay>2026-10-02</firstDay><lastDay>{last}</lastDay><scope>ALL</scope>" + FACTS
    unknown = "<recipient>COM/99999999</recipient>" + fields.format(last="2026-10-02")
    assert cases.oversee("OpenCase", unknown).codes == ["OVR-06"]
    backwards = f"<recipient>{cases.closing.bank}</recipient>" + fields.format(last="2026-10-01")
    assert cases.oversee("OpenCase", backwards).codes == ["REQ-01"]


def test_the_lines_of_a_recipient_come_in_pages(
    cases: Cases, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each line once, in order, without data of a person; by month or by days, for any officer."""
    monkeypatch.setattr(list_disclosures, "LINES_PER_PAGE", 1)
    month, bank = cases.closing.month, f"<recipient>{cases.closing.bank}</recipient>"
    of_month = f"{bank}<month>{month}</month>"

    first = cases.oversee("ListDisclosures", of_month, by="protection")
    (last,) = texts(first, "disclosureId")
    second = cases.oversee("ListDisclosures", f"{of_month}<after>{last}</after>")

    found = [text(each, "disclosureId") for each in (first, second)]
    assert sorted(found) == sorted(str(line) for line in cases.closing.lines)
    assert (text(first, "more"), text(second, "more")) == ("true", "false")
    assert text(first, "operation") == "GetPersonData"
    assert texts(first, "outcome") == ["DONE", "RELEASED"]
    for day, lines in (("02", 1), ("20", 0)):
        days = f"<firstDay>{month}-{day}</firstDay><lastDay>{month}-{day}</lastDay>"
        answer = cases.oversee("ListDisclosures", bank + days)
        assert (answer.outcome, len(texts(answer, "line"))) == ("DONE", lines)


def test_no_other_lines_are_listed(cases: Cases) -> None:
    """An unknown recipient, and an id that is not of this recipient and period, are OVR-06."""
    month = f"<month>{cases.closing.month}</month>"
    bank = f"<recipient>{cases.closing.bank}</recipient>"

    unknown = cases.oversee("ListDisclosures", "<recipient>COM/99999999</recipient>" + month)
    assert unknown.codes == ["OVR-06"]
    for after, period in (
        (uuid4(), month),
        (cases.closing.lines[0], "<month>2020-01</month>"),
    ):
        answer = cases.oversee("ListDisclosures", f"{bank}{period}<after>{after}</after>")
        assert answer.codes == ["OVR-06"]
    assert utc_now() > cases.closing.month.ends  # the lines are of a past month


def test_the_statements_of_the_months_are_in_the_evidence(cases: Cases, tmp_path: Path) -> None:
    """The issued statement is included with its pages, and verified with the file."""
    closing, makul, month = cases.closing, cases.closing.makul, cases.closing.month
    insurer = party("insurer").code
    months = makul.directory / "months"
    makul.run_json("month", "build", str(month), "--recipient", insurer, "--output", months)
    closing.publish()
    out = tmp_path / "case.asice"

    built = makul.run_json(
        *("case", "build", insurer, "--from", f"{month}-01", "--to", f"{month.following}-01"),
        *("--reason", "case 7", "--months", months, "--out", out),
    )

    directory = months / str(month) / insurer.replace("/", "-")
    with zipfile.ZipFile(out) as archive:
        named = {each for each in archive.namelist() if each.startswith("months/")}
        assert named == {f"months/{month}/{each.name}" for each in directory.iterdir()}
        head = archive.read(f"months/{month}/statement.xml")
    assert head == (directory / "statement.xml").read_bytes()
    assert f"STATEMENT {len(named)}" in built["contents"]
    certificate = makul.directory / "receipts.cert.pem"
    assert makul("case", "verify", out, "--certificate", certificate).code == 0


def test_each_part_is_verified_by_itself(cases: Cases, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file of many parts is joined by their lengths; one altered byte withholds one part."""
    for module in (get_evidence_file, case_builder):
        monkeypatch.setattr(module, "PART_BYTES", 5000)
    case_id = text(cases.open(), "caseId")
    file = cases.attach(case_id)
    content = file.read_bytes()
    assert len(content) > 10_000

    received = b""
    while len(received) < len(content):
        part = part_of(cases.get_part(case_id, len(received)))
        assert part == content[len(received) : len(received) + 5000]
        received += part
    altered = bytearray(content)
    altered[5000] ^= 1
    file.write_bytes(altered)

    assert received == content
    assert part_of(cases.get_part(case_id, 0)) == content[:5000]
    assert cases.get_part(case_id, 9999).codes == ["OPS-01"]
    assert part_of(cases.get_part(case_id, 10_001)) == content[10_001:15_000]
