"""Every row that a decision rests on is checked with the ledger (invariant 13).

An attacker with write access to the database deletes, inserts or alters one row, past triggers and
privileges, on both databases; `ledger verify` names its table.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from makul.app.ports.ledger import Finding
from makul.ledger.leaf_statement import read_statement
from makul.store import Store, StoreKeys, open_store
from makul.store.db.location import DatabaseLocation, PostgresLocation
from makul.store.encryption.fields import FieldCipher
from makul.store.log.effects_check import read_effects
from makul.store.records.row_images import TABLE_IMAGES
from makul.store.schema.tables import metadata
from makul.trust.tlog.note_keys import NoteSigner
from makul_testing.builders.full_store import (
    BY_OPERATOR,
    REGISTERED,
    TAKEN_BACK,
    a_missed_draft,
    a_registration_draft,
    a_release_on,
    a_revocation_draft,
    fill,
)
from makul_testing.builders.records import AZAMAT, BANK, GULNARA, NOON, a_recipient
from makul_testing.external.postgres import Cluster
from makul_testing.raw_sql import parameters, raw
from makul_testing.tlog.builder import (
    a_note_signer,
    another,
    build_recording,
    check_ledger,
    sequence,
)

NOT_PROVED = {
    ("evidence_use", "the bytes kept a day: a limit of cost, and no right"),
    ("dictionary", "text without which nothing reads back, under its own digest"),
    ("gate", "rows to lock"),
    ("notification", "what is sent, not what is decided: the decision of it has a leaf"),
    ("notification_link", "gives no right: a report only restricts, and states the link's digest"),
    ("person_sample", "likewise: bound to its person, and named by the record"),
    ("recipient_use", "requests a minute and bytes a day: a limit of cost, and no right"),
    ("person", "the record itself: each version is encrypted and bound to its place"),
    ("seen_message", "marks of messages, forgotten within minutes"),
}
"""Tables that decisions read and that the ledger does not cover, with the reason."""


@dataclass(frozen=True)
class SequencedStore:
    """A sequenced store with a row in each table."""

    place: DatabaseLocation
    store: Store
    signer: NoteSigner

    def finding(self) -> Finding | None:
        return check_ledger(self.store, self.signer).finding

    @contextmanager
    def attacker(self) -> Iterator[Callable[..., Any]]:
        """Run SQL past every protection."""
        with raw(self.place) as connection:
            if isinstance(self.place, PostgresLocation):
                connection.execute("SET session_replication_role = replica")
                yield lambda sql, *values: connection.execute(parameters(self.place, sql), values)
                return
            guards = connection.execute(
                "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
            ).fetchall()
            for name, _ in guards:
                connection.execute(f"DROP TRIGGER {name}")
            try:
                yield lambda sql, *values: connection.execute(sql, values)
            finally:
                for _, sql in guards:
                    connection.execute(sql)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def whole(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, keys: StoreKeys
) -> Iterator[SequencedStore]:
    directory = tmp_path_factory.mktemp("whole")
    place: DatabaseLocation
    if request.param == "sqlite":
        template: Path = request.getfixturevalue("template")
        place = directory / "makul.db"
        place.write_bytes(template.read_bytes())
    else:
        server: Cluster = request.getfixturevalue("server")
        name = server.create(template=request.getfixturevalue("server_template"))
        place = server.place(name)
    store, signer = open_store(place, keys, who="operator"), a_note_signer(directory)
    fill(store)
    sequence(store, signer)
    whole = SequencedStore(place, store, signer)
    assert whole.finding() is None
    yield whole
    store.close()


def test_every_table_of_decisions_is_covered_or_listed() -> None:
    """A new table is not forgotten."""
    of_the_log = {"checkpoint", "cosignature", "desk_log", "store_identity"}
    log = {name for name in metadata.tables if name.startswith("ledger_")}
    records = {
        *("act", "act_answer", "disclosure", "evidence", "repetition"),
        *("request_key", "request_message"),
    }

    names = {*TABLE_IMAGES, *(name for name, _ in NOT_PROVED), *of_the_log, *log, *records}

    assert names == set(metadata.tables)


@pytest.mark.parametrize("table", TABLE_IMAGES)
def test_a_row_that_was_deleted_is_named(whole: SequencedStore, table: str) -> None:
    """The revocation of a consent is the most important case."""
    columns, rows = read(whole, table)
    for row in first_and_last(rows):
        with whole.attacker() as run:
            key = key_of(table, columns, row)
            run(f"DELETE FROM {table} WHERE {where(key)}", *key.values())  # noqa: S608
            found = whole.finding()
            insert(run, table, dict(zip(columns, row, strict=True)))
        assert found is not None, row
        assert found.where == table, found
        assert "not there" in found.what
    assert whole.finding() is None


@pytest.mark.parametrize("table", TABLE_IMAGES)
def test_a_row_that_was_inserted_is_named(whole: SequencedStore, table: str) -> None:
    """The row is a copy under another key, without an act or a decision."""
    columns, rows = read(whole, table)
    row = dict(zip(columns, rows[0], strict=True))
    for name, column in metadata.tables[table].primary_key.columns.items():
        forged = {**row, name: another(row[name], column.type.python_type)}
        key = {each: forged[each] for each in key_names(table)}
        with whole.attacker() as run:
            insert(run, table, forged)
            found = whole.finding()
            run(f"DELETE FROM {table} WHERE {where(key)}", *key.values())  # noqa: S608
        assert found is not None, name
        assert (found.where, "stands behind" in found.what) == (table, True), found
    assert whole.finding() is None


@pytest.mark.parametrize("table", TABLE_IMAGES)
def test_a_column_that_was_altered_is_named(whole: SequencedStore, table: str) -> None:
    """Each column is set to another value, and to or from NULL if it may be NULL."""
    columns, rows = read(whole, table)
    for row in first_and_last(rows):
        values = dict(zip(columns, row, strict=True))
        key = key_of(table, columns, row)
        for name in columns:
            if name in key or name == "to_lock_by":
                continue
            for value in others(table, name, values[name]):
                change = f"UPDATE {table} SET {name} = ? WHERE {where(key)}"  # noqa: S608
                with whole.attacker() as run:
                    run(change, value, *key.values())
                    found = whole.finding()
                    run(change, values[name], *key.values())
                assert found is not None, (name, value)
                assert found.where == table, (name, found)
    assert whole.finding() is None


def test_a_decision_without_a_person_has_no_subject_and_no_ground(whole: SequencedStore) -> None:
    """A column that must be NULL is checked like any other."""
    names = ("subject_index", "ground_kind", "ground_id", "ground_digest", "certificate")
    names += ("agreement_number", "purpose", "sealed_to")
    columns, rows = read(whole, "disclosure")
    assert all(any(row[columns.index(name)] is None for row in rows) for name in names[1:4])
    for row in (rows[0], next(row for row in rows if row[columns.index("ground_id")] is None)):
        values = dict(zip(columns, row, strict=True))
        key = {name: values[name] for name in ("disclosure_id", "decided_at")}
        for name in names:
            if values[name] is not None:
                continue
            for value in others("disclosure", name, None):
                change = f"UPDATE disclosure SET {name} = ? WHERE {where(key)}"  # noqa: S608
                with whole.attacker() as run:
                    run(change, value, *key.values())
                    found = whole.finding()
                    run(change, None, *key.values())
                assert found is not None, (name, value)
                assert found.where == "disclosure"
    assert whole.finding() is None


def test_a_value_of_another_type_is_no_null(
    path: Path, keys: StoreKeys, signer: NoteSigner
) -> None:
    """SQLite stores any type in any column: a text instead of a digest, an id that is none."""
    store = open_store(path, keys, who="operator")
    build_recording(store).record_and_render(a_revocation_draft(TAKEN_BACK))
    sequence(store, signer)
    whole = SequencedStore(path, store, signer)
    for name, value in (
        ("sealed_to", "text"),
        ("ground_digest", "text"),
        ("ground_id", b"short"),
        ("ground_id", "text"),
        ("subject_index", "text"),
    ):
        with whole.attacker() as run:
            was = run(f"SELECT {name} FROM disclosure").fetchone()[0]  # noqa: S608
            run(f"UPDATE disclosure SET {name} = ?", value)  # noqa: S608
            found = whole.finding()
            run(f"UPDATE disclosure SET {name} = ?", was)  # noqa: S608
        assert found is not None, (name, value)
    assert whole.finding() is None
    store.close()


def read(whole: SequencedStore, table: str) -> tuple[list[str], Sequence[tuple[Any, ...]]]:
    """Return every row of a table, by its columns."""
    names = [column.name for column in metadata.tables[table].columns]
    with raw(whole.place) as connection:
        rows = connection.execute(f"SELECT {', '.join(names)} FROM {table}").fetchall()  # noqa: S608
    return names, rows


def first_and_last(rows: Sequence[tuple[Any, ...]]) -> Sequence[tuple[Any, ...]]:
    """Return two rows of a table, which represent all, or the only one."""
    return (rows[0], rows[-1]) if len(rows) > 1 else (rows[0],)


def key_names(table: str) -> list[str]:
    return [column.name for column in metadata.tables[table].primary_key.columns]


def key_of(table: str, columns: Sequence[str], row: Sequence[object]) -> dict[str, object]:
    values = dict(zip(columns, row, strict=True))
    return {name: values[name] for name in key_names(table)}


def where(key: Mapping[str, object]) -> str:
    return " AND ".join(f"{name} = ?" for name in key)


def insert(run: Callable[..., Any], table: str, values: Mapping[str, object]) -> None:
    marks = ", ".join("?" for _ in values)
    run(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", *values.values())  # noqa: S608


def others(table: str, name: str, value: object) -> Iterator[object]:
    """Return values that a column could have by hand, and does not have."""
    column = metadata.tables[table].columns[name]
    if name == "used":
        yield value - 1 if isinstance(value, int) and value else 1
        return
    kind = column.type.python_type
    yield another(value, kind) if value is not None else {bytes: b"\1" * 16, str: "X", int: 1}[kind]
    if column.nullable and value is not None:
        yield None


# --- the attack, end to end, and what an act says ----------------------------------------------


def test_a_deleted_revocation_is_found(whole: SequencedStore) -> None:
    """The consent permits a disclosure again, and the ledger shows the revocation."""
    consent = (BANK, TAKEN_BACK.id.bytes)
    with whole.attacker() as run:
        row = run(
            "SELECT subject_index, document, revoked_at FROM revocation"
            " WHERE recipient = ? AND consent_id = ?",
            *consent,
        ).fetchone()
        run("DELETE FROM revocation WHERE recipient = ? AND consent_id = ?", *consent)
    draft = a_release_on(TAKEN_BACK, b"<Consent>taken back</Consent>")
    assert b"RELEASED" in build_recording(whole.store).record_and_render(draft)

    found = whole.finding()

    with whole.attacker() as run:
        names = ("recipient", "consent_id", "subject_index", "document", "revoked_at")
        insert(run, "revocation", dict(zip(names, (*consent, *row), strict=True)))
    assert found is not None
    assert (found.where, str(TAKEN_BACK.id) in found.record) == ("revocation", True)
    assert whole.finding() is None


def test_a_removed_waiting_act_is_found_by_a_later_one(whole: SequencedStore) -> None:
    """Acts have numbers: one that is removed with its leaf before its index leaves a gap."""
    whole.store.registry.add_certificate(BANK, b"1" * 32, b"der", at=NOON)
    whole.store.registry.add_certificate(BANK, b"2" * 32, b"der", at=NOON)
    tables = {"act": "act_id", "ledger_leaf": "disclosure_id", "ledger_queue": "disclosure_id"}
    rows_by_table = {}
    with whole.attacker() as run:
        (act_id, number) = run(
            "SELECT act_id, number FROM act WHERE number = (SELECT max(number) - 1 FROM act)"
        ).fetchone()
        for table, name in tables.items():
            columns, rows = read(whole, table)
            rows_by_table[table] = next(
                dict(zip(columns, row, strict=True))
                for row in rows
                if row[columns.index(name)] == act_id
            )
            run(f"DELETE FROM {table} WHERE {name} = ?", act_id)  # noqa: S608
        found = whole.finding()
        for table, values in rows_by_table.items():
            insert(run, table, values)

    assert found == Finding(
        where="act", record=str(number), what="the act of this number is not there"
    )
    sequence(whole.store, whole.signer)
    assert whole.finding() is None


def test_a_right_given_by_hand_is_found_after_the_next_act(
    path: Path, keys: StoreKeys, signer: NoteSigner
) -> None:
    """Each act begins with the state after the one before, so a change in between is found."""
    store = open_store(path, keys, who="operator")
    fill(store)
    whole = SequencedStore(path, store, signer)
    sequence(store, signer)
    with whole.attacker() as run:
        run("UPDATE recipient SET state = 'ON_HOLD' WHERE code = ?", BANK)
    store.registry.set_state(a_recipient(BANK), reason="back", at=NOON)

    found = whole.finding()

    store.close()
    assert found is not None
    assert (found.where, found.record) == ("recipient", BANK)
    assert "from what no act had made it" in found.what


def test_collected_facts_reveal_no_pin(store: Store, keys: StoreKeys) -> None:
    """It lies in a temporary file during the check: not even a plain digest that could
    be guessed.
    """
    collected = ""
    for draft in (a_registration_draft(), a_revocation_draft(TAKEN_BACK), a_missed_draft()):
        statement = build_recording(store).renderer.render(draft).leaf.statement
        assert AZAMAT.digits.encode() in statement
        collected += repr(read_effects(FieldCipher(keys), read_statement(statement)))

    for pin in (AZAMAT, GULNARA):
        assert pin.digits not in collected
        assert sha256(pin.digits.encode()).hexdigest() not in collected
    assert all(table in collected for table in ("ground_use", "revocation", "attempt"))


def test_grounds_have_rows_of_each_kind(whole: SequencedStore) -> None:
    """The grounds are registered, used, revoked by the subject, and ended by the operator."""
    columns, rows = read(whole, "ground_use")
    by_id = {bytes(row[columns.index("ground_id")]): row for row in rows}

    assert by_id[REGISTERED.id.bytes][columns.index("registered_at")] is not None
    assert by_id[BY_OPERATOR.id.bytes][columns.index("revoked_at")] is not None
