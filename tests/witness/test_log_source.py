"""The source of a witness is a directory, or a server that may send too much, slowly or nothing."""

import os
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest

from makul.net import fetcher as fetching
from makul.trust.tlog.note_keys import Cosigner
from makul.witness import log_source as sources
from makul.witness.log_source import open_source
from makul.witness.state import WitnessStateDir
from makul.witness.witness import WitnessProgram, WitnessResult, WitnessRound
from makul_testing.processes.witness import a_witness, cosigned_size
from makul_testing.servers.crl_ocsp import PublishedPaths, run_publisher
from makul_testing.servers.slow_http import run_slow_server
from makul_testing.tlog.published import PublishedLog, leaves


@pytest.fixture
def web(log: PublishedLog) -> Iterator[PublishedPaths]:
    """Serve the ledger's directory over HTTP, in its present state."""
    with run_publisher() as published:
        log.publish(leaves(300))
        for path in log.directory.rglob("*"):
            if path.is_file():
                published.at[f"/log/{path.relative_to(log.directory)}"] = path.read_bytes()
        yield published


def test_a_log_is_followed_over_http(
    log: PublishedLog, cosigner: Cosigner, state: WitnessStateDir, web: PublishedPaths
) -> None:
    """The paths are those of C2SP tlog-tiles."""
    witness = a_witness(log, cosigner, state, place=f"{web.url}/log/")

    assert witness.run_once().result is WitnessResult.COSIGNED
    assert cosigned_size(state) == 300
    assert web.requested_paths[0] == "/log/checkpoint"


def test_a_failing_server_is_fetched_again(
    log: PublishedLog, cosigner: Cosigner, state: WitnessStateDir, web: PublishedPaths
) -> None:
    """The fetch is bounded, and repeated in the next round."""
    witness = a_witness(log, cosigner, state, place=f"{web.url}/log")
    good = web.at["/log/checkpoint"]
    web.at["/log/checkpoint"] = b"x" * 10_000_000
    assert witness.run_once().result is WitnessResult.UNAVAILABLE

    web.at["/log/checkpoint"] = good
    web.status = 500
    assert witness.run_once().result is WitnessResult.UNAVAILABLE

    web.status = 302
    web.headers = {"Location": "http://127.0.0.1:9/"}
    assert witness.run_once().result is WitnessResult.UNAVAILABLE


def test_a_slow_server_is_abandoned(
    log: PublishedLog, cosigner: Cosigner, state: WitnessStateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The fetch of each object has a time limit."""
    monkeypatch.setattr(sources, "OBJECT_SECONDS", 0.3)
    monkeypatch.setattr(fetching, "READ_SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place = f"http://127.0.0.1:{silent.getsockname()[1]}"
        assert (
            a_witness(log, cosigner, state, place=place).run_once().result
            is WitnessResult.UNAVAILABLE
        )


def test_a_server_with_slow_headers_is_abandoned(
    log: PublishedLog, cosigner: Cosigner, state: WitnessStateDir, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each octet comes in time, but the round ends, and no other fetch begins there."""
    monkeypatch.setattr(sources, "OBJECT_SECONDS", 0.2)
    with run_slow_server() as server:
        witness = a_witness(log, cosigner, state, place=server.url)
        rounds = [witness.run_once() for _ in range(3)]

    assert {each.result for each in rounds} == {WitnessResult.UNAVAILABLE}
    assert "not done within" in rounds[0].why
    assert "still under way" in rounds[1].why
    assert server.request_count == 1


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
def test_a_special_file_is_not_read(
    make: Callable[[Path], None], log: PublishedLog, witness: WitnessProgram
) -> None:
    """A pipe without a writer, in another user's directory, would block the witness permanently."""
    log.publish(leaves(3))
    (log.directory / "checkpoint").unlink()
    make(log.directory / "checkpoint")
    rounds: list[WitnessRound] = []

    thread = Thread(target=lambda: rounds.append(witness.run_once()), daemon=True)
    thread.start()
    thread.join(60)

    assert [(each.result, each.why) for each in rounds] == [
        (WitnessResult.UNAVAILABLE, "checkpoint: not a regular file. Name a file.")
    ]


@pytest.mark.parametrize(
    "place",
    [
        "ftp://log.example/",
        "file:///etc",
        "http://",
        "https://user@log.example/",
        "https://log.example/?size=1",
        "/does/not/exist",
    ],
)
def test_malformed_sources_are_refused(place: str) -> None:
    """Only web addresses and directories are sources."""
    with pytest.raises(ValueError, match="address"):
        open_source(place)
