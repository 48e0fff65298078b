"""A peer that sends or reads slowly never holds a thread (CWE-400): others get answers meanwhile.

The deadlines of the first tests are far longer than the tests take. So only a worker in which no
thread waits for a peer can pass them, on a slow machine as well. Those of the last are short.
"""

import http.client
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from makul.server.gunicorn_app import MAX_CONNECTIONS
from makul_sandbox.data.recipients import OPERATOR
from makul_testing.builders.messages import signed_message
from makul_testing.in_process_service import (
    InProcessService,
    RecordDatabase,
    about,
    build_installation,
    person_request,
)
from makul_testing.processes.service import START_SECONDS, await_ready, free_port
from makul_testing.servers.listeners import by_tls, is_listening, run_listener, wait_for, write

HEAD = (
    b"POST /v1/recipient HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml; charset=utf-8\r\n"
    b"Content-Length: 100000\r\n"
)
CHUNKED_HEAD = HEAD.replace(b"Content-Length: 100000", b"Transfer-Encoding: chunked")
LONG = "600"
"""Seconds: longer than any test here may take."""


@pytest.fixture(scope="module")
def installation(
    tmp_path_factory: pytest.TempPathFactory, record_database: RecordDatabase
) -> Iterator[InProcessService]:
    built = build_installation(tmp_path_factory.mktemp("slow"), database=record_database)
    yield built
    built.close()


@contextmanager
def wsse(installation: InProcessService, **settings: str) -> Iterator[int]:
    """Run the wsse listener in one worker; `settings` has its threads."""
    port = free_port()
    with run_listener(installation, "wsse", BIND=f"127.0.0.1:{port}", WORKERS="1", **settings):
        await_ready(port)
        yield port


@contextmanager
def mtls(installation: InProcessService, place: Path, **settings: str) -> Iterator[int]:
    """Run the mtls listener that ends TLS itself, in one worker."""
    hierarchy, port = installation.world.hierarchy, free_port()
    server = hierarchy.server(member_code=OPERATOR, host="127.0.0.1")
    certificate, key = write(place, "server", server)
    (place / "cas.pem").write_bytes(hierarchy.intermediate_certificates() + hierarchy.anchors())
    tls = {
        "TLS__CERTIFICATE": str(certificate),
        "TLS__KEY": str(key),
        "TLS__CLIENT_CA": str(place / "cas.pem"),
        "CLIENT_CERTIFICATE": "tls",
    }
    with run_listener(
        installation, "mtls", BIND=f"127.0.0.1:{port}", WORKERS="1", **tls, **settings
    ):
        wait_for(lambda: is_listening(port))
        yield port


def connect(port: int) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port), timeout=START_SECONDS)


@contextmanager
def slow_peers(port: int) -> Iterator[None]:
    """Open 40 idle sockets, 4 half-sent heads, and slow bodies: 4 with a length, 4 in chunks."""
    ended = threading.Event()

    def drip(connection: socket.socket, octets: bytes) -> None:
        while not ended.wait(0.05):
            try:
                connection.sendall(octets)
            except OSError:
                return

    with ExitStack() as stack:
        for _ in range(40):
            stack.enter_context(connect(port))
        drippers = [(HEAD, b"X"), (HEAD + b"\r\n", b"x"), (CHUNKED_HEAD + b"\r\n", b"1\r\nx\r\n")]
        threads = []
        for head, octets in 4 * drippers:
            connection = stack.enter_context(connect(port))
            connection.sendall(head)
            threads.append(threading.Thread(target=drip, args=(connection, octets)))
            threads[-1].start()
        try:
            yield
        finally:
            ended.set()
            for thread in threads:
                thread.join()


def build_request(installation: InProcessService) -> bytes:
    document, holder = installation.document("bank-00-data"), installation.world.messages["bank"]
    fields = about(installation.person_of(document), of=document.presented_by, document=document)
    return signed_message(
        person_request(**fields), holder.key, holder.certificate, at=installation.clock()
    )


