"""The peer over HTTP, by gunicorn with CommandLine's options."""

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from makul.server.gunicorn_app import BACKLOG, KEEP_ALIVE_SECONDS
from makul_testing.processes.service import START_SECONDS, Server, free_port

TESTS = Path(__file__).resolve().parents[2]
THREADS = 4
"""The default number of a listener of CommandLine."""
PATH = "/"


@contextmanager
def run_peer(directory: Path, *, workers: int) -> Iterator[Server]:
    """Serve the peer on a free port, until the block ends."""
    port = free_port()
    command = [sys.executable, "-W", "ignore", "-m", "gunicorn", "--bind", f"127.0.0.1:{port}"]
    options = {
        "worker-class": "gthread",
        "workers": workers,
        "threads": THREADS,
        "backlog": BACKLOG,
        "keep-alive": KEEP_ALIVE_SECONDS,
        "log-level": "critical",
    }
    flags = [part for name, value in options.items() for part in (f"--{name}", str(value))]
    application = f"bench.peer.service:build('{directory.absolute()}')"
    process = subprocess.Popen(
        [*command, *flags, "--no-control-socket", application],
        env=os.environ | {"PYTHONPATH": str(TESTS)},
        stderr=subprocess.DEVNULL,
    )
    try:
        server = Server(port, process.pid)
        _await(server, workers, process)
        yield server
    finally:
        process.terminate()
        process.wait(timeout=30)


def _await(server: Server, workers: int, process: "subprocess.Popen[bytes]") -> None:
    """Wait until every worker runs and one returns its WSDL."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
        try:
            connection.request("GET", "/?wsdl")
            if connection.getresponse().status == 200 and len(server.workers) >= workers:
                return
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    raise RuntimeError("the peer did not start")
