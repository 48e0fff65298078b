"""The validation report: each check, each sub-indication, the times, and what is kept of them."""

import json
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID
from lxml import etree
from signxml import XMLSigner
from signxml.algorithms import CanonicalizationMethod, SignatureConstructionMethod

from makul.domain.disclosures import ProofStatus
from makul.domain.reasons import Code
from makul.sandbox.tsa import StampingAuthority
from makul.trust.documents import Profile as Asked
from makul.trust.documents import XadesVerifier
from makul.trust.failures import SignatureFailure
from makul.trust.findings import Indication, SubIndication
from makul.trust.paths import TrustStore
from makul.trust.signing import add_timestamp
from makul.trust.validation.checks import CHECKS
from makul.trust.validation.report import CheckVerdict, ExistenceSource, Report
from support.crls import directories
from support.pki import DAY, NOW, PIN, Authority, Holder, Profile, StoreFiles, key_usage, name_of
from support.xades import CONTENT, DS, RSA_SHA1, SHA1, XADES, Forge, instant

SIGNED = NOW - 10 * DAY
"""When the documents of this page were signed that are judged for the past."""
SHORT = Profile(not_after=NOW - DAY)
"""Of a certificate that was good at `SIGNED` and has ended since."""
ASKED = Asked(name="generic", plain=True, unbound="anyone may sign")
TIMESTAMPING = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])


def report(verifier: XadesVerifier, document: bytes, **changes: Any) -> Report:
    asked = changes.pop("asked", ASKED)
    return verifier.validate(document, asked, **{"at": NOW} | changes).report


def verdicts(found: Report) -> dict[str, CheckVerdict]:
    return {result.check: result.verdict for result in found.checks}


def store_of(path: Path, root: Authority, *crls: bytes) -> TrustStore:
    files = StoreFiles(path).write(anchors=[root], intermediates=[], crls=crls or [root.crl()])
    return TrustStore(directories(files))


# --- what passes --------------------------------------------------------------------------------


def test_total_passed(documents: XadesVerifier, world) -> None:
    """ETSI EN 319 102-1, 5.1.3: TOTAL-PASSED, every check that applies has passed."""
    document = Forge(holder=world.citizen).signed()

    found = report(documents, document)

    assert (found.indication, found.sub_indication, found.code) == (Indication.PASSED, None, None)
    assert {
        name for name, verdict in verdicts(found).items() if verdict is CheckVerdict.NOT_RUN
    } == {
        "proof-of-existence",
        "signer-binding",
    }
    assert found.document == sha256(document).digest()
    assert found.certificate == world.citizen.fingerprint
    assert found.path is not None
    assert found.path.path[0] == world.citizen.fingerprint
    assert found.path.path[-1] == world.root.holder.fingerprint
    assert found.times.claimed == NOW
    assert found.times.best_signature_time == NOW


def test_the_order_of_checks_is_that_of_the_report(documents: XadesVerifier, world) -> None:
    """Each check is told, also where an earlier one ended the course."""
    for document in (b"", Forge(holder=world.citizen).signed()):
        found = report(documents, document)
        assert [each.check for each in found.checks] == [each.name for each in CHECKS]


def test_every_check_says_what_it_concludes() -> None:
    """What could not be processed is SIG-02 wherever it happens, and has a name in every check."""
    assert all(Code.SIG_02 in check.concludes for check in CHECKS)
    assert len({check.name for check in CHECKS}) == len(CHECKS)


# --- one row for each check and sub-indication that a document alone can bring about ------------


def swapped(document: bytes, old: bytes, new: bytes) -> bytes:
    assert old in document
    return document.replace(old, new, 1)


def wrong_value(document: bytes) -> bytes:
    root = etree.fromstring(document)
    value = root.find(f".//{{{DS}}}SignatureValue")
    value.text = value.text[:8] + ("B" if value.text[8] == "A" else "A") + value.text[9:]
    return etree.tostring(root)


def unnamed(document: bytes) -> bytes:
    """SigningCertificateV2 names a certificate that KeyInfo does not carry."""
    root = etree.fromstring(document)
    root.find(f".//{{{XADES}}}CertDigest/{{{DS}}}DigestValue").text = "AAAA"
    return etree.tostring(root)


