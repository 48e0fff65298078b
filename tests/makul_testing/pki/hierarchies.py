"""Kinds of authorities, and of certificates below them, including odd ones."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from asn1crypto import x509 as asn1_x509
from asn1crypto.core import OctetBitString
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.x509.name import _ASN1Type
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from makul_testing.pki.authorities import (
    ANY_POLICY,
    DAY,
    NOW,
    Authority,
    Holder,
    Profile,
    StoreFiles,
    key_usage,
    name_of,
    new_key,
    new_rsa_key,
    policies_of,
)

CITIZENS, OTHERS = x509.ObjectIdentifier("1.2.3.4.1"), x509.ObjectIdentifier("1.2.3.4.2")
RSA_KEY = new_rsa_key()
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\5\0")
EXPLICIT = x509.PolicyConstraints(require_explicit_policy=0, inhibit_policy_mapping=None)
KG_ONLY = x509.NameConstraints(
    permitted_subtrees=[
        x509.DirectoryName(x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "KG")]))
    ],
    excluded_subtrees=None,
)


@dataclass(frozen=True, slots=True)
class World:
    """Anchors, and the authorities below them; the last of all issues."""

    root: Authority
    below: tuple[Authority, ...] = ()

    @property
    def issuer(self) -> Authority:
        return self.below[-1] if self.below else self.root

    def files(self, path: Path) -> StoreFiles:
        crls = [each.crl() for each in (self.root, *self.below)]
        return StoreFiles(path).write(anchors=[self.root], intermediates=self.below, crls=crls)


def below(above: Authority, name: str, *, key: Any = None, **fields: Any) -> Authority:
    """Return an authority with more or fewer extensions than `Authority.subordinate`."""
    key = key or new_key()
    profile = Profile(
        subject=name_of(name),
        not_before=NOW - 500 * DAY,
        not_after=NOW + 500 * DAY,
        usage=key_usage("key_cert_sign", "crl_sign"),
        ca=True,
    )
    return Authority(above.issue(replace(profile, **fields), key=key))


def chain(*extra: x509.ExtensionType, key: Any = None, **fields: Any) -> Callable[[], World]:
    """Return a root, and one CA with these extensions."""

    def build() -> World:
        root = Authority.root("A Root")
        extensions = [(each, False) for each in extra]
        return World(root, (below(root, "A CA", key=key, extra=extensions, **fields),))

    return build


def long() -> World:
    """Return a root, a CA that may give one policy, a CA that may give all."""
    root = Authority.root("A Root")
    policy = below(root, "A Policy CA", extra=[(policies_of(CITIZENS), True)])
    return World(root, (policy, policy.subordinate("A CA")))


def new_with_old() -> World:
    """Return a root, and its new key certified by the old one (RFC 4210, 4.4)."""
    root = Authority.root("A Root")
    return World(root, (below(root, "A Root"),))


def pss_alone() -> World:
    """Return a root, and one CA whose RSA key is only for RSASSA-PSS (RFC 4055, 1.2)."""
    root = Authority.root("A Root")
    raw: Any = asn1_x509.Certificate.load(below(root, "A CA", key=RSA_KEY).holder.der)
    signed = raw["tbs_certificate"]
    signed["subject_public_key_info"]["algorithm"] = {"algorithm": "rsassa_pss"}
    signature = root.holder.key.sign(signed.dump(force=True), ec.ECDSA(hashes.SHA256()))
    raw["signature_value"] = signature
    certificate = x509.load_der_x509_certificate(raw.dump(force=True))
    return World(root, (Authority(Holder(RSA_KEY, certificate)),))


USUAL: dict[str, Callable[[], World]] = {
    "anchor alone": lambda: World(Authority.root("A Root")),
    "no policies": chain(),
    "any policy": chain(policies_of(ANY_POLICY)),
    "one policy": chain(policies_of(CITIZENS), path_length=0),
    "two authorities": long,
    "extended key usage": chain(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION])),
    "RSA": chain(key=RSA_KEY),
    "a new key of the anchor": new_with_old,
}
MAPPINGS = x509.UnrecognizedExtension(  # SEQUENCE OF { CITIZENS, OTHERS }: RFC 5280, 4.2.1.5
    x509.ObjectIdentifier("2.5.29.33"),
    bytes.fromhex("300e300c06042a03040106042a030402"),
)
TWICE = x509.UnrecognizedExtension(  # CITIZENS and CITIZENS, which RFC 5280, 4.2.1.4, forbids
    x509.ObjectIdentifier("2.5.29.32"), bytes.fromhex("3010300606042a030401300606042a030401")
)
UNUSUAL: dict[str, Callable[[], World]] = {
    "name constraints": chain(KG_ONLY),
    "policy constraints": chain(EXPLICIT, policies_of(CITIZENS)),
    "policy mappings": chain(policies_of(CITIZENS), MAPPINGS),
    "any policy inhibited": chain(x509.InhibitAnyPolicy(0), policies_of(ANY_POLICY)),
    "an extension of its own": chain(UNKNOWN),
    "many policies": chain(policies_of(*(x509.ObjectIdentifier(f"1.2.3.{n}") for n in range(99)))),
    "PSS alone": pss_alone,
}


def issue_citizen(*extra: x509.ExtensionType, critical: bool = False, **fields: Any) -> Any:
    """Issue a citizen's certificate with more, or with other content."""
    extensions = [(each, critical) for each in extra]
    return lambda world: world.issuer.issue(replace(Profile(extra=extensions), **fields))


