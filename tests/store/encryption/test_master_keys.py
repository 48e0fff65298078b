"""The key file of the store is private, whole, and never overwritten."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from makul.store import StoreKeys, StoreKeysError


@pytest.fixture
def file(tmp_path: Path, keys: StoreKeys) -> Path:
    path = tmp_path / "store.keys"
    keys.save(path)
    return path


def test_keys_are_read_as_they_were_written(file: Path, keys: StoreKeys) -> None:
    """Ids, keys, the current one and the next one are read back, also during a rotation."""
    assert StoreKeys.load(file) == keys
    prepared = keys.prepared()
    for key_ring in (prepared, prepared.activated(), prepared.activated().without(keys.current_id)):
        key_ring.save(file.with_name(f"{len(list(file.parent.iterdir()))}.keys"))

    read = [StoreKeys.load(file.with_name(f"{number}.keys")) for number in (1, 2, 3)]

    assert read == [prepared, prepared.activated(), read[2]]
    assert (read[0].current_id, read[0].next_id) == (keys.current_id, prepared.next_id)
    assert (read[1].current_id, read[1].next_id) == (prepared.next_id, None)
    assert read[1].masters[keys.current_id] == keys.masters[keys.current_id]
    assert set(read[2].masters) == {prepared.next_id}
    assert {each.index for each in read} == {keys.index}


def test_steps_out_of_order_are_an_internal_error(keys: StoreKeys) -> None:
    """The steps are a second preparation, an activation of nothing, and the removal of
    a used key.
    """
    prepared = keys.prepared()
    for step in (
        prepared.prepared,
        keys.activated,
        lambda: keys.without(keys.current_id),
        lambda: prepared.without(str(prepared.next_id)),
        lambda: keys.without("00000000"),
    ):
        with pytest.raises(ValueError, match="key"):
            step()


def test_the_file_is_private_for_any_umask(tmp_path: Path, keys: StoreKeys) -> None:
    """The mode is 0600 from the first byte on, not after a later chmod."""
    before = os.umask(0)
    try:
        keys.save(tmp_path / "store.keys")
    finally:
        os.umask(before)

    assert (tmp_path / "store.keys").stat().st_mode & 0o777 == 0o600


def test_keys_are_never_overwritten(file: Path, keys: StoreKeys) -> None:
    """Data that were encrypted with lost keys are lost."""
    with pytest.raises(StoreKeysError, match="exists"):
        StoreKeys.generate().save(file)
    assert StoreKeys.load(file) == keys


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o777])
def test_a_file_readable_by_others_is_refused(file: Path, mode: int) -> None:
    """Any permission of the group or others is refused."""
    file.chmod(mode)

    with pytest.raises(StoreKeysError, match="chmod 600"):
        StoreKeys.load(file)


def test_special_files_are_refused(file: Path, tmp_path: Path) -> None:
    """Directories, pipes, links to them and absent files are refused."""
    link, pipe = tmp_path / "link", tmp_path / "pipe"
    link.symlink_to(pipe)
    os.mkfifo(pipe, 0o600)

    for path in (link, tmp_path, tmp_path / "absent", Path("/dev/null")):
        with pytest.raises(StoreKeysError):
            StoreKeys.load(path)
    with pytest.raises(StoreKeysError):
        StoreKeys.load(pipe)


def altered(**changes: Any) -> Any:
    return lambda document: document | changes


@pytest.mark.parametrize(
    "alter",
    [
        altered(format="makul-store-keys/2"),
        altered(current="00000000"),
        altered(current=None),
        altered(index="AAAA"),
        altered(index="not base64!"),
        altered(index=7),
        altered(masters={}),
        altered(masters=[]),
        altered(masters={"../../etc": "A" * 43 + "="}),
        altered(masters={"00000000": "A" * 43 + "="}),
        altered(surplus=1),
        altered(next="00000000"),
        altered(format=["makul-store-keys/1"]),
        lambda document: document | {"format": "makul-store-keys/2", "next": "00000000"},
        lambda document: document | {"format": "makul-store-keys/2", "next": None},
        lambda document: document | {"format": "makul-store-keys/2", "next": document["current"]},
        lambda document: {name: document[name] for name in ("format", "index")},
        lambda document: [document],
        str,
    ],
)
def test_a_file_of_another_form_is_refused(file: Path, alter: Any) -> None:
    """Only this format is read, and the error quotes nothing of the file."""
    document = json.loads(file.read_text())
    file.write_text(json.dumps(alter(document)))

    with pytest.raises(StoreKeysError) as caught:
        StoreKeys.load(file)
    assert document["index"] not in str(caught.value)
    assert caught.value.__cause__ is None


def test_malformed_json_is_refused(file: Path) -> None:
    """The bytes are cut short, empty, no text, or too large."""
    whole = file.read_bytes()
    for content in (whole[:-20], b"", b"\xff\xfe", b"[" * 100, b" " * 70_000):
        file.write_bytes(content)
        with pytest.raises(StoreKeysError):
            StoreKeys.load(file)
