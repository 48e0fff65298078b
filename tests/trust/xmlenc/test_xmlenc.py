"""Only its recipient can decrypt an encrypted delivery, also with other software, and no change
passes.
"""

import base64
import subprocess
import threading
from datetime import timedelta
from hashlib import sha256
from pathlib import Path

import pytest
import xmlsec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from lxml import etree

from makul.domain.reasons import Code
from makul.trust.pki.trust_store import TrustStore
from makul.trust.xmlenc import XmlEncryptor
from makul_testing.external.requirements import needs
from makul_testing.pki.authorities import (
    NOW,
    Holder,
    Profile,
    StoreFiles,
    key_usage,
    new_key,
    new_rsa_key,
    pem_of,
)
from trust.conftest import World, directories

DOCUMENT = '<D xmlns="urn:d" Id="x"><p:n xmlns:p="urn:p">Токтогулов &amp; Ко</p:n></D>'.encode()
VALUE = "{http://www.w3.org/2001/04/xmlenc#}CipherValue"


@pytest.fixture(scope="module")
def recipient(world: World) -> Holder:
    return world.ca.issue(Profile(usage=key_usage("key_encipherment")), key=new_rsa_key())


@pytest.fixture
def encryptor(store: TrustStore) -> XmlEncryptor:
    return XmlEncryptor(store)


def decrypt_by_hand(encrypted: bytes, holder: Holder) -> bytes:
    """Decrypt by RFC 8017, 7.1.2, and XML Encryption 1.1, 5.2.4, in five lines."""
    wrapped, ciphertext = (
        base64.b64decode(each.text or "") for each in etree.fromstring(encrypted).iter(VALUE)
    )
    oaep = padding.OAEP(padding.MGF1(hashes.SHA1()), hashes.SHA1(), None)  # noqa: S303
    key = holder.key.decrypt(wrapped, oaep)  # type: ignore[union-attr]
    return AESGCM(key).decrypt(ciphertext[:12], ciphertext[12:], None)


def test_manual_decryption_gives_the_same_bytes(encryptor: XmlEncryptor, recipient: Holder) -> None:
    """The bytes are equal, so the signature inside stays valid."""
    assert decrypt_by_hand(encryptor.encrypt(DOCUMENT, recipient.der), recipient) == DOCUMENT


def test_python_xmlsec_decrypts(encryptor: XmlEncryptor, recipient: Holder) -> None:
    """Libxmlsec finds algorithms and values in the positions of XML Encryption."""
    manager = xmlsec.KeysManager()
    manager.add_key(xmlsec.Key.from_memory(pem_of(recipient.key), xmlsec.KeyFormat.PEM))

    root = etree.fromstring(encryptor.encrypt(DOCUMENT, recipient.der))
    decrypted = xmlsec.EncryptionContext(manager).decrypt(root)

    assert etree.tostring(decrypted, method="c14n", exclusive=True) == DOCUMENT


@needs("xmlsec1")
def test_the_xmlsec1_program_decrypts(
    encryptor: XmlEncryptor, recipient: Holder, tmp_path: Path
) -> None:
    """Debian's release supports only OAEP with SHA-1."""
    (tmp_path / "key.pem").write_bytes(pem_of(recipient.key))
    (tmp_path / "sealed.xml").write_bytes(encryptor.encrypt(DOCUMENT, recipient.der))

    result = subprocess.run(
        ["xmlsec1", "--decrypt", "--privkey-pem", "key.pem", "sealed.xml"],
        cwd=tmp_path,
        capture_output=True,
        check=True,
    )

    assert (
        etree.tostring(etree.fromstring(result.stdout), method="c14n", exclusive=True) == DOCUMENT
    )


def test_document_names_the_certificate(encryptor: XmlEncryptor, recipient: Holder) -> None:
    """The document names it by issuer and serial number, and by SHA-256; the root is canonical."""
    encrypted = encryptor.encrypt(DOCUMENT, recipient.der)
    root = etree.fromstring(encrypted)

    (digest,) = root.iter("{http://www.w3.org/2009/xmldsig11#}X509Digest")
    (serial,) = root.iter("{http://www.w3.org/2000/09/xmldsig#}X509SerialNumber")
    assert base64.b64decode(digest.text or "") == sha256(recipient.der).digest()
    assert serial.text == str(recipient.certificate.serial_number)
    assert etree.tostring(root, method="c14n") == encrypted


