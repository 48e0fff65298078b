"""The algorithms that are accepted; every other is SIG-04.

RSA of 2048 bits or more (PKCS #1 v1.5 and PSS) and ECDSA on P-256, P-384 and P-521, with SHA-256,
SHA-384 or SHA-512: the SOG-IS agreed mechanisms that ETSI TS 119 312, clauses 5 to 7, recommends.
No SHA-1, no HMAC (a public key would serve as its secret), no DSA.
"""

from typing import TypeAlias

from cryptography.hazmat.primitives.asymmetric import ec, rsa
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod

from makul.domain.reasons import Code
from makul.trust.failures import SignatureFailure

PublicKey: TypeAlias = ec.EllipticCurvePublicKey | rsa.RSAPublicKey
PrivateKey: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

MIN_RSA_BITS = 2048
"""ETSI TS 119 312, clause 6.2.2.1, and CONTRACT, Documents that are signed."""
MAX_RSA_BITS = 8192
"""Above it one verification costs milliseconds, and nobody issues such certificates."""

EXCLUSIVE = CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0
INCLUSIVE = CanonicalizationMethod.CANONICAL_XML_1_0
"""What applies where a Reference names no canonicalisation (XML Signature 1.1, 4.4.3.2)."""

CANONICALISATIONS = {
    method.value: method
    for method in (INCLUSIVE, CanonicalizationMethod.CANONICAL_XML_1_1, EXCLUSIVE)
}
"""None of them WithComments: a comment would split a value that is read in one piece."""

DIGESTS = {
    digest.value: digest
    for digest in (DigestAlgorithm.SHA256, DigestAlgorithm.SHA384, DigestAlgorithm.SHA512)
}

_RSA_METHODS = frozenset(
    {
        SignatureMethod.RSA_SHA256,
        SignatureMethod.RSA_SHA384,
        SignatureMethod.RSA_SHA512,
        SignatureMethod.SHA256_RSA_MGF1,
        SignatureMethod.SHA384_RSA_MGF1,
        SignatureMethod.SHA512_RSA_MGF1,
    }
)
_ECDSA_METHODS = frozenset(
    {
        SignatureMethod.ECDSA_SHA256,
        SignatureMethod.ECDSA_SHA384,
        SignatureMethod.ECDSA_SHA512,
    }
)
SIGNATURE_METHODS = _RSA_METHODS | _ECDSA_METHODS
_METHODS_BY_URI = {method.value: method for method in SIGNATURE_METHODS}

_CURVES = (ec.SECP256R1, ec.SECP384R1, ec.SECP521R1)


def strong_public_key(key: object) -> PublicKey:
    """The key itself, where its kind and size are accepted; else SIG-04."""
    match key:
        case rsa.RSAPublicKey() if MIN_RSA_BITS <= key.key_size <= MAX_RSA_BITS:
            return key
        case ec.EllipticCurvePublicKey() if isinstance(key.curve, _CURVES):
            return key
    raise SignatureFailure(Code.SIG_04, "the key's kind or size is not accepted")


def signature_method(uri: str | None, key: PublicKey) -> SignatureMethod:
    """The method of that URI, where it is accepted and fits the key; else SIG-04."""
    method = _METHODS_BY_URI.get(uri or "")
    fitting = _RSA_METHODS if isinstance(key, rsa.RSAPublicKey) else _ECDSA_METHODS
    if method is None or method not in fitting:
        raise SignatureFailure(Code.SIG_04, "the signature method is not accepted for this key")
    return method


def digest_algorithm(uri: str | None) -> DigestAlgorithm:
    """The digest of that URI, where it is accepted; else SIG-04."""
    digest = DIGESTS.get(uri or "")
    if digest is None:
        raise SignatureFailure(Code.SIG_04, "the digest algorithm is not accepted")
    return digest


def canonicalisation(uri: str | None) -> CanonicalizationMethod:
    """The canonicalisation of that URI, where it is accepted; else SIG-04."""
    method = CANONICALISATIONS.get(uri or "")
    if method is None:
        raise SignatureFailure(Code.SIG_04, "the canonicalisation or transform is not accepted")
    return method


def method_for(key: PrivateKey | PublicKey) -> tuple[SignatureMethod, DigestAlgorithm]:
    """How we sign with a key: the digest whose strength equals the curve's; RSA with SHA-256."""
    if isinstance(key, rsa.RSAPrivateKey | rsa.RSAPublicKey):
        return SignatureMethod.RSA_SHA256, DigestAlgorithm.SHA256
    if isinstance(key.curve, ec.SECP256R1):
        return SignatureMethod.ECDSA_SHA256, DigestAlgorithm.SHA256
    if isinstance(key.curve, ec.SECP384R1):
        return SignatureMethod.ECDSA_SHA384, DigestAlgorithm.SHA384
    return SignatureMethod.ECDSA_SHA512, DigestAlgorithm.SHA512
