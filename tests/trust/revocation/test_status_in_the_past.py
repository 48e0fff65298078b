"""Revocation for a past moment: events after the signature do not invalidate it."""

from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from types import MappingProxyType

import pytest
from cryptography import x509
from hypothesis import given
from hypothesis import strategies as st

from makul.domain.reasons import Code
from makul.trust.base.findings import RevocationStatus
from makul.trust.pki.certificates import read_certificate
from makul.trust.pki.trust_store import TrustStore
from makul.trust.revocation.crl import CrlEntry
from makul.trust.revocation.status import (
    CertificateQuery,
    RevocationAssertion,
    Source,
    status_at_signature_time,
    status_now,
)
from makul_testing.pki.authorities import DAY, NOW, Authority, Holder, Profile, StoreFiles
from makul_testing.pki.crls import Extension, crl_of, directories, entry, files_of, serial_of

SIGNED = NOW - 10 * DAY
"""The time at which the signature provably existed."""
SECOND = timedelta(seconds=1)
GOOD, REVOKED, UNKNOWN = RevocationStatus.GOOD, RevocationStatus.REVOKED, RevocationStatus.UNKNOWN

COMPROMISE = "keyCompromise"
RUNNING = CertificateQuery(fingerprint=b"a certificate", serial=7, not_after=NOW + 100 * DAY)
EXPIRED = CertificateQuery(fingerprint=b"a certificate", serial=7, not_after=NOW - 3 * DAY)


def status(
    issued: datetime,
    revoked_at: datetime | None = None,
    reason: str | None = None,
    invalid: datetime | None = None,
    *,
    source: Source = Source.CRL,
    term: timedelta = 2 * DAY,
    keeps: datetime | None = None,
    end: RevocationStatus | None = None,
) -> RevocationAssertion:
    stated = None
    if revoked_at is not None:
        stated = CrlEntry(serial=7, revoked_at=revoked_at, reason=reason, invalid_since=invalid)
    return RevocationAssertion(
        source=source,
        digest=b"a digest",
        this_update=issued,
        next_update=issued + term,
        end=end or (GOOD if stated is None else REVOKED),
        entry=stated,
        expired_since=keeps,
    )


OCSP = Source.OCSP
FRESH, OLD = NOW - DAY, NOW - 20 * DAY
BEFORE, AFTER = SIGNED - DAY, SIGNED + DAY

