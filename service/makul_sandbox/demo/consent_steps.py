"""The steps with consents over time: registration, revocation, a certificate revoked later."""

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
"""The seconds within which a worker must have read a new CRL.

A worker checks every 5 seconds, and the machine may be busy.
"""


def handed_in(name: str) -> Play:
    """Register a consent with its attachments. If it is accepted, use it by its id."""

    def play(stage: DemoClient) -> str:
        first = told(lambda: stage.register(name))
        return f"{first}, then {_by_id(stage, name)}" if first == "ACCEPTED" else first

    return play


def taken_back(stage: DemoClient) -> str:
    """Use a consent, revoke it, and try to use it again."""
    before = use("taken-back")(stage)
    taken = told(lambda: stage.take_back("taken-back"))
    return f"{before}, {taken}, then {use('taken-back')(stage)}"


def asked_again_when_taken_back(stage: DemoClient) -> str:
    """Repeat an answered request under its id after its consent was revoked."""
    name, request_id = "taken-back-asked-again", uuid4()
    ask: Callable[[], object] = lambda: stage.data(name, request_id=request_id)  # noqa: E731
    first = told(ask)
    stage.take_back(name)
    return f"{first}, then {told(ask)}"


def taken_back_by_stranger(stage: DemoClient) -> str:
    """Submit a revocation that another person signed. The consent stays unchanged."""
    before = use("not-taken-back")(stage)
    taken = told(lambda: stage.take_back("not-taken-back"))
    return f"{before}, {taken}, then {use('not-taken-back')(stage)}"


def taken_back_and_listed(stage: DemoClient) -> str:
    """Return whether the recipient's list contains a consent that was revoked."""
    name = "taken-back-listed"
    stage.data(name)
    taken = told(lambda: stage.take_back(name))
    client, consent_id = stage.client("bank"), stage.consent_id(name)
    listed = any(each.consent_id == consent_id for each in client.revocations())
    state = client.consent_status(consent_id).state
    return f"{taken}, {'listed' if listed else 'not listed'} as {state}"


def signed_by_the_third(stage: DemoClient) -> str:
    """Ask under an agreement that two have signed. Submit the third signature and ask again."""
    before = use("half-signed-agreement")(stage)
    stage.hand_in_missing_signature(stage.document("half-signed-agreement").agreement)
    return f"{before}, then {use('half-signed-agreement')(stage)}"


def certificate_ended_later(stage: DemoClient) -> str:
    """Register a consent, revoke its signer's certificate, then use it and a new consent.

    The same citizen signed both consents.
    """
    stage.register("held-when-revoked")
    before = _by_id(stage, "held-when-revoked")
    _revoke(stage, stage.certificate(stage.document("held-when-revoked").citizen))
    new, deadline = use("new-when-revoked")(stage), time.monotonic() + NOTICED_WITHIN
    while new == "RELEASED" and time.monotonic() < deadline:
        time.sleep(0.5)
        new = use("new-when-revoked")(stage)
    held = _by_id(stage, "held-when-revoked")
    return f"{before}, then {held}; a new one {new}"


def _by_id(stage: DemoClient, name: str) -> str:
    return told(lambda: stage.data(name, ground=ConsentId(stage.consent_id(name))))


def _revoke(stage: DemoClient, certificate: Path) -> None:
    """Revoke a certificate, as the citizens' authority, from the next whole second on.

    A CRL has no finer time.
    """
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
    """Replace a file as a whole, because the service may be reading it."""
    with tempfile.NamedTemporaryFile(dir=path.parent.parent, delete=False) as new:
        new.write(content)
    Path(new.name).replace(path)
