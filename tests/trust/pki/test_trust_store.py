"""Certificate paths: each kind of failure has its name, and "could not be determined" is never
"yes".
"""

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from makul.app.ports import RejectedError
from makul.domain.disclosures import ProofStatus
from makul.domain.reasons import Code
from makul.trust.pki import trust_store as paths
from makul.trust.pki.certificates import read_certificate
from makul.trust.pki.trust_material import TrustDirectories, TrustStoreError
from makul.trust.pki.trust_store import PathStatus, TrustStore
from makul.trust.validation.documents import XadesVerifier
from makul.trust.wsse.verification import WsseVerifier
from makul_testing.builders.wsse import Message
from makul_testing.builders.xades import Forge
from makul_testing.pki.authorities import (
    DAY,
    NOW,
    PIN,
    Authority,
    Holder,
    Profile,
    StoreFiles,
    key_usage,
    name_of,
    new_key,
    new_rsa_key,
)

MINUTE = timedelta(minutes=1)


@pytest.fixture
def root() -> Authority:
    return Authority.root("A Root")


@pytest.fixture
def ca(root: Authority) -> Authority:
    return root.subordinate("A CA")


def store_of(
    path: Path, anchors: Iterable[Authority], under: Iterable[Authority], crls: Iterable[bytes]
) -> TrustStore:
    files = StoreFiles(path).write(anchors=anchors, intermediates=under, crls=crls)
    return TrustStore(directories(files))


def directories(files: StoreFiles) -> TrustDirectories:
    return TrustDirectories(
        anchors=files.anchors, intermediates=files.intermediates, crls=files.crls
    )


def status(store: TrustStore, holder: Holder, *, at=NOW) -> PathStatus:
    return PathStatus(store.judge(read_certificate(holder.der), at=at).why)


def test_valid_path_is_trusted(tmp_path: Path, root: Authority, ca: Authority) -> None:
    """RFC 5280, 6.1: a path to an anchor is trusted in its term, with current CRLs of both
    issuers.
    """
    store = store_of(tmp_path, [root], [ca], [root.crl(), ca.crl()])

    assert status(store, ca.issue()) is PathStatus.TRUSTED
    assert PathStatus.TRUSTED.code is None


