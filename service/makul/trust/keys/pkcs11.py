"""Sign with the operator's key in a PKCS#11 token, which the key never leaves.

A process has one session and one lock. python-pkcs11 calls C_Initialize with no arguments. By this
an application promises never to enter the module from two threads at once (PKCS #11 v2.40, 5.4).
python-pkcs11 also releases Python's lock while the module works, and SoftHSM then runs without
locks of its own. For more signatures at once, use more workers.

The module is entered at the first signature, hence after the fork, because C_Initialize is not
inherited (PKCS #11 v2.40, 6.6.1). If the token is lost, everything is closed. Each later signature
starts again from C_Initialize, because some modules see a returned token only then.
"""

import hashlib
import logging
import os
import re
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pkcs11
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from makul.app.ports import SignerUnavailableError
from makul.language.translation import DeferredMessage, translate
from makul.net.files import FileError, open_regular
from makul.trust.base.algorithms import PublicKey, method_for, strong_public_key
from makul.trust.keys.files import HASHES, KeyFileError, load_secret

log = logging.getLogger(__name__)

WAIT_SECONDS = 5.0
"""How long a signature waits for the lock. A module that hangs must not hang every thread."""

PAUSE_SECONDS = 1.0
"""How long the token is not used after a failure. A network HSM may need minutes to return an
error."""

_PROBE = b"Makul: does this key belong to this certificate?"
"""The text that is signed when a session opens, and to check whether the token is present. It is no
document."""

