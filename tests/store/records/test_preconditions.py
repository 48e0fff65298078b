"""Attacks on rights that changed, or never existed, when an answer leaves."""

from dataclasses import replace
from datetime import timedelta

import pytest

from makul.app.ports import (
    Committed,
    Conflict,
    Entry,
    NonDisclosure,
    Official,
    Recorded,
    Refusal,
    Replay,
    Undetermined,
)
from makul.domain.agreements import Channel
from makul.domain.attributes import Attribute
from makul.domain.disclosures import GroundRef
from makul.domain.identifiers import PurposeCode
from makul.domain.reasons import Code, Reason
from makul.domain.recipients import RecipientState
from makul.store import Store
from makul_testing.builders.agreements import agree
from makul_testing.builders.entries import (
    a_failed_match,
    a_failure,
    a_metered_release,
    a_refusal,
    a_release,
)
from makul_testing.builders.records import (
    BANK,
    FINGERPRINT,
    NOON,
    a_basis,
    a_caller,
    a_consent,
    a_mark,
    a_recipient,
    an_agreement,
)


@pytest.fixture
def released(store: Store) -> Entry:
    entry = a_metered_release(a_consent())
    assert store.recorder.record(entry) == Committed()
    return entry


def codes(result: Recorded) -> list[Code]:
    assert isinstance(result, Conflict)
    return [reason.code for reason in result.reasons]


# --- stored answers ---------------------------------------------------------------------------


def test_an_unagreed_channel_gives_no_stored_answer(store: Store, released: Entry) -> None:
    """REQ-08: data released by WS-Security are not fetched by X-Road if that is not agreed.

    This holds for a repetition, and for a refusal that finds the id closed meanwhile.
    """
    agree(store.registry, an_agreement(channels=frozenset({Channel.WSSE})), at=NOON)
    by_xroad = a_caller(channel=Channel.XROAD)
    racing = a_refusal(Code.REQ_08, key=released.key, channel=Channel.XROAD)

    assert codes(store.recorder.replay(released.key, by_xroad, at=NOON)) == [Code.REQ_08]
    assert store.recorder.record(racing) == Committed()
    agreed = store.recorder.replay(released.key, a_caller(), at=NOON)
    assert agreed == Replay(released.answer)


def test_terms_that_were_narrowed_give_no_stored_answer(store: Store, released: Entry) -> None:
    """AGR-03 and AGR-04: a stored answer is given under the present terms."""
    narrowed = an_agreement(
        attributes=frozenset({Attribute.GIVEN_NAME}), purposes=frozenset({PurposeCode("OTHER")})
    )
    agree(store.registry, narrowed, at=NOON)

    result = store.recorder.replay(released.key, a_caller(), at=NOON)

    assert codes(result) == [Code.AGR_03, Code.AGR_04]


def test_a_withdrawn_certificate_gets_no_stored_answer(store: Store, released: Entry) -> None:
    """RCP-04: the withdrawal came after authentication, before the answer left."""
    store.registry.withdraw_certificate(BANK, FINGERPRINT, reason="stolen", at=NOON)
    thief = a_caller(certificate=FINGERPRINT)

    assert codes(store.recorder.replay(released.key, thief, at=NOON)) == [Code.RCP_04]


def test_a_late_recorded_replay_is_still_a_replay(store: Store) -> None:
    """REQ-09: the message was in time, but was recorded after its end, when marks were deleted."""
    mark = a_mark()
    assert store.recorder.record(a_release(mark=mark)) == Committed()
    late = mark.forget_after + timedelta(seconds=30)

    store.housekeep(at=late)

    assert codes(store.recorder.record(a_release(mark=mark, decided_at=late))) == [Code.REQ_09]


def test_a_mark_does_not_delete_itself(store: Store) -> None:
    """REQ-09: a mark whose insertion starts the deletion of marks stays itself."""
    mark = a_mark(b"\x00" * 32)
    assert store.recorder.register_message_id(mark, at=NOON)

    assert not store.recorder.register_message_id(mark, at=mark.forget_after + timedelta(seconds=1))


def test_an_official_withdrawn_meanwhile_is_no_ground(store: Store) -> None:
    """LAW-09; Procedure, cl. 5: the withdrawal came after the judgement, before the answer left."""
    official = Official(recipient=BANK, identifier="O-1", name="O", fingerprint=b"o" * 32)
    store.registry.add_official(official, at=NOON)
    entry = a_metered_release(a_basis(), official=official.fingerprint)
    store.registry.withdraw_official(BANK, official.fingerprint, reason="left", at=NOON)

    assert store.recorder.record(entry) == Conflict(
        (Reason(code=Code.LAW_09, because=Code.SIG_08),)
    )
    assert store.registry.disclosures(recipient=None, since=None, limit=1) == []


# --- what a comparison reveals ------------------------------------------------------------------


@pytest.mark.parametrize(("build", "code"), [(Refusal, Code.MAT_05), (Undetermined, Code.MAT_02)])
def test_a_recipient_held_meanwhile_does_not_learn_of_a_lock(
    store: Store, build: type[NonDisclosure], code: Code
) -> None:
    """docs/architecture.md, invariant 4: refusals that reveal a person's record are
    withheld too.
    """
    store.registry.set_state(a_recipient(state=RecipientState.ON_HOLD), reason="facts", at=NOON)
    refusal = a_refusal(code, a_failure(), build=build, ground=a_consent())

    assert codes(store.recorder.record(refusal)) == [Code.RCP_02]


@pytest.mark.parametrize(("ground", "code"), [(a_consent(), Code.CNS_05), (a_basis(), Code.LAW_08)])
def test_a_ground_revoked_meanwhile_reveals_no_comparison(
    store: Store, ground: GroundRef, code: Code
) -> None:
    """CNS-05: after a revocation nothing about the subject is revealed, not even a mismatch."""
    store.recorder.record(a_metered_release(replace(ground, max_disclosures=5)))
    store.registry.revoke_ground(BANK, ground.kind, ground.id, reason="the subject", at=NOON)

    result = store.recorder.record(a_failed_match(ground=ground))

    assert result == Conflict((Reason(code=code),))
