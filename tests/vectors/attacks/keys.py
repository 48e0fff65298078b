"""Keys and algorithms: swapped KeyInfo, public secrets, weak methods."""

from base64 import b64encode
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from lxml import etree

from makul.domain.reasons import Code
from makul_testing.builders.xades import (
    DS,
    HMAC_SHA256,
    MORE,
    RSA_PSS_SHA256,
    RSA_SHA256,
    SHA256,
    XADES,
)
from makul_testing.pki.authorities import name_of, new_rsa_key
from vectors.attacks.drafts import HASHES, MORE_2007, signed
from vectors.attacks.vector import Vector

if TYPE_CHECKING:
    from makul_testing.pki.authorities import Holder
    from vectors.attacks.cast import Cast
    from vectors.attacks.drafts import Draft

ECDSA_SHA1 = f"{MORE}ecdsa-sha1"
DSIG11 = "http://www.w3.org/2009/xmldsig11#"

METHODS = {
    "rsa-sha1": f"{DS}rsa-sha1",
    "rsa-md5": f"{MORE}rsa-md5",
    "rsa-sha224": f"{MORE}rsa-sha224",
    "rsa-ripemd160": f"{MORE}rsa-ripemd160",
    "pss-with-parameters": f"{MORE_2007}rsa-pss",
    "pss-sha1": f"{MORE_2007}sha1-rsa-MGF1",
    "pss-sha224": f"{MORE_2007}sha224-rsa-MGF1",
    "pss-sha3": f"{MORE_2007}sha3-256-rsa-MGF1",
    "dsa-sha1": f"{DS}dsa-sha1",
    "hmac-sha1": f"{DS}hmac-sha1",
    "hmac-sha512": f"{MORE}hmac-sha512",
    "ecdsa-for-an-rsa-key": f"{MORE}ecdsa-sha256",
    "none": "http://www.w3.org/2000/09/xmldsig#none",
    "jose-none": "none",
    "space": f" {RSA_SHA256}",
    "case": RSA_SHA256.upper(),
    "fragment-alone": "#rsa-sha256",
    "digest-instead": SHA256,
}
"""Methods that a holder of an RSA key might name."""

EC_METHODS = {
    "ecdsa-sha1": ECDSA_SHA1,
    "ecdsa-sha224": f"{MORE}ecdsa-sha224",
    "ecdsa-ripemd160": f"{MORE_2007}ecdsa-ripemd160",
    "ecdsa-sha3": "http://www.w3.org/2021/04/xmldsig-more#ecdsa-sha3-256",
    "rsa-for-an-ec-key": RSA_SHA256,
    "eddsa-for-an-ec-key": "http://www.w3.org/2021/04/xmldsig-more#eddsa-ed25519",
}

DIGESTS = {name: uri for uri, name in HASHES.items() if name not in {"sha256", "sha384", "sha512"}}


@cache
def _dsa() -> dsa.DSAPrivateKey:
    return dsa.generate_private_key(2048)


KEYS: dict[str, Any] = {
    "rsa-1024": lambda: new_rsa_key(1024),
    "rsa-exponent-3": lambda: rsa.generate_private_key(public_exponent=3, key_size=2048),
    "p-192": lambda: ec.generate_private_key(ec.SECP192R1()),
    "p-224": lambda: ec.generate_private_key(ec.SECP224R1()),
    "secp256k1": lambda: ec.generate_private_key(ec.SECP256K1()),
    "brainpool-256": lambda: ec.generate_private_key(ec.BrainpoolP256R1()),
    "ed25519": ed25519.Ed25519PrivateKey.generate,
    "ed448": ed448.Ed448PrivateKey.generate,
    "dsa": _dsa,
}
"""Keys that a good CA certified and that are not of our kinds or sizes."""


def with_key(cast: "Cast", *, make: Any) -> bytes:
    return signed(cast, holder=cast.another(key=make()))


def empty_method(drawn: "Draft") -> None:
    drawn.one("SignatureMethod").attrib.pop("Algorithm")


def no_method(drawn: "Draft") -> None:
    """Remove the SignatureMethod."""
    drawn.info.remove(drawn.one("SignatureMethod"))


def with_hmac(cast: "Cast", *, secret: Any) -> bytes:
    """Sign with a secret that everybody knows."""
    return signed(
        cast,
        lambda drawn: setattr(drawn, "secret", secret(cast.citizen)),
        method=HMAC_SHA256,
    )


SECRETS: dict[str, Any] = {
    "public-key-pem": lambda holder: _public(holder, Encoding.PEM),
    "public-key-der": lambda holder: _public(holder, Encoding.DER),
    "certificate": lambda holder: holder.der,
    "nothing": lambda holder: b"",
}


def _public(holder: "Holder", encoding: Encoding) -> bytes:
    key: Any = holder.key
    found: bytes = key.public_key().public_bytes(encoding, PublicFormat.SubjectPublicKeyInfo)
    return found


def hmac_length(drawn: "Draft") -> None:
    """Set HMACOutputLength 0: every value would be right (CVE-2009-0217)."""
    etree.SubElement(drawn.one("SignatureMethod"), f"{{{DS}}}HMACOutputLength").text = "0"