@pytest.mark.parametrize(
    ("profile", "expected", "code"),
    [
        (Profile(not_after=NOW - DAY), PathStatus.EXPIRED, Code.SIG_05),
        (Profile(not_before=NOW + DAY), PathStatus.NOT_YET_VALID, Code.SIG_05),
        (
            Profile(
                extra=[
                    (x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\5\0"), True)
                ]
            ),
            PathStatus.UNKNOWN_ISSUER,
            Code.SIG_09,
        ),
    ],
    ids=["expired", "not yet valid", "unknown critical extension"],
)
def test_each_defect_of_a_certificate_has_its_reason(
    tmp_path: Path, profile: Profile, expected: PathStatus, code: Code
) -> None:
    """Each defect of the certificate itself has its name and its reason."""
    root = Authority.root("A Root")
    store = store_of(tmp_path, [root], [], [root.crl()])

    found = status(store, root.issue(profile))

    assert (found, found.code) == (expected, code)


def test_certificate_signed_with_sha1_is_refused(tmp_path: Path) -> None:
    """SIG-04: a certificate whose issuer signed it with SHA-1."""
    root = Authority.root("An RSA Root", key=new_rsa_key())
    store = store_of(tmp_path, [root], [], [root.crl()])

    assert status(store, root.issue()) is PathStatus.TRUSTED
    assert status(store, root.issue_with_sha1()).code is Code.SIG_04


def test_revoked_certificate_is_refused(tmp_path: Path, root: Authority, ca: Authority) -> None:
    """SIG-06: the certificate's own CRL names it."""
    revoked, other = ca.issue(), ca.issue()
    ca.revoke(revoked)
    store = store_of(tmp_path, [root], [ca], [root.crl(), ca.crl()])

    assert status(store, revoked).code is Code.SIG_06
    assert status(store, other) is PathStatus.TRUSTED


def test_certificate_of_a_revoked_issuer_is_refused(
    tmp_path: Path, root: Authority, ca: Authority
) -> None:
    """SIG-06: certificates of a revoked CA are not trusted either."""
    root.revoke(ca.holder)
    store = store_of(tmp_path, [root], [ca], [root.crl(), ca.crl()])

    assert status(store, ca.issue()) is PathStatus.REVOKED


def test_later_crl_counts(tmp_path: Path, root: Authority) -> None:
    """The later one of two current CRLs counts."""
    holder = root.issue()
    earlier = root.crl(this_update=NOW - 2 * DAY)
    root.revoke(holder)
    store = store_of(tmp_path, [root], [], [earlier, root.crl()])

    assert status(store, holder) is PathStatus.REVOKED


@pytest.mark.parametrize("which", ["none", "only root", "only ca", "stale", "future", "forged"])
def test_unknown_revocation_is_never_a_pass(
    tmp_path: Path, root: Authority, ca: Authority, which: str
) -> None:
    """SIG-07: without a current CRL of every issuer, the status is unknown, and never a pass."""
    stale = ca.crl(this_update=NOW - 3 * DAY, next_update=NOW - timedelta(seconds=1))
    crls = {
        "none": [],
        "only root": [root.crl()],
        "only ca": [ca.crl()],
        "stale": [root.crl(), stale],
        "future": [root.crl(), ca.crl(this_update=NOW + MINUTE)],
        "forged": [root.crl(), ca.crl(signed_by=new_key())],
    }[which]
    store = store_of(tmp_path, [root], [ca], crls)

    found = status(store, ca.issue())

    assert (found, found.code) == (PathStatus.REVOCATION_UNKNOWN, Code.SIG_07)


def test_document_with_unknown_revocation_is_indeterminate(
    tmp_path: Path, root: Authority, ca: Authority
) -> None:
    """An unknown revocation status is INDETERMINATE, and no content is returned."""
    store = store_of(tmp_path, [root], [ca], [root.crl()])

    verified = XadesVerifier(store).verify(Forge(holder=ca.issue()).signed(), at=NOW)

    assert verified.proof.status is ProofStatus.INDETERMINATE
    assert verified.proof.reasons == (Code.SIG_07,)
    assert verified.signed is None


def test_document_of_a_revoked_signer_is_refused(
    tmp_path: Path, root: Authority, ca: Authority
) -> None:
    """SIG-06 in the verification of a document."""
    citizen = ca.issue()
    ca.revoke(citizen)
    store = store_of(tmp_path, [root], [ca], [root.crl(), ca.crl()])

    proof = XadesVerifier(store).verify(Forge(holder=citizen).signed(), at=NOW).proof

    assert (proof.status, proof.reasons) == (ProofStatus.FAILED, (Code.SIG_06,))


def test_message_of_a_revoked_or_unknown_sender_is_refused(
    tmp_path: Path, root: Authority, ca: Authority
) -> None:
    """SIG-06 and SIG-07 in the verification of a message: a registered certificate needs its path
    too.
    """
    bank = ca.issue(Profile(usage=key_usage("digital_signature")))
    envelope = Message(holder=bank).signed()
    without_crl = store_of(tmp_path / "a", [root], [ca], [root.crl()])
    ca.revoke(bank)
    with_crl = store_of(tmp_path / "b", [root], [ca], [root.crl(), ca.crl()])

    for store, code in ((without_crl, Code.SIG_07), (with_crl, Code.SIG_06)):
        with pytest.raises(RejectedError) as caught:
            WsseVerifier(store).verify(envelope, at=NOW)
        assert caught.value.reasons[0].code is code


def test_unknown_issuers_are_untrusted(tmp_path: Path, root: Authority, ca: Authority) -> None:
    """SIG-09: a stranger, an imitating CA with the same names, and a self-signed certificate."""
    store = store_of(tmp_path, [root], [ca], [root.crl(), ca.crl()])
    look_alike = Authority.root("A Root").subordinate("A CA")
    alone = Authority.root("Alone")

    for holder in (Authority.root("Stranger").issue(), look_alike.issue(), alone.holder):
        assert status(store, holder).code is Code.SIG_09


def test_end_entity_issues_no_certificate(tmp_path: Path, root: Authority, ca: Authority) -> None:
    """RFC 5280, 4.2.1.9: a citizen's certificate issues nothing, in any position of a path."""
    citizen = ca.issue()
    imposter = Authority(citizen).issue(
        Profile(subject=name_of("Imposter", "PNOKG-10101198012345"))
    )
    files = StoreFiles(tmp_path).write(
        anchors=[root], intermediates=[ca], crls=[root.crl(), ca.crl(), Authority(citizen).crl()]
    )
    store = TrustStore(directories(files))

    assert status(store, imposter).code is Code.SIG_09

    (files.intermediates / "citizen.der").write_bytes(citizen.der)
    with pytest.raises(TrustStoreError, match=r"citizen\.der: .*not a CA"):
        TrustStore(directories(files))


def test_path_length_is_enforced(tmp_path: Path, root: Authority, ca: Authority) -> None:
    """RFC 5280, 4.2.1.9: `ca` may certify no CA below it."""
    below = ca.subordinate("Too deep")
    store = store_of(tmp_path, [root], [ca, below], [root.crl(), ca.crl(), below.crl()])

    assert status(store, below.issue()).code is Code.SIG_09


def test_length_that_looks_indefinite_is_read(tmp_path: Path, root: Authority) -> None:
    """A good certificate is accepted if its length ends in 0x80 (asn1crypto 1.5.1 misread it)."""
    store = store_of(tmp_path, [root], [], [root.crl()])

    assert status(store, of_length(root, 0x80)) is PathStatus.TRUSTED
    assert status(store, of_length(root, 0x81)) is PathStatus.TRUSTED


def of_length(issuer: Authority, last_octet: int) -> Holder:
    """Build a certificate whose signed part has such a length, with a CRL address in LDAP."""
    place = x509.UniformResourceIdentifier("ldap:///" + "a" * 200)
    point = x509.DistributionPoint([place], None, None, None)
    extra = [(x509.CRLDistributionPoints([point]), False)]
    names = (name_of("A" * length, f"PNOKG-{PIN}") for length in range(1, 64))
    holders = (issuer.issue(Profile(subject=name, extra=extra)) for name in names)
    return next(each for each in holders if each.certificate.tbs_certificate_bytes[3] == last_octet)


def test_anchor_out_of_term_is_untrusted(tmp_path: Path, root: Authority) -> None:
    """An anchor past its own notAfter is not trusted."""
    later = NOW + 1500 * DAY
    holder = root.issue(Profile(not_after=later + DAY))
    crl = root.crl(this_update=later - DAY, next_update=later + DAY)
    store = store_of(tmp_path, [root], [], [crl])

    assert status(store, holder, at=later).code is Code.SIG_05


# --- what is remembered, and for how long (invariant 9) -------------------------------------------


def test_verdict_is_cached_until_the_next_update(
    tmp_path: Path, root: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A cached verdict ends at the instant when a CRL behind it is no longer current."""
    holder = root.issue()
    store = store_of(tmp_path, [root], [], [root.crl(next_update=NOW + DAY)])
    validated = []
    validate = paths._validate
    monkeypatch.setattr(paths, "_validate", lambda *a: validated.append(1) or validate(*a))

    for at in (NOW, NOW + MINUTE, NOW + DAY - MINUTE):
        assert status(store, holder, at=at) is PathStatus.TRUSTED
    assert len(validated) == 1

    assert status(store, holder, at=NOW + DAY + MINUTE) is PathStatus.REVOCATION_UNKNOWN
    assert status(store, holder, at=NOW - 2 * DAY) is PathStatus.REVOCATION_UNKNOWN


def test_verdict_is_cached_until_the_certificate_ends(tmp_path: Path, root: Authority) -> None:
    """A cached verdict also ends with the certificate's own term."""
    holder = root.issue(Profile(not_after=NOW + MINUTE))
    store = store_of(tmp_path, [root], [], [root.crl()])

    assert status(store, holder) is PathStatus.TRUSTED
    assert status(store, holder, at=NOW + 2 * MINUTE) is PathStatus.EXPIRED


def test_new_crl_is_noticed(tmp_path: Path, root: Authority) -> None:
    """A new CRL counts after the interval at the latest, also for cached verdicts."""
    holder = root.issue()
    files = StoreFiles(tmp_path).write(anchors=[root], crls=[root.crl()])
    store = TrustStore(directories(files))
    assert status(store, holder) is PathStatus.TRUSTED

    root.revoke(holder)
    put(files.crls / "0.crl", root.crl())

    assert status(store, holder, at=NOW + timedelta(seconds=4)) is PathStatus.TRUSTED
    assert status(store, holder, at=NOW + timedelta(seconds=5)) is PathStatus.REVOKED


def test_removed_anchor_is_noticed(tmp_path: Path, root: Authority) -> None:
    """A removed anchor is noticed in the same way."""
    other = Authority.root("Another Root")
    files = StoreFiles(tmp_path).write(anchors=[root, other], crls=[root.crl()])
    store = TrustStore(directories(files))
    holder = root.issue()
    assert status(store, holder) is PathStatus.TRUSTED

    (files.anchors / "0.crt").unlink()

    assert status(store, holder, at=NOW + MINUTE) is PathStatus.UNKNOWN_ISSUER


def test_unreadable_material_fails_closed(tmp_path: Path, root: Authority) -> None:
    """While a file cannot be read, nothing is trusted; after its repair, verdicts are good
    again.
    """
    files = StoreFiles(tmp_path).write(anchors=[root], crls=[root.crl()])
    store = TrustStore(directories(files))
    holder = root.issue()
    assert status(store, holder) is PathStatus.TRUSTED

    put(files.crls / "1.crl", b"half a fi")
    assert status(store, holder, at=NOW + MINUTE) is PathStatus.REVOCATION_UNKNOWN
    assert status(store, holder, at=NOW + MINUTE) is PathStatus.REVOCATION_UNKNOWN

    (files.crls / "1.crl").unlink()
    assert status(store, holder, at=NOW + 2 * MINUTE) is PathStatus.TRUSTED


def put(path: Path, content: bytes) -> None:
    """Write a file as an operator should: under another name first, then renamed."""
    aside = path.with_suffix(".new")
    aside.write_bytes(content)
    aside.replace(path)


# --- loading ------------------------------------------------------------------------------------


def test_store_without_anchors_is_refused(tmp_path: Path) -> None:
    """An empty store is the operator's mistake, and is reported at start-up with what to do."""
    files = StoreFiles(tmp_path).write(anchors=[])

    with pytest.raises(TrustStoreError, match=r"no anchors\. Put the CA certificates"):
        TrustStore(directories(files))


def test_missing_directory_is_refused(tmp_path: Path, root: Authority) -> None:
    files = StoreFiles(tmp_path).write(anchors=[root])
    nowhere = replace(directories(files), crls=tmp_path / "nowhere")

    with pytest.raises(TrustStoreError, match=r"nowhere: .*Make this directory"):
        TrustStore(nowhere)


def test_weak_anchor_is_refused(tmp_path: Path) -> None:
    """An anchor of RSA-1024 is refused by name."""
    files = StoreFiles(tmp_path).write(anchors=[Authority.root("Old", key=new_rsa_key(1024))])

    with pytest.raises(TrustStoreError, match=r"0\.crt: .*kind or size"):
        TrustStore(directories(files))


def test_anchor_without_a_name_is_refused(tmp_path: Path, root: Authority) -> None:
    """An anchor whose subject cannot be read (a bit string) is refused by name."""
    files = StoreFiles(tmp_path).write(anchors=[root], crls=[root.crl()])
    unnamed = root.holder.der.replace(b"\x0c\x06A Root", b"\x03\x06A Root")
    (files.anchors / "0.crt").write_bytes(unnamed)

    with pytest.raises(TrustStoreError, match=r"0\.crt: cannot be used"):
        TrustStore(directories(files))


def test_store_reads_pem_and_der(tmp_path: Path, root: Authority, ca: Authority) -> None:
    """PEM and DER and several certificates in one file are read; files with other names are
    ignored.
    """
    files = StoreFiles(tmp_path).write(anchors=[], crls=[root.crl(), ca.crl()])
    both = b"".join(
        certificate.public_bytes(Encoding.PEM)
        for certificate in (Authority.root("B").certificate, root.certificate)
    )
    (files.anchors / "two.pem").write_bytes(both)
    (files.anchors / "README.txt").write_text("not a certificate")
    (files.intermediates / "ca.der").write_bytes(ca.holder.der)
    store = TrustStore(directories(files))

    assert status(store, ca.issue()) is PathStatus.TRUSTED


def test_message_anchors_are_separate(tmp_path: Path, root: Authority) -> None:
    """An authority that may certify recipients' systems may not certify citizens."""
    systems = Authority.root("Systems")
    citizens_store = store_of(tmp_path / "c", [root], [], [root.crl()])
    systems_store = store_of(tmp_path / "s", [systems], [], [systems.crl()])
    imposter = systems.issue(Profile(usage=key_usage("digital_signature")))

    assert status(systems_store, imposter) is PathStatus.TRUSTED
    assert status(citizens_store, imposter) is PathStatus.UNKNOWN_ISSUER
