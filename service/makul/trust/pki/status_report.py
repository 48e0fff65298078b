"""What is trusted, told to the operator: terms, ages, and what is missing."""

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
from makul.trust.pki.pending_ocsp import Wanted, left_in
from makul.trust.pki.trust_material import (
    Material,
    TrustDirectories,
    ca_certificates,
    files_in,
    load_material,
    stamp_of,
)
from makul.trust.revocation.crl import Term


class TrustItemState(StrEnum):
    """How one thing stands."""

    CURRENT = "CURRENT"
    STALE = "STALE"
    LAPSED = "LAPSED"
    """An OCSP response that has run out; it is asked for anew when it is needed."""
    OUT_OF_TERM = "OUT_OF_TERM"
    MISSING = "MISSING"
    """A CA has no CRL here, nor has it ever answered by OCSP."""
    UNCLEAR = "UNCLEAR"
    """A CRL or response that no CA known here stands by, or that is not understood."""
    WAITING = "WAITING"
    FORMER = "FORMER"
    """A CA certificate that has expired, or its CRL: one of the same name has come after it."""
    NEXT = "NEXT"
    """A CA certificate that is not valid yet, beside one of the same name that is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustItem:
    """One thing that verdicts rest on."""

    kind: str
    name: str
    state: TrustItemState
    since: datetime | None = None
    until: datetime | None = None
    entries: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Freshness:
    """How fresh the revocation data of all CAs are, by the newest CRL of each scope."""

    stale: int
    """CRLs that have run out, or cannot tell: signatures that rest on them are SIG-07."""
    silent: int
    """CAs that have stated nothing here, of those for whom no responder is asked."""
    oldest: datetime | None
    """When the CRL was made that is older than all others; None where there is none."""
    ends: datetime | None
    """When the first of them runs out, or did."""


def freshness(material: Material, asked: frozenset[bytes], *, at: datetime) -> Freshness:
    """Return how fresh this material is; `asked` are the CAs whose responders are asked.

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
    authorities = current & {sha256(der).digest() for der in _below_anchors(material)}
    return Freshness(
        stale=sum(at >= crl.next_update or crl.revoked is None for crl in newest),
        silent=len(authorities - material.statements.keys() - asked),
        oldest=min((crl.this_update for crl in newest), default=None),
        ends=min((crl.next_update for crl in newest), default=None),
    )


def _is_in_term(certificate: x509.Certificate, at: datetime) -> bool:
    return certificate.not_valid_before_utc <= at <= certificate.not_valid_after_utc


def _below_anchors(material: Material) -> Iterator[bytes]:
    """The CAs that lead to an anchor by their names: others' certificates may lie here as well."""
    yield from material.anchors
    names = {load_certificate(der).subject for der in material.anchors}
    left = {der: load_certificate(der) for der in material.intermediates}
    while found := [der for der, certificate in left.items() if certificate.issuer in names]:
        yield from found
        names |= {left.pop(der).subject for der in found}


@dataclass(frozen=True, slots=True)
class TrustSet:
    """Directories that are trusted for one end, and the CAs there whose responders are asked."""

    directories: TrustDirectories
    wanted: Wanted | None = None


def report_items(sets: Sequence[TrustSet], *, at: datetime) -> Iterator[TrustItem]:
    """List everything in these directories; raises `TrustStoreError` for what cannot be read.

    A CA may serve several ends, and state what it states in the directory of one: below the anchors
    of two sets it is missing in neither as long as one has heard of it.
    """
    known = [_KnownSet.load(each) for each in sets]
    for each in known:
        heard = {
            authority
            for other in known
            if other is not each
            for authority in other.below & other.spoken
        }
        yield from each.report_items(heard, at=at)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Authority:
    """A CA certificate, and where it lies."""

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
    """A set of directories, read."""

    directories: TrustDirectories
    wanted: Wanted | None
    material: Material
    authorities: Sequence[_Authority]
    below: frozenset[bytes]
    """CAs that lead to an anchor of this set: of the others nothing is asked for this end."""
    spoken: frozenset[bytes]

    @classmethod
    def load(cls, trusted: TrustSet) -> "_KnownSet":
        directories, wanted = trusted.directories, trusted.wanted
        material = load_material(directories)
        places = (("anchor", directories.anchors), ("intermediate", directories.intermediates))
        asked = wanted.issuers if wanted is not None else frozenset()
        return cls(
            directories=directories,
            wanted=wanted,
            material=material,
            authorities=[
                _Authority(kind=kind, path=path, certificate=certificate)
                for kind, place in places
                for path, certificate in (ca_certificates(place) if place is not None else ())
            ],
            below=frozenset(sha256(der).digest() for der in _below_anchors(material)),
            spoken=frozenset(material.statements) | asked,
        )

    def report_items(self, heard: AbstractSet[bytes], *, at: datetime) -> Iterator[TrustItem]:
        """List this set; `heard` are CAs that have stated something in another."""
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
            mute = each.fingerprint in self.below - self.spoken - heard
            if mute and states[each.fingerprint] not in {
                TrustItemState.FORMER,
                TrustItemState.NEXT,
            }:
                yield TrustItem(
                    kind="CRL", name=f"of {each.path.name}", state=TrustItemState.MISSING
                )
        for path in left_in(self.wanted.directory) if self.wanted is not None else ():
            yield TrustItem(kind="wanted", name=path.stem, state=TrustItemState.WAITING)

    def _state(self, authority: _Authority, at: datetime) -> TrustItemState:
        """A renewed CA has two certificates for a while, of which one is enough."""
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
    """Every CRL; one that a newer one of its CA has superseded is not told of."""
    for path in files_in(directories.crls):
        file = material.files[stamp_of(path)]
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
        stated = {each.digest: each for _, _, each in material.files[stamp_of(path)].answers}
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
