"""The profile: a recipient configures the client by a TOML file, not by editing code."""

import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from makul_client import Client, Language, Profile, ProfileError
from makul_client.profile import Channel
from makul_testing.client.world import write_profile

URL = "https://makul.example/v1/recipient"


def test_profile_is_read(tmp_path: Path) -> None:
    """Paths are relative to the profile's directory, so that a profile can be moved as a whole."""
    profile = Profile.load(write_profile(tmp_path, URL))

    assert profile.language is Language.RU
    assert profile.service.channel is Channel.WSSE
    assert profile.signing is not None
    assert profile.signing.key == tmp_path / "seal.key.pem"
    assert profile.consent is not None
    assert len(profile.consent.notice_digest) == 32
    assert profile.xroad is not None
    assert profile.xroad.client.member == profile.recipient.code


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        ('code = "COM/60000001"', 'code = "60000001"', "[recipient] code: must look like"),
        ('channel = "wsse"', 'channel = "fax"', "[service] channel: must be one of wsse, xroad"),
        ("[signing]", "[sealing]", "signing: is needed, as a table [signing]"),
        ('key = "seal.key.pem"', 'key = "lost.pem"', "[signing] key: there is no file"),
        ("sandbox = true", "sandbox = 1", "sandbox: must be true or false"),
        ("connect_timeout = 2", "connect_timeout = 0", "[service] connect_timeout: must be above"),
        ("answer_timeout", "anser_timeout", "[service] anser_timeout: is not a known key"),
        ('anchors = ["root.crt.pem"]', "anchors = []", "[operator] anchors: must be a list"),
        ('language = "ru"', 'language = "de"', "language: must be one of ky, ru, en"),
        ("https://makul.example", "http://makul.example", "[service] url: must begin with https"),
        ("https://makul.example", "https://u:p@makul.example", "[service] url: must name a host"),
        ('"KG-TEST/COM/60000001/bank"', '"KG-TEST/COM/60000009/bank"', "[xroad] client: is anoth"),
        ('notice_file = "notice.txt"', 'notice_digest = "abc"', "notice_digest: must look like"),
        ('retention = "P5Y"', 'retention = "5 years"', "[consent] retention: must look like"),
        ("[recipient]", "[recipient", "not TOML"),
        ("[agreement]", "[agreement]\nnumbr = 1", "[agreement] numbr: is not a known key"),
        ("[agreement]", "[agrement]", "agrement: is not a known key"),
        ('notice_file = "notice.txt"', "", "[consent] notice_file: is needed"),
        (
            'notice_file = "notice.txt"',
            f'notice_file = "notice.txt"\nnotice_digest = "{"A" * 43}="',
            "[consent] notice_digest: leave it out",
        ),
        ("[consent]", '[consent]\nlanguage = "de"', "[consent] language: must be one of ky, ru"),
        ("[operator]", "[operator]\ncompromised = {AA = 1}", "[operator] compromised: is a table"),
    ],
)
def test_errors_are_one_line(tmp_path: Path, old: str, new: str, complaint: str) -> None:
    """Each message names the file, the table and the key."""
    file = write_profile(tmp_path, URL)
    file.write_text(file.read_text(encoding="utf-8").replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ProfileError) as raised:
        Profile.load(file)

    assert complaint in str(raised.value)
    assert str(raised.value).startswith(str(file))
    assert "\n" not in str(raised.value)


HOSTILE_VALUES = [
    "1e999",
    "nan",
    "-1",
    "9" * 4000,
    "9" * 5000,
    "true",
    '""',
    '"a\\u0000b"',
    '"a\\nb"',
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00",
    "[]",
    "[[[[1]]]]",
    '["a", 1, {}]',
    "{}",
    "{a.b.c = [{}]}",
    "[" * 900 + "]" * 900,
]


