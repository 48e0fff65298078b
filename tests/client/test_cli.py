"""`makul-client`: its output, its exit codes, and its help."""

import json
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch
from uuid import uuid4

import pytest
from lxml import etree

from makul_client._internal.wsse import utc_now
from makul_client.cli.exit_codes import ExitCode
from makul_client.consent.documents import ConsentContent, Subject, draft, sign
from makul_client.profile import Profile
from makul_testing.client.cli_runner import Result, run_client
from makul_testing.client.world import DOCUMENT, NOW, PIN, SURNAME, parties, write_profile
from makul_testing.pki.client import pem_of, pem_of_key
from makul_testing.servers.fake_service import (
    PERSON,
    FakeOperator,
    Reply,
    answer,
    fault,
    hang_up,
    run_fake_service,
)

COMMANDS = [
    [],
    ["verify"],
    ["get"],
    ["explain"],
    ["agreement"],
    ["receipt"],
    ["receipt", "get"],
    ["receipt", "verify"],
    ["status"],
    ["consent"],
    ["consent", "draft"],
    ["consent", "attach"],
    ["consent", "sign"],
    ["consent", "show"],
    ["consent", "register"],
    ["consent", "status"],
]

FACTOR = ("--document-number", DOCUMENT)
"""The values to match; the client takes none of them from the consent."""

GROUPS = [["consent"], ["receipt"]]
"""Groups that list their commands, each of which has its own help."""


def run(*arguments: object, stdin: str | None = None) -> Result:
    """Run the program, at a terminal if something is typed."""
    with patch("makul_client.cli.prompts.has_terminal", return_value=stdin is not None):
        return run_client(*arguments, typed=stdin)


def operator_now() -> FakeOperator:
    """Return the operator with the present time, because the command line's clock cannot be set."""
    return FakeOperator(parties().operator, utc_now().replace(microsecond=0))


@pytest.fixture
def consent(tmp_path: Path) -> Path:
    """Write a signed consent to the disk."""
    profile = Profile.load(write_profile(tmp_path, "https://makul.example/"))
    wish = ConsentContent(
        subject=Subject(pin=PIN, surname=SURNAME, given_name="Тест"),
        attributes=("pin", "surname", "birthDate"),
        valid_from=NOW,
        valid_to=NOW + timedelta(days=365),
    )
    file = tmp_path / "consent.xml"
    file.write_bytes(sign(profile, draft(profile, wish, given_at=NOW), parties().citizen))
    return file


def call(folder: Path, reply: Reply, *arguments: object) -> Result:
    """Run a command with a service that answers like this."""
    with run_fake_service(reply) as service:
        extra = "[retry]\nattempts = 1"
        file = write_profile(folder, service.url, extra=extra)
        return run(*arguments, "--profile", file)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_help_has_examples(command: list[str]) -> None:
    """Every command has an example, or lists its subcommands."""
    result = run(*command, "--help")

    assert result.exit_code == 0
    assert "makul-client " + " ".join(command) in result.output or command in GROUPS
    assert "Exit codes:" in result.output or command in GROUPS


def test_get_prints_a_table_and_keeps_the_receipt(tmp_path: Path, consent: Path) -> None:
    """Only `get` prints data; PIN and attributes come from the consent."""
    receipt = tmp_path / "receipt.xml"
    reply = operator_now().decide("RELEASED", person=PERSON)
    result = call(tmp_path, reply, "get", *FACTOR, "--consent", consent, "--receipt", receipt)

    assert result.exit_code == ExitCode.OK, result.output
    assert SURNAME in result.stdout
    assert b"Receipt" in receipt.read_bytes()
    assert receipt.stat().st_mode & 0o077 == 0


def test_get_prints_json(tmp_path: Path, consent: Path) -> None:
    """JSON names attributes like the contract."""
    reply = operator_now().decide("RELEASED", person=PERSON)
    result = call(tmp_path, reply, "get", *FACTOR, "--consent", consent, "--json")

    data = json.loads(result.stdout)
    assert data["person"]["surname"] == {"ky": SURNAME, "ru": None, "latin": None}
    assert data["decision"]["outcome"] == "RELEASED"


