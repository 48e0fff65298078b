"""What is done with consents over time: handed in, taken back, outliving a certificate."""

import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from makul_client import ConsentId
from makul_sandbox.data.pki import Authority, Credential, Ended
from makul_sandbox.demo.client_session import DemoClient, told
from makul_sandbox.demo.steps import Play, use

NOTICED_WITHIN = 20.0
"""Seconds until a worker has read a new CRL: it looks every 5, and machines are busy."""


def handed_in(name: str) -> Play:
    """Hand a consent in with what belongs to it; where it is taken, use it by its id."""

    def play(stage: DemoClient) -> str:
        first = told(lambda: stage.register(name))
        return f"{first}, then {_by_id(stage, name)}" if first == "ACCEPTED" else first

    return play


def taken_back(stage: DemoClient) -> str:
    """Use a consent, take it back, try to use it again."""
    before = use("taken-back")(stage)
    taken = told(lambda: stage.take_back("taken-back"))
    return f"{before}, {taken}, then {use('taken-back')(stage)}"


def asked_again_when_taken_back(stage: DemoClient) -> str:
    """Repeat a request that was answered, under its id, after its consent was taken back."""
    name, request_id = "taken-back-asked-again", uuid4()
    ask: Callable[[], object] = lambda: stage.data(name, request_id=request_id)  # noqa: E731
    first = told(ask)
    stage.take_back(name)
    return f"{first}, then {told(ask)}"


def taken_back_by_stranger(stage: DemoClient) -> str:
    """Hand in a revocation that somebody else signed: the consent stays what it was."""
    before = use("not-taken-back")(stage)
    taken = told(lambda: stage.take_back("not-taken-back"))
    return f"{before}, {taken}, then {use('not-taken-back')(stage)}"


def taken_back_and_listed(stage: DemoClient) -> str:
    """Is a consent that was taken back among those that the recipient is told of?"""
    name = "taken-back-listed"
    stage.data(name)
    taken = told(lambda: stage.take_back(name))
    client, consent_id = stage.client("bank"), stage.consent_id(name)
    listed = any(each.consent_id == consent_id for each in client.revocations())
    state = client.consent_status(consent_id).state
    return f"{taken}, {'listed' if listed else 'not listed'} as {state}"


def signed_by_the_third(stage: DemoClient) -> str:
    """Ask under an agreement that two have signed; then the third signature is handed in."""
    before = use("half-signed-agreement")(stage)
    stage.hand_in_missing_signature(stage.paper("half-signed-agreement").agreement)
    return f"{before}, then {use('half-signed-agreement')(stage)}"


def certificate_ended_later(stage: DemoClient) -> str:
    """Hand a consent in; its signer's certificate is revoked; use it, and a new one of theirs."""
    stage.register("held-when-revoked")
    before = _by_id(stage, "held-when-revoked")
    _revoke(stage, stage.certificate(stage.paper("held-when-revoked").citizen))
    new, deadline = use("new-when-revoked")(stage), time.monotonic() + NOTICED_WITHIN
    while new == "RELEASED" and time.monotonic() < deadline:
        time.sleep(0.5)
        new = use("new-when-revoked")(stage)
    held = _by_id(stage, "held-when-revoked")
    return f"{before}, then {held}; a new one {new}"


def _by_id(stage: DemoClient, name: str) -> str:
    return told(lambda: stage.data(name, ground=ConsentId(stage.consent_id(name))))


def _revoke(stage: DemoClient, certificate: Path) -> None:
    """By the citizens' authority, from the next whole second on; CRLs know no smaller time."""
    now = datetime.now(UTC)
    at = now.replace(microsecond=0) + timedelta(seconds=1)
    time.sleep((at - now).total_seconds())
    said = stage.citizens_authority
    key = load_pem_private_key(stage.path(said["key"]).read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise TypeError("the sandbox's authorities sign with ECDSA or RSA")
    own = x509.load_pem_x509_certificate(stage.path(said["certificate"]).read_bytes())
    ended = Ended(
        certificate=x509.load_pem_x509_certificate(certificate.read_bytes()),
        at=at,
        reason=x509.ReasonFlags.cessation_of_operation,
    )
    authority = Authority(credential=Credential(key=key, certificate=own), made_at=at)
    crl = stage.path(said["crl"])
    _put_in_place(crl, authority.longer(crl.read_bytes(), ended))


def _put_in_place(path: Path, content: bytes) -> None:
    """Whole or not at all: the service may be reading."""
    with tempfile.NamedTemporaryFile(dir=path.parent.parent, delete=False) as new:
        new.write(content)
    Path(new.name).replace(path)
