"""Cache authorities whose part of a path is valid, for the next certificates that they issue.

Most citizens come once, and thousands have their certificates from one authority. The path
validator applies RFC 5280, 6.1, to that authority and to those above it when it judges the first of
these certificates. The result is reused only if nothing in the authorities' certificates affects
what they issue except their key, name and policies. This module then checks what remains for
another certificate. See docs/decisions/0023-the-authorities-of-a-path-are-judged-once.md.

The cache only returns positive results. It gives no answer for a certificate that is invalid or
unusual: the validator judges that one and states the reason. Revocation is not cached.
`path_revocation` judges it again for every certificate of every path.
"""

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TypeAlias

from cryptography import x509
from cryptography.x509.oid import (
    ExtensionOID,
    NameOID,
    PublicKeyAlgorithmOID,
    SignatureAlgorithmOID,
)

from makul.net.certificate_der import load_certificate
from makul.trust.pki.certificates import ANY_POLICY, SigningCertificate
from makul.trust.pki.path_revocation import Path, build_link
from makul.trust.pki.trust_material import Material
from makul.trust.revocation.status import IssuerAssertions

_SIGNATURES = frozenset(
    {
        SignatureAlgorithmOID.RSA_WITH_SHA256,
        SignatureAlgorithmOID.RSA_WITH_SHA384,
        SignatureAlgorithmOID.RSA_WITH_SHA512,
        SignatureAlgorithmOID.ECDSA_WITH_SHA256,
        SignatureAlgorithmOID.ECDSA_WITH_SHA384,
        SignatureAlgorithmOID.ECDSA_WITH_SHA512,
    }
)
"""The signature algorithms of certificates that the cache handles. PSS is accepted too, but only by
the validator, because its parameters must be judged."""

_KEYS = frozenset({PublicKeyAlgorithmOID.RSAES_PKCS1_v1_5, PublicKeyAlgorithmOID.EC_PUBLIC_KEY})
"""The key algorithms of issuers. An RSA key that is for PSS only (RFC 4055, 1.2) is excluded,
because it would verify PKCS #1 v1.5 too."""

_USUAL = frozenset(
    {
        ExtensionOID.AUTHORITY_INFORMATION_ACCESS,
        ExtensionOID.AUTHORITY_KEY_IDENTIFIER,
        ExtensionOID.BASIC_CONSTRAINTS,
        ExtensionOID.CERTIFICATE_POLICIES,
        ExtensionOID.CRL_DISTRIBUTION_POINTS,
        ExtensionOID.EXTENDED_KEY_USAGE,
        ExtensionOID.KEY_USAGE,
        ExtensionOID.SUBJECT_ALTERNATIVE_NAME,
        ExtensionOID.SUBJECT_KEY_IDENTIFIER,
        x509.ObjectIdentifier("1.3.6.1.5.5.7.1.3"),  # qcStatements (RFC 3739, 3.2.6)
    }
)
"""Extensions that, critical or not, limit no path below or above. Name constraints, policy mappings
and policy constraints do limit paths. The validator judges every certificate that has one of these
or an unknown extension. It also judges every certificate with alternative names other than plain
e-mail addresses, because the validator refuses names that it cannot read."""

_ATTRIBUTES = frozenset(
    {
        NameOID.COMMON_NAME,
        NameOID.COUNTRY_NAME,
        NameOID.GIVEN_NAME,
        NameOID.LOCALITY_NAME,
        NameOID.ORGANIZATIONAL_UNIT_NAME,
        NameOID.ORGANIZATION_IDENTIFIER,
        NameOID.ORGANIZATION_NAME,
        NameOID.SERIAL_NUMBER,
        NameOID.STATE_OR_PROVINCE_NAME,
        NameOID.STREET_ADDRESS,
        NameOID.SURNAME,
        NameOID.TITLE,
    }
)
_STRINGS = frozenset({"PrintableString", "UTF8String"})
_LETTERS = re.compile("[ -~А-яЁёҢңӨөҮү]*")
"""The characters of a plain subject. Any software can read subjects of these attributes, string
types and letters. The validator prepares names for comparison (RFC 4518, 2) and refuses a name that
it cannot prepare. Causes are an unexpected string type, a character that is newer than Unicode
3.2, or two writing directions in one word."""

_ADDRESS = re.compile(
    r"[a-z0-9]([._+-]?[a-z0-9]){0,63}@([a-z0-9](-?[a-z0-9]){0,30}\.){1,8}[a-z]{2,20}"
)
"""A plain e-mail address that any software can read: in small letters, without a label in
Punycode."""

MOST_POLICIES = 20
"""The maximum number of policies in one certificate. The validator refuses a path with a
thousand."""

MOST_BRANCHES = 1024
"""The maximum number of cached issuers, far more than there are authorities. When it is reached,
the whole cache is cleared."""

_Key: TypeAlias = tuple[bytes, bytes, bytes | None]
"""The digest of the trust material; the issuer's name and the authority key identifier, in DER.

The validator uses only these to find the possible issuers of a certificate and their order.
"""


