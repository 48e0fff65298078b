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
from makul.language.translation import Language, mark, translate, translate_to
from makul.net.certificate_der import load_certificate
from makul.store import StoreKeys
from makul.trust.keys.files import load_certificates
from makul.trust.keys.receipt_certificates import compromised_keys
from makul.trust.pki.trust_material import ca_certificates


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyInfo:
    """A key or certificate in use. It never contains the key itself."""

    kind: str
    """The template of its name: `receipt signing`, `store data keys`, `TLS of {owner}`."""
    owner: str = ""
    """The listener or the recipient to which it belongs."""
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

    @property
    def name(self) -> str:
        """The common name, in English for programs."""
        return translate_to(Language.EN, self.kind, owner=self.owner)

    @property
    def label(self) -> str:
        """The common name, in the language in use."""
        return translate(self.kind, owner=self.owner)


def keys_in_use(settings: Settings) -> Iterator[KeyInfo]:
    """Yield the keys and certificates in the settings. Raises the errors of `error_handling`."""
    yield from _receipts(settings.receipts)
    yield from _store_keys(settings.store.keys)
    for name, listener in settings.listeners.items():
        if listener.tls is not None:
            path = listener.tls.certificate
            yield _certificate(mark("TLS of {owner}"), path, load_certificates(path)[0], owner=name)
    directories = trust_directories(settings)
    for kind, directory in (
        (mark("trust anchor"), directories.anchors),
        (mark("intermediate"), directories.intermediates),
        (mark("time-stamping anchor"), settings.trust.tsa_anchors),
    ):
        for path, certificate in ca_certificates(directory) if directory is not None else ():
            yield _certificate(kind, path, certificate)


def recipients_certificates(registry: OperatorRegistry) -> Iterator[KeyInfo]:
    """Yield the certificates that sign recipients' messages, and those that encrypt their data."""
    for kind, registered in (
        (mark("messages of {owner}"), registry.certificates()),
        (mark("encryption certificate of {owner}"), registry.encryption_certificates()),
    ):
        for recipient, der in registered:
            certificate = load_certificate(der)
            yield _certificate(kind, None, certificate, owner=recipient)


def _store_keys(path: Path) -> Iterator[KeyInfo]:
    """Yield the current master key first, then the others, which only decrypt."""
    keys = StoreKeys.load(path)
    states = {keys.current_id: None, keys.next_id: "NEXT"}
    for key_id in sorted(keys.masters, key=lambda each: each != keys.current_id):
        yield KeyInfo(
            kind=mark("store data keys"),
            path=path,
            algorithm="AES-256-GCM, HMAC-SHA-256",
            fingerprint=key_id,
            state=states.get(key_id, "FORMER"),
        )


def _receipts(settings: ReceiptSettings) -> Iterator[KeyInfo]:
    compromised = compromised_keys(settings.retired)
    using = load_certificates(settings.certificate)[0]
    yield _certificate(mark("receipt signing"), settings.certificate, using, note=_place(settings))
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
        yield _certificate(mark("receipt signing"), path, certificate, state=state)


def _place(settings: ReceiptSettings) -> str:
    """Return the location of the key: the token and object, or the file."""
    token = settings.pkcs11
    if token is None:
        return translate("key {path}", path=settings.key)
    if token.token_label is None:
        location = translate("slot {number}", number=token.slot)
    else:
        location = translate("token {label}", label=token.token_label)
    if token.key_label is None:
        key = translate("id {key_id}", key_id=token.key_id)
    else:
        key = token.key_label
    return translate(
        "PKCS#11 {token}, key {key}, through {module}",
        token=location,
        key=key,
        module=token.module,
    )


def _certificate(
    kind: str,
    path: Path | None,
    certificate: x509.Certificate,
    *,
    owner: str = "",
    state: str | None = None,
    note: str | None = None,
) -> KeyInfo:
    return KeyInfo(
        kind=kind,
        owner=owner,
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
