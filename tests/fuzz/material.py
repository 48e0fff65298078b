"""Targets for proofs of time and revocation, and for data beside a message or in it."""

import tempfile
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from urllib.parse import quote

from cryptography.hazmat.primitives.serialization import Encoding

from makul.app.ports import RejectedError
from makul.documents.media_types import media_type
from makul.soap.mtls import FromProxy
from makul.soap.transport_metadata import Arrival
from makul.trust.pki.certificates import read_certificate
from makul.trust.pki.tls_clients import TlsClientJudge
from makul.trust.pki.trust_material import TrustDirectories, TrustStoreError
from makul.trust.pki.trust_store import TrustStore
from makul.trust.timestamps import judge
from makul.trust.xmlenc import XmlEncryptor
from makul_client import EncryptionError
from makul_client._internal.crypto.decryption import DeliveryDecryptor
from makul_client.profile import DecryptionSettings
from makul_sandbox.data.scans import pdf_scan, png_scan
from makul_sandbox.data.timestamp_authority import StampingAuthority
from makul_testing.pki.authorities import (
    DAY,
    NOW,
    Authority,
    Holder,
    Profile,
    StoreFiles,
    key_usage,
    new_rsa_key,
    pem_of,
)
from makul_testing.pki.ocsp import GOOD, REVOKED, response_of
from vectors.attacks.proofs import SIGNED, tsa_of


class FindingError(AssertionError):
    """Raised when a property that must be true is false."""


def _home() -> Path:
    return Path(tempfile.mkdtemp(prefix="makul-fuzz-"))


# --- timestamps --------------------------------------------------------------------------------

OCTETS = b"a SignatureValue in canonical form"


@cache
def _tsas() -> tuple[TrustStore, bytes]:
    """Return the trusted TSAs, and a good token over `OCTETS`."""
    root = Authority.root("A Root of TSAs")
    tsa = tsa_of(root)
    files = StoreFiles(_home()).write(anchors=[root], crls=[root.crl()])
    token = StampingAuthority(key=tsa.key, certificate=tsa.certificate).stamp(OCTETS, at=SIGNED)
    return TrustStore(TrustDirectories(anchors=files.anchors, crls=files.crls)), token


def timestamp(data: bytes) -> None:
    """Check a token: it proves its authority's statement, time and octets, or nothing."""
    store, good = _tsas()
    proof = judge(good, OCTETS, store, at=NOW)
    found = judge(data, OCTETS, store, at=NOW)
    if found.code is None and found.time != proof.time:
        raise FindingError("a time is proved that no authority stated")
    if judge(data, b"other octets", store, at=NOW).code is None:
        raise FindingError("octets are dated that no authority saw")


def timestamps() -> Sequence[bytes]:
    return [_tsas()[1]]


# --- OCSP responses ------------------------------------------------------------------------------


@cache
def _answering() -> tuple[TrustDirectories, tuple[Holder, ...], tuple[bytes, ...]]:
    """Build a CA without a CRL, a revoked and an unknown certificate, and its responses."""
    root = Authority.root("A Root")
    ca = root.subordinate("A CA")
    revoked, unheard, good = ca.issue(), ca.issue(), ca.issue()
    home = _home()
    files = StoreFiles(home).write(anchors=[root], intermediates=[ca], crls=[root.crl()])
    (home / "ocsp").mkdir()
    directories = TrustDirectories(
        anchors=files.anchors,
        intermediates=files.intermediates,
        crls=files.crls,
        ocsp=home / "ocsp",
    )
    old = response_of(ca, revoked, this_update=NOW - 3 * DAY, next_update=NOW - 2 * DAY)
    responses = (
        response_of(ca, revoked, status=REVOKED),
        response_of(ca, good, status=GOOD),
        old,
    )
    return directories, (revoked, unheard), responses


def ocsp(data: bytes) -> None:
    """Check a response: it is used or refused with `TrustStoreError`; none is good unless its CA
    says so.
    """
    directories, never, _ = _answering()
    assert directories.ocsp is not None
    (directories.ocsp / "0.ors").write_bytes(data)
    try:
        store = TrustStore(directories)
    except TrustStoreError:
        return
    for holder in never:
        if store.judge(read_certificate(holder.der), at=NOW).code is None:
            raise FindingError("a certificate is good of which its CA did not say so")


