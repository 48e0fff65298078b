"""The recording transaction, rule by rule: a decision is recorded whole, or not at all."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest

from makul.app.ports import (
    Committed,
    Conflict,
    Entry,
    OperatorRegistryError,
    QuotaUse,
    Recorded,
    Replay,
    Space,
    Undetermined,
)
from makul.domain.agreements import AgreementState, Channel
from makul.domain.attributes import Attribute
from makul.domain.disclosures import GroundKind, GroundRef, GroundUse, Outcome
from makul.domain.identifiers import AgreementNumber, PurposeCode
from makul.domain.legal_bases import Provision
from makul.domain.reasons import Code
from makul.domain.recipients import RecipientState
from makul.store import Store
from makul.store.db.location import DatabaseLocation
from makul_testing.builders.agreements import agree
from makul_testing.builders.entries import (
    a_comparison,
    a_metered_release,
    a_refusal,
    a_registration,
    a_release,
    receipt_from,
)
from makul_testing.builders.records import (
    AGREEMENT_NUMBER,
    AZAMAT,
    BANK,
    FINGERPRINT,
    NOON,
    POLICE,
    a_basis,
    a_caller,
    a_consent,
    a_key,
    a_mark,
    a_recipient,
    an_agreement,
    an_evidence,
    known_digest,
)
from makul_testing.raw_sql import count, read_all_rows

RECORD_TABLES = ("disclosure", "request_key")


def codes(result: Recorded) -> tuple[Code, ...]:
    assert isinstance(result, Conflict)
    return tuple(reason.code for reason in result.reasons)


def everything_at_once(ground: GroundRef, **changed: Any) -> Entry:
    """Build an entry that writes to every table."""
    changes: dict[str, Any] = {
        "evidence": (an_evidence(),),
        "certificate": FINGERPRINT,
        "mark": a_mark(b"n" * 32),
        "quota": 10,
    } | changed
    quota = QuotaUse(quota=changes.pop("quota"))
    return a_metered_release(ground, quota, a_comparison(), **changes)


def test_a_decision_is_recorded_with_its_leaf_evidence_and_answer(
    store: Store, place: DatabaseLocation
) -> None:
    """docs/architecture.md, invariant 1; cl. 11: every answer is in the record and can be shown."""
    ground = a_consent()
    entry = everything_at_once(ground)

    assert store.recorder.record(entry) == Committed()

    row = store.registry.disclosure(entry.disclosure_id)
    assert row is not None
    assert (row.outcome, row.subject) == (Outcome.RELEASED, AZAMAT)
    assert (row.released, row.codes) == (("givenName", "surname"), ())
    assert (row.decided_at, row.leaf_hash) == (NOON, entry.leaf.hash)
    assert store.register.receipt(BANK, entry.key.request_id) == receipt_from(entry)
    assert known_digest(store, entry.key) == entry.key.digest
    assert store.register.use(BANK, ground) == GroundUse(used=1)
    assert [count(place, table) for table in (*RECORD_TABLES, "evidence")] == [1, 1, 1]
    assert count(place, "ledger_leaf") == 1 + count(place, "act")


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"mark": a_mark()}, Code.REQ_09),
        ({"certificate": b"x" * 32}, Code.RCP_04),
        ({"agreement_number": AgreementNumber("A-9")}, Code.AGR_01),
        ({"quota": 0}, Code.AGR_06),
        ({"terms": an_agreement(attributes=frozenset())}, Code.REQ_05),
        ({"terms": None}, Code.REQ_05),
    ],
)
def test_an_overtaken_entry_leaves_no_trace(
    store: Store, place: DatabaseLocation, change: dict[str, Any], code: Code
) -> None:
    """No row of any table differs after an overtaken entry, marks included."""
    assert store.recorder.register_message_id(a_mark(), at=NOON)
    fresh, ground = everything_at_once(a_consent()), a_consent()
    before = read_all_rows(place)

    result = store.recorder.record(everything_at_once(ground, **change))

    assert codes(result) == (code,)
    assert read_all_rows(place) == before
    assert store.recorder.record(fresh) == Committed()


# --- the message and the request id (cl. 10) --------------------------------------------------


def test_a_message_is_accepted_once(store: Store) -> None:
    """REQ-09: a signed message that comes again is neither decided nor answered again."""
    assert store.recorder.record(a_release(mark=a_mark())) == Committed()

    assert codes(store.recorder.record(a_release(mark=a_mark()))) == (Code.REQ_09,)
    assert codes(store.recorder.record(a_refusal(mark=a_mark()))) == (Code.REQ_09,)
    assert not store.recorder.register_message_id(a_mark(), at=NOON)


def test_a_request_id_discloses_once(store: Store) -> None:
    """docs/architecture.md, invariant 5: the same id and digest get the first answer's bytes."""
    first = a_release()
    second = a_release(key=first.key)
    store.recorder.record(first)

    assert store.recorder.record(second) == Replay(first.answer)
    assert store.registry.disclosure(second.disclosure_id) is None


