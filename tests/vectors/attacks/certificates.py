"""Certificates that are not sufficient: use, term, path, revocation."""

from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from makul.domain.reasons import Code
from makul_testing.pki.authorities import (
    ANY_POLICY,
    DAY,
    NOW,
    Holder,
    Profile,
    _build,
    key_usage,
    name_of,
    new_key,
    policies_of,
)
from vectors.attacks.drafts import signed
from vectors.attacks.vector import Vector

if TYPE_CHECKING:
    from makul_testing.pki.authorities import Authority
    from vectors.attacks.cast import Cast

EKU = ExtendedKeyUsageOID
SECOND = timedelta(seconds=1)


def changed(cast: "Cast", **changes: Any) -> bytes:
    """Sign by a certificate of the good CA that differs in one respect."""
    return signed(cast, holder=cast.another(**changes))


def by(cast: "Cast", *, ca: str) -> bytes:
    """Sign by a citizen whom another authority certified."""
    authority: Authority = getattr(cast, ca)
    return signed(cast, holder=cast.citizen_of(authority))


def by_holder(cast: "Cast", *, who: str) -> bytes:
    return signed(cast, holder=getattr(cast, who))


def by_ca(cast: "Cast", *, ca: str) -> bytes:
    """Sign by the CA's own key and certificate."""
    authority: Authority = getattr(cast, ca)
    return signed(cast, holder=authority.holder)


def self_made(cast: "Cast") -> Holder:
    """Return a certificate that the signer made, with the citizen's name."""
    key = new_key()
    return Holder(key, _build(cast.profile(), key, cast.profile().subject, key))


def self_signed(cast: "Cast") -> bytes:
    """Sign by a certificate that the signer made."""
    return signed(cast, holder=self_made(cast))


def with_the_chain(cast: "Cast") -> bytes:
    """Add an untrusted authority's whole chain, which makes nothing trusted."""
    foreign = cast.citizen_of(cast.foreign_ca)
    carried = [foreign, cast.foreign_ca.holder]
    return signed(cast, holder=foreign, carried=carried)


def chain_over_a_citizen(cast: "Cast") -> bytes:
    """Let a citizen's certificate act as CA, and add both (basicConstraints, 2002)."""
    forged = cast.citizen_of(cast.citizen_as_ca)
    return signed(cast, holder=forged, carried=[forged, cast.citizen])


def sha1_certificate(cast: "Cast") -> bytes:
    return signed(cast, holder=cast.rsa_ca.issue_with_sha1())


USES: dict[str, tuple[dict[str, Any], str]] = {
    "usage-encipherment": ({"usage": key_usage("key_encipherment")}, "RFC 5280, 4.2.1.3"),
    "usage-agreement": ({"usage": key_usage("key_agreement")}, "RFC 5280, 4.2.1.3"),
    "usage-cert-sign": (
        {"usage": key_usage("key_cert_sign", "digital_signature")},
        "a key that certifies signs no consent",
    ),
    "usage-crl-sign": ({"usage": key_usage("crl_sign")}, "RFC 5280, 4.2.1.3"),
    "usage-not-stated": ({"usage": None}, "its use is not stated"),
    "ca-flag": ({"ca": True, "usage": key_usage("digital_signature")}, "a CA as a signer"),
    "eku-server": ({"extended": [EKU.SERVER_AUTH]}, "a web server's key"),
    "eku-client": ({"extended": [EKU.CLIENT_AUTH]}, "a login is no consent"),
    "eku-code": ({"extended": [EKU.CODE_SIGNING]}, "code, not documents"),
    "eku-timestamping": ({"extended": [EKU.TIME_STAMPING]}, "RFC 3161, 2.3: for that alone"),
    "eku-ocsp": ({"extended": [EKU.OCSP_SIGNING]}, "RFC 6960, 4.2.2.2"),
    "eku-all-foreign": (
        {"extended": [EKU.SERVER_AUTH, EKU.CLIENT_AUTH, EKU.CODE_SIGNING]},
        "many other ends, and not ours",
    ),
}

TERMS: dict[str, dict[str, Any]] = {
    "expired": {"not_after": NOW - SECOND},
    "expired-long-ago": {"not_before": NOW - 900 * DAY, "not_after": NOW - 500 * DAY},
    "not-yet-valid": {"not_before": NOW + timedelta(minutes=1)},
}