class IssuerPathCache:
    """The cache of authorities that were found valid. Safe between threads.

    Each entry is stored under the digest of the material that validated it (docs/architecture.md,
    invariant 9).
    """

    def __init__(self) -> None:
        self._branches: dict[_Key, _IssuerPath] = {}

    def path_to(
        self, certificate: SigningCertificate, material: Material, *, at: datetime
    ) -> Path | None:
        """Return the valid path of a certificate, or None if the validator must judge it."""
        try:
            branch = self._branches.get(_cache_key(certificate.x509, material))
            if branch is None or certificate.key in material.anchor_keys:
                return None
            return branch.path_to(certificate, at=at)
        except Exception:  # noqa: BLE001 - a malformed certificate: the validator judges it
            return None

    def add_path(self, certificate: SigningCertificate, path: Path, material: Material) -> None:
        """Store the authorities of the first path that the validator found, if that is allowed."""
        try:
            key, branch = _cache_key(certificate.x509, material), _issuer_path(path)
        except Exception:  # noqa: BLE001 - an authority that cannot be read is not cached
            return
        if branch is None:
            return
        if len(self._branches) >= MOST_BRANCHES:
            self.clear()
        self._branches[key] = branch

    def clear(self) -> None:
        """Clear the cache, because the trust material has changed."""
        self._branches = {}


def _cache_key(certificate: x509.Certificate, material: Material) -> _Key:
    named: bytes | None = None
    for extension in certificate.extensions:
        if isinstance(extension.value, x509.AuthorityKeyIdentifier):
            named = extension.value.public_bytes()
    return material.digest, certificate.issuer.public_bytes(), named


@dataclass(frozen=True, slots=True)
class _IssuerPath:
    """An issuing authority, and the valid path from the anchor down to it."""

    issuer: x509.Certificate
    der: bytes
    path: Path
    """The path to the issuer, whose own link is the last. Its policies are those that certificates
    below may carry."""
    statements: IssuerAssertions
    """The revocation statements of the issuer."""

    def path_to(self, certificate: SigningCertificate, *, at: datetime) -> Path | None:
        """Return the path to another certificate of this issuer; None if the validator must judge.

        Raises an exception of `cryptography` if the issuer, by its name and key, has not signed the
        certificate.
        """
        own = certificate.x509
        stated = _policies(own)
        if stated is None or ANY_POLICY in stated or not _is_plain(own.subject):
            return None
        if any(own.serial_number == above.query.serial for above in self.path.links):
            return None  # by name and number it may be an authority of the path
        link = build_link(own, certificate.fingerprint, issuer=self.der, statements=self.statements)
        links = (*self.path.links, link)
        terms = (self.path.anchor_term, *(each.term for each in links))
        if not all(since <= at <= until for since, until in terms):
            return None
        own.verify_directly_issued_by(self.issuer)
        return replace(
            self.path, links=links, policies=_shared_policies(stated, self.path.policies)
        )


def _issuer_path(path: Path) -> _IssuerPath | None:
    """Return the authorities of a valid path, or None if the cache must not hold them.

    They may be cached if no more than their key, name and policies counts below. For the anchor
    only its name and key count (RFC 5280, 6.1.1, d).
    """
    if not path.links:
        return None
    own = path.links[-1]
    issuer = load_certificate(own.issuer)
    if issuer.public_key_algorithm_oid not in _KEYS:
        return None
    policies = frozenset({ANY_POLICY})
    for link in path.links[1:]:
        stated = _policies(load_certificate(link.issuer))
        if stated is None:
            return None
        policies = _shared_policies(policies, stated)
    return _IssuerPath(
        issuer=issuer,
        der=own.issuer,
        path=replace(path, links=path.links[:-1], policies=policies),
        statements=own.statements,
    )


def _shared_policies(these: frozenset[str], those: frozenset[str]) -> frozenset[str]:
    if ANY_POLICY in these:
        return those
    return these if ANY_POLICY in those else these & those


def _policies(certificate: x509.Certificate) -> frozenset[str] | None:
    """Return the policies that a certificate names, or None if anything in it is unusual."""
    if certificate.signature_algorithm_oid not in _SIGNATURES:
        return None
    named: frozenset[str] = frozenset()
    for extension in certificate.extensions:
        if extension.oid not in _USUAL:
            return None
        if isinstance(extension.value, x509.SubjectAlternativeName):
            if not all(_is_address(each) for each in extension.value):
                return None
        elif isinstance(extension.value, x509.CertificatePolicies):
            if len(extension.value) > MOST_POLICIES:
                return None
            named = frozenset(each.policy_identifier.dotted_string for each in extension.value)
    return named


def _is_address(name: x509.GeneralName) -> bool:
    return isinstance(name, x509.RFC822Name) and _ADDRESS.fullmatch(name.value) is not None


def _is_plain(subject: x509.Name) -> bool:
    return all(_is_readable(each) for each in subject)


def _is_readable(attribute: x509.NameAttribute[str | bytes]) -> bool:
    value, kind = attribute.value, attribute._type.name  # no public name for the string type
    if not isinstance(value, str):
        return False
    if attribute.oid == NameOID.EMAIL_ADDRESS:
        return kind == "IA5String" and _ADDRESS.fullmatch(value) is not None
    return attribute.oid in _ATTRIBUTES and kind in _STRINGS and bool(_LETTERS.fullmatch(value))
