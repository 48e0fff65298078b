"""The stored answer of a closed id is given again only while the rights are valid (invariant 4)."""

from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest

from makul.app.ports import Asker, Committed, Conflict, Entry, Replay, Space
from makul.domain.agreements import AgreementState
from makul.domain.disclosures import GroundRef
from makul.domain.identifiers import MemberCode
from makul.domain.reasons import Code, Reason
from makul.domain.recipients import RecipientState
from makul.store import Store
from makul.store.db.location import DatabaseLocation
from makul.store.records.retention import MARKS_LINGER
from makul_testing.builders.agreements import agree
from makul_testing.builders.entries import a_metered_release, a_refusal, a_release, receipt_from
from makul_testing.builders.records import (
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
    known_digest,
)
from makul_testing.raw_sql import parameters, raw


@pytest.fixture
def released(store: Store) -> Entry:
    entry = a_metered_release(a_consent())
    assert store.recorder.record(entry) == Committed()
    return entry


def codes(result: Replay | Conflict) -> list[Code]:
    assert isinstance(result, Conflict)
    return [reason.code for reason in result.reasons]


def test_the_same_bytes_are_given_again(store: Store, released: Entry) -> None:
    """docs/architecture.md, invariant 5: a retry gets the first answer's bytes, and uses nothing
    up.
    """
    for _ in range(3):
        assert store.recorder.replay(released.key, a_caller(), at=NOON) == Replay(released.answer)


def test_another_request_gets_nothing(store: Store, released: Entry) -> None:
    """REQ-04."""
    other = replace(released.key, digest=b"e" * 32)

    assert codes(store.recorder.replay(other, a_caller(), at=NOON)) == [Code.REQ_04]


def test_another_recipient_gets_nothing(store: Store, released: Entry) -> None:
    """An id belongs to one recipient; for others it is open, and they get REQ-05."""
    other = replace(released.key, recipient=MemberCode("COM/60000002"))

    assert codes(store.recorder.replay(other, a_caller(), at=NOON)) == [Code.REQ_05]


def test_an_open_id_has_no_answer(store: Store) -> None:
    """REQ-05."""
    assert codes(store.recorder.replay(a_key(), a_caller(), at=NOON)) == [Code.REQ_05]


def test_a_message_gets_one_answer(store: Store, released: Entry) -> None:
    """REQ-09: a retry is signed again; the same signed message gets no second answer."""
    assert store.recorder.replay(released.key, a_caller(a_mark()), at=NOON) == Replay(
        released.answer
    )

    assert codes(store.recorder.replay(released.key, a_caller(a_mark()), at=NOON)) == [Code.REQ_09]


def test_an_overtaken_repetition_does_not_use_up_the_message(store: Store, released: Entry) -> None:
    """The refusal in place of the answer is recorded with the same message."""
    store.registry.set_state(a_recipient(state=RecipientState.ON_HOLD), reason="asked", at=NOON)
    assert codes(store.recorder.replay(released.key, a_caller(a_mark()), at=NOON)) == [Code.RCP_02]

    refusal = a_refusal(Code.RCP_02, key=released.key, mark=a_mark(), keep_request_id_open=True)
    assert store.recorder.record(refusal) == Committed()


@pytest.mark.parametrize(
    ("state", "code"),
    [(RecipientState.ON_HOLD, Code.RCP_02), (RecipientState.CUT_OFF, Code.RCP_03)],
)
def test_a_stopped_recipient_gets_no_stored_answer(
    store: Store, released: Entry, state: RecipientState, code: Code
) -> None:
    """Procedure, cl. 12; invariant 4: a repetition and a new request give no stored answer."""
    store.registry.set_state(a_recipient(state=state), reason="facts found", at=NOON)

    assert codes(store.recorder.replay(released.key, a_caller(), at=NOON)) == [code]
    again = store.recorder.record(a_release(key=released.key))
    assert again == Conflict((Reason(code=code),))


