"""What OCSP responses state. (RFC 6960)

A response is judged once, when it is loaded: to which CA's certificate it answers, and whether that
CA, or a responder that it delegated, signed it. It never comes from a certificate's own address:
the operator, or the refresher that the operator set up, puts it into a directory.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import new as new_hash
from typing import Any

from asn1crypto import keys as asn1_keys
from asn1crypto.core import GeneralizedTime
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509 import ocsp
from cryptography.x509.oid import ExtendedKeyUsageOID, SignatureAlgorithmOID

from makul.trust.base.algorithms import PublicKey, strong_public_key
from makul.trust.base.asn1 import READING
from makul.trust.base.errors import SignatureFailure, UnusableObjectError
from makul.trust.base.findings import RevocationStatus
from makul.trust.revocation.crl import CrlEntry
from makul.trust.revocation.status import CertificateQuery, RevocationAssertion, Source

WITHOUT_NEXT_UPDATE = timedelta(hours=8)
"""How long an answer without nextUpdate counts: newer ones are there at all times (RFC 6960,
4.2.2.1), and eight hours is the least that public CAs let one run (CA/Browser Forum, 4.9.10)."""

_ID_HASHES = {
    hashes.SHA1: "sha1",
    hashes.SHA256: "sha256",
    hashes.SHA384: "sha384",
    hashes.SHA512: "sha512",
}
"""By which a CertID names an issuer. SHA-1 is customary and harmless there: whoever finds another
issuer of the same hash still needs the CA's signature on the answer."""
_STRONG_HASHES = (hashes.SHA256, hashes.SHA384, hashes.SHA512)

_ARCHIVE_CUTOFF = x509.ObjectIdentifier("1.3.6.1.5.5.7.48.1.6")
"""RFC 6960, 4.4.4: since when the responder keeps certificates that have expired."""

_ENDS = {
    ocsp.OCSPCertStatus.GOOD: RevocationStatus.GOOD,
    ocsp.OCSPCertStatus.REVOKED: RevocationStatus.REVOKED,
    ocsp.OCSPCertStatus.UNKNOWN: RevocationStatus.UNKNOWN,
}

_Time: Any = GeneralizedTime  # it writes no types
_PublicKeyInfo: Any = asn1_keys.PublicKeyInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class OcspResponse:
    """What one response says of one certificate."""

    serial: int
    issuers: Sequence[x509.Certificate]
    """The CA to whose certificate it answers, and which stands behind it; none if nobody does."""
    said: RevocationAssertion


def load_response(der: bytes) -> ocsp.OCSPResponse:
    """A response that answers for one certificate; raises `ValueError`."""
    try:
        response = ocsp.load_der_ocsp_response(der)
    except ValueError:
        raise UnusableObjectError("it is no OCSP response in DER") from None
    if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        raise UnusableObjectError("the responder did not answer")
    if len(list(response.responses)) != 1:
        raise UnusableObjectError(
            "it answers for none or for several certificates; ask for one at a time"
        )
    _read_whole(response)
    return response


def _read_whole(response: ocsp.OCSPResponse) -> None:
    """What is read on demand is read once here, so that no later reader trips over it."""
    try:
        _said(response, b"")
        _ = response.hash_algorithm, response.signature_hash_algorithm, response.certificates
        _ = response.responder_name, response.responder_key_hash, response.serial_number
    except UnsupportedAlgorithm:
        raise UnusableObjectError("it names an algorithm that is not known") from None
    except Exception:  # noqa: BLE001 - a stranger's bytes: whatever the parser says
        raise UnusableObjectError("a part of it cannot be read") from None


def answer_of(
    response: ocsp.OCSPResponse, authorities: Iterable[x509.Certificate], digest: bytes
) -> OcspResponse:
    """What a response says, and for whose certificate; `digest` is its SHA-256."""
    said = _said(response, digest)
    issuers: list[x509.Certificate] = []
    for authority in authorities:
        if not _is_issuer(response, authority):
            continue
        signer = _signer(response, authority)
        if signer is None:
            continue
        issuers.append(authority)
        if signer != authority:
            said = _by_responder(said, signer)
    return OcspResponse(serial=response.serial_number, issuers=issuers, said=said)


