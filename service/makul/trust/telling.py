"""What is trusted, told to the operator: terms, ages, and what is missing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from hashlib import sha256

from cryptography import x509
from cryptography.hazmat.primitives import hashes

from makul.net.certificates import load_certificate
from makul.trust.material import (
    Material,
    TrustDirectories,
    ca_certificates,
    files_in,
    load_material,
    stamp_of,
)
from makul.trust.wanted import Wanted, left_in


class State(StrEnum):
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One thing that verdicts rest on."""

    kind: str
    name: str
    state: State
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
    """Of this material; `asked` are the CAs, by SHA-256, whose responders are asked."""
    newest = {
        (issuer, crl.scope): crl
        for issuer, stated in material.statements.items()
        for crl in sorted(stated.crls, key=lambda each: each.this_update)
        if crl.this_update <= at
    }.values()
    authorities = {sha256(der).digest() for der in _below_anchors(material)}
    return Freshness(
        stale=sum(at >= crl.next_update or crl.revoked is None for crl in newest),
        silent=len(authorities - material.statements.keys() - asked),
        oldest=min((crl.this_update for crl in newest), default=None),
        ends=min((crl.next_update for crl in newest), default=None),
    )


def _below_anchors(material: Material) -> Iterator[bytes]:
    """The CAs that lead to an anchor by their names: others' certificates may lie here as well."""
    yield from material.anchors
    names = {load_certificate(der).subject for der in material.anchors}
    left = {der: load_certificate(der) for der in material.intermediates}
    while found := [der for der, certificate in left.items() if certificate.issuer in names]:
        yield from found
        names |= {left.pop(der).subject for der in found}


def tell(directories: TrustDirectories, wanted: Wanted | None, *, at: datetime) -> Iterator[Told]:
    """Everything in these directories; raises `TrustStoreError` for what cannot be read."""
    material = load_material(directories)
    places = (("anchor", directories.anchors), ("intermediate", directories.intermediates))
    for kind, place in places:
        for path, certificate in ca_certificates(place) if place is not None else ():
            yield _authority(kind, path.name, certificate, at)
    yield from _crls(directories, material, at)
    yield from _responses(directories, material, at)
    spoken = material.statements.keys() | (wanted.issuers if wanted is not None else set())
    for place in (directories.anchors, directories.intermediates):
        for path, certificate in ca_certificates(place) if place is not None else ():
            if certificate.fingerprint(hashes.SHA256()) not in spoken:
                yield Told(kind="CRL", name=f"of {path.name}", state=State.MISSING)
    for path in left_in(wanted.directory) if wanted is not None else ():
        yield Told(kind="wanted", name=path.stem, state=State.WAITING)


def _authority(kind: str, name: str, certificate: x509.Certificate, at: datetime) -> Told:
    since, until = certificate.not_valid_before_utc, certificate.not_valid_after_utc
    state = State.CURRENT if since <= at <= until else State.OUT_OF_TERM
    return Told(kind=kind, name=name, state=state, since=since, until=until)


def _crls(directories: TrustDirectories, material: Material, at: datetime) -> Iterator[Told]:
    """Every CRL; one that a newer one of its CA has superseded is not told of."""
    for path in files_in(directories.crls):
        file = material.files[stamp_of(path)]
        stated = {each.digest: (issuer, each) for issuer, each in file.crls}
        if not stated and not file.elsewhere:
            yield Told(kind="CRL", name=path.name, state=State.UNCLEAR)
        for issuer, crl in stated.values():
            others = material.statements[issuer].crls
            if any(
                crl.scope == each.scope and crl.this_update < each.this_update <= at
                for each in others
            ):
                continue
            current = crl.this_update <= at < crl.next_update
            state = State.CURRENT if current else State.STALE
            yield Told(
                kind="CRL",
                name=path.name,
                state=State.UNCLEAR if crl.revoked is None else state,
                since=crl.this_update,
                until=crl.next_update,
                entries=len(crl.revoked) if crl.revoked is not None else None,
            )


def _responses(directories: TrustDirectories, material: Material, at: datetime) -> Iterator[Told]:
    for path in files_in(directories.ocsp) if directories.ocsp is not None else ():
        stated = {each.digest: each for _, _, each in material.files[stamp_of(path)].answers}
        if not stated:
            yield Told(kind="OCSP", name=path.name, state=State.UNCLEAR)
        for each in stated.values():
            current = each.this_update <= at < each.next_update
            yield Told(
                kind="OCSP",
                name=path.name,
                state=State.CURRENT if current else State.LAPSED,
                since=each.this_update,
                until=each.next_update,
            )
