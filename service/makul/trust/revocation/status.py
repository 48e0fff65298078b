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
from makul.trust.revocation.crl import CERTIFICATE_HOLD, CrlEntry, Statement, Term

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

    def of(self, query: CertificateQuery, *, at: datetime) -> Sequence[RevocationAssertion]:
        """Return what is stated about this certificate, without responders of unproved status."""
        assertions = [
            each for each in self.answers.get(query.serial, ()) if self._believes(each, at)
        ]
        if not query.listed_elsewhere:
            assertions += assertions_of_crls(self.crls, query)
        return assertions

    def terms(self, query: CertificateQuery) -> Iterable[Term]:
        """Yield the term of every statement that may change the result of `of`."""
        for answer in self.answers.get(query.serial, ()):
            yield answer.this_update, answer.next_update
        for crl in self.crls:
            yield crl.this_update, crl.next_update

    def _believes(self, answer: RevocationAssertion, at: datetime) -> bool:
        """Return whether a response counts, given its responder's own status (RFC 6960, 4.2.2.2.1).

        A revocation counts from any responder that the CA ever delegated. Any other answer counts
        if the CA signed it, or if the responder is exempt or proved not to be revoked.
        """
        query = answer.responder
        if query is None or answer.entry is not None:
            return True
        assertions = assertions_of_crls(self.crls, query)
        finding = status_at_signature_time(
            query, assertions, at=at, existed_at=answer.this_update, heard_until=query.not_after
        )
        return finding.end is RevocationStatus.GOOD and finding.revoked_at is None


NOTHING_STATED = IssuerAssertions()
"""The statements of a CA that has stated nothing here."""


def assertions_of_crls(
    crls: Iterable[Statement], query: CertificateQuery
) -> Sequence[RevocationAssertion]:
    """Return what the issuer's CRLs state about a certificate, from those that cover it."""
    return [
        _assertion_from_crl(crl, query.serial)
        for crl in crls
        if crl.scope.covers(is_ca=query.is_ca, places=query.places)
    ]


def _assertion_from_crl(crl: Statement, serial: int) -> RevocationAssertion:
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
    query: CertificateQuery, assertions: Sequence[RevocationAssertion], *, at: datetime
) -> RevocationFinding:
    """Return the finding for the present, by the newest statement of each source.

    An entry revokes with any date and for any reason. Within one source only the newest statement
    counts, even if it is stale or unclear; a superseded statement never counts again. If both
    sources have statements, the newer one counts while it is current, and the older one after that.
    A revocation other than a hold cannot be withdrawn, so it counts from either source.
    """
    newest = sorted(
        (_newest(assertions, source, at) for source in Source),
        key=lambda found: found[0].this_update if found else _NEVER,
        reverse=True,
    )
    first, second = newest
    if not first:
        return _build_finding(query, None)
    worst = _worst(first, at)
    if not second:
        return _build_finding(query, worst, at)
    other = _worst(second, at)
    if first[0].this_update == second[0].this_update:
        return _build_finding(query, _worst((worst, other), at), at)
    if _is_final(other) and worst.entry is None:
        return _build_finding(query, other)
    return _build_finding(query, other if _has_lapsed(worst, at) else worst, at)


def _has_lapsed(assertion: RevocationAssertion, at: datetime) -> bool:
    """Return whether the statement has expired and another source may supersede it.

    A revocation never lapses in this sense, nor does a CRL that is not understood.
    """
    if at < assertion.next_update or assertion.entry is not None:
        return False
    return assertion.end is RevocationStatus.GOOD or assertion.source is Source.OCSP


def _newest(
    assertions: Sequence[RevocationAssertion], source: Source, at: datetime
) -> Sequence[RevocationAssertion]:
    """Return the newest statement of that source; several if none is newer."""
    issued = [each for each in assertions if each.source is source and each.this_update <= at]
    latest = max((each.this_update for each in issued), default=None)
    return [each for each in issued if each.this_update == latest]


def _worst(assertions: Sequence[RevocationAssertion], at: datetime) -> RevocationAssertion:
    """Return the worst of several statements of one instant.

    All of them must know the status, and any of them may revoke.
    """
    return max(assertions, key=lambda each: _severity(each, at))


def _severity(assertion: RevocationAssertion, at: datetime) -> int:
    if at >= assertion.next_update or assertion.end is RevocationStatus.UNKNOWN:
        return 1
    return 2 if assertion.end is RevocationStatus.REVOKED else 0


def _is_final(assertion: RevocationAssertion) -> bool:
    return assertion.entry is not None and assertion.entry.reason != CERTIFICATE_HOLD


def common_term(terms: Iterable[Term], at: datetime) -> Term:
    """Return the term around `at` in which `status_now` gives the same result.

    `terms` are those of all statements.
    """
    moments = [moment for term in terms for moment in term]
    return max(each for each in moments if each <= at), min(each for each in moments if each > at)


def status_at_signature_time(
    query: CertificateQuery,
    assertions: Sequence[RevocationAssertion],
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
        finding = status_now(query, assertions, at=at)
        if finding.end is not RevocationStatus.REVOKED:
            return finding
        entries = [
            each for source in Source for each in _newest(assertions, source, at) if each.entry
        ]
        return _status_before_revocation(query, min(entries, key=_effective_time), existed_at)
    issued = [each for each in assertions if each.this_update <= at]
    heard = max(
        (
            each
            for each in issued
            if each.entry is None
            and each.this_update >= existed_at
            and _is_heard(each, query, heard_until)
        ),
        key=lambda each: (each.this_update, each.end is RevocationStatus.UNKNOWN),
        default=None,
    )
    entries = [
        each
        for each in issued
        if each.entry is not None
        and (_is_final(each) or heard is None or each.this_update >= heard.this_update)
    ]
    if entries:
        return _status_before_revocation(query, min(entries, key=_effective_time), existed_at)
    return _build_finding(query, heard)


def _effective_time(assertion: RevocationAssertion) -> datetime:
    if assertion.entry is None:
        raise ValueError("a statement without an entry")
    return assertion.entry.effective


def _is_heard(
    assertion: RevocationAssertion, query: CertificateQuery, heard_until: datetime
) -> bool:
    """Return whether the statement would have named this certificate if it had been revoked."""
    if assertion.this_update <= heard_until:
        return True
    covers_expired = (
        assertion.expired_since is not None and assertion.expired_since <= query.not_after
    )
    return covers_expired and heard_until >= query.not_after


def _status_before_revocation(
    query: CertificateQuery, assertion: RevocationAssertion, existed_at: datetime
) -> RevocationFinding:
    """Return GOOD if the revocation came after the signature.

    The finding still reports the revocation.
    """
    finding = _build_finding(query, assertion)
    harmless = existed_at < _effective_time(assertion)
    return replace(finding, end=RevocationStatus.GOOD) if harmless else finding


def _build_finding(
    query: CertificateQuery, assertion: RevocationAssertion | None, at: datetime | None = None
) -> RevocationFinding:
    """Build the finding from one statement; if `at` is given, a stale statement is UNKNOWN."""
    if assertion is None:
        return RevocationFinding(certificate=query.fingerprint, end=RevocationStatus.UNKNOWN)
    stale = at is not None and at >= assertion.next_update
    return RevocationFinding(
        certificate=query.fingerprint,
        end=RevocationStatus.UNKNOWN if stale else assertion.end,
        source=assertion.source.value,
        digest=assertion.digest,
        this_update=assertion.this_update,
        next_update=assertion.next_update,
        revoked_at=assertion.entry.effective if assertion.entry is not None else None,
        reason=assertion.entry.reason if assertion.entry is not None else None,
    )