def test_verify_exits_with_yes_or_no(tmp_path: Path, consent: Path) -> None:
    """The exit codes are 0 and 1, so that a script may branch."""
    yes = call(tmp_path, operator_now().decide("MATCHED"), "verify", *FACTOR, "--consent", consent)
    no = call(
        tmp_path,
        operator_now().decide("NOT_MATCHED", codes=("MAT-01",), retry="N"),
        "verify",
        *FACTOR,
        "--consent",
        consent,
    )

    assert (yes.exit_code, yes.stdout) == (ExitCode.OK, "matched\n")
    assert no.exit_code == ExitCode.NO
    assert no.stdout.startswith("not matched\nMAT-01, cl. 4: MAT-01 in English")


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (operator_now().decide("REFUSED", codes=("CNS-05",), retry="N"), ExitCode.NO),
        (operator_now().decide("NOT_MATCHED", codes=("MAT-01",), retry="N"), ExitCode.NO),
        (operator_now().decide("UNDETERMINED", codes=("OPS-02",), retry="L"), ExitCode.LATER),
        (hang_up, ExitCode.LATER),
        (fault("OPS-03", retry="L"), ExitCode.LATER),
        (operator_now().decide("REFUSED", in_receipt={"outcome": "MATCHED"}), ExitCode.RECEIPT),
        (fault("RCP-03", retry="N"), ExitCode.REJECTED),
        (fault("SIG-02"), ExitCode.REJECTED),
    ],
)
def test_errors_have_documented_exit_codes(
    tmp_path: Path, consent: Path, reply: Reply, code: ExitCode
) -> None:
    """One line on standard error says what to do and names the id; there is never a traceback."""
    result = call(tmp_path, reply, "get", *FACTOR, "--consent", consent)

    assert result.exit_code == code
    assert result.stdout == ""
    assert result.stderr.startswith("makul-client: ")
    assert ("--request-id " in result.stderr) is (code is ExitCode.LATER)
    assert "Traceback" not in result.stderr
    assert PIN not in result.stderr


def test_an_error_is_printed_as_json(tmp_path: Path, consent: Path) -> None:
    """Programs read reasons, not lines."""
    reply = operator_now().decide("REFUSED", codes=("CNS-05",), retry="N")
    result = call(tmp_path, reply, "get", *FACTOR, "--consent", consent, "--json")

    error = json.loads(result.stdout)["error"]
    assert (error["kind"], error["retry"]) == ("RefusedError", "N")
    assert error["reasons"][0]["texts"]["ky"] == "CNS-05 кыргызча"


def test_a_missing_pin_is_asked_for(tmp_path: Path) -> None:
    """A PIN on the command line would stay in the shell's history."""
    with run_fake_service(operator_now().decide("MATCHED")) as service:
        file = write_profile(tmp_path, service.url)
        arguments = ("verify", "--document-number", "ID0000001", "-p", file)
        result = run(*arguments, stdin=f"{PIN}\n")
        unanswered = run(*arguments)

    assert result.exit_code == ExitCode.OK
    assert PIN not in result.output
    assert unanswered.exit_code == ExitCode.USAGE


