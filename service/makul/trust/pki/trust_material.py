"""Load the trust material from directories: CA certificates, CRLs and OCSP responses.

Files are PEM or DER, with one or several objects each. Their names end in one of `SUFFIXES`. A new
file must be moved in by a rename, because one unreadable file makes the whole store unusable.
"""

import logging
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType
from typing import Any, Generic, TypeAlias, TypeVar

from asn1crypto import pem as asn1_pem
from cryptography import x509

from makul.language.report_reasons import translate_reason
from makul.language.translation import mark, translate, translate_cause
from makul.net.certificate_der import load_certificate, load_crl
from makul.net.fetcher import MAX_CRL_BYTES
from makul.net.files import FileError, read_bounded
from makul.trust.base.algorithms import PublicKey, strong_public_key
from makul.trust.base.errors import SignatureFailure, UnusableObjectError
from makul.trust.pki.certificates import read_public_key, require_regular_serial
from makul.trust.revocation.archive import CERTIFICATE, CRL, RESPONSE, Archive
from makul.trust.revocation.crl import Statement, Term, find_issuers, read_statement, read_term
from makul.trust.revocation.ocsp import load_response, read_ocsp_answer
from makul.trust.revocation.status import IssuerAssertions, RevocationAssertion

log = logging.getLogger(__name__)

ParsedT = TypeVar("ParsedT")

SUFFIXES = frozenset({".pem", ".crt", ".cer", ".der", ".crl", ".ors", ".ocsp"})
"""The suffixes of files that are read. Other files in the directories (a README, an editor's copy)
are ignored."""


Stamp: TypeAlias = tuple[str, int, int, int]
"""The path, modification time, size and inode number of a file. A replaced file has another
stamp."""


