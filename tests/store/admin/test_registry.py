"""The operator's changes of the register: what may change, and that each change and
look is logged.
"""

import json
from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from makul.app.ports import Official, OperatorRegistryError
from makul.domain.agreements import AgreementRole, AgreementState
from makul.domain.attributes import Attribute
from makul.domain.disclosures import GroundKind, Outcome
from makul.domain.identifiers import AgreementNumber, MemberCode
from makul.domain.reasons import Code
from makul.domain.recipients import RecipientState
from makul.store import Store, StoreKeys
from makul.store.db.location import DatabaseLocation
from makul.store.encryption import fields as crypto
from makul.store.encryption.fields import FieldCipher
from makul_testing.builders.agreements import (
    NOTICE_TEXTS,
    a_signatory,
    agree,
    approved_notice,
    three,
)
from makul_testing.builders.entries import a_failed_match, a_metered_release, a_refusal
from makul_testing.builders.records import (
    AGREEMENT_NUMBER,
    AZAMAT,
    BANK,
    FINGERPRINT,
    GULNARA,
    NOON,
    POLICE,
    a_consent,
    a_key,
    a_person,
    a_recipient,
    an_agreement,
    whole,
)
from makul_testing.raw_sql import count, raw, read_all_rows

OFFICIAL = Official(recipient=BANK, identifier="OFF-77", name="Бекова А.", fingerprint=b"o" * 32)


def sealed_at(entry: bytes) -> bytes:
    return crypto.field_associated_data("desk_log", "sealed", entry)


def log(place: DatabaseLocation, keys: StoreKeys) -> list[tuple[str, str, str, Any]]:
    """Return who did what to which target, with the facts, as an auditor with the keys
    reads them.
    """
    cipher = FieldCipher(keys)
    with raw(place) as connection:
        rows = connection.execute(
            "SELECT entry_id, who, action, target, sealed FROM desk_log ORDER BY at"
        ).fetchall()
    return [
        (who, action, target, json.loads(cipher.decrypt(sealed, sealed_at(entry))))
        for entry, who, action, target, sealed in rows
    ]


def later(seconds: int) -> datetime:
    return NOON + timedelta(seconds=seconds)


def test_every_change_is_logged_with_who_and_what(
    store: Store, place: DatabaseLocation, keys: StoreKeys
) -> None:
    """Procedure, cl. 13: the people who maintain the database are responsible."""
    consent = a_consent()
    store.recorder.record(a_metered_release(consent))
    before = len(log(place, keys))
    registry, held = store.registry, a_recipient(state=RecipientState.ON_HOLD)
    registry.add_recipient(a_recipient(POLICE), at=later(1))
    registry.set_state(held, reason="a complaint", at=later(2))
    registry.add_certificate(POLICE, b"p" * 32, b"der", at=later(3))
    registry.withdraw_certificate(POLICE, b"p" * 32, reason="lost", at=later(4))
    registry.add_official(OFFICIAL, at=later(5))
    approved_notice(registry, "N-1", NOTICE_TEXTS, at=later(6))
    agree(registry, an_agreement(), at=later(7))
    registry.terminate_agreement(AGREEMENT_NUMBER, reason="its end", at=later(7))
    registry.add_signatory(a_signatory(BANK, AgreementRole.RECIPIENT, "2"), at=later(7))
    registry.withdraw_signatory(BANK, three(BANK)[2].fingerprint, reason="left", at=later(7))
    registry.revoke_ground(BANK, GroundKind.CONSENT, consent.id, reason="asked", at=later(8))
    registry.put_persons([a_person(), a_person(GULNARA)], at=later(9))
    registry.person_for_operator(GULNARA, reason="a correction", at=later(10))

    written = log(place, keys)[before:]

    assert {who for who, *_ in written} == {"operator"}
    assert Counter((action, target) for _, action, target, _ in written) == Counter(
        [
            ("recipient.add", POLICE),
            ("recipient.state", BANK),
            ("certificate.add", POLICE),
            ("certificate.withdraw", POLICE),
            ("official.add", BANK),
            ("notice.add", "N-1"),
            ("signatory.add", BANK),
            ("notice.approve", "N-1"),
            ("agreement.draft", AGREEMENT_NUMBER),
            ("agreement.sign", AGREEMENT_NUMBER),
            ("agreement.sign", AGREEMENT_NUMBER),
            ("agreement.sign", AGREEMENT_NUMBER),
            ("agreement.end", AGREEMENT_NUMBER),
            ("signatory.withdraw", BANK),
            ("ground.revoke", BANK),
            ("persons.put", ""),
            ("person.look", ""),
        ]
    )
    facts = {action: facts for _, action, _, facts in written}
    assert facts["recipient.state"] == {"state": "ON_HOLD", "reason": "a complaint"}
    assert facts["agreement.end"]["reason"] == "its end"
    assert facts["persons.put"] == {"given": 2, "changed": 1}
    assert facts["person.look"] == {"reason": "a correction", "found": True}


