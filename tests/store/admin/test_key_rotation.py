"""The steps of a rotation come in order, are recorded, and lose nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from makul.app.ports import KeyRotation, OperatorRegistryError
from makul.store import Store, StoreKeys, open_store
from makul.store.db.location import DatabaseLocation
from makul.store.encryption.key_file import KeyFile
from makul_testing.builders.records import AZAMAT, NOON, a_person, whole
from makul_testing.raw_sql import raw, read_all_rows

LATER = NOON + timedelta(hours=1)


@pytest.fixture
def key_file(tmp_path: Path, keys: StoreKeys) -> Path:
    path = tmp_path / "store.json"
    keys.save(path)
    return path


@contextmanager
def open_with_keys(place: DatabaseLocation, key_file: Path) -> Iterator[Store]:
    """Open the store with the present key file, like one command."""
    store = open_store(place, StoreKeys.load(key_file), who="keeper")
    try:
        yield store
    finally:
        store.close()


@contextmanager
def open_rotation(place: DatabaseLocation, key_file: Path) -> Iterator[KeyRotation]:
    with open_with_keys(place, key_file) as store:
        yield store.rotation(key_file)


def prepare(place: DatabaseLocation, key_file: Path) -> str:
    with open_rotation(place, key_file) as rotation:
        return rotation.prepare(at=NOON)


def activate(place: DatabaseLocation, key_file: Path) -> str:
    with open_rotation(place, key_file) as rotation:
        return rotation.activate(at=NOON)


def rewrap(place: DatabaseLocation, key_file: Path) -> int:
    with open_rotation(place, key_file) as rotation:
        return sum(batch.fields for batch in rotation.rewrap(lambda: LATER))


def log(place: DatabaseLocation) -> list[tuple[str, str, str]]:
    """Return the log: who did what to which key."""
    with raw(place) as connection:
        query = "SELECT who, action, target FROM desk_log WHERE action LIKE 'key.%'"
        return sorted(connection.execute(query).fetchall())


def test_a_whole_rotation_leaves_one_key(
    place: DatabaseLocation, key_file: Path, keys: StoreKeys
) -> None:
    """One key is left after prepare, activate, wrap and retire, and it decrypts everything."""
    former = keys.current_id
    following = prepare(place, key_file)
    with open_rotation(place, key_file) as rotation:
        assert rotation.key_ring().following == following
        assert rotation.key_ring().current == former
        assert {each.key_id for each in rotation.count()} == {former}

    assert activate(place, key_file) == following
    with open_rotation(place, key_file) as rotation:
        assert rotation.key_ring().former == (former,)
    assert rewrap(place, key_file) > 0
    with open_rotation(place, key_file) as rotation:
        assert {each.key_id for each in rotation.count()} == {following}
        retired = rotation.retire(former, at=LATER)

    assert StoreKeys.load(key_file).masters.keys() == {following}
    assert retired.kept == key_file.with_name(f"store.json.{former}")
    assert retired.needed_by_backups_before == LATER
    with open_with_keys(place, key_file) as store:
        assert whole(store.register, AZAMAT) == a_person(version=1)


def test_every_step_is_recorded(place: DatabaseLocation, key_file: Path, keys: StoreKeys) -> None:
    """The log has who, what and which key, for the beginning and the end of wrapping."""
    former, following = keys.current_id, prepare(place, key_file)
    activate(place, key_file)
    rewrap(place, key_file)
    with open_rotation(place, key_file) as rotation:
        rotation.retire(former, at=LATER)

    assert log(place) == sorted(
        [
            ("keeper", "key.prepare", following),
            ("keeper", "key.activate", following),
            ("keeper", "key.rewrap", following),
            ("keeper", "key.rewrapped", following),
            ("keeper", "key.retire", former),
        ]
    )


def test_a_step_that_cannot_be_recorded_is_not_taken(
    path: Path, key_file: Path, keys: StoreKeys
) -> None:
    """If it cannot be recorded, the key file does not change."""
    with open_rotation(path, key_file) as rotation:
        path.rename(path.with_name("away.db"))
        with pytest.raises(Exception, match="store"):
            rotation.prepare(at=NOON)

    assert StoreKeys.load(key_file) == keys
    assert not KeyFile(key_file).kept_path(keys.current_id).exists()


def test_a_backup_of_before_is_decrypted_by_the_kept_file(
    path: Path, key_file: Path, keys: StoreKeys, tmp_path: Path
) -> None:
    """A backup from the middle has fields under both keys, and can be decrypted too."""
    prepare(path, key_file)
    activate(path, key_file)
    backup = tmp_path / "backup.db"
    with open_with_keys(path, key_file) as store:
        store.registry.put_persons([a_person(locked=True)], at=NOON)
    with raw(path) as connection:
        connection.execute("VACUUM INTO ?", (str(backup),))
    rewrap(path, key_file)
    with open_rotation(path, key_file) as rotation:
        old_file = rotation.retire(keys.current_id, at=LATER).kept

    with pytest.raises(Exception, match="decrypt"):
        open_store(backup, StoreKeys.load(key_file), who="keeper")
    store = open_store(backup, StoreKeys.load(old_file), who="keeper")
    assert whole(store.register, AZAMAT) == a_person(locked=True, version=2)
    store.close()


# --- the wrong order --------------------------------------------------------------------------


def assert_refused(
    place: DatabaseLocation, key_file: Path, step: str, match: str, *arguments: str
) -> None:
    """Assert that the step is refused, and changes neither file nor store."""
    before, file = read_all_rows(place), key_file.read_bytes()
    with (
        open_rotation(place, key_file) as rotation,
        pytest.raises(OperatorRegistryError, match=match),
    ):
        getattr(rotation, step)(*arguments, at=NOON)
    assert read_all_rows(place) == before
    assert key_file.read_bytes() == file


def test_a_second_key_is_not_prepared(place: DatabaseLocation, key_file: Path) -> None:
    """There is only one next key."""
    following = prepare(place, key_file)
    assert_refused(place, key_file, "prepare", f"{following} is prepared already")


def test_an_unprepared_key_is_not_activated(place: DatabaseLocation, key_file: Path) -> None:
    """No process could decrypt what is encrypted with it."""
    assert_refused(place, key_file, "activate", "no key is prepared")


def test_a_key_is_not_activated_while_a_worker_lacks_it(
    place: DatabaseLocation, key_file: Path
) -> None:
    """A worker that was not reloaded could not decrypt what others encrypt."""
    with open_with_keys(place, key_file):
        prepare(place, key_file)
        assert_refused(place, key_file, "activate", "reload every worker")

    with open_with_keys(place, key_file):  # reloaded: it knows the key
        activate(place, key_file)


def test_a_key_is_not_activated_without_the_kept_file(
    place: DatabaseLocation, key_file: Path, keys: StoreKeys
) -> None:
    """The kept file that shows it is missing."""
    prepare(place, key_file)
    KeyFile(key_file).kept_path(keys.current_id).unlink()

    assert_refused(place, key_file, "activate", "it is unknown")


def test_a_key_with_encrypted_fields_is_not_retired(
    place: DatabaseLocation, key_file: Path, keys: StoreKeys
) -> None:
    """They could never be decrypted again."""
    prepare(place, key_file)
    activate(place, key_file)

    assert_refused(place, key_file, "retire", "fields are encrypted under it", keys.current_id)


def test_a_key_that_a_worker_may_use_is_not_retired(
    place: DatabaseLocation, key_file: Path, keys: StoreKeys
) -> None:
    """No field is encrypted under it now, but the worker's next record would be lost."""
    prepare(place, key_file)
    with open_with_keys(place, key_file) as late:
        activate(place, key_file)
        rewrap(place, key_file)
        assert_refused(place, key_file, "retire", "reload every worker", keys.current_id)
        with open_rotation(place, key_file) as rotation:
            assert rotation.lingering() == [keys.current_id]
        late.registry.put_persons([a_person(locked=True)], at=NOON)
    del late

    assert_refused(place, key_file, "retire", "2 fields are encrypted", keys.current_id)
    assert rewrap(place, key_file) == 2
    with open_rotation(place, key_file) as rotation:
        assert rotation.lingering() == []
        rotation.retire(keys.current_id, at=LATER)


