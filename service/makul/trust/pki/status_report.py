"""Report the state of the trust material to the operator: terms, ages, and what is missing."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from makul.net.certificate_der import load_certificate
from makul.trust.pki.pending_ocsp import PendingOcsp, queued_files
from makul.trust.pki.trust_material import (
    Material,
    TrustDirectories,
    ca_certificates,
    files_in,
    load_material,
    read_stamp,
)
from makul.trust.revocation.crl import Term


class TrustItemState(StrEnum):
    """The state of one item of the trust material."""

    CURRENT = "CURRENT"
    STALE = "STALE"
    LAPSED = "LAPSED"
    """An OCSP response that has expired. It is requested again when it is needed."""
    OUT_OF_TERM = "OUT_OF_TERM"
    MISSING = "MISSING"
    """A CA that has no CRL here and has never answered by OCSP."""
    UNCLEAR = "UNCLEAR"
    """A CRL or OCSP response that no known CA issued, or that is not understood."""
    WAITING = "WAITING"
    FORMER = "FORMER"
    """An expired CA certificate, or its CRL, if another certificate of the same name has followed
    it."""
    NEXT = "NEXT"
    """A CA certificate that is not valid yet, if another certificate of the same name is valid."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustItem:
    """One item of the trust material, on which verdicts rest."""

    kind: str
    name: str
    state: TrustItemState
    since: datetime | None = None
    until: datetime | None = None
    entries: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """The freshness of the revocation data of all CAs, by the newest CRL of each scope."""

    stale: int
    """The number of CRLs that have expired or are not understood. Signatures that depend on them
    are SIG-07."""
    silent: int
    """The number of CAs without any statement here, except those whose responders are asked."""
    oldest: datetime | None
    """When the oldest of these CRLs was made; None if there is none."""
    ends: datetime | None
    """When the first of these CRLs expires or expired; None if there is none."""


def freshness(material: Material, queried: frozenset[bytes], *, at: datetime) -> Freshness:
    """Return how fresh this material is; `queried` are the CAs whose responders are asked.

    A CA whose certificate has expired, or is not valid yet, need not state anything: nothing that
    it signed is accepted for this moment.
    """
    current = {
        sha256(der).digest()
        for der in (*material.anchors, *material.intermediates)
        if _is_in_term(x509.load_der_x509_certificate(der), at)
    }
    newest = {
        (issuer, crl.scope): crl
        for issuer, stated in material.statements.items()
        for crl in sorted(stated.crls, key=lambda each: each.this_update)
        if crl.this_update <= at and issuer in current
    }.values()
    authorities = current & {sha256(der).digest() for der in _cas_below_anchors(material)}
    return Freshness(
        stale=sum(at >= crl.next_update or crl.revoked is None for crl in newest),
        silent=len(authorities - material.statements.keys() - queried),
        oldest=min((crl.this_update for crl in newest), default=None),
        ends=min((crl.next_update for crl in newest), default=None),
    )


def _is_in_term(certificate: x509.Certificate, at: datetime) -> bool:
    return certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc


def _cas_below_anchors(material: Material) -> Iterator[bytes]:
    """Yield the CAs that lead to an anchor by their names.

    The directories may hold certificates of other CAs as well.
    """
    yield from material.anchors
    names = {load_certificate(der).subject for der in material.anchors}
    unplaced = {der: load_certificate(der) for der in material.intermediates}
    while below := [der for der, certificate in unplaced.items() if certificate.issuer in names]:
        yield from below
        names |= {unplaced.pop(der).subject for der in below}


@dataclass(frozen=True, slots=True)
class TrustSet:
    """The directories that are trusted for one use, and the CAs whose responders are asked."""

    directories: TrustDirectories
    pending_ocsp: PendingOcsp | None = None


def report_items(sets: Sequence[TrustSet], *, at: datetime) -> Iterator[TrustItem]:
    """Yield every item in these directories; raise `TrustStoreError` for what cannot be read.

    A CA may serve several uses and publish its statements in the directory of only one. If a CA is
    below the anchors of two sets and one of them holds its statements, it is missing in neither.
    """
    known = [_KnownSet.load(each) for each in sets]
    for each in known:
        heard = {
            authority
            for other in known
            if other is not each
            for authority in other.below & other.known
        }
        yield from each.report_items(heard, at=at)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Authority:
    """A CA certificate and the file that holds it."""

    kind: str
    path: Path
    certificate: x509.Certificate

    @property
    def fingerprint(self) -> bytes:
        return self.certificate.fingerprint(hashes.SHA256())

    @property
    def term(self) -> Term:
        return self.certificate.not_valid_before_utc, self.certificate.not_valid_after_utc