def is_released(connection: http.client.HTTPConnection, message: bytes) -> bool:
    headers = {"Content-Type": "text/xml; charset=utf-8"}
    connection.request("POST", "/v1/recipient", message, headers)
    return b">RELEASED<" in connection.getresponse().read()


@pytest.mark.parametrize("threads", ["1", "4"])
def test_requests_are_answered_beside_slow_peers(
    installation: InProcessService, threads: str
) -> None:
    """Half-sent heads, slow bodies and idle sockets hold no thread, for any time."""
    with (
        wsse(installation, THREADS=threads, MESSAGE_SECONDS=LONG) as port,
        slow_peers(port),
    ):
        for _ in range(20):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
            assert is_released(connection, build_request(installation))
            connection.close()


def test_endless_handshakes_hold_no_thread(installation: InProcessService, tmp_path: Path) -> None:
    """RFC 8446, 4: if TLS ends in the listener, silence or half a hello does not hold a thread."""
    pair = write(tmp_path, "bank", installation.world.messages["bank"])
    unsigned = installation_message(installation)
    with (
        mtls(installation, tmp_path, THREADS="1", HANDSHAKE_SECONDS="60") as port,
        ExitStack() as slow,
    ):
        for number in range(12):
            connection = slow.enter_context(connect(port))
            if number % 2:
                connection.sendall(client_hello()[:20])
        for number in range(4):  # a whole handshake, and then silence or half a head
            slow.enter_context(sending(by_tls(port, pair), HEAD if number % 2 else b""))
        for _ in range(3):
            connection = by_tls(port, pair)
            assert is_released(connection, unsigned())
            connection.close()


def installation_message(installation: InProcessService):
    """Build messages without a signature: TLS identifies the caller."""
    document = installation.document("bank-00-data")

    def make() -> bytes:
        fields = about(installation.person_of(document), of=installation.bank, document=document)
        return (
            b'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>%b</s:Body>'
            b"</s:Envelope>" % person_request(**fields)
        )

    return make


def client_hello() -> bytes:
    """Return the first record that a TLS client sends."""
    outgoing = ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    hello = context.wrap_bio(ssl.MemoryBIO(), outgoing, server_hostname="localhost")
    with pytest.raises(ssl.SSLWantReadError):
        hello.do_handshake()
    return outgoing.read()


@contextmanager
def sending(connection: http.client.HTTPSConnection, octets: bytes) -> Iterator[None]:
    connection.connect()
    connection.sock.sendall(octets)
    yield
    connection.close()


def test_peers_that_do_not_read_hold_no_thread(installation: InProcessService) -> None:
    """The loop keeps an answer that nobody reads, and not a thread."""
    ask = b"GET /v1/recipient?xsd=types HTTP/1.1\r\nHost: a\r\n\r\n"
    with wsse(installation, THREADS="1", ANSWER_SECONDS=LONG) as port, ExitStack() as slow:
        for _ in range(4):
            peer = slow.enter_context(socket.socket())
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1024)
            peer.connect(("127.0.0.1", port))
            peer.sendall(100 * ask)  # more than any buffer between us holds
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
        assert is_released(connection, build_request(installation))
        connection.close()


@pytest.mark.parametrize(
    ("begin", "octet", "status"),
    [
        (HEAD, b"X", b"HTTP/1.1 408 "),
        (HEAD + b"\r\n", b"x", b"HTTP/1.1 408 "),
        (CHUNKED_HEAD + b"\r\n", b"1\r\nx\r\n", b"HTTP/1.1 408 "),
    ],
    ids=["head", "body", "chunks"],
)
def test_a_message_has_one_deadline(
    installation: InProcessService, begin: bytes, octet: bytes, status: bytes
) -> None:
    """Octets that continue to come gain no time: the deadline is that of the whole message."""
    with wsse(installation, MESSAGE_SECONDS="2") as port, connect(port) as connection:
        connection.sendall(begin)
        began, answer = time.monotonic(), b""
        connection.settimeout(0.1)
        while not answer:
            assert time.monotonic() - began < START_SECONDS, "it was never cut"
            try:
                connection.sendall(octet)
                answer = connection.recv(65536)
            except TimeoutError:
                continue

        assert time.monotonic() - began > 1.5
        assert answer.startswith(status)
        assert b"<soap:Fault>" in answer
        assert b"Connection: close" in answer


