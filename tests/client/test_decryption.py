"""The client decrypts one form, and refuses every other before it uses its key."""

import base64
import os
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.serialization import Encoding

from makul.trust.xmlenc import XmlEncryptor
from makul_client import EncryptionError, EncryptionFlaw, ProfileError
from makul_client._internal.crypto.decryption import MAX_SEALED, DeliveryDecryptor
from makul_client.profile import DecryptionSettings
from makul_testing.pki.authorities import (
    Authority,
    Holder,
    Profile,
    key_usage,
    new_key,
    new_rsa_key,
    pem_of,
)

DOCUMENT = b"<Delivery></Delivery>"
XENC = b"http://www.w3.org/2001/04/xmlenc#"


@pytest.fixture(scope="module")
def recipient() -> Holder:
    profile = Profile(usage=key_usage("key_encipherment"))
    return Authority.root("Test Root").issue(profile, key=new_rsa_key())


@pytest.fixture
def decryptor(recipient: Holder, tmp_path: Path) -> DeliveryDecryptor:
    return DeliveryDecryptor(write_encryption_profile(recipient, tmp_path))


@pytest.fixture(scope="module")
def sealed(recipient: Holder) -> bytes:
    return XmlEncryptor.encrypt(None, DOCUMENT, recipient.der)  # type: ignore[arg-type]


def write_encryption_profile(holder: Holder, folder: Path) -> DecryptionSettings:
    (folder / "k.pem").write_bytes(pem_of(holder.key))
    (folder / "c.pem").write_bytes(holder.certificate.public_bytes(Encoding.PEM))
    return DecryptionSettings(key=folder / "k.pem", certificate=folder / "c.pem")


def flaw(decryptor: DeliveryDecryptor, sealed: bytes) -> EncryptionFlaw:
    with pytest.raises(EncryptionError) as refused:
        decryptor.decrypt(sealed)
    return refused.value.flaw


def test_the_bytes_are_decrypted(decryptor: DeliveryDecryptor, sealed: bytes) -> None:
    """The result is the very bytes, which must still be verified."""
    assert decryptor.decrypt(sealed) == DOCUMENT


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ((b"2009/xmlenc11#aes256-gcm", b"2001/04/xmlenc#aes256-cbc"), EncryptionFlaw.ALGORITHM),
        ((b"2009/xmlenc11#aes256-gcm", b"2009/xmlenc11#aes128-gcm"), EncryptionFlaw.ALGORITHM),
        ((XENC + b"rsa-oaep-mgf1p", XENC + b"rsa-1_5"), EncryptionFlaw.ALGORITHM),
        ((XENC + b"rsa-oaep-mgf1p", XENC + b"rsa-oaep"), EncryptionFlaw.ALGORITHM),
        ((b"xmldsig#sha1", b"xmldsig#md5"), EncryptionFlaw.ALGORITHM),
        ((b'Type="' + XENC + b'Element"', b'Type="' + XENC + b'Content"'), EncryptionFlaw.FORM),
        ((b"xenc:CipherValue>", b"xenc:CipherReference>"), EncryptionFlaw.FORM),
        ((b"<xenc:EncryptedKey>", b"<xenc:EncryptedKey/><xenc:EncryptedKey>"), EncryptionFlaw.FORM),
        (
            (b"<xenc:EncryptedKey>", b"<ds:KeyName>x</ds:KeyName><xenc:EncryptedKey>"),
            EncryptionFlaw.FORM,
        ),
        ((b"</xenc:EncryptedData>", b"<xenc:x/></xenc:EncryptedData>"), EncryptionFlaw.FORM),
        ((b"<xenc:CipherValue>", b"<xenc:CipherValue>*"), EncryptionFlaw.FORM),
        ((b"<xenc:EncryptedData", b"<!DOCTYPE x []><xenc:EncryptedData"), EncryptionFlaw.FORM),
        ((b"<xenc:CipherData>", b"<!-- --><xenc:CipherData>"), EncryptionFlaw.FORM),
    ],
)
def test_every_other_form_is_refused_unread(
    decryptor: DeliveryDecryptor,
    sealed: bytes,
    change: tuple[bytes, bytes],
    expected: EncryptionFlaw,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A downgrade, a reference, a second key or markup never reaches the key."""
    monkeypatch.setattr(decryptor, "_key", None)
    changed = sealed.replace(*change)
    assert changed != sealed

    assert flaw(decryptor, changed) is expected


def test_changed_data_and_another_key_have_one_error(
    decryptor: DeliveryDecryptor, sealed: bytes
) -> None:
    """Both have one flaw, with the same words."""
    parts = sealed.split(b"CipherValue>")
    for at in (1, 3):
        value = bytearray(base64.b64decode(parts[at].partition(b"<")[0]))
        for position in (0, len(value) // 2, len(value) - 1):
            changed = value.copy()
            changed[position] ^= 1
            old = base64.b64encode(bytes(value))
            spoilt = sealed.replace(old, base64.b64encode(bytes(changed)))
            assert flaw(decryptor, spoilt) is EncryptionFlaw.BROKEN


def test_a_short_key_inside_is_refused(
    decryptor: DeliveryDecryptor, sealed: bytes, recipient: Holder
) -> None:
    """It is AES-128 under the name of AES-256."""
    key, iv = os.urandom(16), os.urandom(12)
    oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)  # noqa: S303
    wrapped = recipient.key.public_key().encrypt(key, oaep)  # type: ignore[union-attr]
    parts = sealed.split(b"CipherValue>")
    parts[1] = base64.b64encode(wrapped) + b"</xenc:"
    parts[3] = base64.b64encode(iv + AESGCM(key).encrypt(iv, DOCUMENT, None)) + b"</xenc:"

    assert flaw(decryptor, b"CipherValue>".join(parts)) is EncryptionFlaw.BROKEN


def test_another_certificate_is_reported(sealed: bytes, tmp_path: Path) -> None:
    """It is distinguished if the answer names the certificate."""
    other = Authority.root("Other").issue(key=new_rsa_key())

    assert (
        flaw(DeliveryDecryptor(write_encryption_profile(other, tmp_path)), sealed)
        is EncryptionFlaw.RECIPIENT
    )


def test_large_data_are_refused_unparsed(decryptor: DeliveryDecryptor) -> None:
    """The size is checked before parsing."""
    assert flaw(decryptor, b" " * (MAX_SEALED + 1)) is EncryptionFlaw.FORM


def test_an_ecdsa_key_decrypts_nothing(tmp_path: Path) -> None:
    """The error comes when the profile is read, not at the first answer."""
    with pytest.raises(ProfileError, match="RSA keys only"):
        DeliveryDecryptor(
            write_encryption_profile(Authority.root("R").issue(key=new_key()), tmp_path)
        )
