"""Ask whether a signature that was proved once can still be proved, from what was stored about it.

The validation report of a decision names everything that its verdict rested on: the document, the
certificates, and the revocation evidence. A month has a million reports. So the signature is not
computed again, because the same bytes and the same key give the same result: `makul document
rejudge` does that for one decision. What can change is asked of every report: whether the material
is still in the archive, whether its anchor is still trusted, and whether a certificate authority
has stated since then that a certificate was revoked before the signature was proved.
"""

import re
from binascii import a2b_base64
from collections.abc import Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from enum import StrEnum
from functools import cached_property, lru_cache
from hashlib import sha256
from itertools import repeat

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from makul.net.certificate_der import load_certificate, read_serial_number
from makul.trust.pki.trust_material import Material
from makul.trust.revocation.archive import Archive
from makul.trust.revocation.crl import CrlEntry
from makul.trust.revocation.status import IssuerAssertions

_REMEMBERED = 65_536
"""Maximum number of archived objects that are known to be intact: about 10 MB."""

_HEX = rb"[0-9a-f]{64}"
_PASSED = b'{"version":1,"indication":"TOTAL-PASSED",'
_TIME = b'"bestSignatureTime":"'
_EVIDENCE = b'],"evidence":{"document":"'
"""Parts of a report as `report_json` writes it. A quotation mark inside a text is escaped, so no
text can contain the name of a field."""
_PROVED = re.compile(
    rb"(?P<document>" + _HEX + rb')"'
    rb',"certificates":\["(?P<certificates>' + _HEX + rb'(?:","' + _HEX + rb')*)"\]'
    rb',"revocation":\[(?P<revocation>[^\]]*)\],"timestamps":\['
)
"""What follows `_EVIDENCE`."""
_DIGEST = re.compile(rb'"digest":"(' + _HEX + rb')"')
_CERTIFICATE = b"X509Certificate>"
"""The end of the start tag, with any prefix. An end tag has it too, and no certificate follows."""

_SERIAL = re.compile(rb"0\x82..0\x82..\xa0\x03\x02\x01\x02\x02.", re.DOTALL)
"""A certificate of version 3, with lengths of two octets, up to the length of the serial number."""
_LONG_LENGTH = 0x80


class ProofFault(StrEnum):
    """Why a signature that was proved when the decision was made cannot be proved now."""

    REPORT_NOT_STORED = "REPORT_NOT_STORED"
    """The report to which the leaf of the decision commits is missing or altered."""
    SIGNATURE_NOT_PROVED = "SIGNATURE_NOT_PROVED"
    """The stored report does not say that the signature of this document is valid."""
    PROOF_NOT_STORED = "PROOF_NOT_STORED"
    """A certificate, CRL or OCSP response that the report names is not in the archive."""
    ANCHOR_NOT_TRUSTED = "ANCHOR_NOT_TRUSTED"
    """The anchor of the path is not trusted any more."""
    CERTIFICATE_REVOKED = "CERTIFICATE_REVOKED"
    """A certificate of the path was revoked with effect from before the signature was proved."""


