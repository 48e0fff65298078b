"""The steps of a rotation: in their order, on the record, and none that would lose anything."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest

from makul.app.ports import DeskError, KeyRotation
from makul.store import Store, StoreKeys, open_store
from makul.store.db.location import DatabaseLocation
from makul.store.encryption.key_file import KeyFile
from makul_testing.builders.records import AZAMAT, NOON, a_person, whole
from makul_testing.raw_sql import everything, raw

LATER = NOON + timedelta(hours=1)


@pytest.fixture
def ring(tmp_path: Path, keys: StoreKeys) -> Path:
    path = tmp_path / "store.json"
    keys.save(path)
    return path


@contextmanager
def opened(place: DatabaseLocation, ring: Path) -> Iterator[Store]:
    """The store by the ring as it stands, as one command opens it."""
    store = open_store(place, StoreKeys.load(ring), who="keeper")
    try:
        yield store
    finally:
        store.close()


@contextmanager
def rotating(place: DatabaseLocation, ring: Path) -> Iterator[KeyRotation]:
    with opened(place, ring) as store:
        yield store.rotation(ring)


def prepare(place: DatabaseLocation, ring: Path) -> str:
    with rotating(place, ring) as rotation:
        return rotation.prepare(at=NOON)


def activate(place: DatabaseLocation, ring: Path) -> str:
    with rotating(place, ring) as rotation:
        return rotation.activate(at=NOON)


def rewrap(place: DatabaseLocation, ring: Path) -> int:
    with rotating(place, ring) as rotation:
        return sum(batch.fields for batch in rotation.rewrap(lambda: LATER))


def log(place: DatabaseLocation) -> list[tuple[str, str, str]]:
    """Who did what to which key."""
    with raw(place) as connection:
        query = "SELECT who, action, target FROM desk_log WHERE action LIKE 'key.%'"
        return sorted(connection.execute(query).fetchall())


def test_a_whole_rotation(place: DatabaseLocation, ring: Path, keys: StoreKeys) -> None:
    """Prepared, activated, wrapped anew, retired: one key is left, and everything opens."""
    former = keys.current_id
    following = prepare(place, ring)
    with rotating(place, ring) as rotation:
        assert rotation.ring().following == following
        assert rotation.ring().current == former
        assert {each.key_id for each in rotation.count()} == {former}

    assert activate(place, ring) == following
    with rotating(place, ring) as rotation:
        assert rotation.ring().former == (former,)
    assert rewrap(place, ring) > 0
    with rotating(place, ring) as rotation:
        assert {each.key_id for each in rotation.count()} == {following}
        retired = rotation.retire(former, at=LATER)

    assert StoreKeys.load(ring).masters.keys() == {following}
    assert retired.kept == ring.with_name(f"store.json.{former}")
    assert retired.needed_by_backups_before == LATER
    with opened(place, ring) as store:
        assert whole(store.register, AZAMAT) == a_person(version=1)


def test_every_step_is_on_the_record(place: DatabaseLocation, ring: Path, keys: StoreKeys) -> None:
    """Who, what, and of which key; the end of wrapping anew as well as its beginning."""
    former, following = keys.current_id, prepare(place, ring)
    activate(place, ring)
    rewrap(place, ring)
    with rotating(place, ring) as rotation:
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
    path: Path, ring: Path, keys: StoreKeys
) -> None:
    """The record comes first: with it away, the file of keys stays as it is."""
    with rotating(path, ring) as rotation:
        path.rename(path.with_name("away.db"))
        with pytest.raises(Exception, match="store"):
            rotation.prepare(at=NOON)

    assert StoreKeys.load(ring) == keys
    assert not KeyFile(ring).kept(keys.current_id).exists()


def test_a_backup_of_before_opens_with_what_was_kept(
    path: Path, ring: Path, keys: StoreKeys, tmp_path: Path
) -> None:
    """One from the middle too: with fields under both keys."""
    prepare(path, ring)
    activate(path, ring)
    backup = tmp_path / "backup.db"
    with opened(path, ring) as store:
        store.desk.put_persons([a_person(locked=True)], at=NOON)
    with raw(path) as connection:
        connection.execute("VACUUM INTO ?", (str(backup),))
    rewrap(path, ring)
    with rotating(path, ring) as rotation:
        kept = rotation.retire(keys.current_id, at=LATER).kept

    with pytest.raises(Exception, match="open"):
        open_store(backup, StoreKeys.load(ring), who="keeper")
    store = open_store(backup, StoreKeys.load(kept), who="keeper")
    assert whole(store.register, AZAMAT) == a_person(locked=True, version=2)
    store.close()


# --- the wrong order --------------------------------------------------------------------------


def refused(place: DatabaseLocation, ring: Path, step: str, match: str, *arguments: str) -> None:
    """The step is refused, and changes neither file nor store."""
    before, file = everything(place), ring.read_bytes()
    with rotating(place, ring) as rotation, pytest.raises(DeskError, match=match):
        getattr(rotation, step)(*arguments, at=NOON)
    assert everything(place) == before
    assert ring.read_bytes() == file


def test_a_second_key_is_not_prepared(place: DatabaseLocation, ring: Path) -> None:
    """One at a time."""
    following = prepare(place, ring)
    refused(place, ring, "prepare", f"{following} is prepared already")


def test_nothing_is_activated_that_was_not_prepared(place: DatabaseLocation, ring: Path) -> None:
    """Nobody could open what is sealed with it."""
    refused(place, ring, "activate", "no key is prepared")


def test_a_key_is_not_activated_that_somebody_does_not_know(
    place: DatabaseLocation, ring: Path
) -> None:
    """A worker that was not reloaded could not open what others seal."""
    with opened(place, ring):
        prepare(place, ring)
        refused(place, ring, "activate", "reload every worker")

    with opened(place, ring):  # reloaded: it knows the key
        activate(place, ring)


def test_a_key_is_not_activated_where_it_cannot_be_told(
    place: DatabaseLocation, ring: Path, keys: StoreKeys
) -> None:
    """The kept file, by which it is told, was taken away."""
    prepare(place, ring)
    KeyFile(ring).kept(keys.current_id).unlink()

    refused(place, ring, "activate", "cannot be told")


def test_a_key_that_fields_are_sealed_under_is_not_retired(
    place: DatabaseLocation, ring: Path, keys: StoreKeys
) -> None:
    """They would never open again."""
    prepare(place, ring)
    activate(place, ring)

    refused(place, ring, "retire", "fields are sealed under it", keys.current_id)


def test_a_key_that_somebody_may_still_seal_with_is_not_retired(
    place: DatabaseLocation, ring: Path, keys: StoreKeys
) -> None:
    """Though nothing is sealed under it now: its next record would be lost."""
    prepare(place, ring)
    with opened(place, ring) as late:
        activate(place, ring)
        rewrap(place, ring)
        refused(place, ring, "retire", "reload every worker", keys.current_id)
        with rotating(place, ring) as rotation:
            assert rotation.lingering() == [keys.current_id]
        late.desk.put_persons([a_person(locked=True)], at=NOON)
    del late

    refused(place, ring, "retire", "2 fields are sealed", keys.current_id)
    assert rewrap(place, ring) == 2
    with rotating(place, ring) as rotation:
        assert rotation.lingering() == []
        rotation.retire(keys.current_id, at=LATER)


class PowerCutError(BaseException):
    """Nobody catches it."""


@pytest.mark.parametrize("step", ["activate", "retire"])
def test_a_step_that_was_cut_off_can_be_taken(
    place: DatabaseLocation, ring: Path, keys: StoreKeys, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the ring is kept under the former key's name already, and not yet replaced: then the
    file in place is the kept one, and who works with it works with no ring of before.
    """
    prepare(place, ring)
    if step == "retire":
        activate(place, ring)
        rewrap(place, ring)
    replaced = Path.replace

    def cut_off(self: Path, target: Path) -> Path:
        if target == ring:
            raise PowerCutError
        return replaced(self, target)

    def take() -> None:
        with rotating(place, ring) as rotation:
            if step == "activate":
                rotation.activate(at=NOON)
            else:
                rotation.retire(keys.current_id, at=NOON)

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", cut_off)
        with pytest.raises(PowerCutError):
            take()
    before = ring.read_bytes()

    take()

    assert ring.read_bytes() != before


def test_only_a_former_key_is_retired(place: DatabaseLocation, ring: Path) -> None:
    """Neither the one in use, nor the next, nor one that is not there."""
    following = prepare(place, ring)
    for key_id in (StoreKeys.load(ring).current_id, following, "00000000", "../x"):
        refused(place, ring, "retire", "not a former key", key_id)


def test_a_command_that_began_before_the_ring_changed_does_nothing(
    place: DatabaseLocation, ring: Path
) -> None:
    """What it records would come under a key that others take for former."""
    prepare(place, ring)
    with rotating(place, ring) as slow:
        activate(place, ring)
        for step in (
            lambda: slow.prepare(at=NOON),
            lambda: slow.activate(at=NOON),
            lambda: list(slow.rewrap(lambda: NOON)),
        ):
            with pytest.raises(DeskError, match="a moment ago"):
                step()


def test_a_file_of_keys_that_cannot_be_read_is_told(place: DatabaseLocation, ring: Path) -> None:
    """As something to mend, not as a fault of the store."""
    with rotating(place, ring) as rotation:
        ring.chmod(0o644)
        with pytest.raises(DeskError, match="chmod 600"):
            rotation.prepare(at=NOON)
