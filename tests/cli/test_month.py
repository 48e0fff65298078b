"""`makul month`: statements are built, shown and verified (Procedure, cl. 11)."""

import fcntl
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from dataclasses import replace
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from lxml import etree

from makul.admin import month_pages
from makul.admin.errors import OperatorError
from makul.admin.month import SETTLING_TIME, StatementPublisher
from makul.app import monthly_statements
from makul.app.ports import AgreementDraft, NamedParty
from makul.composition.adapters import utc_now
from makul.config.settings import load_settings
from makul.documents.agreements import render_agreement
from makul.documents.monthly_statements import XmlStatementDocuments
from makul.domain.agreements import Agreement, AgreementState
from makul.domain.attributes import Attribute
from makul.domain.months import Month, month_before
from makul.store import Store
from makul.store.reads import monthly_decisions
from makul_testing.builders.agreements import (
    AUTHORISED_BODY,
    OPERATOR,
    a_signature,
    agree,
    register_signatory,
    three,
)
from makul_testing.builders.documents import valid
from makul_testing.builders.entries import a_metered_release, a_release
from makul_testing.builders.months import AGREED_AT, IN_OCTOBER, a_consent_document
from makul_testing.builders.recorded_months import publish, record
from makul_testing.builders.records import (
    AGREEMENT_NUMBER,
    AZAMAT,
    BANK,
    GULNARA,
    POLICE,
    a_consent,
    an_agreement,
    an_evidence,
)
from makul_testing.cli_runner import CommandLine
from makul_testing.leak_scanner import Secret
from makul_testing.pki.client import TestAuthority, pem_of, pem_of_key
from makul_testing.raw_sql import raw
from makul_testing.stores import store_of

BUILD = ("month", "build", "2026-10")


@pytest.fixture
def store(with_bank: CommandLine) -> Iterator[Store]:
    """Open the bank's installation with an agreement and a published October."""
    with store_of(with_bank.directory / "makul.toml") as opened:
        agree(opened.registry, an_agreement(), at=AGREED_AT)
        record(opened)
        publish(with_bank, opened)
        yield opened


@pytest.fixture
def months(tmp_path: Path) -> Path:
    return tmp_path / "months"


def build(makul: CommandLine, months: Path, *options: str) -> Any:
    return makul.run_json(*BUILD, "--output", months, *options)


def head_of(months: Path) -> Path:
    return months / "2026-10" / "COM-60000001" / "statement.xml"


@pytest.mark.usefixtures("store")
def test_a_month_is_built_shown_and_verified(with_bank: CommandLine, months: Path) -> None:
    """The whole way of a statement; the release without a ground is an exception."""
    (built,) = build(with_bank, months)

    assert (built["recipient"], built["state"], built["draft"]) == (BANK, "BUILT", False)
    assert (built["lines"], built["disclosures"], built["pages"], built["exceptions"]) == (
        *(3, 2, 1),
        1,
    )
    assert built["file"] == str(head_of(months))
    files = sorted(path.name for path in head_of(months).parent.iterdir())
    assert files == ["page-001.xml", "statement.xml"]
    for name in files:
        valid((head_of(months).parent / name).read_bytes(), "month")

    shown = with_bank.run_json("month", "show", "2026-10", "--output", months, "--recipient", BANK)
    assert shown["totals"]["outcomes"] == {"REFUSED": 1, "RELEASED": 2}
    assert shown["totals"]["refusals"] == {"CNS-04": 1}
    (exception,) = shown["listed_exceptions"]
    assert (exception["kind"], exception["fact"]) == ("NO_GROUND", "GROUND_NOT_NAMED")
    (verified,) = with_bank.run_json("month", "verify", head_of(months))
    assert (verified["result"], verified["recipient"], verified["lines"]) == ("PASSED", BANK, 3)