def test_a_look_at_a_person_is_logged_found_or_not(
    store: Store, place: DatabaseLocation, keys: StoreKeys
) -> None:
    """Procedure, cl. 13 and 16: the log shows who looked up whom, without a visible PIN."""
    seen = store.registry.person_for_operator(AZAMAT, reason="asked", at=later(1))
    assert seen is not None
    assert seen.held == a_person().held
    assert Attribute.FACE_IMAGE not in seen.values, "a sample is named, and not shown"
    assert store.registry.person_for_operator(GULNARA, reason="asked", at=later(2)) is None

    with raw(place) as connection:
        looked_at = [
            index
            for (index,) in connection.execute(
                "SELECT subject_index FROM desk_log WHERE action = 'person.look' ORDER BY at"
            )
        ]
    index = FieldCipher(keys).index
    assert looked_at == [index("pin", AZAMAT.digits), index("pin", GULNARA.digits)]


@pytest.mark.parametrize(
    "order",
    [
        lambda registry: registry.add_recipient(a_recipient(), at=NOON),
        lambda registry: registry.set_state(a_recipient(POLICE), reason="r", at=NOON),
        lambda registry: registry.add_certificate(POLICE, b"p" * 32, b"der", at=NOON),
        lambda registry: registry.add_certificate(BANK, FINGERPRINT, b"der", at=NOON),
        lambda registry: registry.withdraw_certificate(BANK, b"p" * 32, reason="r", at=NOON),
        lambda registry: registry.withdraw_certificate(POLICE, FINGERPRINT, reason="r", at=NOON),
        lambda registry: registry.add_official(replace(OFFICIAL, recipient=POLICE), at=NOON),
        lambda registry: agree(registry, an_agreement(recipient=POLICE), at=NOON),
        lambda registry: registry.revoke_ground(
            BANK, GroundKind.CONSENT, uuid4(), reason="r", at=NOON
        ),
    ],
)
def test_a_contradictory_command_changes_nothing(
    store: Store, place: DatabaseLocation, order: Any
) -> None:
    """No row changes, the log included; the error names the problem and no person."""
    before = read_all_rows(place)

    with pytest.raises(OperatorRegistryError) as caught:
        order(store.registry)

    assert read_all_rows(place) == before
    assert POLICE not in str(caught.value)


def test_a_thing_is_registered_once(store: Store) -> None:
    """A second registration of an official or notice is reported as a mistake."""
    store.registry.add_official(OFFICIAL, at=NOON)
    store.registry.add_notice("N-1", NOTICE_TEXTS, at=NOON)

    with pytest.raises(OperatorRegistryError):
        store.registry.add_official(OFFICIAL, at=NOON)
    with pytest.raises(OperatorRegistryError):
        store.registry.add_notice("N-1", {**NOTICE_TEXTS, "ky": "Башка".encode()}, at=NOON)


def test_a_withdrawn_certificate_stays_withdrawn(store: Store) -> None:
    """It cannot be registered again, for this recipient or another."""
    store.registry.withdraw_certificate(BANK, FINGERPRINT, reason="lost", at=NOON)

    with pytest.raises(OperatorRegistryError):
        store.registry.withdraw_certificate(BANK, FINGERPRINT, reason="again", at=NOON)
    with pytest.raises(OperatorRegistryError):
        store.registry.add_certificate(BANK, FINGERPRINT, b"der", at=NOON)
    assert store.register.certificate(FINGERPRINT) is None


def test_an_agreement_number_stays_with_its_recipient(store: Store) -> None:
    """Another recipient cannot take over terms by their number."""
    store.registry.add_recipient(a_recipient(POLICE), at=NOON)

    with pytest.raises(OperatorRegistryError, match="another recipient"):
        agree(store.registry, an_agreement(recipient=POLICE), at=NOON)