Row = tuple[str, Callable[[Any], bytes], str, Code, SubIndication, Indication]
FAILED, OPEN = Indication.FAILED, Indication.INDETERMINATE
ROWS: list[Row] = [
    (
        "unsigned",
        lambda world: CONTENT.encode(),
        "format",
        Code.SIG_01,
        SubIndication.FORMAT_FAILURE,
        FAILED,
    ),
    (
        "no XML",
        lambda world: b"<a",
        "format",
        Code.SIG_02,
        SubIndication.FORMAT_FAILURE,
        FAILED,
    ),
    (
        "something else signed",
        lambda world: Forge(holder=world.citizen, document_uri="#other").signed(),
        "format",
        Code.SIG_03,
        SubIndication.SIGNED_DATA_NOT_FOUND,
        OPEN,
    ),
    (
        "two references at one element",
        lambda world: Forge(holder=world.citizen, target="#another").signed(),
        "format",
        Code.SIG_03,
        SubIndication.FORMAT_FAILURE,
        FAILED,
    ),
    (
        "no SigningCertificateV2",
        lambda world: Forge(holder=world.citizen, signing_certificate=False).signed(),
        "identification",
        Code.SIG_02,
        SubIndication.NO_SIGNING_CERTIFICATE_FOUND,
        OPEN,
    ),
    (
        "another certificate named",
        lambda world: unnamed(Forge(holder=world.citizen).signed()),
        "identification",
        Code.SIG_02,
        SubIndication.NO_SIGNING_CERTIFICATE_FOUND,
        OPEN,
    ),
    (
        "content changed",
        lambda world: swapped(Forge(holder=world.citizen).signed(), b"OPENING", b"CLOSING"),
        "integrity",
        Code.SIG_02,
        SubIndication.HASH_FAILURE,
        FAILED,
    ),
    (
        "value changed",
        lambda world: wrong_value(Forge(holder=world.citizen).signed()),
        "integrity",
        Code.SIG_02,
        SubIndication.SIG_CRYPTO_FAILURE,
        FAILED,
    ),
    (
        "SHA-1 digest",
        lambda world: Forge(holder=world.citizen, digest_method=SHA1).signed(),
        "cryptographic-constraints",
        Code.SIG_04,
        SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE,
        OPEN,
    ),
    (
        "RSA with SHA-1",
        lambda world: Forge(holder=world.rsa_citizen, signature_method=RSA_SHA1).signed(),
        "cryptographic-constraints",
        Code.SIG_04,
        SubIndication.CRYPTO_CONSTRAINTS_FAILURE_NO_POE,
        OPEN,
    ),
    (
        "unknown transform",
        lambda world: Forge(holder=world.citizen, document_transforms=("urn:foo",)).signed(),
        "cryptographic-constraints",
        Code.SIG_04,
        SubIndication.CRYPTO_CONSTRAINTS_FAILURE,
        OPEN,
    ),
    (
        "no signing time",
        lambda world: Forge(holder=world.citizen, signing_time=None).signed(),
        "signing-time",
        Code.SIG_02,
        SubIndication.SIG_CONSTRAINTS_FAILURE,
        OPEN,
    ),
    (
        "signed tomorrow",
        lambda world: Forge(holder=world.citizen, signing_time=instant(NOW + DAY)).signed(),
        "signing-time",
        Code.SIG_02,
        SubIndication.SIG_CONSTRAINTS_FAILURE,
        OPEN,
    ),
    (
        "expired",
        lambda world: Forge(holder=world.ca.issue(SHORT)).signed(),
        "path",
        Code.SIG_05,
        SubIndication.OUT_OF_BOUNDS_NO_POE,
        OPEN,
    ),
    (
        "not yet valid",
        lambda world: Forge(holder=world.ca.issue(Profile(not_before=NOW + DAY))).signed(),
        "path",
        Code.SIG_05,
        SubIndication.NOT_YET_VALID,
        FAILED,
    ),
    (
        "of a stranger",
        lambda world: Forge(holder=Authority.root("A Stranger").issue()).signed(),
        "path",
        Code.SIG_09,
        SubIndication.NO_CERTIFICATE_CHAIN_FOUND,
        OPEN,
    ),
    (
        "not for signing",
        lambda world: Forge(
            holder=world.ca.issue(Profile(usage=key_usage("key_encipherment")))
        ).signed(),
        "path",
        Code.SIG_10,
        SubIndication.CHAIN_CONSTRAINTS_FAILURE,
        OPEN,
    ),
]