def test_a_request_id_with_another_digest_gives_nothing(store: Store) -> None:
    """REQ-04: the id was closed for another request."""
    first = a_release()
    store.recorder.record(first)
    other = a_release(key=replace(first.key, digest=b"e" * 32))

    assert codes(store.recorder.record(other)) == (Code.REQ_04,)


@pytest.mark.parametrize("closes", [True, False])
def test_a_refusal_under_a_closed_id_is_recorded_and_leaves_the_answer(
    store: Store, closes: bool
) -> None:
    """Procedure, cl. 12 needs every refusal; the first answer stays the id's answer."""
    first = a_release()
    store.recorder.record(first)
    other = replace(first.key, digest=b"e" * 32)
    refusal = a_refusal(Code.REQ_04, key=other, keep_request_id_open=not closes)

    assert store.recorder.record(refusal) == Committed()
    assert known_digest(store, other) == first.key.digest
    assert store.recorder.replay(first.key, a_caller(), at=NOON) == Replay(first.answer)
    assert store.register.receipt(BANK, first.key.request_id) in {
        receipt_from(first),
        receipt_from(refusal),
    }


def test_a_refusal_that_may_pass_leaves_the_id_open(store: Store) -> None:
    """docs/architecture.md, invariant 5: reasons with retry L leave the id open for the same
    request.
    """
    key = a_key()
    later = a_refusal(Code.SIG_07, key=key, build=Undetermined)
    assert store.recorder.record(later) == Committed()

    assert store.register.snapshot(key, None, at=NOON).known is None
    assert store.recorder.record(a_release(key=key)) == Committed()


def test_spaces_and_recipients_have_their_own_ids(store: Store) -> None:
    """The id of a dry run, or of another recipient, is not this disclosure's id."""
    store.registry.add_recipient(a_recipient(POLICE), at=NOON)
    first = a_release()
    store.recorder.record(first)
    explanation = a_refusal(key=replace(first.key, space=Space.EXPLANATION, digest=b"e" * 32))
    anothers = a_refusal(key=replace(first.key, recipient=POLICE, digest=b"e" * 32))

    assert store.recorder.record(explanation) == Committed()
    assert store.recorder.record(anothers) == Committed()
    assert known_digest(store, anothers.key) == b"e" * 32


# --- the rights (cl. 7 and 12) ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "code"),
    [(RecipientState.ON_HOLD, Code.RCP_02), (RecipientState.CUT_OFF, Code.RCP_03)],
)
def test_a_stopped_recipient_gets_nothing(store: Store, state: RecipientState, code: Code) -> None:
    """Procedure, cl. 12: the stop is complete from its commit on; refusals are still recorded."""
    store.registry.set_state(a_recipient(state=state), reason="facts found", at=NOON)

    assert codes(store.recorder.record(a_release())) == (code,)
    assert store.recorder.record(a_refusal(code)) == Committed()


def test_a_removed_recipient_gets_nothing(store: Store) -> None:
    """It counts as unknown. It is removed only when no agreement binds it (cl. 7)."""
    removed = a_recipient(state=RecipientState.REMOVED)
    with pytest.raises(OperatorRegistryError, match="terminate it first"):
        store.registry.set_state(removed, reason="wound up", at=NOON)
    store.registry.terminate_agreement(AGREEMENT_NUMBER, reason="wound up", at=NOON)
    store.registry.set_state(removed, reason="wound up", at=NOON)

    assert Code.RCP_01 in codes(store.recorder.record(a_release()))
    assert store.recorder.record(a_refusal(Code.RCP_01)) == Committed()


