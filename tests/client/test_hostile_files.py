"""The client ends, in one line, for any file under the name that it gets.

The table has every argument and option that names a file, and every path of the profile.
"""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import pem
from typer.main import get_command

from makul_client._internal.crypto.credentials import load_certificates, load_credential
from makul_client.cli.main import app
from makul_client.consent.documents import ConsentContent, Subject, draft, sign
from makul_client.errors import ProfileError
from makul_client.profile import Profile
from makul_testing.client.cli_runner import run_client
from makul_testing.client.ledger import World
from makul_testing.client.world import NOW, PIN, SURNAME, parties, write_profile
from makul_testing.hostile_messages import (
    NOT_FILES,
    certificates,
    contents_for,
    empty_directories,
    readable_certificates,
    run_apart,
)
from makul_testing.pki.client import pem_of, pem_of_key

FILE = "FILE"
DOCUMENTED = set(range(6))
ID = "7d9a3c1e-0000-4000-8000-0000000000c1"
NOWHERE = "http://127.0.0.1:1/"
"""A port where nobody listens, so that nothing is sent."""

READ: dict[tuple[str, str], tuple[str, ...]] = {
    **{(each, "profile"): () for each in ("verify", "get", "explain", "agreement", "status")},
    **{
        (f"consent {each}", "profile"): ()
        for each in ("draft", "sign", "register", "status", "draft-revocation")
    },
    ("consent revoke", "profile"): (),
    ("consent revocations", "profile"): (),
    ("receipt get", "profile"): (),
    ("month", "profile"): (),
    ("correction report", "profile"): (),
    ("correction show", "profile"): (),
    ("correction acknowledge", "profile"): (),
    ("month", "contest_file"): ("month", "2026-10", "--contest-file", FILE),
    ("month", "signed"): ("month", "2026-10", "--confirm", "--signed", FILE),
    ("month", "key"): ("month", "2026-10", "--confirm", "--key", FILE, "--certificate", "CERT"),
    ("month", "certificate"): (
        *("month", "2026-10", "--confirm", "--key", "KEY", "--certificate", FILE),
    ),
    ("receipt verify", "profile"): (),
    **{
        (each, "profile"): ()
        for each in (
            *("undertaking draft", "undertaking record", "undertaking end"),
            *("incident report", "deletion list", "deletion attest"),
        )
    },
    ("undertaking record", "file"): ("undertaking", "record", FILE, "--apply"),
    ("undertaking record", "key"): (
        *("undertaking", "record", "DRAFT", "--key", FILE, "--certificate", "CERT"),
    ),
    ("undertaking record", "certificate"): (
        *("undertaking", "record", "DRAFT", "--key", "KEY", "--certificate", FILE),
    ),
    ("verify", "consent"): ("verify", "--consent", FILE),
    ("verify", "basis"): ("verify", "--basis", FILE, "--pin", PIN),
    ("verify", "face"): ("verify", "--consent-id", ID, "--pin", PIN, "--face", FILE),
    ("verify", "finger"): ("verify", "--consent-id", ID, "--pin", PIN, "--finger", "2=FILE"),
    ("get", "consent"): ("get", "--consent", FILE),
    ("get", "basis"): ("get", "--basis", FILE, "--pin", PIN, "-a", "surname"),
    ("get", "face"): ("get", "--consent-id", ID, "-a", "pin", "--pin", PIN, "--face", FILE),
    ("get", "finger"): ("get", "--consent-id", ID, "-a", "pin", "--pin", PIN, "--finger", "2=FILE"),
    ("explain", "consent"): ("explain", "--consent", FILE),
    ("explain", "basis"): ("explain", "--basis", FILE, "--pin", PIN),
    ("consent draft", "form"): ("consent", "draft", "--from", FILE, "-o", "OUT"),
    ("consent attach", "drawn_up"): ("consent", "attach", FILE, "DRAFT", "-o", "OUT"),
    ("consent attach", "signed"): ("consent", "attach", "DRAFT", FILE, "-o", "OUT"),
    ("consent sign", "drawn_up"): (
        *("consent", "sign", FILE, "--key", "KEY", "--certificate", "CERT", "-o", "OUT"),
    ),
    ("consent sign", "key"): (
        *("consent", "sign", "DRAFT", "--key", FILE, "--certificate", "CERT", "-o", "OUT"),
    ),
    ("consent sign", "certificate"): (
        *("consent", "sign", "DRAFT", "--key", "KEY", "--certificate", FILE, "-o", "OUT"),
    ),
    ("consent show", "file"): ("consent", "show", FILE),
    ("consent register", "file"): ("consent", "register", FILE),
    ("consent register", "scan"): ("consent", "register", "DRAFT", "--scan", FILE),
    ("consent register", "authority"): ("consent", "register", "DRAFT", "--authority", FILE),
    ("consent revoke", "file"): ("consent", "revoke", FILE),
    ("receipt verify", "files"): ("receipt", "verify", "--offline", FILE),
    ("receipt verify", "log"): ("receipt", "verify", "--offline", "--log", FILE, "RECEIPT"),
}
"""By command and parameter: the call with a hostile file; () is `status --profile`."""

