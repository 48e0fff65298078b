"""Names that are typed at the client are checked before anything is sent or signed."""

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from makul.domain.attributes import Attribute
from makul.domain.matches import MatchMethod
from makul_client.cli.agreement_terms import Terms, keep_terms, load_terms, terms_file
from makul_client.cli.exit_codes import ExitCode
from makul_client.cli.usage import wants_json
from makul_client.cli.vocabulary import METHODS, UnknownNameError, require_contained, suggest
from makul_client.consent import documents as consents
from makul_client.models.response import ATTRIBUTES
from makul_client.profile import Profile
from makul_testing.client.cli_runner import Result, run_client
from makul_testing.client.world import DOCUMENT, NOW, PIN, SURNAME, parties, write_profile


def run(*arguments: object) -> Result:
    return run_client(*arguments)


def run_program(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    code = "from makul_client.cli.main import app; app(prog_name='makul-client')"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        check=False,
        text=True,
        env={**os.environ, **environment},
    )


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    """Return a profile whose service does not exist, so that sending fails otherwise."""
    return write_profile(tmp_path, "http://127.0.0.1:9/", extra="[retry]\nattempts = 1")


@pytest.fixture
def consent(tmp_path: Path, profile: Path) -> Path:
    """Return a signed consent that lists three attributes."""
    loaded = Profile.load(profile)
    wish = consents.ConsentContent(
        subject=consents.Subject(pin=PIN, surname=SURNAME, given_name="Тест"),
        attributes=("pin", "surname", "birthDate"),
        valid_from=NOW,
        valid_to=NOW + timedelta(days=365),
    )
    drawn_up = consents.draft(loaded, wish, given_at=NOW)
    file = tmp_path / "consent.xml"
    file.write_bytes(consents.sign(loaded, drawn_up, parties().citizen))
    return file


def keep(profile: Path, *attributes: str) -> None:
    loaded = Profile.load(profile)
    names = ("demographic",)
    terms = Terms(
        number=loaded.agreement, purposes=(loaded.purpose,), attributes=attributes, methods=names
    )
    keep_terms(profile, terms)


def get(profile: Path, consent: Path, *more: str) -> Result:
    factor = ("--document-number", DOCUMENT)
    return run("get", *factor, "--consent", consent, "--profile", profile, *more)


def draft(profile: Path, *more: str) -> Result:
    who = ("--pin", PIN, "--surname", SURNAME, "--until", "2027-11-01")
    out = profile.parent / "draft.xml"
    return run("consent", "draft", *who, "--profile", profile, "--out", out, *more)


def test_vocabulary_is_that_of_the_service() -> None:
    """The client shares no code with the service, and must have the same names."""
    assert list(ATTRIBUTES) == [each.value for each in Attribute]
    assert set(METHODS) == {each.value for each in MatchMethod}


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("surnme", "surname"),
        ("SURNAME", "surname"),
        ("given_name", "givenName"),
        ("birth-date", "birthDate"),
        ("faceimage", "faceImage"),
        ("documentNubmer", "documentNumber"),
    ],
)
def test_mistyped_attribute_gets_a_suggestion(
    profile: Path, consent: Path, typed: str, meant: str
) -> None:
    """Nothing is sent and no draft is written, for every option."""
    for result in (
        get(profile, consent, "-a", typed),
        draft(profile, "-a", typed),
        run("explain", "--profile", profile, "--consent", consent, "-a", typed),
    ):
        assert result.exit_code == ExitCode.USAGE
        assert f"{typed!r} is no attribute: did you mean {meant}?" in result.stderr
        assert "request" not in result.stderr
    assert not (profile.parent / "draft.xml").exists()


def test_name_that_is_close_to_nothing_gets_the_whole_list(profile: Path, consent: Path) -> None:
    """A remote suggestion would mislead."""
    result = get(profile, consent, "-a", "shoeSize")

    assert suggest("shoeSize", ATTRIBUTES) == ""
    assert "There are: pin, surname" in result.stderr


def test_suggestion_and_list_are_two_sentences() -> None:
    """A question ends with its own mark."""
    with pytest.raises(UnknownNameError, match=r"did you mean LOAN\? It contains: LOAN$"):
        require_contained("purpose", ["LOAM"], ["LOAN"], "the consent")
    with pytest.raises(UnknownNameError, match=r"'X'\. It contains: LOAN$"):
        require_contained("purpose", ["X"], ["LOAN"], "the consent")


def test_attribute_beyond_the_consent_is_not_requested(profile: Path, consent: Path) -> None:
    """Procedure, cl. 4: only attributes of the consent are requested."""
    result = get(profile, consent, "-a", "birthPlace")

    assert result.exit_code == ExitCode.USAGE
    assert "the consent does not contain the attribute 'birthPlace'" in result.stderr


@pytest.mark.parametrize("command", ["get", "verify"])
def test_purpose_of_another_consent_is_not_requested(
    profile: Path, consent: Path, command: str
) -> None:
    """The message for a mistyped purpose names the consent's own."""
    meant = Profile.load(profile).purpose
    typed = meant.replace("_", "-").lower()
    what = ("--consent", consent, "--profile", profile, "--purpose", typed)
    result = run(command, "--document-number", DOCUMENT, *what)

    assert result.exit_code == ExitCode.USAGE
    assert f"did you mean {meant}?" in result.stderr