def test_a_released_recipient_gets_data_again(store: Store) -> None:
    """RCP-02 ends with the hold."""
    store.registry.set_state(a_recipient(state=RecipientState.ON_HOLD), reason="asked", at=NOON)
    store.registry.set_state(a_recipient(), reason="answered", at=NOON)

    assert store.recorder.record(a_release()) == Committed()


def test_a_withdrawn_certificate_gives_nothing(store: Store) -> None:
    """RCP-04 also applies to a withdrawal during a request."""
    assert store.recorder.record(a_release(certificate=FINGERPRINT)) == Committed()
    store.registry.withdraw_certificate(BANK, FINGERPRINT, reason="key lost", at=NOON)

    assert codes(store.recorder.record(a_release(certificate=FINGERPRINT))) == (Code.RCP_04,)
    assert store.register.certificate(FINGERPRINT) is None


def test_anothers_certificate_gives_nothing(store: Store) -> None:
    """RCP-04: a certificate counts only for its registered recipient."""
    store.registry.add_recipient(a_recipient(POLICE), at=NOON)
    store.registry.add_certificate(POLICE, b"p" * 32, b"der", at=NOON)

    assert codes(store.recorder.record(a_release(certificate=b"p" * 32))) == (Code.RCP_04,)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"state": AgreementState.DRAFT}, Code.AGR_01),
        ({"state": AgreementState.TERMINATED}, Code.AGR_02),
        ({"valid_from": NOON + timedelta(microseconds=1)}, Code.AGR_01),
        ({"valid_to": NOON}, Code.AGR_01),
        ({"purposes": frozenset({PurposeCode("OTHER")})}, Code.REQ_05),
        ({"attributes": frozenset({Attribute.SURNAME})}, Code.REQ_05),
        ({"channels": frozenset({Channel.XROAD})}, Code.REQ_05),
        ({"provisions": frozenset({Provision.VITAL_INTEREST})}, Code.REQ_05),
    ],
)
def test_an_agreement_changed_meanwhile_counts_at_once(
    store: Store, change: dict[str, Any], code: Code
) -> None:
    """Procedure, cl. 7: the agreement must be in force, and its terms at commit count."""
    agree(store.registry, an_agreement(**change), at=NOON)

    assert codes(store.recorder.record(a_release())) == (code,)


def test_anothers_agreement_gives_nothing(store: Store) -> None:
    """AGR-01: an agreement serves only the recipient that signed it."""
    store.registry.add_recipient(a_recipient(POLICE), at=NOON)
    theirs = an_agreement(number=AgreementNumber("A-2"), recipient=POLICE)
    agree(store.registry, theirs, at=NOON)

    result = store.recorder.record(a_release(agreement_number=theirs.number))

    assert codes(result) == (Code.AGR_01,)


# --- grounds (cl. 4 and 5) --------------------------------------------------------------------

UP_TO_TWO = [
    (a_consent(allowed=2), Code.CNS_06, Code.CNS_05, Code.CNS_02),
    (a_basis(allowed=2), Code.LAW_08, Code.LAW_08, Code.LAW_09),
]


@pytest.mark.parametrize(("ground", "used_up", "revoked", "differs"), UP_TO_TWO)
def test_a_ground_permits_its_number_of_disclosures(
    store: Store, ground: GroundRef, used_up: Code, revoked: Code, differs: Code
) -> None:
    """Procedure, cl. 4 and 5: used up, revoked, or another document under the id have a
    code each.
    """
    assert store.recorder.record(a_metered_release(ground)) == Committed()
    assert store.recorder.record(a_metered_release(ground)) == Committed()
    assert codes(store.recorder.record(a_metered_release(ground))) == (used_up,)

    forged = replace(ground, digest=b"f" * 32, max_disclosures=9)
    result = store.recorder.record(a_metered_release(forged))
    assert isinstance(result, Conflict)
    assert [(reason.code, reason.because) for reason in result.reasons] == [(differs, Code.REQ_04)]
    assert store.register.use(BANK, forged) == GroundUse(used=2, digest_differs=True)


