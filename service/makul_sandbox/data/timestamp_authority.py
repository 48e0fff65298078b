"""A minimal time-stamping authority (RFC 3161), for the sandbox and for tests.

Tests can override every part of a token, to make invalid tokens.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import new as new_hash
from typing import Any

import asn1crypto.algos
import asn1crypto.cms
import asn1crypto.core
import asn1crypto.tsp
import asn1crypto.x509
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

POLICY = "1.3.6.1.4.1.32473.7.9"
"""A policy under the enterprise number that RFC 5612 reserves for documentation."""

# asn1crypto has no type annotations.
_algos: Any = asn1crypto.algos
_cms: Any = asn1crypto.cms
_core: Any = asn1crypto.core
_tsp: Any = asn1crypto.tsp
_x509: Any = asn1crypto.x509

_HASHES: dict[str, Callable[[], hashes.HashAlgorithm]] = {
    "sha1": hashes.SHA1,
    "sha256": hashes.SHA256,
    "sha512": hashes.SHA512,
}


def _change_nothing(_: Any) -> None:
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class StampingAuthority:
    """A key that signs timestamps over given bytes."""

    key: PrivateKey
    certificate: x509.Certificate
    policy: str = POLICY
    digest: str = "sha256"
    amend_info: Callable[[Any], None] = field(default=_change_nothing)
    """Changes the TSTInfo before it is signed."""
    amend_attributes: Callable[[list[dict[str, Any]]], None] = field(default=_change_nothing)
    """Changes the signed attributes before they are signed."""
    with_certificate: bool = True

    def stamp(self, octets: bytes, *, at: datetime) -> bytes:
        """Return a TimeStampToken over these octets (RFC 3161, 2.4.2), in DER."""
        info = self._info(octets, at)
        self.amend_info(info)
        encapsulated = info.dump(force=True)
        attributes = self._attributes(encapsulated)
        self.amend_attributes(attributes)
        signed = _cms.CMSAttributes(attributes)
        certificate = _x509.Certificate.load(self._der)
        method = "ecdsa" if isinstance(self.key, ec.EllipticCurvePrivateKey) else "rsa"
        signer = _cms.SignerInfo(
            {
                "version": "v1",
                "sid": _cms.SignerIdentifier(
                    {
                        "issuer_and_serial_number": _cms.IssuerAndSerialNumber(
                            {
                                "issuer": certificate.issuer,
                                "serial_number": certificate.serial_number,
                            }
                        )
                    }
                ),
                "digest_algorithm": {"algorithm": self.digest},
                "signed_attrs": signed,
                "signature_algorithm": _algos.SignedDigestAlgorithm(
                    {"algorithm": f"{self.digest}_{method}"}
                ),
                "signature": self._sign(signed.dump(force=True)),
            }
        )
        content = _cms.SignedData(
            {
                "version": "v3",
                "digest_algorithms": [{"algorithm": self.digest}],
                "encap_content_info": {
                    "content_type": "tst_info",
                    "content": _core.ParsableOctetString(encapsulated),
                },
                "certificates": [certificate] if self.with_certificate else [],
                "signer_infos": [signer],
            }
        )
        token = _cms.ContentInfo({"content_type": "signed_data", "content": content})
        return bytes(token.dump())

    @property
    def _der(self) -> bytes:
        return self.certificate.public_bytes(Encoding.DER)

    def _info(self, octets: bytes, at: datetime) -> Any:
        return _tsp.TSTInfo(
            {
                "version": "v1",
                "policy": self.policy,
                "message_imprint": {
                    "hash_algorithm": {"algorithm": self.digest},
                    "hashed_message": new_hash(self.digest, octets).digest(),
                },
                "serial_number": x509.random_serial_number(),
                "gen_time": at,
                "accuracy": {"seconds": 1},
            }
        )

    def _attributes(self, encapsulated: bytes) -> list[dict[str, Any]]:
        bound = _tsp.SigningCertificateV2(
            {"certs": [{"cert_hash": new_hash("sha256", self._der).digest()}]}
        )
        return [
            {"type": "content_type", "values": ["tst_info"]},
            {
                "type": "message_digest",
                "values": [new_hash(self.digest, encapsulated).digest()],
            },
            {"type": "signing_certificate_v2", "values": [bound]},
        ]

    def _sign(self, octets: bytes) -> bytes:
        algorithm = _HASHES[self.digest]()
        if isinstance(self.key, ec.EllipticCurvePrivateKey):
            return self.key.sign(octets, ec.ECDSA(algorithm))
        return self.key.sign(octets, padding.PKCS1v15(), algorithm)