@pytest.mark.parametrize("command", ["get", "verify"])
def test_no_factor_is_taken_from_the_consent(tmp_path: Path, consent: Path, command: str) -> None:
    """Procedure, cl. 10: the person's own statement is compared, not the consent's content.

    Only the PIN is read from the consent, because it proves nothing.
    """
    outcome = "RELEASED" if command == "get" else "MATCHED"
    person = PERSON if command == "get" else None
    with run_fake_service(operator_now().decide(outcome, person=person)) as service:
        file = write_profile(tmp_path, service.url)
        words = (command, "--consent", consent, "-p", file)
        by_number = run(*words, *FACTOR)
        by_one_name = run(*words, "--surname", "Мисал")
        nothing = run(*words)
        result = run(*words, stdin=f"{DOCUMENT}\n")
        asked_by_name = run(*words, stdin="\n\nТест\n")

    assert [each.exit_code for each in (by_number, by_one_name, result, asked_by_name)] == [0] * 4
    assert nothing.exit_code == ExitCode.USAGE
    assert "--document-number" in nothing.stderr
    sent = [
        {etree.QName(each).localname: each.text for each in found.child.find(".//{*}demographic")}
        for found in service.requests
    ]
    assert sent == [
        {"pin": PIN, "documentNumber": DOCUMENT},
        {"pin": PIN, "surname": "Мисал"},
        {"pin": PIN, "documentNumber": DOCUMENT},
        {"pin": PIN, "givenName": "Тест"},
    ]


def test_two_grounds_are_refused(tmp_path: Path, consent: Path) -> None:
    """A request has one ground, or none."""
    result = call(tmp_path, hang_up, "verify", "--consent", consent, "--basis", consent)

    assert result.exit_code == ExitCode.USAGE


def test_nothing_is_sent_if_the_receipt_cannot_be_stored(tmp_path: Path, consent: Path) -> None:
    """A lost receipt is a disclosure that cannot be proved."""
    result = call(tmp_path, hang_up, "get", *FACTOR, "--consent", consent, "--receipt", consent)

    assert result.exit_code == ExitCode.USAGE


def test_a_bad_profile_is_one_line(tmp_path: Path) -> None:
    """The line says what is wrong, and where."""
    result = run("status", "--profile", tmp_path / "none.toml")

    assert result.exit_code == ExitCode.USAGE
    assert result.stderr.count("\n") == 1


def test_explain_prints_only_failed_rules(tmp_path: Path, consent: Path) -> None:
    """A rule's text says how it is broken, so it would mislead beside a rule that passes."""
    text = "<text><t:ky>к</t:ky><t:ru>р</t:ru><t:en>{}</t:en></text>"
    content = (
        f"<rule><code>AGR-01</code><verdict>PASSED</verdict>{text.format('none')}</rule>"
        f"<rule><code>CNS-04</code><verdict>FAILED</verdict>{text.format('expired')}</rule>"
    )
    reply = operator_now().decide("REFUSED", codes=("CNS-04",), content=content)
    result = call(tmp_path, reply, "explain", "--consent", consent)

    assert result.exit_code == ExitCode.NO
    assert "expired" in result.stdout
    assert "none" not in result.stdout


def test_status_is_printed(tmp_path: Path) -> None:
    """A user should try this command first."""
    content = (
        "<environment>SANDBOX</environment><softwareVersion>1</softwareVersion>"
        "<contractVersion>1</contractVersion><time>2026-11-02T00:00:00Z</time>"
    )
    result = call(tmp_path, answer("GetStatus", content), "status")

    assert result.exit_code == ExitCode.OK
    assert "SANDBOX" in result.stdout


def test_a_consent_goes_from_draft_to_show(tmp_path: Path) -> None:
    """draft, sign (a sandbox's citizen), attach, show: each step makes a new file."""
    profile = write_profile(tmp_path, "https://makul.example/")
    form = tmp_path / "form.json"
    form.write_text(json.dumps({"pin": PIN, "surname": SURNAME, "given_name": "Тест"}))
    drawn_up, signed, whole = (tmp_path / f"{name}.xml" for name in ("draft", "signed", "whole"))

    drafting = run(
        *("consent", "draft", "-p", profile, "--from", form, "--until", "2099-01-01"),
        *("-a", "surname", "-o", drawn_up),
    )
    signing = run("consent", "sign", "-p", profile, drawn_up, *_citizen(tmp_path), "-o", signed)
    attaching = run("consent", "attach", drawn_up, signed, "-o", whole, "--json")
    result = run("consent", "show", whole)
    revealed = run("consent", "show", whole, "--reveal", "--json")

    for step in (drafting, signing, attaching, result, revealed):
        assert step.exit_code == ExitCode.OK, step.output
    assert json.loads(attaching.stdout)["file"] == str(whole)
    assert PIN not in result.stdout
    assert SURNAME not in result.stdout
    assert "2***********01" in result.stdout
    assert json.loads(revealed.stdout)["subject"]["pin"] == PIN
    assert "subject" not in json.loads(run("consent", "show", whole, "--json").stdout)


