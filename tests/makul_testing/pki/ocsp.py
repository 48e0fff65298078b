"""OCSP responses that a responder should make, and responses that it should not."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID

from makul_testing.pki.authorities import NOW, Authority, Holder, Key, Profile, key_usage, name_of
from makul_testing.pki.crls import Extension

GOOD = ocsp.OCSPCertStatus.GOOD
REVOKED = ocsp.OCSPCertStatus.REVOKED
UNKNOWN = ocsp.OCSPCertStatus.UNKNOWN
PURPOSE = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.OCSP_SIGNING])


def response_of(
    ca: Authority,
    holder: Holder,
    *extensions: Extension,
    status: ocsp.OCSPCertStatus = GOOD,
    revoked_at: datetime | None = None,
    reason: x509.ReasonFlags | None = None,
    this_update: datetime = NOW - timedelta(hours=1),
    next_update: datetime | None = NOW + timedelta(hours=1),
    by: Holder | None = None,
    key: Key | None = None,
    issuer: x509.Certificate | None = None,
    id_hash: hashes.HashAlgorithm | None = None,
    hash_algorithm: hashes.HashAlgorithm | None = None,
    by_name: bool = False,
    with_certificates: Sequence[x509.Certificate] | None = None,
) -> bytes:
    """Return a response as DER, by default signed by the CA itself."""
    signer = by or ca.holder
    if status is REVOKED and revoked_at is None:
        revoked_at = NOW - timedelta(days=1)
    form = ocsp.OCSPResponderEncoding.NAME if by_name else ocsp.OCSPResponderEncoding.HASH
    builder = (
        ocsp.OCSPResponseBuilder()
        .add_response(
            cert=holder.certificate,
            issuer=issuer or ca.certificate,
            algorithm=id_hash or hashes.SHA1(),  # noqa: S303 - customary in a CertID
            cert_status=status,
            this_update=this_update,
            next_update=next_update,
            revocation_time=revoked_at,
            revocation_reason=reason,
        )
        .responder_id(form, signer.certificate)
    )
    certificates = [by.certificate] if by is not None else []
    held = certificates if with_certificates is None else list(with_certificates)
    if held:
        builder = builder.certificates(held)
    for extension, critical in extensions:
        builder = builder.add_extension(extension, critical=critical)
    response = builder.sign(key or signer.key, hash_algorithm or hashes.SHA256())
    return response.public_bytes(Encoding.DER)


def responder_of(ca: Authority, *extra: Extension, purpose: bool = True) -> Holder:
    """Return a responder that a CA certified to answer for it."""
    return ca.issue(
        Profile(
            subject=name_of("A Responder"),
            usage=key_usage("digital_signature"),
            extra=[*([(PURPOSE, False)] if purpose else []), *extra],
        )
    )
