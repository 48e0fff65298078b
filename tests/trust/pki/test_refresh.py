"""The refresher: which files it replaces, which it keeps, and how soon workers see them."""

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.serialization import Encoding

from makul.domain.reasons import Code
from makul.net.fetcher import Fetcher
from makul.trust.pki.certificates import read_certificate
from makul.trust.pki.pending_ocsp import MAX_PENDING, PendingOcsp
from makul.trust.pki.refresh import CrlSource, OcspSource, Refresher, RefreshOutcome, SourceState
from makul.trust.pki.trust_material import TrustDirectories
from makul.trust.pki.trust_store import RELOAD_INTERVAL, TrustStore
from makul_testing.pki.authorities import DAY, NOW, Authority, Profile, StoreFiles, new_key
from makul_testing.pki.crls import UNHEARD_OF, crl_of, entry, serial_of
from makul_testing.pki.ocsp import REVOKED, UNKNOWN, response_of
from makul_testing.servers.crl_ocsp import PublishedPaths, run_publisher
from makul_testing.servers.slow_http import BODY, HEADERS, run_slow_server

SECOND = timedelta(seconds=1)
HOUR = timedelta(hours=1)


@pytest.fixture
def web() -> Iterator[PublishedPaths]:
    with run_publisher() as published:
        yield published


class Installation:
    """Directories, with a refresher of one CRL and one responder."""

    def __init__(self, path: Path, web: PublishedPaths, root: Authority, ca: Authority) -> None:
        self.files = StoreFiles(path).write(
            anchors=[root], intermediates=[ca], crls=[root.crl(next_update=NOW + 100 * DAY)]
        )
        self.held = self.files.crls / "ca.crl"
        self.wanted, self.ocsp = path / "wanted", path / "ocsp"
        for directory in (self.wanted, self.ocsp):
            directory.mkdir()
        self.directories = TrustDirectories(
            anchors=self.files.anchors,
            intermediates=self.files.intermediates,
            crls=self.files.crls,
            ocsp=self.ocsp,
        )
        self.refresher = Refresher(
            directories=self.directories,
            more_anchors=None,
            crls=[CrlSource(url=f"{web.url}/ca.crl", path=self.held)],
            responders=[OcspSource(url=f"{web.url}/ocsp", issuer=ca.certificate)],
            wanted=self.wanted,
            fetch=Fetcher(),
        )
        issuer = ca.certificate.fingerprint(hashes.SHA256())
        self.store = TrustStore(
            self.directories, pending_ocsp=PendingOcsp(self.wanted, frozenset({issuer}))
        )

    def once(self, at: datetime = NOW) -> list[RefreshOutcome]:
        return list(self.refresher.once(at))


@pytest.fixture
def installation(
    tmp_path: Path, web: PublishedPaths, root: Authority, ca: Authority
) -> Installation:
    return Installation(tmp_path, web, root, ca)


def test_refresher_stores_new_crls_and_keeps_unchanged_ones(
    installation: Installation, web: PublishedPaths, ca: Authority
) -> None:
    """A new CRL is stored, and an unchanged one is not written again."""
    web.at["/ca.crl"] = crl_of(ca)

    assert [each.result for each in installation.once()] == [SourceState.NEW]
    assert installation.held.read_bytes() == web.at["/ca.crl"]
    assert [each.result for each in installation.once()] == [SourceState.UNCHANGED]


