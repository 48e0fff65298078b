"""Any one changed row or leaf is found, and the first is named (`ledger verify`)."""

import shutil
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from makul.app.ports.ledger import Finding
from makul.ledger.signed_note import COSIGNATURE_V1
from makul.store import Store, StoreKeys, open_store
from makul.store.log.verify import LedgerVerificationOptions
from makul.store.schema.tables import metadata
from makul.trust.tlog.note_keys import (
    CosignatureVerifier,
    Cosigner,
    NoteSigner,
    NoteVerifier,
    new_key_file,
)
from makul_testing.builders.entries import a_release
from makul_testing.builders.records import NOON
from makul_testing.external.postgres import Cluster
from makul_testing.raw_sql import raw
from makul_testing.tlog.builder import (
    DELAY,
    ORIGIN,
    a_draft,
    a_note_signer,
    another,
    build_recording,
    check_ledger,
    sequence,
    some_drafts,
)

PROVED = {
    "disclosure": set(),
    "ledger_leaf": set(),
    "evidence": set(),
    "ledger_position": set(),
    "ledger_tile": set(),
    "ledger_head": {"holder", "held_until"},
    "checkpoint": {"made_at"},
    "request_key": {"answer"},
    "act": set(),
    "repetition": set(),
}
"""Tables that the ledger proves, and their columns that it does not: the lease, the time of a
tree's signature (the note has no time), and the stored answer, which is deleted after a day.
"""


@dataclass(frozen=True)
class Spoiled:
    """A copy of a consistent store, for changes by hand."""

    path: Path
    keys: StoreKeys
    signer: NoteSigner

    def finding(self, *statements: str, values: tuple[Any, ...] = ()) -> Finding | None:
        """Return the finding of the check after a superuser ran these statements."""
        with raw(self.path) as connection:
            triggers = connection.execute(
                "SELECT name, sql FROM sqlite_master WHERE type = 'trigger'"
            ).fetchall()
            connection.execute("PRAGMA foreign_keys = OFF")
            connection.execute("BEGIN")
            for name, _ in triggers:
                connection.execute(f"DROP TRIGGER {name}")
            for statement in statements:
                changed = connection.execute(statement, values if "?" in statement else ())
                assert changed.rowcount != 0
            for _, sql in triggers:
                connection.execute(sql)
            connection.execute("COMMIT")
        store = open_store(self.path, self.keys, who="auditor")
        try:
            return check_ledger(store, self.signer).finding
        finally:
            store.close()


@pytest.fixture
def place(path: Path) -> Path:
    """Return a location in a file, because these tests are about files."""
    return path


@pytest.fixture(scope="module")
def signer(tmp_path_factory: pytest.TempPathFactory) -> NoteSigner:
    return a_note_signer(tmp_path_factory.mktemp("key"))


@pytest.fixture(scope="module")
def good(
    tmp_path_factory: pytest.TempPathFactory, template: Path, keys: StoreKeys, signer: NoteSigner
) -> Path:
    """Build ten acts and thirty decisions of every kind, a tree after each ten, and ten
    that wait.
    """
    path = tmp_path_factory.mktemp("good") / "makul.db"
    shutil.copy(template, path)
    store = open_store(path, keys, who="operator")
    for _ in range(3):
        for draft in some_drafts():
            build_recording(store).record_and_render(draft)
        sequence(store, signer)
    again = a_draft()
    for _ in range(3):  # the second and the third are repetitions
        build_recording(store).record_and_render(again)
    for draft in some_drafts():
        build_recording(store).record_and_render(draft)
    report = check_ledger(store, signer)
    assert report.finding is None
    assert (report.size, report.checked, report.waiting, report.checkpoints) == (40, 53, 13, 3)
    store.close()
    with raw(path) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return path


@pytest.fixture
def spoiled(tmp_path: Path, good: Path, keys: StoreKeys, signer: NoteSigner) -> Spoiled:
    copy = tmp_path / "spoiled.db"
    shutil.copy(good, copy)
    return Spoiled(copy, keys, signer)


def columns() -> Iterator[tuple[str, str]]:
    for table, unproved in PROVED.items():
        for column in metadata.tables[table].columns:
            if column.name not in unproved:
                yield table, column.name


