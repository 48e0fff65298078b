"""The validation report has its fields, agrees with the proof, and names no person."""

import json

from makul.domain.disclosures import ProofStatus
from makul.trust.validation.documents import XadesVerifier
from makul_testing.builders.validation import ROWS
from makul_testing.builders.xades import Forge
from makul_testing.pki.authorities import NOW, PIN


def test_indication_and_proof_agree(documents: XadesVerifier, world) -> None:
    """A decision rests only on TOTAL-PASSED."""
    cases = [row[1](world) for row in ROWS] + [Forge(holder=world.citizen).signed()]
    good = cases[-1]
    cases += [good[:index] + bytes([good[index] ^ 1]) + good[index + 1 :] for index in
             range(0, len(good), 97)]  # fmt: skip

    for document in cases:
        verified = documents.verify(document, at=NOW)
        report = json.loads(verified.report)
        passed = verified.proof.status is ProofStatus.PASSED
        assert (report["indication"] == "TOTAL-PASSED") is passed
        assert report["status"] == verified.proof.status.value
        assert (verified.signed is not None) is passed
        assert (report["reason"] is None) is passed


def test_fields_have_a_fixed_order(documents: XadesVerifier, world) -> None:
    """docs/auditors.md lists these fields, and programs may rely on their order."""
    report = json.loads(documents.verify(Forge(holder=world.citizen).signed(), at=NOW).report)

    assert list(report) == [
        "version", "indication", "subIndication", "reason", "why", "field", "status", "profile",
        "certificate", "signatureMethod", "times", "checks", "evidence",
    ]  # fmt: skip
    assert list(report["times"]) == [
        "judgedAt", "claimedSigningTime", "proofOfExistence", "bestSignatureTime",
    ]  # fmt: skip
    assert list(report["evidence"]) == ["document", "certificates", "revocation", "timestamps"]
    assert report["signatureMethod"] == "ECDSA_SHA256"
    assert len(report["evidence"]["revocation"]) == 2
    assert all(each["digest"] for each in report["evidence"]["revocation"])


def test_report_names_no_person(documents: XadesVerifier, world) -> None:
    """docs/architecture.md, invariants 7 and 12: the report has no content, no name, and no PIN."""
    for make in [row[1] for row in ROWS]:
        report = documents.verify(make(world), at=NOW).report.decode()
        assert PIN not in report
        assert "Кадыр" not in report
        assert "Test C" not in report
