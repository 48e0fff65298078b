"""The service as `makul serve` runs it without a listener's name: listener and exporter."""

import http.client
import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from makul_testing.processes.program import Program
from makul_testing.processes.service import (
    START_SECONDS,
    Server,
    await_ready,
    await_workers,
    free_port,
)


@dataclass(frozen=True, slots=True)
class RunningProgram:
    """A running service with one listener."""

    process: "subprocess.Popen[bytes]"
    port: int
    metrics_port: int
    directory: Path
    """The address of its metrics."""

    @property
    def listener(self) -> Server:
        """Return the listener's own process, the parent of its workers."""
        return Server(self.port, self._child("wsse"))

    @property
    def exporter(self) -> int:
        """Return the exporter's process id."""
        return self._child("metrics")

    def _child(self, name: str) -> int:
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
            for pid in children.read_text().split():
                if Path(f"/proc/{pid}/comm").read_text().strip() == name:
                    return int(pid)
            time.sleep(0.05)
        raise AssertionError(f"no child of this name: {name}")

    def samples(self) -> dict[str, float]:
        """Return every sample of the exporter, by name and labels."""
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                text = get(self.metrics_port, "/metrics")[1].decode()
                break
            except OSError:
                assert time.monotonic() < deadline, "no metrics"
                time.sleep(0.1)
        return {
            sample.name + json.dumps(sample.labels, sort_keys=True): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    def number(self, name: str, **labels: str) -> float:
        """Return one sample, or 0 if it was never counted."""
        return self.samples().get(name + json.dumps(labels, sort_keys=True), 0.0)


def get(port: int, path: str) -> tuple[int, bytes]:
    """Send a GET."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


@contextmanager
def served_whole(
    config: Path, *, workers: int, log: Path, metrics: Path | None = None
) -> Iterator[RunningProgram]:
    """Run it until the block ends. The settings must have one listener, named wsse."""
    port, metrics_port = free_port(), free_port()
    directory = metrics or config.parent / "metrics"
    environment = os.environ | {
        "MAKUL_LISTENERS__WSSE__BIND": f"127.0.0.1:{port}",
        "MAKUL_LISTENERS__WSSE__WORKERS": str(workers),
        "MAKUL_METRICS__BIND": f"127.0.0.1:{metrics_port}",
        "MAKUL_METRICS__DIRECTORY": str(directory),
    }
    with log.open("wb") as output:
        process = Program(
            *("--config", config, "serve"), env=environment, stdout=output, stderr=output
        )
        try:
            await_ready(port)
            whole = RunningProgram(process, port, metrics_port, directory)
            await_workers(whole.listener, workers)
            whole.samples()  # the exporter starts beside them
            yield whole
        finally:
            process.terminate()
            process.wait(timeout=60)