_PIN_REFUSED = (
    pkcs11.PinExpired,
    pkcs11.PinIncorrect,
    pkcs11.PinInvalid,
    pkcs11.PinLenRange,
    pkcs11.PinLocked,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenLocation:
    """The location of the key: a token, by label or slot, and the key's own label, id or both."""

    module: Path
    token_label: str | None = None
    slot: int | None = None
    key_label: str | None = None
    key_id: bytes | None = None
    pin_file: Path | None = None
    pin_env: str | None = None
    """The environment variable that holds the PIN if no file does."""

    def pin(self) -> str:
        """Return the PIN, read again each time; raise `KeyFileError` if it cannot be read."""
        if self.pin_file is not None:
            secret = load_secret(self.pin_file)
        else:
            secret = os.environb.get((self.pin_env or "").encode(), b"")
        try:
            pin = secret.decode("utf-8")
        except UnicodeDecodeError:
            raise KeyFileError(translate("the PIN of the token is not UTF-8.")) from None
        if not pin:
            raise KeyFileError(
                translate(
                    "the environment variable {variable} with the PIN is not set.",
                    variable=self.pin_env,
                )
            )
        return pin


class TokenSigner:
    """A `keys.files.RawSigner` over a token.

    It opens the token at the first signature, not before.
    """

    def __init__(self, place: TokenLocation, certificate: x509.Certificate) -> None:
        """Prepare to sign with the key of `certificate`.

        Raises `SignatureFailure` if that key is too weak.
        """
        self._place = place
        self._public_key = strong_public_key(certificate.public_key())
        self._lock = threading.Lock()
        self._library: Any = None
        self._session: Any = None
        self._key: Any = None
        self._process = 0
        self._not_before = 0.0
        self._refusal: DeferredMessage | None = None

    @property
    def public_key(self) -> PublicKey:
        """The certificate's public key.

        An opened session has proved that the token's key belongs to it.
        """
        return self._public_key

    def sign(self, octets: bytes) -> bytes:
        """Return the SignatureValue; raise `SignerUnavailableError` if the token does not sign."""
        if not self._lock.acquire(timeout=WAIT_SECONDS):
            raise SignerUnavailableError(translate("the token is busy or hangs"))
        try:
            return self._signed(octets)
        finally:
            self._lock.release()

    def ready(self) -> bool:
        """Return whether the token signs. Opens the token if it is closed."""
        try:
            self.sign(_PROBE)
        except SignerUnavailableError:
            return False
        return True

    def close(self) -> None:
        """Leave the module, so that a fork inherits nothing of it."""
        with self._lock:
            self._drop()

    def _signed(self, octets: bytes) -> bytes:
        if self._session is None or self._process != os.getpid():
            self._open()
        try:
            return _raw(self._key, self._public_key, octets)
        except pkcs11.PKCS11Error as error:
            # The token may have closed the session (reset, log-out), so try once in a new one.
            log.warning("the token did not sign: %s; it is opened again", type(error).__name__)
            self._drop()
        self._open()
        try:
            return _raw(self._key, self._public_key, octets)
        except pkcs11.PKCS11Error as error:
            kind = _describe_return_value(error)
            raise self._unavailable_error(
                DeferredMessage("the token does not sign: {kind}", kind=kind)
            ) from None

    def _open(self) -> None:
        if self._refusal is not None:
            raise SignerUnavailableError(str(self._refusal))
        if time.monotonic() < self._not_before:
            raise SignerUnavailableError(translate("the token failed a moment ago"))
        self._process = os.getpid()
        try:
            with open_regular(self._place.module):
                pass  # for a pipe the linker would wait forever
            self._library = pkcs11.lib(str(self._place.module))
            self._session = _token(self._library, self._place).open(user_pin=self._place.pin())
            self._key = _private_key(self._session, self._place)
            probe = _raw(self._key, self._public_key, _PROBE)
        except _PIN_REFUSED as error:
            # A token locks after a few wrong PINs, so never retry the same PIN automatically.
            self._refusal = DeferredMessage(
                "the token refused the PIN ({kind}). Mend it, then reload.",
                kind=_describe_return_value(error),
            )
            raise self._unavailable_error(self._refusal) from None
        except pkcs11.PKCS11Error as error:
            raise self._unavailable_error(_advice(error, self._place)) from None
        except (KeyFileError, FileError) as error:
            raise self._unavailable_error(DeferredMessage(str(error))) from None
        if not _holds(self._public_key, probe):
            raise self._unavailable_error(
                DeferredMessage("the key in the token is not that of receipts.certificate.")
            )
        log.info("the token is open")

    def _unavailable_error(self, failure: DeferredMessage) -> SignerUnavailableError:
        self._drop()
        self._not_before = time.monotonic() + PAUSE_SECONDS
        log.error("%s", failure.english)
        return SignerUnavailableError(str(failure))

    def _drop(self) -> None:
        """Close what is open, as far as the module still responds."""
        library, self._library = self._library, None
        self._session = self._key = None
        if library is None or self._process != os.getpid():
            return
        try:
            library.finalize()
        except pkcs11.PKCS11Error as error:
            log.warning("the module did not finish: %s", type(error).__name__)


def _token(library: Any, place: TokenLocation) -> Any:
    for slot in library.get_slots(token_present=True):
        token = slot.get_token()
        if slot.slot_id == place.slot or (
            place.slot is None and token.label.rstrip(" \0") == place.token_label
        ):
            return token
    raise pkcs11.NoSuchToken


def _private_key(session: Any, place: TokenLocation) -> Any:
    """Return the only private key that matches.

    Raises `pkcs11.NoSuchKey` or `pkcs11.MultipleObjectsReturned` if not exactly one matches. All
    matches are listed, because an unfinished search would outlive its session.
    """
    template: dict[Any, Any] = {pkcs11.Attribute.CLASS: pkcs11.ObjectClass.PRIVATE_KEY}
    if place.key_label is not None:
        template[pkcs11.Attribute.LABEL] = place.key_label
    if place.key_id is not None:
        template[pkcs11.Attribute.ID] = place.key_id
    keys = list(session.get_objects(template))
    if len(keys) != 1:
        raise pkcs11.MultipleObjectsReturned if keys else pkcs11.NoSuchKey
    return keys[0]


def _raw(key: Any, public: PublicKey, octets: bytes) -> bytes:
    """Sign bytes in the token, and return the SignatureValue.

    For RSA the token does everything. For ECDSA it gets the digest, which every token can sign.
    ECDSA returns r and s of equal length (PKCS #11 v2.40 mechanisms, 2.3.1), exactly the form of
    XML Signature.
    """
    digest = method_for(public)[1].name
    if not isinstance(public, ec.EllipticCurvePublicKey):
        return bytes(key.sign(octets, mechanism=pkcs11.Mechanism.SHA256_RSA_PKCS))
    hashed = hashlib.new(digest.lower(), octets).digest()
    return bytes(key.sign(hashed, mechanism=pkcs11.Mechanism.ECDSA))


def _holds(public: PublicKey, probe: bytes) -> bool:
    """Return whether the private key of this public key signed the probe."""
    algorithm = HASHES[method_for(public)[1].name]()
    try:
        if isinstance(public, ec.EllipticCurvePublicKey):
            half = len(probe) // 2
            r, s = (int.from_bytes(part, "big") for part in (probe[:half], probe[half:]))
            public.verify(encode_dss_signature(r, s), _PROBE, ec.ECDSA(algorithm))
        else:
            public.verify(probe, _PROBE, padding.PKCS1v15(), algorithm)
    except InvalidSignature:
        return False
    return True


def _describe_return_value(error: pkcs11.PKCS11Error) -> str:
    """Return the token's return value in words: `CKR_PIN_INCORRECT` is "pin incorrect"."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", type(error).__name__).lower()


def _advice(error: pkcs11.PKCS11Error, place: TokenLocation) -> DeferredMessage:
    kind = _describe_return_value(error)
    match error:
        case pkcs11.NoSuchToken():
            label = place.token_label if place.slot is None else f"slot {place.slot}"
            return DeferredMessage(
                "no token {label!r} behind {module}. Is it plugged in?",
                label=label,
                module=place.module,
            )
        case pkcs11.NoSuchKey() | pkcs11.MultipleObjectsReturned():
            return DeferredMessage(
                "not exactly one private key of that label or id in the token ({kind}).",
                kind=kind,
            )
        case _:
            return DeferredMessage(
                "the token cannot be opened through {module}: {kind}.",
                module=place.module,
                kind=kind,
            )
