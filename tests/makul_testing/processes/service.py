"""The service over HTTP, in separate processes: requests a second, and a worker's memory."""

import http.client
import os
import socket
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from makul_testing.processes.program import Program

START_SECONDS = 300.0
"""A deadline for busy cores; on idle ones it takes some three seconds."""
THREADS = 4


@dataclass(frozen=True, slots=True)
class Server:
    """A running listener."""

    port: int
    pid: int

    @property
    def workers(self) -> list[int]:
        """Return the workers' process ids."""
        return children(self.pid)

    @property
    def rss_mb(self) -> float:
        """Return the largest worker's resident memory."""
        return max(_rss_kb(pid) for pid in self.workers) / 1024


def children(pid: int) -> list[int]:
    """Return the child processes of a process."""
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _rss_kb(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    return 0


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


@contextmanager
def run_service(
    config: Path,
    *,
    workers: int,
    threads: int | None = None,
    log: Path | None = None,
    listener: str = "wsse",
) -> Iterator[Server]:
    """Run a listener of a service's settings, on a free port, until the block ends.

    Without `threads`, a worker has as many as is the default for its database.
    """
    port = free_port()
    prefix = f"MAKUL_LISTENERS__{listener.upper()}__"
    environment = os.environ | {
        f"{prefix}BIND": f"127.0.0.1:{port}",
        f"{prefix}WORKERS": str(workers),
    }
    if threads is not None:
        environment[f"{prefix}THREADS"] = str(threads)
    output = log.open("wb") if log is not None else None
    process = Program(
        *("--config", config, "serve", "--listener", listener),
        env=environment,
        stdout=output,
        stderr=output,
    )
    try:
        server = Server(port, process.pid)
        await_ready(port)
        await_workers(server, workers)
        yield server
    finally:
        process.terminate()
        process.wait(timeout=120)
        if output is not None:
            output.close()


def await_ready(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    raise RuntimeError("the service did not start")


def await_workers(server: Server, count: int) -> None:
    """Wait until all run: the first worker may answer before the next is forked."""
    deadline = time.monotonic() + START_SECONDS
    while len(server.workers) < count:
        if time.monotonic() > deadline:
            raise RuntimeError("not every worker started")
        time.sleep(0.05)


def drive(server: Server, messages: Sequence[bytes]) -> float:
    """Post every message once, over persistent connections; return the seconds. All must be 200."""
    shares = [messages[start::THREADS] for start in range(THREADS)]
    failures: list[int] = []
    threads = [
        threading.Thread(target=_post_all, args=(server.port, share, failures)) for share in shares
    ]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = time.perf_counter() - began
    assert not failures, f"{len(failures)} answers were not 200, the first {failures[0]}"
    return took


def _post_all(port: int, messages: Sequence[bytes], failures: list[int]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    for message in messages:
        headers = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'}
        connection.request("POST", "/v1/recipient", body=message, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status != 200 or b">RELEASED<" not in body:
            failures.append(answer.status)
    connection.close()
