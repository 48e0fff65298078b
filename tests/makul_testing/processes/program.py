"""The programs as separate processes, without the seconds that their imports take.

A process that has imported the programs and done nothing else is forked for each call. The new one
has its own id, environment, directory and streams, and nothing that a test has changed in memory.
Tests of a program's start run `python -m makul` themselves.
"""

import atexit
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from makul_testing.processes import fork_server
from makul_testing.processes.fork_server import ForkedPopen


@cache
def _channel(_pid: int) -> socket.socket:
    """Start a server for each process that asks: the forked processes are its own children."""
    mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    # By -c, as by -m, nothing of the tests is on the path.
    code = Path(fork_server.__file__).read_text()
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(its.fileno())], pass_fds=[its.fileno()]
    )
    its.close()

    def close() -> None:
        if os.getpid() == _pid:
            mine.close()
            process.wait()

    atexit.register(close)
    return mine


class _OfTests(ForkedPopen):
    """A command that the test process starts."""

    def channel(self) -> socket.socket:
        """Return the channel of the test process."""
        return _channel(os.getpid())


class Program(_OfTests):
    """`makul` with these arguments; `options` are further arguments of `subprocess.Popen`."""

    name = "makul"

    def __init__(self, *arguments: str | Path, **options: Any) -> None:
        super().__init__([self.name, *map(str, arguments)], **options)


class ClientProgram(Program):
    """`makul-client` with these arguments."""

    name = "makul-client"


def run_program(
    *arguments: str | Path,
    typed: Any = None,
    timeout: float = 300.0,
    program: type[Program] = Program,
    **options: Any,
) -> "subprocess.CompletedProcess[Any]":
    """Run a program to its end, with `typed` on stdin; its output is kept."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    if typed is not None:
        pipes["stdin"] = subprocess.PIPE
    with program(*arguments, **(pipes | options)) as process:
        try:
            out, err = process.communicate(typed, timeout)
        except BaseException:
            process.kill()
            raise
    return subprocess.CompletedProcess(process.args, process.returncode, out, err)


@contextmanager
def forked_commands() -> Iterator[None]:
    """Fork what code of ours starts as `python -m makul` in the block, and in those processes."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(subprocess, "Popen", _OfTests)
        yield
