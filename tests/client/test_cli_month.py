"""`makul-client month`: its preview, exit codes, files and options, with a service that answers."""

import json
from pathlib import Path
from typing import Any
from unittest.mock import patch
from uuid import uuid4

import pytest
from lxml import etree

from makul_client import Profile
from makul_client._internal.wsse import utc_now
from makul_client.cli.exit_codes import ExitCode
from makul_testing.client.cli_runner import Result, run_client
from makul_testing.client.months import (
    MONTH,
    FakeMonth,
    Line,
    a_line,
    a_month,
    keep,
    write_month_profile,
)
from makul_testing.client.world import GROUND, PROBE, client_for, operator, parties, write_profile
from makul_testing.pki.client import pem_of, pem_of_key
from makul_testing.servers.fake_service import ReceivedRequest, run_fake_service

SENT = "ConfirmMonth"


def run(
    folder: Path, month: FakeMonth, *arguments: object, typed: str | None = None
) -> tuple[Result, list[ReceivedRequest]]:
    """Run the command, at a terminal if something is typed; return what changed the month, too."""
    terminal = typed is not None
    # The command's clock is the real one, and the answers are signed with the present time.
    now = utc_now().replace(microsecond=0)
    with (
        patch("makul_testing.client.months.NOW", now),
        patch("makul_testing.client.world.NOW", now),
        patch("makul_client.cli.prompts.has_terminal", return_value=terminal),
        patch("makul_client.cli.confirmation.has_terminal", return_value=terminal),
        run_fake_service(month.reply()) as service,
    ):
        file = write_month_profile(folder, service.url, extra="[retry]\nattempts = 1\n")
        result = run_client(
            "--language", "en", "month", MONTH, *arguments, "--profile", file, typed=typed
        )
    return result, [each for each in service.requests if each.operation == SENT]


def equal_month(folder: Path) -> FakeMonth:
    """Return a month of which every receipt is kept."""
    month = a_month()
    keep(folder, [line for page in month.pages for line in page])
    return month


def different_month(folder: Path) -> tuple[FakeMonth, Line, Line]:
    """Return a month with a line without a receipt, and one receipt without a line."""
    lost, listed, unlisted = a_line(0), a_line(1), a_line(2)
    keep(folder, [listed, unlisted])
    return a_month(pages=[[lost, listed]]), lost, unlisted


def signatory(folder: Path) -> tuple[object, ...]:
    key, certificate = folder / "head.key.pem", folder / "head.crt.pem"
    key.write_bytes(pem_of_key(parties().recipient.key))
    certificate.write_bytes(pem_of(parties().recipient.certificate))
    return "--confirm", "--key", key, "--certificate", certificate


def test_an_equal_month_is_shown(tmp_path: Path) -> None:
    """The exit code is 0 and nothing is sent if nothing differs."""
    result, sent = run(tmp_path, equal_month(tmp_path))

    assert (result.exit_code, sent) == (ExitCode.OK, []), result.output
    assert "No differences." in result.stdout
    assert "ISSUED" in result.stdout


def test_differences_are_shown_with_their_ids(tmp_path: Path) -> None:
    """The ids stand on lines of their own, so that they can be copied at any width."""
    month, lost, unlisted = different_month(tmp_path)
    result, _ = run(tmp_path, month)

    assert result.exit_code == ExitCode.NO
    for each in (lost, unlisted):
        assert f"{each.disclosure_id}  VerifyPerson NOT_MATCHED" in result.stdout
        assert f"  request {each.request_id}\n" in result.stdout
    assert "no receipt is kept" in result.stdout


def test_a_month_that_must_not_be_trusted_shows_nothing(tmp_path: Path) -> None:
    """Exit code 4, one line, and no number of the statement."""
    month = equal_month(tmp_path)
    month.page_on_its_way = lambda page: page + b" "
    result, _ = run(tmp_path, month)
    as_json, _ = run(tmp_path, month, "--json")

    assert (result.exit_code, result.stdout) == (ExitCode.RECEIPT, "")
    assert "a page has other bytes than the head names (page 1)" in result.stderr
    assert json.loads(as_json.stdout)["error"]["kind"] == "StatementError"


