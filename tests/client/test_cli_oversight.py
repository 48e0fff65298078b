"""`makul-oversight`: its output, its exit codes, its receipts on disk, and its help."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from unittest.mock import patch
from uuid import uuid4

import pytest

from makul_client._internal.wsse import utc_now
from makul_client.cli.exit_codes import ExitCode
from makul_testing.client.cli_runner import Result, run_client
from makul_testing.client.officers import (
    AGREEMENT,
    BODY,
    COUNTS,
    CUT_OFF,
    JUSTIFICATION,
    PROPOSED,
    SHOP,
    TERMINATED,
    oversight_operator,
    write_officer_profile,
)
from makul_testing.imports import imported_by
from makul_testing.servers.fake_service import (
    FakeOperator,
    ReceivedRequest,
    Reply,
    fault,
    hang_up,
    run_fake_service,
)

COMMANDS = [["init"], ["cut-off"], ["terminate"], ["statistics"], ["receipt"]]
COMMANDS += [["receipt", "verify"]]
MODULE = "makul_client.cli.oversight.main"
HEAVY = {"asn1crypto", "cryptography", "lxml", "requests", "signxml", "zeep"}
ONCE = "[retry]\nattempts = 1"
WHY = ("--justification", JUSTIFICATION)


def run(*arguments: object, stdin: str | None = None, env: dict[str, str] | None = None) -> Result:
    """Run the program, at a terminal if something is typed."""
    terminal = stdin is not None
    with (
        patch("makul_client.cli.prompts.has_terminal", return_value=terminal),
        patch("makul_client.cli.confirmation.has_terminal", return_value=terminal),
    ):
        return run_client(*arguments, typed=stdin, env=env, program="makul-oversight")


def operator_now() -> FakeOperator:
    """Return the operator with the present time, because the command line's clock cannot be set."""
    return oversight_operator(utc_now().replace(microsecond=0))


def done(content: str = CUT_OFF) -> Reply:
    return operator_now().decide("DONE", content=content)


def call(
    folder: Path, reply: Reply, *arguments: object, stdin: str | None = None
) -> tuple[Result, list[ReceivedRequest]]:
    """Run a command with a service that answers like this; return what arrived there, too."""
    with run_fake_service(reply) as service:
        file = write_officer_profile(folder, service.url, extra=ONCE)
        result = run("--profile", file, *arguments, stdin=stdin)
    return result, service.requests


# --- acts that take a right away --------------------------------------------------------------


def test_a_cut_off_is_printed_and_its_receipt_is_stored(tmp_path: Path) -> None:
    """The receipt goes to the profile's directory of receipts, named after the request."""
    request_id = uuid4()
    words = ("cut-off", SHOP, *WHY, "--apply", "--request-id", request_id)
    result, requests = call(tmp_path, done(), *words)

    assert result.exit_code == ExitCode.OK, result.output
    assert f"The recipient {SHOP} is cut off." in result.stdout
    assert len(requests) == 1
    receipt = tmp_path / "receipts" / f"{request_id}.xml"
    assert b"CutOffRecipient" in receipt.read_bytes()
    assert receipt.stat().st_mode & 0o077 == 0

    again, _ = call(tmp_path, done(), *words)
    assert again.exit_code == ExitCode.OK, again.output
    assert receipt.with_name(f"{request_id}-2.xml").is_file()


@pytest.mark.parametrize(
    "command", [("cut-off", SHOP), ("terminate", AGREEMENT)], ids=["cut-off", "terminate"]
)
@pytest.mark.parametrize("as_json", [(), ("--json",)], ids=["text", "json"])
def test_nothing_is_sent_without_a_confirmation(
    tmp_path: Path, command: tuple[str, ...], as_json: tuple[str, ...]
) -> None:
    """Procedure, cl. 12: an act that ends a right is shown first."""
    result, requests = call(tmp_path, done(), *command, *WHY, *as_json)

    assert result.exit_code == ExitCode.OK, result.output
    assert requests == []
    assert command[1] in result.stdout
    assert JUSTIFICATION in result.stdout
    assert "--apply" in result.stderr
    assert not (tmp_path / "receipts").exists()