def _said(response: ocsp.OCSPResponse, digest: bytes) -> RevocationAssertion:
    this_update = response.this_update_utc
    end = _ENDS[response.certificate_status]
    invalid_since: datetime | None = None
    expired_since: datetime | None = None
    for extension in (*response.single_extensions, *response.extensions):
        if isinstance(extension.value, x509.InvalidityDate):
            invalid_since = extension.value.invalidity_date_utc
        elif extension.oid == _ARCHIVE_CUTOFF:
            expired_since = _cutoff(extension.value)
        elif extension.critical:
            end = RevocationStatus.UNKNOWN  # not understood: it cannot tell
    entry: CrlEntry | None = None
    if end is RevocationStatus.REVOKED and response.revocation_time_utc is not None:
        reason = response.revocation_reason
        entry = CrlEntry(
            serial=response.serial_number,
            revoked_at=response.revocation_time_utc,
            invalid_since=invalid_since,
            reason=reason.value if reason is not None else None,
        )
    return RevocationAssertion(
        source=Source.OCSP,
        digest=digest,
        this_update=this_update,
        next_update=response.next_update_utc or this_update + WITHOUT_NEXT_UPDATE,
        end=end,
        entry=entry,
        expired_since=expired_since,
    )


def _cutoff(value: x509.ExtensionType) -> datetime | None:
    if not isinstance(value, x509.UnrecognizedExtension):
        return None
    with READING:
        moment: datetime = _Time.load(value.value, strict=True).native
    return moment


def _is_issuer(response: ocsp.OCSPResponse, authority: x509.Certificate) -> bool:
    """RFC 6960, 4.1.1: the issuer by its name and by its key."""
    name = _ID_HASHES.get(type(response.hash_algorithm))
    if name is None:
        return False
    subject = authority.subject.public_bytes()
    return (
        new_hash(name, subject).digest() == response.issuer_name_hash
        and new_hash(name, _key_bits(authority)).digest() == response.issuer_key_hash
    )


def _key_bits(certificate: x509.Certificate) -> bytes:
    """The public key without its algorithm, as CertID and ResponderID hash it."""
    info = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    with READING:
        bits: bytes = bytes(_PublicKeyInfo.load(info)["public_key"])
    return bits


def _signer(response: ocsp.OCSPResponse, authority: x509.Certificate) -> x509.Certificate | None:
    """Who signed it: the CA itself, or a responder that this very CA certified as such."""
    if not isinstance(response.signature_hash_algorithm, _STRONG_HASHES):
        return None
    if _is_named(response, authority) and _has_signed(response, authority):
        return authority
    for certificate in response.certificates:
        if (
            _is_named(response, certificate)
            and _is_delegated(certificate, authority)
            and certificate.not_valid_before_utc
            <= response.this_update_utc
            <= certificate.not_valid_after_utc
            and _has_signed(response, certificate)
        ):
            return certificate
    return None


def _is_named(response: ocsp.OCSPResponse, certificate: x509.Certificate) -> bool:
    """RFC 6960, 4.2.1: by its name, or by the SHA-1 of its key."""
    if response.responder_name is not None:
        return response.responder_name == certificate.subject
    named = new_hash("sha1", _key_bits(certificate)).digest()  # noqa: S324 - a name, no proof
    return response.responder_key_hash == named


def _is_delegated(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    """RFC 6960, 4.2.2.2: issued directly by the CA, for signing OCSP responses."""
    try:
        purposes = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
        if ExtendedKeyUsageOID.OCSP_SIGNING not in purposes:
            return False
        if not isinstance(certificate.signature_hash_algorithm, _STRONG_HASHES):
            return False
        certificate.verify_directly_issued_by(authority)
    except (x509.ExtensionNotFound, ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm):
        return False
    return True


def _has_signed(response: ocsp.OCSPResponse, certificate: x509.Certificate) -> bool:
    algorithm = response.signature_hash_algorithm
    if algorithm is None or response.signature_algorithm_oid == SignatureAlgorithmOID.RSASSA_PSS:
        return False  # PSS's parameters are not to be had
    try:
        key: PublicKey = strong_public_key(certificate.public_key())
        if isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(response.signature, response.tbs_response_bytes, ec.ECDSA(algorithm))
        else:
            key.verify(
                response.signature, response.tbs_response_bytes, padding.PKCS1v15(), algorithm
            )
    except (SignatureFailure, InvalidSignature, ValueError, TypeError, UnsupportedAlgorithm):
        return False
    return True


def _by_responder(said: RevocationAssertion, responder: x509.Certificate) -> RevocationAssertion:
    """RFC 6960, 4.2.2.2.1: unless it is exempt, the responder's own revocation is looked up."""
    extensions = responder.extensions
    exempt = any(isinstance(each.value, x509.OCSPNoCheck) for each in extensions)
    asked = CertificateQuery(
        fingerprint=responder.fingerprint(hashes.SHA256()),
        serial=responder.serial_number,
        not_after=responder.not_valid_after_utc,
    )
    return replace(
        said,
        next_update=min(said.next_update, responder.not_valid_after_utc),
        responder=None if exempt else asked,
    )