@pytest.mark.parametrize(
    ("make", "expected"),
    [(row[1], row[2:]) for row in ROWS],
    ids=[row[0] for row in ROWS],
)
def test_conclusions(
    documents: XadesVerifier,
    world,
    make: Callable[[Any], bytes],
    expected: tuple[str, Code, SubIndication, Indication],
) -> None:
    """ETSI EN 319 102-1, 5.1.3, tables 5 and 6; 5.2.2, 5.2.3, 5.2.6, 5.2.7, 5.2.8."""
    document = make(world)
    check, code, sub, indication = expected

    found = report(documents, document)

    assert (found.code, found.sub_indication, found.indication) == (code, sub, indication)
    ended = [each for each in found.checks if each.verdict is CheckVerdict.FAILED]
    assert [(each.check, each.code, each.sub) for each in ended] == [(check, code, sub)]
    assert documents.verify(document, at=NOW).proof.status is ProofStatus.FAILED


def test_revoked(tmp_path: Path) -> None:
    """5.2.6: revoked, and nothing proves that the signature is older: REVOKED_NO_POE."""
    root = Authority.root("A Root")
    holder = root.issue()
    root.revoke(holder)
    found = report(XadesVerifier(store_of(tmp_path, root)), Forge(holder=holder).signed())

    assert (found.code, found.sub_indication) == (Code.SIG_06, SubIndication.REVOKED_NO_POE)
    assert verdicts(found)["path"] is CheckVerdict.PASSED
    assert verdicts(found)["revocation"] is CheckVerdict.FAILED
    assert found.status is ProofStatus.FAILED


def test_revoked_authority(tmp_path: Path) -> None:
    """5.2.6: it is the CA that was revoked: REVOKED_CA_NO_POE."""
    root = Authority.root("A Root")
    ca = root.subordinate("A CA")
    root.revoke(ca.holder)
    files = StoreFiles(tmp_path).write(
        anchors=[root], intermediates=[ca], crls=[root.crl(), ca.crl()]
    )
    verifier = XadesVerifier(TrustStore(directories(files)))

    found = report(verifier, Forge(holder=ca.issue()).signed())

    assert (found.code, found.sub_indication) == (Code.SIG_06, SubIndication.REVOKED_CA_NO_POE)


def test_stale_revocation_data(tmp_path: Path) -> None:
    """5.2.5: not fresh, so TRY_LATER; for a decision alone this is "could not tell"."""
    root = Authority.root("A Root")
    stale = root.crl(this_update=NOW - 3 * DAY, next_update=NOW - DAY)
    verifier = XadesVerifier(store_of(tmp_path, root, stale))

    found = report(verifier, Forge(holder=root.issue()).signed())

    assert (found.indication, found.sub_indication) == (OPEN, SubIndication.TRY_LATER)
    assert verdicts(found)["revocation"] is CheckVerdict.INDETERMINATE
    assert found.status is ProofStatus.INDETERMINATE