@pytest.mark.usefixtures("store")
def test_tables_are_printed_for_people(with_bank: CommandLine, months: Path) -> None:
    """Each command prints its result as text as well."""
    built = with_bank(*BUILD, "--output", months)
    assert (built.code, "BUILT" in built.out, built.err) == (0, True, "")
    listed = with_bank("month", "show", "2026-10", "--output", months)
    assert (listed.code, BANK in listed.out) == (0, True)
    shown = with_bank("month", "show", "2026-10", "--output", months, "--recipient", BANK)
    assert (shown.code, "GROUND_NOT_NAMED" in shown.out) == (0, True)
    verified = with_bank("month", "verify", head_of(months))
    assert (verified.code, "PASSED" in verified.out) == (0, True)


@pytest.mark.usefixtures("store")
def test_no_byte_of_a_statement_is_of_a_person(with_bank: CommandLine, months: Path) -> None:
    """No PIN and no value, in any encoding; nor does a command print one."""
    results = [
        with_bank(*BUILD, "--output", months),
        with_bank("month", "show", "2026-10", "--output", months, "--recipient", BANK, "--json"),
    ]
    texts = [path.read_text() for path in head_of(months).parent.iterdir()]
    texts += [each.out + each.err for each in results]

    for text in texts:
        lower = text.lower()
        for secret in (Secret("PIN", AZAMAT.digits), Secret("surname", "Toktogulov")):
            assert [name for name, form in secret.forms() if form.lower() in lower] == []


@pytest.mark.usefixtures("store")
def test_building_is_recorded(with_bank: CommandLine, months: Path) -> None:
    """Procedure, cl. 13 and 16: like every act of the operator."""
    build(with_bank, months)

    database = load_settings(with_bank.directory / "makul.toml").store.database
    with raw(database) as connection:
        rows = connection.execute("SELECT target FROM desk_log WHERE action = 'month.build'")
        assert rows.fetchall() == [(BANK,)]


