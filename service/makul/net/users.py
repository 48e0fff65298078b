"""Identify the user of this process, as the operating system knows it."""

import os
import pwd
from pathlib import Path
from typing import Final

LOGIN_UID: Final = Path("/proc/self/loginuid")
"""The file in which Linux shows the uid of a session's login (proc_pid_loginuid(5))."""

_NO_LOGIN: Final = 2**32 - 1
"""The value for a process without a login: services, containers (audit: AUDIT_UID_UNSET)."""


def identify_operator() -> str:
    """Return the user of this process, and in parentheses the user who logged in, if different.

    Only the kernel is asked: USER, LOGNAME and SUDO_USER are text that anybody may set, and the
    operator's log must name who acted. The login uid survives sudo and su. It is known only if the
    system audits logins.
    """
    user = _user_name(os.getuid())
    login = _login_uid()
    if login is None or login == os.getuid():
        return user
    return f"{user} ({_user_name(login)})"


def _login_uid() -> int | None:
    """Return the uid with which this session logged in; None if it is not known."""
    try:
        with LOGIN_UID.open("rb") as file:
            uid = int(file.read(16))
    except (OSError, ValueError):
        return None
    return None if uid == _NO_LOGIN else uid


def _user_name(uid: int) -> str:
    """Return a user's name; `uid:10001` if there is none, as in a container."""
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid:{uid}"
    return name if name and name.isprintable() else f"uid:{uid}"