def saying(policies: Sequence[x509.ObjectIdentifier]) -> list[tuple[x509.ExtensionType, bool]]:
    return [(policies_of(*policies), False)] if policies else []


def signed_anew(
    holder: Holder,
    signer: Any,
    *,
    named: x509.AuthorityKeyIdentifier | None,
    rsa_padding: padding.PSS | None = None,
    serial: int | None = None,
) -> Holder:
    """Issue the same certificate by another key, with another key identifier or number."""
    old = holder.certificate
    builder = (
        x509.CertificateBuilder()
        .subject_name(old.subject)
        .issuer_name(old.issuer)
        .public_key(old.public_key())
        .serial_number(serial or old.serial_number)
        .not_valid_before(old.not_valid_before_utc)
        .not_valid_after(old.not_valid_after_utc)
    )
    for extension in old.extensions:
        if not isinstance(extension.value, x509.AuthorityKeyIdentifier):
            builder = builder.add_extension(extension.value, extension.critical)
    if named is not None:
        builder = builder.add_extension(named, critical=False)
    return Holder(holder.key, builder.sign(signer, hashes.SHA256(), rsa_padding=rsa_padding))


def signed_by(issuer: Authority, signed: bytes) -> bytes:
    """Sign a certificate of these very bytes, for any bytes (RFC 5280, 4.1)."""
    algorithm = bytes.fromhex("300a06082a8648ce3d040302")  # ecdsa-with-SHA256
    signature = OctetBitString(issuer.holder.key.sign(signed, ec.ECDSA(hashes.SHA256())))
    content = signed + algorithm + signature.dump()
    return b"\x30\x82" + len(content).to_bytes(2, "big") + content


def identifier(key: Any) -> x509.AuthorityKeyIdentifier:
    return x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key())


def forge_citizen(world: World) -> Holder:
    """Sign by another key, with the issuer's name and key identifier."""
    key = world.issuer.holder.key
    return signed_anew(world.issuer.issue(), new_key(), named=identifier(key))


def misnamed(world: World) -> Holder:
    """Sign by the issuer, with the key identifier of another."""
    key = world.issuer.holder.key
    return signed_anew(world.issuer.issue(), key, named=identifier(new_key()))


def unnamed(world: World) -> Holder:
    """Omit the issuer's key identifier."""
    return signed_anew(world.issuer.issue(), world.issuer.holder.key, named=None)


def names_another(world: World) -> Holder:
    """Use the issuer's key identifier, with name and number of another certificate."""
    key = world.issuer.holder.key
    above = [x509.DirectoryName(name_of("Another Root"))]
    named = x509.AuthorityKeyIdentifier(identifier(key).key_identifier, above, 1)
    return signed_anew(world.issuer.issue(), key, named=named)


def numbered_alike(world: World) -> Holder:
    """Use the serial number of the issuer's own certificate."""
    issuer = world.issuer
    serial, named = issuer.certificate.serial_number, identifier(issuer.holder.key)
    return signed_anew(issuer.issue(), issuer.holder.key, named=named, serial=serial)


def an_anchors(world: World) -> Holder:
    """Issue a cross-certificate with the anchor's name and key."""
    root = world.root
    return world.issuer.issue(Profile(subject=root.certificate.subject), key=root.holder.key)


def called(value: str, kind: _ASN1Type = _ASN1Type.UTF8String) -> Any:
    """Issue to a citizen whose name is no text, or is not written as text that
    everybody can read.
    """
    attribute = x509.NameAttribute(NameOID.COMMON_NAME, value, kind)
    return issue_citizen(subject=x509.Name([attribute]))


def addressed(address: str) -> Any:
    """Issue to a citizen with an e-mail address as another name."""
    return issue_citizen(x509.SubjectAlternativeName([x509.RFC822Name(address)]))


