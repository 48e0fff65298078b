"""An officer of the authorised body for the client's tests, with a profile on disk."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

from makul_client import MakulError, OversightClient
from makul_client.officer_profile import OfficerProfile
from makul_testing.client.world import NOW, Pauses, operator, parties
from makul_testing.pki.client import pem_of, pem_of_key
from makul_testing.servers.fake_service import FakeOperator, Reply, run_fake_service

BODY = "GOV/70000009"
SHOP = "COM/60000001"
AGREEMENT = "TEST-2026/001"
JUSTIFICATION = "Data without consent, report 14"

CUT_OFF = "<recipientState>CUT_OFF</recipientState>"
PROPOSED = "<terminationState>PROPOSED</terminationState>"
TERMINATED = "<terminationState>TERMINATED</terminationState>"
COUNTS = (
    "<count><recipient>COM/60000001</recipient><purpose>ACCOUNT_OPENING</purpose>"
    "<outcome>RELEASED</outcome><groundKind>CONSENT</groundKind>"
    "<decisions>4711</decisions><repetitions>12</repetitions></count>"
    "<count><recipient>COM/60000002</recipient><outcome>REFUSED</outcome>"
    "<decisions>1</decisions><repetitions>0</repetitions></count>"
)

PROFILE = """
language = "{language}"
sandbox = true

[officer]
body = "GOV/70000009"
identifier = "I-1"
receipts = "receipts"

[service]
url = "{url}"
channel = "wsse"
connect_timeout = 2
answer_timeout = 5

[signing]
key = "officer.key.pem"
certificate = "officer.crt.pem"

[operator]
code = "GOV/70000001"
name = "Сыноо оператору"
certificates = ["operator.crt.pem"]
anchors = ["root.crt.pem"]

{extra}
"""


def oversight_operator(at: datetime = NOW) -> FakeOperator:
    """Return the operator, whose receipts name the body of the officer."""
    return replace(operator(), recipient=BODY, at=at)


def write_officer_profile(folder: Path, url: str, *, extra: str = "", language: str = "en") -> Path:
    """Write an officer's profile and the files that it names."""
    keys = parties()
    files = {
        "officer.key.pem": pem_of_key(keys.officer.key),
        "officer.crt.pem": pem_of(keys.officer.certificate),
        "operator.crt.pem": pem_of(keys.operator.certificate),
        "root.crt.pem": pem_of(keys.authority.certificate),
    }
    for name, content in files.items():
        (folder / name).write_bytes(content)
    file = folder / "inspector.toml"
    file.write_text(PROFILE.format(url=url, extra=extra, language=language), encoding="utf-8")
    return file


Act = Callable[[OversightClient], Any]


def do(folder: Path, act: Act, *replies: Reply, pauses: Pauses | None = None) -> Any:
    """Carry out an act; return the result or error, and the requests that arrived."""
    with run_fake_service(*replies) as service:
        profile = OfficerProfile.load(write_officer_profile(folder, service.url))
        with OversightClient(profile, clock=lambda: NOW, pause=pauses or Pauses()) as client:
            try:
                answer: Any = act(client)
            except MakulError as error:
                answer = error
    return answer, service.requests