def test_a_handshake_has_a_deadline(installation: InProcessService, tmp_path: Path) -> None:
    """A silent connection is closed, and so is a slow handshake."""
    with mtls(installation, tmp_path, HANDSHAKE_SECONDS="2") as port:
        for hello in (b"", client_hello()[:20]):
            with connect(port) as connection:
                connection.sendall(hello)
                assert connection.recv(100) == b""


def test_an_expected_continue_is_sent(installation: InProcessService) -> None:
    """RFC 9110, 10.1.1: a sender that waits for leave to send its body gets it once."""
    message = build_request(installation)
    head = (
        b"POST /v1/recipient HTTP/1.1\r\nHost: a\r\nContent-Type: text/xml\r\n"
        b"Expect: 100-continue\r\nContent-Length: %d\r\n\r\n" % len(message)
    )
    with wsse(installation) as port, connect(port) as connection:
        connection.sendall(head)
        assert connection.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(message)
        answer = connection.recv(65536)

    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")


def test_pipelined_messages_are_answered_in_order(installation: InProcessService) -> None:
    """RFC 9112, 9.3.2: pipelined requests are answered in their order."""
    ask = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
    last = ask.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n")
    with wsse(installation) as port, connect(port) as connection:
        connection.sendall(3 * ask + last)
        answer = b"".join(iter(lambda: connection.recv(65536), b""))

    assert answer.count(b"HTTP/1.1 200 OK") == 4


def test_longest_waiting_connection_is_closed(installation: InProcessService) -> None:
    """The one that has waited longest is closed, and the last request is answered."""
    with wsse(installation, THREADS="1", MESSAGE_SECONDS=LONG) as port, ExitStack() as slow:
        first = slow.enter_context(connect(port))
        first.sendall(HEAD)
        for _ in range(MAX_CONNECTIONS + 20):
            slow.enter_context(connect(port)).sendall(HEAD)
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
        assert is_released(connection, build_request(installation))
        connection.close()
        assert first.recv(100) == b""


@pytest.mark.parametrize("read", [False, True], ids=["unread", "read"])
def test_refused_peers_hold_no_slot(installation: InProcessService, read: bool) -> None:
    """A refused sender may finish its message, and gives way to a new request."""
    unframed = HEAD.replace(b"100000", b"no number") + b"\r\n"
    with wsse(installation, THREADS="1", MESSAGE_SECONDS=LONG) as port, ExitStack() as slow:
        for _ in range(MAX_CONNECTIONS + 20):
            peer = slow.enter_context(connect(port))
            peer.sendall(unframed)
            if read:
                assert peer.recv(12).startswith(b"HTTP/1.1 400")
        for _ in range(3):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
            assert is_released(connection, build_request(installation))
            connection.close()


def test_a_large_message_is_refused_before_its_end(installation: InProcessService) -> None:
    """RFC 9110, 15.5.14: its sender, still writing, gets 413 and no reset."""
    large = b"x" * (17 * 1024 * 1024)
    with wsse(installation) as port:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=START_SECONDS)
        connection.request("POST", "/v1/recipient", large, {"Content-Type": "text/xml"})
        answer = connection.getresponse()
        assert (answer.status, answer.getheader("Connection")) == (413, "close")
        assert b"REQ-07" in answer.read()
        connection.close()
