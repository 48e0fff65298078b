"""A store in which every table of decisions has rows, all covered by the ledger."""

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

from makul.app.ports import (
    Evidence,
    MeteredUse,
    NoMatch,
    Official,
    PaperConsentUse,
    PendingDecision,
    QuotaUse,
    Space,
)
from makul.app.ports.acts import ActDecision
from makul.domain.disclosures import GroundKind, GroundRef, Outcome
from makul.domain.identifiers import AgreementNumber
from makul.domain.months import month_of
from makul.domain.reasons import Code, Reason
from makul.domain.recipients import RecipientState
from makul.store import ActRights, Store
from makul_testing.builders.agreements import NOTICE_TEXTS, agree, approved_notice, three
from makul_testing.builders.corrections import record_correction
from makul_testing.builders.entries import (
    a_failure,
    acceptance_of,
    build_decision,
    registration_of,
    revocation_of,
)
from makul_testing.builders.notifications import a_notification
from makul_testing.builders.oversight import an_officer, record_acts
from makul_testing.builders.records import (
    AZAMAT,
    BANK,
    FINGERPRINT,
    GULNARA,
    NOON,
    POLICE,
    a_consent,
    a_key,
    a_recipient,
    an_agreement,
    an_evidence,
)
from makul_testing.builders.secrecy import carry_out, record_secrecy
from makul_testing.builders.subject import answer_check, lock_matching
from makul_testing.tlog.builder import a_draft, build_recording

OFFICIAL = Official(recipient=BANK, identifier="O-1", name="O", fingerprint=b"o" * 32)
TAKEN_BACK = a_consent(b"<Consent>taken back</Consent>", allowed=5, subject=AZAMAT)
REGISTERED = a_consent(
    b"<Consent>registered</Consent>", allowed=5, subject=AZAMAT, representative=GULNARA
)
BY_OPERATOR = a_consent(b"<Consent>ended by hand</Consent>", allowed=5, subject=AZAMAT)


def fill(store: Store) -> None:
    """Do everything that gives, uses or removes a right, each at least once."""
    _register(store)
    for draft in _decisions():
        build_recording(store).record_and_render(draft)
    record_acts(store, recipient=POLICE, agreement=AgreementNumber("A-2"))
    _ask_and_answer(store)
    lock_matching(store, GULNARA)
    _take(store)


def a_release_on(ground: GroundRef, document: bytes, **changes: Any) -> PendingDecision:
    """Return a release that counts as a use of a consent, and of the day's quota."""
    fields: dict[str, Any] = {"ground": ground, "evidence": (an_evidence(document),)}
    return a_draft(
        MeteredUse(ground=ground), QuotaUse(quota=100), a_notification(), **(fields | changes)
    )


def a_registration_draft(**changes: Any) -> PendingDecision:
    """Return a paper consent by a representative, which an official submits."""
    registration = registration_of(
        REGISTERED,
        an_evidence(b"<Consent>registered</Consent>"),
        PaperConsentUse(official=OFFICIAL.fingerprint, quota=5),
    )
    fields: dict[str, Any] = {"certificate": FINGERPRINT}
    return acceptance_of(registration, **(fields | changes))


def a_revocation_draft(ground: GroundRef, **changes: Any) -> PendingDecision:
    """Return a consent's revocation by its subject."""
    document = b"<Revocation>%s</Revocation>" % ground.id.bytes.hex().encode()
    piece = Evidence(
        digest=sha256(document).digest(), kind="REVOCATION", document=document, report=b"{}"
    )
    fields: dict[str, Any] = {"certificate": FINGERPRINT, "purpose": None}
    return revocation_of(ground, piece, **(fields | changes))


def _register(store: Store) -> None:
    registry = store.registry
    registry.add_recipient(a_recipient(POLICE), at=NOON)
    registry.add_encryption_certificate(BANK, b"s" * 32, b"der", at=NOON)
    registry.add_official(OFFICIAL, at=NOON)
    registry.add_official(replace(OFFICIAL, fingerprint=b"w" * 32), at=NOON)
    agree(registry, an_agreement(number=AgreementNumber("A-2"), recipient=POLICE), at=NOON)
    approved_notice(registry, "BANK-2026/1", NOTICE_TEXTS, at=NOON)


def a_missed_draft() -> PendingDecision:
    """Return a failed match, which counts for the limits."""
    return build_decision(
        NoMatch,
        certificate=FINGERPRINT,
        reasons=(Reason(code=Code.MAT_01),),
        effects=(a_failure(),),
    )


def _decisions() -> list[PendingDecision]:
    return [
        a_registration_draft(),
        a_registration_draft(key=a_key(space=Space.CONSENT), at=NOON + timedelta(minutes=1)),
        a_release_on(
            REGISTERED, b"<Consent>registered</Consent>", message=b"<Envelope>signed</Envelope>"
        ),
        a_release_on(TAKEN_BACK, b"<Consent>taken back</Consent>"),
        a_release_on(BY_OPERATOR, b"<Consent>ended by hand</Consent>"),
        a_missed_draft(),
        a_revocation_draft(TAKEN_BACK),
        a_revocation_draft(TAKEN_BACK, at=NOON + timedelta(minutes=2)),
    ]


def _ask_and_answer(store: Store) -> None:
    """Ask about two disclosures of a month's sample; the subject of one answers."""
    lines = store.registry.disclosures(recipient=BANK, since=None, limit=9)
    released = [each.disclosure_id for each in lines if each.outcome is Outcome.RELEASED]
    month, later = month_of(NOON), NOON + timedelta(days=10)
    asked = store.questions.ask(BANK, month, released[:2], answer_by=later, at=NOON)
    assert asked.asked == 2
    answer_check(store, AZAMAT, released[0])
    record_secrecy(store, BANK, released[0])
    record_correction(store, BANK, AZAMAT)
    carry_out(store, BANK, _propose_reinstatement)


def _propose_reinstatement(rights: ActRights) -> ActDecision:
    rights.propose_reinstatement(POLICE, an_officer(1))
    return ActDecision(outcome=Outcome.DONE)


def _take(store: Store) -> None:
    registry = store.registry
    registry.revoke_ground(BANK, GroundKind.CONSENT, BY_OPERATOR.id, reason="test", at=NOON)
    registry.withdraw_official(BANK, b"w" * 32, reason="test", at=NOON)
    registry.withdraw_encryption_certificate(BANK, b"s" * 32, reason="test", at=NOON)
    registry.withdraw_signatory(POLICE, three(POLICE)[2].fingerprint, reason="test", at=NOON)
    registry.terminate_agreement(AgreementNumber("A-2"), reason="test", at=NOON)
    held = a_recipient(POLICE, state=RecipientState.ON_HOLD)
    registry.set_state(held, reason="test", at=NOON)
