"""Acts: who changed a right, when, and every row before and after; and their baseline."""

import json
import shutil
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from makul.app.ports import Committed, PendingDecision, StoreUnavailableError
from makul.app.ports.ledger import Lease, RecoveryResult, SignedTree
from makul.domain.recipients import RecipientState
from makul.ledger.leaf import commit
from makul.ledger.leaf_statement import read_act
from makul.ledger.tiles import TILE_WIDTH
from makul.store import Store, StoreKeys, open_store, upgrade_store
from makul.store.db.codecs import unpack
from makul.store.db.location import DatabaseLocation, PostgresLocation
from makul.store.encryption.fields import FieldCipher
from makul.store.records.acts import act_associated_data
from makul.store.schema.version import assert_schema, migrate
from makul.trust.tlog.note_keys import NoteSigner
from makul_testing.builders.full_store import (
    REGISTERED,
    a_registration_draft,
    a_release_on,
    a_revocation_draft,
    fill,
)
from makul_testing.builders.records import BANK, NOON, a_recipient
from makul_testing.older_stores import downgrade_to_0007
from makul_testing.raw_sql import count, raw, without_guards
from makul_testing.tlog.builder import LEASE, build_recording, check_ledger, sequence

DOCUMENT = b"<Consent>registered</Consent>"


def acts_of(place: DatabaseLocation, keys: StoreKeys) -> list[dict[str, Any]]:
    """Return every act in the form to which its leaf commits, in order."""
    with raw(place) as connection:
        rows = connection.execute("SELECT act_id, sealed FROM act ORDER BY number").fetchall()
    cipher = FieldCipher(keys)
    return [
        dict(
            read_act(
                unpack(cipher.decrypt(bytes(sealed), act_associated_data(bytes(act_id))))[1][1]
            )
        )
        for act_id, sealed in rows
    ]


def test_an_act_states_who_when_and_what_before_and_after(
    store: Store, place: DatabaseLocation, keys: StoreKeys
) -> None:
    """A hold has the former state and the new state."""
    held = a_recipient(state=RecipientState.ON_HOLD)
    store.registry.set_state(held, reason="asked for too much", at=NOON + timedelta(hours=1))

    acts = acts_of(place, keys)
    last = acts[-1]
    assert [act["number"] for act in acts] == list(range(1, len(acts) + 1))
    assert (last["kind"], last["who"], last["target"]) == ("recipient.state", "operator", BANK)
    assert last["facts"] == {"state": "ON_HOLD", "reason": "asked for too much"}
    ((table, key, before, after),) = last["changes"]
    assert (table, key) == ("recipient", {"code": BANK})
    assert (before["state"], after["state"]) == ("ACTIVE", "ON_HOLD")
    assert after["changed_at"] - before["changed_at"] == 3_600_000_000


def test_a_refused_act_leaves_nothing(store: Store, place: DatabaseLocation) -> None:
    """An act is recorded in the transaction of the change, or not at all."""
    before = count(place, "act"), count(place, "ledger_leaf")

    with pytest.raises(Exception, match="already registered"):
        store.registry.add_recipient(a_recipient(), at=NOON)

    assert (count(place, "act"), count(place, "ledger_leaf")) == before


def test_an_act_reveals_no_person(store: Store, place: DatabaseLocation) -> None:
    """The reason of a hold is a person's words, so it is encrypted, as in the audit log."""
    store.registry.set_state(a_recipient(), reason="Azamat called", at=NOON)

    with raw(place) as connection:
        rows = connection.execute("SELECT * FROM act").fetchall()
    stored = [bytes(each) for row in rows for each in row if isinstance(each, bytes | memoryview)]
    assert not any(b"Azamat" in each for each in stored)
    assert "Azamat" not in str(rows)


def test_an_acts_inclusion_is_proved_as_a_decisions_is(
    store: Store, place: DatabaseLocation, signer: NoteSigner
) -> None:
    """The sequencer, proofs and witnesses use only leaves."""
    sequence(store, signer)
    with raw(place) as connection:
        ids = connection.execute("SELECT act_id FROM act").fetchall()

    found = [store.ledger.inclusion(UUID(bytes=bytes(act_id))) for (act_id,) in ids]

    assert all(each is not None for each in found)
    assert len({each.index for each in found if each is not None}) == len(ids)


# --- the baseline ---------------------------------------------------------------------------------


def settle_as_before(store: Store, draft: PendingDecision) -> None:
    """Record a decision with a statement of format 2, which says nothing about other rows."""
    entry = build_recording(store).renderer.render(draft)
    facts = json.loads(entry.leaf.statement)
    del facts["effects"]
    statement = json.dumps({**facts, "format": 2}).encode()
    leaf = replace(entry.leaf, statement=statement, hash=commit(entry.leaf.salt, statement))
    assert store.recorder.record(replace(entry, leaf=leaf)) == Committed()


@pytest.fixture
def old(place: DatabaseLocation, keys: StoreKeys) -> DatabaseLocation:
    """Build a store from before acts, with rights, and with used and revoked consents."""
    store = open_store(place, keys, who="operator")
    store.recorder._cipher.compressor = None
    settle_as_before(store, a_registration_draft())
    settle_as_before(store, a_release_on(REGISTERED, DOCUMENT))
    settle_as_before(store, a_release_on(REGISTERED, DOCUMENT))
    store.close()
    downgrade_to_0007(place)
    return place


def upgraded(place: DatabaseLocation, keys: StoreKeys) -> Store:
    upgrade_store(place, keys, who="administrator", at=NOON)
    return open_store(place, keys, who="operator")