# --- KeyInfo --------------------------------------------------------------------------------


def twin_carried(cast: "Cast") -> bytes:
    """Replace the signer's certificate by another person's over the same key."""
    return signed(cast, carried=[_twin(cast)])


def twin_beside(cast: "Cast") -> bytes:
    """Name the citizen in SigningCertificateV2, and put the other certificate first."""
    return signed(cast, holder=cast.citizen, carried=[_twin(cast)], named=cast.citizen)


def _twin(cast: "Cast") -> "Holder":
    other = name_of("Corpus Twin", "PNOKG-20202199000028")
    return cast.another(key=cast.citizen.key, subject=other)


def attacker_names_citizen(cast: "Cast") -> bytes:
    """Sign by the attacker's key, and name and carry the citizen's certificate."""
    return signed(
        cast, holder=cast.attacker, named=cast.citizen, carried=[cast.attacker, cast.citizen]
    )


def attacker_carries_citizen(cast: "Cast") -> bytes:
    """Sign by the attacker's key, and carry only the citizen's certificate."""
    return signed(cast, holder=cast.attacker, named=cast.citizen, carried=[cast.citizen])


def named_and_not_carried(cast: "Cast") -> bytes:
    return signed(cast, carried=[cast.attacker])


def nine_certificates(cast: "Cast") -> bytes:
    return signed(cast, carried=[cast.citizen] * 9)


def no_certificate(cast: "Cast") -> bytes:
    return signed(cast, carried=[])


def in_key_info(xml: str, *, instead: bool) -> Any:
    """Name the key in another way, beside the certificate or instead of it."""

    def edit(drawn: "Draft") -> None:
        element = etree.fromstring(f'<ds:K xmlns:ds="{DS}" xmlns:d11="{DSIG11}">{xml}</ds:K>')
        if instead:
            drawn.key_info.remove(drawn.key_info[0])
        for place, child in enumerate(list(element)):
            drawn.key_info.insert(place, child)

    return edit


def no_key_info(drawn: "Draft") -> None:
    drawn.signature.remove(drawn.key_info)


def two_key_infos(drawn: "Draft") -> None:
    """Add a second KeyInfo after the first, which a reader may use."""
    drawn.signature.insert(3, etree.Element(f"{{{DS}}}KeyInfo"))


def named_key_value(cast: "Cast") -> bytes:
    """Write the attacker's own key as a KeyValue, without a certificate."""
    holder = cast.another(key=new_rsa_key())
    numbers = holder.key.public_key().public_numbers()  # type: ignore[union-attr]
    value = _rsa_value(numbers.n, numbers.e)  # type: ignore[union-attr]
    return signed(cast, in_key_info(value, instead=True), holder=holder)


def other_key_value(cast: "Cast") -> bytes:
    """Carry the citizen's certificate and the attacker's key, which signs."""
    attacker = cast.another(key=new_rsa_key())
    numbers = attacker.key.public_key().public_numbers()  # type: ignore[union-attr]
    value = _rsa_value(numbers.n, numbers.e)  # type: ignore[union-attr]
    citizen = cast.rsa_citizen
    return signed(
        cast, in_key_info(value, instead=False), holder=attacker, carried=[citizen], named=citizen
    )