def test_unusable_crl_is_not_stored(
    installation: Installation, web: PublishedPaths, root: Authority, ca: Authority
) -> None:
    """The last good file stays, and the operator gets the reason."""
    good = crl_of(ca, [], (x509.CRLNumber(5), False))
    web.at["/ca.crl"] = good
    installation.once()
    stranger = Authority.root("A Stranger")
    for content, why in (
        (b"not a CRL", "cannot be read"),
        (b"", "cannot be read"),
        (stranger.crl(), "no CA known here"),
        (crl_of(ca, key=new_key()), "no CA known here"),
        (root.crl(), "another CA's"),
        (crl_of(ca, [], (UNHEARD_OF, True)), "not understood"),
        (crl_of(ca, this_update=NOW - DAY), "older than"),
        (crl_of(ca, [], (x509.CRLNumber(4), False), this_update=NOW), "older than"),
        (crl_of(ca, next_update=NOW), "run out"),
        (crl_of(ca, this_update=NOW + HOUR), "from the future"),
    ):
        web.at["/ca.crl"] = content
        (outcome,) = installation.once()
        assert outcome.result is SourceState.FAILED
        assert why in outcome.why
        assert installation.held.read_bytes() == good
    assert [path.name for path in installation.files.crls.iterdir() if path.suffix == ".new"] == []


def test_failed_fetch_is_reported(
    installation: Installation, web: PublishedPaths, ca: Authority
) -> None:
    """The stored CRL stays."""
    web.at["/ca.crl"] = crl_of(ca)
    for status in (301, 302, 307, 404, 500):
        web.status = status
        assert installation.once()[0].why == f"HTTP status {status}"
    web.status, web.headers = 200, {"Content-Encoding": "gzip"}
    assert installation.once()[0].result is SourceState.FAILED
    assert not installation.held.exists()


@pytest.mark.parametrize("begin", [HEADERS, BODY], ids=["headers", "body"])
def test_slow_source_does_not_delay_others(
    installation: Installation, web: PublishedPaths, ca: Authority, begin: bytes
) -> None:
    """Sources are fetched in turn, permanently; if one blocked, all others would expire.

    This holds for CRLs and responders. Each round logs the source that failed.
    """
    citizen = ca.issue()
    web.at["/ca.crl"], good = crl_of(ca), CrlSource(url=f"{web.url}/ca.crl", path=installation.held)
    with run_slow_server(begin) as server:
        bad = CrlSource(url=f"{server.url}/ca.crl", path=installation.held.with_name("other.crl"))
        refresher = replace(
            installation.refresher,
            crls=[bad, good],
            responders=[OcspSource(url=f"{server.url}/ocsp", issuer=ca.certificate)],
            fetch=Fetcher(0.3),
        )
        installation.store.judge(read_certificate(citizen.der), at=NOW)
        rounds = [list(refresher.once(NOW)) for _ in range(2)]

    for outcomes, became in zip(rounds, (SourceState.NEW, SourceState.UNCHANGED), strict=True):
        assert [each.result for each in outcomes] == [
            SourceState.FAILED,
            became,
            SourceState.FAILED,
        ]
        assert [each.source for each in outcomes] == [bad.url, good.url, citizen.fingerprint.hex()]
    assert rounds[0][0].why == "not done within 0.3 seconds"
    assert not bad.path.exists()
    assert len(list(installation.wanted.iterdir())) == 1


def test_no_address_comes_from_a_certificate(
    installation: Installation, web: PublishedPaths, ca: Authority
) -> None:
    """The refresher never reads distribution points or authority information of certificates."""
    places = [x509.UniformResourceIdentifier(f"{web.url}/from-the-certificate")]
    point = x509.DistributionPoint(places, None, None, None)
    access = x509.AccessDescription(x509.oid.AuthorityInformationAccessOID.OCSP, places[0])
    citizen = ca.issue(
        Profile(
            extra=[
                (x509.CRLDistributionPoints([point]), False),
                (x509.AuthorityInformationAccess([access]), False),
            ]
        )
    )
    web.at |= {"/ca.crl": crl_of(ca), "/ocsp": response_of(ca, citizen)}

    installation.store.judge(read_certificate(citizen.der), at=NOW)
    installation.once()

    assert set(web.requested_paths) == {"/ca.crl", "/ocsp"}


# --- OCSP -----------------------------------------------------------------------------------------


