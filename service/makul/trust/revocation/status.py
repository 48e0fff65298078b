"""Determine the revocation status of one certificate, at a moment and for a moment.

Statements by CRLs (`revocation.crl`) and by OCSP (`revocation.ocsp`) are converted to one form.
Pure rules then give GOOD, REVOKED or UNKNOWN. UNKNOWN never counts as GOOD. See
docs/decisions/0009-revocation-and-time.md.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from types import MappingProxyType

from makul.trust.base.findings import RevocationFinding, RevocationStatus
from makul.trust.revocation.crl import HELD, CrlEntry, Statement, Term

_NEVER = datetime.min.replace(tzinfo=UTC)


class Source(StrEnum):
    """The form in which a CA states revocations."""

    CRL = "CRL"
    OCSP = "OCSP"


@dataclass(frozen=True, slots=True, kw_only=True)
class CertificateQuery:
    """The certificate whose status is asked for."""

    fingerprint: bytes
    serial: int
    not_after: datetime
    is_ca: bool = False
    places: frozenset[str] = frozenset()
    """URIs of its CRL distribution points, only of those that cover all reasons."""
    listed_elsewhere: bool = False
    """Whether an authority other than its issuer makes its CRLs (RFC 5280, 6.3.3, b, 1)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RevocationAssertion:
    """What one statement says about one certificate, over [`this_update`, `next_update`)."""

    source: Source
    digest: bytes
    this_update: datetime
    next_update: datetime
    end: RevocationStatus
    entry: CrlEntry | None = None
    expired_since: datetime | None = None
    """Certificates that expired at this moment or later are still covered."""
    responder: CertificateQuery | None = None
    """The responder that signed for the CA, if the CA's CRLs must first show that it is not
    revoked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerAssertions:
    """Everything that one CA stated: its CRLs, and its OCSP responses by serial number."""

    crls: Sequence[Statement] = ()
    answers: Mapping[int, Sequence[RevocationAssertion]] = field(
        default_factory=lambda: MappingProxyType({})
    )

    def of(self, asked: CertificateQuery, *, at: datetime) -> Sequence[RevocationAssertion]:
        """Return what is stated about this certificate, without responders of unproved status."""
        said = [each for each in self.answers.get(asked.serial, ()) if self._believes(each, at)]
        if not asked.listed_elsewhere:
            said += said_by_crls(self.crls, asked)
        return said

    def terms(self, asked: CertificateQuery) -> Iterable[Term]:
        """Yield the term of every statement that may change the result of `of`."""
        for answer in self.answers.get(asked.serial, ()):
            yield answer.this_update, answer.next_update
        for crl in self.crls:
            yield crl.this_update, crl.next_update

    def _believes(self, answer: RevocationAssertion, at: datetime) -> bool:
        """Return whether a response counts, given its responder's own status (RFC 6960, 4.2.2.2.1).

        A revocation counts from any responder that the CA ever delegated. Any other answer counts
        if the CA signed it, or if the responder is exempt or proved not to be revoked.
        """
        asked = answer.responder
        if asked is None or answer.entry is not None:
            return True
        said = said_by_crls(self.crls, asked)
        found = status_at_signature_time(
            asked, said, at=at, existed_at=answer.this_update, heard_until=asked.not_after
        )
        return found.end is RevocationStatus.GOOD and found.revoked_at is None


NOTHING_STATED = IssuerAssertions()
"""The statements of a CA that has stated nothing here."""


def said_by_crls(
    crls: Iterable[Statement], asked: CertificateQuery
) -> Sequence[RevocationAssertion]:
    """Return what the issuer's CRLs state about a certificate, from those that cover it."""
    return [
        _said(crl, asked.serial)
        for crl in crls
        if crl.scope.covers(is_ca=asked.is_ca, places=asked.places)
    ]


def _said(crl: Statement, serial: int) -> RevocationAssertion:
    entry: CrlEntry | None = None
    end = RevocationStatus.UNKNOWN
    if crl.revoked is not None:
        try:
            entry = crl.revoked.of(serial)
            end = RevocationStatus.GOOD if entry is None else RevocationStatus.REVOKED
        except OverflowError:  # no list can hold this serial number: UNKNOWN
            pass
    return RevocationAssertion(
        source=Source.CRL,
        digest=crl.digest,
        this_update=crl.this_update,
        next_update=crl.next_update,
        end=end,
        entry=entry,
        expired_since=crl.expired_since,
    )


def status_now(
    asked: CertificateQuery, said: Sequence[RevocationAssertion], *, at: datetime
) -> RevocationFinding:
    """Return the finding for the present, by the newest statement of each source.

    An entry revokes with any date and for any reason. Within one source only the newest statement
    counts, even if it is stale or unclear; a superseded statement never counts again. If both
    sources have statements, the newer one counts while it is current, and the older one after that.
    A revocation other than a hold cannot be withdrawn, so it counts from either source.
    """
    newest = sorted(
        (_newest(said, source, at) for source in Source),
        key=lambda found: found[0].this_update if found else _NEVER,
        reverse=True,
    )
    first, second = newest
    if not first:
        return _finding(asked, None)
    worst = _worst(first, at)
    if not second:
        return _finding(asked, worst, at)
    other = _worst(second, at)
    if first[0].this_update == second[0].this_update:
        return _finding(asked, _worst((worst, other), at), at)
    if _is_final(other) and worst.entry is None:
        return _finding(asked, other)
    return _finding(asked, other if _has_lapsed(worst, at) else worst, at)