@pytest.mark.parametrize(
    ("typed", "code", "number"),
    [(SHOP, ExitCode.OK, 1), ("yes", ExitCode.USAGE, 0), ("", ExitCode.USAGE, 0)],
)
def test_an_officer_confirms_by_typing_the_target(
    tmp_path: Path, typed: str, code: ExitCode, number: int
) -> None:
    """A habit of typing yes confirms nothing."""
    result, requests = call(tmp_path, done(), "cut-off", SHOP, *WHY, stdin=f"{typed}\n")

    assert (result.exit_code, len(requests)) == (code, number), result.output


def test_a_justification_is_necessary(tmp_path: Path) -> None:
    """A blank one is none, and without a terminal nobody can be asked for it."""
    for words in ((), ("--justification", "  ")):
        result, requests = call(tmp_path, done(), "cut-off", SHOP, "--apply", *words)

        assert (result.exit_code, requests) == (ExitCode.USAGE, [])
        assert "--justification" in result.stderr


@pytest.mark.parametrize(
    ("content", "state", "sentence"),
    [
        (PROPOSED, "PROPOSED", "a second officer must give the same command"),
        (TERMINATED, "TERMINATED", f"The agreement {AGREEMENT} is terminated"),
    ],
)
def test_a_termination_says_which_step_was_done(
    tmp_path: Path, content: str, state: str, sentence: str
) -> None:
    """The step is stated in words, and as JSON."""
    words = ("terminate", AGREEMENT, *WHY, "--apply")
    result, _ = call(tmp_path, done(content), *words)
    as_json, _ = call(tmp_path, done(content), *words, "--json")

    assert (result.exit_code, as_json.exit_code) == (ExitCode.OK, ExitCode.OK)
    assert sentence in " ".join(result.stdout.split())
    assert json.loads(as_json.stdout)["termination_state"] == state


# --- statistics -------------------------------------------------------------------------------


def test_the_numbers_of_a_month_are_a_table_with_bars(tmp_path: Path) -> None:
    """The sum is that of all rows."""
    result, _ = call(tmp_path, done(COUNTS), "statistics", "2026-10")
    as_json, _ = call(tmp_path, done(COUNTS), "statistics", "2026-10", "--json")
    nothing, _ = call(tmp_path, done(""), "statistics", "2026-10")

    assert result.exit_code == ExitCode.OK, result.output
    assert "4712" in result.stdout
    assert f"RELEASED  {'█' * 40} 4711" in result.stdout
    assert f"REFUSED   {'█'} 1\n" in result.stdout
    assert [each["decisions"] for each in json.loads(as_json.stdout)["counts"]] == [4711, 1]
    assert nothing.stdout == "No decisions in 2026-10.\n"


# --- errors -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (operator_now().decide("REFUSED", codes=("OVR-05",)), ExitCode.NO),
        (operator_now().decide("UNDETERMINED", codes=("OPS-02",), retry="L"), ExitCode.LATER),
        (hang_up, ExitCode.LATER),
        (fault("OPS-03", retry="L"), ExitCode.LATER),
        (operator_now().decide("DONE", in_receipt={"outcome": "REFUSED"}), ExitCode.RECEIPT),
        (fault("RCP-04"), ExitCode.REJECTED),
    ],
)
def test_errors_have_documented_exit_codes(tmp_path: Path, reply: Reply, code: ExitCode) -> None:
    """One line says what to do and names the id; the justification is not repeated."""
    result, _ = call(tmp_path, reply, "cut-off", SHOP, *WHY, "--apply")

    assert result.exit_code == code, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("makul-oversight: ")
    assert ("--request-id " in result.stderr) is (code is ExitCode.LATER)
    assert "Traceback" not in result.stderr
    assert JUSTIFICATION not in result.stderr


def test_the_receipt_of_a_refusal_is_stored(tmp_path: Path) -> None:
    """A refused act is recorded, and its reasons are JSON for a program."""
    receipt = tmp_path / "refusal.xml"
    words = ("terminate", AGREEMENT, *WHY, "--apply", "--receipt", receipt, "--json")
    result, _ = call(tmp_path, operator_now().decide("REFUSED", codes=("OVR-05",)), *words)

    assert result.exit_code == ExitCode.NO
    assert json.loads(result.stdout)["error"]["reasons"][0]["code"] == "OVR-05"
    assert b"OVR-05" in receipt.read_bytes()