WRITTEN = {
    ("verify", "receipt"),
    ("get", "receipt"),
    ("consent draft", "out"),
    ("consent attach", "out"),
    ("consent sign", "out"),
    ("consent draft-revocation", "out"),
    ("receipt get", "out"),
    ("receipt get", "proof"),
    ("month", "receipt"),
    ("correction report", "receipt"),
    ("correction acknowledge", "receipt"),
    ("undertaking draft", "out"),
    ("undertaking record", "receipt"),
    ("undertaking end", "receipt"),
    ("incident report", "receipt"),
    ("deletion attest", "receipt"),
    ("month", "write_bytes"),
    ("month", "draft"),
}
"""Parameters for results, which are always a new file."""

TEXTS = {("verify", "finger"), ("get", "finger"), ("receipt verify", "log")}
"""Parameters that are text for typer, and may name a file."""

CALLS = {
    path: command or ("--profile", FILE, "status")
    for path, command in READ.items()
    if command or path == ("status", "profile")
}


@dataclass(frozen=True, slots=True)
class CommandEnd:
    what: str
    code: int
    out: str
    err: str
    broken: str | None

    @property
    def flaws(self) -> list[str]:
        """Return what no command may do."""
        found = [self.broken] if self.broken is not None else []
        if "Traceback" in self.out + self.err or "internal error" in self.err:
            found.append("a traceback")
        if self.code not in DOCUMENTED:
            found.append(f"exit code {self.code}")
        if self.code and not self.err and not self.out:
            found.append("not a word")
        if self.code == 4 or (self.code not in {0, 2, 3} and self.err.count("\n") > 1):
            found.append("more than one line, or a verdict on what is no receipt")
        return found


@dataclass(frozen=True, slots=True)
class CommandEnvironment:
    directory: Path
    empty: Iterator[Path] = field(repr=False)

    def called(self, command: tuple[str, ...], what: str, path: Path) -> CommandEnd:
        files = {"KEY": "citizen.key.pem", "CERT": "citizen.crt.pem", "DRAFT": "draft.xml"}
        names = {name: self.directory / file for name, file in files.items()}
        names |= {FILE: path, "OUT": next(self.empty) / "out", "RECEIPT": self.directory / "r.json"}
        arguments = [str(names.get(each, each.replace(FILE, str(path)))) for each in command]
        if arguments[0] == "--profile":
            arguments = [arguments[2], *arguments[:2]]
        elif command[:2] not in {("consent", "attach"), ("consent", "show")}:
            arguments += ["--profile", str(self.directory / "bank.toml")]
        result = run_client(*arguments)
        broken = None
        if result.exception is not None:
            broken = f"{type(result.exception).__name__}: {str(result.exception)[:200]}"
        return CommandEnd(
            what, result.exit_code, result.stdout[-300:], result.stderr[-600:], broken
        )


def _encrypt_on_a_curve(folder: Path) -> None:
    """Encrypt to a curve: checking an RSA key takes longer than the rest of a command."""
    sealing = parties().operator
    (folder / "seal.key.pem").write_bytes(pem_of_key(sealing.key))
    (folder / "seal.crt.pem").write_bytes(pem_of(sealing.certificate))


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> CommandEnvironment:
    base = tmp_path_factory.mktemp("hostile")
    world = World.new(base)
    config = base / "bank.toml"
    if not config.exists():
        write_profile(base, NOWHERE)
    config.write_text(config.read_text() + "\n[retry]\nattempts = 1\n")
    _encrypt_on_a_curve(base)
    citizen = parties().citizen
    (base / "citizen.key.pem").write_bytes(pem_of_key(citizen.key))
    (base / "citizen.crt.pem").write_bytes(pem_of(citizen.certificate))
    wish = ConsentContent(
        subject=Subject(pin=PIN, surname=SURNAME, given_name="Тест"),
        valid_from=NOW,
        valid_to=NOW + timedelta(days=365),
    )
    profile = Profile.load(config)
    (base / "draft.xml").write_bytes(draft(profile, wish, given_at=NOW))
    (base / "signed.xml").write_bytes(sign(profile, (base / "draft.xml").read_bytes(), citizen))
    (base / "r.json").write_bytes(b"{}")
    del world
    return CommandEnvironment(base, empty_directories(base / "empty"))


