"""The archive of evidence: objects are stored once, found by time, and verified when they
are read.
"""

from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from pathlib import Path

import pytest

from makul.domain.reasons import Code
from makul.trust.pki.certificates import read_certificate
from makul.trust.pki.trust_material import TrustDirectories, TrustStoreError
from makul.trust.pki.trust_store import TrustStore
from makul.trust.revocation.archive import CRL, Archive, restore
from makul_testing.pki.authorities import DAY, NOW, Authority, Holder, Profile
from makul_testing.pki.crls import crl_of, directories, entry, files_of, serial_of
from makul_testing.pki.ocsp import response_of

SIGNED = NOW - 10 * DAY


@pytest.fixture(scope="module")
def citizen(ca: Authority) -> Holder:
    """Return a citizen whose certificate has expired since."""
    return ca.issue(Profile(not_after=NOW - 3 * DAY))


def places(path: Path, root: Authority, ca: Authority, *crls: bytes) -> TrustDirectories:
    (path / "ocsp").mkdir(parents=True)
    files = files_of(path, root, [ca], *crls)
    return replace(directories(files), archive=path / "archive", ocsp=path / "ocsp")


def code_of(store: TrustStore, holder: Holder, existed_at: datetime = SIGNED) -> Code | None:
    return store.judge(read_certificate(holder.der), at=NOW, existed_at=existed_at).code


def test_replaced_crl_is_still_found(
    tmp_path: Path, root: Authority, ca: Authority, citizen: Holder
) -> None:
    """RFC 5280, 3.3: today's CRL no longer lists the expired certificate, and the archived CRL
    does.
    """
    where = places(tmp_path, root, ca, crl_of(ca, this_update=SIGNED + DAY))
    TrustStore(where)
    (where.crls / "0.crl").write_bytes(crl_of(ca))
    store = TrustStore(where)

    assert code_of(store, citizen) is None
    assert code_of(store, citizen, SIGNED + 2 * DAY) is Code.SIG_07
    assert code_of(TrustStore(replace(where, archive=None)), citizen) is Code.SIG_07


def test_dropped_revocation_is_still_found(
    tmp_path: Path, root: Authority, ca: Authority, citizen: Holder
) -> None:
    """A revocation that later CRLs omit is still found."""
    listed = crl_of(ca, [entry(serial_of(citizen), at=SIGNED)], this_update=SIGNED + DAY)
    where = places(tmp_path, root, ca, listed)
    TrustStore(where)
    (where.crls / "0.crl").write_bytes(crl_of(ca))

    assert code_of(TrustStore(where), citizen) is Code.SIG_06


def test_an_answer_is_found_by_its_serial_number(
    tmp_path: Path, root: Authority, ca: Authority, citizen: Holder
) -> None:
    """OCSP responses are archived, too."""
    where = places(tmp_path, root, ca, crl_of(ca))
    answer = tmp_path / "ocsp" / "0.ors"
    answer.write_bytes(response_of(ca, citizen, this_update=SIGNED + DAY))
    TrustStore(where)
    answer.unlink()
    store = TrustStore(where)

    assert code_of(store, citizen) is None
    assert code_of(store, ca.issue(Profile(not_after=NOW - 3 * DAY))) is Code.SIG_07


def test_a_forged_mark_or_object_proves_nothing(
    tmp_path: Path, root: Authority, ca: Authority, citizen: Holder
) -> None:
    """An archived object is verified again, like an object from any source."""
    where = places(tmp_path, root, ca, crl_of(ca))
    archive = Archive(tmp_path / "archive")
    stranger = Authority.root("A Stranger").subordinate("A CA")
    archive.keep_statement(
        crl_of(stranger, this_update=SIGNED + DAY),
        CRL,
        issuers=[ca.holder.fingerprint],
        this_update=SIGNED + DAY,
    )
    store = TrustStore(where)
    assert code_of(store, citizen) is Code.SIG_07

    good = crl_of(ca, this_update=SIGNED + 2 * DAY)
    archive.keep_statement(good, CRL, issuers=[ca.holder.fingerprint], this_update=SIGNED + 2 * DAY)
    name = sha256(good).hexdigest()
    (tmp_path / "archive" / name[:2] / f"{name}.crl").write_bytes(crl_of(ca))
    assert code_of(store, citizen) is Code.SIG_07


def test_report_is_enough_to_judge_again(tmp_path: Path, root: Authority, ca: Authority) -> None:
    """The digests of a finding are enough to reach the same finding when all else is deleted."""
    citizen = ca.issue()
    where = places(tmp_path / "then", root, ca, crl_of(ca))
    found = TrustStore(where).judge(read_certificate(citizen.der), at=NOW)
    digests = [each.digest for each in found.revocation if each.digest]

    into = tmp_path / "again"
    archive = Archive(tmp_path / "then" / "archive")
    restore(archive, anchors=found.path[-1:], digests=[*found.path[1:], *digests], into=into)
    again = TrustStore(
        TrustDirectories(
            anchors=into / "anchors",
            intermediates=into / "intermediates",
            crls=into / "crls",
            ocsp=into / "ocsp",
        )
    ).judge(read_certificate(citizen.der), at=NOW)

    assert again == found
    with pytest.raises(LookupError, match="does not contain"):
        restore(archive, anchors=[bytes(32)], digests=[], into=into)


def test_object_is_stored_once(tmp_path: Path, root: Authority, ca: Authority) -> None:
    """Objects are stored under their digest, so nothing is written twice or half."""
    where = places(tmp_path, root, ca, crl_of(ca))
    TrustStore(where)
    before = {path: path.stat().st_mtime_ns for path in (tmp_path / "archive").rglob("*.*")}
    TrustStore(where)

    assert {path: path.stat().st_mtime_ns for path in (tmp_path / "archive").rglob("*.*")} == before
    assert sorted(path.suffix for path in before) == [".cer", ".cer", ".crl", ".crl"]


def test_unwritable_archive_stops_the_start(tmp_path: Path, root: Authority, ca: Authority) -> None:
    """No evidence means no trust, and the operator gets the error at start-up."""
    where = places(tmp_path, root, ca, crl_of(ca))
    (tmp_path / "archive").write_text("a file")

    with pytest.raises(TrustStoreError, match="archive"):
        TrustStore(where)