@pytest.mark.parametrize(
    ("form", "stdin", "names"),
    [
        ({"surname": SURNAME}, "", [SURNAME, None]),
        ({"given_name": "Тест"}, "", [None, "Тест"]),
        ({"surname": "", "given_name": "Тест"}, "", [None, "Тест"]),
        ({}, f"{SURNAME}\n\n", [SURNAME, None]),
    ],
)
def test_a_form_may_have_one_name(
    tmp_path: Path, form: dict[str, str], stdin: str, names: list[str | None]
) -> None:
    """A person with one name is not asked for another."""
    profile = write_profile(tmp_path, "https://makul.example/")
    file, drawn_up = tmp_path / "form.json", tmp_path / "draft.xml"
    file.write_text(json.dumps({"pin": PIN, **form}), encoding="utf-8")
    drafting = run(
        *("consent", "draft", "-p", profile, "--from", file, "--until", "2099-01-01"),
        *("-o", drawn_up),
        stdin=stdin,
    )

    assert drafting.exit_code == ExitCode.OK, drafting.output
    result = json.loads(run("consent", "show", drawn_up, "--reveal", "--json").stdout)
    assert [result["subject"][key] for key in ("surname", "given_name")] == names


def test_a_revocation_is_drawn_up_and_signed(tmp_path: Path) -> None:
    """Each step prints the consent's id for a program, like with a consent itself."""
    profile, consent_id = write_profile(tmp_path, "https://makul.example/"), str(uuid4())
    citizen = _citizen(tmp_path)
    drawn_up, signed, whole = (tmp_path / f"{name}.xml" for name in ("draft", "signed", "whole"))

    drafting = run(
        *("consent", "draft-revocation", "-p", profile, consent_id, "--pin", PIN),
        *("-o", drawn_up, "--json"),
    )
    signing = run("consent", "sign", "-p", profile, drawn_up, *citizen, "-o", signed, "--json")
    attaching = run("consent", "attach", drawn_up, signed, "-o", whole, "--json")

    for step, file in ((drafting, drawn_up), (signing, signed), (attaching, whole)):
        assert step.exit_code == ExitCode.OK, step.output
        assert json.loads(step.stdout) == {"file": str(file), "consent_id": consent_id}


def _citizen(folder: Path) -> tuple[object, ...]:
    """Return the options by which a test citizen signs."""
    key, certificate = folder / "citizen.key.pem", folder / "citizen.crt.pem"
    key.write_bytes(pem_of_key(parties().citizen.key))
    certificate.write_bytes(pem_of(parties().citizen.certificate))
    return "--key", key, "--certificate", certificate


def test_a_form_with_a_misspelt_key_is_refused(tmp_path: Path) -> None:
    """An unknown key is an error."""
    form = tmp_path / "form.json"
    form.write_text(json.dumps({"pin": PIN, "atributes": ["surname"]}))
    profile = write_profile(tmp_path, "https://makul.example/")
    result = run("consent", "draft", "-p", profile, "--from", form, "-o", tmp_path / "draft.xml")

    assert result.exit_code == ExitCode.USAGE
    assert "the key atributes is not known here" in result.stderr


@pytest.mark.parametrize(
    "arguments", [("verify", "--surname", "\udcff"), ("receipt", "verify", "\udcff.xml")]
)
def test_a_malformed_argument_is_a_usage_error(arguments: tuple[str, ...]) -> None:
    """The terminal's encoding does not know the bytes; nothing was sent."""
    result = run_client(*arguments)

    assert (result.exit_code, result.exception) == (2, None)
    assert "is not text in this terminal's encoding" in result.stderr