CASES = MappingProxyType(
    {
        # while the certificate is in its term, current statements decide
        "clear": (RUNNING, [status(FRESH)], GOOD),
        "nothing stated": (RUNNING, [], UNKNOWN),
        "stale": (RUNNING, [status(NOW - 2 * DAY)], UNKNOWN),
        "stale, though issued after": (RUNNING, [status(AFTER)], UNKNOWN),
        "revoked after": (RUNNING, [status(FRESH, AFTER)], GOOD),
        "revoked before": (RUNNING, [status(FRESH, BEFORE)], REVOKED),
        "revoked at that very moment": (RUNNING, [status(FRESH, SIGNED)], REVOKED),
        "revoked a second later": (RUNNING, [status(FRESH, SIGNED + SECOND)], GOOD),
        "compromised after, since before": (
            RUNNING,
            [status(FRESH, AFTER, COMPROMISE, BEFORE)],
            REVOKED,
        ),
        "compromised after, since after": (
            RUNNING,
            [status(FRESH, NOW - 2 * DAY, COMPROMISE, AFTER)],
            GOOD,
        ),
        "compromised after, no date": (RUNNING, [status(FRESH, AFTER, COMPROMISE)], GOOD),
        "compromised before, since after": (
            RUNNING,
            [status(FRESH, BEFORE, COMPROMISE, AFTER)],
            REVOKED,
        ),
        "another reason, since before": (
            RUNNING,
            [status(FRESH, AFTER, "superseded", BEFORE)],
            GOOD,
        ),
        "a CA compromised": (RUNNING, [status(FRESH, AFTER, "cACompromise", BEFORE)], REVOKED),
        "held before": (RUNNING, [status(FRESH, BEFORE, "certificateHold")], REVOKED),
        "held, then released": (
            RUNNING,
            [status(OLD, BEFORE, "certificateHold"), status(FRESH)],
            GOOD,
        ),
        "cannot tell": (RUNNING, [status(FRESH, end=UNKNOWN)], UNKNOWN),
        "OCSP clear": (RUNNING, [status(FRESH, source=OCSP)], GOOD),
        "OCSP unknown": (RUNNING, [status(FRESH, source=OCSP, end=UNKNOWN)], UNKNOWN),
        "OCSP revoked, the CRL knows since when": (
            RUNNING,
            [
                status(FRESH, AFTER, COMPROMISE, source=OCSP),
                status(FRESH - SECOND, AFTER, COMPROMISE, BEFORE),
            ],
            REVOKED,
        ),
        # for an expired certificate, only statements from within its term count
        "expired, clear between": (EXPIRED, [status(AFTER)], GOOD),
        "expired, clear on the day": (EXPIRED, [status(EXPIRED.not_after)], GOOD),
        "expired, clear at the signature": (EXPIRED, [status(SIGNED)], GOOD),
        "expired, clear before alone": (EXPIRED, [status(SIGNED - SECOND)], UNKNOWN),
        "expired, clear afterwards alone": (EXPIRED, [status(FRESH)], UNKNOWN),
        "expired, clear afterwards, kept": (
            EXPIRED,
            [status(FRESH, keeps=EXPIRED.not_after)],
            GOOD,
        ),
        "expired, clear afterwards, kept from later on": (
            EXPIRED,
            [status(FRESH, keeps=EXPIRED.not_after + SECOND)],
            UNKNOWN,
        ),
        "expired, listed before and dropped": (
            EXPIRED,
            [status(SIGNED, BEFORE), status(FRESH)],
            REVOKED,
        ),
        "expired, listed afterwards": (EXPIRED, [status(AFTER), status(FRESH, BEFORE)], REVOKED),
        "expired, revoked after the signature": (EXPIRED, [status(FRESH, AFTER)], GOOD),
        "expired, held and dropped": (
            EXPIRED,
            [status(AFTER, BEFORE, "certificateHold"), status(FRESH)],
            REVOKED,
        ),
        "expired, held and released": (
            EXPIRED,
            [status(SIGNED, BEFORE, "certificateHold"), status(AFTER)],
            GOOD,
        ),
        "expired, the last cannot tell": (
            EXPIRED,
            [status(SIGNED), status(AFTER, end=UNKNOWN)],
            UNKNOWN,
        ),
    }
)


@pytest.mark.parametrize(("query", "stated", "expected"), CASES.values(), ids=CASES)
def test_each_case_has_its_verdict(
    query: CertificateQuery, stated: list[RevocationAssertion], expected: RevocationStatus
) -> None:
    """RFC 5280, 3.3 and 5.3.2; ETSI EN 319 102-1, 5.5.2.3: each case has its verdict."""
    found = status_at_signature_time(
        query, stated, at=NOW, existed_at=SIGNED, heard_until=min(query.not_after, NOW + 99 * DAY)
    )

    assert found.end is expected


# --- without proof of the past --------------------------------------------------------------------

NOW_CASES = MappingProxyType(
    {
        "the newer clears": ([status(FRESH), status(OLD, OLD, source=OCSP)], REVOKED),
        "the newer OCSP clears what a CRL lists": (
            [status(FRESH - SECOND, OLD), status(FRESH, source=OCSP)],
            REVOKED,
        ),
        "the newer OCSP releases a hold": (
            [status(FRESH - SECOND, OLD, "certificateHold"), status(FRESH, source=OCSP)],
            GOOD,
        ),
        "the newer revokes": ([status(FRESH - SECOND), status(FRESH, OLD, source=OCSP)], REVOKED),
        "equally fresh, one revokes": (
            [status(FRESH, OLD, "certificateHold"), status(FRESH, source=OCSP)],
            REVOKED,
        ),
        "OCSP does not know it": (
            [status(FRESH - SECOND), status(FRESH, source=OCSP, end=UNKNOWN)],
            UNKNOWN,
        ),
        "OCSP did not know it, a newer CRL does": (
            [status(FRESH), status(FRESH - SECOND, source=OCSP, end=UNKNOWN)],
            GOOD,
        ),
        "OCSP has run out": (
            [status(FRESH - SECOND), status(FRESH, source=OCSP, term=SECOND)],
            GOOD,
        ),
        "OCSP ran out on a hold": (
            [
                status(FRESH - SECOND),
                status(FRESH, OLD, "certificateHold", source=OCSP, term=SECOND),
            ],
            UNKNOWN,
        ),
        "both have run out": (
            [status(FRESH, term=SECOND), status(FRESH - SECOND, source=OCSP, term=SECOND)],
            UNKNOWN,
        ),
        "a CRL that cannot tell": (
            [status(FRESH, end=UNKNOWN), status(FRESH - SECOND, source=OCSP)],
            UNKNOWN,
        ),
        "revoked in the future": ([status(FRESH, NOW + DAY)], REVOKED),
    }
)