def test_a_path_that_was_found_and_does_not_hold(tmp_path: Path) -> None:
    """5.2.6: a chain there is, and it breaks RFC 5280's rules: never trusted, whatever its name."""
    root = Authority.root("A Root")
    odd = Profile(
        extra=[(x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4"), b"\5\0"), True)]
    )
    verifier = XadesVerifier(store_of(tmp_path, root))

    found = report(verifier, Forge(holder=root.issue(odd)).signed())

    assert found.code is Code.SIG_09
    assert found.sub_indication in {
        SubIndication.CERTIFICATE_CHAIN_GENERAL_FAILURE,
        SubIndication.NO_CERTIFICATE_CHAIN_FOUND,
    }


@pytest.mark.parametrize("code", [Code.SIG_08, Code.REQ_01])
def test_signer_binding(documents: XadesVerifier, world, code: Code) -> None:
    """A constraint of ours: well signed, by another than a document of its kind must be."""

    def bind(root: etree._Element, certificate: object, path: object) -> None:
        raise SignatureFailure(code, "another")

    found = report(
        documents,
        Forge(holder=world.citizen).signed(),
        asked=Asked(name="consent", bind=bind),
    )

    assert found.code is code
    assert found.sub_indication is SubIndication.SIG_CONSTRAINTS_FAILURE
    assert verdicts(found)["signer-binding"] is CheckVerdict.FAILED


# --- times and proof of existence (5.4, 5.5, 5.6.2) ----------------------------------------------


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
    """The earlier issued after the signature, while `SHORT` still ran: later CRLs drop its like."""
    return root.crl(this_update=SIGNED + DAY, next_update=SIGNED + 3 * DAY), root.crl()


def test_signing_time_proves_nothing(tmp_path: Path, root: Authority) -> None:
    """5.5.4: what the signer wrote is told, and judged by it is nothing."""
    holder = root.issue(SHORT)
    verifier = XadesVerifier(store_of(tmp_path, root, *crls_then_and_now(root)))

    found = report(verifier, signed_then(holder))

    assert found.times.claimed == SIGNED
    assert found.times.best_signature_time == NOW
    assert found.sub_indication is SubIndication.OUT_OF_BOUNDS_NO_POE


@pytest.mark.parametrize("by", ["held", "timestamp"])
def test_expired_since(
    tmp_path: Path, root: Authority, tsa: StampingAuthority, tsas: TrustStore, by: str
) -> None:
    """5.6.2: it was good when the signature provably existed, so its later end is harmless."""
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


def test_revoked_since(tmp_path: Path, root: Authority) -> None:
    """5.6.2: revoked after the signature existed: harmless, and REVOKED_NO_POE without proof."""
    holder = root.issue()
    root.revoke(holder)
    verifier = XadesVerifier(store_of(tmp_path, root))

    with_proof = report(verifier, signed_then(holder), existed_at=SIGNED)
    without = report(verifier, signed_then(holder))

    assert with_proof.indication is Indication.PASSED
    assert without.sub_indication is SubIndication.REVOKED_NO_POE


def test_proof_after_the_end_proves_nothing(tmp_path: Path, root: Authority) -> None:
    """5.6.2: held only since the certificate ended, so it may have been signed after it."""
    verifier = XadesVerifier(store_of(tmp_path, root))

    found = report(verifier, signed_then(root.issue(SHORT)), existed_at=NOW - DAY / 2)

    assert found.sub_indication is SubIndication.OUT_OF_BOUNDS_NO_POE


def test_the_earliest_proof_counts(
    tmp_path: Path, root: Authority, tsa: StampingAuthority, tsas: TrustStore
) -> None:
    """5.5.4: the best signature time is the earliest of all proofs, and never after the present."""
    verifier = XadesVerifier(store_of(tmp_path, root, *crls_then_and_now(root)), tsa=tsas)
    document = signed_then(root.issue())
    stamped = add_timestamp(document, lambda octets: tsa.stamp(octets, at=SIGNED))

    later = report(verifier, stamped, existed_at=SIGNED + DAY)
    future = report(verifier, document, existed_at=NOW + DAY)

    assert later.times.existence is not None
    assert later.times.existence.source is ExistenceSource.TIMESTAMP
    assert (future.times.existence, future.times.best_signature_time) == (None, NOW)


def test_claimed_after_its_proof(tmp_path: Path, root: Authority) -> None:
    """5.2.8: who says they signed after the signature existed says something wrong."""
    verifier = XadesVerifier(store_of(tmp_path, root, *crls_then_and_now(root)))

    found = report(verifier, Forge(holder=root.issue()).signed(), existed_at=SIGNED)

    assert (found.code, found.sub_indication) == (
        Code.SIG_02,
        SubIndication.SIG_CONSTRAINTS_FAILURE,
    )


@pytest.mark.parametrize("token", [b"garbage", b"", b"\x30\x00"], ids=["text", "empty", "DER"])
@pytest.mark.parametrize("trusting", ["some TSA", "no TSA"])
def test_garbage_timestamp(
    store: TrustStore, tsas: TrustStore, world, token: bytes, trusting: str
) -> None:
    """Stricter than 5.5.4: garbage in the place of a timestamp is refused, SIG-02."""
    verifier = XadesVerifier(store, tsa=tsas if trusting == "some TSA" else None)
    document = add_timestamp(Forge(holder=world.citizen).signed(), lambda _: token)

    found = report(verifier, document)

    assert (found.code, found.sub_indication) == (
        Code.SIG_02,
        SubIndication.SIG_CONSTRAINTS_FAILURE,
    )
    assert verdicts(found)["proof-of-existence"] is CheckVerdict.FAILED
    assert found.status is ProofStatus.FAILED


def test_timestamp_of_another_signature(
    store: TrustStore, tsas: TrustStore, tsa: StampingAuthority, world
) -> None:
    """5.5.4, 3: the message imprint is not that of this signature's value: refused, SIG-02."""
    document = add_timestamp(
        Forge(holder=world.citizen).signed(), lambda _: tsa.stamp(b"another", at=SIGNED)
    )

    found = report(XadesVerifier(store, tsa=tsas), document)

    assert found.code is Code.SIG_02
    assert verdicts(found)["proof-of-existence"] is CheckVerdict.FAILED


def test_timestamp_by_nobody_trusted(
    documents: XadesVerifier, tsa: StampingAuthority, world
) -> None:
    """5.5.4, 3: a timestamp that does not validate is passed over; told, and no proof."""
    document = add_timestamp(
        Forge(holder=world.citizen).signed(), lambda octets: tsa.stamp(octets, at=NOW)
    )

    found = report(documents, document)

    assert found.indication is Indication.PASSED
    assert verdicts(found)["proof-of-existence"] is CheckVerdict.FAILED
    assert found.times.existence is None
    assert [each.code for each in found.timestamps] == [Code.SIG_09]


def test_timestamps_are_counted_and_measured_first(documents: XadesVerifier, world) -> None:
    """xades.MAX_TIMESTAMPS, MAX_TOKEN_BYTES: a stranger's document does not buy endless work."""
    document = Forge(holder=world.citizen).signed()
    many, large = document, add_timestamp(document, lambda _: b"x" * (33 * 1024))
    for _ in range(5):
        many = add_timestamp(many, lambda _: b"x")

    assert verdicts(report(documents, many))["format"] is CheckVerdict.FAILED
    assert verdicts(report(documents, large))["format"] is CheckVerdict.FAILED


# --- plain XML Signature --------------------------------------------------------------------------


def plain(holder: Holder) -> bytes:
    """An enveloped XML Signature 1.1 without qualifying properties, by signxml's plain signer."""
    signer = XMLSigner(
        method=SignatureConstructionMethod.enveloped,
        signature_algorithm="ecdsa-sha256",
        digest_algorithm="sha256",
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    root = etree.fromstring(CONTENT)
    return etree.tostring(signer.sign(root, key=holder.key, cert=[holder.certificate]))


def test_plain_signature_in_the_generic_profile_alone(documents: XadesVerifier, world) -> None:
    """Without XAdES nothing signed names the certificate or a time; the report says so."""
    document = plain(world.citizen)

    found = report(documents, document)

    assert (found.indication, found.why) == (Indication.PASSED, None)
    for name in ("signing-certificate-reference", "signing-time"):
        result = next(each for each in found.checks if each.check == name)
        assert result.verdict is CheckVerdict.NOT_RUN
        assert "plain XML Signature" in str(result.why)
    assert documents.verify(document, at=NOW).proof.reasons == (Code.SIG_03,)
    assert report(documents, swapped(document, b"OPENING", b"CLOSING")).sub_indication is (
        SubIndication.HASH_FAILURE
    )


# --- the report itself ----------------------------------------------------------------------------


def test_indication_and_proof_agree(documents: XadesVerifier, world) -> None:
    """A decision rests on TOTAL-PASSED and on nothing else."""
    made = [row[1](world) for row in ROWS] + [Forge(holder=world.citizen).signed()]
    good = made[-1]
    made += [good[:index] + bytes([good[index] ^ 1]) + good[index + 1 :] for index in
             range(0, len(good), 97)]  # fmt: skip

    for document in made:
        verified = documents.verify(document, at=NOW)
        told = json.loads(verified.report)
        passed = verified.proof.status is ProofStatus.PASSED
        assert (told["indication"] == "TOTAL-PASSED") is passed
        assert told["status"] == verified.proof.status.value
        assert (verified.signed is not None) is passed
        assert (told["reason"] is None) is passed


def test_fields_in_their_order(documents: XadesVerifier, world) -> None:
    """docs/auditors.md lists these; programs may lean on them."""
    told = json.loads(documents.verify(Forge(holder=world.citizen).signed(), at=NOW).report)

    assert list(told) == [
        "version", "indication", "subIndication", "reason", "why", "status", "profile",
        "certificate", "signatureMethod", "times", "checks", "evidence",
    ]  # fmt: skip
    assert list(told["times"]) == [
        "judgedAt", "claimedSigningTime", "proofOfExistence", "bestSignatureTime",
    ]  # fmt: skip
    assert list(told["evidence"]) == ["document", "certificates", "revocation", "timestamps"]
    assert told["signatureMethod"] == "ECDSA_SHA256"
    assert len(told["evidence"]["revocation"]) == 2
    assert all(each["digest"] for each in told["evidence"]["revocation"])


def test_nobody_is_named(documents: XadesVerifier, world) -> None:
    """ARCHITECTURE, invariants 7 and 12: no content, no name, no PIN."""
    for make in [row[1] for row in ROWS]:
        told = documents.verify(make(world), at=NOW).report.decode()
        assert PIN not in told
        assert "Кадыр" not in told
        assert "Test C" not in told
