"""A registered consent is judged with proof of its existence (ETSI EN 319 102-1, 5.5.4)."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import pytest

from makul.app.ground_verification import GroundVerifier
from makul.app.ports import Documents, HeldConsent, Register, VerifiedDocument
from makul.app.requests import PresentedConsent, RegisteredConsent
from makul.domain.disclosures import ConsentGround, Proof, ProofStatus
from makul.domain.identifiers import MemberCode
from makul.domain.reasons import Code
from makul_testing.pki.authorities import DAY, NOW

BANK = MemberCode("COM/60000001")
CONSENT = UUID(int=7)
REGISTERED = NOW - 10 * DAY


@dataclass
class Verifier:
    """A verifier that finds that reason, unless it gets the time of registration."""

    reason: Code
    moments: list[datetime | None] = field(default_factory=list)

    def verify(
        self, document: bytes, *, at: datetime, existed_at: datetime | None = None
    ) -> VerifiedDocument:
        self.moments.append(existed_at)
        proof = (
            Proof(status=ProofStatus.PASSED)
            if existed_at is not None
            else Proof(status=ProofStatus.FAILED, reasons=(self.reason,))
        )
        return VerifiedDocument(proof=proof, signed=None, report=b"{}")


class Held:
    """A register that holds one consent."""

    def registered_consent(self, recipient: MemberCode, consent_id: UUID) -> HeldConsent | None:
        assert (recipient, consent_id) == (BANK, CONSENT)
        return HeldConsent(document=b"<Consent/>", registered_at=REGISTERED)


def verify_ground(verifier: Verifier, presented: Any) -> ConsentGround:
    grounds = GroundVerifier(
        verifier=verifier,
        documents=cast("Documents", None),
        register=cast("Register", Held()),
    )
    ground, _ = grounds.verify_ground(presented, BANK, at=NOW)
    assert isinstance(ground, ConsentGround)
    return ground


@pytest.mark.parametrize("reason", [Code.SIG_04, Code.SIG_05, Code.SIG_06])
def test_an_end_after_registration_is_harmless(reason: Code) -> None:
    """The operator's own record proves that the signature existed before the end."""
    verifier = Verifier(reason)

    ground = verify_ground(verifier, RegisteredConsent(CONSENT))

    assert ground.proof.status is ProofStatus.PASSED
    assert verifier.moments == [None, REGISTERED]


@pytest.mark.parametrize("reason", [Code.SIG_02, Code.SIG_07, Code.SIG_09])
def test_registration_corrects_no_other_reason(reason: Code) -> None:
    """A bad signature stays bad, and "could not be determined" stays open."""
    verifier = Verifier(reason)

    assert verify_ground(verifier, RegisteredConsent(CONSENT)).proof.reasons == (reason,)
    assert verifier.moments == [None]


def test_a_document_that_is_presented_proves_nothing() -> None:
    """Inline bytes are known only since this request."""
    verifier = Verifier(Code.SIG_05)

    assert verify_ground(verifier, PresentedConsent(b"<Consent/>")).proof.reasons == (Code.SIG_05,)
    assert verifier.moments == [None]