def responses() -> Sequence[bytes]:
    return _answering()[2]


# --- the header with a TLS client's certificate ----- -------------------------------------------


@cache
def _client() -> tuple[TlsClientJudge, Holder]:
    root = Authority.root("A Root")
    holder = root.issue(Profile(usage=key_usage("digital_signature")))
    files = StoreFiles(_home()).write(anchors=[root], crls=[root.crl()])
    store = TrustStore(TrustDirectories(anchors=files.anchors, crls=files.crls))
    return TlsClientJudge(store), holder


def header(data: bytes) -> None:
    """Check a header's value: the certificate in it, or `RejectedError`; no other counts."""
    clients, holder = _client()
    arrival = Arrival(forwarded_certificate=data.decode("latin-1"), forwarded_verdict="SUCCESS")
    try:
        fingerprint = clients.judge(FromProxy(None).certificate(arrival), at=NOW)
    except RejectedError:
        return
    if fingerprint != holder.fingerprint:
        raise FindingError("another client than the one that is certified")


def headers() -> Sequence[bytes]:
    pem = _client()[1].certificate.public_bytes(Encoding.PEM)
    return [quote(pem, safe="").encode(), pem]


# --- encrypted data, at the client ---------------------------------------------------------------

DELIVERY = b"<Delivery></Delivery>"


@cache
def _decryptor() -> tuple[DeliveryDecryptor, bytes]:
    profile = Profile(usage=key_usage("key_encipherment"))
    holder = Authority.root("A Root").issue(profile, key=new_rsa_key())
    home = _home()
    (home / "k.pem").write_bytes(pem_of(holder.key))
    (home / "c.pem").write_bytes(holder.certificate.public_bytes(Encoding.PEM))
    encrypted_document = XmlEncryptor.encrypt(None, DELIVERY, holder.der)  # type: ignore[arg-type]
    return DeliveryDecryptor(
        DecryptionSettings(key=home / "k.pem", certificate=home / "c.pem")
    ), encrypted_document


def check_decryption(data: bytes) -> None:
    """Check an encrypted document: the plain text, or `EncryptionError`."""
    try:
        decrypted = _decryptor()[0].decrypt(data)
    except EncryptionError:
        return
    if decrypted != DELIVERY:
        raise FindingError("something opens that nobody encrypted")


def encrypted_document() -> Sequence[bytes]:
    return [_decryptor()[1]]


# --- scans ------------------------------------------------------------------------------------

_ENDS_EXACTLY = frozenset({"image/png", "image/jpeg", "application/pdf"})
_HEADS = {
    "image/png": (b"\x89PNG",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "application/pdf": (b"%PDF-",),
    "image/tiff": (b"II*\0", b"MM\0*"),
}


def scan(data: bytes) -> None:
    """Check a scan: one type, by its head, and no bytes after its end; or no type."""
    found = media_type(data)
    if found is None:
        return
    if not data.startswith(_HEADS[found]):
        raise FindingError("a type that its head does not say")
    if found in _ENDS_EXACTLY and media_type(data + b"\0") is not None:
        raise FindingError("something stands behind its end")


def scans() -> Sequence[bytes]:
    jpeg = (
        b"\xff\xd8\xff\xc0\x00\x0b\x08\x00\x08\x00\x08\x01\x01\x11\x00"
        b"\xff\xda\x00\x08\x01\x00\x00\x3f\x00\x00\x12\xff\x00\x34\xff\xd9"
    )
    entries = b"".join(tag + b"\x04\x00\x01\x00\x00\x00\x01\x00\x00\x00" for tag in _TIFF_TAGS)
    tiff = b"II*\x00\x08\x00\x00\x00\x03\x00" + entries + bytes(4)
    found = [png_scan(), pdf_scan(), jpeg, tiff]
    if None in map(media_type, found):
        raise FindingError("a good scan is refused")
    return found


_TIFF_TAGS = (b"\x00\x01", b"\x01\x01", b"\x11\x01")