def test_nothing_is_sent_if_the_receipt_cannot_be_stored(tmp_path: Path) -> None:
    """An act without its receipt cannot be proved."""
    (tmp_path / "receipts").write_text("a file where the directory should be")
    result, requests = call(tmp_path, done(), "cut-off", SHOP, *WHY, "--apply")

    assert (result.exit_code, requests) == (ExitCode.USAGE, [])
    assert "receipts" in result.stderr


def test_a_missing_profile_is_one_line(tmp_path: Path) -> None:
    """The variable names it as well as the option does."""
    missing = tmp_path / "none.toml"
    by_option = run("--profile", missing, "statistics", "2026-10")
    by_variable = run("statistics", "2026-10", env={"MAKUL_OFFICER_PROFILE": str(missing)})
    none = run("statistics", "2026-10", env={})

    assert (
        by_option.stderr
        == by_variable.stderr
        == f"makul-oversight: {missing}: " + ("there is no such file\n")
    )
    assert {each.exit_code for each in (by_option, by_variable, none)} == {ExitCode.USAGE}
    assert "MAKUL_OFFICER_PROFILE" in none.stderr


# --- stored receipts --------------------------------------------------------------------------


def test_stored_receipts_are_verified(tmp_path: Path) -> None:
    """A changed receipt, and one of another body, are flaws of those files alone."""
    good, changed, foreign = (tmp_path / f"{name}.xml" for name in ("good", "changed", "foreign"))
    kept, _ = call(tmp_path, done(), "cut-off", SHOP, *WHY, "--apply", "--receipt", good)
    assert kept.exit_code == ExitCode.OK, kept.output
    changed.write_bytes(good.read_bytes().replace(b">DONE<", b">REFUSED<"))
    foreign.write_bytes(good.read_bytes())
    profile = tmp_path / "inspector.toml"

    valid = run("-p", profile, "receipt", "verify", good)
    both = run("-p", profile, "receipt", "verify", good, changed, "--json")
    profile.write_text(profile.read_text().replace(BODY, "GOV/70000008"))
    other = run("-p", profile, "receipt", "verify", foreign)

    assert valid.exit_code == ExitCode.OK, valid.output
    assert f"{good}: CutOffRecipient, DONE, act " in valid.stdout
    assert both.exit_code == ExitCode.RECEIPT
    assert [each["valid"] for each in json.loads(both.stdout)] == [True, False]
    assert other.exit_code == ExitCode.RECEIPT
    assert "another body" in other.stdout


def test_a_log_needs_its_key(tmp_path: Path) -> None:
    """No log can be trusted if the profile has no table [ledger]."""
    profile = write_officer_profile(tmp_path, "https://makul.example/")
    result = run("-p", profile, "receipt", "verify", "--log", tmp_path, profile)

    assert result.exit_code == ExitCode.USAGE
    assert "[ledger]" in result.stderr


# --- init -------------------------------------------------------------------------------------


def init_words(folder: Path) -> list[object]:
    write_officer_profile(folder, "https://makul.example/")
    return [
        *("--body", BODY, "--identifier", "I-1", "--url", "https://makul.example/v1/oversight"),
        *("--key", folder / "officer.key.pem", "--certificate", folder / "officer.crt.pem"),
        *("--operator", "GOV/70000001", "--anchor", folder / "root.crt.pem"),
        *("--operator-certificate", folder / "operator.crt.pem"),
    ]


def test_a_written_profile_is_usable(tmp_path: Path) -> None:
    """It is used as it is, and an existing file is not overwritten."""
    file = tmp_path / "new.toml"
    words = init_words(tmp_path)
    result = run("init", file, *words)
    again = run("init", file, *words)
    with run_fake_service(done(COUNTS)) as service:
        text = file.read_text(encoding="utf-8")
        file.write_text(text.replace("https://makul.example/v1/oversight", service.url))
        used = run("-p", file, "statistics", "2026-10")

    assert result.exit_code == ExitCode.OK, result.output
    assert again.exit_code == ExitCode.USAGE
    assert used.exit_code == ExitCode.OK, used.output
    assert list((tmp_path / "receipts").glob("*.xml"))


