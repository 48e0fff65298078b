"""One line says which option or variable gives a missing value if there is no terminal."""

import json
import os
import subprocess
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest

from makul_client.consent.documents import ConsentContent, Subject, draft, sign
from makul_client.profile import Profile
from makul_testing.client.world import DOCUMENT, NOW, PIN, SURNAME, parties, write_profile
from makul_testing.processes.program import ClientProgram, run_program

NUMBER = ("--document-number", DOCUMENT)
USAGE = 2


def run_without_terminal(*arguments: object, pin: str | None = None) -> tuple[int, str, str]:
    """Run the program in a new session, which has no terminal."""
    environment = {key: value for key, value in os.environ.items() if key != "MAKUL_PIN"}
    result = run_program(
        *map(str, arguments),
        program=ClientProgram,
        stdin=subprocess.DEVNULL,
        text=True,
        env=environment | ({} if pin is None else {"MAKUL_PIN": pin}),
        start_new_session=True,
    )
    return result.returncode, result.stdout, result.stderr


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    """Return the profile of a caller whose service does not exist."""
    return write_profile(tmp_path, "http://127.0.0.1:9/")


@pytest.mark.parametrize(
    "arguments",
    [
        ("get", *NUMBER),
        ("verify", "--surname", SURNAME),
        ("get", "--consent-id", str(uuid4()), *NUMBER),
        ("consent", "draft", "--until", "2099-01-01", "-o", "no.xml"),
        ("consent", "draft-revocation", str(uuid4()), "-o", "no.xml"),
    ],
    ids=lambda words: "-".join(words[:2]),
)
def test_a_missing_pin_is_reported_in_one_line(profile: Path, arguments: tuple[str, ...]) -> None:
    """The output for a program has neither a prompt nor a warning of getpass."""
    code, out, err = run_without_terminal(*arguments, "-p", profile, "--json")

    message = json.loads(out)["error"]["message"]
    assert (code, err) == (USAGE, "")
    assert "MAKUL_PIN" in message
    assert "--pin" in message


def test_a_missing_factor_is_reported_in_one_line(profile: Path, tmp_path: Path) -> None:
    """The PIN is in the consent, but the values to match are not taken from it."""
    loaded = Profile.load(profile)
    wish = ConsentContent(
        subject=Subject(pin=PIN, surname=SURNAME, given_name="Тест"),
        attributes=("surname",),
        valid_from=NOW,
        valid_to=NOW + timedelta(days=365),
    )
    consent = tmp_path / "consent.xml"
    consent.write_bytes(sign(loaded, draft(loaded, wish, given_at=NOW), parties().citizen))

    code, out, err = run_without_terminal("get", "--consent", consent, "-p", profile, "--json")

    assert (code, err) == (USAGE, "")
    assert "--document-number" in json.loads(out)["error"]["message"]


def test_a_line_for_people_has_no_warning(profile: Path) -> None:
    """The line is the same without `--json`."""
    code, _, err = run_without_terminal("get", *NUMBER, "-p", profile)

    assert code == USAGE
    assert "GetPassWarning" not in err
    assert "there is no terminal for a prompt" in err


def test_the_variable_gives_the_pin(profile: Path, tmp_path: Path) -> None:
    """Other users of the machine see a process's options, and not its environment."""
    drawn = tmp_path / "revocation.xml"
    arguments = ("consent", "draft-revocation", uuid4(), "-o", drawn, "-p", profile)

    code, _, _ = run_without_terminal(*arguments, pin=PIN)

    assert code == 0
    assert PIN in drawn.read_text(encoding="utf-8")