def _rsa_value(n: int, e: int) -> str:
    modulus = b64encode(n.to_bytes((n.bit_length() + 7) // 8, "big")).decode()
    exponent = b64encode(e.to_bytes(3, "big")).decode()
    return (
        f"<ds:KeyValue><ds:RSAKeyValue><ds:Modulus>{modulus}</ds:Modulus>"
        f"<ds:Exponent>{exponent}</ds:Exponent></ds:RSAKeyValue></ds:KeyValue>"
    )


KEY_INFOS = {
    "key-name": "<ds:KeyName>citizen</ds:KeyName>",
    "retrieval-method": f'<ds:RetrievalMethod URI="http://127.0.0.1:9/key" Type="{DS}X509Data"/>',
    "retrieval-of-a-file": '<ds:RetrievalMethod URI="file:///etc/passwd"/>',
    "pgp": "<ds:PGPData><ds:PGPKeyID>AAAAAAAAAAA=</ds:PGPKeyID></ds:PGPData>",
    "spki": "<ds:SPKIData><ds:SPKISexp>AAAA</ds:SPKISexp></ds:SPKIData>",
    "mgmt": "<ds:MgmtData>x</ds:MgmtData>",
    "der": "<d11:DEREncodedKeyValue>AAAA</d11:DEREncodedKeyValue>",
    "subject-name": "<ds:X509Data><ds:X509SubjectName>CN=x</ds:X509SubjectName></ds:X509Data>",
    "ski": "<ds:X509Data><ds:X509SKI>AAAA</ds:X509SKI></ds:X509Data>",
}

GARBAGE = {
    "empty": b"",
    "empty-sequence": b"\x30\x00",
    "nested-lengths": b"\x30" * 100,
    "indefinite": b"\x30\x80" * 50,
    "too-large": b"x" * 10_000,
}


def garbage(cast: "Cast", *, der: bytes) -> bytes:
    """Put bytes that are no certificate into the certificate element."""
    false: Any = type("Garbage", (), {"der": der, "key": cast.citizen.key})()
    return signed(cast, carried=[false], named=false)


def _edited(cast: "Cast", edit: Any, **departures: Any) -> bytes:
    return signed(cast, edit, **departures)


def _rsa(cast: "Cast", *, method: str) -> bytes:
    return signed(cast, holder=cast.rsa_citizen, method=method)


def truncated_digest(drawn: "Draft") -> None:
    """Make only the certificate's digest by SHA-1: two certificates of one digest can be made."""
    value = drawn.properties.find(f".//{{{XADES}}}CertDigest/{{{DS}}}DigestMethod")
    assert value is not None
    value.set("Algorithm", f"{DS}sha1")


PEOPLE: dict[str, tuple[Any, Code, str]] = {
    "twin-carried": (twin_carried, Code.SIG_02, "one key, two people: whose signature is it?"),
    "twin-in-the-place-of-the-named": (twin_beside, Code.SIG_02, "the named one must be carried"),
    "attacker-names-citizen": (attacker_names_citizen, Code.SIG_02, "any certificate is public"),
    "attacker-carries-citizen": (attacker_carries_citizen, Code.SIG_02, "as is this one"),
    "named-and-not-carried": (named_and_not_carried, Code.SIG_02, "SigningCertificateV2 decides"),
    "nine-certificates": (nine_certificates, Code.SIG_02, "eight suffice for any chain"),
    "no-certificate": (no_certificate, Code.SIG_02, "an X509Data with nothing in it"),
    "key-value-alone": (named_key_value, Code.SIG_02, "anybody can write a key down"),
    "key-value-of-the-attacker": (other_key_value, Code.SIG_02, "never is a KeyValue used"),
}

VECTORS: tuple[Vector, ...] = (
    *(
        Vector(
            name=f"algorithms/{name}",
            why="TS 119 312 and SOG-IS: only SHA-2, RSA from 2048 bits, NIST curves from P-256",
            build=partial(_rsa, method=uri),
            code=Code.SIG_04,
        )
        for name, uri in METHODS.items()
    ),
    *(
        Vector(
            name=f"algorithms/{name}",
            why="a method that is not of the list, or not of the key",
            build=partial(signed, method=uri),
            code=Code.SIG_04,
        )
        for name, uri in EC_METHODS.items()
    ),
    *(
        Vector(
            name=f"algorithms/digest-{name}",
            why="a second document with the same digest is within reach, or foreign here",
            build=partial(signed, digest=uri),
            code=Code.SIG_04,
        )
        for name, uri in DIGESTS.items()
    ),
    *(
        Vector(
            name=f"algorithms/key-{name}",
            why="a good CA certified it, and still it is not one of ours",
            build=partial(with_key, make=make),
            code=Code.SIG_04,
        )
        for name, make in KEYS.items()
    ),
    *(
        Vector(
            name=f"algorithms/hmac-{name}",
            why="the verifier's public key as the secret: anybody can compute it",
            build=partial(with_hmac, secret=secret),
            code=Code.SIG_04,
        )
        for name, secret in SECRETS.items()
    ),
    Vector(
        name="algorithms/hmac-of-no-length",
        why="CVE-2009-0217: a MAC truncated to nothing always agrees",
        build=partial(_edited, edit=hmac_length, method=HMAC_SHA256),
        code=Code.SIG_04,
    ),
    Vector(
        name="algorithms/method-without-algorithm",
        why="nothing is not a method",
        build=partial(_edited, edit=empty_method),
        code=Code.SIG_04,
    ),
    Vector(
        name="algorithms/certificate-digest-sha1",
        why="two certificates of one SHA-1 digest would be exchangeable",
        build=partial(_edited, edit=truncated_digest),
        code=Code.SIG_04,
    ),
    Vector(
        name="algorithms/pss-for-an-ec-key",
        why="a method of another kind of key",
        build=partial(signed, method=RSA_PSS_SHA256),
        code=Code.SIG_04,
    ),
    *(
        Vector(name=f"keys/{name}", why=why, build=build, code=code)
        for name, (build, code, why) in PEOPLE.items()
    ),
    *(
        Vector(
            name=f"keys/{name}-alone",
            why="a key is believed through a certificate and nothing else; none is fetched",
            build=partial(_edited, edit=in_key_info(xml, instead=True)),
            code=Code.SIG_02,
        )
        for name, xml in KEY_INFOS.items()
    ),
    Vector(
        name="keys/no-key-info",
        why="nobody says who signed",
        build=partial(_edited, edit=no_key_info),
        code=Code.SIG_03,
    ),
    Vector(
        name="keys/two-key-infos",
        why=(two_key_infos.__doc__ or "").rstrip("."),
        build=partial(_edited, edit=two_key_infos),
        code=Code.SIG_03,
    ),
    *(
        Vector(
            name=f"keys/garbage-{name}",
            why="what breaks a parser proves nothing, and is an answer",
            build=partial(garbage, der=der),
            code=Code.SIG_02,
        )
        for name, der in GARBAGE.items()
    ),
)
