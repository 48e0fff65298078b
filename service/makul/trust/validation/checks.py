"""The checks, one function each, in the order of their course, and what each concludes.

ETSI EN 319 102-1: the building blocks of 5.2, of which the process for signatures with time (5.5)
makes its course. Cryptographic verification comes before the certificate's validation, which the
standard does the other way round: a failure there outweighs anything that is indeterminate, and
whoever cannot sign should not make us build paths.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from signxml.algorithms import SignatureMethod

from makul.domain.causes import Cause
from makul.domain.reasons import Code
from makul.net.xml_parser import own_parser
from makul.trust.base.algorithms import require_in_force, signature_method
from makul.trust.base.errors import SignatureFailure
from makul.trust.base.findings import PathFinding, RevocationStatus, SubIndication, TimestampFinding
from makul.trust.pki.certificates import SigningCertificate, Use, require_usage
from makul.trust.validation.pipeline import ValidationCheck, check
from makul.trust.validation.proof_of_existence import TimestampJudge
from makul.trust.xades.structure import (
    Shape,
    Timestamp,
    first_certificate,
    names_certificate,
    prove_shape,
    signing_certificate,
)
from makul.trust.xades.structure import signing_time as claimed_signing_time
from makul.trust.xmldsig.parsing import is_zone_apart, parse_document, parse_signed
from makul.trust.xmldsig.verification import verify_proven

if TYPE_CHECKING:
    from lxml.etree import _Element as Element

CLOCK_SKEW = timedelta(minutes=5)
"""How far ahead of ours a signer's clock may be (the customary tolerance of SAML and OAuth)."""

Binder = Callable[["Element", SigningCertificate, PathFinding], object]
"""Raises `SignatureFailure` where the signer is not whom a document of this kind must be signed by.
It is given the signed root, which it may read, and the certificate with its trusted path."""

PathJudge = Callable[[SigningCertificate], PathFinding]


@dataclass(frozen=True, slots=True)
class Signed:
    """What was signed, parsed anew from the verified bytes; nothing else is read from here on."""

    root: "Element"
    properties: "Element | None"


@check(
    "format",
    "5.2.2",
    SIG_01=SubIndication.FORMAT_FAILURE,
    SIG_02=SubIndication.FORMAT_FAILURE,
    SIG_03=SubIndication.SIG_CONSTRAINTS_FAILURE,
)
def format_(document: bytes, *, plain: bool) -> Shape:
    """One enveloped signature at its one place, over the document and its own properties."""
    return prove_shape(parse_document(document, own_parser()), plain=plain)


@check("identification", "5.2.3", SIG_02=SubIndication.NO_SIGNING_CERTIFICATE_FOUND)
def identification(shape: Shape) -> SigningCertificate:
    """SigningCertificateV2 names a certificate that KeyInfo carries."""
    if shape.properties is None:
        return first_certificate(shape.key_info)
    return signing_certificate(shape.properties, shape.key_info)


@check(
    "integrity",
    "5.2.7",
    SIG_02=SubIndication.SIG_CRYPTO_FAILURE,
    SIG_03=SubIndication.SIG_CONSTRAINTS_FAILURE,
)
def integrity(shape: Shape, certificate: SigningCertificate) -> tuple[SignatureMethod, Signed]:
    """The digest of every reference (HASH_FAILURE), then the value by the certificate's key."""
    method = signature_method(shape.signed_info.method, certificate.key)
    octets = verify_proven(shape.signature, shape.signed_info, shape.proven, certificate.key)
    uri = shape.properties_uri
    properties = parse_signed(octets[uri]) if uri is not None else None
    return method, Signed(parse_signed(octets[shape.document_uri]), properties)


@check(
    "signing-certificate-reference",
    "5.2.3",
    SIG_02=SubIndication.NO_SIGNING_CERTIFICATE_FOUND,
)
def certificate_reference(properties: "Element", certificate: SigningCertificate) -> None:
    """The certificate whose key verified is the one that the *signed* properties name."""
    if not names_certificate(properties, certificate):
        raise SignatureFailure(
            Code.SIG_02,
            "signed for another certificate",
            field="SigningCertificateV2",
            cause=Cause.SIGNER_REFERENCE,
        )


@check("proof-of-existence", "5.4, 5.5.4", SIG_02=SubIndication.SIG_CONSTRAINTS_FAILURE)
def existence(
    stamps: Iterable[Timestamp], judge: TimestampJudge, *, at: datetime
) -> tuple[TimestampFinding, ...]:
    """Each signature timestamp is one, and about this signature.

    Stricter than 5.5.4, which passes over what is wrong with an attribute that nobody asked for:
    who puts garbage there is up to something. A token whose authority is not trusted, or cannot be
    judged now, is passed over: it proves nothing, and the signature is judged without it.
    """
    findings = tuple(judge(stamp.token, stamp.stamped, at) for stamp in stamps)
    for finding in findings:
        if finding.code is Code.SIG_02:
            raise SignatureFailure(
                Code.SIG_02,
                f"signature timestamp: {finding.why}",
                field="SignatureTimeStamp",
                cause=Cause.TIMESTAMP_TOKEN,
            )
    return findings


