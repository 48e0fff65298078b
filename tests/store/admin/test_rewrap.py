"""Every encrypted field comes under the current key, with concurrent writers and after a kill."""

import random
import re
import threading
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.dialects import postgresql

import makul.store
from makul.app.ports import Committed, Official, Replay, RewrapBatch, StoreUnavailableError
from makul.store import Store, StoreKeys, open_store
from makul.store.admin import rewrap as rewrapping
from makul.store.admin.rewrap import SEALED_COLUMNS
from makul.store.db.field_format import HEAD_BYTES
from makul.store.db.location import DatabaseLocation
from makul.store.encryption.fields import FieldCipher
from makul.store.open import database_at
from makul.store.schema.tables import metadata
from makul_testing.builders.corrections import record_correction
from makul_testing.builders.entries import a_metered_release, receipt_from
from makul_testing.builders.notifications import a_notification
from makul_testing.builders.oversight import record_acts
from makul_testing.builders.records import (
    AGREEMENT_NUMBER,
    AZAMAT,
    BANK,
    GULNARA,
    NOON,
    a_caller,
    a_consent,
    a_person,
    an_evidence,
    whole,
)
from makul_testing.builders.secrecy import record_secrecy
from makul_testing.exhaustive import rounds
from makul_testing.faults.killed_process import die, killed_after
from makul_testing.raw_sql import parameters, raw

KILLS = rounds(12, exhaustive=30)
RECORDED = 40
A_SCAN = b"<Scan>" + bytes(3 * 1024 * 1024)


@pytest.fixture
def key_ring(keys: StoreKeys) -> StoreKeys:
    return keys.prepared().activated()


@pytest.fixture
def alone(key_ring: StoreKeys, keys: StoreKeys) -> StoreKeys:
    """Return the key file without the former key."""
    return key_ring.without(keys.current_id)


@pytest.fixture
def full(store: Store, place: DatabaseLocation) -> DatabaseLocation:
    """Build a store whose encrypted columns all have fields, some of them more than a batch."""
    at = NOON
    store.registry.put_persons([a_person(locked=True), a_person(GULNARA)], at=at)
    store.registry.add_official(
        Official(recipient=BANK, identifier="O-7", name="B. A.", fingerprint=b"o" * 32), at=at
    )
    for number in range(RECORDED):
        document = b"<Consent n='%d'/>" % number
        entry = a_metered_release(
            a_consent(document),
            a_notification(),
            evidence=(an_evidence(document),),
            message=b"<Envelope/>",
        )
        assert store.recorder.record(entry) == Committed()
        store.recorder.replay(entry.key, a_caller(), at=at)
    record_acts(store, recipient=BANK, agreement=AGREEMENT_NUMBER)
    store.close()
    record_correction(store, BANK, AZAMAT)
    record_secrecy(store, BANK, entry.disclosure_id)
    return place


def fields(place: DatabaseLocation) -> dict[tuple[str, Any], bytes]:
    """Return every encrypted field by column and primary key, as bytes."""
    found = {}
    with raw(place) as connection:
        for each in SEALED_COLUMNS:
            key = ", ".join(column.name for column in each.table.primary_key.columns)
            rows = connection.execute(
                f"SELECT {each.column.name}, {key} FROM {each.table.name}"  # noqa: S608
                f" WHERE {each.column.name} IS NOT NULL"
            )
            found |= {(each.name, tuple(row[1:])): row[0] for row in rows}
    return found


def walk(place: DatabaseLocation, keys: StoreKeys) -> list[RewrapBatch]:
    database = database_at(place)
    try:
        return list(rewrapping.rewrap(database, FieldCipher(keys), keys.current_id))
    finally:
        database.close()


def under(place: DatabaseLocation, key_id: str) -> int:
    database = database_at(place)
    try:
        return sum(each.fields for each in rewrapping.count(database) if each.key_id == key_id)
    finally:
        database.close()


def test_every_encrypted_column_is_rewrapped(full: DatabaseLocation, keys: StoreKeys) -> None:
    """The columns are found by the content of the file, not by their names."""
    mark = b"\x01" + keys.current_id.encode()
    holding = set()
    for table, rows in columns(full).items():
        for name, value in rows:
            if isinstance(value, bytes) and mark in value:
                assert value.startswith(mark)
                holding.add(f"{table}.{name}")

    assert holding == {each.name for each in SEALED_COLUMNS}