def test_an_unusable_profile_is_not_written(tmp_path: Path) -> None:
    """The flaw is reported before the file exists."""
    file = tmp_path / "new.toml"
    result = run("init", file, *init_words(tmp_path), "--body", "nobody")

    assert result.exit_code == ExitCode.USAGE
    assert "[officer] body" in result.stderr
    assert not file.exists()


# --- help, languages and pipes ----------------------------------------------------------------


@pytest.mark.parametrize("command", [[], *COMMANDS], ids=" ".join)
def test_help_is_complete(command: list[str]) -> None:
    """Every command has its own help, and the acts have examples."""
    result = run(*command, "--help")

    assert result.exit_code == ExitCode.OK
    assert f"Usage: {' '.join(['makul-oversight', *command])} " in result.output
    if command in (["cut-off"], ["terminate"], ["statistics"], ["receipt", "verify"]):
        assert f"  makul-oversight {' '.join(command)} " in result.output


@pytest.mark.parametrize("command", [(), ("cut-off",), ("receipt", "verify")], ids=" ".join)
def test_help_imports_no_library_of_the_exchange(command: tuple[str, ...]) -> None:
    """A command that sends, signs or verifies loads the library."""
    assert imported_by(MODULE, *command, "--help") & HEAVY == set()


def test_help_of_the_root_needs_no_validation() -> None:
    """Pydantic alone would take half of the budget of the client's help."""
    assert imported_by(MODULE, "--help") & {"pydantic", "rich"} == set()


@pytest.mark.parametrize(
    ("words", "env", "profile", "heading"),
    [
        (("--language", "ru"), {"MAKUL_LANGUAGE": "ky"}, "ky", "Коды завершения"),
        ((), {"MAKUL_LANGUAGE": "ru"}, "ky", "Коды завершения"),
        ((), {"MAKUL_LANGUAGE": ""}, "ru", "Коды завершения"),
        ((), {"MAKUL_LANGUAGE": ""}, "en", "Exit codes"),
    ],
)
def test_option_before_variable_before_profile(
    tmp_path: Path, words: tuple[str, ...], env: dict[str, str], profile: str, heading: str
) -> None:
    """The language is chosen like that of `makul-client`."""
    file = write_officer_profile(tmp_path, "https://makul.example/", language=profile)
    result = run(*words, "--profile", file, "--help", env=env)

    assert result.exit_code == ExitCode.OK
    assert heading in result.stdout


@pytest.mark.skipif(os.name != "posix", reason="descriptors as POSIX has them")
@pytest.mark.parametrize("as_json", [[], ["--json"]], ids=["text", "json"])
def test_a_closed_pipe_is_not_a_no(tmp_path: Path, as_json: list[str]) -> None:
    """The reader is gone when the answer comes: exit code 3, a stored receipt, and the id."""
    reader, writer = os.pipe()
    result, requests = call_program(
        tmp_path, lambda request: (os.close(reader), done(COUNTS)(request))[1], as_json, writer
    )
    os.close(writer)

    assert result.returncode == ExitCode.LATER, result.stderr
    assert requests[-1].text("requestId").encode() in result.stderr
    assert b"Traceback" not in result.stderr
    assert list((tmp_path / "receipts").glob("*.xml"))


@pytest.mark.skipif(os.name != "posix", reason="descriptors as POSIX has them")
def test_a_pipe_without_a_reader_sends_nothing(tmp_path: Path) -> None:
    """The output is checked before the request."""
    reader, writer = os.pipe()
    os.close(reader)
    result, requests = call_program(tmp_path, done(COUNTS), [], writer)
    os.close(writer)

    assert (result.returncode, requests) == (ExitCode.USAGE, [])
    assert b"Traceback" not in result.stderr


def call_program(
    folder: Path, reply: Callable[[ReceivedRequest], tuple[int, bytes]], words: list[str], out: int
) -> tuple["subprocess.CompletedProcess[bytes]", list[ReceivedRequest]]:
    """Show the numbers of a month in a process of its own, which writes to a descriptor."""
    code = f"import sys; from {MODULE} import main; sys.exit(main())"
    with run_fake_service(reply) as service:
        file = write_officer_profile(folder, service.url, extra=ONCE)
        argv = [sys.executable, "-c", code, "-p", str(file), "statistics", "2026-10", *words]
        result = subprocess.run(argv, stdout=out, stderr=subprocess.PIPE, timeout=120, check=False)
    return result, service.requests
