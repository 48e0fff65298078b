"""Define the algorithm policy: a dated table.

An algorithm outside it, or out of its term, is SIG-04. Accepted are RSA of 2048 bits or more (PKCS
#1 v1.5 and PSS) and ECDSA on P-256, P-384 and P-521, with SHA-256, SHA-384 or SHA-512. These are
the SOG-IS agreed mechanisms that ETSI TS 119 312, clauses 5 to 7, recommends. Each row has a term.
A signature is judged at its best signature time by the policy of that moment. A signature that was
made within the term stays good if it provably existed then.

An `obsolete` row (SHA-1, MD5, RSA below 2048 bits, DSA) only explains *why* something is refused,
and until when it would have been good. It is never accepted: not in documents of any age, not in
messages, not in what we sign. HMAC is not accepted at all, because a public key would serve as its
secret.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeAlias

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import dsa, ec, padding, rsa
from signxml.algorithms import CanonicalizationMethod, DigestAlgorithm, SignatureMethod

from makul.domain.causes import Cause
from makul.domain.reasons import Code
from makul.language.report_reasons import ALGORITHM_TERM
from makul.language.translation import mark
from makul.trust.base.errors import SignatureFailure
from makul.trust.base.findings import SubIndication

PublicKey: TypeAlias = ec.EllipticCurvePublicKey | rsa.RSAPublicKey
PrivateKey: TypeAlias = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

MIN_RSA_BITS = 2048
"""The minimum size of an RSA key (ETSI TS 119 312, clause 6.2.2.1;
docs/recipients.md#documents-that-are-signed)."""
MAX_RSA_BITS = 8192
"""The maximum size of an RSA key. Above it one verification costs milliseconds, and no CA issues
such certificates."""
MIN_RSA_EXPONENT = 65537
"""The minimum RSA public exponent. FIPS 186-5, 5.1: the exponent is odd and above 2^16. With a
small exponent an error in the check of padding is exploitable (Bleichenbacher, 2006), also in
unknown software that reads the same documents."""
LONG_RSA_BITS = 3072
"""The size of an RSA key with 128 bits of strength (NIST SP 800-57 Part 1 Rev. 5, table 2)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Term:
    """The term of an algorithm, or of a kind and size of key: accepted over [`since`, `until`)."""

    name: str
    since: datetime
    until: datetime | None
    """The end of the term; None if no end is known."""
    source: str
    """The document that states the term."""
    obsolete: bool = False
    """Whether the row only explains a refusal. Such a row is refused at every moment."""

    def holds(self, at: datetime) -> bool:
        """Return whether it is accepted at that moment: from `since` on, and before `until`."""
        return not self.obsolete and self.since <= at and (self.until is None or at < self.until)


def _day(year: int, month: int = 1, day: int = 1) -> datetime:
    return datetime(year, month, day, tzinfo=UTC)


_SP_800_57 = "NIST SP 800-57 Part 1 Rev. 5, table 4 (112 bits: until the end of 2030)"
_SP_800_131A = "NIST SP 800-131A Rev. 2 (signatures: until the end of 2013)"
_TS_119_312 = "ETSI TS 119 312, clauses 5 and 6"

RSA_2048 = Term(
    name=mark("RSA of 2048 to 3071 bits"), since=_day(2000), until=_day(2031), source=_SP_800_57
)
RSA_3072 = Term(name="RSA of 3072 bits or more", since=_day(2000), until=None, source=_TS_119_312)
P_256 = Term(name="ECDSA on P-256", since=_day(2000), until=None, source=_TS_119_312)
P_384 = Term(name="ECDSA on P-384", since=_day(2000), until=None, source=_TS_119_312)
P_521 = Term(name="ECDSA on P-521", since=_day(2000), until=None, source=_TS_119_312)
SHA_256 = Term(name="SHA-256", since=_day(2002, 8), until=None, source=_TS_119_312)
SHA_384 = Term(name="SHA-384", since=_day(2002, 8), until=None, source=_TS_119_312)
SHA_512 = Term(name="SHA-512", since=_day(2002, 8), until=None, source=_TS_119_312)

SHORT_RSA = Term(
    name=mark("RSA below 2048 bits"),
    since=_day(1991),
    until=_day(2014),
    source=_SP_800_131A,
    obsolete=True,
)
DSA = Term(
    name="DSA",
    since=_day(1994, 12),
    until=_day(2023, 2, 3),
    source="FIPS 186-5, which withdraws it",
    obsolete=True,
)
SHA_1 = Term(
    name="SHA-1", since=_day(1995, 4), until=_day(2014), source=_SP_800_131A, obsolete=True
)
MD5 = Term(
    name="MD5",
    since=_day(1992, 4),
    until=_day(2011, 3),
    source="RFC 6151, section 2 (no digital signatures)",
    obsolete=True,
)

POLICY = (
    RSA_2048, RSA_3072, P_256, P_384, P_521, SHA_256, SHA_384, SHA_512, SHORT_RSA, DSA, SHA_1, MD5,
)  # fmt: skip
"""The whole table, as docs/auditors.md#the-algorithms shows it. European catalogues (SOG-IS) end
RSA below 3000 bits sooner than NIST. To follow them, change one date here."""

EXCLUSIVE = CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0
INCLUSIVE = CanonicalizationMethod.CANONICAL_XML_1_0
"""The canonicalisation that applies if a Reference names none (XML Signature 1.1, 4.4.3.2)."""

CANONICALISATIONS = {
    method.value: method
    for method in (INCLUSIVE, CanonicalizationMethod.CANONICAL_XML_1_1, EXCLUSIVE)
}
"""The accepted canonicalisations. None of them is WithComments, because a comment would split a
value that is read in one piece."""

DIGEST_TERMS: Mapping[DigestAlgorithm, Term] = {
    DigestAlgorithm.SHA256: SHA_256,
    DigestAlgorithm.SHA384: SHA_384,
    DigestAlgorithm.SHA512: SHA_512,
}
DIGESTS = {digest.value: digest for digest in DIGEST_TERMS}

_RSA_METHODS = {
    SignatureMethod.RSA_SHA256: SHA_256,
    SignatureMethod.RSA_SHA384: SHA_384,
    SignatureMethod.RSA_SHA512: SHA_512,
    SignatureMethod.SHA256_RSA_MGF1: SHA_256,
    SignatureMethod.SHA384_RSA_MGF1: SHA_384,
    SignatureMethod.SHA512_RSA_MGF1: SHA_512,
}
_ECDSA_METHODS = {
    SignatureMethod.ECDSA_SHA256: SHA_256,
    SignatureMethod.ECDSA_SHA384: SHA_384,
    SignatureMethod.ECDSA_SHA512: SHA_512,
}
METHOD_TERMS: Mapping[SignatureMethod, Term] = {**_RSA_METHODS, **_ECDSA_METHODS}
"""The term of the digest within each signature method. The term of the key is separate."""
SIGNATURE_METHODS = frozenset(METHOD_TERMS)
_METHODS_BY_URI = {method.value: method for method in SIGNATURE_METHODS}

_CURVES: Mapping[str, Term] = {
    ec.SECP256R1.name: P_256,
    ec.SECP384R1.name: P_384,
    ec.SECP521R1.name: P_521,
}
_OBSOLETE_URIS: Mapping[str, Term] = {
    "http://www.w3.org/2000/09/xmldsig#sha1": SHA_1,
    "http://www.w3.org/2001/04/xmldsig-more#md5": MD5,
    "http://www.w3.org/2000/09/xmldsig#rsa-sha1": SHA_1,
    "http://www.w3.org/2000/09/xmldsig#dsa-sha1": DSA,
    "http://www.w3.org/2009/xmldsig11#dsa-sha256": DSA,
    "http://www.w3.org/2001/04/xmldsig-more#rsa-md5": MD5,
    "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha1": SHA_1,
    "http://www.w3.org/2007/05/xmldsig-more#sha1-rsa-MGF1": SHA_1,
}


def term_of_key(key: object) -> Term | None:
    """Return the row for a key's kind and size, or None if the table has none."""
    match key:
        case rsa.RSAPublicKey():
            if key.key_size > MAX_RSA_BITS:
                return None
            if key.key_size < MIN_RSA_BITS:
                return SHORT_RSA
            return RSA_2048 if key.key_size < LONG_RSA_BITS else RSA_3072
        case ec.EllipticCurvePublicKey():
            return _CURVES.get(key.curve.name)
        case dsa.DSAPublicKey():
            return DSA
    return None


def strong_public_key(key: object) -> PublicKey:
    """Return the key if its kind and size are accepted at any time; else raise SIG-04."""
    term = term_of_key(key)
    if term is None or term.obsolete or not isinstance(key, PublicKey):
        raise _not_accepted(
            term, mark("the key's kind or size is not accepted"), cause=Cause.KEY_ALGORITHM
        )
    if isinstance(key, rsa.RSAPublicKey) and key.public_numbers().e < MIN_RSA_EXPONENT:
        raise _not_accepted(None, mark("the key's public exponent is too small"))
    return key


def signature_method(uri: str | None, key: PublicKey) -> SignatureMethod:
    """Return the method of that URI if it is accepted and fits the key; else raise SIG-04."""
    method = _METHODS_BY_URI.get(uri or "")
    fitting = _RSA_METHODS if isinstance(key, rsa.RSAPublicKey) else _ECDSA_METHODS
    if method is None or method not in fitting:
        raise _not_accepted(
            _OBSOLETE_URIS.get(uri or ""),
            mark("the signature method is not accepted for this key"),
            field="SignatureMethod",
            cause=Cause.SIGNATURE_METHOD,
        )
    return method


def digest_algorithm(uri: str | None) -> DigestAlgorithm:
    """Return the digest of that URI if it is accepted; else raise SIG-04."""
    digest = DIGESTS.get(uri or "")
    if digest is None:
        raise _not_accepted(
            _OBSOLETE_URIS.get(uri or ""),
            mark("the digest algorithm is not accepted"),
            cause=Cause.DIGEST_METHOD,
        )
    return digest


def canonicalisation(uri: str | None) -> CanonicalizationMethod:
    """Return the canonicalisation of that URI if it is accepted; else raise SIG-04."""
    method = CANONICALISATIONS.get(uri or "")
    if method is None:
        raise SignatureFailure(
            Code.SIG_04, mark("the canonicalisation or transform is not accepted")
        )
    return method


def require_in_force(
    key: PublicKey, method: SignatureMethod, digests: Iterable[DigestAlgorithm], *, at: datetime
) -> None:
    """Raise SIG-04 unless the policy of that moment accepts every algorithm of a signature.

    ETSI EN 319 102-1, 5.2.8.4.3. `at` is the earliest time at which the signature provably existed.
    """
    terms = (term_of_key(key), METHOD_TERMS[method], *(DIGEST_TERMS[each] for each in digests))
    for term in terms:
        if term is None or not term.holds(at):
            raise _not_accepted(term, mark("an algorithm is out of its term"))


def _not_accepted(
    term: Term | None, why: str, *, field: str | None = None, cause: Cause | None = None
) -> SignatureFailure:
    """Build a SIG-04 failure with one of two sub-indications.

    Either the algorithm was never good (or is too weak), or its term has ended and a proof of
    existence before that is missing.
    """
    sub = SubIndication.CRYPTO_CONSTRAINTS_FAILURE
    if term is not None and term.until is not None:
        why = ALGORITHM_TERM.format(why=why, algorithm=term.name, day=f"{term.until:%Y-%m-%d}")
        sub = SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE
    return SignatureFailure(Code.SIG_04, why, sub, field=field, cause=cause)


def method_for(key: PrivateKey | PublicKey) -> tuple[SignatureMethod, DigestAlgorithm]:
    """Return how we sign with a key: RSA with SHA-256, ECDSA with the digest of equal strength.

    The strength of the digest equals that of the curve.
    """
    if isinstance(key, rsa.RSAPrivateKey | rsa.RSAPublicKey):
        return SignatureMethod.RSA_SHA256, DigestAlgorithm.SHA256
    if isinstance(key.curve, ec.SECP256R1):
        return SignatureMethod.ECDSA_SHA256, DigestAlgorithm.SHA256
    if isinstance(key.curve, ec.SECP384R1):
        return SignatureMethod.ECDSA_SHA384, DigestAlgorithm.SHA384
    return SignatureMethod.ECDSA_SHA512, DigestAlgorithm.SHA512


def is_signed_with(
    key: PublicKey, signed: x509.Certificate | x509.CertificateRevocationList, octets: bytes
) -> bool:
    """Return whether the signature on a certificate or CRL is this key's over these bytes.

    Raises `TypeError`, `ValueError` or `UnsupportedAlgorithm` for an algorithm that does not fit.
    """
    parameters, digest = signed.signature_algorithm_parameters, signed.signature_hash_algorithm
    try:
        if isinstance(key, rsa.RSAPublicKey) and isinstance(parameters, padding.AsymmetricPadding):
            if digest is None:
                return False
            key.verify(signed.signature, octets, parameters, digest)
        elif isinstance(key, ec.EllipticCurvePublicKey) and isinstance(parameters, ec.ECDSA):
            key.verify(signed.signature, octets, parameters)
        else:
            return False
    except InvalidSignature:
        return False
    return True