@pytest.mark.parametrize("typed", [None, "", "yes", "2026-09"])
def test_nothing_is_confirmed_without_a_confirmation(tmp_path: Path, typed: str | None) -> None:
    """The month itself is typed. Without a terminal the preview ends the run."""
    typed_line = None if typed is None else f"{typed}\n"
    result, sent = run(tmp_path, equal_month(tmp_path), *signatory(tmp_path), typed=typed_line)

    assert sent == []
    assert result.exit_code == (ExitCode.OK if typed is None else ExitCode.USAGE)
    assert "Would do: confirm the month" in result.stdout


@pytest.mark.parametrize(("more", "typed"), [(("--apply",), None), ((), f"{MONTH}\n")])
def test_a_month_is_confirmed(tmp_path: Path, more: tuple[str, ...], typed: str | None) -> None:
    """What is sent is the content of the head with the signatory's signature, and its receipt."""
    receipt, request_id = tmp_path / "receipt.xml", uuid4()
    options = (*signatory(tmp_path), "--receipt", receipt, "--request-id", request_id, *more)
    result, (sent,) = run(tmp_path, equal_month(tmp_path), *options, typed=typed)

    assert result.exit_code == ExitCode.OK, result.output
    assert f"The month {MONTH} is CONFIRMED." in result.stdout
    assert sent.text("requestId") == str(request_id)
    assert b"ConfirmMonth" in receipt.read_bytes()
    (kept,) = (tmp_path / "receipts" / "acts").glob("*.xml")
    assert kept.read_bytes() == receipt.read_bytes()


def test_differences_are_confirmed_only_on_purpose(tmp_path: Path) -> None:
    """Neither the bytes to sign nor the confirmation leave by mistake."""
    month, *_ = different_month(tmp_path)
    confirm, to_sign = (*signatory(tmp_path), "--apply"), tmp_path / "to-sign.xml"

    refused, nothing = run(tmp_path, month, *confirm)
    kept_back, _ = run(tmp_path, month, "--write-bytes", to_sign)
    assert (refused.exit_code, nothing) == (ExitCode.NO, [])
    assert (kept_back.exit_code, to_sign.exists()) == (ExitCode.NO, False)
    confirmed, sent = run(tmp_path, month, *confirm, "--despite-differences")
    assert (confirmed.exit_code, len(sent)) == (ExitCode.OK, 1), confirmed.output


def test_a_drafted_contest_is_sent(tmp_path: Path) -> None:
    """The line has no receipt, and the receipt has no line; each goes as what it is."""
    month, lost, unlisted = different_month(tmp_path)
    file = tmp_path / "contest.txt"
    drafted, _ = run(tmp_path, month, "--draft-contest", file)
    empty, _ = run(tmp_path, month, "--contest-file", file, "--apply")
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace(" \n", " эсепте жок\n"), encoding="utf-8")

    shown, nothing = run(tmp_path, month, "--contest-file", file)
    result, (sent,) = run(tmp_path, month, "--contest-file", file, "--apply")

    assert drafted.exit_code == ExitCode.NO
    assert (empty.exit_code, "write a disclosure id and a reason" in empty.stderr) == (2, True)
    assert (shown.exit_code, nothing) == (ExitCode.OK, [])
    assert "UNKNOWN_TO_OPERATOR: эсепте жок" in " ".join(shown.stdout.split())
    assert result.exit_code == ExitCode.OK, result.output
    tag = "{urn:makul:recipient:1}"
    lines = {
        each.findtext(f"{tag}disclosureId"): {etree.QName(part).localname for part in each}
        for each in sent.child.findall(f"{tag}contestedLine")
    }
    assert lines == {
        str(lost.disclosure_id): {"disclosureId", "reason", "exception"},
        str(unlisted.disclosure_id): {"disclosureId", "reason", "receipt"},
    }


def test_a_line_without_a_difference_can_be_contested(tmp_path: Path) -> None:
    """The receipt may be right and the decision wrong. --json shows what would be sent."""
    month = equal_month(tmp_path)
    option = ("--contest", f"{month.pages[0][0].disclosure_id}= our  client was not there")
    shown, _ = run(tmp_path, month, *option, "--json")
    result, (sent,) = run(tmp_path, month, *option, "--json", "--apply")

    facts: dict[str, Any] = json.loads(result.stdout)
    assert json.loads(shown.stdout)["contest"][0]["reason"] == "our client was not there"
    assert facts["done"]["status"]["state"] == "CONTESTED"
    assert (facts["lines"], facts["differences"]) == (3, [])
    assert b"<exception>" not in sent.message