def test_certificate_without_status_gets_one_from_its_responder(
    installation: Installation, web: PublishedPaths, ca: Authority
) -> None:
    """SIG-07 at first; the refresher fetches its status, and within the reload interval it
    is good.
    """
    citizen, other = ca.issue(), ca.issue()
    web.at |= {"/ca.crl": b"", "/ocsp": response_of(ca, citizen)}
    own = read_certificate(citizen.der)

    assert installation.store.judge(own, at=NOW).code is Code.SIG_07
    (left,) = installation.wanted.iterdir()
    assert left.name == f"{citizen.fingerprint.hex()}.cer"
    assert left.stat().st_mode & 0o777 == 0o600
    assert installation.once()[1].result is SourceState.NEW

    assert list(installation.wanted.iterdir()) == []
    assert installation.store.judge(own, at=NOW + RELOAD_INTERVAL).code is None
    other_code = installation.store.judge(
        read_certificate(other.der), at=NOW + RELOAD_INTERVAL
    ).code
    assert other_code is Code.SIG_07
    web.at["/ocsp"] = response_of(ca, citizen)
    assert "another certificate" in installation.once()[1].why


def test_useless_answers_are_not_stored(
    installation: Installation, web: PublishedPaths, ca: Authority
) -> None:
    """A stale answer, a stranger's answer, and the answer "unknown" are not stored."""
    citizen = ca.issue()
    installation.store.judge(read_certificate(citizen.der), at=NOW)
    web.at["/ca.crl"] = b""
    stranger = Authority.root("A Stranger").subordinate("A CA")
    for response, why in (
        (b"junk", "no OCSP response"),
        (response_of(stranger, citizen), "not signed for that CA"),
        (response_of(ca, citizen, next_update=NOW), "run out"),
        (response_of(ca, citizen, this_update=NOW + HOUR, next_update=None), "from the future"),
        (response_of(ca, citizen, status=UNKNOWN), "does not know"),
    ):
        web.at["/ocsp"] = response
        assert why in installation.once()[1].why
    assert list(installation.ocsp.iterdir()) == []
    assert list(installation.wanted.iterdir()) == []


def test_old_answers_are_deleted(installation: Installation, ca: Authority) -> None:
    """Expired answers are deleted, except revocations."""
    good, revoked = ca.issue(), ca.issue()
    for holder, response in (
        (good, response_of(ca, good)),
        (revoked, response_of(ca, revoked, status=REVOKED)),
    ):
        (installation.ocsp / f"{holder.fingerprint.hex()}.ors").write_bytes(response)

    installation.once(NOW + 3 * DAY)

    assert [path.stem for path in installation.ocsp.iterdir()] == [revoked.fingerprint.hex()]


def test_waiting_certificates_are_bounded(
    installation: Installation, root: Authority, ca: Authority
) -> None:
    """The number of waiting certificates is bounded, and each has a responder."""
    installation.store.judge(read_certificate(Authority.root("A Stranger").issue().der), at=NOW)
    installation.store.judge(read_certificate(root.issue().der), at=NOW)
    assert list(installation.wanted.iterdir()) == []
    for number in range(MAX_PENDING):
        (installation.wanted / f"{number}.cer").touch()
    installation.store.judge(read_certificate(ca.issue().der), at=NOW)
    assert len(list(installation.wanted.iterdir())) == MAX_PENDING


# --- two workers ----------------------------------------------------------------------------------

SLACK = 15.0
"""The seconds within which a worker that shares its core notices a change."""

_WORKER = """
import sys, time
from datetime import UTC, datetime
from pathlib import Path
from makul.trust.pki.certificates import read_certificate
from makul.trust.pki.trust_material import TrustDirectories
from makul.trust.pki.trust_store import TrustStore

root = Path(sys.argv[1])
store = TrustStore(TrustDirectories(anchors=root / "anchors", crls=root / "crls"))
certificate = read_certificate((root / "signer.der").read_bytes())
last = ""
while True:
    now = str(store.judge(certificate, at=datetime.now(UTC)).code)
    if now != last:
        print(now, flush=True)
    last = now
    time.sleep(0.05)
"""