def _paths(command: Any, name: str = "") -> Iterator[tuple[str, str]]:
    for parameter in command.params:
        described = parameter.type_descriptor
        if described is not None and "Path" in str(described.annotation):
            yield name, parameter.name
    for each, below in getattr(command, "commands", {}).items():
        yield from _paths(below, f"{name} {each}".strip())


def test_every_path_stands_in_the_table() -> None:
    """A new option that names a file needs an entry with its call."""
    assert set(_paths(get_command(app))) == READ.keys() - TEXTS | WRITTEN


SAME_READER = {
    *((command, each) for command in ("get", "explain") for each in ("consent", "basis", "face")),
    ("get", "finger"),
    ("verify", "finger"),
    ("consent sign", "drawn_up"),
    ("consent attach", "drawn_up"),
    ("consent register", "authority"),
}
"""Contents are tried once for each reader; these share theirs with a tested parameter."""

CONTENT_CALLS = [each for each in CALLS if each not in SAME_READER]

SUFFIXES = {"face": ".png", "finger": ".png"}


@pytest.mark.parametrize("path", CALLS, ids=[" ".join(each) for each in CALLS])
def test_a_special_file_ends_in_one_line(
    path: tuple[str, str], environment: CommandEnvironment
) -> None:
    """`receipt verify` once read /dev/zero without end."""

    def act() -> list[CommandEnd]:
        ended = []
        for what, make in NOT_FILES.items():
            file = make(next(environment.empty))
            suffix = SUFFIXES.get(path[1])
            if suffix is not None and file.parent != Path("/dev"):
                renamed = file.with_name(f"it{suffix}")
                if os.path.lexists(file):
                    file.rename(renamed)
                file = renamed
            ended.append(environment.called(CALLS[path], what, file))
        return ended

    ended = run_apart(act)

    assert {each.what: (each.flaws, each.err) for each in ended if each.flaws} == {}
    assert [each.what for each in ended if each.code == 0] == []


@pytest.mark.parametrize("path", CONTENT_CALLS, ids=[" ".join(each) for each in CONTENT_CALLS])
def test_an_unsuitable_file_ends_in_one_line(
    path: tuple[str, str], environment: CommandEnvironment
) -> None:
    """The content is not JSON, TOML, PEM or XML, or is too long."""

    def act() -> list[CommandEnd]:
        ended = []
        for what, content in contents_for(path):
            file = next(environment.empty) / f"it{SUFFIXES.get(path[1], '')}"
            file.write_bytes(content)
            ended.append(environment.called(CALLS[path], what, file))
        return ended

    ended = run_apart(act)

    assert {each.what: (each.flaws, each.err) for each in ended if each.flaws} == {}


FORM = {"pin": PIN, "surname": SURNAME, "given_name": "Т", "valid_to": "2027-11-01"}
FORMS: dict[str, dict[str, object]] = {
    "year 1": {"valid_from": "0001-01-01"},
    "year 1 with an offset": {"valid_from": "0001-01-01T00:00:00+06:00"},
    "year 9999 with an offset": {"valid_to": "9999-12-31T23:59:59-06:00"},
    "NaN": {"max_disclosures": float("nan")},
    "infinity": {"max_disclosures": float("inf")},
    "half a letter": {"surname": "\ud800"},
    "NUL": {"surname": "a\0b"},
    "lists": {"surname": [], "pin": {}},
    "numbers": {"valid_to": 7, "attributes": 7},
    "a scan that is none": {
        "paper": {"date": "2026-11-01", "place": "x", "official": "x", "scan": "a\0.pdf"}
    },
    "a scan without end": {
        "paper": {"date": "2026-11-01", "place": "x", "official": "x", "scan": "sparse.pdf"}
    },
    "a long number of times": {"max_disclosures": 10**4000},
    "nobody onward": {"onward": [{"a": 1}]},
}


def test_a_form_of_hostile_values_ends_in_one_line(environment: CommandEnvironment) -> None:
    def act() -> list[CommandEnd]:
        ended = []
        for what, values in FORMS.items():
            folder = next(environment.empty)
            with (folder / "sparse.pdf").open("wb") as file:
                file.truncate(1 << 40)
            (folder / "form.json").write_text(json.dumps({**FORM, **values}))
            ended.append(
                environment.called(CALLS["consent draft", "form"], what, folder / "form.json")
            )
        return ended

    ended = run_apart(act)

    assert {each.what: (each.flaws, each.err) for each in ended if each.flaws} == {}
    assert {each.what: each.code for each in ended if each.code != 2} == {}


