"""Files are read as regular files within a limit, and written so that they survive a crash."""

import os
import stat
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from makul.net.files import (
    FileError,
    MissingFileError,
    create_file,
    open_regular,
    read_bounded,
    read_secret,
    replace_file,
)

LIMIT = 1000
OPERATOR, GROUP = 10_001, 10_002

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


def fifo(path: Path) -> Path:
    os.mkfifo(path)
    return path


def link(path: Path, target: Path | str) -> Path:
    path.symlink_to(target)
    return path


def sparse(path: Path) -> Path:
    with path.open("wb") as file:
        file.truncate(1 << 40)
    path.chmod(0o600)
    return path


NOT_FILES: dict[str, Callable[[Path], Path]] = {
    "fifo": lambda directory: fifo(directory / "x"),
    "directory": lambda directory: directory,
    "link to a fifo": lambda directory: link(directory / "link", fifo(directory / "x")),
    "/dev/zero": lambda _: Path("/dev/zero"),
    "/dev/stdin": lambda _: Path("/dev/stdin"),
    "link to a device": lambda directory: link(directory / "link", "/dev/zero"),
    "dangling link": lambda directory: link(directory / "link", "nowhere"),
    "link to itself": lambda directory: link(directory / "link", "link"),
    "huge": lambda directory: sparse(directory / "x"),
    "absent": lambda directory: directory / "x",
    "below a file": lambda directory: Path(__file__) / "x",
    "NUL in the name": lambda directory: directory / "a\0b",
    "name too long": lambda directory: directory / ("x" * 300),
}


@pytest.mark.parametrize("read", [read_bounded, read_secret])
@pytest.mark.parametrize("make", NOT_FILES.values(), ids=NOT_FILES)
def test_special_file_is_refused_in_one_line(
    make: Callable[[Path], Path], read: Callable[[Path, int], bytes], tmp_path: Path
) -> None:
    """The reader does not wait for a writer of a pipe, and reads nothing endless."""
    path = make(tmp_path)

    with pytest.raises(FileError) as raised:
        read(path, LIMIT)

    assert str(raised.value).startswith(f"{path}: ")
    assert "\n" not in str(raised.value)


def test_the_limit_applies_while_reading(tmp_path: Path) -> None:
    """A file may grow after its size was read, so the size alone decides nothing."""
    huge = sparse(tmp_path / "x")
    (tmp_path / "exact").write_bytes(b"a" * LIMIT)
    tracemalloc.start()
    try:
        with pytest.raises(FileError, match=f"longer than {LIMIT} bytes"):
            read_bounded(huge, LIMIT)
        assert tracemalloc.get_traced_memory()[1] < 1024 * 1024
    finally:
        tracemalloc.stop()
    assert read_bounded(tmp_path / "exact", LIMIT) == b"a" * LIMIT


def test_a_link_in_ones_own_directory_is_followed(tmp_path: Path) -> None:
    """Versioned configuration and mounted ConfigMaps are links."""
    (tmp_path / "v2").mkdir()
    (tmp_path / "v2" / "file").write_bytes(b"content")
    link(tmp_path / "now", "v2")
    link(tmp_path / "file", "now/file")

    assert read_bounded(tmp_path / "file", LIMIT) == b"content"
    with open_regular(tmp_path / "now" / ".." / "v2" / "file") as file:
        assert file.read() == b"content"


@pytest.mark.parametrize("place", ["last", "above"])
def test_a_link_that_any_user_could_plant_is_not_followed(place: str, tmp_path: Path) -> None:
    """The link is in a directory that everybody may write to, in any part of the path."""
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "file").write_bytes(b"content")
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    path = link(shared / "file", "../real/file")
    if place == "above":
        path = link(shared / "directory", "../real") / "file"

    with pytest.raises(FileError, match="a link that anybody could have put there"):
        read_bounded(path, LIMIT)


@needs_root
def test_another_users_link_in_a_sticky_directory_is_not_followed(tmp_path: Path) -> None:
    """The rule is protected_symlinks of Linux; root's own links there are Kubernetes' mounts."""
    (tmp_path / "real").write_bytes(b"content")
    tmp_path.chmod(0o1777)
    path = link(tmp_path / "link", "real")

    assert read_bounded(path, LIMIT) == b"content"
    os.chown(path, OPERATOR, GROUP, follow_symlinks=False)
    with pytest.raises(FileError, match="anybody"):
        read_bounded(path, LIMIT)


# --- Secrets ----------------------------------------------------------------------------------


def secret(path: Path, mode: int) -> Path:
    path.write_bytes(b"secret")
    path.chmod(mode)
    return path


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o444, 0o601, 0o610, 0o460, 0o441])
def test_a_secret_that_others_can_access_is_refused(mode: int, tmp_path: Path) -> None:
    with pytest.raises(FileError, match="chmod 600"):
        read_secret(secret(tmp_path / "key", mode), LIMIT)


