"""The times of a validation, and proof that a signature existed (ETSI EN 319 102-1, 5.4 to 5.6)."""

from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from makul.domain.disclosures import ProofStatus
from makul.domain.reasons import Code
from makul.trust.base.findings import Indication, SubIndication
from makul.trust.pki.trust_store import TrustStore
from makul.trust.validation.documents import XadesVerifier
from makul.trust.validation.report import CheckVerdict, ExistenceSource
from makul.trust.xades.signing import add_timestamp
from makul_sandbox.data.timestamp_authority import StampingAuthority
from makul_testing.builders.validation import SHORT, report, store_of, verdicts
from makul_testing.builders.xades import Forge, instant
from makul_testing.pki.authorities import DAY, NOW, Authority, Holder, Profile, key_usage, name_of

SIGNED = NOW - 10 * DAY
"""The time at which the documents of this module that are judged for the past were signed."""
TIMESTAMPING = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])


@pytest.fixture(scope="module")
def tsa_root() -> Authority:
    return Authority.root("A Root of TSAs")


@pytest.fixture(scope="module")
def tsa(tsa_root: Authority) -> StampingAuthority:
    holder = tsa_root.issue(
        Profile(
            subject=name_of("A TSA"),
            usage=key_usage("digital_signature"),
            extra=[(TIMESTAMPING, True)],
        )
    )
    return StampingAuthority(key=holder.key, certificate=holder.certificate)


@pytest.fixture(scope="module")
def tsas(tsa_root: Authority, tmp_path_factory: pytest.TempPathFactory) -> TrustStore:
    return store_of(tmp_path_factory.mktemp("tsas"), tsa_root)


@pytest.fixture
def root() -> Authority:
    return Authority.root("A Root")


def signed_then(holder: Holder) -> bytes:
    return Forge(holder=holder, signing_time=instant(SIGNED)).signed()


def crls_then_and_now(root: Authority) -> tuple[bytes, bytes]:
    """Return an earlier CRL, issued after the signature in the term of `SHORT`, and a later one."""
    return root.crl(this_update=SIGNED + DAY, next_update=SIGNED + 3 * DAY), root.crl()


def test_signing_time_proves_nothing(tmp_path: Path, root: Authority) -> None:
    """5.5.4: the report shows the signer's claimed time, and no check uses it."""
    holder = root.issue(SHORT)
    verifier = XadesVerifier(store_of(tmp_path, root, *crls_then_and_now(root)))

    found = report(verifier, signed_then(holder))

    assert found.times.claimed == SIGNED
    assert found.times.best_signature_time == NOW
    assert found.sub_indication is SubIndication.OUT_OF_BOUNDS_NO_POE


@pytest.mark.parametrize("by", ["held", "timestamp"])
def test_later_expiry_is_harmless_with_proof(
    tmp_path: Path, root: Authority, tsa: StampingAuthority, tsas: TrustStore, by: str
) -> None:
    """5.6.2: the certificate ended after the signature provably existed, which is harmless."""
    holder = root.issue(SHORT)
    store = store_of(tmp_path, root, *crls_then_and_now(root))
    verifier = XadesVerifier(store, tsa=tsas)
    document = signed_then(holder)
    if by == "timestamp":
        document = add_timestamp(document, lambda octets: tsa.stamp(octets, at=SIGNED))

    found = report(verifier, document, existed_at=SIGNED if by == "held" else None)

    assert (found.indication, found.why) == (Indication.PASSED, None)
    assert found.times.existence is not None
    assert found.times.existence.source is ExistenceSource(by)
    assert SIGNED <= found.times.best_signature_time <= SIGNED + timedelta(seconds=1)
    assert verdicts(found)["proof-of-existence"] is CheckVerdict.PASSED
    assert len(found.timestamps) == (by == "timestamp")


def test_later_revocation_is_harmless_with_proof(tmp_path: Path, root: Authority) -> None:
    """5.6.2: a revocation after the signature existed is harmless; REVOKED_NO_POE without proof."""
    holder = root.issue()
    root.revoke(holder)
    verifier = XadesVerifier(store_of(tmp_path, root))

    with_proof = report(verifier, signed_then(holder), existed_at=SIGNED)
    without = report(verifier, signed_then(holder))

    assert with_proof.indication is Indication.PASSED
    assert without.sub_indication is SubIndication.REVOKED_NO_POE


