"""Other software that uses a sandbox in a separate process."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest

START_SECONDS = 300
BUILD_SECONDS = 900
"""The time of a first Maven build, which fetches hundreds of files beside other work."""


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running sandbox: its directory and its index."""

    directory: Path
    index: dict[str, Any]

    def document(self, name: str) -> dict[str, Any]:
        return next(each for each in self.index["papers"] if each["name"] == name)

    def file(self, name: str) -> str:
        """Return the path of a file that the index names, as text for another program."""
        return str(self.directory / name)

    def task(
        self, document_name: str, *, label: str, channel: str, pin: str | None = None
    ) -> list[str]:
        """Return what a foreign client needs to present a document, in the order of its columns."""
        document = self.document(document_name)
        citizen = next(c for c in self.index["citizens"] if c["number"] == document["citizen"])
        party = next(p for p in self.index["parties"] if p["key"] == document["presentedBy"])
        return [
            label,
            self.index["urls"][channel],
            self.file(party["messageCertificate"]),
            self.file(party["messageKey"]),
            party["agreement"]["number"],
            document["purpose"],
            pin or citizen["pin"],
            citizen["documentNumber"],
            self.file(document["file"]),
            document["kind"],
            self.file(party["sealingKey"] or ""),
            " ".join(document["attributes"]),
        ]


@contextmanager
def running_sandbox(home: Path) -> Iterator[Sandbox]:
    """Run `makul sandbox` like a recipient's developer, on free ports."""
    directory = home / "sandbox"
    command = [sys.executable, "-m", "makul", "sandbox", "--people", "60", "--dir", str(directory)]
    with (
        (home / "said.txt").open("wb") as output,
        subprocess.Popen(
            [*command, "--port", "0", "--xroad-port", "0", "--mtls-port", "0"],
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        ) as process,
    ):
        try:
            yield Sandbox(directory, _index_once_serving(process, directory))
        finally:
            _stop(process)


def _index_once_serving(process: subprocess.Popen[bytes], directory: Path) -> dict[str, Any]:
    index = directory / "sandbox.json"
    deadline = time.monotonic() + START_SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if index.is_file():  # it is written last, just before the listeners open
            described: dict[str, Any] = json.loads(index.read_bytes())
            try:
                with urlopen(f"{described['urls']['xroad']}?wsdl=xroad", timeout=120):  # noqa: S310 - loopback
                    return described
            except OSError:  # not listening yet
                pass
        time.sleep(0.1)
    pytest.fail(f"the sandbox does not answer; what it said stands in {directory.parent}/said.txt")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(timeout=120)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)  # its workers too: the session is its own


def run(command: list[str], *, cwd: Path | None = None, seconds: int = 300) -> str:
    """Return the output of a program; fail the test with all of it otherwise."""
    result = subprocess.run(
        command, cwd=cwd, capture_output=True, encoding="utf-8", timeout=seconds, check=False
    )
    if result.returncode != 0:
        pytest.fail(
            f"{' '.join(command)}: exit code {result.returncode}\n{result.stdout}{result.stderr}"
        )
    return result.stdout


def answers(output: str) -> dict[str, tuple[str, ...]]:
    """Read the lines of a foreign client: a task's label, the outcome, codes, attributes."""
    rows = [line.split("\t") for line in output.splitlines()]
    return {row[0]: tuple(each.strip() for each in row[1:]) for row in rows}