def test_every_column_that_the_program_encrypts_is_rewrapped() -> None:
    """The columns are also found by the program's text, so a new module is not forgotten."""
    sources = Path(makul.store.__file__).parent.rglob("*.py")
    places = {
        f"{table}.{column}"
        for source in sources
        for table, column in re.findall(
            r'field_associated_data\(\s*"(\w+)",\s*"(\w+)"', source.read_text()
        )
    }

    assert places == {each.name for each in SEALED_COLUMNS}


def columns(place: DatabaseLocation) -> Mapping[str, list[tuple[str, Any]]]:
    """Return every value of every table, with the name of its column."""
    with raw(place) as connection:
        found: dict[str, list[tuple[str, Any]]] = {}
        for table, described in metadata.tables.items():
            key = ", ".join(f'"{column.name}"' for column in described.primary_key.columns)
            rows = connection.execute(f"SELECT * FROM {table} ORDER BY {key}")  # noqa: S608
            names = [each[0] for each in rows.description]
            found[table] = [pair for row in rows for pair in zip(names, row, strict=True)]
        return found


@pytest.mark.parametrize("column", SEALED_COLUMNS, ids=lambda column: column.name)
def test_the_statements_suit_postgresql_too(column: rewrapping.EncryptedColumn) -> None:
    """Numbers are in the text, because PostgreSQL would not group by two equal parameters."""
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    for statement in (column.counting, column.first, column.following, column.rewrapping):
        compiled = statement.compile(dialect=dialect)
        assert "substr(" in compiled.string
        assert not [name for name in compiled.params if name.startswith("substr")]


def test_heads_change_and_nothing_else(
    full: DatabaseLocation, keys: StoreKeys, key_ring: StoreKeys
) -> None:
    """No byte of ciphertext, no row and no other column changes, for any batch size."""
    before, rest = fields(full), without_encrypted_columns(full)

    batches = walk(full, key_ring)

    after = fields(full)
    assert after.keys() == before.keys()
    for place, sealed in after.items():
        assert sealed[HEAD_BYTES:] == before[place][HEAD_BYTES:]
        assert sealed[:9] == b"\x01" + key_ring.current_id.encode()
    assert without_encrypted_columns(full) == rest
    assert sum(batch.fields for batch in batches) == len(before)
    assert not any(batch.overtaken or batch.broken for batch in batches)
    assert (under(full, keys.current_id), under(full, key_ring.current_id)) == (0, len(before))
    assert walk(full, key_ring) == []


def without_encrypted_columns(place: DatabaseLocation) -> dict[str, list[tuple[str, Any]]]:
    """Return everything that a rewrap must not change."""
    names = {each.name for each in SEALED_COLUMNS}
    return {
        table: [(name, value) for name, value in rows if f"{table}.{name}" not in names]
        for table, rows in columns(place).items()
    }


def test_the_former_key_is_no_longer_needed(
    full: DatabaseLocation, keys: StoreKeys, key_ring: StoreKeys, alone: StoreKeys
) -> None:
    """Persons, officials, receipts, evidence, stored answers and the log are decrypted
    without it.
    """
    walk(full, key_ring)

    with pytest.raises(StoreUnavailableError):
        open_store(full, keys, who="operator")
    cipher = FieldCipher(alone)
    for place, sealed in fields(full).items():
        assert cipher.rewrap(sealed[:HEAD_BYTES]), place
    store = open_store(full, alone, who="operator")
    assert whole(store.register, AZAMAT) == a_person(locked=True, version=2)
    assert whole(store.register, GULNARA) == a_person(GULNARA)
    rows = store.registry.disclosures(recipient=None, since=None, limit=RECORDED)
    assert {row.subject for row in rows} == {AZAMAT}
    case = store.registry.read_decision_evidence(rows[0].disclosure_id, at=NOON)
    assert case is not None
    assert case.pieces[0].document is not None
    assert [each.name for each in store.registry.signatories()]
    store.close()