@pytest.mark.parametrize(
    "options",
    [
        ("--confirm",),
        ("--confirm", "--key", "k.pem"),
        ("--key", "k.pem", "--certificate", "c.pem"),
        ("--signed", "s.xml"),
        ("--contest", "no-id=reason"),
        ("--contest", f"{uuid4()}"),
        ("--contest", f"{uuid4()}= "),
        ("--contest", f"{uuid4()}=a", "--write-bytes", "b"),
        ("--proofs", "-1"),
    ],
)
def test_contradicting_options_send_nothing(tmp_path: Path, options: tuple[str, ...]) -> None:
    """Exit code 2, before the service is asked."""
    with run_fake_service(a_month().reply()) as service:
        file = write_month_profile(tmp_path, service.url)
        result = run_client("month", MONTH, *options, "--profile", file)
    assert (result.exit_code, service.requests) == (ExitCode.USAGE, []), result.output


@pytest.mark.parametrize("month", ["2026-13", "october", "2026-1", "٢٠٢٦-١٠"])
def test_another_word_is_no_month(tmp_path: Path, month: str) -> None:
    file = write_month_profile(tmp_path, "http://127.0.0.1:1/")
    assert run_client("month", month, "--profile", file).exit_code == ExitCode.USAGE


@pytest.mark.parametrize(
    "content",
    [b"\xff\xfe", b"7d9a3c1e\n", b"x" * (1024 * 1024 + 1), f"{uuid4()} a\n".encode() * 2],
    ids=["not-utf-8", "no-id", "too-large", "twice"],
)
def test_a_contest_file_of_another_form_sends_nothing(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "contest.txt"
    file.write_bytes(content)
    result, sent = run(tmp_path, equal_month(tmp_path), "--contest-file", file, "--apply")
    assert (result.exit_code, sent) == (ExitCode.USAGE, [])
    assert len(result.stderr.splitlines()) == 1


def test_more_than_a_thousand_lines_are_not_sent(tmp_path: Path) -> None:
    """The schema allows as many in one act."""
    file = tmp_path / "contest.txt"
    file.write_text("".join(f"{uuid4()} not ours\n" for _ in range(1001)))
    result, sent = run(tmp_path, equal_month(tmp_path), "--contest-file", file, "--apply")
    assert (result.exit_code, sent) == (ExitCode.USAGE, [])


# --- keeping receipts -------------------------------------------------------------------------


def test_a_receipt_is_kept_before_the_answer_is_read(tmp_path: Path) -> None:
    """A refusal is kept too, and an answer that contradicts its receipt leaves the receipt."""
    replies = [
        operator().decide("REFUSED", codes=("CNS-01",)),
        operator().decide("NOT_MATCHED", in_receipt={"outcome": "MATCHED"}),
    ]
    with run_fake_service(*replies) as service:
        file = write_month_profile(tmp_path, service.url, extra="[retry]\nattempts = 1\n")
        with client_for(file) as client:
            for _ in replies:
                with pytest.raises(Exception, match=r"CNS-01|receipt"):
                    client.verify_person(PROBE, ground=GROUND)
    kept = list((tmp_path / "receipts").rglob("*.xml"))
    assert len(kept) == 2
    assert {each.parent.name for each in kept} == {"2026-11"}


def test_nothing_is_sent_if_no_receipt_can_be_kept(tmp_path: Path) -> None:
    """A disclosure is counted, so the directory is tried first."""
    (tmp_path / "receipts").write_bytes(b"a file")
    with run_fake_service(operator().decide("MATCHED")) as service:
        file = write_month_profile(tmp_path, service.url)
        result = run_client(
            *("verify", "--consent-id", uuid4(), "--pin", "20101199000001"),
            *("--document-number", "ID0000001", "--profile", file),
        )
    assert (result.exit_code, "[recipient] receipts:" in result.stderr) == (ExitCode.USAGE, True)
    assert [each for each in service.requests if each.operation == "VerifyPerson"] == []


def test_without_a_directory_nothing_is_kept(tmp_path: Path) -> None:
    """The directory is an option of the profile."""
    file = write_profile(tmp_path, "http://127.0.0.1:1/")
    assert Profile.load(file).recipient.receipts is None
    assert not (tmp_path / "receipts").exists()