class TrustStoreError(Exception):
    """The trust material cannot be used. The message names the file and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustDirectories:
    """The directories that hold the trust material for one use."""

    anchors: Path
    """CA certificates that are trusted directly."""
    crls: Path
    """The CRLs. Every CA that issues certificates for this use must have a current CRL here."""
    intermediates: Path | None = None
    """CA certificates that lead to an anchor."""
    ocsp: Path | None = None
    """OCSP responses, each for one certificate."""
    archive: Path | None = None
    """The archive in which everything that was loaded is kept permanently."""
    elsewhere: Path | None = None
    """CA certificates that are trusted for another use and whose CRLs are in `crls` too. Here these
    CRLs state nothing, and no warning is logged for them."""
    others_expected: bool = False
    """Whether CRLs and OCSP responses of unknown authorities may be here without a warning. An
    example is an auditor who gives a directory of all CRLs to have one document judged."""

    def fingerprint(self) -> tuple[Stamp, ...]:
        """Return a value that changes when a file is added, replaced or removed.

        It costs one `stat` for each file.
        """
        return tuple(read_stamp(path) for path in self._files())

    def _files(self) -> Iterator[Path]:
        for directory in (self.anchors, self.intermediates, self.crls, self.ocsp):
            if directory is not None:
                yield from files_in(directory)


def read_stamp(path: Path) -> Stamp:
    """Return the stamp of a file, at the cost of one `stat`."""
    status = path.stat()
    return str(path), status.st_mtime_ns, status.st_size, status.st_ino


def files_in(directory: Path) -> Sequence[Path]:
    """Return the files of trust material in a directory, sorted by path.

    Raises `TrustStoreError` if the directory cannot be read.
    """
    try:
        entries = [entry for entry in os.scandir(directory) if entry.is_file()]
    except OSError as error:
        template = mark("{path}: {cause}. Make this directory and put the files there.")
        cause = translate_cause(error.strerror)
        raise TrustStoreError(translate(template, path=directory, cause=cause)) from None
    return sorted(Path(entry) for entry in entries if Path(entry).suffix.lower() in SUFFIXES)


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """The trust material of one moment. Immutable, and safe between threads."""

    anchors: Sequence[bytes]
    """Anchor CA certificates, as DER."""
    intermediates: Sequence[bytes]
    """Intermediate CA certificates, as DER."""
    statements: Mapping[bytes, IssuerAssertions]
    """What each CA states, by the SHA-256 of its certificate, that is, by its name *and* its
    key."""
    anchor_terms: Mapping[bytes, Term]
    """notBefore and notAfter of every anchor, by the SHA-256 of its certificate."""
    anchor_keys: Sequence[PublicKey]
    """The public keys of the anchors. Any certificate with the name and key of an anchor counts as
    that anchor."""
    digest: bytes
    """SHA-256 over every object. Verdicts are cached under it."""
    authorities_digest: bytes
    """SHA-256 over the CA certificates only."""
    files: Mapping[Stamp, "_Stated"]
    """What each file of CRLs or OCSP responses states. It is kept so that each file is read only
    once."""


def load_material(directories: TrustDirectories, before: Material | None = None) -> Material:
    """Read all trust material; raise `TrustStoreError` for a file that cannot be used.

    Files that are unchanged since `before` are not read again, because a long CRL takes seconds.
    They are reused only if the CA certificates are unchanged too.
    """
    anchors = read_objects(directories.anchors, _ca_certificate)
    if not anchors:
        raise TrustStoreError(
            translate(
                "{path}: no anchors. Put the CA certificates to be trusted there.",
                path=directories.anchors,
            )
        )
    intermediates = (
        read_objects(directories.intermediates, _intermediate) if directories.intermediates else []
    )
    authorities = {each.parsed: each.fingerprint for each in (*anchors, *intermediates)}
    authorities_digest = _digest(
        [each.fingerprint for each in anchors], [each.fingerprint for each in intermediates]
    )
    usable = before is not None and before.authorities_digest == authorities_digest
    known = before.files if before is not None and usable else {}
    try:
        if directories.archive is not None:
            for each in (*anchors, *intermediates):
                Archive(directories.archive).keep(each.der, CERTIFICATE)
        others = (
            read_objects(directories.elsewhere, _ca_certificate) if directories.elsewhere else []
        )
        authorities_known = _Known(
            authorities, [each.parsed for each in others], directories.others_expected
        )
        files = _files(directories, authorities_known, known)
    except OSError as error:
        path, cause = error.filename, translate_cause(error.strerror)
        message = translate("{path}: {cause}. Mend that.", path=path, cause=cause)
        raise TrustStoreError(message) from None
    return Material(
        anchors=tuple(each.der for each in anchors),
        intermediates=tuple(each.der for each in intermediates),
        statements=_group_by_issuer(files.values()),
        anchor_terms={each.fingerprint: _certificate_term(each.parsed) for each in anchors},
        anchor_keys=tuple(strong_public_key(each.parsed.public_key()) for each in anchors),
        digest=_digest(
            [authorities_digest], [digest for stated in files.values() for digest in stated.digests]
        ),
        authorities_digest=authorities_digest,
        files=files,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stated:
    """What one file states.

    Each statement is stored with the fingerprint of a certificate of the CA behind it.
    """

    digests: Sequence[bytes]
    """SHA-256 of every object in the file."""
    crls: Sequence[tuple[bytes, Statement]] = ()
    answers: Sequence[tuple[bytes, int, RevocationAssertion]] = ()
    """OCSP responses, each with the serial number of the certificate that it is about."""
    elsewhere: bool = False
    """Whether the file holds a CRL of a CA that is trusted only for another use."""


@dataclass(frozen=True, slots=True)
class _Known:
    """The known CAs: those trusted for this use, by fingerprint, and those trusted for others."""

    here: Mapping[x509.Certificate, bytes]
    elsewhere: Sequence[x509.Certificate]
    others_expected: bool


def _files(
    directories: TrustDirectories,
    authorities: _Known,
    known: Mapping[Stamp, _Stated],
) -> Mapping[Stamp, _Stated]:
    files: dict[Stamp, _Stated] = {}
    archive = Archive(directories.archive) if directories.archive is not None else None
    for path in files_in(directories.crls):
        stamp = read_stamp(path)
        files[stamp] = known.get(stamp) or _read_crls(path, authorities, archive)
    for path in files_in(directories.ocsp) if directories.ocsp else ():
        stamp = read_stamp(path)
        files[stamp] = known.get(stamp) or _read_answers(path, authorities, archive)
    return files


@dataclass(frozen=True, slots=True, kw_only=True)
class _Object(Generic[ParsedT]):
    """A parsed certificate, CRL or OCSP response, with its bytes and the file that holds it."""

    path: Path
    der: bytes
    parsed: ParsedT

    @property
    def fingerprint(self) -> bytes:
        return sha256(self.der).digest()


def _group_by_issuer(files: Iterable[_Stated]) -> Mapping[bytes, IssuerAssertions]:
    crls: dict[bytes, list[Statement]] = {}
    answers: dict[bytes, dict[int, list[RevocationAssertion]]] = {}
    for stated in files:
        for issuer, statement in stated.crls:
            crls.setdefault(issuer, []).append(statement)
        for issuer, serial, assertion in stated.answers:
            answers.setdefault(issuer, {}).setdefault(serial, []).append(assertion)
    return MappingProxyType(
        {
            issuer: IssuerAssertions(
                crls=tuple(crls.get(issuer, ())), answers=MappingProxyType(answers.get(issuer, {}))
            )
            for issuer in crls.keys() | answers.keys()
        }
    )


def _read_crls(path: Path, known: _Known, archive: Archive | None) -> _Stated:
    """Return what the CRLs in a file state, for each certificate of the CA that issued them."""
    objects = _objects(path, _crl)
    stated: list[tuple[bytes, Statement]] = []
    elsewhere = False
    authorities = known.here
    for crl in objects:
        issuers = find_issuers(crl.parsed, authorities, crl.der)
        if not issuers and find_issuers(crl.parsed, known.elsewhere, crl.der):
            elsewhere = True
            continue
        if not issuers:
            if not known.others_expected:
                log.warning("%s: a CRL states nothing, no CA known here signed it", path)
            continue
        statement = read_statement(crl.parsed, crl.fingerprint)
        if statement.revoked is None:
            log.warning("%s: a CRL states nothing, because it is partial or not understood", path)
        stated += [(authorities[issuer], statement) for issuer in issuers]
        if archive is not None:
            archive.keep_statement(
                crl.der,
                CRL,
                issuers=[authorities[issuer] for issuer in issuers],
                this_update=statement.this_update,
            )
    digests = [each.fingerprint for each in objects]
    return _Stated(digests=digests, crls=stated, elsewhere=elsewhere)


def _read_answers(path: Path, known: _Known, archive: Archive | None) -> _Stated:
    """Return what the OCSP responses in a file state, for each certificate of the CA behind one."""
    authorities = known.here
    objects = _objects(path, load_response)
    stated: list[tuple[bytes, int, RevocationAssertion]] = []
    for each in objects:
        answer = read_ocsp_answer(each.parsed, authorities, each.fingerprint)
        if not answer.issuers and not known.others_expected:
            log.warning("%s: an OCSP response states nothing, no CA known here stands by it", path)
        stated += [
            (authorities[issuer], answer.serial, answer.assertion) for issuer in answer.issuers
        ]
        if archive is not None and answer.issuers:
            archive.keep_statement(
                each.der,
                RESPONSE,
                issuers=[authorities[issuer] for issuer in answer.issuers],
                this_update=answer.assertion.this_update,
                serial=answer.serial,
            )
    return _Stated(digests=[each.fingerprint for each in objects], answers=stated)


_pem: Any = asn1_pem  # asn1crypto has no type hints


def ca_certificates(directory: Path) -> Iterator[tuple[Path, x509.Certificate]]:
    """Yield every CA certificate in a directory, with its file.

    Raises `TrustStoreError` for a file that cannot be used.
    """
    for each in read_objects(directory, _ca_certificate):
        yield each.path, each.parsed


def read_objects(directory: Path, parse: Callable[[bytes], ParsedT]) -> list[_Object[ParsedT]]:
    """Return every object in the directory's files, parsed."""
    return [each for path in files_in(directory) for each in _objects(path, parse)]


