"""The decryption of data encrypted to this recipient, in exactly one form (XML Encryption 1.1).

Anyone who knows a certificate can encrypt to it. So the decrypted content is untrusted until the
operator's signature inside is verified (`receipts.verifier`). It is returned as bytes and not
parsed. The form is checked before the key is used: AES-256-GCM with a key wrapped by RSA-OAEP, both
in the document itself. CBC, RSA 1.5, external references and second keys are refused unread.
"""

import base64
import binascii
import hashlib
import hmac
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from makul_client._internal.crypto.credentials import load_credential
from makul_client._internal.crypto.xml import DSIG, UnsafeXmlError, parse
from makul_client.errors import EncryptionError, EncryptionFlaw, ProfileError
from makul_client.profile import DecryptionSettings
from makul_client.translation import translate

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

XENC: Final = "http://www.w3.org/2001/04/xmlenc#"
DSIG11: Final = "http://www.w3.org/2009/xmldsig11#"
AES_256_GCM: Final = "http://www.w3.org/2009/xmlenc11#aes256-gcm"
RSA_OAEP: Final = f"{XENC}rsa-oaep-mgf1p"
SHA1: Final = f"{DSIG}sha1"
SHA256: Final = f"{XENC}sha256"

MAX_SEALED: Final = 7 * 1024 * 1024
"""The maximum size of an encrypted document in bytes, as in the contract."""
_KEY_BYTES: Final = 32
_IV_BYTES: Final = 12
_TAG_BYTES: Final = 16

_OAEP: Final = padding.OAEP(
    mgf=padding.MGF1(algorithm=hashes.SHA1()),  # noqa: S303 - by rsa-oaep-mgf1p (RFC 8017, 7.1)
    algorithm=hashes.SHA1(),  # noqa: S303
    label=None,
)


class DeliveryDecryptor:
    """The decryption with the recipient's key. Raises `ProfileError` if it is not an RSA key."""

    def __init__(self, sealing: DecryptionSettings) -> None:
        credential = load_credential(
            sealing.key, sealing.certificate, password_env=sealing.key_password_env
        )
        if not isinstance(credential.key, rsa.RSAPrivateKey):
            raise ProfileError(
                translate("{file}: data are encrypted to RSA keys only", file=sealing.key)
            )
        self._key = credential.key
        self._fingerprint = hashlib.sha256(credential.der).digest()

    def decrypt(self, sealed: bytes) -> bytes:
        """Return the document inside, not verified yet. Raises `EncryptionError`."""
        if len(sealed) > MAX_SEALED:
            raise EncryptionError(EncryptionFlaw.FORM, translate("too large"))
        try:
            encrypted = parse(sealed)
        except UnsafeXmlError as error:
            raise EncryptionError(EncryptionFlaw.FORM, str(error)) from None
        wrapped, to_whom, ciphertext = _parts(encrypted)
        if not hmac.compare_digest(to_whom, self._fingerprint):
            raise EncryptionError(
                EncryptionFlaw.RECIPIENT, translate("another certificate than the profile names")
            )
        # One message for every failure below, so that an attacker who sends ciphertexts gets no
        # oracle.
        try:
            key = self._key.decrypt(wrapped, _OAEP)
            if len(key) != _KEY_BYTES:
                raise EncryptionError(EncryptionFlaw.BROKEN, translate("it does not decrypt"))
            return AESGCM(key).decrypt(ciphertext[:_IV_BYTES], ciphertext[_IV_BYTES:], None)
        except (ValueError, InvalidTag):
            raise EncryptionError(EncryptionFlaw.BROKEN, translate("it does not decrypt")) from None


def _parts(encrypted: "Element") -> tuple[bytes, bytes, bytes]:
    """Return the wrapped key, the certificate's digest, and the IV with the ciphertext.

    Raises `EncryptionError` for any other form.
    """
    if encrypted.tag != _xenc("EncryptedData") or encrypted.get("Type") != f"{XENC}Element":
        raise EncryptionError(EncryptionFlaw.FORM, translate("not an encrypted element"))
    method, key_info, data = _children(
        encrypted, _xenc("EncryptionMethod"), _ds("KeyInfo"), _xenc("CipherData")
    )
    _children(method)
    if method.get("Algorithm") != AES_256_GCM:
        raise EncryptionError(
            EncryptionFlaw.ALGORITHM, translate("the data are not encrypted by AES-256-GCM")
        )
    (encrypted_key,) = _children(key_info, _xenc("EncryptedKey"))
    key_method, own_info, key_data = _children(
        encrypted_key, _xenc("EncryptionMethod"), _ds("KeyInfo"), _xenc("CipherData")
    )
    if key_method.get("Algorithm") != RSA_OAEP:
        raise EncryptionError(
            EncryptionFlaw.ALGORITHM, translate("the key is not wrapped by RSA-OAEP")
        )
    (digest_method,) = _children(key_method, _ds("DigestMethod"))
    if digest_method.get("Algorithm") != SHA1 or len(digest_method):
        raise EncryptionError(EncryptionFlaw.ALGORITHM, translate("RSA-OAEP with another digest"))
    ciphertext = _value(data)
    if len(ciphertext) < _IV_BYTES + _TAG_BYTES:
        raise EncryptionError(EncryptionFlaw.FORM, translate("too short"))
    return _value(key_data), _named_certificate(own_info), ciphertext


def _named_certificate(key_info: "Element") -> bytes:
    """Return the SHA-256 of the certificate to which the key is encrypted."""
    (data,) = _children(key_info, _ds("X509Data"))
    _, digest = _children(data, _ds("X509IssuerSerial"), f"{{{DSIG11}}}X509Digest")
    if digest.get("Algorithm") != SHA256:
        raise EncryptionError(
            EncryptionFlaw.ALGORITHM, translate("the certificate is not named by SHA-256")
        )
    return _binary(digest)


def _value(data: "Element") -> bytes:
    """Return the CipherValue. A CipherReference is refused, because it would cause a fetch."""
    (value,) = _children(data, _xenc("CipherValue"))
    return _binary(value)


def _children(element: "Element", *tags: str) -> tuple["Element", ...]:
    """Return the children, which must be exactly these, in this order."""
    children = tuple(element)
    if tuple(child.tag for child in children) != tags:
        raise EncryptionError(
            EncryptionFlaw.FORM, translate("its parts are missing, foreign or repeated")
        )
    return children


def _binary(element: "Element") -> bytes:
    if len(element):
        raise EncryptionError(
            EncryptionFlaw.FORM, translate("its parts are missing, foreign or repeated")
        )
    try:
        return base64.b64decode("".join((element.text or "").split()), validate=True)
    except (binascii.Error, ValueError):
        raise EncryptionError(EncryptionFlaw.FORM, translate("a value is not base64")) from None


def _xenc(name: str) -> str:
    return f"{{{XENC}}}{name}"


def _ds(name: str) -> str:
    return f"{{{DSIG}}}{name}"
