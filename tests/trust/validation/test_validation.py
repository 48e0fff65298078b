"""The validation of a signature: each check, each sub-indication, and each conclusion."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from lxml import etree
from signxml import XMLSigner
from signxml.algorithms import CanonicalizationMethod, SignatureConstructionMethod

from makul.domain.disclosures import ProofStatus
from makul.domain.reasons import Code
from makul.trust.base.errors import SignatureFailure
from makul.trust.base.findings import Indication, SubIndication
from makul.trust.pki.trust_store import TrustStore
from makul.trust.validation.checks import CHECKS
from makul.trust.validation.documents import Profile as CertificateQuery
from makul.trust.validation.documents import XadesVerifier
from makul.trust.validation.report import CheckVerdict
from makul_testing.builders.validation import OPEN, ROWS, report, store_of, swapped, verdicts
from makul_testing.builders.xades import CONTENT, Forge
from makul_testing.pki.authorities import DAY, NOW, Authority, Holder, Profile, StoreFiles
from makul_testing.pki.crls import directories

# --- what passes --------------------------------------------------------------------------------


def test_total_passed(documents: XadesVerifier, world) -> None:
    """ETSI EN 319 102-1, 5.1.3: TOTAL-PASSED means that every applicable check has passed."""
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
    """The report lists each check, also after an earlier one failed."""
    for document in (b"", Forge(holder=world.citizen).signed()):
        found = report(documents, document)
        assert [each.check for each in found.checks] == [each.name for each in CHECKS]


def test_every_check_says_what_it_concludes() -> None:
    """A document that cannot be processed is SIG-02 in every check, with a sub-indication."""
    assert all(Code.SIG_02 in check.concludes for check in CHECKS)
    assert len({check.name for check in CHECKS}) == len(CHECKS)


# --- one row for each check and sub-indication that a document alone can bring about ------------


@pytest.mark.parametrize(
    ("make", "expected"),
    [(row[1], row[2:]) for row in ROWS],
    ids=[row[0] for row in ROWS],
)
def test_each_reason_has_its_conclusion(
    documents: XadesVerifier,
    world,
    make: Callable[[Any], bytes],
    expected: tuple[str, Code, SubIndication, Indication],
) -> None:
    """ETSI EN 319 102-1, 5.1.3, tables 5 and 6; 5.2.2 to 5.2.8 fix the conclusion of each
    reason.
    """
    document = make(world)
    check, code, sub, indication = expected

    found = report(documents, document)

    assert (found.code, found.sub_indication, found.indication) == (code, sub, indication)
    ended = [each for each in found.checks if each.verdict is CheckVerdict.FAILED]
    assert [(each.check, each.code, each.sub) for each in ended] == [(check, code, sub)]
    assert documents.verify(document, at=NOW).proof.status is ProofStatus.FAILED


def test_revoked_without_proof_is_indeterminate(tmp_path: Path) -> None:
    """5.2.6: a revocation without proof that the signature is older is REVOKED_NO_POE."""
    root = Authority.root("A Root")
    holder = root.issue()
    root.revoke(holder)
    found = report(XadesVerifier(store_of(tmp_path, root)), Forge(holder=holder).signed())

    assert (found.code, found.sub_indication) == (Code.SIG_06, SubIndication.REVOKED_NO_POE)
    assert verdicts(found)["path"] is CheckVerdict.PASSED
    assert verdicts(found)["revocation"] is CheckVerdict.FAILED
    assert found.status is ProofStatus.FAILED


def test_revoked_authority_without_proof_is_indeterminate(tmp_path: Path) -> None:
    """5.2.6: a revoked CA without such proof is REVOKED_CA_NO_POE."""
    root = Authority.root("A Root")
    ca = root.subordinate("A CA")
    root.revoke(ca.holder)
    files = StoreFiles(tmp_path).write(
        anchors=[root], intermediates=[ca], crls=[root.crl(), ca.crl()]
    )
    verifier = XadesVerifier(TrustStore(directories(files)))

    found = report(verifier, Forge(holder=ca.issue()).signed())

    assert (found.code, found.sub_indication) == (Code.SIG_06, SubIndication.REVOKED_CA_NO_POE)


def test_stale_revocation_data_are_try_later(tmp_path: Path) -> None:
    """5.2.5: stale data are TRY_LATER; only this status is "could not be determined"."""
    root = Authority.root("A Root")
    stale = root.crl(this_update=NOW - 3 * DAY, next_update=NOW - DAY)
    verifier = XadesVerifier(store_of(tmp_path, root, stale))

    found = report(verifier, Forge(holder=root.issue()).signed())

    assert (found.indication, found.sub_indication) == (OPEN, SubIndication.TRY_LATER)
    assert verdicts(found)["revocation"] is CheckVerdict.INDETERMINATE
    assert found.status is ProofStatus.INDETERMINATE


def test_an_invalid_path_is_never_trusted(tmp_path: Path) -> None:
    """5.2.6: a chain that breaks a rule of RFC 5280 is never trusted, under any name."""
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
def test_signer_must_be_the_required_person(documents: XadesVerifier, world, code: Code) -> None:
    """The signer must be the person whom a document of its kind requires; this is our
    constraint.
    """

    def bind(root: etree._Element, certificate: object, path: object) -> None:
        raise SignatureFailure(code, "another")

    found = report(
        documents,
        Forge(holder=world.citizen).signed(),
        asked=CertificateQuery(name="consent", bind=bind),
    )

    assert found.code is code
    assert found.sub_indication is SubIndication.SIG_CONSTRAINTS_FAILURE
    assert verdicts(found)["signer-binding"] is CheckVerdict.FAILED


# --- plain XML Signature --------------------------------------------------------------------------


def plain(holder: Holder) -> bytes:
    """Return an enveloped XML Signature 1.1 without qualifying properties, by signxml's plain
    signer.
    """
    signer = XMLSigner(
        method=SignatureConstructionMethod.enveloped,
        signature_algorithm="ecdsa-sha256",
        digest_algorithm="sha256",
        c14n_algorithm=CanonicalizationMethod.EXCLUSIVE_XML_CANONICALIZATION_1_0,
    )
    root = etree.fromstring(CONTENT)
    return etree.tostring(signer.sign(root, key=holder.key, cert=[holder.certificate]))


def test_plain_signature_passes_only_in_the_generic_profile(
    documents: XadesVerifier, world
) -> None:
    """Nothing signed names the certificate or a time without XAdES, and the report says so."""
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