def test_agreements_are_listed_with_their_terms(store: Store) -> None:
    """All agreements or one recipient's are listed, with changed terms in place of the former."""
    store.registry.add_recipient(a_recipient(POLICE), at=NOON)
    theirs = an_agreement(
        number=AgreementNumber("A-1"), recipient=POLICE, daily_quota=None, scores_out=True
    )
    ours = an_agreement(state=AgreementState.TERMINATED)
    agree(store.registry, theirs, at=NOON)
    agree(store.registry, ours, at=NOON)

    assert store.registry.agreements() == [theirs, ours]
    assert store.registry.agreements(BANK) == [ours]
    assert store.registry.agreements(MemberCode("COM/1")) == []


def test_recipients_are_listed_with_their_state(store: Store) -> None:
    """The list has the registered data and the last state."""
    held = a_recipient(state=RecipientState.ON_HOLD)
    store.registry.set_state(held, reason="asked", at=NOON)

    assert store.registry.recipients() == [held]
    assert store.register.recipient(BANK) == held
    assert store.register.recipient(POLICE) is None


def test_a_person_gets_a_new_version_only_when_something_changed(
    store: Store, place: DatabaseLocation
) -> None:
    """An unchanged import writes nothing, and every former version is kept."""
    moved = a_person(values={Attribute.ADDRESS: "Ош, Ленин көчөсү, 5"})

    assert store.registry.put_persons([a_person()], at=NOON) == 0
    assert store.registry.put_persons([moved, a_person(GULNARA)], at=NOON) == 2
    assert store.registry.put_persons([moved, moved, a_person(GULNARA)], at=NOON) == 0

    assert whole(store.register) == replace(moved, version=2)
    assert whole(store.register, GULNARA) == a_person(GULNARA)
    assert count(place, "person") == 3


@pytest.mark.parametrize("change", [{"locked": True}, {"disputed": frozenset({Attribute.ADDRESS})}])
def test_a_lock_or_a_dispute_is_a_change(store: Store, change: dict[str, Any]) -> None:
    """MAT-05 and REL-02 rest on them."""
    assert store.registry.put_persons([a_person(**change)], at=NOON) == 1

    assert whole(store.register) == a_person(version=2, **change)


def test_a_batch_is_written_whole_or_not_at_all(store: Store, place: DatabaseLocation) -> None:
    """Each call is one transaction."""

    class Broken(dict[Attribute, Any]):
        def items(self) -> Any:
            raise RuntimeError("the source broke off")

    with pytest.raises(RuntimeError, match="broke off"):
        store.registry.put_persons(
            [a_person(GULNARA), replace(a_person(), values=Broken())], at=NOON
        )

    assert count(place, "person") == 1


def test_disclosures_are_listed_latest_first(store: Store) -> None:
    """The list is by recipient, from a time, up to a number, with refusals (cl. 12)."""
    store.registry.add_recipient(a_recipient(POLICE), at=NOON)
    entries = [
        a_refusal(key=a_key(recipient=recipient), decided_at=later(n))
        for n, recipient in enumerate((BANK, POLICE, BANK))
    ]
    for entry in entries:
        store.recorder.record(entry)
    first, second, third = (entry.disclosure_id for entry in entries)

    def listed(**how: Any) -> list[Any]:
        arguments = {"recipient": None, "since": None, "limit": 10} | how
        return [row.disclosure_id for row in store.registry.disclosures(**arguments)]

    assert listed() == [third, second, first]
    assert listed(recipient=BANK) == [third, first]
    assert listed(since=later(1)) == [third, second]
    assert listed(recipient=BANK, since=later(1)) == [third]
    assert listed(limit=1) == [third]
    assert listed(limit=0) == listed(limit=-1) == []


def test_a_listed_disclosure_masks_the_pin(store: Store) -> None:
    """docs/architecture.md, invariant 7: by default an operator sees the PIN masked."""
    refusal = a_refusal(Code.CNS_04)
    store.recorder.record(refusal)

    row = store.registry.disclosure(refusal.disclosure_id)

    assert row is not None
    assert (row.outcome, row.codes) == (Outcome.REFUSED, ("CNS-04",))
    assert AZAMAT.digits not in repr(row)
    assert store.registry.disclosure(uuid4()) is None


def test_old_failed_matches_are_forgotten(store: Store, place: DatabaseLocation) -> None:
    """They are deleted after a week; the records of the decisions stay."""
    store.recorder.record(a_failed_match())

    assert store.housekeep(at=NOON + timedelta(days=7)).attempts == 0
    assert store.housekeep(at=NOON + timedelta(days=7, seconds=1)).attempts == 1
    assert (count(place, "attempt"), count(place, "disclosure")) == (0, 1)