@dataclass(frozen=True, slots=True, kw_only=True)
class _KnownSet:
    """A set of directories, as loaded."""

    directories: TrustDirectories
    pending_ocsp: PendingOcsp | None
    material: Material
    authorities: Sequence[_Authority]
    below: frozenset[bytes]
    """CAs that lead to an anchor of this set. The other CAs need not state anything for this
    use."""
    known: frozenset[bytes]
    """CAs that have stated something here, and CAs whose responders are asked."""

    @classmethod
    def load(cls, trusted: TrustSet) -> "_KnownSet":
        directories, pending_ocsp = trusted.directories, trusted.pending_ocsp
        material = load_material(directories)
        kinds = (("anchor", directories.anchors), ("intermediate", directories.intermediates))
        queried = pending_ocsp.issuers if pending_ocsp is not None else frozenset()
        return cls(
            directories=directories,
            pending_ocsp=pending_ocsp,
            material=material,
            authorities=[
                _Authority(kind=kind, path=path, certificate=certificate)
                for kind, directory in kinds
                for path, certificate in (
                    ca_certificates(directory) if directory is not None else ()
                )
            ],
            below=frozenset(sha256(der).digest() for der in _cas_below_anchors(material)),
            known=frozenset(material.statements) | queried,
        )

    def report_items(self, heard: AbstractSet[bytes], *, at: datetime) -> Iterator[TrustItem]:
        """Yield the items of this set; `heard` are CAs that have stated something in another."""
        states = {each.fingerprint: self._state(each, at) for each in self.authorities}
        for each in self.authorities:
            since, until = each.term
            state = states[each.fingerprint]
            yield TrustItem(
                kind=each.kind, name=each.path.name, state=state, since=since, until=until
            )
        former = frozenset(each for each, state in states.items() if state is TrustItemState.FORMER)
        yield from _crls(self.directories, self.material, former, at)
        yield from _responses(self.directories, self.material, at)
        for each in self.authorities:
            mute = each.fingerprint in self.below - self.known - heard
            if mute and states[each.fingerprint] not in {
                TrustItemState.FORMER,
                TrustItemState.NEXT,
            }:
                yield TrustItem(
                    kind="CRL", name=f"of {each.path.name}", state=TrustItemState.MISSING
                )
        for path in (
            queued_files(self.pending_ocsp.directory) if self.pending_ocsp is not None else ()
        ):
            yield TrustItem(kind="wanted", name=path.stem, state=TrustItemState.WAITING)

    def _state(self, authority: _Authority, at: datetime) -> TrustItemState:
        """Return the state of a CA certificate.

        A renewed CA has two certificates for a while, and one of them is enough.
        """
        since, until = authority.term
        if since <= at <= until:
            return TrustItemState.CURRENT
        others = [
            each.term
            for each in self.authorities
            if each.certificate.subject == authority.certificate.subject
        ]
        if not any(start <= at <= end for start, end in others):
            return TrustItemState.OUT_OF_TERM
        return TrustItemState.NEXT if at < since else TrustItemState.FORMER


def _crls(
    directories: TrustDirectories, material: Material, former: AbstractSet[bytes], at: datetime
) -> Iterator[TrustItem]:
    """Yield an item for each CRL, except those that a newer CRL of the same CA has superseded."""
    for path in files_in(directories.crls):
        file = material.files[read_stamp(path)]
        stated = {each.digest: (issuer, each) for issuer, each in file.crls}
        if not stated and not file.elsewhere:
            yield TrustItem(kind="CRL", name=path.name, state=TrustItemState.UNCLEAR)
        for issuer, crl in stated.values():
            others = material.statements[issuer].crls
            if any(
                crl.scope == each.scope and crl.this_update < each.this_update <= at
                for each in others
            ):
                continue
            current = crl.this_update <= at < crl.next_update
            lapsed = TrustItemState.FORMER if issuer in former else TrustItemState.STALE
            state = TrustItemState.CURRENT if current else lapsed
            yield TrustItem(
                kind="CRL",
                name=path.name,
                state=TrustItemState.UNCLEAR if crl.revoked is None else state,
                since=crl.this_update,
                until=crl.next_update,
                entries=len(crl.revoked) if crl.revoked is not None else None,
            )


def _responses(
    directories: TrustDirectories, material: Material, at: datetime
) -> Iterator[TrustItem]:
    for path in files_in(directories.ocsp) if directories.ocsp is not None else ():
        stated = {each.digest: each for _, _, each in material.files[read_stamp(path)].answers}
        if not stated:
            yield TrustItem(kind="OCSP", name=path.name, state=TrustItemState.UNCLEAR)
        for each in stated.values():
            current = each.this_update <= at < each.next_update
            yield TrustItem(
                kind="OCSP",
                name=path.name,
                state=TrustItemState.CURRENT if current else TrustItemState.LAPSED,
                since=each.this_update,
                until=each.next_update,
            )