class PowerCutError(BaseException):
    """A simulated power failure, which no code catches."""


@pytest.mark.parametrize("step", ["activate", "retire"])
def test_an_interrupted_step_can_be_repeated(
    place: DatabaseLocation,
    key_file: Path,
    keys: StoreKeys,
    step: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """An interrupted step can be repeated.

    The key file may already be kept under the former key's name, but not replaced. Then the present
    file is the kept one, and no process works with an earlier file.
    """
    prepare(place, key_file)
    if step == "retire":
        activate(place, key_file)
        rewrap(place, key_file)
    replaced = Path.replace

    def cut_off(self: Path, target: Path) -> Path:
        if target == key_file:
            raise PowerCutError
        return replaced(self, target)

    def take() -> None:
        with open_rotation(place, key_file) as rotation:
            if step == "activate":
                rotation.activate(at=NOON)
            else:
                rotation.retire(keys.current_id, at=NOON)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", cut_off)
        with pytest.raises(PowerCutError):
            take()
    before = key_file.read_bytes()

    take()

    assert key_file.read_bytes() != before


def test_only_a_former_key_is_retired(place: DatabaseLocation, key_file: Path) -> None:
    """The key in use, the next key and an unknown key cannot be retired."""
    following = prepare(place, key_file)
    for key_id in (StoreKeys.load(key_file).current_id, following, "00000000", "../x"):
        assert_refused(place, key_file, "retire", "not a former key", key_id)


def test_a_command_that_began_before_the_ring_changed_does_nothing(
    place: DatabaseLocation, key_file: Path
) -> None:
    """Its records would be under a key that other processes treat as former."""
    prepare(place, key_file)
    with open_rotation(place, key_file) as slow:
        activate(place, key_file)
        for step in (
            lambda: slow.prepare(at=NOON),
            lambda: slow.activate(at=NOON),
            lambda: list(slow.rewrap(lambda: NOON)),
        ):
            with pytest.raises(OperatorRegistryError, match="a moment ago"):
                step()


def test_an_unreadable_key_file_is_reported(place: DatabaseLocation, key_file: Path) -> None:
    """The message says what to correct, and does not report a fault of the store."""
    with open_rotation(place, key_file) as rotation:
        key_file.chmod(0o644)
        with pytest.raises(OperatorRegistryError, match="chmod 600"):
            rotation.prepare(at=NOON)
