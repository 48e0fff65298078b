"""A recipient, an operator and a citizen for the client's tests, with a profile on disk."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from cryptography import x509

from makul_client import Client, ConsentDocument, Demographic, MakulError, Probe, Profile
from makul_client._internal.crypto.credentials import Credential
from makul_testing.pki.client import TestAuthority, pem_of, pem_of_key
from makul_testing.servers.fake_service import FakeOperator, Reply, run_fake_service

NOW = datetime(2026, 11, 2, 4, 15, tzinfo=UTC)
PIN = "20101199000001"
SURNAME = "Үлгүлөва"
DOCUMENT = "ID0000001"

PROBE = Probe(demographic=Demographic(pin=PIN, document_number=DOCUMENT, surname=SURNAME))
GROUND = ConsentDocument(b"<not-really-a-consent/>")


@dataclass(frozen=True)
class Parties:
    """Everybody who holds a key."""

    authority: TestAuthority
    operator: Credential
    recipient: Credential
    citizen: Credential
    officer: Credential


@cache
def parties() -> Parties:
    """Return one set of keys for the whole run."""
    authority = TestAuthority.new("Test root", NOW)
    # Each command of a test loads its key, and OpenSSL checks an RSA key for 35 ms.
    return Parties(
        authority=authority,
        operator=authority.issue("Test operator"),
        recipient=authority.issue("Test bank"),
        citizen=authority.issue("Test citizen"),
        officer=authority.issue("Test officer"),
    )


def operator(credential: Credential | None = None) -> FakeOperator:
    """Return the operator, or a party that imitates it."""
    return FakeOperator(credential or parties().operator, NOW)


def write_profile(
    folder: Path,
    url: str,
    *,
    channel: str = "wsse",
    crls: Sequence[x509.CertificateRevocationList] = (),
    pinned: Credential | None = None,
    anchor: x509.Certificate | None = None,
    extra: str = "",
    sandbox: bool = True,
) -> Path:
    """Write a profile and the files that it names."""
    keys = parties()
    files = {
        "seal.key.pem": pem_of_key(keys.recipient.key),
        "seal.crt.pem": pem_of(keys.recipient.certificate),
        "operator.crt.pem": pem_of((pinned or keys.operator).certificate),
        "root.crt.pem": pem_of(anchor or keys.authority.certificate),
        "notice.txt": "Сыноо билдирүүсү".encode(),
    }
    for number, crl in enumerate(crls):
        files[f"{number}.crl.pem"] = pem_of(crl)
    for name, content in files.items():
        (folder / name).write_bytes(content)
    named = ", ".join(f'"{number}.crl.pem"' for number in range(len(crls)))
    text = PROFILE.format(
        url=url, channel=channel, crls=named, extra=extra, sandbox=str(sandbox).lower()
    )
    file = folder / "bank.toml"
    file.write_text(text, encoding="utf-8")
    return file


PROFILE = """
language = "ru"
sandbox = {sandbox}

[recipient]
code = "COM/60000001"
name = "«Сыноо банк» ААК"

[agreement]
number = "TEST-2026/001"
purpose = "ACCOUNT_OPENING"

[service]
url = "{url}"
channel = "{channel}"
connect_timeout = 2
answer_timeout = 5

[signing]
key = "seal.key.pem"
certificate = "seal.crt.pem"

[operator]
code = "GOV/70000001"
name = "Сыноо оператору"
certificates = ["operator.crt.pem"]
anchors = ["root.crt.pem"]
crls = [{crls}]

[xroad]
client = "KG-TEST/COM/60000001/bank"
service = "KG-TEST/GOV/70000001/makul"

[consent]
notice = "TEST-NOTICE-1"
notice_file = "notice.txt"
purpose_text = "Банк эсебин ачуу"
retention = "P5Y"
withdrawal = "Мамлекеттик порталда кайтарып алууга болот."

{extra}
"""


@dataclass
class Pauses:
    """Records how long a client would have waited, and does not wait."""

    seconds: list[float] = field(default_factory=list)

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def client_for(
    file: Path, *, pauses: Pauses | None = None, after: timedelta = timedelta()
) -> Client:
    """Return a client of this profile, whose clock stands still."""
    return Client(Profile.load(file), clock=lambda: NOW + after, pause=pauses or Pauses())


def ask(folder: Path, *replies: Reply, pauses: Pauses | None = None, extra: str = "") -> Any:
    """Request a surname; return the result or error, and the requests that arrived."""
    with run_fake_service(*replies) as service:
        file = write_profile(folder, service.url, extra=extra)
        with client_for(file, pauses=pauses) as client:
            try:
                answer: Any = client.get_person_data(
                    PROBE, ["pin", "surname", "birthDate"], ground=GROUND
                )
            except MakulError as error:
                answer = error
    return answer, service.requests