@pytest.mark.parametrize(("ground", "used_up", "revoked", "differs"), UP_TO_TWO)
def test_a_revoked_ground_permits_nothing_more(
    store: Store, ground: GroundRef, used_up: Code, revoked: Code, differs: Code
) -> None:
    """CNS-05: a revocation counts from its commit on, even if uses are left."""
    store.recorder.record(a_metered_release(ground))
    store.registry.revoke_ground(BANK, ground.kind, ground.id, reason="the subject", at=NOON)

    assert codes(store.recorder.record(a_metered_release(ground))) == (revoked,)
    assert store.register.use(BANK, ground) == GroundUse(used=1, revoked=True)


def test_a_ground_without_uses_permits_nothing(store: Store) -> None:
    """A usage row never begins beyond its end."""
    entry = a_metered_release(a_consent(allowed=0))

    assert codes(store.recorder.record(entry)) == (Code.CNS_06,)


def test_a_registered_consent_is_stored_and_not_used(store: Store) -> None:
    """RegisterConsent stores the exact bytes, to be cited by id; a registration is no use."""
    ground = a_consent()
    registration = a_registration(ground)
    assert store.register.registered_consent(BANK, ground.id) is None

    assert store.recorder.record(registration) == Committed()

    held = store.register.registered_consent(BANK, ground.id)
    assert held is not None
    assert held.document == b"<Consent/>"
    assert held.registered_at == registration.facts.at
    assert store.register.registered_consent(POLICE, ground.id) is None
    status = store.register.consent_status(BANK, ground.id)
    assert status is not None
    assert (status.used, status.allowed, status.subject) == (0, 1, AZAMAT)
    assert store.register.consent_status(POLICE, ground.id) is None
    assert store.recorder.record(a_metered_release(ground)) == Committed()


def test_a_consent_used_inline_can_be_registered_later(store: Store) -> None:
    """Its usage continues, and its document can then be cited."""
    ground = a_consent(allowed=2)
    store.recorder.record(a_metered_release(ground, evidence=(an_evidence(),)))
    assert store.register.registered_consent(BANK, ground.id) is None

    registration = a_registration(ground)
    assert store.recorder.record(registration) == Committed()

    held = store.register.registered_consent(BANK, ground.id)
    assert held is not None
    assert held.document == b"<Consent/>"
    assert held.registered_at == registration.facts.at
    assert store.register.use(BANK, ground) == GroundUse(used=1, registered_at=NOON)


# --- evidence and receipts --------------------------------------------------------------


def test_a_document_is_stored_once(store: Store, place: DatabaseLocation) -> None:
    """The exact bytes are stored by digest, and every decision has its own report."""
    for _ in range(3):
        store.recorder.record(a_refusal(evidence=(an_evidence(), an_evidence(b"<Other/>"))))

    assert count(place, "evidence") == 2
    assert count(place, "disclosure") == 3


def test_the_receipt_is_the_last_one(store: Store) -> None:
    """GetReceipt returns the last receipt of a repeated request, and none of another's."""
    key = a_key()
    store.recorder.record(a_refusal(Code.SIG_07, key=key))
    last = a_release(key=key, decided_at=NOON + timedelta(seconds=1))
    store.recorder.record(last)

    assert store.register.receipt(BANK, key.request_id) == receipt_from(last)
    assert store.register.receipt(POLICE, key.request_id) is None
    assert store.register.receipt(BANK, uuid4()) is None


def test_ground_kinds_do_not_share_ids(store: Store) -> None:
    """A consent and a basis statement of the same id are two grounds."""
    consent = a_consent()
    basis = replace(consent, kind=GroundKind.BASIS, digest=b"b" * 32)
    store.recorder.record(a_metered_release(consent))

    assert store.recorder.record(a_metered_release(basis)) == Committed()
    assert store.register.snapshot(a_key(), AGREEMENT_NUMBER, at=NOON).agreement == an_agreement()
