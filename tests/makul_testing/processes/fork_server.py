"""Forks the programs from a process that has imported them and done nothing else.

`makul_testing.processes.program` runs this module with one end of a socket pair on its command
line. The server forks as long as the other end is open. A forked process that starts programs
itself, as `makul serve` starts its listeners, gets a server of its own, so that these are forked as
well (`ForkedPopen`).

Each message is a JSON object of `program`, `arguments`, `environment`, `directory`, `session`
(whether the process leads a new session) and `parent` (the process that it ends with, or null), and
brings the three standard streams. Each is answered twice: by the process id, and by an empty object
when that process is a child of the process that asked.

The module imports nothing of the tests: nothing of them is on the path of the programs.
"""

import ctypes
import gc
import importlib
import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

LIMIT = 1 << 17
"""Maximum size of a message in bytes. An environment takes about four thousand."""

PR_SET_NAME = 15
PR_SET_CHILD_SUBREAPER = 36
"""Options of prctl(2): a process's name; that orphans of its descendants become its children."""

MAX_NAME = 15
"""Maximum length of a name of a process in bytes (prctl(2))."""

PROGRAMS: dict[str, tuple[str, ...]] = {
    "makul": (
        *("makul.main", "makul.admin.runtime"),
        *("makul.server.gunicorn_app", "makul.server.gunicorn_worker"),
        *("makul_sandbox.run", "makul_sandbox.demo.main", "makul_sandbox.certification"),
    ),
    "makul-client": ("makul_client.cli.main", "makul_client.client", "makul_client.cli.output"),
}
"""What each program imports. A module that is missing here is imported in each process."""

ORPHAN_GUARD = "makul.net.orphan_guard"

SERVER_NAME = "fork-server"
"""The name of the process of a server of a forked process."""

_channel: socket.socket | None = None
"""The channel to the server of this process."""


class ForkedPopen(subprocess.Popen[Any]):
    """`subprocess.Popen`, by which commands of `python -m makul` are forked from the server.

    Every other command is started as usual.
    """

    def _execute_child(self, *arguments: Any) -> None:
        """Called by `Popen.__init__` of Python 3.11 to 3.13, with the arguments in this order."""
        command, directory, environment = list(arguments[0]), arguments[5], arguments[6]
        program = own_program(command)
        if program is None or arguments[1] is not None or arguments[2] is not None:
            super()._execute_child(*arguments)  # type: ignore[misc]
            return
        pipes = arguments[10:16]
        ends = (pipes[0], pipes[3], pipes[5])
        program_fields = {
            **program,
            "environment": dict(os.environ if environment is None else environment),
            "session": arguments[21],
            "directory": os.fspath(directory) if directory is not None else os.getcwd(),  # noqa: PTH109 - no more imports
        }
        try:
            streams = [end if end != -1 else number for number, end in enumerate(ends)]
            self.pid = fork(self.channel(), program_fields, streams)
            self._child_created = True
        finally:
            self._close_pipe_fds(*pipes)  # type: ignore[attr-defined]

    def channel(self) -> socket.socket:
        """Return the channel to the server of this process."""
        assert _channel is not None, "only `makul serve`, `sandbox` and `demo` start programs"
        return _channel


def own_program(command: list[Any]) -> dict[str, object] | None:
    """Return the program, its arguments and its parent, if this is a command of ours."""
    words = [os.fspath(each) for each in command]
    if words[0] in PROGRAMS:
        return {"program": words[0], "arguments": words[1:], "parent": None}
    if words[:3] == [sys.executable, "-m", "makul"]:
        return {"program": "makul", "arguments": words[3:], "parent": None}
    if words[:3] == [sys.executable, "-m", ORPHAN_GUARD]:
        return {"program": "makul", "arguments": words[4:], "parent": int(words[3])}
    return None


def fork(channel: socket.socket, program_fields: Mapping[str, object], streams: list[int]) -> int:
    """Return the id of a new process, which is a child of the calling process."""
    with _adopting():
        socket.send_fds(channel, [json.dumps(program_fields).encode()], streams)
        pid = json.loads(channel.recv(LIMIT))["pid"]
        channel.recv(LIMIT)
    return int(pid)


