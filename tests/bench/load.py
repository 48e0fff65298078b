"""The load: a separate process that keeps a number of connections busy until all is answered.

It is a closed loop. Each connection posts its next message when the last one is answered, so that
the number of requests in progress is at most the number of connections. Messages are signed
beforehand and read from a file before the measurement starts. An answer that is not 200, or
releases nothing, is an error; after an error there are no figures.

The file uses only the standard library: nothing of the service is loaded into this process.
"""

import argparse
import http.client
import json
import math
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

RELEASED = b"RELEASED<"
HEADERS = {"Content-Type": "text/xml; charset=utf-8", "SOAPAction": '""'}
TIMEOUT_SECONDS = 60.0
_LENGTH = struct.Struct(">I")


@dataclass(frozen=True, slots=True)
class Loaded:
    """The measurements of one batch of messages."""

    seconds: float
    latencies: tuple[float, ...]
    """Seconds, one value for each message, in no order."""

    @property
    def rate(self) -> float:
        """Return the requests a second."""
        return len(self.latencies) / self.seconds


class LoadError(RuntimeError):
    """Raised when a message was not answered with a release."""


def load(
    port: int, messages: Sequence[bytes], *, connections: int, path: str = "/v1/recipient"
) -> Loaded:
    """Post every message once from another process; raises `LoadError`."""
    with tempfile.NamedTemporaryFile(suffix=".messages") as file:
        for message in messages:
            file.write(_LENGTH.pack(len(message)) + message)
        file.flush()
        command = [sys.executable, "-I", __file__, str(port), path, file.name, str(connections)]
        result = subprocess.run(command, capture_output=True, check=False, text=True)
    if result.returncode:
        raise LoadError(result.stderr.strip().splitlines()[-1] if result.stderr else "no answer")
    figures = json.loads(result.stdout)
    return Loaded(figures["seconds"], tuple(figures["latencies"]))


def percentile(latencies: Sequence[float], percent: float) -> float:
    """Return the nearest rank: that many of a hundred are no slower."""
    ranked = sorted(latencies)
    return ranked[max(1, math.ceil(len(ranked) * percent / 100)) - 1]


def main() -> None:
    """Post what a file holds and print the latencies as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("path")
    parser.add_argument("messages", type=Path)
    parser.add_argument("connections", type=int)
    options = parser.parse_args()
    messages = _read(options.messages)
    latencies: list[float] = []
    errors: list[str] = []
    ready = threading.Barrier(options.connections + 1)
    posters = [
        threading.Thread(
            target=_post_all,
            args=(options.port, options.path, messages[start :: options.connections]),
            kwargs={"latencies": latencies, "errors": errors, "ready": ready},
        )
        for start in range(options.connections)
    ]
    for poster in posters:
        poster.start()
    ready.wait()
    began = time.perf_counter()
    for poster in posters:
        poster.join()
    seconds = time.perf_counter() - began
    if errors or len(latencies) != len(messages):
        raise SystemExit(f"{len(errors)} of {len(messages)} not released, the first: {errors[:1]}")
    sys.stdout.write(json.dumps({"seconds": seconds, "latencies": latencies}))


def _post_all(
    port: int,
    path: str,
    messages: Sequence[bytes],
    *,
    latencies: list[float],
    errors: list[str],
    ready: threading.Barrier,
) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_SECONDS)
    connection.connect()
    ready.wait()
    for message in messages:
        began = time.perf_counter()
        try:
            connection.request("POST", path, body=message, headers=HEADERS)
            answer = connection.getresponse()
            body = answer.read()
        except OSError as error:
            errors.append(type(error).__name__)
            connection.close()
            continue
        latencies.append(time.perf_counter() - began)
        if answer.status != 200 or RELEASED not in body:
            errors.append(f"HTTP {answer.status}")
    connection.close()


def _read(path: Path) -> list[bytes]:
    messages = []
    with path.open("rb") as file:
        while length := file.read(_LENGTH.size):
            messages.append(file.read(*_LENGTH.unpack(length)))
    return messages


if __name__ == "__main__":
    main()