@pytest.mark.parametrize(("table", "column"), list(columns()))
def test_a_change_to_any_column_is_found(
    spoiled: Spoiled, tmp_path: Path, table: str, column: str
) -> None:
    """The first and the last row of each table are changed in turn."""
    kind = metadata.tables[table].columns[column].type.python_type
    order = ", ".join(f'"{each.name}"' for each in metadata.tables[table].primary_key.columns)
    with raw(spoiled.path) as connection:
        found = connection.execute(f'SELECT "{column}" FROM {table} ORDER BY {order}')  # noqa: S608
        before = [value for (value,) in found.fetchall()]
    for number in sorted({0, len(before) - 1}):
        copy = tmp_path / f"{number}.db"
        shutil.copy(spoiled.path, copy)
        finding = Spoiled(copy, spoiled.keys, spoiled.signer).finding(
            f'UPDATE {table} SET "{column}" = ? WHERE ({order}) ='  # noqa: S608
            f" (SELECT {order} FROM {table} ORDER BY {order} LIMIT 1 OFFSET {number})",
            values=(another(before[number], kind),),
        )
        assert finding is not None, f"row {number}"


def test_a_change_to_any_column_is_found_on_postgresql(
    server: Cluster, server_template: str, keys: StoreKeys, signer: NoteSigner
) -> None:
    """A superuser changes it past triggers and privileges; each is restored before the next."""
    place = server.place(server.create(template=server_template))
    store = open_store(place, keys, who="operator")
    for draft in some_drafts():
        build_recording(store).record_and_render(draft)
    again = a_draft()
    for _ in range(2):
        build_recording(store).record_and_render(again)
    sequence(store, signer)
    unfound = []
    with raw(place) as connection:
        connection.execute("SET session_replication_role = replica")
        for table, column in columns():
            key = metadata.tables[table].primary_key.columns
            order = ", ".join(f'"{each.name}"' for each in key)
            if column in key:
                continue  # rows move: the file's test has these
            found = connection.execute(
                f'SELECT "{column}", {order} FROM {table} ORDER BY {order} LIMIT 1'  # noqa: S608
            ).fetchone()
            changed = f'UPDATE {table} SET "{column}" = %s WHERE ({order}) = ({_marks(key)})'  # noqa: S608
            kind = metadata.tables[table].columns[column].type.python_type
            connection.execute(changed, (another(found[0], kind), *found[1:]))
            if check_ledger(store, signer).finding is None:
                unfound.append((table, column))
            connection.execute(changed, found)
    assert unfound == []
    assert check_ledger(store, signer).finding is None
    store.close()
    server.drop(place.url.split("/")[3].split("?")[0])


def _marks(key: Sequence[object]) -> str:
    return ", ".join(["%s"] * len(key))


@pytest.mark.parametrize("table", [table for table in PROVED if table != "checkpoint"])
def test_a_removed_row_is_found(spoiled: Spoiled, table: str) -> None:
    """Any row is found. Witnesses hold old checkpoints; the newest must be here."""
    assert spoiled.finding(f"DELETE FROM {table}") is not None  # noqa: S608


PLACED_30, PLACED_39 = (
    f"(SELECT disclosure_id FROM ledger_position WHERE position = {place})"  # noqa: S608
    for place in (30, 39)
)
WAITING = "(SELECT disclosure_id FROM ledger_queue)"
ANOTHERS = (
    "(SELECT sealed FROM disclosure AS other"
    " WHERE other.disclosure_id != disclosure.disclosure_id LIMIT 1)"
)
SHIFTED = "CAST(substr(hashes, 33) || substr(hashes, 1, 32) AS BLOB)"