@check(
    "cryptographic-constraints",
    "5.2.8",
    SIG_02=SubIndication.CRYPTO_CONSTRAINTS_FAILURE,
    SIG_04=SubIndication.CRYPTO_CONSTRAINTS_FAILURE,
)
def cryptographic_constraints(
    shape: Shape, certificate: SigningCertificate, method: SignatureMethod, *, best: datetime
) -> None:
    """Algorithms and key sizes by the policy of the best signature time.

    What was never accepted stops the checks before this one; the verdict stands here all the same.
    """
    digests = (part.reference.digest for part in shape.proven)
    require_in_force(certificate.key, method, digests, at=best)


@check("signing-time", "5.2.8", SIG_02=SubIndication.SIG_CONSTRAINTS_FAILURE)
def signing_time(properties: "Element", *, best: datetime) -> datetime:
    """The claimed time is there, and not after the moment at which the signature existed."""
    claimed = claimed_signing_time(properties)
    if claimed > best + CLOCK_SKEW:
        raise _future(claimed, best)
    return claimed


def _future(claimed: datetime, best: datetime) -> SignatureFailure:
    """A time that is ahead as a zone's is most likely local time written as UTC."""
    ahead = claimed - best
    minutes = int(ahead.total_seconds()) // 60
    why = "the signing time lies in the future of its proof, or of the present"
    if not is_zone_apart(claimed, best):
        return SignatureFailure(Code.SIG_02, why, field="SigningTime", cause=Cause.SIGNING_TIME)
    return SignatureFailure(
        Code.SIG_02,
        f"{why}, by {minutes // 60} h {minutes % 60:02} min: local time written as UTC? Write UTC"
        " with Z, or local time with its offset, such as +06:00",
        field="SigningTime",
        cause=Cause.TIME_ZONE,
    )


@check(
    "path",
    "5.2.6",
    SIG_02=SubIndication.CERTIFICATE_CHAIN_GENERAL_FAILURE,
    SIG_05=SubIndication.OUT_OF_BOUNDS_NO_POE,
    SIG_09=SubIndication.NO_CERTIFICATE_CHAIN_FOUND,
    SIG_10=SubIndication.CHAIN_CONSTRAINTS_FAILURE,
)
def path(certificate: SigningCertificate, judge: PathJudge, *, best: datetime) -> PathFinding:
    """In its term, made for signing documents, and leading to an anchor, at the best time."""
    own = certificate.x509
    if best < own.not_valid_before_utc:
        raise SignatureFailure(
            Code.SIG_05, "signed before the certificate's term", SubIndication.NOT_YET_VALID
        )
    if best > own.not_valid_after_utc:
        raise SignatureFailure(Code.SIG_05, "the certificate is out of its term")
    require_usage(certificate, Use.DOCUMENT)
    finding = judge(certificate)
    if finding.code is not None and finding.code not in revocation.concludes:
        found = finding.code is Code.SIG_09 and len(finding.path) > 1
        sub = SubIndication.CERTIFICATE_CHAIN_GENERAL_FAILURE if found else None
        raise SignatureFailure(finding.code, f"certificate path: {finding.why}", sub)
    return finding


@check(
    "revocation",
    "5.2.5",
    SIG_02=SubIndication.TRY_LATER,
    SIG_06=SubIndication.REVOKED_NO_POE,
    SIG_07=SubIndication.TRY_LATER,
)
def revocation(finding: PathFinding, certificate: SigningCertificate) -> None:
    """Nothing in the path was revoked at that time, by revocation data that are fresh."""
    if finding.code is None:
        return
    revoked = {
        each.certificate for each in finding.revocation if each.end is RevocationStatus.REVOKED
    }
    authority = finding.code is Code.SIG_06 and revoked and certificate.fingerprint not in revoked
    sub = SubIndication.REVOKED_CA_NO_POE if authority else None
    raise SignatureFailure(finding.code, f"certificate path: {finding.why}", sub)


@check(
    "signer-binding",
    "local",
    SIG_02=SubIndication.SIG_CONSTRAINTS_FAILURE,
    SIG_08=SubIndication.SIG_CONSTRAINTS_FAILURE,
    REQ_01=SubIndication.SIG_CONSTRAINTS_FAILURE,
)
def signer_binding(
    root: "Element", certificate: SigningCertificate, finding: PathFinding, bind: Binder
) -> None:
    """The signer is whom a document of this kind must be signed by."""
    bind(root, certificate, finding)


CHECKS: tuple[ValidationCheck[..., Any], ...] = (
    format_,
    identification,
    integrity,
    certificate_reference,
    existence,
    cryptographic_constraints,
    signing_time,
    path,
    revocation,
    signer_binding,
)
OWNERS: Mapping[Code, ValidationCheck[..., Any]] = {Code.SIG_04: cryptographic_constraints}
"""An algorithm that is never accepted is come upon while reading, and is this check's failure."""