def test_two_workers_notice_a_revocation(tmp_path: Path, web: PublishedPaths) -> None:
    """Both workers refuse a revoked certificate within the interval, and then report SIG-07 as
    stale.
    """
    root = Authority.root("A Root")
    begun = datetime.now(UTC).replace(microsecond=0)
    signer = root.issue(Profile(not_before=begun - DAY, not_after=begun + DAY))
    files = StoreFiles(tmp_path).write(anchors=[root])
    (tmp_path / "signer.der").write_bytes(signer.der)
    refresher = Refresher(
        directories=TrustDirectories(anchors=files.anchors, crls=files.crls),
        more_anchors=None,
        crls=[CrlSource(url=f"{web.url}/root.crl", path=files.crls / "root.crl")],
        responders=[],
        wanted=None,
        fetch=Fetcher(),
    )

    def publish(*listed: x509.RevokedCertificate, issued: datetime, until: datetime) -> None:
        web.at["/root.crl"] = crl_of(root, listed, this_update=issued, next_update=until)
        (outcome,) = refresher.once(datetime.now(UTC))
        assert outcome.result is SourceState.NEW, outcome.why

    publish(issued=begun - HOUR, until=begun + HOUR)
    command = [sys.executable, "-c", _WORKER, str(tmp_path)]
    workers = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": "service"})
        for _ in range(2)
    ]
    try:
        answers = [worker.stdout.readline().strip() for worker in workers if worker.stdout]
        assert answers == ["None", "None"]
        held = x509.CRLReason(x509.ReasonFlags.certificate_hold)
        changed = time.monotonic()
        runs_out = datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=20)
        publish(entry(serial_of(signer), (held, False)), issued=begun, until=runs_out)
        answers = [worker.stdout.readline().strip() for worker in workers if worker.stdout]
        assert answers == ["SIG-06", "SIG-06"]
        assert time.monotonic() - changed < RELOAD_INTERVAL.total_seconds() + SLACK
        web.status = 503
        assert [each.result for each in refresher.once(datetime.now(UTC))] == [SourceState.FAILED]
        answers = [worker.stdout.readline().strip() for worker in workers if worker.stdout]
        assert answers == ["SIG-07", "SIG-07"]
        assert datetime.now(UTC) >= runs_out
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()


def test_two_workers_notice_new_anchors(tmp_path: Path) -> None:
    """Both workers notice an added and a removed anchor within the stated time."""
    other, root = Authority.root("Another Root"), Authority.root("A Root")
    begun = datetime.now(UTC).replace(microsecond=0)
    signer = root.issue(Profile(not_before=begun - DAY, not_after=begun + DAY))
    crl = crl_of(root, [], this_update=begun - HOUR, next_update=begun + HOUR)
    files = StoreFiles(tmp_path).write(anchors=[other], crls=[crl])
    (tmp_path / "signer.der").write_bytes(signer.der)
    new = files.anchors / "new.crt"
    command = [sys.executable, "-c", _WORKER, str(tmp_path)]
    workers = [
        subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={"PYTHONPATH": "service"})
        for _ in range(2)
    ]

    def answers() -> list[str]:
        return [worker.stdout.readline().strip() for worker in workers if worker.stdout]

    try:
        assert answers() == ["SIG-09", "SIG-09"]
        for expected in ("None", "SIG-09"):
            changed = time.monotonic()
            if expected == "None":
                away = tmp_path / "new.crt"
                away.write_bytes(root.certificate.public_bytes(Encoding.PEM))
                away.rename(new)
            else:
                new.unlink()
            assert answers() == [expected, expected]
            assert time.monotonic() - changed < RELOAD_INTERVAL.total_seconds() + SLACK
    finally:
        for worker in workers:
            worker.kill()
            worker.communicate()
