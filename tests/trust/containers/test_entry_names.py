"""Names of entries: each leads to one file on every system, and no two to the same."""

import io
import unicodedata
from collections.abc import Iterable
from pathlib import PurePosixPath, PureWindowsPath
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from makul.trust.containers.asice_verification import verify_container
from makul.trust.containers.entry_names import (
    DistinctNames,
    require_safe_name,
    uri_of,
)
from makul.trust.containers.findings import ContainerFailure, ContainerFinding
from makul_testing.containers import a_container
from makul_testing.pki.authorities import Authority, Holder

F = ContainerFinding
NAMES = st.text(
    st.one_of(
        st.sampled_from(list("abcABC/\\.:- жЖёЁ é\u0301ﬁß%&'#?*\"<>|~")),
        st.characters(),
    ),
    max_size=24,
)


@pytest.fixture(scope="module")
def operator() -> Holder:
    return Authority.root("Root of Names").issue()


def is_safe(name: str) -> bool:
    try:
        require_safe_name(name)
    except ContainerFailure:
        return False
    return True


def have_collisions(names: Iterable[str]) -> bool:
    distinct = DistinctNames()
    try:
        for name in names:
            distinct.add(name)
    except ContainerFailure:
        return True
    return False


ESCAPING = ("/etc/passwd", "../x", "a/../x", "a\\b", "..\\x", "C:x", "c:/x", "a/..", "\\\\host\\x")
MALFORMED = (
    *("", "a//b", "./a", "a/.", "a/", "a.", "a /b", " a", "con", "aux.xml", "d/NUL", "COM1.txt"),
    *("a\0b", "a\nb", "e\u0301.xml", "a\u202eb", "a\u200bb", "a?b", "a*b", "x/y:z", "a" * 513),
    *("a|b", 'a"b', "<a>", "a\ud800b", "\ue000"),
)


@pytest.mark.parametrize("name", ESCAPING)
def test_names_that_lead_out_are_refused(name: str) -> None:
    with pytest.raises(ContainerFailure) as failure:
        require_safe_name(name)
    assert failure.value.finding is F.NAME_ESCAPES


@pytest.mark.parametrize("name", MALFORMED)
def test_names_that_systems_read_in_different_ways_are_refused(name: str) -> None:
    with pytest.raises(ContainerFailure) as failure:
        require_safe_name(name)
    assert failure.value.finding is F.NAME_MALFORMED


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a.xml", "A.XML"),
        ("дело.xml", "ДЕЛО.XML"),
        ("ﬁle.xml", "file.xml"),
        ("straße.xml", "STRASSE.xml"),
        ("a/b", "a"),
        ("a", "A/b"),
        ("№1.xml", "No1.xml"),
    ],
)
def test_names_of_one_file_are_refused(one: str, other: str) -> None:
    names = DistinctNames()
    names.add(one)
    with pytest.raises(ContainerFailure) as failure:
        names.add(other)
    assert failure.value.finding is F.NAME_REPEATED


@given(NAMES)
def test_a_safe_name_stays_below_its_directory(name: str) -> None:
    """Every accepted name leads to one file below the directory, on Linux and on Windows."""
    if is_safe(name):
        for kind in (PurePosixPath, PureWindowsPath):
            path = kind("base") / name
            assert path.parts[0] == "base"
            assert ".." not in path.parts
            assert path.relative_to("base").as_posix() == name
        assert unicodedata.normalize("NFC", name) == name


@given(NAMES)
def test_a_uri_gives_the_name_again(name: str) -> None:
    if is_safe(name):
        uri = uri_of(name)
        assert uri.isascii()
        assert unquote(uri, errors="strict") == name
        assert not set(uri) & set(" <>\"'&#?")


SAFE = st.lists(
    st.text(st.sampled_from(list("abAB0 .-жЁ№é%&'#~")), min_size=1, max_size=6),
    min_size=1,
    max_size=3,
).map("/".join)
"""Names of which most are safe, with the characters that are written in another form somewhere."""


@given(st.lists(SAFE, max_size=5))
def test_any_accepted_names_are_written_and_read(operator: Holder, names: list[str]) -> None:
    """What the writer accepts the reader accepts, with the same names and contents."""
    files = {name: ("text/plain", name.encode("utf-8", "replace")) for name in names}
    if not all(map(is_safe, names)) or have_collisions(files):
        with pytest.raises(ContainerFailure):
            a_container(operator, files)
        return
    container = a_container(operator, files)
    verified = verify_container(io.BytesIO(container), {operator.fingerprint})
    assert {name: verified.read_whole(name, 1000) for name in verified.files} == {
        name: content for name, (_, content) in files.items()
    }
