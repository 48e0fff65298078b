"""The replacement of the key file leaves one whole file or the other, at any kill."""

import os
import signal
from collections.abc import Callable
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from makul.store import StoreKeys, StoreKeysError
from makul.store.encryption.fields import FieldCipher
from makul.store.encryption.key_file import KeyFile

FORK = get_context("fork")

CALLS = ("open", "fsync", "link", "replace", "rename", "unlink")
"""The file system calls of a replacement, by the functions of `os`."""

CALLS_MADE = 18
"""The number of these calls in a preparation; after one more it is killed at its end."""


@pytest.fixture
def path(tmp_path: Path, keys: StoreKeys) -> Path:
    path = tmp_path / "store.json"
    keys.save(path)
    return path


@pytest.fixture
def file(path: Path) -> KeyFile:
    return KeyFile(path)


def change(file: KeyFile, step: Callable[[StoreKeys], StoreKeys], former_id: str) -> StoreKeys:
    with file.lock():
        key_ring = step(file.load())
        file.replace(key_ring, former_id=former_id)
    return key_ring


def test_a_changed_ring_replaces_the_file_and_the_old_is_kept(
    file: KeyFile, path: Path, keys: StoreKeys
) -> None:
    """Only the owner can read both, and no other file is left."""
    before = path.stat().st_ino

    key_ring = change(file, StoreKeys.prepared, keys.current_id)

    old_file = file.kept_path(keys.current_id)
    assert file.load() == key_ring
    assert StoreKeys.load(old_file) == keys
    assert old_file.stat().st_ino == before
    assert old_file.name == f"store.json.{keys.current_id}"
    for each in (path, old_file):
        assert each.stat().st_mode & 0o777 == 0o600
    assert {each.name for each in path.parent.iterdir()} == {
        "store.json",
        "store.json.lock",
        old_file.name,
    }


def test_a_kept_file_decrypts_everything_that_needs_its_key(file: KeyFile, keys: StoreKeys) -> None:
    """A backup from the middle of a rotation has fields under both keys."""
    prepared = change(file, StoreKeys.prepared, keys.current_id)
    activated = change(file, StoreKeys.activated, keys.current_id)
    assert StoreKeys.load(file.kept_path(keys.current_id)) == prepared

    left = change(file, lambda key_ring: key_ring.without(keys.current_id), keys.current_id)

    assert set(left.masters) == {activated.current_id}
    old_file = StoreKeys.load(file.kept_path(keys.current_id))
    assert set(old_file.masters) == {keys.current_id, activated.current_id}


def test_a_kept_file_never_loses_a_key(file: KeyFile, keys: StoreKeys) -> None:
    """The name holds other keys, perhaps their only copy."""
    StoreKeys.generate().save(file.kept_path(keys.current_id))

    with pytest.raises(StoreKeysError, match="move it away"):
        change(file, StoreKeys.prepared, keys.current_id)
    assert file.load() == keys


def test_two_former_keys_are_retired_one_after_the_other(file: KeyFile, keys: StoreKeys) -> None:
    """The file that is kept under the second holds the first as well, and is unchanged."""
    first = keys.current_id
    for _ in range(2):
        change(file, StoreKeys.prepared, file.load().current_id)
        key_ring = change(file, StoreKeys.activated, file.load().current_id)
    second = next(key for key in key_ring.masters if key not in {first, key_ring.current_id})
    for gone in (first, second):
        change(file, lambda key_ring, gone=gone: key_ring.without(gone), gone)

    assert set(file.load().masters) == {key_ring.current_id}
    for gone in (first, second):
        assert set(StoreKeys.load(file.kept_path(gone)).masters) == {
            first,
            second,
            key_ring.current_id,
        }


def test_the_index_key_stays(file: KeyFile, keys: StoreKeys) -> None:
    """No person would be found under another."""
    other = StoreKeys(
        current_id=keys.current_id, masters=keys.masters, index=StoreKeys.generate().index
    )

    with pytest.raises(StoreKeysError, match="index"):
        change(file, lambda _: other, keys.current_id)
    assert file.load() == keys


def test_a_process_with_the_former_key_file_is_seen(file: KeyFile, keys: StoreKeys) -> None:
    """The process is seen as long as its sealer lives, and not a moment longer."""
    cipher = FieldCipher(file.load())
    change(file, StoreKeys.prepared, keys.current_id)
    assert file.still_used(keys.current_id)
    del cipher
    assert not file.still_used(keys.current_id)

    newer = FieldCipher(file.load())
    assert not file.still_used(keys.current_id)
    change(file, StoreKeys.activated, keys.current_id)
    assert file.still_used(keys.current_id)
    del newer
    assert not file.still_used(keys.current_id)


