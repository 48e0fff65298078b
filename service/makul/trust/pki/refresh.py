"""Fetch CRLs and OCSP responses, and store each one after it is verified.

Runs in a process of its own, never in a request. A stored object stays until a better one arrives.
A better one can be parsed, is signed by a known CA, is current, and is not older than the stored
one.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any

from asn1crypto import pem as asn1_pem
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509 import ocsp

from makul.language.translation import translate, translate_cause
from makul.net.certificate_der import load_certificate, load_crl
from makul.net.fetcher import MAX_CRL_BYTES, MAX_RESPONSE_BYTES, Fetch, FetchError
from makul.net.files import FileError, read_bounded, replace_file
from makul.trust.base.errors import UnusableObjectError
from makul.trust.base.findings import RevocationStatus
from makul.trust.pki.certificates import MAX_CERTIFICATE_BYTES, is_issued_by
from makul.trust.pki.pending_ocsp import queued_files
from makul.trust.pki.trust_material import TrustDirectories, ca_certificates
from makul.trust.revocation.crl import find_issuers, read_statement
from makul.trust.revocation.ocsp import load_response, read_ocsp_answer

CLOCK_SKEW = timedelta(minutes=5)
"""The maximum time by which thisUpdate may be in the future."""
KEEP_LAPSED = timedelta(days=1)
"""The time for which an expired OCSP response stays in its directory. The archive keeps it."""

_pem: Any = asn1_pem  # asn1crypto has no type hints


class SourceState(StrEnum):
    """The result of refreshing one source."""

    NEW = "new"
    UNCHANGED = "unchanged"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class RefreshOutcome:
    """The result of refreshing one source, as reported to the operator."""

    source: str
    """The URL, or the SHA-256 of a certificate."""
    result: SourceState
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CrlSource:
    """The URL at which a CA publishes its CRL, and the local file that holds it."""

    url: str
    path: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class OcspSource:
    """The URL of a CA's responder, and the CA's certificate."""

    url: str
    issuer: x509.Certificate


@dataclass(frozen=True, slots=True, kw_only=True)
class Refresher:
    """All sources of an installation, and the directories that they refresh."""

    directories: TrustDirectories
    more_anchors: Path | None
    """The directory of anchors of time-stamping authorities."""
    crls: Sequence[CrlSource]
    responders: Sequence[OcspSource]
    wanted: Path | None
    fetch: Fetch

    def once(self, at: datetime) -> Iterator[RefreshOutcome]:
        """Refresh every source once, and yield an outcome for each.

        Raises `TrustStoreError` if the CA certificates cannot be read.
        """
        authorities = self._authorities()
        for source in self.crls:
            yield _refresh_source(source.url, partial(self._crl, source, authorities, at))
        if self.wanted is not None:
            for path in queued_files(self.wanted):
                yield _refresh_source(path.stem, partial(self._answer, path, at))
        self._forget(at)

    def _authorities(self) -> Sequence[x509.Certificate]:
        directories = (self.directories.anchors, self.directories.intermediates, self.more_anchors)
        return [
            certificate
            for directory in directories
            if directory is not None
            for _, certificate in ca_certificates(directory)
        ]

    def _crl(
        self, source: CrlSource, authorities: Sequence[x509.Certificate], at: datetime
    ) -> SourceState:
        der = _one_object(self.fetch(source.url, None, MAX_CRL_BYTES))
        crl = load_crl(der)
        issuers = find_issuers(crl, authorities, der)
        if not issuers:
            raise _Refused(translate("no CA known here signed it"))
        statement = read_statement(crl, sha256(der).digest())
        if statement.revoked is None:
            raise _Refused(translate("it is partial, or not understood"))
        _require_current(statement.this_update, statement.next_update, at)
        path = source.path
        if path.exists():
            held_der = _one_object(read_bounded(path, MAX_CRL_BYTES))
            if held_der == der:
                return SourceState.UNCHANGED
            stored = load_crl(held_der)
            if stored.issuer != crl.issuer:
                raise _Refused(translate("it is another CA's than the one that is held"))
            if stored.last_update_utc > statement.this_update or _number(stored) > _number(crl):
                raise _Refused(translate("it is older than the one that is held"))
        replace_object(path, der)
        return SourceState.NEW

    def _answer(self, path: Path, at: datetime) -> SourceState:
        """Request the status of one certificate that a worker queued."""
        if self.directories.ocsp is None:
            raise _Refused(translate("trust.ocsp is not set"))
        try:
            content = read_bounded(path, MAX_CERTIFICATE_BYTES)
        except FileError:
            path.unlink()
            raise _Refused(translate("no certificate")) from None
        certificate = load_certificate(content)
        issued = partial(is_issued_by, content, certificate)
        source = next((each for each in self.responders if issued(each.issuer)), None)
        if source is None:
            path.unlink()
            raise _Refused(translate("no responder is set for its issuer"))
        der = self.fetch(source.url, _request(certificate, source.issuer), MAX_RESPONSE_BYTES)
        answer = read_ocsp_answer(load_response(der), [source.issuer], sha256(der).digest())
        if not answer.issuers or answer.serial != certificate.serial_number:
            raise _Refused(
                translate("the answer is not signed for that CA, or is for another certificate")
            )
        _require_current(answer.assertion.this_update, answer.assertion.next_update, at)
        if answer.assertion.end is RevocationStatus.UNKNOWN:
            path.unlink()
            raise _Refused(translate("the responder does not know it"))
        target = self.directories.ocsp / f"{path.stem}.ors"
        if target.exists():
            stored = load_response(read_bounded(target, MAX_RESPONSE_BYTES))
            if stored.this_update_utc > answer.assertion.this_update:
                raise _Refused(translate("it is older than the one that is held"))
        replace_object(target, der)
        path.unlink()
        return SourceState.NEW

    def _forget(self, at: datetime) -> None:
        """Remove good OCSP responses that expired more than `KEEP_LAPSED` ago.

        A response that revokes is never removed.
        """
        if self.directories.ocsp is None:
            return
        for path in self.directories.ocsp.glob("*.ors"):
            try:
                response = load_response(read_bounded(path, MAX_RESPONSE_BYTES))
            except (ValueError, FileError):
                continue  # `makul trust status` reports it to the operator
            until = response.next_update_utc or response.this_update_utc
            good = response.certificate_status is ocsp.OCSPCertStatus.GOOD
            if good and len(path.stem) == 64 and until + KEEP_LAPSED < at:
                path.unlink(missing_ok=True)


def _refresh_source(source: str, act: Callable[[], SourceState]) -> RefreshOutcome:
    try:
        return RefreshOutcome(source=source, result=act())
    except (FetchError, FileError, _Refused) as error:
        return RefreshOutcome(source=source, result=SourceState.FAILED, why=str(error))
    except OSError as error:
        why = translate("cannot be written ({cause})", cause=translate_cause(error.strerror))
        return RefreshOutcome(source=source, result=SourceState.FAILED, why=why)
    except UnusableObjectError as error:
        return RefreshOutcome(source=source, result=SourceState.FAILED, why=str(error))
    except Exception:  # noqa: BLE001 - received bytes may break any parser
        why = translate("cannot be read")
        return RefreshOutcome(source=source, result=SourceState.FAILED, why=why)


class _Refused(Exception):  # noqa: N818 - a finding about what was received
    """The received object is not good enough to be stored."""


def replace_object(path: Path, content: bytes) -> None:
    """Replace a file in one step: readers see either the whole old file or the whole new one."""
    replace_file(path, content, mode=0o644)


def _require_current(this_update: datetime, next_update: datetime, at: datetime) -> None:
    if this_update > at + CLOCK_SKEW:
        raise _Refused(translate("it is from the future; look at this machine's clock"))
    if next_update <= at:
        raise _Refused(translate("it has run out already"))


def _one_object(content: bytes) -> bytes:
    """Return the DER of one object, from DER or from PEM that holds exactly one."""
    if not _pem.detect(content):
        return content
    objects = [der for _, _, der in _pem.unarmor(content, multiple=True)]
    if len(objects) != 1:
        raise _Refused(translate("it holds several objects"))
    der: bytes = objects[0]
    return der


def _number(crl: x509.CertificateRevocationList) -> int:
    try:
        return crl.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number
    except x509.ExtensionNotFound:
        return -1


def _request(certificate: x509.Certificate, issuer: x509.Certificate) -> bytes:
    """Build an OCSP request for one certificate.

    It names the issuer by SHA-1, which every responder knows and which proves nothing here (see
    `revocation.ocsp`).
    """
    builder = ocsp.OCSPRequestBuilder().add_certificate(certificate, issuer, hashes.SHA1())  # noqa: S303
    return builder.build().public_bytes(Encoding.DER)