def test_keys_and_ivs_are_never_repeated(encryptor: XmlEncryptor, recipient: Holder) -> None:
    """Two encryptions of one document under one certificate are never the same ciphertext."""
    encrypted = [encryptor.encrypt(DOCUMENT, recipient.der) for _ in range(50)]

    ivs = {
        base64.b64decode([v.text or "" for v in etree.fromstring(each).iter(VALUE)][1])[:12]
        for each in encrypted
    }
    assert len(set(encrypted)) == len(ivs) == 50


@pytest.mark.parametrize("which", [0, 1])
def test_any_changed_byte_is_found(encryptor: XmlEncryptor, recipient: Holder, which: int) -> None:
    """The byte may be in the wrapped key, the IV, the ciphertext or the tag."""
    encrypted = encryptor.encrypt(DOCUMENT, recipient.der)
    values = [base64.b64decode(v.text or "") for v in etree.fromstring(encrypted).iter(VALUE)]
    for at in range(0, len(values[which]), 7):
        changed = bytearray(values[which])
        changed[at] ^= 1
        old, new = base64.b64encode(values[which]), base64.b64encode(bytes(changed))
        with pytest.raises((ValueError, InvalidTag)):
            decrypt_by_hand(encrypted.replace(old, new), recipient)


def test_another_key_decrypts_nothing(
    encryptor: XmlEncryptor, recipient: Holder, world: World
) -> None:
    """Another key of the same authority does not decrypt either."""
    with pytest.raises(ValueError, match=r"[Dd]ecrypt"):
        decrypt_by_hand(encryptor.encrypt(DOCUMENT, recipient.der), world.rsa_bank)


def test_threads_do_not_disturb_one_another(encryptor: XmlEncryptor, recipient: Holder) -> None:
    """Each thread decrypts its own documents."""
    wrong: list[int] = []

    def work(number: int) -> None:
        for turn in range(40):
            document = b"<D>%d %d</D>" % (number, turn)
            if decrypt_by_hand(encryptor.encrypt(document, recipient.der), recipient) != document:
                wrong.append(turn)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_good_certificate_is_accepted(encryptor: XmlEncryptor, recipient: Holder) -> None:
    """The certificate is RSA, for keyEncipherment, trusted, not revoked, and in its term."""
    assert encryptor.judge(recipient.der, at=NOW) is None


def test_unusable_certificates_get_no_encryption(encryptor: XmlEncryptor, world: World) -> None:
    """Each defect has its reason, and none is ever a yes."""
    encipherment = key_usage("key_encipherment")
    issue = world.ca.issue
    stranger = Profile(usage=encipherment)
    untrusted = type(world.root).root("Another Root").issue(stranger, key=new_rsa_key())
    expired = Profile(usage=encipherment, not_after=NOW - timedelta(days=1))
    cases = {
        "for signing": (issue(Profile(), key=new_rsa_key()).der, Code.SIG_10),
        "no usage": (issue(Profile(usage=None), key=new_rsa_key()).der, Code.SIG_10),
        "a CA": (issue(Profile(usage=encipherment, ca=True), key=new_rsa_key()).der, Code.SIG_10),
        "not RSA": (issue(Profile(usage=encipherment), key=new_key()).der, Code.SIG_04),
        "weak": (issue(Profile(usage=encipherment), key=new_rsa_key(1024)).der, Code.SIG_04),
        "expired": (issue(expired, key=new_rsa_key()).der, Code.SIG_05),
        "untrusted": (untrusted.der, Code.SIG_09),
        "rubbish": (b"rubbish", Code.SIG_02),
    }

    assert {name: encryptor.judge(der, at=NOW) for name, (der, _) in cases.items()} == {
        name: code for name, (_, code) in cases.items()
    }


def test_stale_lists_are_undetermined(encryptor: XmlEncryptor, recipient: Holder) -> None:
    """SIG-07 long after the last CRL's nextUpdate."""
    assert encryptor.judge(recipient.der, at=NOW + timedelta(days=60)) is Code.SIG_07


def test_revoked_certificate_is_refused(world: World, tmp_path: Path) -> None:
    """The CRL at hand at the time of encryption decides."""
    authority = world.root.subordinate("Test CA that revokes")
    lost = authority.issue(Profile(usage=key_usage("key_encipherment")), key=new_rsa_key())
    authority.revoke(lost)
    files = StoreFiles(tmp_path).write(
        anchors=[world.root], intermediates=[authority], crls=[world.root.crl(), authority.crl()]
    )

    assert XmlEncryptor(TrustStore(directories(files))).judge(lost.der, at=NOW) is Code.SIG_06