def test_a_dead_process_uses_no_key_file(file: KeyFile, path: Path, keys: StoreKeys) -> None:
    """The system releases its lock after any death."""
    ready, go = FORK.Pipe(duplex=False)

    def hold() -> None:
        cipher = FieldCipher(StoreKeys.load(path))
        go.send(repr(cipher))
        signal.pause()

    worker = FORK.Process(target=hold)
    worker.start()
    ready.recv()
    change(file, StoreKeys.prepared, keys.current_id)
    assert file.still_used(keys.current_id)

    worker.kill()
    worker.join()

    assert not file.still_used(keys.current_id)


def test_a_missing_kept_file_is_undetermined(file: KeyFile, keys: StoreKeys) -> None:
    """The command does not guess."""
    change(file, StoreKeys.prepared, keys.current_id)
    file.kept_path(keys.current_id).unlink()

    with pytest.raises(StoreKeysError, match="it is unknown"):
        file.still_used(keys.current_id)


def test_two_commands_do_not_change_the_ring_at_once(file: KeyFile, path: Path) -> None:
    """The second one gets an error, and does not wait."""
    with (
        file.lock(),
        pytest.raises(StoreKeysError, match="another command"),
        KeyFile(path).lock(),
    ):
        pytest.fail("both were let in")
    with KeyFile(path).lock():
        pass


def test_a_file_that_cannot_be_written_stays(
    file: KeyFile, keys: StoreKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk or read-only mount leaves the file unchanged, and no other file."""

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(StoreKeysError, match="No space"):
        change(file, StoreKeys.prepared, keys.current_id)

    assert file.load() == keys
    assert not list(file.kept_path("x").parent.glob("*.new"))


def test_a_change_survives_a_power_failure(
    file: KeyFile, path: Path, keys: StoreKeys, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The new bytes are on the disk before their name, and the copy's name before that."""
    done: list[tuple[str, str]] = []
    sync, rename = os.fsync, os.replace

    def fsync(descriptor: int) -> None:
        done.append(("sync", Path(f"/proc/self/fd/{descriptor}").readlink().name))
        sync(descriptor)

    def replace(source: Path, target: Path) -> None:
        done.append(("rename", Path(target).name))
        rename(source, target)

    monkeypatch.setattr("os.fsync", fsync)
    monkeypatch.setattr("os.replace", replace)
    change(file, StoreKeys.prepared, keys.current_id)

    assert done == [
        ("sync", "store.json.new"),
        ("sync", path.parent.name),
        ("rename", f"store.json.{keys.current_id}"),
        ("sync", path.parent.name),
        ("rename", "store.json"),
        ("sync", path.parent.name),
    ]


def change_and_die(path: Path, after: int) -> None:
    """Prepare in a child that is killed at its nth call to the file system."""
    left = after

    def counted(original: Any) -> Any:
        def call(*arguments: Any, **named: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return original(*arguments, **named)

        return call

    def child() -> None:
        for name in CALLS:
            setattr(os, name, counted(getattr(os, name)))
        change(KeyFile(path), StoreKeys.prepared, StoreKeys.load(path).current_id)
        os.kill(os.getpid(), signal.SIGKILL)

    worker = FORK.Process(target=child)
    worker.start()
    worker.join()
    assert worker.exitcode == -signal.SIGKILL


def test_a_kill_at_any_call_leaves_one_whole_file(path: Path, keys: StoreKeys) -> None:
    """Either the step can then be repeated, or the next one can be taken."""
    file, changed = KeyFile(path), []
    for after in range(1, CALLS_MADE + 2):
        for left in path.parent.iterdir():
            left.unlink()
        keys.save(path)

        change_and_die(path, after)

        key_ring = file.load()
        changed.append(key_ring != keys)
        assert key_ring.masters.items() >= keys.masters.items()
        assert (key_ring.current_id, key_ring.index) == (keys.current_id, keys.index)
        if key_ring.next_id is None:
            key_ring = change(file, StoreKeys.prepared, keys.current_id)
        assert not file.still_used(keys.current_id)
        assert change(file, StoreKeys.activated, keys.current_id).current_id == key_ring.next_id
        assert not [each for each in path.parent.iterdir() if each.suffix in {".new", ".was"}]
    assert changed == sorted(changed)
    assert changed[0] < changed[CALLS_MADE - 1] == changed[-1]