def test_an_older_store_gets_a_baseline_that_verifies(
    old: DatabaseLocation, keys: StoreKeys, signer: NoteSigner
) -> None:
    """Every right is recorded once, and later acts begin with it."""
    store = upgraded(old, keys)
    assert_schema(old)
    baseline = acts_of(old, keys)
    assert {act["kind"] for act in baseline} == {"store.baseline"}
    assert {act["who"] for act in baseline} == {"administrator"}
    stated = [change[0] for act in baseline for change in act["changes"]]
    for table in ("recipient", "certificate", "signatory", "agreement", "ground_use"):
        assert stated.count(table) == count(old, table) > 0

    build_recording(store).record_and_render(a_release_on(REGISTERED, DOCUMENT))
    build_recording(store).record_and_render(a_revocation_draft(REGISTERED))
    store.registry.set_state(a_recipient(state=RecipientState.ON_HOLD), reason="test", at=NOON)
    sequence(store, signer)

    assert check_ledger(store, signer).finding is None
    store.close()


def test_another_upgrade_adds_nothing(old: DatabaseLocation, keys: StoreKeys) -> None:
    """Another upgrade finishes one that was interrupted between migration and baseline."""
    upgraded(old, keys).close()
    acts = count(old, "act")

    upgrade_store(old, keys, who="administrator", at=NOON)

    assert count(old, "act") == acts


def test_a_store_with_an_interrupted_upgrade_is_not_opened(
    old: DatabaseLocation, keys: StoreKeys
) -> None:
    """Its records would be counted twice."""
    migrate(old)
    with pytest.raises(StoreUnavailableError, match="makul store upgrade --apply"):
        open_store(old, keys, who="operator")

    upgraded(old, keys).close()


@pytest.mark.parametrize(
    ("table", "change"),
    [
        ("recipient", "UPDATE recipient SET state = 'CUT_OFF'"),
        ("recipient", "DELETE FROM recipient"),
        ("ground_use", "UPDATE ground_use SET used = 0"),
        ("ground_use", "UPDATE ground_use SET registered_at = registered_at - 1"),
        ("consent_giver", "DELETE FROM consent_giver"),
        ("agreement", "UPDATE agreement SET valid_to = valid_to + 1"),
        ("signatory", "UPDATE signatory SET withdrawn_at = 1"),
        ("daily_use", "UPDATE daily_use SET used = 0"),
        ("paper_use", "DELETE FROM paper_use"),
    ],
)
def test_no_row_counts_as_older_than_the_baseline(
    old: DatabaseLocation, keys: StoreKeys, signer: NoteSigner, table: str, change: str
) -> None:
    """The baseline names each row; another row has no statement behind it."""
    store = upgraded(old, keys)
    sequence(store, signer)
    with without_guards(old, table) as connection:
        if not isinstance(old, PostgresLocation):
            connection.execute("PRAGMA foreign_keys = OFF")
        connection.execute(change)

    found = check_ledger(store, signer).finding

    store.close()
    assert found is not None
    assert found.where == table


def test_a_second_baseline_is_found(
    store: Store, place: DatabaseLocation, signer: NoteSigner, keys: StoreKeys
) -> None:
    """The indexes reveal it if the acts are removed and the store is upgraded again."""
    sequence(store, signer)
    for table, name in (("act", "act_id"), ("ledger_leaf", "disclosure_id")):
        with without_guards(place, table) as connection:
            if table == "act":
                ids = [bytes(each) for (each,) in connection.execute("SELECT act_id FROM act")]
                connection.execute("DELETE FROM act")
            else:
                mark = "%s" if isinstance(place, PostgresLocation) else "?"
                for each in ids:
                    connection.execute(f"DELETE FROM {table} WHERE {name} = {mark}", (each,))  # noqa: S608
    with without_guards(place, "recipient") as connection:
        connection.execute("UPDATE recipient SET state = 'CUT_OFF'")
    upgrade_store(place, keys, who="attacker", at=NOON)

    found = check_ledger(store, signer).finding

    assert found is not None
    assert (found.where, found.what) == ("ledger_leaf", "the leaf of this index is missing")


# --- an older copy --------------------------------------------------------------------------------


def test_acts_that_an_older_copy_lacks_are_counted_as_lost(
    path: Path, keys: StoreKeys, signer: NoteSigner, tmp_path: Path
) -> None:
    """A hold is lost with the copy; its leaf stays, noted as lost; the rest verifies."""
    store = open_store(path, keys, who="operator")
    fill(store)
    sequence(store, signer)
    store.ledger.release(LEASE)
    store.close()
    copy = tmp_path / "copy.db"
    shutil.copy(path, copy)
    store = open_store(path, keys, who="operator")
    before = store.ledger.state().size
    store.registry.set_state(a_recipient(state=RecipientState.ON_HOLD), reason="test", at=NOON)
    sequence(store, signer)
    latest = store.ledger.latest()
    assert latest is not None
    assert latest.size < TILE_WIDTH
    leaves = [store.ledger.tile(0, 0, latest.size)[32 * before :]]
    store.close()
    restored = open_store(copy, keys, who="operator")

    lease = Lease(holder=LEASE.holder, length=timedelta(0))
    promised = SignedTree(size=latest.size, root=latest.root, note=latest.note, made_at=NOON)
    recovery = restored.recover_ledger(promised, leaves, lease, at=NOON)

    assert recovery == RecoveryResult(placed=0, lost=1, size=latest.size)
    restored.registry.set_state(a_recipient(state=RecipientState.ON_HOLD), reason="again", at=NOON)
    sequence(restored, signer)
    assert check_ledger(restored, signer, lost=1).finding is None
    restored.close()