def test_an_ended_agreement_gives_no_stored_answer(store: Store, released: Entry) -> None:
    """AGR-02 if it was terminated, AGR-01 if its term is over."""
    over = an_agreement().valid_to
    late = a_release(keep_answer_until=over + timedelta(days=1))
    store.recorder.record(late)
    assert codes(store.recorder.replay(late.key, a_caller(), at=over)) == [Code.AGR_01]

    agree(store.registry, an_agreement(state=AgreementState.TERMINATED), at=NOON)
    assert codes(store.recorder.replay(released.key, a_caller(), at=NOON)) == [Code.AGR_02]


@pytest.mark.parametrize(("ground", "code"), [(a_consent(), Code.CNS_05), (a_basis(), Code.LAW_08)])
def test_a_revoked_ground_gives_no_stored_answer(
    store: Store, ground: GroundRef, code: Code
) -> None:
    """CNS-05: the revocation also covers data that were already released to the request."""
    entry = a_metered_release(ground)
    store.recorder.record(entry)
    store.registry.revoke_ground(BANK, ground.kind, ground.id, reason="the subject", at=NOON)

    assert codes(store.recorder.replay(entry.key, a_caller(), at=NOON)) == [code]


def test_a_used_up_ground_still_gives_the_stored_answer(store: Store, released: Entry) -> None:
    """The retry of the last use is that use, not another."""
    ground = released.decision.ground
    assert ground is not None
    again = a_metered_release(ground, key=released.key)

    assert store.recorder.record(again) == Replay(released.answer)


def test_a_deleted_answer_leaves_its_id_closed(store: Store, released: Entry) -> None:
    """docs/architecture.md, invariant 5: after the answer's time the id stays closed."""
    over = released.keep_answer_until
    assert codes(store.recorder.replay(released.key, a_caller(), at=over)) == [Code.REQ_04]

    assert store.housekeep(at=over).answers == 1
    assert store.housekeep(at=over).answers == 0

    assert codes(store.recorder.replay(released.key, a_caller(), at=NOON)) == [Code.REQ_04]
    again = store.recorder.record(a_release(key=released.key))
    assert isinstance(again, Conflict)
    assert known_digest(store, released.key) == released.key.digest
    assert store.register.receipt(BANK, released.key.request_id) == receipt_from(released)


def test_all_ended_rights_are_named(store: Store, released: Entry) -> None:
    """All reasons that apply are returned, not only the first."""
    store.registry.set_state(a_recipient(state=RecipientState.CUT_OFF), reason="facts", at=NOON)
    agree(store.registry, an_agreement(state=AgreementState.TERMINATED), at=NOON)

    result = store.recorder.replay(released.key, a_caller(), at=NOON)

    assert codes(result) == [Code.RCP_03, Code.AGR_02]


def test_stale_marks_are_deleted(store: Store) -> None:
    """A message well after its time fails by REQ-03, so its mark need not be stored."""
    stale = a_mark(b"\x01" * 32)
    store.recorder.register_message_id(stale, at=NOON)
    assert store.housekeep(at=stale.forget_after).marks == 0
    assert not store.recorder.register_message_id(stale, at=NOON)

    later = stale.forget_after + MARKS_LINGER + timedelta(microseconds=1)
    assert store.housekeep(at=later).marks == 1


def test_some_new_marks_delete_stale_ones(store: Store) -> None:
    """The table stays bounded even without housekeeping."""
    store.recorder.register_message_id(a_mark(b"\x01" * 32), at=NOON)
    sweeping = replace(a_mark(b"\x00" * 32), forget_after=NOON + timedelta(days=1))
    store.recorder.register_message_id(sweeping, at=NOON + timedelta(hours=1))

    assert store.housekeep(at=NOON + timedelta(hours=1)).marks == 0


def test_a_dry_run_under_the_same_id_hides_no_disclosure(store: Store, released: Entry) -> None:
    """GetReceipt finds the disclosure by its space, before any later record."""
    later = NOON + timedelta(minutes=1)
    key = replace(released.key, space=Space.EXPLANATION)
    dry_run = a_refusal(Code.CNS_06, key=key, decided_at=later)
    misused = a_refusal(Code.REQ_04, key=released.key, keep_request_id_open=True, decided_at=later)
    assert store.recorder.record(dry_run) == Committed()
    assert store.recorder.record(misused) == Committed()

    assert store.register.receipt(BANK, released.key.request_id) == receipt_from(released)