@pytest.mark.parametrize(("stated", "expected"), NOW_CASES.values(), ids=NOW_CASES)
def test_two_sources_are_combined(
    stated: list[RevocationAssertion], expected: RevocationStatus
) -> None:
    """The newer statement counts while it is current, and a revocation other than a hold is
    permanent.
    """
    assert status_now(RUNNING, stated, at=NOW).end is expected


# --- any statements -------------------------------------------------------------------------------

_moments = st.integers(-30 * 24, 24).map(lambda hours: NOW + timedelta(hours=hours))
_statements = st.lists(
    st.builds(
        status,
        _moments,
        st.none() | _moments,
        st.sampled_from([None, COMPROMISE, "superseded", "certificateHold"]),
        st.none() | _moments,
        source=st.sampled_from(Source),
        keeps=st.none() | _moments,
    ),
    max_size=4,
)


@given(stated=_statements, existed_at=_moments.filter(lambda at: at <= NOW))
def test_the_past_is_never_worse_than_the_present(
    stated: list[RevocationAssertion], existed_at: datetime
) -> None:
    """A status that is good now is good with proof of the past, and no status becomes good by
    itself.
    """
    now = status_now(RUNNING, stated, at=NOW).end
    past = status_at_signature_time(
        RUNNING, stated, at=NOW, existed_at=existed_at, heard_until=RUNNING.not_after
    ).end

    assert past is GOOD or now is not GOOD
    assert (past is UNKNOWN) == (now is UNKNOWN)


@given(stated=_statements, earlier=_moments, later=_moments)
def test_earlier_proof_is_better_proof(
    stated: list[RevocationAssertion], earlier: datetime, later: datetime
) -> None:
    """A revocation that spares a later signature also spares an earlier one."""
    earlier, later = sorted((earlier, later))
    ends = [
        status_at_signature_time(
            RUNNING, stated, at=NOW, existed_at=at, heard_until=RUNNING.not_after
        ).end
        for at in (earlier, later)
    ]

    assert ends[0] is GOOD or ends[1] is not GOOD


@given(stated=_statements, existed_at=_moments)
def test_an_entry_before_the_signature_never_passes_for_an_expired_one(
    stated: list[RevocationAssertion], existed_at: datetime
) -> None:
    """No statement before or after makes up for an entry that is older than the signature."""
    listed = status(existed_at, existed_at, "superseded")
    found = status_at_signature_time(
        EXPIRED,
        [*stated, listed],
        at=NOW + 2 * DAY,
        existed_at=existed_at,
        heard_until=EXPIRED.not_after,
    )

    if EXPIRED.not_after < NOW:
        assert found.end is REVOKED


# --- by way of a store ----------------------------------------------------------------------------


def code_of(
    store: TrustStore, holder: Holder, *, existed_at: datetime | None = None
) -> Code | None:
    return store.judge(read_certificate(holder.der), at=NOW, existed_at=existed_at).code


def compromised(since: datetime) -> list[Extension]:
    return [
        (x509.CRLReason(x509.ReasonFlags.key_compromise), False),
        (x509.InvalidityDate(since), False),
    ]


def test_later_revocation_spares_an_earlier_signature(
    tmp_path: Path, root: Authority, ca: Authority
) -> None:
    """SIG-06 today; good for the day on which it provably existed, unless the key was lost
    by then.
    """
    citizen = ca.issue()
    stores = [
        TrustStore(directories(files_of(tmp_path / str(number), root, [ca], crl_of(ca, [listed]))))
        for number, listed in enumerate(
            [
                entry(serial_of(citizen), at=AFTER),
                entry(serial_of(citizen), *compromised(BEFORE), at=AFTER),
            ]
        )
    ]

    assert [code_of(store, citizen) for store in stores] == [Code.SIG_06] * 2
    found = [code_of(store, citizen, existed_at=SIGNED) for store in stores]
    assert found == [None, Code.SIG_06]