@contextmanager
def _adopting() -> Iterator[None]:
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
    try:
        yield
    finally:
        libc.prctl(PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


def import_programs() -> None:
    """Import what the programs import, once for all processes that are forked."""
    for modules in PROGRAMS.values():
        for name in modules:
            importlib.import_module(name)
    gc.collect()
    gc.freeze()


def serve(channel: socket.socket) -> Callable[[], object]:
    """Fork for each message until the channel is closed; return in each child, what it must run."""
    while True:
        message, streams, _, _ = socket.recv_fds(channel, LIMIT, 3)
        if not message:
            os._exit(0)
        program = _fork_one(channel, json.loads(message), streams)
        if program is not None:
            return program


def _fork_one(
    channel: socket.socket, program_fields: dict[str, Any], streams: list[int]
) -> Callable[[], object] | None:
    """Fork twice, and answer. Return the program in the new process, None in the server."""
    middle = os.fork()
    if middle == 0:
        middle, child = os.getpid(), os.fork()
        if child == 0:
            channel.detach()
            return _become(program_fields, streams, middle)
        channel.send(json.dumps({"pid": child}).encode())
        os._exit(0)  # the child goes to the nearest subreaper, which is the process that asked
    os.waitpid(middle, 0)
    for stream in streams:
        os.close(stream)
    channel.send(b"{}")
    return None


def _become(
    program_fields: dict[str, Any], streams: list[int], middle: int
) -> Callable[[], object]:
    """Take the streams, the environment and the directory; return the program."""
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
    os.closerange(3, os.sysconf("SC_OPEN_MAX"))
    _open_streams()
    os.environ.clear()
    os.environ.update(program_fields["environment"])
    time.tzset()
    if program_fields["session"]:
        os.setsid()
    os.chdir(program_fields["directory"])
    sys.argv = [program_fields["program"], *program_fields["arguments"]]
    while os.getppid() == middle:
        time.sleep(0.001)
    if starts_programs(program_fields["arguments"]):
        program = _fork_server()
        if program is not None:
            return program
    _name_process(
        program_fields["arguments"][-1]
        if program_fields["arguments"]
        else program_fields["program"]
    )
    if program_fields["parent"] is not None:
        importlib.import_module(ORPHAN_GUARD)._attach(program_fields["parent"])
    if program_fields["program"] == "makul":
        return importlib.import_module("makul.main").main  # type: ignore[no-any-return]
    main = importlib.import_module("makul_client.cli.main").main
    return lambda: sys.exit(main())


def starts_programs(arguments: list[str]) -> bool:
    """Return whether a command starts other programs of ours."""
    return bool({"sandbox", "demo"} & {*arguments}) or (
        "serve" in arguments and "--listener" not in arguments
    )


def _fork_server() -> Callable[[], object] | None:
    """Fork a server for this process. Return a program in processes that the server forks."""
    global _channel  # noqa: PLW0603 - one of a process
    mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    if os.fork() == 0:
        mine.close()
        for number in range(3):
            os.dup2(os.open(os.devnull, os.O_RDWR), number)
        _name_process(SERVER_NAME)
        return serve(its)
    its.close()
    _channel = mine
    subprocess.Popen = ForkedPopen  # type: ignore[misc]
    return None


def _open_streams() -> None:
    """Open the standard streams, as Python does at its start: the server had others."""
    sys.stdin = sys.__stdin__ = open(0, closefd=False)  # noqa: SIM115 - for this process's life
    sys.stdout = sys.__stdout__ = open(1, "w", closefd=False)  # noqa: SIM115
    sys.stderr = sys.__stderr__ = open(  # noqa: SIM115
        2, "w", buffering=1, errors="backslashreplace", closefd=False
    )


def _name_process(name: str) -> None:
    ctypes.CDLL(None).prctl(PR_SET_NAME, name.encode()[:MAX_NAME], 0, 0, 0)


if __name__ == "__main__":
    import_programs()
    serve(socket.socket(fileno=int(sys.argv[1])))()