def test_an_open_refusal_hides_no_dry_run(store: Store) -> None:
    """A record that closed the id comes before one that left it open, in any space."""
    key = a_key(space=Space.EXPLANATION)
    dry_run = a_refusal(Code.CNS_06, key=key)
    later = NOON + timedelta(minutes=1)
    too_many = a_refusal(Code.REQ_06, key=replace(key, space=Space.DISCLOSURE), decided_at=later)
    assert store.recorder.record(dry_run) == Committed()
    assert store.recorder.record(too_many) == Committed()

    assert store.register.receipt(BANK, key.request_id) == receipt_from(dry_run)


@pytest.mark.parametrize("recipient", [BANK, POLICE])
def test_a_request_id_with_the_decision_of_another_request_gives_nothing(
    store: Store, place: DatabaseLocation, released: Entry, recipient: MemberCode
) -> None:
    """A row written by hand gives no receipt and no answer to another party."""
    forged = replace(a_key(), recipient=recipient, request_id=uuid4())
    with raw(place) as connection:
        connection.execute(
            parameters(
                place,
                "INSERT INTO request_key SELECT ?, space, ?, disclosure_id, answer, answer_until,"
                " decided_at FROM request_key WHERE request_id = ?",
            ),
            (recipient, forged.request_id.bytes, released.key.request_id.bytes),
        )

    assert store.register.receipt(recipient, forged.request_id) is None
    assert codes(store.recorder.replay(forged, a_caller(), at=NOON)) == [Code.REQ_04]


@pytest.mark.parametrize(
    ("asker", "field"),
    [
        (Asker(employee="teller-43", case_number="CASE-9"), "employee"),
        (Asker(employee="teller-42", case_number="CASE-8"), "caseNumber"),
        (Asker(employee="teller-42", case_number="CASE-9", subsystem="core"), "subsystemCode"),
        (Asker(), "employee"),
    ],
)
def test_another_asker_gets_no_stored_answer(
    store: Store, released: Entry, asker: Asker, field: str
) -> None:
    """docs/architecture.md, invariant 5: REQ-04 names the difference, and nothing is recorded as
    repeated.
    """
    other = replace(released.key, asker=asker)
    reused = Conflict((Reason(code=Code.REQ_04, field=field),))

    assert store.recorder.replay(other, a_caller(), at=NOON) == reused
    assert store.recorder.record(a_release(key=other)) == reused
    assert store.registry.repetitions(limit=10) == []


def test_each_repetition_has_its_own_record(store: Store, released: Entry) -> None:
    """docs/architecture.md, invariant 1: by a retry, and by losing the race for the id."""
    store.recorder.replay(released.key, a_caller(certificate=FINGERPRINT), at=NOON)
    late = NOON + timedelta(minutes=2)
    assert store.recorder.record(a_release(key=released.key, decided_at=late)) == Replay(
        released.answer
    )

    newest, oldest = store.registry.repetitions(limit=10)

    assert (oldest.repeated_at, newest.repeated_at) == (NOON, late)
    assert (oldest.certificate, newest.certificate) == (FINGERPRINT, None)
    assert {row.disclosure_id for row in (oldest, newest)} == {released.disclosure_id}
    assert {row.asker for row in (oldest, newest)} == {released.key.asker}
    assert oldest.leaf_hash != newest.leaf_hash


def test_a_refused_repetition_is_not_counted(store: Store, released: Entry) -> None:
    """No answer left, so none is counted."""
    store.registry.set_state(a_recipient(state=RecipientState.ON_HOLD), reason="asked", at=NOON)
    assert codes(store.recorder.replay(released.key, a_caller(), at=NOON)) == [Code.RCP_02]

    assert store.registry.repetitions(limit=10) == []