MOMENTS = {
    "hour 24": "2026-11-01T24:00:00Z",
    "year 10000": "10000-01-01T00:00:00Z",
    "year 1 with an offset": "0001-01-01T00:00:00+14:00",
    "a year before ours": "-0044-03-15T00:00:00Z",
}


@pytest.mark.parametrize("what", MOMENTS)
@pytest.mark.parametrize("command", ["consent show", "verify", "explain"])
def test_a_consent_of_an_impossible_time_is_refused(
    command: str, what: str, environment: CommandEnvironment
) -> None:
    """XML Schema 1.0, 3.2.7: the schema permits times that no clock shows."""
    text = (environment.directory / "draft.xml").read_text()
    start = text.index("<validTo>") + len("<validTo>")
    end = text.index("</validTo>")
    file = next(environment.empty) / "consent.xml"
    file.write_text(text[:start] + MOMENTS[what] + text[end:])
    option = "file" if command == "consent show" else "consent"

    ended = run_apart(lambda: environment.called(CALLS[command, option], what, file))

    assert (ended.flaws, ended.code) == ([], 2), ended


# --- The profile's own files ------------------------------------------------------------------

KEYS = {
    "signing.key": 'key = "seal.key.pem"',
    "signing.certificate": 'certificate = "seal.crt.pem"',
    "operator.certificates": 'certificates = ["operator.crt.pem"]',
    "operator.anchors": 'anchors = ["root.crt.pem"]',
    "operator.crls": "crls = []",
    "consent.notice_file": 'notice_file = "notice.txt"',
    "service.tls_ca": "answer_timeout = 5",
}


def _changed(profile: str, key: str, path: Path) -> str:
    old, name = KEYS[key], key.partition(".")[2]
    toml_value = f'["{path}"]' if key.startswith("operator.") else f'"{path}"'
    new = f"{name} = {toml_value}"
    return profile.replace(old, f"{old}\n{new}" if name not in old else new, 1)


@pytest.mark.parametrize("key", KEYS)
def test_a_profile_with_special_files_is_refused(key: str, environment: CommandEnvironment) -> None:
    """The files are pipes, devices, endless files, and contents of every kind."""
    folder = next(environment.empty)
    good = write_profile(
        folder, "https://127.0.0.1:1/", extra="[retry]\nattempts = 1\n"
    ).read_text()
    _encrypt_on_a_curve(folder)

    def act() -> list[CommandEnd]:
        ended = []
        for what, make in NOT_FILES.items():
            (folder / "bank.toml").write_text(_changed(good, key, make(next(environment.empty))))
            ended.append(environment.called(CALLS["status", "profile"], what, folder / "bank.toml"))
        for what, content in contents_for(key):
            (folder / "it").write_bytes(content)
            (folder / "bank.toml").write_text(_changed(good, key, folder / "it"))
            ended.append(environment.called(CALLS["status", "profile"], what, folder / "bank.toml"))
        return ended

    ended = run_apart(act)

    assert {each.what: (each.flaws, each.err) for each in ended if each.flaws} == {}


def test_a_profile_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    """Notepad writes one."""
    file = write_profile(tmp_path, "https://makul.example/")
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())

    assert Profile.load(file).recipient.code == "COM/60000001"


@pytest.mark.parametrize(
    "url", ["https://[", "https://[a]/", "https://a:b/", "https://a:99999999/"]
)
def test_a_malformed_address_is_refused(url: str, tmp_path: Path) -> None:
    file = write_profile(tmp_path, url)

    with pytest.raises(ProfileError, match=r"\A[^\n]*\[service\] url: is not an address\Z"):
        Profile.load(file)


# --- Certificates -----------------------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(certificates()))
def test_a_certificate_that_is_not_accepted_is_named(name: str, tmp_path: Path) -> None:
    file = tmp_path / "it.pem"
    file.write_bytes(certificates()[name])
    key = tmp_path / "key.pem"
    key.write_bytes(pem_of_key(parties().citizen.key))

    for load in (lambda: load_certificates([file]), lambda: load_credential(key, file)):
        with pytest.raises(ProfileError) as raised:
            load()
        assert "\n" not in str(raised.value)
        assert str(file) in str(raised.value)
        if "GOST" in name:
            assert "algorithm not accepted" in str(raised.value)


def test_an_unusual_certificate_is_read_by_its_exact_bytes(tmp_path: Path) -> None:
    """Large CAs write `&`, `_` and `@` in a PrintableString."""
    for content in readable_certificates().values():
        file = tmp_path / "it.pem"
        file.write_bytes(content)

        (loaded,) = load_certificates([file])

        assert loaded.x509.subject.rfc4514_string()
        assert pem_bytes(content) == loaded.der


def pem_bytes(content: bytes) -> bytes:
    return pem.unarmor(content)[2]  # type: ignore[no-any-return]
