"""Key files: an error message names the file and says what to do."""

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
)

from makul.trust.keys.files import KeyFileError, load_certificates, load_pair, load_private_key
from makul_testing.pki.authorities import new_key, new_rsa_key, pem_of


def write(path: Path, content: bytes, mode: int = 0o600) -> Path:
    path.write_bytes(content)
    path.chmod(mode)
    return path


def test_key_is_loaded_with_its_certificate_and_chain(tmp_path: Path, world) -> None:
    """A key file is loaded with its certificate and the chain after it."""
    key_path = write(tmp_path / "key.pem", pem_of(world.citizen.key))
    chain = b"".join(c.public_bytes(Encoding.PEM) for c in world.citizen.chain)
    certificate_path = write(tmp_path / "cert.pem", chain, 0o644)

    key, certificates = load_pair(key_path, certificate_path)

    assert key.public_key() == world.citizen.key.public_key()
    assert list(certificates) == world.citizen.chain


def test_encrypted_key_needs_its_password(tmp_path: Path) -> None:
    key = new_key()
    encrypted = key.private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
    )
    path = write(tmp_path / "key.pem", encrypted)

    assert load_private_key(path, password=b"secret").public_key() == key.public_key()
    with pytest.raises(KeyFileError, match=r"key\.pem: the key needs a password"):
        load_private_key(path)
    with pytest.raises(KeyFileError, match="wrong password"):
        load_private_key(path, password=b"wrong")
    with pytest.raises(KeyFileError, match="take the password away"):
        load_private_key(write(tmp_path / "plain.pem", pem_of(key)), password=b"secret")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o666])
def test_key_readable_by_others_is_refused(tmp_path: Path, mode: int) -> None:
    """A private key that the group or others can access is not used."""
    path = write(tmp_path / "key.pem", pem_of(new_key()), mode)

    with pytest.raises(KeyFileError, match=rf"key\.pem: .* chmod 600 {path}"):
        load_private_key(path)


def test_unusable_keys_are_refused(tmp_path: Path) -> None:
    ed25519_key = ed25519.Ed25519PrivateKey.generate().private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )

    for content, message in (
        (b"nonsense", "not a PEM private key"),
        (pem_of(new_rsa_key(1024)), "too weak"),
        (ed25519_key, "use an RSA key"),
    ):
        with pytest.raises(KeyFileError, match=message):
            load_private_key(write(tmp_path / "key.pem", content))
    with pytest.raises(KeyFileError, match=r"nowhere\.pem: No such file"):
        load_private_key(tmp_path / "nowhere.pem")


def test_unusable_certificates_are_refused(tmp_path: Path, world) -> None:
    key_path = write(tmp_path / "key.pem", pem_of(new_key()))
    other = write(tmp_path / "cert.pem", world.citizen.certificate.public_bytes(Encoding.PEM))

    with pytest.raises(KeyFileError, match=r"cert\.pem: its first certificate is not that of"):
        load_pair(key_path, other)
    with pytest.raises(KeyFileError, match="not a PEM certificate"):
        load_certificates(write(tmp_path / "cert.pem", b"nonsense"))
