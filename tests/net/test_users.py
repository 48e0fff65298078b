"""The audit log names the acting user by what the kernel knows, and by no text of the user."""

import os
import pwd
from pathlib import Path

import pytest

from makul.net import users
from makul.net.users import identify_operator

OURS = os.getuid()


@pytest.fixture(autouse=True)
def without_login(monkeypatch: pytest.MonkeyPatch) -> None:
    """Run as in a container, where no user has logged in."""
    monkeypatch.setattr(users, "_login_uid", lambda: None)


@pytest.mark.parametrize("name", ["USER", "LOGNAME", "LNAME", "USERNAME", "SUDO_USER"])
def test_the_environment_names_no_user(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """`getpass.getuser` believes the first four variables, and SUDO_USER is text like any other."""
    monkeypatch.setenv(name, "somebody-else")

    assert identify_operator() == pwd.getpwuid(OURS).pw_name


def test_a_uid_without_an_entry_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    """Containers run with such uids."""
    monkeypatch.setattr("os.getuid", lambda: 1_234_567)

    assert identify_operator() == "uid:1234567"


@pytest.mark.parametrize(
    ("login", "suffix"), [(OURS, ""), (None, ""), (1_234_567, " (uid:1234567)")]
)
def test_the_login_user_is_named_beside_the_acting_user(
    login: int | None, suffix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sudo and su do not change the audit login uid."""
    monkeypatch.setattr(users, "_login_uid", lambda: login)

    assert identify_operator() == pwd.getpwuid(OURS).pw_name + suffix


@pytest.mark.parametrize(
    ("content", "uid"),
    [(b"1000", 1000), (b"0", 0), (b"4294967295", None), (b"", None), (b"x", None)],
)
def test_the_login_uid_comes_from_the_audit_system(
    content: bytes, uid: int | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """4294967295 means no user."""
    monkeypatch.undo()
    (tmp_path / "loginuid").write_bytes(content)
    monkeypatch.setattr(users, "LOGIN_UID", tmp_path / "loginuid")

    assert users._login_uid() == uid