def test_the_finding_describes_the_revocation(
    tmp_path: Path, root: Authority, ca: Authority
) -> None:
    """The finding names the path, the digest of the CRL, and the time from which it is revoked."""
    citizen = ca.issue()
    crl = crl_of(ca, [entry(serial_of(citizen), *compromised(AFTER), at=NOW - 2 * DAY)])
    store = TrustStore(directories(files_of(tmp_path, root, [ca], crl)))

    found = store.judge(read_certificate(citizen.der), at=NOW, existed_at=SIGNED)

    assert found.judged_for == SIGNED
    assert found.path == (citizen.fingerprint, ca.holder.fingerprint, root.holder.fingerprint)
    own, of_the_ca = found.revocation
    assert (own.certificate, own.end, own.source) == (citizen.fingerprint, GOOD, "CRL")
    assert (own.revoked_at, own.reason) == (AFTER, COMPROMISE)
    assert own.digest == sha256(crl).digest()
    assert (of_the_ca.certificate, of_the_ca.revoked_at) == (ca.holder.fingerprint, None)


def test_later_expiry_spares_an_earlier_signature(
    tmp_path: Path, root: Authority, ca: Authority
) -> None:
    """SIG-05 today; for the past it needs a statement from before the certificate ended."""
    citizen = ca.issue(Profile(not_after=NOW - 3 * DAY))
    silent = TrustStore(directories(files_of(tmp_path / "a", root, [ca], crl_of(ca))))
    heard = crl_of(ca, this_update=AFTER, next_update=AFTER + DAY)
    store = TrustStore(directories(files_of(tmp_path / "b", root, [ca], heard, crl_of(ca))))

    assert code_of(store, citizen) is Code.SIG_05
    assert code_of(store, citizen, existed_at=SIGNED) is None
    assert code_of(silent, citizen, existed_at=SIGNED) is Code.SIG_07
    assert code_of(store, citizen, existed_at=NOW - 2 * DAY) is Code.SIG_05


def test_later_revocation_of_a_ca_spares_earlier_certificates(
    tmp_path: Path, root: Authority
) -> None:
    """A CA's earlier statements count for its earlier certificates; its key may be
    compromised now.
    """
    ca = root.subordinate("A CA")
    citizen = ca.issue()
    listed = crl_of(root, [entry(serial_of(ca.holder), at=NOW - 5 * DAY)])

    def store(name: str, *crls: bytes) -> TrustStore:
        files = StoreFiles(tmp_path / name).write(
            anchors=[root], intermediates=[ca], crls=[listed, *crls]
        )
        return TrustStore(directories(files))

    heard = crl_of(ca, this_update=AFTER, next_update=AFTER + DAY)
    afterwards = crl_of(ca, this_update=NOW - 4 * DAY)
    assert code_of(store("a", heard), citizen, existed_at=SIGNED) is None
    assert code_of(store("b", afterwards), citizen, existed_at=SIGNED) is Code.SIG_07
    assert code_of(store("c", heard), citizen, existed_at=NOW - 4 * DAY) is Code.SIG_06
    assert code_of(store("d", heard), citizen) is Code.SIG_06


def test_crl_that_keeps_expired_certificates_covers_them(
    tmp_path: Path, root: Authority, ca: Authority
) -> None:
    """ITU-T X.509, 9.5.2.8: a CRL that keeps expired certificates also covers them."""
    citizen = ca.issue(Profile(not_after=NOW - 3 * DAY))
    since = x509.UnrecognizedExtension(
        x509.ObjectIdentifier("2.5.29.60"), b"\x18\x0f20200101000000Z"
    )
    for number, extension in enumerate([(since, False), (since, True)]):
        crl = crl_of(ca, [], extension)
        store = TrustStore(directories(files_of(tmp_path / str(number), root, [ca], crl)))
        assert code_of(store, citizen, existed_at=SIGNED) is None


def test_proof_from_the_future_counts_as_now(
    tmp_path: Path, root: Authority, ca: Authority
) -> None:
    """No document existed later than now, so it is judged for now."""
    store = TrustStore(directories(files_of(tmp_path, root, [ca], crl_of(ca))))

    found = store.judge(read_certificate(ca.issue().der), at=NOW, existed_at=NOW + DAY)

    assert (found.code, found.judged_for) == (None, NOW)


def test_certificate_younger_than_the_signature_is_refused(
    tmp_path: Path, root: Authority, ca: Authority
) -> None:
    """A certificate that is younger than the signature did not sign it."""
    citizen = ca.issue(Profile(not_before=NOW - 5 * DAY))
    store = TrustStore(directories(files_of(tmp_path, root, [ca], crl_of(ca))))

    assert code_of(store, citizen, existed_at=SIGNED) is Code.SIG_05
