"""The persons who may revoke a consent (Procedure, cl. 4)."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from makul.domain.consent_revocations import Revocation, RevocationCase, judge_revocation
from makul.domain.disclosures import DocumentSigner, Proof, ProofStatus
from makul.domain.identifiers import MemberCode, Pin
from makul.domain.reasons import Code
from makul.domain.rules import Verdict

SUBJECT = Pin("20101199000123")
PARENT = Pin("11502198500456")
BANK = MemberCode("COM/60000001")
REVOCATION = Revocation(
    consent_id=uuid4(),
    subject=SUBJECT,
    recipient=BANK,
    revoked_at=datetime(2026, 11, 2, tzinfo=UTC),
)


def signed_by(pin: Pin | None) -> Proof:
    return Proof(status=ProofStatus.PASSED, signer=DocumentSigner(fingerprint=bytes(32), pin=pin))


CASE = RevocationCase(revocation=REVOCATION, proof=signed_by(SUBJECT), handed_in_by=BANK)
BROKEN = Proof(status=ProofStatus.FAILED, reasons=(Code.SIG_02,))
UNKNOWN = Proof(status=ProofStatus.INDETERMINATE, reasons=(Code.SIG_07,))


def list_reasons(case: RevocationCase) -> list[tuple[str, str | None, str | None]]:
    return [
        (reason.code.value, reason.because and reason.because.value, reason.field)
        for ruling in judge_revocation(case)
        for reason in ruling.reasons
    ]


def test_the_subject_revokes() -> None:
    """The consent may be unknown here, and the recipient may have any state."""
    assert list_reasons(CASE) == []
    assert list_reasons(replace(CASE, consent_subject=SUBJECT)) == []


def test_the_representative_who_gave_it_revokes() -> None:
    """No other representative may revoke it."""
    by_parent = replace(CASE, proof=signed_by(PARENT))

    assert list_reasons(replace(by_parent, signed_by_giver=True)) == []
    assert list_reasons(by_parent) == [("CNS-02", "SIG-08", None)]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"proof": signed_by(PARENT)}, ("CNS-02", "SIG-08", None)),
        ({"proof": signed_by(None)}, ("CNS-02", "SIG-08", None)),
        ({"proof": BROKEN, "revocation": None}, ("CNS-02", "SIG-02", None)),
        ({"handed_in_by": MemberCode("COM/60000002")}, ("CNS-07", None, "recipient")),
        ({"consent_subject": PARENT}, ("CNS-14", None, "subject")),
    ],
)
def test_nobody_else_revokes(changes: dict[str, Any], reason: tuple[str, str | None, str]) -> None:
    """CNS-02 because SIG-*, CNS-07, CNS-14."""
    assert list_reasons(replace(CASE, **changes)) == [reason]


def test_an_undetermined_signature_is_not_a_no() -> None:
    """SIG-07: the same document may be submitted again under the same id."""
    (ruling, *_) = judge_revocation(replace(CASE, proof=UNKNOWN, revocation=None))

    assert ruling.verdict is Verdict.UNKNOWN
