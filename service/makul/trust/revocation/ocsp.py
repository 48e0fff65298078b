"""Read what OCSP responses state (RFC 6960).

A response is judged once, when it is loaded: for which CA's certificate it answers, and whether
that CA, or a responder that the CA delegated, signed it. It never comes from an address in a
certificate. The operator, or the refresher that the operator configured, puts it into a directory.
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

from makul.language.translation import translate
from makul.trust.base.algorithms import PublicKey, strong_public_key
from makul.trust.base.asn1 import READING
from makul.trust.base.errors import SignatureFailure, UnusableObjectError
from makul.trust.base.findings import RevocationStatus
from makul.trust.revocation.crl import CrlEntry
from makul.trust.revocation.status import CertificateQuery, RevocationAssertion, Source

WITHOUT_NEXT_UPDATE = timedelta(hours=8)
"""How long a response without nextUpdate counts. RFC 6960, 4.2.2.1, says only that newer ones are
available at all times. Eight hours is the shortest validity that public CAs may use (CA/Browser
Forum Baseline Requirements, 4.9.10)."""

_ID_HASHES = {
    hashes.SHA1: "sha1",
    hashes.SHA256: "sha256",
    hashes.SHA384: "sha384",
    hashes.SHA512: "sha512",
}
"""The hashes by which a CertID names an issuer. SHA-1 is customary and harmless there: an attacker
who finds another issuer with the same hash still needs the CA's signature on the response."""
_STRONG_HASHES = (hashes.SHA256, hashes.SHA384, hashes.SHA512)

_ARCHIVE_CUTOFF = x509.ObjectIdentifier("1.3.6.1.5.5.7.48.1.6")
"""The OID of the archive cutoff (RFC 6960, 4.4.4): since when the responder keeps expired
certificates."""

_ENDS = {
    ocsp.OCSPCertStatus.GOOD: RevocationStatus.GOOD,
    ocsp.OCSPCertStatus.REVOKED: RevocationStatus.REVOKED,
    ocsp.OCSPCertStatus.UNKNOWN: RevocationStatus.UNKNOWN,
}

_Time: Any = GeneralizedTime  # asn1crypto has no type hints
_PublicKeyInfo: Any = asn1_keys.PublicKeyInfo


@dataclass(frozen=True, slots=True, kw_only=True)
class OcspResponse:
    """What one response states about one certificate."""

    serial: int
    issuers: Sequence[x509.Certificate]
    """The known certificates of the CA for which it answers and which stands behind it; empty if
    there is none."""
    assertion: RevocationAssertion


def load_response(der: bytes) -> ocsp.OCSPResponse:
    """Parse a response that answers for one certificate; raise `ValueError` for any other."""
    try:
        response = ocsp.load_der_ocsp_response(der)
    except ValueError:
        raise UnusableObjectError(translate("it is no OCSP response in DER")) from None
    if response.response_status is not ocsp.OCSPResponseStatus.SUCCESSFUL:
        raise UnusableObjectError(translate("the responder did not answer"))
    if len(list(response.responses)) != 1:
        raise UnusableObjectError(
            translate("it answers for none or for several certificates; ask for one at a time")
        )
    _read_whole(response)
    return response


def _read_whole(response: ocsp.OCSPResponse) -> None:
    """Read every field that the library parses on demand, so that no later reader fails on one."""
    try:
        _assertion_from_response(response, b"")
        _ = response.hash_algorithm, response.signature_hash_algorithm, response.certificates
        _ = response.responder_name, response.responder_key_hash, response.serial_number
    except UnsupportedAlgorithm:
        raise UnusableObjectError(translate("it names an algorithm that is not known")) from None
    except Exception:  # noqa: BLE001 - received bytes may break the parser in any way
        raise UnusableObjectError(translate("a part of it cannot be read")) from None


def read_ocsp_answer(
    response: ocsp.OCSPResponse, authorities: Iterable[x509.Certificate], digest: bytes
) -> OcspResponse:
    """Return what a response states, and for which CAs; `digest` is its SHA-256."""
    assertion = _assertion_from_response(response, digest)
    issuers: list[x509.Certificate] = []
    for authority in authorities:
        if not _is_issuer(response, authority):
            continue
        signer = _signer(response, authority)
        if signer is None:
            continue
        issuers.append(authority)
        if signer != authority:
            assertion = _add_responder(assertion, signer)
    return OcspResponse(serial=response.serial_number, issuers=issuers, assertion=assertion)


def _assertion_from_response(response: ocsp.OCSPResponse, digest: bytes) -> RevocationAssertion:
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
            end = RevocationStatus.UNKNOWN  # it is not understood: it proves nothing
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
    """Return whether the response names this issuer, by its name and its key (RFC 6960, 4.1.1)."""
    name = _ID_HASHES.get(type(response.hash_algorithm))
    if name is None:
        return False
    subject = authority.subject.public_bytes()
    return (
        new_hash(name, subject).digest() == response.issuer_name_hash
        and new_hash(name, _key_bits(authority)).digest() == response.issuer_key_hash
    )


def _key_bits(certificate: x509.Certificate) -> bytes:
    """Return the public key without its algorithm, as CertID and ResponderID hash it."""
    info = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    with READING:
        bits: bytes = bytes(_PublicKeyInfo.load(info)["public_key"])
    return bits


def _signer(response: ocsp.OCSPResponse, authority: x509.Certificate) -> x509.Certificate | None:
    """Return the signer: the CA itself or a responder that this CA certified; None if neither."""
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
    """Return whether the response names this signer, by its name or by the SHA-1 of its key.

    RFC 6960, 4.2.1.
    """
    if response.responder_name is not None:
        return response.responder_name == certificate.subject
    named = new_hash("sha1", _key_bits(certificate)).digest()  # noqa: S324 - an identifier, no proof
    return response.responder_key_hash == named


def _is_delegated(certificate: x509.Certificate, authority: x509.Certificate) -> bool:
    """Return whether the CA itself issued this certificate to sign OCSP (RFC 6960, 4.2.2.2)."""
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
        return False  # the library does not give PSS's parameters
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


def _add_responder(
    assertion: RevocationAssertion, responder: x509.Certificate
) -> RevocationAssertion:
    """Return the statement with the responder whose own revocation must be checked.

    RFC 6960, 4.2.2.2.1: a responder with `ocsp-nocheck` is exempt. The statement ends with the
    responder's certificate at the latest.
    """
    extensions = responder.extensions
    exempt = any(isinstance(each.value, x509.OCSPNoCheck) for each in extensions)
    query = CertificateQuery(
        fingerprint=responder.fingerprint(hashes.SHA256()),
        serial=responder.serial_number,
        not_after=responder.not_valid_after_utc,
    )
    return replace(
        assertion,
        next_update=min(assertion.next_update, responder.not_valid_after_utc),
        responder=None if exempt else query,
    )
