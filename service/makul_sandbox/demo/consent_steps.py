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
from makul_sandbox.data.pki import Authority, Credential, RevocationEntry
from makul_sandbox.demo.client_session import DemoClient, describe_result
from makul_sandbox.demo.steps import Step, use

NOTICED_WITHIN = 20.0
"""The seconds within which a worker must have read a new CRL.

A worker checks every 5 seconds, and the machine may be busy.
"""


def register_and_use(name: str) -> Step:
    """Register a consent with its attachments. If it is accepted, use it by its id."""

    def run_step(demo: DemoClient) -> str:
        first = describe_result(lambda: demo.register(name))
        return f"{first}, then {_by_id(demo, name)}" if first == "ACCEPTED" else first

    return run_step


def revoke_and_use(demo: DemoClient) -> str:
    """Use a consent, revoke it, and try to use it again."""
    before = use("taken-back")(demo)
    revocation = describe_result(lambda: demo.revoke("taken-back"))
    return f"{before}, {revocation}, then {use('taken-back')(demo)}"


def repeat_after_revocation(demo: DemoClient) -> str:
    """Repeat an answered request under its id after its consent was revoked."""
    name, request_id = "taken-back-asked-again", uuid4()
    ask: Callable[[], object] = lambda: demo.data(name, request_id=request_id)  # noqa: E731
    first = describe_result(ask)
    demo.revoke(name)
    return f"{first}, then {describe_result(ask)}"


def revoke_as_stranger(demo: DemoClient) -> str:
    """Submit a revocation that another person signed. The consent stays unchanged."""
    before = use("not-taken-back")(demo)
    revocation = describe_result(lambda: demo.revoke("not-taken-back"))
    return f"{before}, {revocation}, then {use('not-taken-back')(demo)}"


def revoke_and_list(demo: DemoClient) -> str:
    """Return whether the recipient's list contains a consent that was revoked."""
    name = "taken-back-listed"
    demo.data(name)
    revocation = describe_result(lambda: demo.revoke(name))
    client, consent_id = demo.client("bank"), demo.consent_id(name)
    listed = any(each.consent_id == consent_id for each in client.revocations())
    state = client.consent_status(consent_id).state
    return f"{revocation}, {'listed' if listed else 'not listed'} as {state}"


def submit_third_signature(demo: DemoClient) -> str:
    """Ask under an agreement that two have signed. Submit the third signature and ask again."""
    before = use("half-signed-agreement")(demo)
    demo.submit_missing_signature(demo.document("half-signed-agreement").agreement)
    return f"{before}, then {use('half-signed-agreement')(demo)}"


def certificate_ended_later(demo: DemoClient) -> str:
    """Register a consent, revoke its signer's certificate, then use it and a new consent.

    The same citizen signed both consents.
    """
    demo.register("held-when-revoked")
    before = _by_id(demo, "held-when-revoked")
    revoke_certificate(demo, demo.certificate(demo.document("held-when-revoked").citizen))
    new, deadline = use("new-when-revoked")(demo), time.monotonic() + NOTICED_WITHIN
    while new == "RELEASED" and time.monotonic() < deadline:
        time.sleep(0.5)
        new = use("new-when-revoked")(demo)
    held = _by_id(demo, "held-when-revoked")
    return f"{before}, then {held}; a new one {new}"


def _by_id(demo: DemoClient, name: str) -> str:
    return describe_result(lambda: demo.data(name, ground=ConsentId(demo.consent_id(name))))


def revoke_certificate(
    demo: DemoClient, certificate: Path, *, stolen_since: datetime | None = None
) -> None:
    """Revoke a certificate, as the citizens' authority, from the next whole second on.

    A CRL has no finer time. `stolen_since` states that the key was stolen at that time.
    """
    now = datetime.now(UTC)
    at = now.replace(microsecond=0) + timedelta(seconds=1)
    time.sleep((at - now).total_seconds())
    issuer = demo.citizens_authority
    key = load_pem_private_key(demo.path(issuer["key"]).read_bytes(), None)
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise TypeError("the sandbox's authorities sign with ECDSA or RSA")
    own = x509.load_pem_x509_certificate(demo.path(issuer["certificate"]).read_bytes())
    ended = RevocationEntry(
        certificate=x509.load_pem_x509_certificate(certificate.read_bytes()),
        at=at,
        reason=x509.ReasonFlags.cessation_of_operation
        if stolen_since is None
        else x509.ReasonFlags.key_compromise,
        invalid_since=stolen_since,
    )
    authority = Authority(credential=Credential(key=key, certificate=own), made_at=at)
    crl = demo.path(issuer["crl"])
    _replace_file(crl, authority.longer(crl.read_bytes(), ended))


def _replace_file(path: Path, content: bytes) -> None:
    """Replace a file as a whole, because the service may be reading it."""
    with tempfile.NamedTemporaryFile(dir=path.parent.parent, delete=False) as new:
        new.write(content)
    Path(new.name).replace(path)