class StoredProofs:
    """The present trust material and archive, by which stored reports are judged.

    `archive` is None if the installation has none. Then it is not asked.
    """

    def __init__(self, material: Material, archive: Archive | None) -> None:
        self._material = material
        self._archive = archive
        self._is_stored = lru_cache(maxsize=_REMEMBERED)(self._is_in_archive)
        self._is_anchor = lru_cache(maxsize=_REMEMBERED)(self._has_key_of_anchor)
        self._serial_number = lru_cache(maxsize=_REMEMBERED)(self._read_authority)

    def find_fault(self, report: bytes | None, document: bytes, digest: bytes) -> ProofFault | None:
        """Return why this document cannot be proved now; None if it can.

        `digest` is the SHA-256 of the document, which the caller has computed.
        """
        if report is None:
            return ProofFault.REPORT_NOT_STORED
        proved = _read_report(report)
        if proved is None or proved["document"].decode() != digest.hex():
            return ProofFault.SIGNATURE_NOT_PROVED
        path = proved["certificates"].decode().split('","')
        signer = _find_certificate(document, path[0])
        if signer is None:
            return ProofFault.SIGNATURE_NOT_PROVED
        authorities = path[1:]
        rested = {each.decode() for each in _DIGEST.findall(proved["revocation"])}
        if self._archive is not None and not all(map(self._is_stored, (*authorities, *rested))):
            return ProofFault.PROOF_NOT_STORED
        if not self._is_anchor(path[-1]):
            return ProofFault.ANCHOR_NOT_TRUSTED
        at = _read_time(report)
        serials = (_read_serial_number(signer), *map(self._serial_number, authorities[:-1]))
        return (
            ProofFault.CERTIFICATE_REVOKED
            if any(map(self._is_revoked, authorities, serials, repeat(at)))
            else None
        )

    def _is_revoked(self, issuer: str, serial: int | None, at: datetime) -> bool:
        """Return whether a certificate of this authority did not count any more at this moment."""
        stated = self._material.statements.get(bytes.fromhex(issuer))
        if stated is None or serial is None:
            return False
        return any(entry.effective <= at for entry in _list_entries(stated, serial))

    def _read_archive(self, digest: str) -> bytes | None:
        """Return an object of the archive; None if it is missing or altered."""
        try:
            found = self._archive.read(bytes.fromhex(digest)) if self._archive else None
        except ValueError:
            return None
        return None if found is None else found[0]

    def _is_in_archive(self, digest: str) -> bool:
        return self._read_archive(digest) is not None

    def _has_key_of_anchor(self, digest: str) -> bool:
        """Return whether a certificate is an anchor, or has the name and key of one."""
        if bytes.fromhex(digest) in self._material.anchor_terms:
            return True
        der = self._read_archive(digest)
        return der is not None and _name_and_key(der) in self._anchor_names_and_keys

    @cached_property
    def _anchor_names_and_keys(self) -> frozenset[tuple[bytes, bytes]]:
        return frozenset(map(_name_and_key, self._material.anchors))

    def _read_authority(self, digest: str) -> int | None:
        """Return the serial number of an authority's certificate; None if it is not known."""
        der = self._authorities.get(digest) or self._read_archive(digest)
        return None if der is None else _read_serial_number(der)

    @cached_property
    def _authorities(self) -> Mapping[str, bytes]:
        known = (*self._material.anchors, *self._material.intermediates)
        return {sha256(der).hexdigest(): der for der in known}


def _list_entries(stated: IssuerAssertions, serial: int) -> Iterator[CrlEntry]:
    """Yield what a CA states about a certificate of its own, in every CRL and OCSP response."""
    for crl in stated.crls:
        with suppress(OverflowError):  # no list can hold this serial number
            if crl.revoked is not None and (entry := crl.revoked.of(serial)) is not None:
                yield entry
    for answer in stated.answers.get(serial, ()):
        if answer.entry is not None:
            yield answer.entry


def _read_report(report: bytes) -> re.Match[bytes] | None:
    """Return what a report of a valid signature rests on; None for any other report."""
    at = report.find(_EVIDENCE)
    return _PROVED.match(report, at + len(_EVIDENCE)) if report.startswith(_PASSED) else None


def _read_time(report: bytes) -> datetime:
    """Return when the signature was proved to exist. Raises `ValueError`."""
    begin = report.index(_TIME) + len(_TIME)
    return datetime.fromisoformat(report[begin : report.index(b'"', begin)].decode())


def _find_certificate(document: bytes, digest: str) -> bytes | None:
    """Return the certificate with this digest that came with the signature; None if none has it."""
    at = document.find(_CERTIFICATE)
    while at >= 0:
        begin = at + len(_CERTIFICATE)
        text = document[begin : document.find(b"<", begin)]
        if b"&" in text:  # a line end of Windows in canonical XML
            text = text.replace(b"&#13;", b"").replace(b"&#xD;", b"")
        with suppress(ValueError):
            der = a2b_base64(text)
            if sha256(der).hexdigest() == digest:
                return der
        at = document.find(_CERTIFICATE, begin)
    return None


def _read_serial_number(der: bytes) -> int:
    """Return the serial number; of a certificate with the usual lengths it is at a fixed place."""
    usual = _SERIAL.match(der)
    if usual is not None and (width := der[usual.end() - 1]) < _LONG_LENGTH:
        return int.from_bytes(der[usual.end() : usual.end() + width], "big", signed=True)
    return read_serial_number(der)


def _name_and_key(der: bytes) -> tuple[bytes, bytes]:
    certificate = load_certificate(der)
    return (
        certificate.subject.public_bytes(),
        certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo),
    )
