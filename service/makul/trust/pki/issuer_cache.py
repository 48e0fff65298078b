"""Authorities whose part of a path was found valid, for the next certificate that they issue.

Most citizens come once, and thousands have their certificates from one authority. All that
RFC 5280, 6.1, asks of that authority and of those above it is asked by the path validator when the
first of these certificates is judged. Where nothing in theirs bears on what they issue but their
key, their name and their policies, what is left to ask of another one is here.

A branch only ever says yes. Whatever is unusual in a certificate, and whatever is wrong with it,
has no answer here: the validator judges it, and says why. Revocation is not part of it: that is
judged anew for every certificate of every path (`walking`).
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
from makul.trust.pki.path_revocation import Path, link_of
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
"""By which a certificate may be signed here. PSS is accepted too, by the validator: it has
parameters to be judged."""

_KEYS = frozenset({PublicKeyAlgorithmOID.RSAES_PKCS1_v1_5, PublicKeyAlgorithmOID.EC_PUBLIC_KEY})
"""Of issuers. An RSA key that is for PSS alone (RFC 4055, 1.2) would verify PKCS #1 v1.5 too."""

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
"""Extensions that, critical or not, limit no path below or above. Name constraints, mappings and
constraints of policies do; whoever has these, or any that is not known here, is the validator's.
So is whoever has alternative names other than plain e-mail addresses: the validator reads them, and
refuses where it cannot."""

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
"""Subjects of these attributes, strings and letters can be read by anybody. The validator prepares
names for comparison (RFC 4518, 2), and refuses whom it cannot prepare: by a string that it does not
expect there, a character younger than Unicode 3.2, two directions in one word."""

_ADDRESS = re.compile(
    r"[a-z0-9]([._+-]?[a-z0-9]){0,63}@([a-z0-9](-?[a-z0-9]){0,30}\.){1,8}[a-z]{2,20}"
)
"""An e-mail address that can be read by anybody: in small letters, no label of it in Punycode."""

MOST_POLICIES = 20
"""In one certificate. The validator refuses a path with a thousand."""

MOST_BRANCHES = 1024
"""Far more than there are authorities; beyond it all are forgotten and found anew."""

_Key: TypeAlias = tuple[bytes, bytes, bytes | None]
"""The digest of what is trusted; the issuer's name and the authority key identifier, in DER.

By these alone the validator finds who may have issued a certificate, and in what order."""


class IssuerPathCache:
    """The authorities that were found valid so far. Safe between threads.

    Each is kept under the digest of the material by which it was found (ARCHITECTURE, invariant 9).
    """

    def __init__(self) -> None:
        self._branches: dict[_Key, _IssuerPath] = {}

    def path_to(
        self, certificate: SigningCertificate, material: Material, *, at: datetime
    ) -> Path | None:
        """The valid path of a certificate; None where the validator must judge it."""
        try:
            branch = self._branches.get(_key_of(certificate.x509, material))
            if branch is None or certificate.key in material.anchor_keys:
                return None
            return branch.path_to(certificate, at=at)
        except Exception:  # noqa: BLE001 - a stranger's certificate: the validator knows what it is
            return None

    def learn(self, certificate: SigningCertificate, path: Path, material: Material) -> None:
        """Keep the authorities of the first path that the validator found, if they may be kept."""
        try:
            key, branch = _key_of(certificate.x509, material), _branch_of(path)
        except Exception:  # noqa: BLE001 - whatever it trips over, nobody is known by it
            return
        if branch is None:
            return
        if len(self._branches) >= MOST_BRANCHES:
            self.forget()
        self._branches[key] = branch

    def forget(self) -> None:
        """What is trusted has changed."""
        self._branches = {}


def _key_of(certificate: x509.Certificate, material: Material) -> _Key:
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
    """To the issuer, whose own link is the last; its policies are those that may be given below."""
    statements: IssuerAssertions
    """The issuer's."""

    def path_to(self, certificate: SigningCertificate, *, at: datetime) -> Path | None:
        """The path to another certificate of this issuer; None where the validator must judge.

        Raises what `cryptography` raises where the issuer, by its name and key, has not signed it.
        """
        own = certificate.x509
        stated = _policies(own)
        if stated is None or ANY_POLICY in stated or not _is_plain(own.subject):
            return None
        if any(own.serial_number == above.asked.serial for above in self.path.links):
            return None  # by name and number it may be one of the authorities
        link = link_of(own, certificate.fingerprint, issuer=self.der, statements=self.statements)
        links = (*self.path.links, link)
        terms = (self.path.anchor_term, *(each.term for each in links))
        if not all(since <= at <= until for since, until in terms):
            return None
        own.verify_directly_issued_by(self.issuer)
        return replace(self.path, links=links, policies=_common(stated, self.path.policies))


def _branch_of(path: Path) -> _IssuerPath | None:
    """The authorities of a valid path, if no more than their key, name and policies counts below.

    Of the anchor its name and key alone count (RFC 5280, 6.1.1, d).
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
        policies = _common(policies, stated)
    return _IssuerPath(
        issuer=issuer,
        der=own.issuer,
        path=replace(path, links=path.links[:-1], policies=policies),
        statements=own.statements,
    )


def _common(these: frozenset[str], those: frozenset[str]) -> frozenset[str]:
    if ANY_POLICY in these:
        return those
    return these if ANY_POLICY in those else these & those


def _policies(certificate: x509.Certificate) -> frozenset[str] | None:
    """What a certificate names; None where anything in it is unusual."""
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
    value, kind = attribute.value, attribute._type.name  # nothing public tells the kind
    if not isinstance(value, str):
        return False
    if attribute.oid == NameOID.EMAIL_ADDRESS:
        return kind == "IA5String" and _ADDRESS.fullmatch(value) is not None
    return attribute.oid in _ATTRIBUTES and kind in _STRINGS and bool(_LETTERS.fullmatch(value))