def _objects(path: Path, parse: Callable[[bytes], ParsedT]) -> list[_Object[ParsedT]]:
    try:
        content = read_bounded(path, MAX_CRL_BYTES)
        if _pem.detect(content):
            objects = [der for _, _, der in _pem.unarmor(content, multiple=True)]
        else:
            objects = [content]
        return [_Object(path=path, der=der, parsed=parse(der)) for der in objects]
    except FileError as error:
        raise TrustStoreError(translate("{problem} Or take it away.", problem=error)) from None
    except UnusableObjectError as error:
        template = mark("{path}: cannot be used ({problem}). Replace it, or take it away.")
        raise TrustStoreError(translate(template, path=path, problem=error)) from None
    except Exception:  # noqa: BLE001 - a parser's error of any kind: it cannot be used
        raise TrustStoreError(
            translate(
                "{path}: cannot be used (it is neither PEM nor DER). Replace it, or take it away.",
                path=path,
            )
        ) from None


def _ca_certificate(der: bytes) -> x509.Certificate:
    try:
        certificate = load_certificate(der)
    except ValueError:
        raise UnusableObjectError(translate("it is no certificate in PEM or DER")) from None
    try:
        constraints = certificate.extensions.get_extension_for_class(x509.BasicConstraints)
    except x509.ExtensionNotFound:
        raise UnusableObjectError(translate("it is not a CA's certificate")) from None
    if not constraints.value.ca:
        raise UnusableObjectError(translate("it is not a CA's certificate"))
    try:
        strong_public_key(read_public_key(certificate))
    except SignatureFailure as failure:
        raise UnusableObjectError(translate_reason(failure.why)) from None
    return certificate


def _intermediate(der: bytes) -> x509.Certificate:
    """Parse a CA certificate whose revocation a CRL can state; raise `ValueError` for any other."""
    try:
        require_regular_serial(der)
    except SignatureFailure as failure:
        raise UnusableObjectError(translate_reason(failure.why)) from None
    except ValueError:
        raise UnusableObjectError(translate("it is no certificate in PEM or DER")) from None
    return _ca_certificate(der)


def _crl(der: bytes) -> x509.CertificateRevocationList:
    try:
        crl = load_crl(der)
    except ValueError:
        why = translate("it is no CRL in PEM or DER, or its two signature algorithms do not match")
        raise UnusableObjectError(why) from None
    try:
        _ = read_term(crl)
    except ValueError as error:
        raise UnusableObjectError(str(error)) from None
    return crl


def _certificate_term(certificate: x509.Certificate) -> Term:
    return certificate.not_valid_before_utc, certificate.not_valid_after_utc


def _digest(*kinds: Sequence[bytes]) -> bytes:
    """Return one SHA-256 over the digests of all objects, kind by kind."""
    whole = sha256()
    for digests in kinds:
        whole.update(len(digests).to_bytes(4, "big"))
        for each in digests:
            whole.update(each)
    return whole.digest()