def test_no_head_of_the_former_key_stays_in_the_file(
    path: Path, keys: StoreKeys, key_ring: StoreKeys
) -> None:
    """Free pages still hold old heads until the file is written again."""
    walk(path, key_ring)
    with raw(path) as connection:
        connection.execute("VACUUM")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    for file in path.parent.glob("makul.db*"):
        assert keys.current_id.encode() not in file.read_bytes(), file.name


def test_an_undecryptable_field_is_left_unchanged(
    full: DatabaseLocation, keys: StoreKeys, key_ring: StoreKeys
) -> None:
    """A field under a lost key, altered or malformed is reported, and all others are wrapped."""
    others = FieldCipher(StoreKeys.generate())
    spoilt = {"lost key": others.encrypt(b"x", b"where"), "altered": b"", "no format": b"\x02" * 80}
    with raw(full) as connection:
        keys_of = connection.execute("SELECT pin_index, version, sealed FROM person").fetchall()
        spoilt["altered"] = keys_of[1][2][:20] + b"\xff" + keys_of[1][2][21:]
        for (index, version, _), value in zip(keys_of, spoilt.values(), strict=True):
            connection.execute(
                parameters(
                    full, "UPDATE person SET sealed = ? WHERE pin_index = ? AND version = ?"
                ),
                (value, index, version),
            )
    before = fields(full)

    batches = walk(full, key_ring)

    broken = {batch.column: batch.broken for batch in batches if batch.broken}
    assert broken == {"person.sealed": len(spoilt)}
    left = {k: v for k, v in fields(full).items() if v[1:9] != key_ring.current_id.encode()}
    assert left == {k: v for k, v in before.items() if k[0] == "person.sealed"}