TAMPERED: dict[str, tuple[tuple[str, ...], str, str]] = {
    "the newest checkpoint taken out": (
        ("DELETE FROM checkpoint WHERE size = 40",),
        "checkpoint",
        "not signed",
    ),
    "two leaves change places": (
        (
            "UPDATE ledger_position SET position = -9 WHERE position = 3",
            "UPDATE ledger_position SET position = 3 WHERE position = 4",
            "UPDATE ledger_position SET position = 4 WHERE position = -9",
        ),
        "checkpoint",
        "not that of the leaves",
    ),
    "a gap between places": (
        (
            "UPDATE ledger_position SET position = position + 100 WHERE position > 11",
            "UPDATE ledger_head SET size = 12",
        ),
        "checkpoint",
        "not signed",
    ),
    "a place before the first": (
        ("INSERT INTO ledger_position VALUES (x'ab', -1)",),
        "ledger_position",
        "below 0",
    ),
    "a place that is noted as lost, and has its leaf": (
        ("INSERT INTO ledger_lost VALUES (7, zeroblob(32), 0)",),
        "ledger_lost",
        "it has a leaf",
    ),
    "a loss beyond the end": (
        ("INSERT INTO ledger_lost VALUES (40, zeroblob(32), 0)",),
        "ledger_lost",
        "beyond",
    ),
    "a decision without its leaf": (
        (f"DELETE FROM ledger_leaf WHERE disclosure_id IN {WAITING}",),  # noqa: S608
        "disclosure",
        "without its leaf",
    ),
    "a decision and its leaf taken out": (
        (
            f"DELETE FROM disclosure WHERE disclosure_id = {PLACED_30}",  # noqa: S608
            f"DELETE FROM ledger_leaf WHERE disclosure_id = {PLACED_30}",  # noqa: S608
        ),
        "ledger_leaf",
        "is missing",
    ),
    "all of a decision taken out, the places closed up": (
        (
            f"DELETE FROM disclosure WHERE disclosure_id = {PLACED_39}",  # noqa: S608
            f"DELETE FROM ledger_leaf WHERE disclosure_id = {PLACED_39}",  # noqa: S608
            "DELETE FROM ledger_position WHERE position = 39",
            "UPDATE ledger_head SET size = 39",
            "DELETE FROM checkpoint WHERE size = 40",
        ),
        "checkpoint",
        "not signed",
    ),
    "a leaf that was not waited for": (
        ("DELETE FROM ledger_queue",),
        "ledger_queue",
        "does not wait",
    ),
    "a queue that holds what has its place": (
        ("INSERT INTO ledger_queue SELECT disclosure_id FROM ledger_position WHERE position = 1",),
        "ledger_queue",
        "already has an index",
    ),
    "two sealed parts change rows": (
        (f"UPDATE disclosure SET sealed = {ANOTHERS}",),  # noqa: S608
        "disclosure",
        "does not decrypt",
    ),
    "an attribute more than was released": (
        ("UPDATE disclosure SET released = '[\"address\"]' WHERE outcome = 'RELEASED'",),
        "disclosure",
        "released",
    ),
    "a refusal made a release": (
        ("UPDATE disclosure SET outcome = 'RELEASED' WHERE outcome = 'REFUSED'",),
        "disclosure",
        "outcome",
    ),
    "a decision moved to another recipient": (
        ("UPDATE disclosure SET recipient = 'COM/60000009'",),
        "disclosure",
        "recipient",
    ),
    "a request id opened again": (
        ("DELETE FROM request_key",),
        "request_key",
        "not there",
    ),
    "a request id of another recipient closed by this decision": (
        (
            (
                "INSERT INTO request_key"
                " SELECT 'COM/60000009', space, request_id, disclosure_id, answer, answer_until,"
                " decided_at FROM request_key LIMIT 1"
            ),
        ),
        "request_key",
        "no decision closed",
    ),
    "another request id closed by this decision": (
        (
            (
                "INSERT INTO request_key"
                " SELECT recipient, space, zeroblob(16), disclosure_id, NULL, NULL, decided_at"
                " FROM request_key LIMIT 1"
            ),
        ),
        "request_key",
        "no decision closed",
    ),
    "a request id of another space closed by this decision": (
        (
            (
                "INSERT INTO request_key"
                " SELECT recipient, 'CONSENT', request_id, disclosure_id, NULL, NULL, decided_at"
                " FROM request_key WHERE space = 'DISCLOSURE' LIMIT 1"
            ),
        ),
        "request_key",
        "no decision closed",
    ),
    "a request id closed by a repetition": (
        (
            (
                "INSERT INTO request_key"
                " SELECT recipient, space, zeroblob(16), repetition_id, NULL, NULL, decided_at"
                " FROM repetition LIMIT 1"
            ),
        ),
        "request_key",
        "no decision closed",
    ),
    "a tile of the tree that another made": (
        (f"UPDATE ledger_tile SET hashes = {SHIFTED}",),  # noqa: S608
        "ledger_tile",
        "not that of the leaves",
    ),
}


@pytest.mark.parametrize(("statements", "where", "what"), TAMPERED.values(), ids=TAMPERED)
def test_a_tampered_record_is_named(
    spoiled: Spoiled, statements: tuple[str, ...], where: str, what: str
) -> None:
    """A superuser changes one thing and leaves the rest."""
    finding = spoiled.finding(*statements)

    assert finding is not None
    assert (finding.where, what in finding.what) == (where, True), finding