AUTHORITIES: dict[str, tuple[str, Code, str]] = {
    "unknown-issuer": ("foreign_ca", Code.SIG_09, "an authority that nobody trusts"),
    "namesake-of-the-ca": ("namesake_ca", Code.SIG_09, "the good CA's name, another key"),
    "namesake-of-the-root": ("root_namesake", Code.SIG_09, "the anchor's name, another key"),
    "citizen-as-ca": ("citizen_as_ca", Code.SIG_09, "an issuer without the CA flag"),
    "name-constraints": ("constrained_ca", Code.SIG_09, "RFC 5280, 4.2.1.10"),
    "path-length": ("deep_ca", Code.SIG_09, "RFC 5280, 4.2.1.9: a CA under a path length of zero"),
    "ca-for-crls-alone": ("crl_only_ca", Code.SIG_09, "RFC 5280, 4.2.1.3: keyCertSign missing"),
    "expired-ca": ("expired_ca", Code.SIG_05, "the CA's certificate is out of its term"),
    "revoked-ca": ("revoked_ca", Code.SIG_06, "the root revoked the CA"),
    "stale-crl": ("stale_ca", Code.SIG_07, "an attacker who withholds the CRL would win"),
    "crl-of-the-future": ("early_ca", Code.SIG_07, "it says nothing of now"),
    "no-crl": ("silent_ca", Code.SIG_07, "undetermined is never yes"),
    "crl-by-another-key": ("usurped_ca", Code.SIG_07, "anybody could empty it"),
}

OTHERS: dict[str, tuple[Any, Code, str]] = {
    "revoked": (partial(by_holder, who="revoked"), Code.SIG_06, "the citizen reported the loss"),
    "self-signed": (self_signed, Code.SIG_09, (self_signed.__doc__ or "").rstrip(".")),
    "foreign-chain-carried": (with_the_chain, Code.SIG_09, "carried is not trusted"),
    "citizen-as-ca-carried": (chain_over_a_citizen, Code.SIG_09, "carried is not trusted"),
    "signed-with-sha1": (sha1_certificate, Code.SIG_04, "SHAttered, 2017; Shambles, 2020"),
    "the-ca-itself": (partial(by_ca, ca="ca"), Code.SIG_10, "a CA's certificate signs no consent"),
    "the-anchor-itself": (partial(by_ca, ca="root"), Code.SIG_10, "nor does an anchor's"),
}

VECTORS: tuple[Vector, ...] = (
    *(
        Vector(
            name=f"certificates/{name}",
            why=why,
            build=partial(changed, **changes),
            code=Code.SIG_10,
        )
        for name, (changes, why) in USES.items()
    ),
    *(
        Vector(
            name=f"certificates/{name}",
            why="RFC 5280, 4.1.2.5: out of its term at this moment, whatever SigningTime says",
            build=partial(changed, **changes),
            code=Code.SIG_05,
        )
        for name, changes in TERMS.items()
    ),
    *(
        Vector(name=f"certificates/{name}", why=why, build=partial(by, ca=ca), code=code)
        for name, (ca, code, why) in AUTHORITIES.items()
    ),
    *(
        Vector(name=f"certificates/{name}", why=why, build=build, code=code)
        for name, (build, code, why) in OTHERS.items()
    ),
)

# --- signed well, by somebody who is not the subject -------------------------------------------

PINS: dict[str, Any] = {
    "another-citizen": lambda cast: cast.attacker,
    "without-policy": lambda cast: cast.ca.issue(Profile(subject=cast.profile().subject)),
    "policy-of-another-ca": lambda cast: cast.citizen_of(cast.organisations_ca),
    "policy-of-a-ca-that-has-none": lambda cast: cast.citizen_of(cast.silent_on_policies_ca),
    "every-policy": lambda cast: cast.citizen_of(
        cast.citizens_alone_ca, extra=[(policies_of(ANY_POLICY), False)]
    ),
    "pin-in-the-common-name": lambda cast: cast.another(subject=name_of(f"PNOKG-{cast.pin}")),
    "pin-with-a-tail": lambda cast: _named(cast, f"PNOKG-{cast.pin}0"),
    "pin-in-lower-case": lambda cast: _named(cast, f"pnokg-{cast.pin}"),
    "pin-of-another-country": lambda cast: _named(cast, f"PNOKZ-{cast.pin}"),
    "pin-as-a-passport": lambda cast: _named(cast, f"PASKG-{cast.pin}"),
    "two-pins": lambda cast: cast.another(subject=_two_pins(cast)),
    "no-pin": lambda cast: cast.another(subject=name_of("Nobody")),
}


def _named(cast: "Cast", serial: str) -> Any:
    return cast.another(subject=name_of("Corpus Citizen", serial))


def _two_pins(cast: "Cast") -> Any:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.SERIAL_NUMBER, "PNOKG-20202199000028"),
            x509.NameAttribute(NameOID.SERIAL_NUMBER, f"PNOKG-{cast.pin}"),
        ]
    )


def by_signer(cast: "Cast", *, make: Any) -> bytes:
    return signed(cast, holder=make(cast))


NOT_THE_SUBJECT: tuple[Vector, ...] = tuple(
    Vector(
        name=f"signers/{name}",
        why="a good signature; whose, the certificate does not say as the rule wants it",
        build=partial(by_signer, make=make),
        code=None,
    )
    for name, make in PINS.items()
)
"""The signature passes; the request is refused with CNS-02, because of SIG-08."""
