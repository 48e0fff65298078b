"""One verified consent: CPU compared with two canonicalisations, a hash and an RSA verification.

The verifier is that of the request path, wired by `composition`; the path of the citizen's
certificate is cached. The floor gets only parsed trees and loaded keys.
"""

import time
from base64 import b64decode
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from lxml import etree

from makul.domain.disclosures import ProofStatus
from makul_testing.in_process_service import InProcessService

DS = "{http://www.w3.org/2000/09/xmldsig#}"


def measure_verification(
    installation: InProcessService,
    consent: bytes,
    citizen: x509.Certificate,
    *,
    rounds: int,
    per_round: int,
) -> dict[str, Any]:
    """Run both interleaved, round by round; the best round of each counts."""
    at = installation.clock()
    floor = _floor(consent, citizen)

    def verify() -> None:
        proof = installation.parts.verifier.verify(consent, at=at).proof
        assert proof.status is ProofStatus.PASSED, proof.reasons

    verify()
    real, raw = [], []
    for _ in range(rounds):
        real.append(_cpu(verify, per_round))
        raw.append(_cpu(floor, per_round))
    ratio = min(real) / min(raw)
    print(f"one consent verified: {min(real) * 1e6:5.0f} µs CPU, {len(consent):,} bytes")
    print(f"its floor:            {min(raw) * 1e6:5.0f} µs CPU")
    print(f"verify cpu / floor: {ratio:.2f}")
    return {
        "verify_cpu_ratio": round(ratio, 3),
        "verify_cpu_us": round(min(real) * 1e6, 1),
        "verify_floor_cpu_us": round(min(raw) * 1e6, 1),
        "verify_document_bytes": len(consent),
    }


def _floor(consent: bytes, citizen: x509.Certificate) -> Callable[[], None]:
    """Canonicalise the signed document and its SignedInfo, hash once, and verify RSA once."""
    document = etree.fromstring(consent)
    signature = next(document.iter(f"{DS}Signature"))
    info = etree.fromstring(etree.tostring(signature.find(f"{DS}SignedInfo"), with_tail=False))
    value = b64decode(signature.findtext(f"{DS}SignatureValue", ""))
    document.remove(signature)
    key = citizen.public_key()
    assert isinstance(key, rsa.RSAPublicKey)

    def once() -> None:
        sha256(_canonical(document)).digest()
        key.verify(value, _canonical(info), padding.PKCS1v15(), hashes.SHA256())

    return once


def _canonical(element: Any) -> bytes:
    return etree.tostring(element, method="c14n", exclusive=False)


def _cpu(work: Callable[[], None], times: int) -> float:
    began = time.process_time()
    for _ in range(times):
        work()
    return (time.process_time() - began) / times