def test_a_rewritten_ledger_is_found_by_its_signature(
    spoiled: Spoiled, keys: StoreKeys, tmp_path: Path
) -> None:
    """The whole ledger is recomputed to the last tile, with another key."""
    store = open_store(spoiled.path, keys, who="operator")
    stranger = a_note_signer(tmp_path)
    build_recording(store).record_and_render(some_drafts()[0])
    sequence(store, stranger)
    finding = check_ledger(store, spoiled.signer).finding
    store.close()

    assert finding is not None
    assert (finding.where, finding.record) == ("checkpoint", "54")
    assert "signature" in finding.what


def test_a_witness_whose_line_was_changed_is_found(
    store: Store, signer: NoteSigner, path: Path, tmp_path: Path
) -> None:
    """The witness must be one of the settings; nobody here can judge other lines."""
    new_key_file(tmp_path / "w.key", "witness.example", COSIGNATURE_V1)
    witness = Cosigner.load(tmp_path / "w.key")
    known = {"w": CosignatureVerifier(key=witness.key)}
    sequence(store, signer)
    latest = store.ledger.latest()
    assert latest is not None
    line = witness.cosign(latest.note, at=NOON).splitlines()[-1].decode()
    store.ledger.keep_cosignatures(latest.size, {"w": line}, at=NOON)
    assert check_ledger(store, signer, witnesses=known).finding is None
    with raw(path) as connection:
        sql = "SELECT sql FROM sqlite_master WHERE name = 'cosignature_no_update'"
        (trigger,) = connection.execute(sql).fetchone()
        connection.execute("DROP TRIGGER cosignature_no_update")
        connection.execute("UPDATE cosignature SET line = replace(line, 'A', 'B')")
        connection.execute(trigger)

    finding = check_ledger(store, signer, witnesses=known).finding

    assert finding is not None
    assert (finding.where, finding.record) == ("cosignature", "10 w")
    assert check_ledger(store, signer).finding is None


def test_the_first_inconsistency_is_named(spoiled: Spoiled) -> None:
    """The first is found by its index, for any number of findings."""
    with raw(spoiled.path) as connection:
        ids = connection.execute("SELECT hex(disclosure_id), position FROM ledger_position")
        by_place = {position: identifier.lower() for identifier, position in ids}
    finding = spoiled.finding(
        "UPDATE disclosure SET purpose = 'LOAN' WHERE disclosure_id IN"
        " (SELECT disclosure_id FROM ledger_position WHERE position IN (33, 27, 38))"
    )

    assert finding is not None
    assert finding.record.replace("-", "") == by_place[27]
    assert finding.what == "purpose is not what the leaf commits to"


def test_a_leaf_of_an_unknown_statement_is_found(store: Store, tmp_path: Path) -> None:
    """It was recorded past the use cases, and its leaf does not commit to the row."""
    store.recorder.record(a_release())

    finding = check_ledger(store, a_note_signer(tmp_path)).finding

    assert finding is not None
    assert finding.where == "disclosure"


@pytest.mark.parametrize("page", [1, 3, 7])
def test_the_report_does_not_depend_on_the_page_size(
    store: Store, signer: NoteSigner, monkeypatch: pytest.MonkeyPatch, page: int
) -> None:
    """Pages end within trees, tiles and waiting leaves: every record is checked, once."""
    for _ in range(3):
        for draft in some_drafts():
            build_recording(store).record_and_render(draft)
    sequence(store, signer)
    whole = check_ledger(store, signer)
    monkeypatch.setattr("makul.store.log.verify.PAGE", page)

    assert check_ledger(store, signer) == whole
    assert whole.finding is None
    assert whole.checked == 40


def test_the_ledger_continues_during_the_check(
    store: Store, signer: NoteSigner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Records and sequencing during the check are no finding."""
    office = build_recording(store)
    for draft in some_drafts():
        office.record_and_render(draft)
    sequence(store, signer)
    progress: list[int] = []

    def tell(done: int, _of: int) -> None:
        progress.append(done)
        if len(progress) < 3:
            for draft in some_drafts():
                office.record_and_render(draft)
            sequence(store, signer)
            office.record_and_render(some_drafts()[3])

    question = LedgerVerificationOptions(
        origin=ORIGIN,
        checker=NoteVerifier(key=signer.key),
        max_merge_delay=DELAY,
        witnesses={},
        lost=0,
        at=NOON,
    )
    report = store.check_ledger(question, tell)

    assert report.finding is None
    assert report.size == 20
    assert report.checked > 30
