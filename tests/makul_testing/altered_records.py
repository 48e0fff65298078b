"""Certificates and CRLs that `cryptography` refuses to build: altered, then signed again."""

from collections.abc import Callable
from typing import Any

from asn1crypto import crl as asn1_crl
from asn1crypto import x509 as asn1_x509
from asn1crypto.core import ObjectIdentifier
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from makul.trust.pki.certificates import read_certificate
from makul_testing.pki.authorities import Authority, Holder, Key

Change = Callable[[bytes], bytes]
"""A function from the signed part of a certificate or CRL to another of the same length."""


def retagged(text: str, tag: int, *, became: bytes | None = None) -> Change:
    """Give a string of this text another tag, and optionally other bytes of the same length."""
    old = text.encode()
    new = old if became is None else became
    assert len(old) == len(new)

    def change(octets: bytes) -> bytes:
        place = octets.index(bytes((len(old),)) + old)
        return octets[: place - 1] + bytes((tag, len(new))) + new + octets[place + 1 + len(old) :]

    return change


def with_serial(number: int) -> Change:
    def change(octets: bytes) -> bytes:
        signed: Any = asn1_x509.TbsCertificate.load(octets)
        signed["serial_number"] = number
        return signed.dump(force=True)

    return change


def with_key_algorithm(dotted: str) -> Change:
    """Name an unsupported algorithm for the key."""

    def change(octets: bytes) -> bytes:
        signed: Any = asn1_x509.TbsCertificate.load(octets)
        old = signed["subject_public_key_info"]["algorithm"]["algorithm"].dump()
        new = ObjectIdentifier(dotted).dump()
        assert len(old) == len(new)
        return octets.replace(old, new, 1)

    return change


def certificate(der: bytes, key: Key, change: Change) -> bytes:
    """Change the signed part of a certificate, and sign it with this key (P-256, SHA-256)."""
    raw: Any = asn1_x509.Certificate.load(der)
    return _signed(raw, "tbs_certificate", asn1_x509.TbsCertificate, key, change)


def crl(der: bytes, key: Key, change: Change) -> bytes:
    raw: Any = asn1_crl.CertificateList.load(der)
    return _signed(raw, "tbs_cert_list", asn1_crl.TbsCertList, key, change)


def _signed(raw: Any, part: str, kind: Any, key: Key, change: Change) -> bytes:
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    octets = change(raw[part].dump())
    signature = "signature_value" if part == "tbs_certificate" else "signature"
    raw[part] = kind.load(octets)
    raw[signature] = key.sign(octets, ec.ECDSA(hashes.SHA256()))
    return raw.dump()


def issue_altered(authority: Authority, change: Change, holder: Holder | None = None) -> Holder:
    """Return a citizen whose certificate is changed and signed by this authority."""
    good = holder or authority.issue()
    der = certificate(good.der, authority.holder.key, change)
    return AlteredHolder(good.key, read_certificate(der).x509, good.issuers, der)


class AlteredHolder(Holder):
    """A holder whose certificate's exact bytes differ from those of `cryptography`."""

    __slots__ = ("_der",)

    def __init__(self, key: Key, shown: Any, issuers: Any, der: bytes) -> None:
        super().__init__(key, shown, issuers)
        object.__setattr__(self, "_der", der)

    @property
    def der(self) -> bytes:
        return self._der
