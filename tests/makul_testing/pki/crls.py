"""CRLs that a CA should make, and CRLs that it should not."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.serialization import Encoding

from makul.trust.pki.certificates import read_certificate
from makul.trust.pki.trust_material import TrustDirectories
from makul.trust.pki.trust_store import PathStatus, TrustStore
from makul_testing.pki.authorities import DAY, NOW, Authority, Holder, Key, StoreFiles

Extension = tuple[x509.ExtensionType, bool]
"""The content of an extension, and whether it is critical."""

UNHEARD_OF = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\5\0")


def entry(serial: int, *extensions: Extension, at: datetime = NOW - DAY) -> x509.RevokedCertificate:
    builder = x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(at)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    return builder.build()


def crl_of(
    ca: Authority,
    entries: Iterable[x509.RevokedCertificate] = (),
    *extensions: Extension,
    this_update: datetime = NOW - timedelta(hours=1),
    next_update: datetime = NOW + DAY,
    issuer: x509.Name | None = None,
    key: Key | None = None,
    hash_algorithm: hashes.HashAlgorithm | None = None,
    rsa_padding: padding.PSS | None = None,
) -> bytes:
    """Return a CRL as DER, by default with the CA's own name and key."""
    builder = x509.CertificateRevocationListBuilder(
        issuer or ca.certificate.subject,
        this_update,
        next_update,
        [x509.Extension(each.oid, critical, each) for each, critical in extensions],
        list(entries),
    )
    crl = builder.sign(
        key or ca.holder.key, hash_algorithm or hashes.SHA256(), rsa_padding=rsa_padding
    )
    return crl.public_bytes(Encoding.DER)


def many(count: int) -> Sequence[int]:
    """Return serial numbers of 20 octets, as CAs make them, in no order."""
    return [(number * 0x9E3779B97F4A7C15F39CC0605CEDC835 + 1) % 2**159 for number in range(count)]


def serial_of(holder: Holder) -> int:
    return holder.certificate.serial_number


def files_of(path: Path, root: Authority, under: Sequence[Authority], *crls: bytes) -> StoreFiles:
    """Return a store's files, always with the root's own CRL, which has no entries."""
    return StoreFiles(path).write(
        anchors=[root], intermediates=under, crls=[*crls, root.crl(next_update=NOW + 100 * DAY)]
    )


def directories(files: StoreFiles) -> TrustDirectories:
    return TrustDirectories(
        anchors=files.anchors, intermediates=files.intermediates, crls=files.crls
    )


def status(store: TrustStore, holder: Holder, *, at: datetime = NOW) -> PathStatus:
    return PathStatus(store.judge(read_certificate(holder.der), at=at).why)


def under(path: Path, root: Authority, ca: Authority, citizen: Holder, *crls: bytes) -> PathStatus:
    """Return the citizen's status with these CRLs."""
    return status(TrustStore(directories(files_of(path, root, [ca], *crls))), citizen)
