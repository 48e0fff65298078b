"""Every encrypted field of a copy is decrypted: a lost key or an altered field is found."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from makul.store import StoreKeys, open_store
from makul.store.admin.rewrap import SEALED_COLUMNS, EncryptedColumn
from makul.store.backup.errors import BackupError
from makul.store.backup.field_check import BOUND_BY_KEY, verify_fields
from makul.store.db.base import Database
from makul.store.encryption.fields import FieldCipher
from makul.store.open import database_at
from makul_testing.builders.full_store import fill
from makul_testing.raw_sql import without_guards

FILLED = {
    *("act", "desk_document", "desk_log", "disclosure", "evidence", "ground_use", "notification"),
    *("official", "person", "request_key", "request_message", "signatory", "store_identity"),
}
"""Tables with encrypted fields in a full store; each of the others is bound in the same way."""


@pytest.fixture(scope="module")
def full(template: Path, keys: StoreKeys, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("full") / "makul.db"
    path.write_bytes(template.read_bytes())
    store = open_store(path, keys, who="operator")
    fill(store)
    store.close()
    return path


@pytest.fixture
def database(full: Path, tmp_path: Path) -> Iterator[Database]:
    copy = tmp_path / "makul.db"
    copy.write_bytes(full.read_bytes())
    with closing(database_at(copy)) as opened:
        yield opened


def test_every_field_of_a_full_store_decrypts(database: Database, keys: StoreKeys) -> None:
    seen: list[tuple[int, int]] = []

    number = verify_fields(database, FieldCipher(keys), lambda *done: seen.append(done))

    assert seen[-1] == (number, number)
    assert number > len(FILLED)


def test_columns_that_are_decrypted_exist() -> None:
    assert {each.name for each in SEALED_COLUMNS} >= BOUND_BY_KEY


def test_other_keys_are_found(database: Database, keys: StoreKeys) -> None:
    others = StoreKeys(
        current_id=keys.current_id, masters={keys.current_id: bytes(32)}, index=keys.index
    )

    with pytest.raises(BackupError, match="do not decrypt"):
        verify_fields(database, FieldCipher(others), lambda *_: None)


@pytest.mark.parametrize(
    "column",
    [each for each in SEALED_COLUMNS if each.table.name in FILLED],
    ids=lambda each: each.name,
)
def test_an_altered_field_is_found(
    column: EncryptedColumn, full: Path, tmp_path: Path, keys: StoreKeys
) -> None:
    path = tmp_path / "makul.db"
    path.write_bytes(full.read_bytes())
    table, name = column.table.name, column.column.name
    with without_guards(path, table) as connection:
        connection.execute(
            f"UPDATE {table} SET {name} = CAST({name} || x'00' AS BLOB)"  # noqa: S608 -- names of the schema
        )

    with (
        closing(database_at(path)) as database,
        pytest.raises(BackupError, match=column.name.replace(".", r"\.")),
    ):
        verify_fields(database, FieldCipher(keys), lambda *_: None)