def mount(directory: Path) -> Path:
    """Mount a secret like the kubelet: `key -> ..data/key`, `..data -> ..2026_11_30`."""
    volume = directory / "volume"
    content = volume / "..2026_11_30"
    content.mkdir(parents=True)
    secret(content / "key", 0o600)
    link(volume / "..data", content.name)
    return link(volume / "key", "..data/key")


def test_a_secret_mounted_by_kubernetes_is_read(tmp_path: Path) -> None:
    """Its links stay within the mount."""
    assert read_secret(mount(tmp_path), LIMIT) == b"secret"


@pytest.mark.parametrize("how", ["relative", "absolute", "over a link beside it"])
def test_a_link_out_of_the_directory_is_no_secret(how: str, tmp_path: Path) -> None:
    """A user who plants it would choose the key with which the operator signs."""
    elsewhere = secret(tmp_path / "key", 0o600)
    (tmp_path / "keys").mkdir()
    path = tmp_path / "keys" / "key"
    match how:
        case "relative":
            link(path, "../key")
        case "absolute":
            link(path, elsewhere)
        case _:
            link(tmp_path / "keys" / "up", "..")
            link(path, "up/key")

    with pytest.raises(FileError, match="leads out of its directory"):
        read_secret(path, LIMIT)


def test_a_directory_of_secrets_may_be_a_link(tmp_path: Path) -> None:
    """The operator named the directory, so only the names in it are checked."""
    (tmp_path / "v1").mkdir()
    secret(tmp_path / "v1" / "key", 0o600)
    link(tmp_path / "keys", "v1")

    assert read_secret(tmp_path / "keys" / "key", LIMIT) == b"secret"


def as_operator(read: Callable[[], bytes]) -> str:
    """Return what another user with one more group reads, in a separate process."""
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.setgroups([GROUP])
            os.setgid(OPERATOR)
            os.setuid(OPERATOR)
            try:
                result = read().decode()
            except FileError as error:
                result = str(error)
            os.write(writing, result.encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as pipe:
        result = pipe.read().decode()
    os.waitpid(child, 0)
    return result


@needs_root
@pytest.mark.parametrize(
    ("owner", "group", "directory", "read"),
    [
        (0, GROUP, 0, True),
        (0, OPERATOR, 0, True),
        (0, 0, 0, False),
        (OPERATOR, GROUP, 0, False),
        (0, GROUP, OPERATOR, False),
    ],
)
def test_mode_0440_with_the_processs_group_is_read(
    owner: int, group: int, directory: int, read: bool, tmp_path: Path
) -> None:
    """`fsGroup` makes root's file in root's directory, for one of the process's groups."""
    for each in (tmp_path, *tmp_path.parents):
        if not each.stat().st_mode & stat.S_IXOTH:
            each.chmod(0o755)
    path = mount(tmp_path)
    content = path.resolve()
    content.chmod(0o440)
    os.chown(content, owner, group)
    os.chown(content.parent, directory, 0)
    path.parent.chmod(0o1777)

    result = as_operator(lambda: read_secret(path, LIMIT))

    assert (result == "secret") is read, result


# --- Writing ----------------------------------------------------------------------------------


@pytest.mark.parametrize("write", [replace_file, create_file])
def test_written_file_is_synced_with_its_name(
    write: Callable[[Path, bytes], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The content is synced before its name, and then the directory and a new
    directory's parent.
    """
    synced: list[str] = []
    sync = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink().name)
        sync(descriptor)

    monkeypatch.setattr("os.fsync", fsync)
    write(tmp_path / "file", b"content")

    assert (tmp_path / "file").read_bytes() == b"content"
    assert len(synced) == 2
    assert synced[0].startswith((".file.", "file"))
    assert synced[1] == tmp_path.name


def test_a_replaced_link_is_not_written_through(tmp_path: Path) -> None:
    """If it were, a user who planted `FILE.position.new` would choose what the operator
    overwrites.
    """
    victim = tmp_path / "victim"
    victim.write_bytes(b"precious")
    path = link(tmp_path / "file", victim)

    replace_file(path, b"content")

    assert victim.read_bytes() == b"precious"
    assert not path.is_symlink()
    assert {each.name for each in tmp_path.iterdir()} == {"victim", "file"}
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("target", ["victim", "nowhere"])
def test_a_new_file_replaces_nothing(target: str, tmp_path: Path) -> None:
    """An existing file is not overwritten, and a link is not followed."""
    (tmp_path / "victim").write_bytes(b"precious")
    path = link(tmp_path / "file", target)

    with pytest.raises(FileExistsError):
        create_file(path, b"content")

    assert (tmp_path / "victim").read_bytes() == b"precious"
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize("write", [replace_file, create_file])
def test_unfinished_file_is_removed(
    write: Callable[[Path, bytes], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)

    with pytest.raises(OSError, match="No space"):
        write(tmp_path / "file", b"content")
    assert list(tmp_path.iterdir()) == []


def test_an_absent_file_is_distinguished(tmp_path: Path) -> None:
    with pytest.raises(MissingFileError, match="No such file"):
        read_bounded(tmp_path / "x", LIMIT)