def test_proof_after_the_end_proves_nothing(tmp_path: Path, root: Authority) -> None:
    """5.6.2: the document is known only since the certificate ended, so it may be younger."""
    verifier = XadesVerifier(store_of(tmp_path, root))

    found = report(verifier, signed_then(root.issue(SHORT)), existed_at=NOW - DAY / 2)

    assert found.sub_indication is SubIndication.OUT_OF_BOUNDS_NO_POE


def test_the_earliest_proof_counts(
    tmp_path: Path, root: Authority, tsa: StampingAuthority, tsas: TrustStore
) -> None:
    """5.5.4: the best signature time is the earliest proof, and never after the present."""
    verifier = XadesVerifier(store_of(tmp_path, root, *crls_then_and_now(root)), tsa=tsas)
    document = signed_then(root.issue())
    stamped = add_timestamp(document, lambda octets: tsa.stamp(octets, at=SIGNED))

    later = report(verifier, stamped, existed_at=SIGNED + DAY)
    future = report(verifier, document, existed_at=NOW + DAY)

    assert later.times.existence is not None
    assert later.times.existence.source is ExistenceSource.TIMESTAMP
    assert (future.times.existence, future.times.best_signature_time) == (None, NOW)


def test_claimed_time_after_the_proof_is_refused(tmp_path: Path, root: Authority) -> None:
    """5.2.8: a claimed signing time after the proof of existence is wrong."""
    verifier = XadesVerifier(store_of(tmp_path, root, *crls_then_and_now(root)))

    found = report(verifier, Forge(holder=root.issue()).signed(), existed_at=SIGNED)

    assert (found.code, found.sub_indication) == (
        Code.SIG_02,
        SubIndication.SIG_CONSTRAINTS_FAILURE,
    )


@pytest.mark.parametrize("token", [b"garbage", b"", b"\x30\x00"], ids=["text", "empty", "DER"])
@pytest.mark.parametrize("trusting", ["some TSA", "no TSA"])
def test_malformed_timestamp_is_refused(
    store: TrustStore, tsas: TrustStore, world, token: bytes, trusting: str
) -> None:
    """A malformed timestamp is refused, SIG-02; this is stricter than 5.5.4."""
    verifier = XadesVerifier(store, tsa=tsas if trusting == "some TSA" else None)
    document = add_timestamp(Forge(holder=world.citizen).signed(), lambda _: token)

    found = report(verifier, document)

    assert (found.code, found.sub_indication) == (
        Code.SIG_02,
        SubIndication.SIG_CONSTRAINTS_FAILURE,
    )
    assert verdicts(found)["proof-of-existence"] is CheckVerdict.FAILED
    assert found.status is ProofStatus.FAILED


def test_timestamp_of_another_signature_is_refused(
    store: TrustStore, tsas: TrustStore, tsa: StampingAuthority, world
) -> None:
    """5.5.4, 3: the message imprint is of another signature value, which is refused, SIG-02."""
    document = add_timestamp(
        Forge(holder=world.citizen).signed(), lambda _: tsa.stamp(b"another", at=SIGNED)
    )

    found = report(XadesVerifier(store, tsa=tsas), document)

    assert found.code is Code.SIG_02
    assert verdicts(found)["proof-of-existence"] is CheckVerdict.FAILED


def test_untrusted_timestamp_is_ignored(
    documents: XadesVerifier, tsa: StampingAuthority, world
) -> None:
    """5.5.4, 3: a timestamp that does not validate is reported, ignored, and no proof."""
    document = add_timestamp(
        Forge(holder=world.citizen).signed(), lambda octets: tsa.stamp(octets, at=NOW)
    )

    found = report(documents, document)

    assert found.indication is Indication.PASSED
    assert verdicts(found)["proof-of-existence"] is CheckVerdict.FAILED
    assert found.times.existence is None
    assert [each.code for each in found.timestamps] == [Code.SIG_09]


def test_timestamps_are_counted_and_measured_first(documents: XadesVerifier, world) -> None:
    """xades.MAX_TIMESTAMPS, MAX_TOKEN_BYTES: a stranger's document cannot cause unbounded work."""
    document = Forge(holder=world.citizen).signed()
    many, large = document, add_timestamp(document, lambda _: b"x" * (33 * 1024))
    for _ in range(5):
        many = add_timestamp(many, lambda _: b"x")

    assert verdicts(report(documents, many))["format"] is CheckVerdict.FAILED
    assert verdicts(report(documents, large))["format"] is CheckVerdict.FAILED
