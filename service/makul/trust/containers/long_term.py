"""Prove the time of a signature and the state of its certificates: XAdES level LT.

A time-stamping authority is asked for a timestamp of the signature value. The certificates and the
revocation data of both paths, the signer's and the authority's, are added from the operator's own
directories. What is missing lowers the level, and the reason is reported: a file without a
timestamp is still evidence.
"""

import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

from asn1crypto import tsp
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from makul.language.translation import mark
from makul.net.fetcher import Fetch, FetchError
from makul.trust.base.findings import PathFinding, TimestampFinding
from makul.trust.containers.asice_signature import MAX_VALUE_BYTES, ValidationValues
from makul.trust.containers.asice_writer import LongTermData
from makul.trust.pki.certificates import read_certificate
from makul.trust.pki.trust_material import TrustDirectories, read_objects
from makul.trust.pki.trust_store import TrustStore
from makul.trust.timestamps import MAX_TOKEN_BYTES, judge

_tsp: Any = tsp  # asn1crypto has no type annotations

_NONCE_BITS: Final = 64
_GRANTED: Final = frozenset({"granted", "granted_with_mods"})

NO_AUTHORITY = mark("no time-stamping authority is set")
NOT_STAMPED = mark("the time-stamping authority gave no timestamp that counts")
SIGNER_UNPROVEN = mark("no trusted path with current revocation data leads to our certificate")
VALUE_MISSING = mark("a certificate or CRL of the paths is missing or too large")


class SignatureLevel(StrEnum):
    """The level of a signature (ETSI EN 319 132-1, 6)."""

    B = "B-B"
    T = "B-T"
    LT = "B-LT"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimestampAuthority:
    """The address of an authority, and the trust data by which its timestamps count."""

    url: str
    fetch: Fetch
    store: TrustStore
    directories: TrustDirectories
    policies: frozenset[str] = frozenset()


@dataclass(slots=True, kw_only=True)
class SignatureProlongation:
    """Adds what level LT needs, as far as it can be had. One object serves one signature."""

    certificate: x509.Certificate
    authority: TimestampAuthority | None
    store: TrustStore | None
    """The anchors of signers; None without an authority."""
    directories: TrustDirectories
    clock: Callable[[], datetime]
    level: SignatureLevel = SignatureLevel.B
    why: str | None = NO_AUTHORITY
    """Why the level is not LT; marked for translation."""

    def __call__(self, octets: bytes) -> LongTermData:
        """Return the timestamp over the canonical SignatureValue, and the values of both paths."""
        if self.authority is None or self.store is None:
            return LongTermData()
        token, stamped = _stamp(self.authority, octets, self.clock)
        if token is None or stamped is None or stamped.path is None:
            self.why = NOT_STAMPED
            return LongTermData()
        self.level, self.why = SignatureLevel.T, SIGNER_UNPROVEN
        signer = self.store.judge(
            read_certificate(self.certificate.public_bytes(Encoding.DER)), at=self.clock()
        )
        if signer.code is not None:
            return LongTermData(timestamps=(token,))
        values = _collect((signer, stamped.path), (self.directories, self.authority.directories))
        if values is None:
            self.why = VALUE_MISSING
            return LongTermData(timestamps=(token,))
        self.level, self.why = SignatureLevel.LT, None
        return LongTermData(timestamps=(token,), values=values)


def request_timestamp(url: str, fetch: Fetch, octets: bytes) -> bytes | None:
    """Return the token that an authority gives for these octets; None if it gives none.

    The token is not judged yet. Raises `FetchError` if the authority cannot be reached.
    """
    nonce = secrets.randbits(_NONCE_BITS)
    query = _tsp.TimeStampReq(
        {
            "version": "v1",
            "message_imprint": {
                "hash_algorithm": {"algorithm": "sha256"},
                "hashed_message": sha256(octets).digest(),
            },
            "nonce": nonce,
            "cert_req": True,
        }
    )
    answer = fetch(url, query.dump(), MAX_TOKEN_BYTES)
    try:
        response = _tsp.TimeStampResp.load(answer, strict=True)
        token = response["time_stamp_token"]
        info = token["content"]["encap_content_info"]["content"].parsed
        if response["status"]["status"].native not in _GRANTED or info["nonce"].native != nonce:
            return None
        return bytes(token.dump())
    except Exception:  # noqa: BLE001 - a server's octets may break any parser: no timestamp
        return None


def _stamp(
    authority: TimestampAuthority, octets: bytes, clock: Callable[[], datetime]
) -> tuple[bytes | None, TimestampFinding | None]:
    try:
        token = request_timestamp(authority.url, authority.fetch, octets)
    except FetchError:
        return None, None
    if token is None:
        return None, None
    finding = judge(token, octets, authority.store, at=clock(), policies=authority.policies)
    return (token, finding) if finding.code is None else (None, None)


def _collect(
    paths: Sequence[PathFinding], directories: Sequence[TrustDirectories]
) -> ValidationValues | None:
    """Return the CA certificates and revocation data of the paths; None if one is missing."""
    certificates = list(dict.fromkeys(digest for path in paths for digest in path.path[1:]))
    found = [each for path in paths for each in path.revocation]
    crls, responses = (
        list(dict.fromkeys(each.digest or b"" for each in found if each.source == source))
        for source in ("CRL", "OCSP")
    )
    stored = dict(_stored(directories, {*certificates, *crls, *responses}))
    if any(digest not in stored for digest in (*certificates, *crls, *responses)):
        return None
    return ValidationValues(
        certificates=_in_order(certificates, stored),
        crls=_in_order(crls, stored),
        responses=_in_order(responses, stored),
    )


def _stored(
    directories: Sequence[TrustDirectories], digests: set[bytes]
) -> Iterator[tuple[bytes, bytes]]:
    """Yield the objects with these digests that lie in the directories and are not too large."""
    places = {
        place: None
        for named in directories
        for place in (named.anchors, named.intermediates, named.crls, named.ocsp)
        if place is not None
    }
    for place in places:
        for each in read_objects(place, lambda der: der):
            digest = sha256(each.der).digest()
            if digest in digests and len(each.der) <= MAX_VALUE_BYTES:
                yield digest, each.der


def _in_order(digests: Sequence[bytes], stored: Mapping[bytes, bytes]) -> tuple[bytes, ...]:
    return tuple(stored[digest] for digest in digests)