def test_a_field_that_others_changed_is_not_overwritten(
    full: DatabaseLocation, key_ring: StoreKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A head that changed between its reading and writing is not overwritten."""
    theirs = FieldCipher(key_ring).encrypt(b"newer", b"where")
    original = FieldCipher.rewrap

    def race(self: FieldCipher, head: bytes) -> bytes:
        with raw(full) as connection:
            connection.execute(parameters(full, "UPDATE request_key SET answer = ?"), (theirs,))
        return original(self, head)

    answers_alone = tuple(each for each in SEALED_COLUMNS if each.name == "request_key.answer")
    monkeypatch.setattr(rewrapping, "SEALED_COLUMNS", answers_alone)
    monkeypatch.setattr(FieldCipher, "rewrap", race)
    batches = walk(full, key_ring)

    assert sum(batch.overtaken for batch in batches) == RECORDED
    assert sum(batch.fields for batch in batches) == 0
    with raw(full) as connection:
        answers = connection.execute("SELECT DISTINCT answer FROM request_key").fetchall()
    assert answers == [(theirs,)]


def test_batches_are_bounded(
    full: DatabaseLocation, key_ring: StoreKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limits are the fields and the bytes, so that a transaction with scans is short too."""
    monkeypatch.setattr(rewrapping, "BATCH_BYTES", 2_000)

    batches = [each for each in walk(full, key_ring) if each.column == "evidence.sealed"]

    sizes = {len(v) for k, v in fields(full).items() if k[0] == "evidence.sealed"}
    assert max(batch.fields for batch in batches) == 2_000 // max(sizes)
    assert sum(batch.fields for batch in batches) == RECORDED + 1  # and an undertaking


def test_a_field_larger_than_a_batch_is_wrapped(
    store: Store, place: DatabaseLocation, key_ring: StoreKeys
) -> None:
    """Scans of megabytes are wrapped one by one, to the byte."""
    for number in range(3):
        scan = A_SCAN + b"%d" % number
        entry = a_metered_release(a_consent(scan), evidence=(an_evidence(scan),))
        assert store.recorder.record(entry) == Committed()
    store.close()
    before = fields(place)

    batches = [each for each in walk(place, key_ring) if each.column == "evidence.sealed"]

    assert [batch.fields for batch in batches] == [1, 1, 1]
    for key, sealed in fields(place).items():
        assert sealed[HEAD_BYTES:] == before[key][HEAD_BYTES:]


# --- killed -----------------------------------------------------------------------------------


def rewrap_and_die(place: DatabaseLocation, key_ring: StoreKeys, after: int) -> None:
    """Rewrap in a child that is killed after its nth change of a field."""

    def work() -> None:
        walk(place, key_ring)
        die()

    assert killed_after(after, work)


def test_a_killed_rewrap_continues(
    full: DatabaseLocation, key_ring: StoreKeys, alone: StoreKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every field is decrypted by one key or the other each time, and by the new one at the end."""
    before, dice = fields(full), random.Random(20261127)  # noqa: S311 -- moments, not a secret
    monkeypatch.setattr(rewrapping, "BATCH_BYTES", 1_000)
    both, total, done = FieldCipher(key_ring), len(before), 0
    for _ in range(KILLS):
        rewrap_and_die(full, key_ring, dice.randint(1, 12))

        now = fields(full)
        assert now.keys() == before.keys()
        for place, sealed in now.items():
            assert both.rewrap(sealed[:HEAD_BYTES]), place
            assert sealed[HEAD_BYTES:] == before[place][HEAD_BYTES:]
        assert done <= (done := under(full, key_ring.current_id)) <= total

    walk(full, key_ring)

    assert under(full, key_ring.current_id) == total
    open_store(full, alone, who="operator").close()


# --- under load -------------------------------------------------------------------------------


PATIENCE = 60.0
"""A time in seconds."""


class Recording(threading.Thread):
    """Records decisions one after the other, with a key file, until it is stopped."""

    def __init__(self, place: DatabaseLocation, key_ring: StoreKeys) -> None:
        super().__init__()
        self._store = open_store(place, key_ring, who="listener")
        self._over = threading.Event()
        self.entries: list[Any] = []

    def run(self) -> None:
        while not self._over.is_set():
            document = b"<Consent m='%d'/>" % len(self.entries)
            entry = a_metered_release(a_consent(document), evidence=(an_evidence(document),))
            assert self._store.recorder.record(entry) == Committed()
            self.entries.append(entry)
        self._store.close()

    def await_entry(self) -> None:
        """Wait until it has recorded something."""
        until = time.monotonic() + PATIENCE
        while not self.entries:
            assert time.monotonic() < until
            time.sleep(0.01)

    def stop(self) -> None:
        self._over.set()
        self.join()


@pytest.fixture
def crowded(full: DatabaseLocation, key_ring: StoreKeys) -> Iterator[list[Recording]]:
    """Run two threads that record with the new key file."""
    recordings = [Recording(full, key_ring) for _ in range(2)]
    for each in recordings:
        each.start()
    yield recordings
    for each in recordings:
        each.stop()


def test_rewrap_and_recording_run_together(
    full: DatabaseLocation,
    key_ring: StoreKeys,
    crowded: list[Recording],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No record is lost, no writer is refused, and everything ends under the new key."""
    monkeypatch.setattr(rewrapping, "BATCH_BYTES", 1_000)
    walk(full, key_ring)
    for each in crowded:
        each.await_entry()
    for each in crowded:
        each.stop()

    entries = [entry for each in crowded for entry in each.entries]
    assert entries
    assert under(full, key_ring.current_id) == len(fields(full))
    alone = StoreKeys(
        current_id=key_ring.current_id,
        masters={key_ring.current_id: key_ring.masters[key_ring.current_id]},
        index=key_ring.index,
    )
    store = open_store(full, alone, who="operator")
    for entry in entries:
        assert store.register.receipt(BANK, entry.key.request_id) == receipt_from(entry)
        replay = store.recorder.replay(entry.key, a_caller(), at=entry.facts.at)
        assert replay == Replay(entry.answer)
    store.close()


def test_fields_of_an_unreloaded_worker_are_reported_and_found(
    full: DatabaseLocation, keys: StoreKeys, key_ring: StoreKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker was not reloaded; the pass still ends, and the next pass finds its fields."""
    late = Recording(full, keys.prepared())
    late.start()
    walk(full, key_ring)
    late.await_entry()
    late.stop()

    left = under(full, keys.current_id)
    walk(full, key_ring)

    assert late.entries
    assert left > 0
    assert under(full, keys.current_id) == 0