def _has_lapsed(said: RevocationAssertion, at: datetime) -> bool:
    """Return whether the statement has expired and another source may supersede it.

    A revocation never lapses in this sense, nor does a CRL that is not understood.
    """
    if at < said.next_update or said.entry is not None:
        return False
    return said.end is RevocationStatus.GOOD or said.source is Source.OCSP


def _newest(
    said: Sequence[RevocationAssertion], source: Source, at: datetime
) -> Sequence[RevocationAssertion]:
    """Return the newest statement of that source; several if none is newer."""
    made = [each for each in said if each.source is source and each.this_update <= at]
    latest = max((each.this_update for each in made), default=None)
    return [each for each in made if each.this_update == latest]


def _worst(said: Sequence[RevocationAssertion], at: datetime) -> RevocationAssertion:
    """Return the worst of several statements of one instant.

    All of them must know the status, and any of them may revoke.
    """
    return max(said, key=lambda each: _badness(each, at))


def _badness(said: RevocationAssertion, at: datetime) -> int:
    if at >= said.next_update or said.end is RevocationStatus.UNKNOWN:
        return 1
    return 2 if said.end is RevocationStatus.REVOKED else 0


def _is_final(said: RevocationAssertion) -> bool:
    return said.entry is not None and said.entry.reason != HELD


def common_term(terms: Iterable[Term], at: datetime) -> Term:
    """Return the term around `at` in which `status_now` gives the same result.

    `terms` are those of all statements.
    """
    moments = [moment for term in terms for moment in term]
    return max(each for each in moments if each <= at), min(each for each in moments if each > at)


def status_at_signature_time(
    asked: CertificateQuery,
    said: Sequence[RevocationAssertion],
    *,
    at: datetime,
    existed_at: datetime,
    heard_until: datetime,
) -> RevocationFinding:
    """Return the finding for the moment when the signature existed (EN 319 102-1, 5.5.2.3).

    While the certificate runs, what is known at `at` decides, as in `status_now`. A revocation
    affects only signatures that are not older than it. For a compromised key it affects those that
    are not older than the invalidity date.

    `heard_until` is the moment after which the issuer's silence proves nothing. Either the
    certificate has expired, and lists drop it (RFC 5280, 3.3), or the issuer itself ended. After
    that moment a statement without an entry counts in two cases: it was made between the signature
    and `heard_until`, or it says that it keeps expired certificates (`expired_since`). An entry
    counts in any statement.
    """
    if at <= heard_until:
        found = status_now(asked, said, at=at)
        if found.end is not RevocationStatus.REVOKED:
            return found
        entries = [each for source in Source for each in _newest(said, source, at) if each.entry]
        return _for_the_past(asked, min(entries, key=_effective), existed_at)
    made = [each for each in said if each.this_update <= at]
    heard = max(
        (
            each
            for each in made
            if each.entry is None
            and each.this_update >= existed_at
            and _is_heard(each, asked, heard_until)
        ),
        key=lambda each: (each.this_update, each.end is RevocationStatus.UNKNOWN),
        default=None,
    )
    entries = [
        each
        for each in made
        if each.entry is not None
        and (_is_final(each) or heard is None or each.this_update >= heard.this_update)
    ]
    if entries:
        return _for_the_past(asked, min(entries, key=_effective), existed_at)
    return _finding(asked, heard)


def _effective(said: RevocationAssertion) -> datetime:
    if said.entry is None:
        raise ValueError("a statement without an entry")
    return said.entry.effective


def _is_heard(said: RevocationAssertion, asked: CertificateQuery, heard_until: datetime) -> bool:
    """Return whether the statement would have named this certificate if it had been revoked."""
    if said.this_update <= heard_until:
        return True
    keeps = said.expired_since is not None and said.expired_since <= asked.not_after
    return keeps and heard_until >= asked.not_after


def _for_the_past(
    asked: CertificateQuery, said: RevocationAssertion, existed_at: datetime
) -> RevocationFinding:
    """Return GOOD if the revocation came after the signature.

    The finding still reports the revocation.
    """
    found = _finding(asked, said)
    harmless = existed_at < _effective(said)
    return replace(found, end=RevocationStatus.GOOD) if harmless else found


def _finding(
    asked: CertificateQuery, said: RevocationAssertion | None, at: datetime | None = None
) -> RevocationFinding:
    """Build the finding from one statement; if `at` is given, a stale statement is UNKNOWN."""
    if said is None:
        return RevocationFinding(certificate=asked.fingerprint, end=RevocationStatus.UNKNOWN)
    stale = at is not None and at >= said.next_update
    return RevocationFinding(
        certificate=asked.fingerprint,
        end=RevocationStatus.UNKNOWN if stale else said.end,
        source=said.source.value,
        digest=said.digest,
        this_update=said.this_update,
        next_update=said.next_update,
        revoked_at=said.entry.effective if said.entry is not None else None,
        reason=said.entry.reason if said.entry is not None else None,
    )
