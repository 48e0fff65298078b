"""Revocation over time: which CRL counts at which time, and how a new one takes effect."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from asn1crypto import crl as asn1_crl

from makul.trust.pki.trust_material import TrustStoreError, load_material
from makul.trust.pki.trust_store import PathStatus, TrustStore
from makul_testing.pki.authorities import DAY, NOW, Authority, Holder, Profile, name_of
from makul_testing.pki.crls import (
    UNHEARD_OF,
    crl_of,
    directories,
    entry,
    files_of,
    many,
    serial_of,
    status,
    under,
)

SECOND = timedelta(seconds=1)


# --- when -----------------------------------------------------------------------------------------


def test_term_of_a_crl_is_half_open(
    tmp_path: Path, root: Authority, ca: Authority, citizen: Holder
) -> None:
    """A CRL counts from thisUpdate until before nextUpdate, and no verdict is cached
    beyond that.
    """
    crl = crl_of(ca, this_update=NOW - DAY, next_update=NOW + DAY)
    store = TrustStore(directories(files_of(tmp_path, root, [ca], crl)))
    root_is_silent = NOW - DAY
    expected = {
        root_is_silent: PathStatus.REVOCATION_UNKNOWN,
        NOW: PathStatus.TRUSTED,
        NOW + DAY - timedelta(microseconds=1): PathStatus.TRUSTED,
        NOW + DAY: PathStatus.REVOCATION_UNKNOWN,
        NOW + DAY + SECOND: PathStatus.REVOCATION_UNKNOWN,
    }

    for _ in ("judged", "remembered"):
        assert {at: status(store, citizen, at=at) for at in expected} == expected


def test_newest_crl_counts(tmp_path: Path, root: Authority, ca: Authority, citizen: Holder) -> None:
    """RFC 5280, 5.2.3: a later CRL supersedes the earlier one, which had a hold."""
    held = crl_of(ca, [entry(serial_of(citizen))], this_update=NOW - DAY)
    released = crl_of(ca)

    assert under(tmp_path / "a", root, ca, citizen, held, released) is PathStatus.TRUSTED
    assert under(tmp_path / "b", root, ca, citizen, released, held) is PathStatus.TRUSTED


def test_newest_crl_counts_even_if_stale(
    tmp_path: Path, root: Authority, ca: Authority, citizen: Holder
) -> None:
    """A superseded CRL does not count again after its successor has expired."""
    older = crl_of(ca, this_update=NOW - 2 * DAY, next_update=NOW + 2 * DAY)
    stale = crl_of(ca, this_update=NOW - DAY, next_update=NOW - SECOND)

    assert under(tmp_path, root, ca, citizen, older, stale) is PathStatus.REVOCATION_UNKNOWN


def test_future_crl_takes_effect_in_time(
    tmp_path: Path, root: Authority, ca: Authority, citizen: Holder
) -> None:
    """A CRL that is installed early counts from its thisUpdate, also for cached verdicts."""
    to_come = crl_of(ca, [entry(serial_of(citizen))], this_update=NOW + SECOND)
    store = TrustStore(directories(files_of(tmp_path, root, [ca], crl_of(ca), to_come)))

    assert status(store, citizen) is PathStatus.TRUSTED
    assert status(store, citizen, at=NOW + SECOND - timedelta.resolution) is PathStatus.TRUSTED
    assert status(store, citizen, at=NOW + SECOND) is PathStatus.REVOKED


@pytest.mark.parametrize("revoking_first", [True, False])
def test_two_crls_of_one_instant_are_combined(
    tmp_path: Path, root: Authority, ca: Authority, citizen: Holder, *, revoking_first: bool
) -> None:
    """If two CRLs have the same time, either may revoke, and both must be usable."""
    clear, listed = crl_of(ca), crl_of(ca, [entry(serial_of(citizen))])
    both = [listed, clear] if revoking_first else [clear, listed]
    unclear = crl_of(ca, [], (UNHEARD_OF, True))

    assert under(tmp_path / "a", root, ca, citizen, *both) is PathStatus.REVOKED
    found = under(tmp_path / "b", root, ca, citizen, clear, unclear)
    assert found is PathStatus.REVOCATION_UNKNOWN


# --- loading, reloading, threads ------------------------------------------------------------------


def test_replaced_long_crl_is_noticed(
    tmp_path: Path, root: Authority, ca: Authority, citizen: Holder
) -> None:
    """A revocation takes effect within the reload interval, also for cached verdicts."""
    files = files_of(tmp_path, root, [ca], crl_of(ca, map(entry, many(2000))))
    store = TrustStore(directories(files), reload_interval=SECOND)
    assert status(store, citizen) is PathStatus.TRUSTED

    aside = files.crls / "0.new"
    aside.write_bytes(crl_of(ca, map(entry, [*many(2000), serial_of(citizen)])))
    aside.replace(files.crls / "0.crl")

    assert status(store, citizen, at=NOW + SECOND) is PathStatus.REVOKED


def test_useless_crl_is_reported_to_the_operator(
    tmp_path: Path, root: Authority, ca: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    """The report names the file and says whether no CA signed it or it is unsupported."""
    stranger = Authority.root("A Stranger")
    files = files_of(tmp_path, root, [ca], stranger.crl(), crl_of(ca, [], (UNHEARD_OF, True)))

    load_material(directories(files))

    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 2
    assert "0.crl: a CRL states nothing, no CA known here signed it" in lines[0]
    assert "1.crl: a CRL states nothing, because it is partial or not understood" in lines[1]


def test_crl_without_next_update_is_refused(tmp_path: Path, root: Authority) -> None:
    """RFC 5280, 5.1.2.5: such a CRL would never be stale, so the operator gets an error."""
    raw: Any = asn1_crl.CertificateList.load(root.crl())
    del raw["tbs_cert_list"]["next_update"]
    files = files_of(tmp_path, root, [])
    (files.crls / "0.crl").write_bytes(raw.dump(force=True))

    with pytest.raises(TrustStoreError, match=r"0\.crl: .*no nextUpdate"):
        TrustStore(directories(files))


def test_threads_share_a_store(tmp_path: Path, root: Authority, ca: Authority) -> None:
    """Many threads use a new store at once, and each gets the right verdict."""
    holders = [ca.issue() for _ in range(24)]
    stranger = Authority.root("A Stranger").issue()
    revoked = {serial_of(holder) for holder in holders[::2]}
    store = TrustStore(
        directories(files_of(tmp_path, root, [ca], crl_of(ca, map(entry, [*many(500), *revoked]))))
    )
    everyone = [*holders, stranger] * 4
    expected = [
        PathStatus.UNKNOWN_ISSUER
        if holder is stranger
        else PathStatus.REVOKED
        if serial_of(holder) in revoked
        else PathStatus.TRUSTED
        for holder in everyone
    ]

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(lambda holder: status(store, holder), everyone)) == expected


def test_strangers_leave_no_trace(tmp_path: Path, root: Authority, ca: Authority) -> None:
    """A store does not grow with the names that it looks up."""
    store = TrustStore(directories(files_of(tmp_path, root, [ca], crl_of(ca))))

    def held() -> int:
        authorities = store._trust.authorities
        return len(authorities.anchors._by_name) + len(authorities.registry._subject_map)

    status(store, ca.issue())
    before = held()
    for number in range(5):
        _ = status(store, Authority.root(f"Stranger {number}").issue())
        _ = status(store, ca.issue(Profile(subject=name_of(f"Citizen {number}"))))

    assert held() == before
