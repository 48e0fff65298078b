"""Keep what verdicts rested on permanently, so that a case can be judged again years later.

Every CA certificate, CRL and OCSP response that is loaded is stored under the SHA-256 of its bytes
(`ab/abcd….crl`). It is written once, and Makul never removes it. An index by issuer and time finds
what a CA stated while a certificate, expired by now, was still in its lists.
"""

import logging
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from makul.language.translation import translate
from makul.net.certificate_der import load_certificate, load_crl
from makul.net.fetcher import MAX_CRL_BYTES
from makul.net.files import FileError, MissingFileError, read_bounded, replace_file
from makul.trust.revocation.crl import Statement, find_issuers, read_statement
from makul.trust.revocation.ocsp import load_response, read_ocsp_answer
from makul.trust.revocation.status import CertificateQuery, RevocationAssertion, assertions_of_crls

log = logging.getLogger(__name__)

CERTIFICATE, CRL, RESPONSE = ".cer", ".crl", ".ors"
REMEMBERED_LISTS = 8
"""The maximum number of archived CRLs in memory, about 38 bytes an entry."""

_TIME = "%Y%m%dT%H%M%SZ"
_MARK = re.compile(r"(?P<time>\d{8}T\d{6}Z)-(?P<digest>[0-9a-f]{64})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Archive:
    """The directory of evidence, shared by all processes."""

    directory: Path

    def keep(self, der: bytes, kind: str) -> None:
        """Write one object unless it is already stored; raise `OSError` on failure."""
        path = self._path(sha256(der).digest(), kind)
        if not path.exists():
            _write(path, der)

    def keep_statement(
        self,
        der: bytes,
        kind: str,
        *,
        issuers: Iterable[bytes],
        this_update: datetime,
        serial: int | None = None,
    ) -> None:
        """Write a CRL or an OCSP response, indexed by its issuer's certificate and its time."""
        digest = sha256(der).digest()
        path = self._path(digest, kind)
        if path.exists():
            return
        mark = f"{this_update.astimezone(UTC).strftime(_TIME)}-{digest.hex()}"
        for issuer in issuers:
            _write(self._index(issuer, serial) / mark, b"")
        _write(path, der)  # last, so that every stored object is in the index

    def read(self, digest: bytes) -> tuple[bytes, str] | None:
        """Return an object and its kind, or None if it was never stored.

        Raises `ValueError` if the object does not match the digest that is its name.
        """
        for kind in (CERTIFICATE, CRL, RESPONSE):
            try:
                der = read_bounded(self._path(digest, kind), MAX_CRL_BYTES)
            except MissingFileError:
                continue
            if sha256(der).digest() != digest:
                raise ValueError(translate("an object in the archive is not what it was"))
            return der, kind
        return None

    def assertions(
        self, query: CertificateQuery, issuer: bytes, *, since: datetime, until: datetime
    ) -> Iterator[RevocationAssertion]:
        """Yield the newest statements of this CA from each source, within that time.

        `issuer` is the CA's certificate, as DER. Statements are read from the archive and verified
        again, because an entry of the index proves nothing. If the archive cannot be read, a
        warning is logged and nothing more is yielded.
        """
        fingerprint = sha256(issuer).digest()
        try:
            for digest in self._newest(fingerprint, None, since, until):
                crl = _crl_statement(self, digest, issuer)
                if crl is not None and not query.listed_elsewhere:
                    yield from assertions_of_crls([crl], query)
            for digest in self._newest(fingerprint, query.serial, since, until):
                yield from _answer(self, digest, issuer, query)
        except (FileError, OSError, ValueError):
            log.warning("the archive of evidence cannot be read: %s", self.directory)

    def _newest(
        self, issuer: bytes, serial: int | None, since: datetime, until: datetime
    ) -> Iterator[bytes]:
        """Yield the digests of the latest instant within that time; several if none is newer."""
        try:
            names = [each.name for each in self._index(issuer, serial).iterdir()]
        except FileNotFoundError:
            return
        within = (since.astimezone(UTC).strftime(_TIME), until.astimezone(UTC).strftime(_TIME))
        marks = [mark for mark in map(_MARK.fullmatch, names) if mark is not None]
        times = [mark["time"] for mark in marks if within[0] <= mark["time"] <= within[1]]
        for mark in marks:
            if times and mark["time"] == max(times):
                yield bytes.fromhex(mark["digest"])

    def _path(self, digest: bytes, kind: str) -> Path:
        name = digest.hex()
        return self.directory / name[:2] / f"{name}{kind}"

    def _index(self, issuer: bytes, serial: int | None) -> Path:
        part = "crls" if serial is None else f"{serial:x}"
        return self.directory / "by-issuer" / issuer.hex() / part


def restore(
    archive: Archive, *, anchors: Iterable[bytes], digests: Iterable[bytes], into: Path
) -> None:
    """Write `anchors`, `intermediates`, `crls` and `ocsp` into a directory, as they once were.

    The objects are those whose digests a report names. Raises `LookupError` for one that is not
    stored.
    """
    places = {CERTIFICATE: "intermediates", CRL: "crls", RESPONSE: "ocsp"}
    for name in ("anchors", *places.values()):
        (into / name).mkdir(parents=True, exist_ok=True)
    trusted = set(anchors)
    for digest in {*trusted, *digests}:
        stored = archive.read(digest)
        if stored is None:
            raise LookupError(
                translate("the archive does not contain {digest}", digest=digest.hex())
            )
        der, kind = stored
        place = "anchors" if digest in trusted else places[kind]
        (into / place / f"{digest.hex()}{kind}").write_bytes(der)


@lru_cache(maxsize=REMEMBERED_LISTS)
def _crl_statement(archive: Archive, digest: bytes, issuer: bytes) -> Statement | None:
    stored = archive.read(digest)
    if stored is None:
        return None
    crl = load_crl(stored[0])
    if not find_issuers(crl, [load_certificate(issuer)], stored[0]):
        return None
    return read_statement(crl, digest)


def _answer(
    archive: Archive, digest: bytes, issuer: bytes, query: CertificateQuery
) -> Iterator[RevocationAssertion]:
    stored = archive.read(digest)
    if stored is None:
        return
    authority = load_certificate(issuer)
    answer = read_ocsp_answer(load_response(stored[0]), [authority], digest)
    if answer.issuers and answer.serial == query.serial and answer.assertion.responder is None:
        yield answer.assertion


def _write(path: Path, content: bytes) -> None:
    replace_file(path, content, mode=0o644, directory_mode=0o700)