@pytest.mark.parametrize("value", HOSTILE_VALUES, ids=[value[:25] for value in HOSTILE_VALUES])
def test_any_value_of_any_key_is_reported_in_our_words(tmp_path: Path, value: str) -> None:
    """No message of the library that checks the values reaches a person."""
    file = write_profile(tmp_path, URL)
    lines = file.read_text(encoding="utf-8").splitlines()
    more = {"[service]": ("tls_ca", "tls_key"), "[consent]": ("methods", "language")}
    more |= {"[operator]": ("compromised", "crls"), "[signing]": ("key_password_env",)}
    messages: set[str] = set()
    for at, line in enumerate(lines):
        for key in more.get(line, (line.partition(" =")[0],) if " =" in line else ()):
            changed = [*lines[:at], *([line] if line in more else []), f"{key} = {value}"]
            file.write_text("\n".join([*changed, *lines[at + 1 :]]), encoding="utf-8")
            try:
                Profile.load(file)
            except ProfileError as error:
                messages.add(str(error).removeprefix(f"{file}: "))
    jargon = re.compile("nput should|pydantic|rror|unction|not permitted|valid |9999|\n")

    assert len(messages) > 1 or "not TOML" in str(messages)
    assert [each for each in messages if jargon.search(each)] == []


def by_mtls(folder: Path, *, key: str = "seal.key.pem") -> Path:
    """Return a profile of the channel mtls, with the certificate that otherwise signs."""
    file = write_profile(folder, URL)
    text = file.read_text(encoding="utf-8")
    tls = f'channel = "mtls"\ntls_certificate = "seal.crt.pem"\ntls_key = "{key}"'
    before, _, rest = text.replace('channel = "wsse"', tls).partition("[signing]")
    file.write_text(before + rest[rest.index("[") :], encoding="utf-8")
    return file


def test_mtls_needs_no_signature(tmp_path: Path) -> None:
    """The certificate of the connection identifies the caller, and messages are not signed."""
    profile = Profile.load(by_mtls(tmp_path))

    assert profile.service.channel == "mtls"
    assert profile.signing is None
    Client(profile).close()


def test_mtls_needs_a_certificate(tmp_path: Path) -> None:
    """Nobody would be identified without it."""
    file = by_mtls(tmp_path)
    text = file.read_text(encoding="utf-8")
    without = re.sub(r"tls_(certificate|key) = .*\n", "", text)
    file.write_text(without, encoding="utf-8")

    with pytest.raises(ProfileError, match="tls_certificate: is missing"):
        Profile.load(file)


def test_mtls_key_with_a_password_is_refused(tmp_path: Path) -> None:
    """The error comes at once, rather than a question of OpenSSL at the terminal."""
    file = by_mtls(tmp_path)
    plain = load_pem_private_key((tmp_path / "seal.key.pem").read_bytes(), None)
    locked = plain.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
    )
    (tmp_path / "seal.key.pem").write_bytes(locked)

    with pytest.raises(ProfileError, match=r"seal\.key\.pem"):
        Client.from_file(file)


def test_missing_file_is_reported(tmp_path: Path) -> None:
    """A missing file is the most frequent mistake."""
    with pytest.raises(ProfileError, match="there is no such file"):
        Profile.load(tmp_path / "none.toml")


@pytest.mark.parametrize(
    "name", ["seal.key.pem", "seal.crt.pem", "operator.crt.pem", "root.crt.pem"]
)
def test_unsuitable_file_is_reported(tmp_path: Path, name: str) -> None:
    """Keys and certificates are read when the client is made, and errors name the file."""
    file = write_profile(tmp_path, URL)
    (tmp_path / name).write_text("not PEM")
    with pytest.raises(ProfileError, match=name):
        Client.from_file(file)


def test_a_password_is_named_by_its_variable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Secrets are not in the profile."""
    monkeypatch.delenv("SEAL_PASSWORD", raising=False)
    file = write_profile(tmp_path, URL)
    text = file.read_text(encoding="utf-8")
    file.write_text(text.replace("[signing]", '[signing]\nkey_password_env = "SEAL_PASSWORD"'))
    with pytest.raises(ProfileError, match="SEAL_PASSWORD is not set"):
        Client.from_file(file)


def test_plain_http_is_permitted_to_the_security_server(tmp_path: Path) -> None:
    """X-Road permits plain HTTP between an information system and its own security server."""
    profile = Profile.load(write_profile(tmp_path, "http://ss.bank.example/", channel="xroad"))

    assert profile.service.url == "http://ss.bank.example/"
