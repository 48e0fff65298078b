"""Encrypt a document to a recipient's certificate, in one form of W3C XML Encryption 1.1.

Each document is encrypted with AES-256-GCM under its own key (xmlenc11, 5.2.4). RSA-OAEP wraps that
key (xmlenc, 5.5.2). The XML is a template, as for receipts; the cryptography is that of the
`cryptography` library. `xmlsec` could do both. But it takes 17 ms to create a key manager, and it
does not free a little memory of each document. The tests use it, and the program xmlsec1, to check
the result.

OAEP is used with its default digest SHA-1 and with MGF1 over SHA-1 (`rsa-oaep-mgf1p`). Every stack
decrypts this form, and xmlsec1 before 1.3 supports no other. OAEP needs hash functions that behave
like random functions. It does not need collision resistance, so the attacks on SHA-1 do not affect
it (RFC 8017, 7.1; NIST SP 800-56B rev. 2, 7.2.2). For signatures SHA-1 is refused everywhere.
"""

import secrets
from base64 import b64encode
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from xml.sax.saxutils import escape

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from makul.domain.reasons import Code
from makul.language.translation import mark
from makul.trust.base.errors import SignatureFailure
from makul.trust.pki.certificates import SigningCertificate, read_certificate
from makul.trust.pki.trust_store import TrustStore
from makul.trust.xmldsig.parsing import DS

XENC = "http://www.w3.org/2001/04/xmlenc#"
DSIG11 = "http://www.w3.org/2009/xmldsig11#"
AES_256_GCM = "http://www.w3.org/2009/xmlenc11#aes256-gcm"
RSA_OAEP = f"{XENC}rsa-oaep-mgf1p"
SHA1 = f"{DS}sha1"
SHA256 = f"{XENC}sha256"

KEY_BYTES = 32
IV_BYTES = 12
"""The length of an IV: 96 bits (XML Encryption 1.1, 5.2.4). Each key encrypts once, so no IV is
used twice with one key."""

REMEMBERED_HEADS = 1024
"""The maximum number of encryption certificates whose template stays in memory, some 2 KB each."""

_HEAD = (
    '<xenc:EncryptedData xmlns:xenc="{XENC}" Type="{XENC}Element">'
    '<xenc:EncryptionMethod Algorithm="{AES_256_GCM}"></xenc:EncryptionMethod>'
    '<ds:KeyInfo xmlns:ds="{DS}"><xenc:EncryptedKey>'
    '<xenc:EncryptionMethod Algorithm="{RSA_OAEP}">'
    '<ds:DigestMethod Algorithm="{SHA1}"></ds:DigestMethod></xenc:EncryptionMethod>'
    "<ds:KeyInfo><ds:X509Data><ds:X509IssuerSerial>"
    "<ds:X509IssuerName>{issuer}</ds:X509IssuerName>"
    "<ds:X509SerialNumber>{serial}</ds:X509SerialNumber></ds:X509IssuerSerial>"
    '<dsig11:X509Digest xmlns:dsig11="{DSIG11}" Algorithm="{SHA256}">{digest}</dsig11:X509Digest>'
    "</ds:X509Data></ds:KeyInfo>"
    "<xenc:CipherData><xenc:CipherValue>"
)
_BETWEEN = (
    b"</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey></ds:KeyInfo>"
    b"<xenc:CipherData><xenc:CipherValue>"
)
_TAIL = b"</xenc:CipherValue></xenc:CipherData></xenc:EncryptedData>"

_OAEP = padding.OAEP(
    mgf=padding.MGF1(algorithm=hashes.SHA1()),  # noqa: S303 - see the docstring
    algorithm=hashes.SHA1(),  # noqa: S303
    label=None,
)


class XmlEncryptor:
    """Adapter for `ports.DeliveryEncryptor`: encrypt to certificates that the trust store accepts.

    An instance is safe to share between threads.
    """

    def __init__(self, store: TrustStore) -> None:
        self._store = store

    def judge(self, certificate: bytes, *, at: datetime) -> Code | None:
        """Return why nothing may be encrypted to this certificate (DER) now, or None if it may.

        SIG-07 means that this could not be determined. Key, usage and path are judged on each call.
        The path costs almost nothing while revocation data do not change.
        """
        try:
            parsed = read_certificate(certificate)
            require_encryption_usage(parsed)
        except SignatureFailure as failure:
            return failure.code
        return self._store.judge(parsed, at=at).code

    def encrypt(self, document: bytes, certificate: bytes) -> bytes:
        """Return the document as an encrypted element.

        The certificate (DER) must be one that `judge` has accepted.
        """
        head, recipient = _encrypted_head(certificate)
        key, iv = secrets.token_bytes(KEY_BYTES), secrets.token_bytes(IV_BYTES)
        ciphertext = iv + AESGCM(key).encrypt(iv, document, None)
        wrapped = recipient.encrypt(key, _OAEP)
        return b"".join((head, b64encode(wrapped), _BETWEEN, b64encode(ciphertext), _TAIL))


def require_encryption_usage(certificate: SigningCertificate) -> None:
    """Require an RSA key that may decrypt keys or data and is not a CA's.

    The certificate must state keyEncipherment or dataEncipherment (RFC 5280, 4.2.1.3). Raises
    `SignatureFailure`: SIG-04 for another kind of key, SIG-10 for another usage or a CA.
    """
    if not isinstance(certificate.key, rsa.RSAPublicKey):
        raise SignatureFailure(Code.SIG_04, mark("not an RSA key, which RSA-OAEP requires"))
    try:
        extensions = certificate.x509.extensions
        usage = extensions.get_extension_for_class(x509.KeyUsage).value
    except (x509.ExtensionNotFound, ValueError):
        raise SignatureFailure(Code.SIG_10, mark("key usage is not stated")) from None
    if usage.key_cert_sign or not (usage.key_encipherment or usage.data_encipherment):
        raise SignatureFailure(Code.SIG_10, mark("key usage allows no encryption to it"))
    try:
        constraints = extensions.get_extension_for_class(x509.BasicConstraints).value
    except x509.ExtensionNotFound:
        return
    if constraints.ca:
        raise SignatureFailure(Code.SIG_10, mark("a CA's certificate"))


@lru_cache(maxsize=REMEMBERED_HEADS)
def _encrypted_head(der: bytes) -> tuple[bytes, rsa.RSAPublicKey]:
    """Return the XML before the wrapped key, and the recipient's key.

    This XML depends only on the certificate, so it is cached.
    """
    certificate = read_certificate(der)
    if not isinstance(certificate.key, rsa.RSAPublicKey):
        raise TypeError("data can be encrypted only to an RSA key")  # `judge` does not accept it
    head = _HEAD.format(
        XENC=XENC,
        DS=DS,
        DSIG11=DSIG11,
        AES_256_GCM=AES_256_GCM,
        RSA_OAEP=RSA_OAEP,
        SHA1=SHA1,
        SHA256=SHA256,
        issuer=escape(certificate.x509.issuer.rfc4514_string()),
        serial=certificate.x509.serial_number,
        digest=b64encode(sha256(der).digest()).decode("ascii"),
    )
    return head.encode(), certificate.key