def mailed(address: str, kind: _ASN1Type = _ASN1Type.IA5String) -> Any:
    """Issue to a citizen with an e-mail address in the subject, as formerly (RFC 5280, 4.1.2.6)."""
    return issue_citizen(
        subject=x509.Name([x509.NameAttribute(NameOID.EMAIL_ADDRESS, address, kind)])
    )


def by_pss(world: World) -> Holder:
    """Sign by RSASSA-PSS, if the issuer has an RSA key."""
    key = world.issuer.holder.key
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32) if isinstance(key, RSAPrivateKey) else None
    return signed_anew(world.issuer.issue(), key, named=identifier(key), rsa_padding=pss)


def by_sha1(world: World) -> Holder:
    """Sign by RSA with SHA-1, if the issuer has an RSA key."""
    rsa = isinstance(world.issuer.holder.key, RSAPrivateKey)
    return world.issuer.issue_with_sha1() if rsa else world.issuer.issue()


def revoke_citizen(world: World) -> Holder:
    holder = world.issuer.issue()
    world.issuer.revoke(holder)
    return holder


def own_name(world: World) -> Holder:
    """Use one name for subject and issuer (RFC 5280, 6.1: self-issued)."""
    return world.issuer.issue(Profile(subject=world.issuer.certificate.subject))


CERTIFICATES: dict[str, Callable[[World], Holder]] = {
    "a citizen's": issue_citizen(),
    "one policy": issue_citizen(policies_of(CITIZENS)),
    "two policies": issue_citizen(policies_of(CITIZENS, OTHERS)),
    "a policy of others": issue_citizen(policies_of(OTHERS)),
    "any policy": issue_citizen(policies_of(ANY_POLICY)),
    "a policy twice": issue_citizen(TWICE),
    "many policies": issue_citizen(
        policies_of(*(x509.ObjectIdentifier(f"1.2.3.{n}") for n in range(300)))
    ),
    "more policies than are judged": issue_citizen(
        policies_of(*(x509.ObjectIdentifier(f"1.2.{n // 110}.{n % 110}") for n in range(1030)))
    ),
    "policy constraints": issue_citizen(EXPLICIT),
    "explicit policy": issue_citizen(EXPLICIT, policies_of(CITIZENS)),
    "name constraints": issue_citizen(KG_ONLY),
    "unknown": issue_citizen(UNKNOWN),
    "unknown and critical": issue_citizen(UNKNOWN, critical=True),
    "alternative name": issue_citizen(x509.SubjectAlternativeName([x509.DNSName("example.kg")])),
    "no place on the web": issue_citizen(
        x509.SubjectAlternativeName([x509.UniformResourceIdentifier("http://[")])
    ),
    "an e-mail address": addressed("asan.usonov@mail.example.kg"),
    "an address in Punycode": addressed("a@xn--0.kg"),
    "an address of empty labels": addressed("a@b..kg"),
    "an address and another name": issue_citizen(
        x509.SubjectAlternativeName([x509.RFC822Name("a@b.kg"), x509.DNSName("example.kg")])
    ),
    "an address in the subject": mailed("asan.usonov@mail.example.kg"),
    "an address as another string": mailed("a@b.kg", _ASN1Type.UTF8String),
    "a face for a name": called("\N{SLIGHTLY SMILING FACE}"),
    "a name in two directions": called("A\N{HEBREW LETTER ALEF}"),
    "a name in Vietnamese": called("Ngô Quyền"),
    "a visible string": called("Asan", _ASN1Type.VisibleString),
    "a string of octets": called("Asan", _ASN1Type.OctetString),
    "an address that is none": mailed("xn--@xn--0"),
    "an authority's": issue_citizen(ca=True, usage=key_usage("key_cert_sign")),
    "no basic constraints": issue_citizen(ca=None),
    "expired": issue_citizen(not_after=NOW - timedelta(seconds=1)),
    "in its last second": issue_citizen(not_after=NOW),
    "not yet valid": issue_citizen(not_before=NOW + timedelta(seconds=1)),
    "SHA-512": issue_citizen(hash_algorithm=hashes.SHA512()),
    "SHA-224": issue_citizen(hash_algorithm=hashes.SHA224()),
    "out of the land": issue_citizen(
        subject=x509.Name([x509.NameAttribute(NameOID.COUNTRY_NAME, "KZ")])
    ),
    "forged": forge_citizen,
    "misnamed": misnamed,
    "names another": names_another,
    "numbered alike": numbered_alike,
    "an anchor's name and key": an_anchors,
    "unnamed": unnamed,
    "PSS": by_pss,
    "SHA-1": by_sha1,
    "revoked": revoke_citizen,
    "the anchor's own": lambda world: world.root.holder,
    "the issuer's own": lambda world: world.issuer.holder,
    "of the issuer's name": own_name,
}
