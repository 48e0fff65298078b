"""The checks of a signature, one function each in the order in which they run.

Each check declares what the report concludes from its failure. The checks are the building blocks
of ETSI EN 319 102-1, 5.2, in the process for signatures with time (5.5). The standard validates the
certificate first; here cryptographic verification comes first. There are two reasons: a
cryptographic failure outweighs every indeterminate result, and a sender without a good signature
must not make the service build certificate paths.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from signxml.algorithms import SignatureMethod

from makul.domain.causes import Cause
from makul.domain.reasons import Code
from makul.language.report_reasons import CERTIFICATE_PATH, LOCAL_TIME, SIGNATURE_TIMESTAMP
from makul.language.translation import mark
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
"""The time by which a signer's clock may be ahead of ours (the usual tolerance of SAML and
OAuth)."""

Binder = Callable[["Element", SigningCertificate, PathFinding], object]
"""A function that requires the signer who must sign this kind of document.

It receives the signed root, which it may read, and the certificate with its trusted path. It raises
`SignatureFailure` for any other signer."""

PathJudge = Callable[[SigningCertificate], PathFinding]


@dataclass(frozen=True, slots=True)
class SignedContent:
    """The signed content, parsed again from the verified bytes.

    After verification only this is read (docs/architecture.md, invariant 2).
    """

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
    """Prove one enveloped signature at its one position, over the document and its properties."""
    return prove_shape(parse_document(document, own_parser()), plain=plain)


@check("identification", "5.2.3", SIG_02=SubIndication.NO_SIGNING_CERTIFICATE_FOUND)
def identification(shape: Shape) -> SigningCertificate:
    """Return the certificate in KeyInfo that SigningCertificateV2 or SigningCertificate names.

    For plain XML Signature this is the first certificate in KeyInfo.
    """
    if shape.properties is None:
        return first_certificate(shape.key_info)
    return signing_certificate(shape.properties, shape.key_info)


@check(
    "integrity",
    "5.2.7",
    SIG_02=SubIndication.SIG_CRYPTO_FAILURE,
    SIG_03=SubIndication.SIG_CONSTRAINTS_FAILURE,
)
def integrity(
    shape: Shape, certificate: SigningCertificate
) -> tuple[SignatureMethod, SignedContent]:
    """Verify the digest of every reference, then the signature value with the certificate's key.

    A wrong digest is HASH_FAILURE.
    """
    method = signature_method(shape.signed_info.method, certificate.key)
    octets = verify_proven(shape.signature, shape.signed_info, shape.proven, certificate.key)
    uri = shape.properties_uri
    properties = parse_signed(octets[uri]) if uri is not None else None
    return method, SignedContent(parse_signed(octets[shape.document_uri]), properties)


@check(
    "signing-certificate-reference",
    "5.2.3",
    SIG_02=SubIndication.NO_SIGNING_CERTIFICATE_FOUND,
)
def certificate_reference(properties: "Element", certificate: SigningCertificate) -> None:
    """Require that the *signed* properties name the certificate whose key verified."""
    if not names_certificate(properties, certificate):
        raise SignatureFailure(
            Code.SIG_02,
            mark("signed for another certificate"),
            field="SigningCertificateV2",
            cause=Cause.SIGNER_REFERENCE,
        )


@check("proof-of-existence", "5.4, 5.5.4", SIG_02=SubIndication.SIG_CONSTRAINTS_FAILURE)
def existence(
    stamps: Iterable[Timestamp], judge: TimestampJudge, *, at: datetime
) -> tuple[TimestampFinding, ...]:
    """Require that each signature timestamp is a timestamp token over this signature.

    This is stricter than 5.5.4, which ignores an optional attribute that is wrong: garbage there
    suggests an attack. A token whose authority is not trusted, or cannot be judged now, is ignored.
    It proves nothing, and the signature is judged without it.
    """
    findings = tuple(judge(stamp.token, stamp.stamped, at) for stamp in stamps)
    for finding in findings:
        if finding.code is Code.SIG_02:
            raise SignatureFailure(
                Code.SIG_02,
                SIGNATURE_TIMESTAMP.format(why=finding.why),
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
    """Require algorithms and key sizes that the policy accepts at the best signature time.

    An algorithm that was never accepted ends an earlier check. The report still shows the failure
    under this check (`OWNERS`).
    """
    digests = (part.reference.digest for part in shape.proven)
    require_in_force(certificate.key, method, digests, at=best)


@check("signing-time", "5.2.8", SIG_02=SubIndication.SIG_CONSTRAINTS_FAILURE)
def signing_time(properties: "Element", *, best: datetime) -> datetime:
    """Return the claimed signing time.

    The claim is required, and must not be after the moment at which the signature provably existed;
    `CLOCK_SKEW` is tolerated.
    """
    claimed = claimed_signing_time(properties)
    if claimed > best + CLOCK_SKEW:
        raise _future_failure(claimed, best)
    return claimed


def _future_failure(claimed: datetime, best: datetime) -> SignatureFailure:
    """Return the failure for a signing time in the future.

    A time that is ahead by a time zone's offset is most likely local time written as UTC.
    """
    ahead = claimed - best
    minutes = int(ahead.total_seconds()) // 60
    why = mark("the signing time lies in the future of its proof, or of the present")
    if not is_zone_apart(claimed, best):
        return SignatureFailure(Code.SIG_02, why, field="SigningTime", cause=Cause.SIGNING_TIME)
    return SignatureFailure(
        Code.SIG_02,
        LOCAL_TIME.format(why=why, hours=minutes // 60, minutes=f"{minutes % 60:02}"),
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
    """Require a certificate for signing documents that was valid at the best signature time.

    It must be within its term and lead to an anchor at that time.
    """
    own = certificate.x509
    if best < own.not_valid_before_utc:
        raise SignatureFailure(
            Code.SIG_05, mark("signed before the certificate's term"), SubIndication.NOT_YET_VALID
        )
    if best > own.not_valid_after_utc:
        raise SignatureFailure(Code.SIG_05, mark("the certificate is out of its term"))
    require_usage(certificate, Use.DOCUMENT)
    finding = judge(certificate)
    if finding.code is not None and finding.code not in revocation.concludes:
        has_path = finding.code is Code.SIG_09 and len(finding.path) > 1
        sub = SubIndication.CERTIFICATE_CHAIN_GENERAL_FAILURE if has_path else None
        raise SignatureFailure(finding.code, CERTIFICATE_PATH.format(why=finding.why), sub)
    return finding


@check(
    "revocation",
    "5.2.5",
    SIG_02=SubIndication.TRY_LATER,
    SIG_06=SubIndication.REVOKED_NO_POE,
    SIG_07=SubIndication.TRY_LATER,
)
def revocation(finding: PathFinding, certificate: SigningCertificate) -> None:
    """Require that no certificate of the path was revoked at the best signature time.

    Fresh revocation data must show it.
    """
    if finding.code is None:
        return
    revoked = {
        each.certificate for each in finding.revocation if each.end is RevocationStatus.REVOKED
    }
    authority = finding.code is Code.SIG_06 and revoked and certificate.fingerprint not in revoked
    sub = SubIndication.REVOKED_CA_NO_POE if authority else None
    raise SignatureFailure(finding.code, CERTIFICATE_PATH.format(why=finding.why), sub)


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
    """Require the signer who must sign a document of this kind."""
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
"""The check that reports a reason, even if another check finds it. An algorithm that is never
accepted is found while the document is read, but belongs to `cryptographic_constraints`."""
