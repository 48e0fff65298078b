"""The inventory of keys and certificates of an installation. It never contains a key itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from makul.app.ports import OperatorRegistry, ReceiptCertificateState
from makul.composition.adapters import trust_directories
from makul.config.settings import ReceiptSettings, Settings
from makul.net.certificate_der import load_certificate
from makul.store import StoreKeys
from makul.trust.keys.files import load_certificates
from makul.trust.keys.receipt_certificates import compromised_keys
from makul.trust.pki.trust_material import ca_certificates


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyInfo:
    """A key or certificate in use. It never contains the key itself."""

    name: str
    """The common name: `receipt signing`, `store data keys`, `national root`."""
    path: Path | None
    algorithm: str
    fingerprint: str | None = None
    """SHA-256 of the certificate, or the key's own id, in hexadecimal."""
    not_before: datetime | None = None
    not_after: datetime | None = None
    """The end of the term; None for a key without a term."""
    state: str | None = None
    """`NEXT`, `FORMER`, `RETIRED` or `COMPROMISED`; None for a key in ordinary use."""
    note: str | None = None


def keys_in_use(settings: Settings) -> Iterator[KeyInfo]:
    """Yield the keys and certificates in the settings. Raises the errors of `error_handling`."""
    yield from _receipts(settings.receipts)
    yield from _store_keys(settings.store.keys)
    for name, listener in settings.listeners.items():
        if listener.tls is not None:
            path = listener.tls.certificate
            yield _certificate(f"TLS of {name}", path, load_certificates(path)[0])
    directories = trust_directories(settings)
    for name, directory in (
        ("trust anchor", directories.anchors),
        ("intermediate", directories.intermediates),
        ("time-stamping anchor", settings.trust.tsa_anchors),
    ):
        for path, certificate in ca_certificates(directory) if directory is not None else ():
            yield _certificate(name, path, certificate)


def recipients_certificates(registry: OperatorRegistry) -> Iterator[KeyInfo]:
    """Yield the certificates that sign recipients' messages, and those that encrypt their data."""
    for kind, registered in (
        ("messages", registry.certificates()),
        ("sealing", registry.sealing_certificates()),
    ):
        for recipient, der in registered:
            certificate = load_certificate(der)
            yield _certificate(f"{kind} of {recipient}", None, certificate)


def _store_keys(path: Path) -> Iterator[KeyInfo]:
    """Yield the current master key first, then the others, which only decrypt."""
    keys = StoreKeys.load(path)
    states = {keys.current_id: None, keys.next_id: "NEXT"}
    for key_id in sorted(keys.masters, key=lambda each: each != keys.current_id):
        yield KeyInfo(
            name="store data keys",
            path=path,
            algorithm="AES-256-GCM, HMAC-SHA-256",
            fingerprint=key_id,
            state=states.get(key_id, "FORMER"),
        )


def _receipts(settings: ReceiptSettings) -> Iterator[KeyInfo]:
    compromised = compromised_keys(settings.retired)
    using = load_certificates(settings.certificate)[0]
    yield _certificate("receipt signing", settings.certificate, using, note=_place(settings))
    others = [(settings.next, ReceiptCertificateState.NEXT)] if settings.next else []
    if settings.retired is not None:
        others += [
            (path, ReceiptCertificateState.RETIRED)
            for path in sorted(settings.retired.glob("*.pem"))
        ]
    for path, state in others:
        certificate = load_certificates(path)[0]
        if certificate.fingerprint(hashes.SHA256()) in compromised:
            state = ReceiptCertificateState.COMPROMISED  # noqa: PLW2901
        yield _certificate("receipt signing", path, certificate, state=state)


def _place(settings: ReceiptSettings) -> str:
    """Return the location of the key: the token and object, or the file."""
    token = settings.pkcs11
    if token is None:
        return f"key {settings.key}"
    where = f"slot {token.slot}" if token.token_label is None else f"token {token.token_label}"
    which = token.key_label if token.key_label is not None else f"id {token.key_id}"
    return f"PKCS#11 {where}, key {which}, through {token.module}"


def _certificate(
    name: str,
    path: Path | None,
    certificate: x509.Certificate,
    *,
    state: str | None = None,
    note: str | None = None,
) -> KeyInfo:
    return KeyInfo(
        name=name,
        path=path,
        algorithm=_algorithm(certificate),
        fingerprint=certificate.fingerprint(hashes.SHA256()).hex(),
        not_before=certificate.not_valid_before_utc,
        not_after=certificate.not_valid_after_utc,
        state=state,
        note=note or certificate.subject.rfc4514_string(),
    )


def _algorithm(certificate: x509.Certificate) -> str:
    key = certificate.public_key()
    if isinstance(key, ec.EllipticCurvePublicKey):
        return f"ECDSA {key.curve.name}"
    if isinstance(key, rsa.RSAPublicKey):
        return f"RSA {key.key_size}"
    return type(key).__name__.removesuffix("PublicKey")