def test_draft_is_compared_with_the_agreement(profile: Path) -> None:
    """Procedure, cl. 7: a consent beyond the agreement would be signed in vain."""
    keep(profile, "surname", "birthDate")
    beyond = draft(profile, "-a", "surname", "-a", "faceImage")
    other = draft(profile, "-a", "surname", "-m", "face")
    within = draft(profile, "-a", "surname")

    assert beyond.exit_code == other.exit_code == ExitCode.USAGE
    assert "does not contain the attribute 'faceImage'" in beyond.stderr
    assert "It contains: surname, birthDate" in beyond.stderr
    assert "does not contain the method 'face'" in other.stderr
    assert within.exit_code == ExitCode.OK
    assert "not checked" not in within.stderr


def test_draft_without_known_terms_is_reported(profile: Path) -> None:
    """Drafting works without a service."""
    result = draft(profile, "-a", "surname")

    assert result.exit_code == ExitCode.OK
    assert "makul-client agreement" in result.stderr


def test_old_terms_forbid_nothing_that_the_service_allows(profile: Path, consent: Path) -> None:
    """They are requested again first; if that fails, the failure is reported."""
    keep(profile, "surname")
    result = get(profile, consent, "-a", "birthDate")

    assert result.exit_code == ExitCode.LATER


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"number": 1}', "[" * 50_000, '{"number": "2026/001"}']
)
def test_unreadable_terms_are_ignored(profile: Path, content: str) -> None:
    """The file beside the profile is only an aid, and never a fault."""
    terms_file(profile).write_text(content)

    assert load_terms(profile, Profile.load(profile).agreement) is None


def test_terms_of_another_agreement_are_ignored(profile: Path) -> None:
    """A profile may be changed to another agreement."""
    keep(profile, "surname")

    assert load_terms(profile, Profile.load(profile).agreement) is not None
    assert load_terms(profile, "2099/9") is None


@pytest.mark.parametrize(
    "arguments",
    [
        ("status", "--nope", "--json"),
        ("status", "--json", "--nope"),
        ("stauts", "--json"),
        ("consent", "status", "--json"),
        ("consent", "status", "not-a-uuid", "--json"),
        ("--nope", "status", "--json"),
        ("receipt", "get", "--json"),
    ],
)
def test_usage_error_is_json_with_option_json(profile: Path, arguments: tuple[str, ...]) -> None:
    """It has the keys of every other error; exit code 2, nothing on stderr."""
    result = run_client(*arguments, env={"MAKUL_PROFILE": str(profile)})
    error = json.loads(result.stdout)["error"]

    assert result.exit_code == ExitCode.USAGE
    assert error["kind"] == "UsageError"
    assert error["message"]
    assert set(error) == {
        *("kind", "message", "request_id", "retry", "retry_after", "reasons"),
    }
    assert result.stderr == ""


def test_grounds_that_exclude_one_another_are_json_too(profile: Path, consent: Path) -> None:
    """A command finds this usage error itself."""
    result = get(profile, consent, "--basis", str(consent), "--json")

    assert result.exit_code == ExitCode.USAGE
    assert json.loads(result.stdout)["error"]["kind"] == "UsageError"


def test_json_after_the_end_of_options_is_an_argument() -> None:
    """`--` ends the options."""
    assert wants_json(["--json", "--"])
    assert not wants_json(["--", "--json"])


def test_version_and_completion_need_no_profile() -> None:
    """A shell is offered commands, options and attributes, without a profile."""
    assert run_program("--version").stdout.startswith("makul-client ")

    def complete(words: str) -> list[str]:
        return run_program(
            _MAKUL_CLIENT_COMPLETE="complete_bash",
            COMP_WORDS=words,
            COMP_CWORD=str(words.count(" ")),
        ).stdout.split()

    assert complete("makul-client con") == ["consent"]
    assert complete("makul-client consent draft-") == ["draft-revocation"]
    assert complete("makul-client get -a birth") == ["birthDate", "birthPlace"]


@pytest.mark.parametrize(
    ("zone", "text"),
    [("UTC", "2026-11-22 18:30:00+00:00"), ("Asia/Bishkek", "2026-11-23 00:30:00+06:00")],
)
def test_instants_are_local_for_people_and_utc_for_programs(zone: str, text: str) -> None:
    """The zone is that of the process."""
    code = (
        "from datetime import *; from makul_client.cli.output import *;"
        "at = datetime(2026, 11, 22, 20, 30, tzinfo=timezone(timedelta(hours=2)));"
        "print_line(local_time(at)); print_json({'at': at})"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        check=True,
        text=True,
        env={**os.environ, "TZ": zone},
    )
    line, _, written = result.stdout.partition("\n")

    assert line == text
    assert json.loads(written) == {"at": "2026-11-22T18:30:00+00:00"}


def test_long_name_leaves_its_value_room() -> None:
    """A purpose has up to 64 letters, and is to the left of its power."""
    code = (
        "from makul_client.cli.output import print_pairs;"
        "print_pairs('A', [('power ' + 'P' * 64, 'surname'), ('id', 'a' * 36)])"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        check=True,
        text=True,
        env={**os.environ, "COLUMNS": "80", "PYTHONIOENCODING": "utf-8"},
    )

    assert max(map(len, result.stdout.splitlines())) <= 80
    assert "surname" in result.stdout
    assert "a" * 36 in result.stdout
    assert result.stdout.count("P") == 64