@pytest.mark.usefixtures("store")
def test_a_changed_byte_is_refused(with_bank: CommandLine, months: Path) -> None:
    """The head and each page are tried at their beginning, middle and end."""
    build(with_bank, months)
    head, page = head_of(months), head_of(months).with_name("page-001.xml")

    for file in (head, page):
        content = file.read_bytes()
        for index in (1, len(content) // 4, len(content) // 2, len(content) - 2):
            file.write_bytes(content[:index] + bytes([content[index] ^ 1]) + content[index + 1 :])
            result = with_bank("month", "verify", head, "--json")
            assert (result.code, result.json[0]["result"]) == (1, "FAILED"), (file, index)
        file.write_bytes(content)
    assert with_bank("month", "verify", head).code == 0


@pytest.mark.usefixtures("store")
def test_a_missing_page_is_refused(with_bank: CommandLine, months: Path) -> None:
    """A statement is whole, or it is none. The other statements are still verified."""
    build(with_bank, months)
    good = head_of(months).read_bytes()
    head_of(months).with_name("page-001.xml").unlink()

    result = with_bank("month", "verify", head_of(months), months / "missing.xml", "--json")

    assert good
    assert result.code == 1
    assert "page 1 cannot be read" in result.json[0]["why"]
    assert "missing.xml" in result.json[1]["why"]


def replaced(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    """Return a change of a page. It must change something."""

    def change(page: bytes) -> bytes:
        assert old in page
        return page.replace(old, new, 1)

    return change


def with_lines(change: Callable[[list[bytes]], list[bytes]]) -> Callable[[bytes], bytes]:
    """Return a change of the lines of a page."""

    def changed(page: bytes) -> bytes:
        lines = re.findall(rb"<line>.*?</line>", page)
        return page.replace(b"".join(lines), b"".join(change(lines)))

    return changed


UNTRUE = {
    "another month": (replaced(b">2026-10<", b">2026-09<"), "is not a page of this statement"),
    "a line too few": (with_lines(lambda lines: lines[1:]), "is not a page of this statement"),
    "a line twice": (with_lines(lambda lines: lines[:1] * len(lines)), "out of order"),
    "out of order": (with_lines(lambda lines: lines[::-1]), "out of order"),
    "out of the month": (replaced(b"<decidedAt>2026-10", b"<decidedAt>2026-07"), "another month"),
    "an operation": (replaced(b">GetPersonData<", b">VerifyPerson<"), "totals"),
    "an outcome": (replaced(b">REFUSED<", b">NOT_MATCHED<"), "totals"),
    "a disclosure": (replaced(b">RELEASED<", b">REFUSED<"), "totals"),
    "a ground": (replaced(b">CONSENT<", b">BASIS<"), "totals"),
    "a day": (replaced(b"<decidedAt>2026-10-13", b"<decidedAt>2026-10-12"), "totals"),
    "an attribute": (replaced(b"<attribute>surname", b"<attribute>address"), "totals"),
    "a kind": (replaced(b">NO_GROUND<", b">OVERUSED<"), "totals"),
    "a fact": (replaced(b">GROUND_NOT_NAMED<", b">DOCUMENT_NOT_STORED<"), "totals"),
}


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(("change", "why"), UNTRUE.values(), ids=UNTRUE)
def test_pages_must_prove_the_head(
    with_bank: CommandLine,
    months: Path,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[bytes], bytes],
    why: str,
) -> None:
    """Even the operator cannot sign a page that says something else than its head.

    The build itself refuses; here a careless one signs, and the reader refuses.
    """
    render = XmlStatementDocuments.render_page
    monkeypatch.setattr(
        XmlStatementDocuments,
        "render_page",
        lambda self, page: change(render(self, page)),
    )
    refused = with_bank(*BUILD, "--output", months)
    assert (refused.code, why in refused.err) == (1, True), refused.err
    assert list((months / "2026-10").iterdir()) == []

    monkeypatch.setattr(month_pages, "verify_page", lambda *arguments: None)
    build(with_bank, months)
    result = with_bank("month", "verify", head_of(months), "--json")

    assert result.code == 1
    assert why in result.json[0]["why"]


@pytest.mark.usefixtures("store")
def test_a_page_that_the_head_does_not_name_is_refused(
    with_bank: CommandLine, months: Path
) -> None:
    """A reader could take it for a part of the statement."""
    build(with_bank, months)
    page = head_of(months).with_name("page-001.xml")
    page.with_name("page-002.xml").write_bytes(page.read_bytes())

    result = with_bank("month", "verify", head_of(months), "--json")

    assert result.code == 1
    assert "page-002.xml is beside it" in result.json[0]["why"]


@pytest.mark.usefixtures("store")
def test_what_is_shown_is_what_was_asked(with_bank: CommandLine, months: Path) -> None:
    """A verified head in the wrong directory is another statement, or only a draft."""
    build(with_bank, months)
    build(with_bank, months, "--draft")
    for source, to in (("2026-10", "2026-09"), ("2026-10-draft", "2026-08")):
        shutil.copytree(months / source, months / to)
    shutil.copytree(months / "2026-10", months / "2026-07-draft")

    for month, draft, found in (
        ("2026-09", (), "the statement of 2026-10 for COM/60000001"),
        ("2026-08", (), "a draft of 2026-10 for COM/60000001"),
        ("2026-07", ("--draft",), "the statement of 2026-10 for COM/60000001"),
    ):
        for only in ((), ("--recipient", BANK)):
            shown = with_bank("month", "show", month, "--output", months, *draft, *only)
            assert (shown.code, found in shown.err, shown.out) == (1, True, "")


@pytest.mark.usefixtures("store")
def test_tables_say_that_a_draft_is_one(with_bank: CommandLine, months: Path) -> None:
    """A draft proves nothing, so nobody may take it for a statement."""
    draft = months / "2026-10-draft" / "COM-60000001" / "statement.xml"
    for arguments in (
        (*BUILD, "--output", months),
        ("month", "show", "2026-10", "--output", months),
        ("month", "show", "2026-10", "--output", months, "--recipient", BANK),
    ):
        result = with_bank(*arguments, "--draft")
        assert (result.code, bool(re.search("draft +yes", as_pairs(result.out)))) == (0, True)
    result = with_bank("month", "verify", draft)
    assert re.search("draft +yes", as_pairs(result.out)), result.out


def as_pairs(table: str) -> str:
    """Return a table of one row as names and values, unless it is that already."""
    lines = table.splitlines()
    if len(lines) != 2:
        return table
    names, values = (line.split() for line in lines)
    return "\n".join(f"{name} {value}" for name, value in zip(names, values, strict=False))


@pytest.mark.usefixtures("store")
def test_a_recipient_that_was_registered_later_is_missing(
    with_bank: CommandLine, months: Path
) -> None:
    """It has no statement of that month, and the others have."""
    build(with_bank, months)
    add_police(with_bank)

    shown = with_bank.run_json("month", "show", "2026-10", "--output", months)

    assert {each["recipient"]: each["state"] for each in shown} == {
        BANK: "UNCHANGED",
        POLICE: "MISSING",
    }
    text = with_bank("month", "show", "2026-10", "--output", months)
    assert (text.code, "MISSING" in text.out) == (0, True)
    alone = with_bank("month", "show", "2026-10", "--output", months, "--recipient", POLICE)
    assert (alone.code, "there is no statement in" in alone.err) == (1, True)


def add_police(makul: CommandLine) -> None:
    kind = ("--kind", "LAW_ENFORCEMENT", "--name", "Police")
    makul.run_json("recipient", "add", POLICE, *kind, "--apply")


def test_a_statement_that_cannot_be_built_does_not_stop_the_others(
    with_bank: CommandLine, store: Store, months: Path
) -> None:
    """Its row says why."""
    add_police(with_bank)
    publish(with_bank, store)
    store.recorder.record(a_release(decided_at=IN_OCTOBER + timedelta(hours=5)))

    result = with_bank(*BUILD, "--output", months, "--json")

    assert result.code == 1
    states = {each["recipient"]: (each["state"], each["why"]) for each in result.json}
    assert states[POLICE] == ("BUILT", None)
    assert states[BANK][0] == "FAILED"
    assert "makul ledger run" in states[BANK][1]
    text = with_bank(*BUILD, "--output", months)
    assert (text.code, "FAILED" in text.out, "ledger run" in text.out) == (1, True, True)


@pytest.mark.usefixtures("store")
def test_a_month_that_does_not_fit_says_why(
    with_bank: CommandLine, months: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operator must know what was too much."""
    monkeypatch.setattr(monthly_statements, "MAX_HEAD_BYTES", 500)

    result = with_bank(*BUILD, "--output", months)

    assert (result.code, "the head is larger than a signed document" in result.err) == (1, True)


@pytest.mark.usefixtures("store")
def test_what_a_killed_build_left_is_removed(with_bank: CommandLine, months: Path) -> None:
    """Only directories of this statement; nothing else is touched."""
    month = months / "2026-10"
    for name in (
        f".COM-60000001.{'0' * 16}.new",
        f".COM-6000000.{'0' * 16}.new",
        ".COM-60000001.x",
    ):
        (month / name).mkdir(parents=True)
        (month / name / "page-001.xml").write_text("x")

    build(with_bank, months)

    assert sorted(each.name for each in month.iterdir()) == [
        f".COM-6000000.{'0' * 16}.new",
        ".COM-60000001.x",
        "COM-60000001",
    ]


@pytest.mark.usefixtures("store")
def test_a_build_that_still_runs_keeps_its_directory(with_bank: CommandLine, months: Path) -> None:
    """Its directory is locked as long as it runs, so a second build removes nothing of it."""
    running = months / "2026-10" / f".COM-60000001.{'0' * 16}.new"
    running.mkdir(parents=True)
    (running / "page-001.xml").write_text("x")
    descriptor = os.open(running, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        build(with_bank, months)
    finally:
        os.close(descriptor)

    assert (running / "page-001.xml").read_text() == "x"
    assert (months / "2026-10" / "COM-60000001" / "statement.xml").exists()


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize("name", ["notes.txt", "page-notes.xml", "page-0001.xml"])
def test_a_file_beside_a_draft_is_not_removed(
    with_bank: CommandLine, months: Path, name: str
) -> None:
    """Nor is anything else, so the draft stays whole."""
    build(with_bank, months, "--draft")
    draft = months / "2026-10-draft" / "COM-60000001"
    (draft / name).write_text("x")
    before = {each.name: each.read_bytes() for each in draft.iterdir()}

    result = with_bank(*BUILD, "--output", months, "--draft")

    assert (result.code, name in result.err) == (1, True)
    assert {each.name: each.read_bytes() for each in draft.iterdir()} == before


@pytest.mark.usefixtures("store")
def test_only_the_operators_certificate_counts(with_bank: CommandLine, months: Path) -> None:
    """A given certificate replaces those of the settings; a compromised one is none of them."""
    build(with_bank, months)
    keys = with_bank.directory / "keys"
    own = ("--certificate", keys / "receipts.cert.pem")
    no_settings = CommandLine(with_bank.directory / "elsewhere")

    assert no_settings("month", "verify", head_of(months), *own).code == 0
    without = no_settings("month", "verify", head_of(months))
    assert (without.code, "--certificate" in without.err) == (3, True)
    other = keys / "receipts.key.pem"
    assert with_bank("month", "verify", head_of(months), "--certificate", other).code == 3


@pytest.mark.usefixtures("store")
def test_a_statement_of_a_compromised_key_is_refused(with_bank: CommandLine, months: Path) -> None:
    """Another party could have signed it at any time. A key that was only retired still counts."""
    build(with_bank, months)
    former = retire_receipt_key(with_bank)
    retired = with_bank("month", "verify", head_of(months), "--json")
    since = "2026-11-01T00:00:00Z"
    with_bank.run_json("key", "compromised", former, "--since", since, "--apply")

    compromised = with_bank("month", "verify", head_of(months), "--json")

    assert (retired.code, retired.json[0]["result"]) == (0, "PASSED")
    assert (compromised.code, "SIG-08" in compromised.json[0]["why"]) == (1, True)


def retire_receipt_key(makul: CommandLine) -> str:
    """Put another receipt key in place, and return the fingerprint of the former certificate."""
    keys = makul.directory / "keys"
    certificate = (keys / "receipts.cert.pem").read_bytes()
    (keys / "retired").mkdir()
    (keys / "retired" / "former.pem").write_bytes(certificate)
    other = TestAuthority.new("Another receipt key", utc_now()).issue("Operator")
    (keys / "receipts.cert.pem").write_bytes(pem_of(other.certificate))
    (keys / "receipts.key.pem").write_bytes(pem_of_key(other.key))
    config = makul.directory / "makul.toml"
    config.write_text(config.read_text().replace("# retired =", "retired =", 1), encoding="utf-8")
    return x509.load_pem_x509_certificate(certificate).fingerprint(hashes.SHA256()).hex()


@pytest.mark.usefixtures("store")
def test_a_month_is_built_once(with_bank: CommandLine, months: Path) -> None:
    """An equal statement stays, to the byte; its time and signature alone would differ."""
    build(with_bank, months)
    before = head_of(months).read_bytes()

    (again,) = build(with_bank, months)

    assert again["state"] == "UNCHANGED"
    assert head_of(months).read_bytes() == before
    assert [path.name for path in (months / "2026-10").iterdir()] == ["COM-60000001"]


def test_a_different_statement_is_reported_and_nothing_replaced(
    with_bank: CommandLine, store: Store, months: Path
) -> None:
    """A decision that appears in a past month is what an auditor must see."""
    build(with_bank, months)
    before = head_of(months).read_bytes()
    store.recorder.record(a_release(decided_at=IN_OCTOBER + timedelta(hours=5)))
    publish(with_bank, store)

    result = with_bank(*BUILD, "--output", months)

    assert result.code == 1
    assert "another statement exists" in result.err
    assert head_of(months).read_bytes() == before


def test_a_renewed_agreement_is_a_question_and_no_accusation(
    with_bank: CommandLine, store: Store, months: Path
) -> None:
    """The decisions of October were lawful under the terms of October."""
    agree(store.registry, an_agreement(valid_from=Month(2026, 10).ends), at=utc_now())
    publish(with_bank, store)
    build(with_bank, months)

    shown = with_bank.run_json("month", "show", "2026-10", "--output", months, "--recipient", BANK)

    assert shown["agreements"] == [AGREEMENT_NUMBER]
    assert sorted((each["kind"], each["fact"]) for each in shown["listed_exceptions"]) == [
        ("NO_GROUND", "GROUND_NOT_NAMED"),
        ("TO_INSPECT", "AGREEMENT_CHANGED_SINCE"),
        ("TO_INSPECT", "AGREEMENT_CHANGED_SINCE"),
    ]


def agree_in_writing(store: Store, agreement: Agreement, *, at: datetime) -> None:
    """Bring an agreement into force by a draft that can be read again."""
    terms = replace(agreement, state=AgreementState.DRAFT)
    document = render_agreement(
        AgreementDraft(
            terms=terms,
            drafted_at=at,
            authorised_body=NamedParty(code=AUTHORISED_BODY, name="Body"),
            operator=NamedParty(code=OPERATOR, name="Operator"),
            recipient_name="Bank",
        )
    )
    store.registry.draft_agreement(terms, document, at=at)
    for signatory in three(agreement.recipient):
        signer = register_signatory(store.registry, signatory, at=at)
        signature = a_signature(agreement, sha256(document).digest(), signer)
        store.registry.sign_agreement(signature, at=at)


def test_the_terms_of_the_month_are_compared_after_a_renewal(
    with_bank: CommandLine, months: Path
) -> None:
    """They are read from the draft that was signed then, and the new terms accuse nobody."""
    renewed = an_agreement(
        valid_from=Month(2026, 10).ends, attributes=frozenset({Attribute.ADDRESS}), powers={}
    )
    with store_of(with_bank.directory / "makul.toml") as store:
        agree_in_writing(store, an_agreement(), at=AGREED_AT)
        record(store)
        agree_in_writing(store, renewed, at=utc_now())
        publish(with_bank, store)
    build(with_bank, months)

    shown = with_bank.run_json("month", "show", "2026-10", "--output", months, "--recipient", BANK)

    assert [each["fact"] for each in shown["listed_exceptions"]] == ["GROUND_NOT_NAMED"]
    assert (shown["disclosures"], shown["agreements"]) == (2, [AGREEMENT_NUMBER])


def test_a_consent_of_another_person_for_another_recipient_is_found(
    with_bank: CommandLine, store: Store, months: Path
) -> None:
    """The document is stored and registered, but it is another person's, for the police."""
    document = a_consent_document(recipient=POLICE, consent_id=UUID(int=7))
    store.recorder.record(
        a_metered_release(
            a_consent(document, valid_from=IN_OCTOBER - timedelta(days=1)),
            decided_at=IN_OCTOBER + timedelta(minutes=1),
            subject=GULNARA,
            evidence=(an_evidence(document),),
        )
    )
    publish(with_bank, store)
    build(with_bank, months)

    shown = with_bank.run_json("month", "show", "2026-10", "--output", months, "--recipient", BANK)

    assert {"GROUND_SUBJECT", "GROUND_RECIPIENT"} < {
        each["fact"] for each in shown["listed_exceptions"]
    }


@pytest.mark.usefixtures("store")
def test_a_damaged_statement_is_not_equal(with_bank: CommandLine, months: Path) -> None:
    """A page that was changed on disk is noticed by a second build."""
    build(with_bank, months)
    page = head_of(months).with_name("page-001.xml")
    page.write_bytes(page.read_bytes() + b" ")

    assert with_bank(*BUILD, "--output", months).code == 1


def test_a_decision_outside_the_published_log_stops_the_build(
    with_bank: CommandLine, store: Store, months: Path
) -> None:
    """The statement would rest on a checkpoint that does not have it."""
    store.recorder.record(a_release(decided_at=IN_OCTOBER + timedelta(hours=5)))

    result = with_bank(*BUILD, "--output", months)

    assert (result.code, "makul ledger run" in result.err) == (1, True)
    assert list((months / "2026-10").iterdir()) == []


def test_a_log_that_is_not_published_is_reported(with_bank: CommandLine, months: Path) -> None:
    """The operator must run the sequencer first."""
    result = with_bank(*BUILD, "--output", months)

    assert (result.code, "there is no checkpoint yet" in result.err) == (3, True)


@pytest.mark.usefixtures("store")
def test_a_month_that_has_not_ended_is_refused_but_for_a_draft(
    with_bank: CommandLine, months: Path
) -> None:
    """A draft is marked, lies apart, and may be built again."""
    options = ("month", "build", "2999-12", "--output", months)
    refused = with_bank(*options)
    assert (refused.code, "--draft" in refused.err) == (1, True)
    assert not months.exists()

    for _ in range(2):
        (built,) = with_bank.run_json(*options, "--draft")
        assert (built["state"], built["draft"], built["lines"]) == ("BUILT", True, 0)
    head = months / "2999-12-draft" / "COM-60000001" / "statement.xml"
    assert etree.parse(head).findtext("{*}draft") == "true"
    shown = with_bank.run_json("month", "show", "2999-12", "--output", months, "--draft")
    assert shown[0]["draft"] is True


@pytest.mark.parametrize(("wait", "ended"), [(SETTLING_TIME, True), (SETTLING_TIME / 2, False)])
def test_the_last_decisions_of_a_month_are_awaited(
    with_bank: CommandLine, store: Store, wait: timedelta, ended: bool
) -> None:
    """A decision of the last second is recorded and sequenced shortly after the month."""
    month = Month(2026, 10)
    publisher = StatementPublisher(
        settings=load_settings(with_bank.directory / "makul.toml"),
        registry=store.registry,
        clock=lambda: month.ends + wait,
    )

    with nullcontext() if ended else pytest.raises(OperatorError, match="has not ended"):
        publisher.require_ended(month)


@pytest.mark.usefixtures("store")
def test_the_last_month_that_ended_is_the_default(with_bank: CommandLine, months: Path) -> None:
    """A timer needs no date."""
    built = with_bank.run_json("month", "build", "--output", months)

    assert [each["month"] for each in built] == [str(month_before(utc_now()))]


@pytest.mark.usefixtures("store")
def test_a_large_month_has_several_pages(
    with_bank: CommandLine, months: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pages are numbered, and each is verified."""
    monkeypatch.setattr(monthly_decisions, "MAX_PAGE_LINES", 2)
    (built,) = build(with_bank, months)

    assert built["pages"] == 2
    assert with_bank("month", "verify", head_of(months)).code == 0
    second = head_of(months).with_name("page-002.xml").read_bytes()
    assert re.findall(rb"<number>(\d+)</number>", second) == [b"2"]
    assert second.count(b"<line>") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("month", "build", "2026-13", "--output", "M"), "a month is written as 2026-11"),
        (("month", "show", "October", "--output", "M"), "a month is written as 2026-11"),
        (("month", "show", "2026-10", "--output", "M", "--recipient", "x"), "CLASS/CODE"),
        (("month", "build", "2026-10", "--output", "M", "--recipient", "COM/1"), "not registered"),
        (("month", "show", "2026-10", "--output", "M"), "statement.xml"),
    ],
)
def test_what_was_typed_wrong_is_named(
    with_bank: CommandLine, arguments: tuple[str, ...], message: str, months: Path
) -> None:
    result = with_bank(*(str(months) if each == "M" else each for each in arguments))

    assert (result.code, message in result.err, result.err.count("\n")) == (1, True, 1)


@pytest.mark.parametrize(("language", "word"), [("ky", "бүтө элек"), ("ru", "ещё не закончился")])
@pytest.mark.usefixtures("store")
def test_messages_are_in_the_language(
    with_bank: CommandLine, months: Path, language: str, word: str
) -> None:
    """Names, options and codes stay as they are."""
    result = with_bank("--language", language, "month", "build", "2999-12", "--output", months)

    assert (result.code, word in result.err, "--draft" in result.err) == (1, True, True)


@pytest.mark.usefixtures("store")
def test_a_directory_that_cannot_be_written_is_named(
    with_bank: CommandLine, tmp_path: Path
) -> None:
    """Nothing is left behind, and no traceback is shown."""
    file = tmp_path / "file"
    file.write_text("x")

    result = with_bank(*BUILD, "--output", file / "months")

    assert (result.code, "cannot write" in result.err) == (1, True)
    assert json.dumps(result.out) == '""'
