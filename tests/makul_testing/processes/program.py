"""The program `makul` as a process of its own, without the seconds that its imports take.

A process that has imported the service and done nothing else is forked for each call: the new one
has its own id, environment, directory and streams, and none of what a test has changed in memory.
Tests whose subject is how the program starts run `python -m makul` themselves.
"""

import atexit
import ctypes
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from makul_testing.processes import fork_server as forking

_PR_SET_CHILD_SUBREAPER = 36
"""prctl(2): orphans of this process's descendants become its children."""


@dataclass(frozen=True, slots=True)
class _Server:
    """The process that forks, and the channel to it."""

    process: "subprocess.Popen[bytes]"
    channel: socket.socket

    def fork(self, asked: Mapping[str, object], streams: list[int]) -> int:
        """A new child of the calling process; its id."""
        with _adopting():
            socket.send_fds(self.channel, [json.dumps(asked).encode()], streams)
            pid = json.loads(self.channel.recv(forking.LIMIT))["pid"]
            self.channel.recv(forking.LIMIT)
        return int(pid)

    def close(self) -> None:
        self.channel.close()
        self.process.wait()


@contextmanager
def _adopting() -> Iterator[None]:
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0
    try:
        yield
    finally:
        libc.prctl(_PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0)


@cache
def _server(_pid: int) -> _Server:
    """One for each process that asks: its children are its own."""
    mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    code = Path(
        forking.__file__
    ).read_text()  # by -c, as by -m, nothing of the tests is on the path
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(its.fileno())], pass_fds=[its.fileno()]
    )
    its.close()
    server = _Server(process, mine)
    atexit.register(lambda: server.close() if os.getpid() == _pid else None)
    return server


class Program(subprocess.Popen[Any]):
    """`makul` with these arguments; `given` is what `subprocess.Popen` takes besides."""

    def __init__(self, *arguments: str | Path, **given: Any) -> None:
        super().__init__(["makul", *map(str, arguments)], **given)

    def _execute_child(self, *given: Any) -> None:
        """Fork another than the calling process; called by `Popen.__init__` of Python 3.11."""
        arguments, directory, environment = given[0], given[5], given[6]
        pipes = given[10:16]
        wanted = {"stdin": pipes[0], "stdout": pipes[3], "stderr": pipes[5]}
        streams = [end if end != -1 else number for number, end in enumerate(wanted.values())]
        asked = {
            "arguments": arguments[1:],
            "environment": dict(os.environ if environment is None else environment),
            "session": given[21],
            "directory": str(Path.cwd() if directory is None else directory),
        }
        try:
            self.pid = _server(os.getpid()).fork(asked, streams)
            self._child_created = True
        finally:
            self._close_pipe_fds(*pipes)


def ran(
    *arguments: str | Path, typed: Any = None, timeout: float = 300.0, **given: Any
) -> "subprocess.CompletedProcess[Any]":
    """Run it to its end, with `typed` on stdin; its output is kept."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    if typed is not None:
        pipes["stdin"] = subprocess.PIPE
    with Program(*arguments, **(pipes | given)) as process:
        try:
            out, err = process.communicate(typed, timeout)
        except BaseException:
            process.kill()
            raise
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)
