"""A fetch from an address in the settings is bounded, for every behaviour of the server."""

import threading
import time
from collections.abc import Iterator
from threading import Event, Thread
from typing import Any

import pytest

from makul.net import fetcher as fetching
from makul.net.fetcher import Fetcher, FetchError, MissingObjectError
from makul_testing.servers.crl_ocsp import PublishedPaths, run_publisher
from makul_testing.servers.slow_http import BODY, HEADERS, run_slow_server

SHORT = 2.0
"""The maximum seconds of a fetch in these tests."""
PATIENCE = 60.0
"""A time in seconds."""


@pytest.fixture
def web() -> Iterator[PublishedPaths]:
    with run_publisher() as published:
        yield published


def test_unusable_answers_are_refused(web: PublishedPaths) -> None:
    """The fetcher refuses redirects, errors, encodings and long bodies, and raises no
    other error.
    """
    fetch, url = Fetcher(), f"{web.url}/ca.crl"
    web.at["/ca.crl"] = b"x" * 11
    assert fetch(url, None, 11) == b"x" * 11
    with pytest.raises(FetchError, match="longer than 10 bytes"):
        fetch(url, None, 10)
    web.headers = {"Location": f"{web.url}/elsewhere.crl"}
    for status in (301, 302, 307, 500):
        web.status = status
        with pytest.raises(FetchError, match=f"HTTP status {status}"):
            fetch(url, None, 11)
    assert "/elsewhere.crl" not in web.requested_paths
    web.status, web.headers = 200, {"Content-Encoding": "gzip"}
    with pytest.raises(FetchError, match="encoded"):
        fetch(url, None, 11)
    with pytest.raises(MissingObjectError):
        fetch(f"{web.url}/nothing.crl", None, 11)
    with pytest.raises(FetchError, match="no answer"):
        fetch("http://127.0.0.1:9/ca.crl", None, 11)


@pytest.mark.parametrize("begin", [HEADERS, BODY], ids=["headers", "body"])
def test_slow_answer_ends_at_the_limit(begin: bytes, web: PublishedPaths) -> None:
    """An answer of occasional octets ends at the limit, and not with the last octet.

    Meanwhile the fetcher fetches from other servers.
    """
    web.at["/ca.crl"] = b"a CRL"
    fetch, began = Fetcher(SHORT), time.monotonic()
    with run_slow_server(begin) as server:
        with pytest.raises(FetchError, match=r"not done within 2 seconds"):
            fetch(f"{server.url}/ca.crl", None, 10_000_000)
        assert fetch(f"{web.url}/ca.crl", None, 10) == b"a CRL"

    assert time.monotonic() < began + PATIENCE


def test_server_with_slow_headers_is_not_fetched_twice() -> None:
    """One thread waits for that server, for all its addresses; after that it is fetched again."""
    fetch = Fetcher(SHORT)
    with run_slow_server() as server:
        with pytest.raises(FetchError, match="not done within"):
            fetch(f"{server.url}/ca.crl", None, 10)
        before = threading.active_count()
        for number in range(20):
            with pytest.raises(FetchError, match="still under way"):
                fetch(f"{server.url}/{number}.crl", None, 10)

        assert server.request_count == 1
        assert threading.active_count() == before

    until, why = time.monotonic() + PATIENCE, "still under way"
    while "still under way" in why:
        assert time.monotonic() < until
        with pytest.raises(FetchError) as refused:
            fetch(f"{server.url}/ca.crl", None, 10)
        why = str(refused.value)
    assert "no answer" in why


def test_slow_body_leaves_no_thread() -> None:
    """A fetch that ends itself also ends its thread, and the server may be fetched again."""
    fetch = Fetcher(SHORT)
    with run_slow_server(BODY) as server:
        with pytest.raises(FetchError, match="not done within"):
            fetch(f"{server.url}/ca.crl", None, 10_000_000)
        until = time.monotonic() + PATIENCE
        while any(thread.name.startswith("fetch") for thread in threading.enumerate()):
            assert time.monotonic() < until
            time.sleep(0.01)
        with pytest.raises(FetchError, match="not done within"):
            fetch(f"{server.url}/ca.crl", None, 10_000_000)

        assert server.request_count == 2


def test_finished_fetch_does_not_delay_the_next(
    web: PublishedPaths, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its thread may last a moment longer than the fetch."""
    web.at["/ca.crl"] = b"a CRL"
    answer, ended = fetching._answer, Event()

    def lasting(*arguments: Any) -> None:
        answer(*arguments)
        ended.wait(PATIENCE)

    monkeypatch.setattr(fetching, "_answer", lasting)
    fetch = Fetcher()
    try:
        assert [fetch(f"{web.url}/ca.crl", None, 10) for _ in range(2)] == [b"a CRL"] * 2
    finally:
        ended.set()


@pytest.mark.parametrize("url", ["http://[::1/ca.crl", "http:///ca.crl", "gopher://ca.example/"])
def test_malformed_address_is_not_fetched(url: str) -> None:
    """The result is an answer, and no other exception."""
    with pytest.raises(FetchError, match=r"no a(ddress|nswer)"):
        Fetcher()(url, None, 10)


def test_fetch_fails_without_a_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine has no memory for another thread."""

    def no_room(_: Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(Thread, "start", no_room)

    with pytest.raises(FetchError, match="no thread"):
        Fetcher()("http://127.0.0.1:9/ca.crl", None, 10)
