"""The operator's key in a PKCS#11 token: it signs, and never leaves.

One session and one lock in a process. python-pkcs11 calls C_Initialize with no arguments, by which
an application promises never to enter the module from two threads at once (PKCS #11 v2.40, 5.4),
and leaves Python's lock while the module works; SoftHSM then runs without locks of its own. More
signatures at once come from more workers.

The module is entered at the first signature, thus after the fork: C_Initialize is not inherited
(PKCS #11 v2.40, 6.6.1). Where the token is lost everything is closed, and each later signature
tries anew from C_Initialize, for some modules see a token that came back only then.
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
from makul.net.files import FileError, open_regular
from makul.trust.base.algorithms import PublicKey, method_for, strong_public_key
from makul.trust.keys.files import HASHES, KeyFileError, load_secret

log = logging.getLogger(__name__)

WAIT_SECONDS = 5.0
"""How long a signature waits for its turn. A module that hangs must not hang every thread."""

PAUSE_SECONDS = 1.0
"""After a failure the token is left alone so long: a network HSM may need minutes to answer no."""

_PROBE = b"Makul: does this key belong to this certificate?"
"""Signed when a session opens, and to tell whether the token is there. It is no document."""

_PIN_REFUSED = (
    pkcs11.PinExpired,
    pkcs11.PinIncorrect,
    pkcs11.PinInvalid,
    pkcs11.PinLenRange,
    pkcs11.PinLocked,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenLocation:
    """Where the key is: in the token of this label or slot, by its own label, id or both."""

    module: Path
    token_label: str | None = None
    slot: int | None = None
    key_label: str | None = None
    key_id: bytes | None = None
    pin_file: Path | None = None
    pin_env: str | None = None
    """The environment variable that holds the PIN, where no file does."""

    def pin(self) -> str:
        """The PIN, read anew each time; raises `KeyFileError`."""
        if self.pin_file is not None:
            secret = load_secret(self.pin_file)
        else:
            secret = os.environb.get((self.pin_env or "").encode(), b"")
        try:
            pin = secret.decode("utf-8")
        except UnicodeDecodeError:
            raise KeyFileError("the PIN of the token is not UTF-8.") from None
        if not pin:
            raise KeyFileError(f"the environment variable {self.pin_env} with the PIN is not set.")
        return pin


class TokenSigner:
    """A `keys.RawSigner` over a token. Opens it at the first signature, not before."""

    def __init__(self, place: TokenLocation, certificate: x509.Certificate) -> None:
        """`certificate` says which key it has to be; raises `SignatureFailure` if that is weak."""
        self._place = place
        self._public_key = strong_public_key(certificate.public_key())
        self._lock = threading.Lock()
        self._library: Any = None
        self._session: Any = None
        self._key: Any = None
        self._process = 0
        self._not_before = 0.0
        self._given_up: str | None = None

    @property
    def public_key(self) -> PublicKey:
        """The certificate's; that the token's key belongs to it is proved when a session opens."""
        return self._public_key

    def sign(self, octets: bytes) -> bytes:
        """The SignatureValue; raises `SignerUnavailableError`."""
        if not self._lock.acquire(timeout=WAIT_SECONDS):
            raise SignerUnavailableError("the token is busy or hangs")
        try:
            return self._signed(octets)
        finally:
            self._lock.release()

    def ready(self) -> bool:
        """Does the token sign? Opens it where it is closed."""
        try:
            self.sign(_PROBE)
        except SignerUnavailableError:
            return False
        return True

    def close(self) -> None:
        """Leave the module, so that nothing of it is inherited by a fork."""
        with self._lock:
            self._drop()

    def _signed(self, octets: bytes) -> bytes:
        if self._session is None or self._process != os.getpid():
            self._open()
        try:
            return _raw(self._key, self._public_key, octets)
        except pkcs11.PKCS11Error as error:
            # A session may have been closed by the token (reset, log-out): once more from anew.
            log.warning("the token did not sign: %s; it is opened anew", type(error).__name__)
            self._drop()
        self._open()
        try:
            return _raw(self._key, self._public_key, octets)
        except pkcs11.PKCS11Error as error:
            raise self._failed(f"the token does not sign: {_said(error)}") from None

    def _open(self) -> None:
        if self._given_up is not None:
            raise SignerUnavailableError(self._given_up)
        if time.monotonic() < self._not_before:
            raise SignerUnavailableError("the token failed a moment ago")
        self._process = os.getpid()
        try:
            with open_regular(self._place.module):
                pass  # a pipe would be waited for in the linker
            self._library = pkcs11.lib(str(self._place.module))
            self._session = _token(self._library, self._place).open(user_pin=self._place.pin())
            self._key = _private_key(self._session, self._place)
            probe = _raw(self._key, self._public_key, _PROBE)
        except _PIN_REFUSED as error:
            # A token locks after a few wrong PINs: never try the same again by itself.
            self._given_up = f"the token refused the PIN ({_said(error)}). Mend it, then reload."
            raise self._failed(self._given_up) from None
        except pkcs11.PKCS11Error as error:
            raise self._failed(_advice(error, self._place)) from None
        except (KeyFileError, FileError) as error:
            raise self._failed(str(error)) from None
        if not _holds(self._public_key, probe):
            raise self._failed("the key in the token is not that of receipts.certificate.")
        log.info("the token is open")

    def _failed(self, message: str) -> SignerUnavailableError:
        self._drop()
        self._not_before = time.monotonic() + PAUSE_SECONDS
        log.error("%s", message)
        return SignerUnavailableError(message)

    def _drop(self) -> None:
        """Close what is open, as far as the module still listens."""
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
    """All that fit are listed: a search left half done would outlive its session."""
    wanted: dict[Any, Any] = {pkcs11.Attribute.CLASS: pkcs11.ObjectClass.PRIVATE_KEY}
    if place.key_label is not None:
        wanted[pkcs11.Attribute.LABEL] = place.key_label
    if place.key_id is not None:
        wanted[pkcs11.Attribute.ID] = place.key_id
    found = list(session.get_objects(wanted))
    if len(found) != 1:
        raise pkcs11.MultipleObjectsReturned if found else pkcs11.NoSuchKey
    return found[0]


def _raw(key: Any, public: PublicKey, octets: bytes) -> bytes:
    """RSA by the token whole; for ECDSA the token gets the digest, which every token can sign.

    ECDSA comes back as r and s of equal length (PKCS #11 v2.40 mechanisms, 2.3.1): the very form
    that XML Signature wants.
    """
    digest = method_for(public)[1].name
    if not isinstance(public, ec.EllipticCurvePublicKey):
        return bytes(key.sign(octets, mechanism=pkcs11.Mechanism.SHA256_RSA_PKCS))
    hashed = hashlib.new(digest.lower(), octets).digest()
    return bytes(key.sign(hashed, mechanism=pkcs11.Mechanism.ECDSA))


def _holds(public: PublicKey, probe: bytes) -> bool:
    """Was the probe signed by the private key of this public one?"""
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


def _said(error: pkcs11.PKCS11Error) -> str:
    """Return the token's return value in words: `CKR_PIN_INCORRECT` is "pin incorrect"."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", type(error).__name__).lower()


def _advice(error: pkcs11.PKCS11Error, place: TokenLocation) -> str:
    kind = _said(error)
    match error:
        case pkcs11.NoSuchToken():
            named = place.token_label if place.slot is None else f"slot {place.slot}"
            return f"no token {named!r} behind {place.module}. Is it plugged in?"
        case pkcs11.NoSuchKey() | pkcs11.MultipleObjectsReturned():
            return f"not exactly one private key of that label or id in the token ({kind})."
        case _:
            return f"the token cannot be opened through {place.module}: {kind}."
