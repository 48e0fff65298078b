"""Judge whether a signature timestamp proves that octets existed (RFC 3161, RFC 5816).

A token is CMS (RFC 5652) around a TSTInfo. It counts as proof if the certificate of the
time-stamping authority (TSA) leads to an anchor of time-stamping authorities. These anchors are in
their own trust store: an authority that certifies citizens must not date their signatures. Only the
TSA's path is judged at the token's own time.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import new as new_hash
from hashlib import sha256
from types import MappingProxyType
from typing import Any

# `asn1crypto.tsp` registers the types of a token with `cms`; without it no token can be read.
from asn1crypto import cms, tsp  # noqa: F401
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID

from makul.domain.reasons import Code
from makul.language.report_reasons import TIMESTAMP_PATH
from makul.language.translation import mark
from makul.trust.base.algorithms import PublicKey
from makul.trust.base.asn1 import READING
from makul.trust.base.errors import SignatureFailure
from makul.trust.base.findings import PathFinding, TimestampFinding
from makul.trust.pki.certificates import SigningCertificate, read_certificate
from makul.trust.pki.trust_store import TrustStore

MAX_TOKEN_BYTES = 64 * 1024
"""The maximum size of a token: some ten times a token with its chain and a CRL, and a quarter of
the largest document."""
MAX_CERTIFICATES = 8
CLOCK_SKEW = timedelta(minutes=5)
"""The time by which a TSA's clock may be ahead of ours; equal to that for signers
(`validation.checks`)."""

_HASHES: Mapping[str, type[hashes.HashAlgorithm]] = MappingProxyType(
    {"sha256": hashes.SHA256, "sha384": hashes.SHA384, "sha512": hashes.SHA512}
)
"""The digests that `base.algorithms` also accepts."""

_TOKENS_REMAIN = frozenset(
    {"unspecified", "affiliationChanged", "superseded", "cessationOfOperation"}
)
"""The certificate revocation reasons after which a TSA's earlier tokens stay valid. With any other
reason, or no stated reason, every token of that key is void (RFC 3161, section 4, items 1 and
2)."""

_ContentInfo: Any = cms.ContentInfo  # asn1crypto has no type annotations


@dataclass(frozen=True, slots=True, kw_only=True)
class _Token:
    """The content of a token, read once. Nothing of it is verified yet."""

    hash_name: str
    imprint: bytes
    policy: str
    time: datetime
    accuracy: timedelta
    certificate: SigningCertificate
    digest: str
    signed: bytes
    """The signed attributes in the encoding over which the signature is computed."""
    scheme: str
    salt: int
    signature: bytes


def judge(
    token: bytes,
    octets: bytes,
    store: TrustStore,
    *,
    at: datetime,
    policies: frozenset[str] = frozenset(),
) -> TimestampFinding:
    """Judge whether a TimeStampToken (DER) proves that `octets` existed, and since when at latest.

    `store` contains the anchors of time-stamping authorities. `policies` are the accepted ones; if
    it is empty, any policy is accepted. A bad token is a finding, never an exception.
    """
    digest = sha256(token).digest()
    try:
        parsed = _parse_token(token)
        _verify(parsed, octets, at, policies)
    except SignatureFailure as failure:
        return TimestampFinding(code=failure.code, why=failure.why, digest=digest)
    except Exception:  # noqa: BLE001 - untrusted bytes: an unexpected error is SIG-02
        return TimestampFinding(
            code=Code.SIG_02, why=mark("the timestamp cannot be read"), digest=digest
        )
    time = parsed.time + parsed.accuracy
    path = store.judge(parsed.certificate, at=at, existed_at=parsed.time)
    code, why = path.code, TIMESTAMP_PATH.format(why=path.why)
    if code is None and _is_void(path):
        code = Code.SIG_06
        why = mark("the timestamp's key was revoked, and not for a harmless reason")
    return TimestampFinding(
        code=code,
        why=why if code is not None else mark("timestamp accepted"),
        digest=digest,
        time=time,
        path=path,
    )


def read_time_unsafe(token: bytes) -> datetime:
    """Return genTime of a token that is not verified yet. Raises `ValueError` if there is none."""
    try:
        return _parse_token(token).time
    except Exception:  # noqa: BLE001 - untrusted bytes may break any parser
        raise ValueError("the timestamp cannot be read") from None


def _is_void(path: PathFinding) -> bool:
    """Return whether a revocation in the path voids all tokens of the key.

    An attacker who may have the key can back-date tokens.
    """
    return any(
        each.revoked_at is not None and each.reason not in _TOKENS_REMAIN
        for each in path.revocation
    )


def _parse_token(token: bytes) -> _Token:
    if len(token) > MAX_TOKEN_BYTES:
        raise SignatureFailure(Code.SIG_02, mark("the timestamp is too large"))
    with READING:
        info = _ContentInfo.load(token, strict=True)
        if info["content_type"].native != "signed_data":
            raise SignatureFailure(Code.SIG_02, mark("the timestamp is no signed data"))
        return _read_signed(info["content"])


def _read_signed(signed: Any) -> _Token:
    """Read the signed data of a token (RFC 3161, 2.4.2).

    It must have one signer, whose certificate is in the token and is bound by ESSCertIDv2. Raises
    `SignatureFailure` (SIG-02 or SIG-04).
    """
    content = signed["encap_content_info"]
    if content["content_type"].native != "tst_info" or len(signed["signer_infos"]) != 1:
        raise SignatureFailure(Code.SIG_02, mark("the timestamp has no TSTInfo, or not one signer"))
    signer = signed["signer_infos"][0]
    digest = _require_accepted(signer["digest_algorithm"]["algorithm"].native)
    attributes = _attributes(signer["signed_attrs"])
    info_octets = bytes(content["content"])
    if attributes["content_type"].native != "tst_info":
        raise SignatureFailure(Code.SIG_02, mark("the timestamp signs another content type"))
    if attributes["message_digest"].native != new_hash(digest, info_octets).digest():
        raise SignatureFailure(Code.SIG_02, mark("the timestamp's content is not what was signed"))
    info = content["content"].parsed
    if info["version"].native != "v1":
        raise SignatureFailure(Code.SIG_02, mark("the timestamp is of another version"))
    if any(each["critical"].native for each in info["extensions"] or ()):
        raise SignatureFailure(Code.SIG_02, mark("the timestamp has an extension not understood"))
    imprint = info["message_imprint"]
    scheme, salt = _scheme(signer["signature_algorithm"], digest)
    return _Token(
        hash_name=_require_accepted(imprint["hash_algorithm"]["algorithm"].native),
        imprint=imprint["hashed_message"].native,
        policy=info["policy"].dotted,
        time=info["gen_time"].native,
        accuracy=_accuracy(info["accuracy"]),
        certificate=_certificate(signed, signer, attributes["signing_certificate_v2"]),
        digest=digest,
        signed=signer["signed_attrs"].untag().dump(force=True),
        scheme=scheme,
        salt=salt,
        signature=signer["signature"].native,
    )


def _attributes(signed: Any) -> Mapping[str, Any]:
    """Return the one value of each signed attribute (RFC 5652, 5.3 and 11).

    Raises `SignatureFailure` (SIG-02) if a required attribute is missing or one is repeated.
    """
    attributes: dict[str, Any] = {}
    for attribute in signed:
        name = attribute["type"].native
        if name in attributes or len(attribute["values"]) != 1:
            raise SignatureFailure(
                Code.SIG_02, mark("a signed attribute of the timestamp is repeated")
            )
        attributes[name] = attribute["values"][0]
    if not {"content_type", "message_digest", "signing_certificate_v2"} <= attributes.keys():
        raise SignatureFailure(Code.SIG_02, mark("the timestamp lacks a signed attribute"))
    return attributes


def _require_accepted(name: str) -> str:
    if name not in _HASHES:
        raise SignatureFailure(Code.SIG_04, mark("a digest of the timestamp is not accepted"))
    return name


def _scheme(algorithm: Any, digest: str) -> tuple[str, int]:
    """Return the signature scheme and, for PSS, the salt length.

    The scheme must use the stated digest. Raises `SignatureFailure` (SIG-04).
    """
    scheme = algorithm.signature_algo
    if scheme == "rsassa_pss":
        parameters = algorithm["parameters"]
        mask = parameters["mask_gen_algorithm"]["parameters"]["algorithm"].native
        if {parameters["hash_algorithm"]["algorithm"].native, mask} != {digest}:
            raise SignatureFailure(Code.SIG_04, mark("the timestamp's signature mixes digests"))
        return scheme, parameters["salt_length"].native
    if scheme not in {"rsassa_pkcs1v15", "ecdsa"}:
        raise SignatureFailure(
            Code.SIG_04, mark("the timestamp's signature method is not accepted")
        )
    name = algorithm["algorithm"].native
    if name != "rsassa_pkcs1v15" and algorithm.hash_algo != digest:
        raise SignatureFailure(Code.SIG_04, mark("the timestamp's signature mixes digests"))
    return scheme, 0


def _certificate(signed: Any, signer: Any, bound: Any) -> SigningCertificate:
    """Return the TSA's certificate: the one that the signed attribute names first.

    See RFC 5816, 2.2.1. Raises `SignatureFailure` (SIG-02) if the token does not contain it.
    """
    if len(bound["certs"]) == 0:
        raise SignatureFailure(Code.SIG_02, mark("the timestamp names no certificate"))
    reference = bound["certs"][0]
    hash_name = _require_accepted(reference["hash_algorithm"]["algorithm"].native)
    certificates = [
        each.chosen for each in signed["certificates"] or () if each.name == "certificate"
    ]
    if len(certificates) > MAX_CERTIFICATES:
        raise SignatureFailure(Code.SIG_02, mark("too many certificates in the timestamp"))
    for each in certificates:
        der = each.dump()
        if new_hash(hash_name, der).digest() == reference["cert_hash"].native:
            if not _is_signer(signer["sid"], each):
                break
            return read_certificate(der)
    raise SignatureFailure(Code.SIG_02, mark("the timestamp lacks the certificate that it names"))


def _is_signer(identifier: Any, certificate: Any) -> bool:
    """Return whether the signer's identifier names this certificate.

    It does so by issuer and serial number, or by key identifier (RFC 5652, 5.3).
    """
    if identifier.name == "subject_key_identifier":
        return bool(identifier.chosen.native == certificate.key_identifier)
    issuer_and_serial = identifier.chosen
    return bool(
        issuer_and_serial["issuer"] == certificate.issuer
        and issuer_and_serial["serial_number"].native == certificate.serial_number
    )


def _accuracy(stated: Any) -> timedelta:
    """Return the stated accuracy. A missing part counts as zero (RFC 3161, 2.4.2)."""
    if stated.native is None:
        return timedelta(0)
    parts = [stated[name].native or 0 for name in ("seconds", "millis", "micros")]
    return timedelta(seconds=parts[0], milliseconds=parts[1], microseconds=parts[2])


def _verify(token: _Token, octets: bytes, at: datetime, policies: frozenset[str]) -> None:
    if new_hash(token.hash_name, octets).digest() != token.imprint:
        raise SignatureFailure(Code.SIG_02, mark("the timestamp is of another signature"))
    if token.time > at + CLOCK_SKEW:
        raise SignatureFailure(Code.SIG_02, mark("the timestamp's time lies in the future"))
    _require_stamping(token.certificate.x509)
    try:
        _check_signature(token.certificate.key, token)
    except (InvalidSignature, ValueError, TypeError):
        raise SignatureFailure(Code.SIG_02, mark("the timestamp's signature is wrong")) from None
    if policies and token.policy not in policies:  # last: a good token, not garbage
        raise SignatureFailure(Code.SIG_09, mark("the timestamp's policy is not accepted"))


def _check_signature(key: PublicKey, token: _Token) -> None:
    algorithm = _HASHES[token.digest]()
    if isinstance(key, ec.EllipticCurvePublicKey) and token.scheme == "ecdsa":
        key.verify(token.signature, token.signed, ec.ECDSA(algorithm))
    elif isinstance(key, rsa.RSAPublicKey) and token.scheme == "rsassa_pkcs1v15":
        key.verify(token.signature, token.signed, padding.PKCS1v15(), algorithm)
    elif isinstance(key, rsa.RSAPublicKey) and token.scheme == "rsassa_pss":
        pss = padding.PSS(padding.MGF1(algorithm), token.salt)
        key.verify(token.signature, token.signed, pss, algorithm)
    else:
        raise SignatureFailure(Code.SIG_04, mark("the timestamp's method does not fit its key"))


def _require_stamping(certificate: x509.Certificate) -> None:
    """Require a certificate for time-stamping only, in a critical extension (RFC 3161, 2.3).

    Raises `SignatureFailure` (SIG-10).
    """
    extensions = certificate.extensions
    purposes = _find_extension(extensions, x509.ExtendedKeyUsage)
    if (
        purposes is None
        or not purposes.critical
        or list(purposes.value) != [ExtendedKeyUsageOID.TIME_STAMPING]
    ):
        raise SignatureFailure(Code.SIG_10, mark("the certificate is not for time-stamping alone"))
    usage = _find_extension(extensions, x509.KeyUsage)
    if usage is not None and not (usage.value.digital_signature or usage.value.content_commitment):
        raise SignatureFailure(Code.SIG_10, mark("the time-stamping key is not for signatures"))
    constraints = _find_extension(extensions, x509.BasicConstraints)
    if constraints is not None and constraints.value.ca:
        raise SignatureFailure(Code.SIG_10, mark("the time-stamping certificate is a CA's"))


def _find_extension(extensions: Iterable[x509.Extension[Any]], kind: type[Any]) -> Any:
    return next((each for each in extensions if isinstance(each.value, kind)), None)
